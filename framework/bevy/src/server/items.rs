//! What a server does with each component and resource of the protocol.

use std::fmt;
use std::marker::PhantomData;

use bevy_ecs::component::{Component, ComponentId};
use bevy_ecs::lifecycle::RemovedComponentEntity;
use bevy_ecs::message::{MessageCursor, MessageRegistry};
use bevy_ecs::prelude::{Changed, DetectChanges as _, Entity, Or, QueryState, Ref, Resource, World};
use bowline::{
    BitReader, BitWriter, Changes, ComponentOf, FieldMask, NetEntity, Protocol, Replicate, ResourceOf, UserId,
};

use super::CoreServer;
use super::commands::Paused;
use super::events::{InsertComponentEvent, RemoveComponentEvent, UpdateComponentEvent};
use crate::items::Access;
use crate::{NetId, Tag};

/// The components and resources of a protocol, each as what a server does with it: made by the plugin, from the types that
/// the protocol lists.
pub struct ServerItems<'w, P: Protocol, T: Tag> {
    world: &'w mut World,
    components: Vec<Box<dyn ServerComponent<P>>>,
    resources: Vec<Box<dyn ServerResource<P>>>,
    tag: PhantomData<fn() -> T>,
}

/// The same, as the app keeps them.
#[derive(Resource)]
pub(super) struct Items<P: Protocol, T: Tag> {
    pub(super) components: Vec<Box<dyn ServerComponent<P>>>,
    pub(super) resources: Vec<Box<dyn ServerResource<P>>>,
    tag: PhantomData<fn() -> T>,
}

/// What a server does with a component. Its type is known in here alone.
pub(super) trait ServerComponent<P: Protocol>: Send + Sync {
    /// Before the changes are collected: notes what was taken off, and brings what clients can write to into the embedded
    /// world, which is where they write.
    fn prepare(&mut self, world: &World, server: &mut CoreServer<P>, has_shared: bool);

    /// Hands over what has changed.
    fn collect(&mut self, world: &World, changes: &mut Changes<'_, P>);

    /// An entity that was paused is looked at as a whole.
    fn resume(&mut self, world: &World, entity: Entity);

    /// A client has written to this component, if it is the one of that kind.
    fn arrive(&self, world: &mut World, server: &mut Box<CoreServer<P>>, arrival: &Arrival<P>);
}

/// What a client has done to a component.
pub(super) struct Arrival<P: Protocol> {
    pub(super) user: UserId,
    pub(super) id: NetEntity,
    pub(super) entity: Entity,
    pub(super) what: Written<P>,
}

pub(super) enum Written<P: Protocol> {
    Inserted(P::ComponentKind),
    Updated(P::ComponentKind, u32),
    /// One of those that are not there any more.
    Removed,
}

/// What a server does with a resource.
pub(super) trait ServerResource<P: Protocol>: Send + Sync {
    /// Whether it is there.
    fn prepare(&mut self, world: &World, server: &mut CoreServer<P>);

    /// Hands it over if it has changed.
    fn collect(&mut self, world: &World, changes: &mut Changes<'_, P>);
}

impl<'w, P: Protocol, T: Tag> ServerItems<'w, P, T> {
    pub(super) const fn new(world: &'w mut World) -> Self {
        Self { world, components: Vec::new(), resources: Vec::new(), tag: PhantomData }
    }

    pub(super) fn finish(self) -> Items<P, T> {
        Items { components: self.components, resources: self.resources, tag: PhantomData }
    }

    pub(crate) fn component<C: ComponentOf<P> + Component<Mutability: Access<C>>>(&mut self) {
        MessageRegistry::register_message::<InsertComponentEvent<C, T>>(self.world);
        MessageRegistry::register_message::<UpdateComponentEvent<C, T>>(self.world);
        MessageRegistry::register_message::<RemoveComponentEvent<C, T>>(self.world);
        self.components.push(Box::new(OfComponent::<C, T> {
            changed: QueryState::new(self.world),
            component: self.world.register_component::<C>(),
            removals: MessageCursor::default(),
            removed: Vec::new(),
        }));
    }

