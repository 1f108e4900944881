use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bowline_core::protocol::ItemVisitor;
use bowline_core::{ComponentOf, NetEntity, Protocol, ResourceOf};

use crate::authority::Authority;
use crate::control::Standing;
use crate::entities::Entities;
use crate::event::EntityEvent;
use crate::sink::WorldSink;
use crate::world::World;

/// A world, as far as the server's word counts there: not for components that this client writes to itself.
pub(super) struct Guarded<'a, W> {
    pub(super) world: &'a mut W,
    pub(super) writing: &'a mut Entities,
    pub(super) authority: &'a mut BTreeMap<NetEntity, Authority>,
    pub(super) early: &'a mut BTreeMap<NetEntity, Standing>,
    pub(super) come: &'a mut Vec<NetEntity>,
}

impl<W> Guarded<'_, W> {
    /// Whether this client has written to a component, of an entity that it may write to: then its own word counts.
    #[inline]
    fn is_written_here<P: Protocol, C: ComponentOf<P>>(&self, entity: NetEntity) -> bool {
        self.writing.len() > 0 && self.writing.has_kind(entity, C::TAG.index() as u16)
    }
}

impl<P: Protocol, W: WorldSink<P>> WorldSink<P> for Guarded<'_, W> {
    fn spawn(&mut self, entity: NetEntity) {
        self.world.spawn(entity);
    }

    fn spawned(&mut self, entity: NetEntity) {
        self.world.spawned(entity);
        if self.early.contains_key(&entity) {
            self.come.push(entity);
        }
    }

    fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C, tick: u32) {
        if !self.is_written_here::<P, C>(entity) {
            self.world.insert(entity, value, tick);
        }
    }

    #[inline]
    fn component_mut<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<&mut C> {
        if self.is_written_here::<P, C>(entity) { None } else { self.world.component_mut(entity) }
    }

    #[inline]
    fn updated<C: ComponentOf<P>>(&mut self, entity: NetEntity, tick: u32) {
        self.world.updated::<C>(entity, tick);
    }

    fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) {
        self.writing.reshape(entity, C::TAG.index() as u16, false);
        self.world.remove::<C>(entity);
    }

    fn despawn(&mut self, entity: NetEntity) {
        self.authority.remove(&entity);
        self.early.remove(&entity);
        self.writing.despawn(entity);
        self.world.despawn(entity);
    }

    fn missed(&mut self, slot: usize) {
        if self.writing.at(slot).is_none() {
            self.world.missed(slot);
        }
    }

    fn insert_resource<R: ResourceOf<P>>(&mut self, value: R, tick: u32) {
        self.world.insert_resource(value, tick);
    }

    fn resource_mut<R: ResourceOf<P>>(&mut self) -> Option<&mut R> {
        self.world.resource_mut()
    }

    fn updated_resource<R: ResourceOf<P>>(&mut self, tick: u32) {
        self.world.updated_resource::<R>(tick);
    }

    fn remove_resource<R: ResourceOf<P>>(&mut self) {
        self.world.remove_resource::<R>();
    }
}

/// The embedded world, and the events that tell of it.
pub(super) struct Embedded<'a, P: Protocol> {
    pub(super) world: &'a mut World<P>,
    pub(super) events: &'a mut VecDeque<EntityEvent<P>>,
    pub(super) stale: &'a mut BTreeSet<NetEntity>,
    pub(super) stale_resources: &'a mut Vec<bool>,
}

impl<P: Protocol> WorldSink<P> for Embedded<'_, P> {
    fn spawn(&mut self, entity: NetEntity) {
        // What an old session has left in its place goes.
        if let Some(before) = self.world.at(entity.slot())
            && (before != entity || self.stale.contains(&before))
        {
            self.stale.remove(&before);
            self.despawn(before);
        }
        if !self.world.contains(entity) {
            self.world.begin(entity);
            self.events.push_back(EntityEvent::SpawnEntity(entity));
        }
    }

    fn spawned(&mut self, _: NetEntity) {}

    fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C, tick: u32) {
        let kind = C::KIND;
        self.events.push_back(match self.world.column_mut::<C>().place(entity.slot(), value) {
            Some(_) => EntityEvent::UpdateComponent { entity, kind, tick },
            None => EntityEvent::InsertComponent { entity, kind },
        });
    }

    #[inline]
    fn component_mut<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<&mut C> {
        self.world.column_mut::<C>().raw_mut(entity.slot())
    }

    #[inline]
    fn updated<C: ComponentOf<P>>(&mut self, entity: NetEntity, tick: u32) {
        self.events.push_back(EntityEvent::UpdateComponent { entity, kind: C::KIND, tick });
    }

    fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) {
        if let Some(component) = self.world.remove::<C>(entity) {
            self.events.push_back(EntityEvent::RemoveComponent { entity, component: component.into() });
        }
    }

    fn despawn(&mut self, entity: NetEntity) {
        if self.world.contains(entity) {
            self.world.end(entity);
            self.events.push_back(EntityEvent::DespawnEntity(entity));
        }
    }

    fn missed(&mut self, slot: usize) {
        // It was this client's own once, and came to be the server's: it was never shown, and goes all the same.
        if let Some(entity) = self.world.at(slot).filter(|entity| !self.stale.contains(entity)) {
            self.despawn(entity);
        }
    }

    fn insert_resource<R: ResourceOf<P>>(&mut self, value: R, tick: u32) {
        if let Some(is_stale) = self.stale_resources.get_mut(R::TAG.index()) {
            *is_stale = false;
        }
        let kind = R::KIND;
        self.events.push_back(match self.world.place_mut::<R>().value.replace(value) {
            Some(_) => EntityEvent::UpdateResource { kind, tick },
            None => EntityEvent::InsertResource(kind),
        });
    }

    fn resource_mut<R: ResourceOf<P>>(&mut self) -> Option<&mut R> {
        self.world.place_mut::<R>().value.as_mut()
    }

    fn updated_resource<R: ResourceOf<P>>(&mut self, tick: u32) {
        self.events.push_back(EntityEvent::UpdateResource { kind: R::KIND, tick });
    }

    fn remove_resource<R: ResourceOf<P>>(&mut self) {
        if let Some(resource) = self.world.place_mut::<R>().value.take() {
            self.events.push_back(EntityEvent::RemoveResource(resource.into()));
        }
    }
}

/// Takes the resource at `index` of the protocol away, with its event.
pub(super) fn remove_resource<P: Protocol>(
    index: usize,
    world: &mut World<P>,
    events: &mut VecDeque<EntityEvent<P>>,
) {
    P::with_item(P::SCHEMA.components.len() + index, RemoveResource { world, events });
}

struct RemoveResource<'a, P: Protocol> {
    world: &'a mut World<P>,
    events: &'a mut VecDeque<EntityEvent<P>>,
}

impl<P: Protocol> ItemVisitor<P> for RemoveResource<'_, P> {
    type Output = ();

    fn component<C: ComponentOf<P>>(self) {}

    fn resource<R: ResourceOf<P>>(self) {
        if let Some(resource) = self.world.place_mut::<R>().value.take() {
            self.events.push_back(EntityEvent::RemoveResource(resource.into()));
        }
    }
}
