//! What the plugin does in a turn of the app: takes in, tells, sends.

use std::marker::PhantomData;

use bevy_ecs::prelude::{Entity, Mut, World};
use bowline::transport::AnyAddress;
use bowline::{
    Asked, Changes, EntityEvent, MessageOf, MessageVisitor, NetEntity, Protocol, RequestOf, RequestVisitor,
    ServerEvent, UserId, WorldSource,
};

use super::commands::Paused;
use super::events::{
    AuthEvent, AuthorityEvent, ConnectEvent, DespawnEntityEvent, DisconnectEvent, InputEvent, MessageEvent,
    RejectEvent, RequestEvent, SpawnEntityEvent, TickEvent, UnencodableEvent,
};
use super::items::{Arrival, Items, Written};
use super::state::{Pending, ServerState, User};
use crate::ticks::{TickSchedule, interval};
use crate::{BevyProtocol, ClientOwned, EntityMap, NetId, Tag};

/// Takes in what has arrived.
pub(super) fn receive<P: Protocol, T: Tag>(world: &mut World) {
    world.resource_mut::<ServerState<P, T>>().server.receive();
}

/// Tells what has happened, up to the first tick.
pub(super) fn tell_all<P: Protocol, T: Tag>(world: &mut World) {
    let tick = tell::<P, T>(world);
    world.resource_mut::<ServerState<P, T>>().tick = tick;
}

/// Runs the ticks that are due. What comes between two of them, inputs, is told between them.
pub(super) fn run_ticks<P: Protocol, T: Tag>(world: &mut World, schedule: TickSchedule) {
    let mut next = world.resource_mut::<ServerState<P, T>>().tick.take();
    while let Some(tick) = next {
        world.write_message(TickEvent::<T>::new(tick));
        schedule.run(world, interval::<P>());
        next = tell::<P, T>(world);
    }
}

/// Finds what has changed, and sends what is due.
pub(super) fn send<P: BevyProtocol, T: Tag>(world: &mut World) {
    world.resource_scope(|world, mut state: Mut<'_, ServerState<P, T>>| {
        if const { P::SCHEMA.has_entities() } {
            world.resource_scope(|world, mut items: Mut<'_, Items<P, T>>| {
                collect(world, &mut state, &mut items);
            });
        }
        state.server.send();
    });
}

fn collect<P: Protocol, T: Tag>(world: &mut World, state: &mut ServerState<P, T>, items: &mut Items<P, T>) {
    let ServerState { server, pending, shared, .. } = state;
    for resumed in pending.extract_if(.., |pending| matches!(pending, Pending::Resume(_))) {
        if let Pending::Resume(entity) = resumed {
            items.components.iter_mut().for_each(|component| component.resume(world, entity));
        }
    }
    for component in &mut items.components {
        component.prepare(world, server, *shared > 0);
    }
    for resource in &mut items.resources {
        resource.prepare(world, server);
    }
    server.collect_from(&mut Source { world, items });
    for paused in pending.drain(..) {
        if let Pending::Pause(id, entity) = paused
            && let (Some(mut core), Ok(mut here)) = (server.entity_mut(id), world.get_entity_mut(entity))
        {
            core.pause();
            here.insert(Paused);
        }
    }
}

/// The Bevy world as a source of changes.
struct Source<'a, P: Protocol, T: Tag> {
    world: &'a World,
    items: &'a mut Items<P, T>,
}

impl<P: Protocol, T: Tag> WorldSource<P> for Source<'_, P, T> {
    fn collect(&mut self, changes: &mut Changes<'_, P>) {
        for component in &mut self.items.components {
            component.collect(self.world, changes);
        }
        for resource in &mut self.items.resources {
            resource.collect(self.world, changes);
        }
    }
}

/// Tells events until there is a tick, which is given back, or none is left.
fn tell<P: Protocol, T: Tag>(world: &mut World) -> Option<u32> {
    loop {
        match world.resource_mut::<ServerState<P, T>>().server.next_event()? {
            ServerEvent::Tick(tick) => return Some(tick),
            event => tell_one::<P, T>(world, event),
        }
    }
}

fn tell_one<P: Protocol, T: Tag>(world: &mut World, event: ServerEvent<P, AnyAddress>) {
    match event {
        ServerEvent::AuthRequested(ticket) => drop(world.write_message(AuthEvent::<P, T>::new(ticket))),
        ServerEvent::Connected(user) => {
            let entity = spawn_user::<P, T>(world, user);
            world.write_message(ConnectEvent::<T>::new(user, entity));
        }
        ServerEvent::Message(user, message) => {
            P::with_message(message, Deliver::<P, T>::new(world, user, None));
        }
        ServerEvent::Input { user, tick, message } => {
            P::with_message(message, Deliver::<P, T>::new(world, user, Some(tick)));
        }
        ServerEvent::Request(user, requested) => {
            P::with_requested(requested, Deliver::<P, T>::new(world, user, None));
        }
        ServerEvent::Entity(user, event) => hear::<P, T>(world, user, event),
        ServerEvent::AuthorityRequested { user, entity: id } => {
            if let Some(entity) = entity_of::<T>(world, id) {
                world.write_message(AuthorityEvent::<T>::new(user, entity, id));
            }
        }
        ServerEvent::Unencodable(failure) => {
            let entity = entity_of::<T>(world, failure.entity);
            world.write_message(UnencodableEvent::<T>::new(failure, entity));
        }
        ServerEvent::Disconnected(gone) => {
            despawn_user::<P, T>(world, gone.user);
            world.write_message(DisconnectEvent::<T>::new(gone.user, gone.reason, gone.address, gone.stats));
        }
        ServerEvent::Rejected(rejection) => {
            world.write_message(RejectEvent::<T>::new(rejection.reason, rejection.address));
        }
        // Told by `tell`; and what a later version of the server may tell.
        _ => {}
    }
}

