//! What a client does with each component and resource of the protocol.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use bevy_ecs::change_detection::Tick;
use bevy_ecs::component::{Component, ComponentId};
use bevy_ecs::lifecycle::RemovedComponentEntity;
use bevy_ecs::message::{MessageCursor, MessageRegistry};
use bevy_ecs::prelude::{Changed, DetectChanges as _, Entity, Has, Or, QueryState, Ref, Resource, World};
use bowline::{Changes, ComponentOf, Protocol, ResourceOf};

use super::events::{
    InsertComponentEvent, InsertResourceEvent, RemoveComponentEvent, RemoveResourceEvent,
    UpdateComponentEvent, UpdateResourceEvent,
};
use crate::items::Access;
use crate::{ClientOwned, NetId, Tag};

/// The components and resources of a protocol, each as what a client does with it: made by the plugin, from the types that
/// the protocol lists.
pub struct ClientItems<'w, P: Protocol, T: Tag> {
    world: &'w mut World,
    components: Vec<Box<dyn ClientComponent<P>>>,
    resources: Vec<Box<dyn ClientResource>>,
    tag: PhantomData<fn() -> T>,
}

/// The same, as the app keeps them.
#[derive(Resource)]
pub(super) struct Items<P: Protocol, T: Tag> {
    pub(super) components: Vec<Box<dyn ClientComponent<P>>>,
    pub(super) resources: Vec<Box<dyn ClientResource>>,
    tag: PhantomData<fn() -> T>,
}

/// What a client does with a component. Its type is known in here; from outside values come as [`Any`].
pub(super) trait ClientComponent<P: Protocol>: Send + Sync {
    /// The server gives an entity the component: `value` is an `Option` of it, and is taken.
    fn insert(&mut self, world: &mut World, entity: Entity, value: &mut dyn Any, tick: u32);

    /// The component, to be changed by the server.
    fn get_mut<'w>(&self, world: &'w mut World, entity: Entity) -> Option<&'w mut dyn Any>;

    /// The server has changed it.
    fn updated(&mut self, entity: Entity, tick: u32);

    /// The server takes it off.
    fn remove(&mut self, world: &mut World, entity: Entity);

    /// Tells what was noted.
    fn tell(&mut self, world: &mut World);

    /// Hands over what the game has written to, where it may. What changed at `applied` was the server's doing.
    fn collect(&mut self, world: &World, changes: &mut Changes<'_, P>, applied: Option<Tick>);
}

/// What a client does with a resource.
pub(super) trait ClientResource: Send + Sync {
    /// There is a value of the server: `value` is an `Option` of it, and is taken.
    fn insert(&mut self, world: &mut World, value: &mut dyn Any, tick: u32);

    /// The resource, to be changed by the server.
    fn get_mut<'w>(&self, world: &'w mut World) -> Option<&'w mut dyn Any>;

    /// The server has changed it.
    fn updated(&self, world: &mut World, tick: u32);

    /// It is gone.
    fn remove(&mut self, world: &mut World);

    /// A new session has begun: what is there is of the old one.
    fn set_stale(&mut self);

    /// It goes, where it is of an old session.
    fn remove_stale(&mut self, world: &mut World);
}

impl<'w, P: Protocol, T: Tag> ClientItems<'w, P, T> {
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
            updates: Vec::new(),
        }));
    }

    pub(crate) fn resource<R: ResourceOf<P> + Resource<Mutability: Access<R>>>(&mut self) {
        MessageRegistry::register_message::<InsertResourceEvent<R, T>>(self.world);
        MessageRegistry::register_message::<UpdateResourceEvent<R, T>>(self.world);
        MessageRegistry::register_message::<RemoveResourceEvent<R, T>>(self.world);
        self.resources.push(Box::new(OfResource::<R, T> { origin: Origin::Nobody, types: PhantomData }));
    }
}

/// Components of entities with an id that have changed, or that have a new id.
type ChangedOf<C, T> = QueryState<
    (&'static NetId<T>, Ref<'static, C>, Has<ClientOwned<T>>),
    Or<(Changed<C>, Changed<NetId<T>>)>,
>;

struct OfComponent<C: Component, T: Tag> {
    changed: ChangedOf<C, T>,
    component: ComponentId,
    removals: MessageCursor<RemovedComponentEntity>,
    /// Told together: many components change in a turn.
    updates: Vec<UpdateComponentEvent<C, T>>,
}

