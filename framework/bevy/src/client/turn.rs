//! What the plugin does in a turn of the app: takes in, tells, sends.

use std::any::TypeId;
use std::marker::PhantomData;

use bevy_ecs::change_detection::Tick;
use bevy_ecs::prelude::{Entity, Mut, QueryState, With, Without, World};
use bevy_state::state::NextState;
use bowline::{
    Asked, Changes, ClientEvent, EntityEvent, MessageOf, MessageVisitor, Protocol, RequestOf, RequestVisitor,
    StaleEntities, WorldSource,
};

use super::commands::clear;
use super::events::{
    AuthorityEvent, ConnectEvent, DisconnectEvent, MessageEvent, ReconnectingEvent, RejectEvent,
    RequestEvent, TickEvent, UnencodableEvent,
};
use super::items::Items;
use super::sink::Sink;
use super::state::{ClientState, ConnectionState, Stale, TaggedConnectionState};
use crate::ticks::{TickSchedule, interval};
use crate::{BevyProtocol, ClientOwned, DefaultClientTag, EntityMap, NetId, Tag};

/// Takes in what has arrived.
pub(super) fn receive<P: Protocol, T: Tag>(world: &mut World) {
    world.resource_mut::<ClientState<P, T>>().client.receive();
}

/// Tells what has happened, up to the first tick; the server's state lands in the world.
pub(super) fn tell_all<P: BevyProtocol, T: Tag>(world: &mut World) {
    let tick = tell::<P, T>(world);
    if const { P::SCHEMA.has_entities() } {
        apply::<P, T>(world);
        // What landing has brought about: authority.
        while let Some(event) = world.resource_mut::<ClientState<P, T>>().client.entities_mut().next_event() {
            hear::<P, T>(world, event);
        }
    }
    let mut state = world.resource_mut::<ClientState<P, T>>();
    state.tick = tick;
    let phase = ConnectionState::from(state.client.phase());
    if std::mem::replace(&mut state.phase, phase) != phase {
        world.resource_mut::<NextState<TaggedConnectionState<T>>>().set(TaggedConnectionState::new(phase));
        if TypeId::of::<T>() == TypeId::of::<DefaultClientTag>() {
            world.resource_mut::<NextState<ConnectionState>>().set(phase);
        }
    }
}

/// Runs the ticks that are due, one by one: what is sent in one is sent for it.
pub(super) fn run_ticks<P: Protocol, T: Tag>(world: &mut World, schedule: TickSchedule) {
    let mut next = world.resource_mut::<ClientState<P, T>>().tick.take();
    while let Some(tick) = next {
        world.write_message(TickEvent::<T>::new(tick));
        schedule.run(world, interval::<P>());
        next = tell::<P, T>(world);
    }
}

/// Entities of this client's own that have no id yet.
type New<T> = QueryState<Entity, (With<ClientOwned<T>>, Without<NetId<T>>)>;

/// Finds what this client has written to, and sends what is due.
pub(super) fn send<P: Protocol, T: Tag>(world: &mut World, new: &mut New<T>) {
    if const { P::SCHEMA.has_entities() } {
        adopt::<P, T>(world, new);
    }
    world.resource_scope(|world, mut state: Mut<'_, ClientState<P, T>>| {
        if const { P::SCHEMA.has_entities() } && state.writable > 0 {
            world.resource_scope(|world, mut items: Mut<'_, Items<P, T>>| {
                let applied = state.applied;
                let mut source = Source { world, items: &mut *items, applied };
                state.client.entities_mut().collect_from(&mut source);
            });
        }
        state.client.send();
    });
}

/// Tells events until there is a tick, which is given back, or none is left.
fn tell<P: Protocol, T: Tag>(world: &mut World) -> Option<u32> {
    loop {
        match world.resource_mut::<ClientState<P, T>>().client.next_event()? {
            ClientEvent::Tick(tick) => return Some(tick),
            event => tell_one::<P, T>(world, event),
        }
    }
}

fn tell_one<P: Protocol, T: Tag>(world: &mut World, event: ClientEvent<P>) {
    match event {
        ClientEvent::Connected => {
            begin::<P, T>(world);
            world.write_message(ConnectEvent::<T>::new());
        }
        ClientEvent::Message(message) => P::with_message(message, Deliver::<P, T>::new(world)),
        ClientEvent::Request(requested) => P::with_requested(requested, Deliver::<P, T>::new(world)),
        ClientEvent::Entity(event) => hear::<P, T>(world, event),
        ClientEvent::Unencodable(failure) => {
            let entity = world.resource::<EntityMap<T>>().entity(failure.entity);
            world.write_message(UnencodableEvent::<T>::new(failure, entity));
        }
        ClientEvent::Rejected(reason) => drop(world.write_message(RejectEvent::<T>::new(reason))),
        ClientEvent::Disconnected(reason) => drop(world.write_message(DisconnectEvent::<T>::new(reason))),
        ClientEvent::Reconnecting { attempt, after } => {
            world.write_message(ReconnectingEvent::<T>::new(attempt, after));
        }
        // Told by `tell`; and what a later version of the client may tell.
        _ => {}
    }
}