fn spawn_user<P: Protocol, T: Tag>(world: &mut World, user: UserId) -> Option<Entity> {
    world.resource::<ServerState<P, T>>().users.as_ref()?;
    let entity = world.spawn(User::<T>::new(user)).id();
    let mut state = world.resource_mut::<ServerState<P, T>>();
    let users = state.users.get_or_insert_default();
    if users.len() <= user.slot() {
        users.resize(user.slot() + 1, None);
    }
    *users.get_mut(user.slot())? = Some(entity);
    Some(entity)
}

/// Its entity goes, and so do the entities of its own: those that the server has given up with it.
fn despawn_user<P: Protocol, T: Tag>(world: &mut World, user: UserId) {
    let mut state = world.resource_mut::<ServerState<P, T>>();
    let entity = state.users.as_mut().and_then(|users| users.get_mut(user.slot())?.take());
    entity.map(|entity| world.despawn(entity));
    let mut owned = world.query_filtered::<(Entity, &NetId<T>), bevy_ecs::prelude::With<ClientOwned<T>>>();
    let owned: Vec<_> = owned.iter(world).map(|(entity, id)| (entity, id.id())).collect();
    for (entity, id) in owned {
        if !world.resource_mut::<ServerState<P, T>>().server.replication_mut().contains(id) {
            world.despawn(entity);
        }
    }
}

/// A client has done something to an entity.
fn hear<P: Protocol, T: Tag>(world: &mut World, user: UserId, event: EntityEvent<P>) {
    let (id, what) = match event {
        EntityEvent::SpawnEntity(id) => {
            let entity = world.spawn((NetId::<T>::new(id, true), ClientOwned::<T>::new())).id();
            world.resource_mut::<EntityMap<T>>().insert(id, entity);
            world.resource_mut::<ServerState<P, T>>().shared += 1;
            world.write_message(SpawnEntityEvent::<T>::new(user, entity, id));
            return;
        }
        EntityEvent::DespawnEntity(id) => {
            if let Some(entity) = entity_of::<T>(world, id) {
                world.write_message(DespawnEntityEvent::<T>::new(user, entity, id));
                world.despawn(entity);
            }
            return;
        }
        EntityEvent::InsertComponent { entity, kind } => (entity, Written::Inserted(kind)),
        EntityEvent::UpdateComponent { entity, kind, tick } => (entity, Written::Updated(kind, tick)),
        EntityEvent::RemoveComponent { entity, .. } => (entity, Written::Removed),
        // Clients have no resources, and are told of authority, not asked.
        _ => return,
    };
    let Some(entity) = entity_of::<T>(world, id) else { return };
    let arrival = Arrival { user, id, entity, what };
    world.resource_scope(|world, items: Mut<'_, Items<P, T>>| {
        world.resource_scope(|world, mut state: Mut<'_, ServerState<P, T>>| {
            for component in &items.components {
                component.arrive(world, &mut state.server, &arrival);
            }
        });
    });
}

fn entity_of<T: Tag>(world: &World, id: NetEntity) -> Option<Entity> {
    world.resource::<EntityMap<T>>().entity(id)
}

/// A message or request on its way to its readers, as soon as its type is known.
struct Deliver<'w, P, T> {
    world: &'w mut World,
    user: UserId,
    channel: usize,
    /// Of an input.
    tick: Option<u32>,
    types: PhantomData<fn() -> (P, T)>,
}

impl<'w, P: Protocol, T: Tag> Deliver<'w, P, T> {
    fn new(world: &'w mut World, user: UserId, tick: Option<u32>) -> Self {
        let channel = world.resource::<ServerState<P, T>>().server.came_by().unwrap_or_default();
        Self { world, user, channel, tick, types: PhantomData }
    }
}

impl<P: Protocol, T: Tag> MessageVisitor<P> for Deliver<'_, P, T> {
    fn message<M: MessageOf<P>>(self, message: M) {
        let Self { world, user, channel, tick, .. } = self;
        match tick {
            Some(tick) => drop(world.write_message(InputEvent::<M, T>::new(user, tick, message))),
            None => drop(world.write_message(MessageEvent::<M, T>::new(user, message, channel))),
        }
    }
}

impl<P: Protocol, T: Tag> RequestVisitor<P> for Deliver<'_, P, T> {
    fn request<R: RequestOf<P>>(self, asked: Asked<R>) {
        self.world.write_message(RequestEvent::<R, T>::new(self.user, self.channel, asked));
    }
}
