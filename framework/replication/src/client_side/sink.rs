use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bowline_core::protocol::ItemVisitor;
use bowline_core::{ComponentOf, NetEntity, Protocol, ResourceOf};

use crate::authority::Authority;
use crate::control::Standing;
use crate::entities::Entities;
use crate::event::EntityEvent;
use crate::sink::WorldSink;
use crate::world::World;

/// The client's world, as far as the server's word counts there: not for components that this client writes to itself.
pub(super) struct ClientSink<'a, P: Protocol> {
    pub(super) world: &'a mut World<P>,
    pub(super) events: &'a mut VecDeque<EntityEvent<P>>,
    pub(super) writing: &'a mut Entities,
    pub(super) authority: &'a mut BTreeMap<NetEntity, Authority>,
    pub(super) early: &'a mut BTreeMap<NetEntity, Standing>,
    pub(super) come: &'a mut Vec<NetEntity>,
    pub(super) stale: &'a mut BTreeSet<NetEntity>,
}

impl<P: Protocol> ClientSink<'_, P> {
    /// Whether this client has written to a component, of an entity that it may write to: then its own word counts.
    fn is_written_here<C: ComponentOf<P>>(&self, entity: NetEntity) -> bool {
        self.writing.has_kind(entity, C::TAG.index() as u16)
    }
}

impl<P: Protocol> WorldSink<P> for ClientSink<'_, P> {
    fn spawn(&mut self, entity: NetEntity) {
        // What an old session has left in its place goes.
        if let Some(before) = self.world.at(entity.slot())
            && (before != entity || self.stale.contains(&before))
        {
            self.stale.remove(&before);
            self.world.end(before);
            self.events.push_back(EntityEvent::DespawnEntity(before));
        }
        if !self.world.contains(entity) {
            self.world.begin(entity);
            self.events.push_back(EntityEvent::SpawnEntity(entity));
        }
    }

    fn spawned(&mut self, entity: NetEntity) {
        if self.early.contains_key(&entity) {
            self.come.push(entity);
        }
    }

    fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C, tick: u32) {
        if self.is_written_here::<C>(entity) {
            return;
        }
        let kind = C::KIND;
        self.events.push_back(match self.world.column_mut::<C>().place(entity.slot(), value) {
            Some(_) => EntityEvent::UpdateComponent { entity, kind, tick },
            None => EntityEvent::InsertComponent { entity, kind },
        });
    }

    #[inline]
    fn component_mut<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<&mut C> {
        if self.writing.len() > 0 && self.is_written_here::<C>(entity) {
            return None;
        }
        self.world.column_mut::<C>().raw_mut(entity.slot())
    }

    #[inline]
    fn updated<C: ComponentOf<P>>(&mut self, entity: NetEntity, tick: u32) {
        self.events.push_back(EntityEvent::UpdateComponent { entity, kind: C::KIND, tick });
    }

    fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) {
        self.writing.reshape(entity, C::TAG.index() as u16, false);
        if let Some(component) = self.world.remove::<C>(entity) {
            self.events.push_back(EntityEvent::RemoveComponent { entity, component: component.into() });
        }
    }

    fn despawn(&mut self, entity: NetEntity) {
        self.authority.remove(&entity);
        self.early.remove(&entity);
        self.writing.despawn(entity);
        if self.world.contains(entity) {
            self.world.end(entity);
            self.events.push_back(EntityEvent::DespawnEntity(entity));
        }
    }

    fn insert_resource<R: ResourceOf<P>>(&mut self, value: R, tick: u32) {
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

/// Takes all resources away, each with its event.
pub(super) fn remove_resources<P: Protocol>(world: &mut World<P>, events: &mut VecDeque<EntityEvent<P>>) {
    let components = P::SCHEMA.components.len();
    for kind in components..components + P::SCHEMA.resources.len() {
        P::with_item(kind, RemoveResource { world, events });
    }
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
