//! Where the server's state lands: the Bevy world.

use bevy_ecs::prelude::{Entity, World};
use bowline::{ComponentOf, NetEntity, Protocol, ResourceOf, WorldSink};

use super::Stale;
use super::events::{DespawnEntityEvent, SpawnEntityEvent};
use super::items::{ClientResource, Items, component, resource};
use crate::{ClientOwned, EntityMap, NetId, Remote, ServesHere, Tag};

/// The Bevy world, for a client.
pub(super) struct Sink<'a, P: Protocol, T: Tag> {
    world: &'a mut World,
    items: &'a mut Items<P, T>,
    /// The last that was looked up: several components of one entity come one after the other.
    last: Option<(NetEntity, Entity)>,
}

impl<'a, P: Protocol, T: Tag> Sink<'a, P, T> {
    pub(super) const fn new(world: &'a mut World, items: &'a mut Items<P, T>) -> Self {
        Self { world, items, last: None }
    }

    /// Tells what was noted on the way.
    pub(super) fn finish(self) {
        self.items.components.iter_mut().for_each(|component| component.tell(self.world));
    }

    fn entity(&mut self, id: NetEntity) -> Option<Entity> {
        match self.last {
            Some((last, entity)) if last == id => Some(entity),
            _ => {
                let entity = self.world.resource::<EntityMap<T>>().entity(id)?;
                self.last = Some((id, entity));
                Some(entity)
            }
        }
    }

    fn despawn_known(&mut self, id: NetEntity, entity: Entity) {
        self.last = None;
        self.world.write_message(DespawnEntityEvent::<T>::new(entity, id));
        // With its id it goes from the map too.
        self.world.despawn(entity);
    }

    /// The resources are the server's own, where it is in the same app.
    fn resource<R: ResourceOf<P>>(&mut self) -> Option<(&mut Box<dyn ClientResource>, &mut World)> {
        let Self { world, items, .. } = self;
        if world.contains_resource::<ServesHere<P>>() {
            return None;
        }
        Some((resource::<P, R>(&mut items.resources)?, world))
    }
}

impl<P: Protocol, T: Tag> WorldSink<P> for Sink<'_, P, T> {
    fn spawn(&mut self, id: NetEntity) {
        if let Some((before, entity)) = self.world.resource::<EntityMap<T>>().at(id.slot()) {
            let is_stale = self.world.get_entity(entity).is_ok_and(|entity| entity.contains::<Stale<T>>());
            if before == id && !is_stale {
                // It was this client's own, and has come to be the server's.
                if let Ok(mut entity) = self.world.get_entity_mut(entity) {
                    entity
                        .remove::<ClientOwned<T>>()
                        .insert((NetId::<T>::new(id, false), Remote::<T>::new()));
                    return;
                }
            }
            self.despawn_known(before, entity);
        }
        let entity = self.world.spawn((NetId::<T>::new(id, false), Remote::<T>::new())).id();
        self.world.resource_mut::<EntityMap<T>>().insert(id, entity);
        self.last = Some((id, entity));
        self.world.write_message(SpawnEntityEvent::<T>::new(entity, id));
    }

    fn spawned(&mut self, _: NetEntity) {}

    fn insert<C: ComponentOf<P>>(&mut self, id: NetEntity, value: C, tick: u32) {
        let Some(entity) = self.entity(id) else { return };
        if let Some(component) = component::<P, C>(&mut self.items.components) {
            component.insert(self.world, entity, &mut Some(value), tick);
        }
    }

    fn component_mut<C: ComponentOf<P>>(&mut self, id: NetEntity) -> Option<&mut C> {
        let entity = self.entity(id)?;
        component::<P, C>(&mut self.items.components)?.get_mut(self.world, entity)?.downcast_mut()
    }

    fn updated<C: ComponentOf<P>>(&mut self, id: NetEntity, tick: u32) {
        let Some(entity) = self.entity(id) else { return };
        if let Some(component) = component::<P, C>(&mut self.items.components) {
            component.updated(entity, tick);
        }
    }

    fn remove<C: ComponentOf<P>>(&mut self, id: NetEntity) {
        let Some(entity) = self.entity(id) else { return };
        if let Some(component) = component::<P, C>(&mut self.items.components) {
            component.remove(self.world, entity);
        }
    }

    fn despawn(&mut self, id: NetEntity) {
        if let Some(entity) = self.entity(id) {
            self.despawn_known(id, entity);
        }
    }

    fn missed(&mut self, slot: usize) {
        let here = self.world.resource::<EntityMap<T>>().at(slot);
        let is_stale =
            |entity: Entity| self.world.get_entity(entity).is_ok_and(|entity| entity.contains::<Stale<T>>());
        if let Some((id, entity)) = here.filter(|(_, entity)| !is_stale(*entity)) {
            self.despawn_known(id, entity);
        }
    }

    fn insert_resource<R: ResourceOf<P>>(&mut self, value: R, tick: u32) {
        if let Some((resource, world)) = self.resource::<R>() {
            resource.insert(world, &mut Some(value), tick);
        }
    }

    fn resource_mut<R: ResourceOf<P>>(&mut self) -> Option<&mut R> {
        let (resource, world) = self.resource::<R>()?;
        resource.get_mut(world)?.downcast_mut()
    }

    fn updated_resource<R: ResourceOf<P>>(&mut self, tick: u32) {
        if let Some((resource, world)) = self.resource::<R>() {
            resource.updated(world, tick);
        }
    }

    fn remove_resource<R: ResourceOf<P>>(&mut self) {
        if let Some((resource, world)) = self.resource::<R>() {
            resource.remove(world);
        }
    }
}