/// A session begins: what the one before has left behind goes, or is marked.
fn begin<P: Protocol, T: Tag>(world: &mut World) {
    if !const { P::SCHEMA.has_entities() } {
        return;
    }
    if world.resource::<ClientState<P, T>>().stale == StaleEntities::Despawn {
        clear::<P, T>(world, false);
        return;
    }
    let all: Vec<_> = world.resource::<EntityMap<T>>().iter().collect();
    for (id, entity) in all {
        if let Ok(mut entity) = world.get_entity_mut(entity) {
            entity.insert((Stale::<T>::new(), NetId::<T>::new(id, false)));
        }
    }
    world.resource_mut::<ClientState<P, T>>().writable = 0;
    world.resource_scope(|_, mut items: Mut<'_, Items<P, T>>| {
        items.resources.iter_mut().for_each(|resource| resource.set_stale());
    });
}

/// Puts what has arrived into the world.
fn apply<P: BevyProtocol, T: Tag>(world: &mut World) {
    // A change tick of its own tells the server's changes from the game's.
    world.increment_change_tick();
    world.resource_scope(|world, mut state: Mut<'_, ClientState<P, T>>| {
        world.resource_scope(|world, mut items: Mut<'_, Items<P, T>>| {
            state.applied = Some(world.change_tick());
            let mut sink = Sink::new(world, &mut items);
            let made_sense = state.client.entities_mut().apply_to(&mut sink);
            sink.finish();
            if !made_sense {
                tracing::error!(
                    "what the server says of entities makes no sense: it is none of `{}`",
                    P::NAME
                );
                state.client.disconnect();
            }
        });
    });
    world.increment_change_tick();
}

fn hear<P: Protocol, T: Tag>(world: &mut World, event: EntityEvent<P>) {
    // All other events are of the embedded world, which is empty.
    let EntityEvent::Authority { entity: id, authority } = event else { return };
    let Some(entity) = world.resource::<EntityMap<T>>().entity(id) else { return };
    let may_write = authority == Some(bowline::Authority::Granted);
    let may_write_already = world.get::<NetId<T>>(entity).is_some_and(|id| id.is_shared);
    if may_write != may_write_already
        && let Ok(mut here) = world.get_entity_mut(entity)
    {
        here.insert(NetId::<T>::new(id, may_write));
        let mut state = world.resource_mut::<ClientState<P, T>>();
        state.writable = if may_write { state.writable + 1 } else { state.writable.saturating_sub(1) };
    }
    world.write_message(AuthorityEvent::<T>::new(entity, id, authority));
}

/// Entities of this client's own that have no id yet get one, as far as the server has given any.
fn adopt<P: Protocol, T: Tag>(world: &mut World, new: &mut New<T>) {
    let new: Vec<_> = new.iter(world).collect();
    for entity in new {
        let mut state = world.resource_mut::<ClientState<P, T>>();
        if state.phase != ConnectionState::Connected {
            return;
        }
        let Ok(id) = state.client.entities_mut().spawn_elsewhere() else { return };
        state.writable += 1;
        world.resource_mut::<EntityMap<T>>().insert(id, entity);
        world.entity_mut(entity).insert(NetId::<T>::new(id, true));
    }
}

/// The Bevy world as a source of what this client writes.
struct Source<'a, P: Protocol, T: Tag> {
    world: &'a World,
    items: &'a mut Items<P, T>,
    applied: Option<Tick>,
}

impl<P: Protocol, T: Tag> WorldSource<P> for Source<'_, P, T> {
    fn collect(&mut self, changes: &mut Changes<'_, P>) {
        for component in &mut self.items.components {
            component.collect(self.world, changes, self.applied);
        }
    }
}

/// A message or request on its way to its readers, as soon as its type is known.
struct Deliver<'w, P, T> {
    world: &'w mut World,
    channel: usize,
    types: PhantomData<fn() -> (P, T)>,
}

impl<'w, P: Protocol, T: Tag> Deliver<'w, P, T> {
    fn new(world: &'w mut World) -> Self {
        let channel = world.resource::<ClientState<P, T>>().client.came_by().unwrap_or_default();
        Self { world, channel, types: PhantomData }
    }
}

impl<P: Protocol, T: Tag> MessageVisitor<P> for Deliver<'_, P, T> {
    fn message<M: MessageOf<P>>(self, message: M) {
        self.world.write_message(MessageEvent::<M, T>::new(message, self.channel));
    }
}

impl<P: Protocol, T: Tag> RequestVisitor<P> for Deliver<'_, P, T> {
    fn request<R: RequestOf<P>>(self, asked: Asked<R>) {
        self.world.write_message(RequestEvent::<R, T>::new(self.channel, asked));
    }
}