impl<P: Protocol, C, T: Tag> ClientComponent<P> for OfComponent<C, T>
where
    C: ComponentOf<P> + Component<Mutability: Access<C>>,
{
    fn insert(&mut self, world: &mut World, entity: Entity, value: &mut dyn Any, tick: u32) {
        let Some(value) = value.downcast_mut::<Option<C>>().and_then(Option::take) else { return };
        let Ok(mut here) = world.get_entity_mut(entity) else { return };
        let was_there = here.contains::<C>();
        here.insert(value);
        if was_there {
            self.updates.push(UpdateComponentEvent::new(entity, tick, PhantomData));
        } else {
            world.write_message(InsertComponentEvent::<C, T>::new(entity, PhantomData));
        }
    }

    fn get_mut<'w>(&self, world: &'w mut World, entity: Entity) -> Option<&'w mut dyn Any> {
        let component: &mut C = C::Mutability::get_mut(world.get_entity_mut(entity).ok()?)?;
        Some(component)
    }

    fn updated(&mut self, entity: Entity, tick: u32) {
        self.updates.push(UpdateComponentEvent::new(entity, tick, PhantomData));
    }

    fn remove(&mut self, world: &mut World, entity: Entity) {
        if let Ok(mut here) = world.get_entity_mut(entity)
            && let Some(component) = here.take::<C>()
        {
            world.write_message(RemoveComponentEvent::<C, T>::new(entity, component));
        }
    }

    fn tell(&mut self, world: &mut World) {
        if !self.updates.is_empty() {
            world.write_message_batch(self.updates.drain(..));
        }
    }

    fn collect(&mut self, world: &World, changes: &mut Changes<'_, P>, applied: Option<Tick>) {
        if let Some(removed) = world.removed_components().get(self.component) {
            for gone in self.removals.read(removed) {
                let Ok(entity) = world.get_entity(Entity::from(gone.clone())) else { continue };
                if let Some(id) = entity.get::<NetId<T>>().filter(|_| entity.contains::<ClientOwned<T>>()) {
                    changes.remove::<C>(id.id());
                }
            }
        }
        for (id, value, is_own) in self.changed.iter(world).filter(|(id, ..)| id.is_shared) {
            // Of its own everything counts, of what is lent what the game has written to.
            if is_own || value.is_changed() && Some(value.last_changed()) != applied {
                changes.component::<C>(id.id(), &value);
            }
        }
    }
}

/// Whose value of a resource there is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Nobody,
    Session,
    OldSession,
}

struct OfResource<R, T> {
    origin: Origin,
    types: PhantomData<fn() -> (R, T)>,
}

impl<R: Resource<Mutability: Access<R>>, T: Tag> ClientResource for OfResource<R, T> {
    fn insert(&mut self, world: &mut World, value: &mut dyn Any, tick: u32) {
        let Some(value) = value.downcast_mut::<Option<R>>().and_then(Option::take) else { return };
        world.insert_resource(value);
        if std::mem::replace(&mut self.origin, Origin::Session) == Origin::Nobody {
            world.write_message(InsertResourceEvent::<R, T>::new(PhantomData));
        } else {
            self.updated(world, tick);
        }
    }

    fn get_mut<'w>(&self, world: &'w mut World) -> Option<&'w mut dyn Any> {
        let id = world.component_id::<R>()?;
        let entity = world.resource_entities().get(id)?;
        let resource: &mut R = R::Mutability::get_mut(world.get_entity_mut(entity).ok()?)?;
        Some(resource)
    }

    fn updated(&self, world: &mut World, tick: u32) {
        world.write_message(UpdateResourceEvent::<R, T>::new(tick, PhantomData));
    }

    fn remove(&mut self, world: &mut World) {
        self.origin = Origin::Nobody;
        if let Some(resource) = world.remove_resource::<R>() {
            world.write_message(RemoveResourceEvent::<R, T>::new(resource));
        }
    }

    fn set_stale(&mut self) {
        if self.origin == Origin::Session {
            self.origin = Origin::OldSession;
        }
    }

    fn remove_stale(&mut self, world: &mut World) {
        if self.origin == Origin::OldSession {
            self.remove(world);
        }
    }
}

impl<P: Protocol, T: Tag> fmt::Debug for ClientItems<'_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientItems").field("components", &self.components.len()).finish_non_exhaustive()
    }
}

/// Only what has a place in the protocol's list can be meant by its number.
pub(super) fn component<P: Protocol, C: ComponentOf<P>>(
    components: &mut [Box<dyn ClientComponent<P>>],
) -> Option<&mut Box<dyn ClientComponent<P>>> {
    components.get_mut(C::TAG.index())
}

/// The same for resources.
pub(super) fn resource<P: Protocol, R: ResourceOf<P>>(
    resources: &mut [Box<dyn ClientResource>],
) -> Option<&mut Box<dyn ClientResource>> {
    resources.get_mut(R::TAG.index())
}