    pub(crate) fn resource<R: ResourceOf<P> + Resource>(&mut self) {
        self.resources.push(Box::new(OfResource::<R> {
            is_there: false,
            is_news: false,
            resource: PhantomData,
        }));
    }
}

/// Components of entities that are replicated and that have changed, or that were not replicated before.
type ChangedOf<C, T> = QueryState<(&'static NetId<T>, Ref<'static, C>), Or<(Changed<C>, Changed<NetId<T>>)>>;

struct OfComponent<C: Component, T: Tag> {
    changed: ChangedOf<C, T>,
    component: ComponentId,
    removals: MessageCursor<RemovedComponentEntity>,
    /// Those that have lost the component since the last send.
    removed: Vec<NetEntity>,
}

impl<P: Protocol, C, T: Tag> ServerComponent<P> for OfComponent<C, T>
where
    C: ComponentOf<P> + Component<Mutability: Access<C>>,
{
    fn prepare(&mut self, world: &World, server: &mut CoreServer<P>, has_shared: bool) {
        let Self { removals, removed, component, changed } = self;
        if let Some(messages) = world.removed_components().get(*component) {
            for gone in removals.read(messages) {
                let Ok(entity) = world.get_entity(Entity::from(gone.clone())) else { continue };
                let Some(id) = entity.get::<NetId<T>>().filter(|_| !entity.contains::<Paused>()) else {
                    continue;
                };
                if id.is_shared {
                    server.replication_mut().remove::<C>(id.id());
                }
                removed.push(id.id());
            }
        }
        if has_shared {
            for (id, value) in changed.iter(world).filter(|(id, _)| id.is_shared) {
                // What cannot travel is told by `collect`.
                if let Some(copy) = copy(&*value) {
                    server.replication_mut().insert::<C>(id.id(), copy);
                }
            }
        }
    }

    fn collect(&mut self, world: &World, changes: &mut Changes<'_, P>) {
        // First, because one that was taken off may be there again.
        self.removed.drain(..).for_each(|id| changes.remove::<C>(id));
        for (id, value) in self.changed.iter(world) {
            changes.component::<C>(id.id(), &value);
        }
    }

    fn resume(&mut self, world: &World, entity: Entity) {
        let lacks_it = |entity: &bevy_ecs::world::EntityRef<'_>| !entity.contains::<C>();
        let id = world.get_entity(entity).ok().filter(lacks_it).and_then(|entity| entity.get::<NetId<T>>());
        self.removed.extend(id.map(NetId::id));
    }

    fn arrive(&self, world: &mut World, server: &mut Box<CoreServer<P>>, arrival: &Arrival<P>) {
        let Arrival { user, id, entity, what } = arrival;
        let (user, entity) = (*user, *entity);
        let is_mine = match what {
            Written::Inserted(kind) | Written::Updated(kind, _) => *kind == C::KIND,
            Written::Removed => true,
        };
        if !is_mine {
            return;
        }
        let Ok(mut here) = world.get_entity_mut(entity) else { return };
        let Some(written) = server.world().component::<C>(*id) else {
            if here.contains::<C>() {
                here.remove::<C>();
                world.write_message(RemoveComponentEvent::<C, T>::new(user, entity, PhantomData));
            }
            return;
        };
        match what {
            Written::Removed => return,
            Written::Inserted(_) | Written::Updated(..) => {
                let place = C::Mutability::get_mut(here);
                let was_there = place.is_some_and(|place| overwrite(written, place));
                if !was_there
                    && let (Some(copy), Ok(mut here)) = (copy(written), world.get_entity_mut(entity))
                {
                    here.insert(copy);
                }
            }
        }
        match what {
            Written::Inserted(_) => {
                world.write_message(InsertComponentEvent::<C, T>::new(user, entity, PhantomData));
            }
            Written::Updated(_, tick) => {
                world.write_message(UpdateComponentEvent::<C, T>::new(user, entity, *tick, PhantomData));
            }
            Written::Removed => {}
        }
    }
}

struct OfResource<R> {
    is_there: bool,
    is_news: bool,
    resource: PhantomData<fn() -> R>,
}

impl<P: Protocol, R: ResourceOf<P> + Resource> ServerResource<P> for OfResource<R> {
    fn prepare(&mut self, world: &World, server: &mut CoreServer<P>) {
        let is_there = world.contains_resource::<R>();
        if is_there && !self.is_there {
            if let Err(error) = server.replication_mut().insert_resource_elsewhere::<R>() {
                tracing::error!("`{}` is not replicated: {error}", R::NAME);
            }
            self.is_news = true;
        } else if !is_there && self.is_there {
            server.remove_resource::<R>();
        }
        self.is_there = is_there;
    }

    fn collect(&mut self, world: &World, changes: &mut Changes<'_, P>) {
        if let Some(resource) = world.get_resource_ref::<R>()
            && (std::mem::take(&mut self.is_news) || resource.is_changed())
        {
            changes.resource::<R>(&resource);
        }
    }
}

/// The same value once more, by way of the bits that would travel: components need not be `Clone`. `None` where it cannot
/// travel.
fn copy<C: Replicate>(value: &C) -> Option<C> {
    let mut bits = BitWriter::new();
    value.encode_fields(FieldMask::all(C::FIELDS), &mut bits).ok()?;
    C::decode_new(&mut BitReader::new(bits.finish())).ok()
}

/// Gives `place` the fields of `value` that travel. `false` where they cannot.
fn overwrite<C: Replicate>(value: &C, place: &mut C) -> bool {
    let mut bits = BitWriter::new();
    let fields = FieldMask::all(C::FIELDS);
    value.encode_fields(fields, &mut bits).is_ok()
        && place.decode_fields(fields, &mut BitReader::new(bits.finish())).is_ok()
}

impl<P: Protocol, T: Tag> fmt::Debug for ServerItems<'_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerItems").field("components", &self.components.len()).finish_non_exhaustive()
    }
}
