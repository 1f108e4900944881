//! A world as cheap as it can be: the positions in a vector, the entity is the index. naia leaves the world to its users,
//! and should not be charged for a slow one.

use naia_shared::{
    ComponentFieldUpdate, ComponentKind, ComponentKinds, ComponentUpdate, EntityAndGlobalEntityConverter,
    GlobalWorldManagerType, LocalEntityAndGlobalEntityConverter, ReplicaDynMutWrapper, ReplicaDynRefWrapper,
    ReplicaMutTrait, ReplicaMutWrapper, ReplicaRefTrait, ReplicaRefWrapper, Replicate, ReplicatedComponent,
    SerdeErr, WorldMutType, WorldRefType,
};

use super::protocol::Position;

/// An index into the world's slots.
pub(super) type Entity = u32;

#[derive(Default)]
pub(super) struct World {
    /// `None`: no such entity. `Some(None)`: one without a position.
    slots: Vec<Option<Option<Position>>>,
    count: usize,
}

impl World {
    /// How many entities there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Every position.
    pub(super) fn positions(&mut self) -> impl Iterator<Item = &mut Position> {
        self.slots.iter_mut().flatten().flatten()
    }

    fn get(&self, entity: Entity) -> Option<&Position> {
        self.slots.get(entity as usize)?.as_ref()?.as_ref()
    }

    fn get_mut(&mut self, entity: Entity) -> Option<&mut Position> {
        self.slots.get_mut(entity as usize)?.as_mut()?.as_mut()
    }

    fn put(&mut self, entity: Entity, position: Position) {
        if let Some(Some(place)) = self.slots.get_mut(entity as usize) {
            *place = Some(position);
        }
    }

    fn take(&mut self, entity: Entity) -> Option<Position> {
        self.slots.get_mut(entity as usize)?.as_mut()?.take()
    }
}

struct Ref<'a, R>(&'a R);
struct Mut<'a, R>(&'a mut R);

impl<R: Replicate> ReplicaRefTrait<R> for Ref<'_, R> {
    fn to_ref(&self) -> &R {
        self.0
    }
}

impl<R: Replicate> ReplicaRefTrait<R> for Mut<'_, R> {
    fn to_ref(&self) -> &R {
        self.0
    }
}

impl<R: Replicate> ReplicaMutTrait<R> for Mut<'_, R> {
    fn to_mut(&mut self) -> &mut R {
        self.0
    }
}

impl WorldRefType<Entity> for &World {
    fn has_entity(&self, entity: &Entity) -> bool {
        has_entity(self, *entity)
    }

    fn entities(&self) -> Vec<Entity> {
        entities(self)
    }

    fn has_component<R: ReplicatedComponent>(&self, entity: &Entity) -> bool {
        self.get(*entity).is_some_and(|position| position.to_any().is::<R>())
    }

    fn has_component_of_kind(&self, entity: &Entity, kind: &ComponentKind) -> bool {
        self.get(*entity).is_some_and(|position| position.kind() == *kind)
    }

    fn component<'a, R: ReplicatedComponent>(&'a self, entity: &Entity) -> Option<ReplicaRefWrapper<'a, R>> {
        let position = self.get(*entity)?.to_any().downcast_ref::<R>()?;
        Some(ReplicaRefWrapper::new(Ref(position)))
    }

    fn component_of_kind<'a>(
        &'a self,
        entity: &Entity,
        _: &ComponentKind,
    ) -> Option<ReplicaDynRefWrapper<'a>> {
        self.get(*entity).map(|position| ReplicaDynRefWrapper::new(position.dyn_ref()))
    }
}

impl WorldRefType<Entity> for &mut World {
    fn has_entity(&self, entity: &Entity) -> bool {
        has_entity(self, *entity)
    }

    fn entities(&self) -> Vec<Entity> {
        entities(self)
    }

    fn has_component<R: ReplicatedComponent>(&self, entity: &Entity) -> bool {
        self.get(*entity).is_some_and(|position| position.to_any().is::<R>())
    }

    fn has_component_of_kind(&self, entity: &Entity, kind: &ComponentKind) -> bool {
        self.get(*entity).is_some_and(|position| position.kind() == *kind)
    }

    fn component<'a, R: ReplicatedComponent>(&'a self, entity: &Entity) -> Option<ReplicaRefWrapper<'a, R>> {
        let position = self.get(*entity)?.to_any().downcast_ref::<R>()?;
        Some(ReplicaRefWrapper::new(Ref(position)))
    }

    fn component_of_kind<'a>(
        &'a self,
        entity: &Entity,
        _: &ComponentKind,
    ) -> Option<ReplicaDynRefWrapper<'a>> {
        self.get(*entity).map(|position| ReplicaDynRefWrapper::new(position.dyn_ref()))
    }
}

fn has_entity(world: &World, entity: Entity) -> bool {
    world.slots.get(entity as usize).is_some_and(Option::is_some)
}

fn entities(world: &World) -> Vec<Entity> {
    (0..).zip(&world.slots).filter(|(_, slot)| slot.is_some()).map(|(entity, _)| entity).collect()
}

impl WorldMutType<Entity> for &mut World {
    fn spawn_entity(&mut self) -> Entity {
        self.slots.push(Some(None));
        self.count += 1;
        self.slots.len() as Entity - 1
    }

    fn local_duplicate_entity(&mut self, _: &Entity) -> Entity {
        not_needed()
    }

    fn local_duplicate_components(&mut self, _: &Entity, _: &Entity) {
        not_needed()
    }

    fn despawn_entity(&mut self, entity: &Entity) {
        if self.slots.get_mut(*entity as usize).and_then(Option::take).is_some() {
            self.count -= 1;
        }
    }

    fn component_kinds(&mut self, entity: &Entity) -> Vec<ComponentKind> {
        self.get(*entity).map(Replicate::kind).into_iter().collect()
    }

    fn component_mut<'a, R: ReplicatedComponent>(
        &'a mut self,
        entity: &Entity,
    ) -> Option<ReplicaMutWrapper<'a, R>> {
        let position = self.get_mut(*entity)?.to_any_mut().downcast_mut::<R>()?;
        Some(ReplicaMutWrapper::new(Mut(position)))
    }

    fn component_mut_of_kind<'a>(
        &'a mut self,
        entity: &Entity,
        _: &ComponentKind,
    ) -> Option<ReplicaDynMutWrapper<'a>> {
        self.get_mut(*entity).map(|position| ReplicaDynMutWrapper::new(position.dyn_mut()))
    }

    fn component_apply_update(
        &mut self,
        converter: &dyn LocalEntityAndGlobalEntityConverter,
        entity: &Entity,
        _: &ComponentKind,
        update: ComponentUpdate,
    ) -> Result<(), SerdeErr> {
        self.get_mut(*entity).map_or(Ok(()), |position| position.read_apply_update(converter, update))
    }

    fn component_apply_field_update(
        &mut self,
        converter: &dyn LocalEntityAndGlobalEntityConverter,
        entity: &Entity,
        _: &ComponentKind,
        update: ComponentFieldUpdate,
    ) -> Result<(), SerdeErr> {
        self.get_mut(*entity).map_or(Ok(()), |position| position.read_apply_field_update(converter, update))
    }

    fn mirror_entities(&mut self, _: &Entity, _: &Entity) {
        not_needed()
    }

    fn mirror_components(&mut self, _: &Entity, _: &Entity, _: &ComponentKind) {
        not_needed()
    }

    fn insert_component<R: ReplicatedComponent>(&mut self, entity: &Entity, component: R) {
        self.insert_boxed_component(entity, Box::new(component));
    }

    fn insert_boxed_component(&mut self, entity: &Entity, component: Box<dyn Replicate>) {
        if let Ok(position) = component.to_boxed_any().downcast::<Position>() {
            self.put(*entity, *position);
        }
    }

    fn remove_component<R: ReplicatedComponent>(&mut self, entity: &Entity) -> Option<R> {
        let boxed: Box<dyn Replicate> = Box::new(self.take(*entity)?);
        boxed.to_boxed_any().downcast::<R>().ok().map(|component| *component)
    }

    fn remove_component_of_kind(&mut self, entity: &Entity, _: &ComponentKind) -> Option<Box<dyn Replicate>> {
        self.take(*entity).map(|position| Box::new(position) as Box<dyn Replicate>)
    }

    fn entity_publish(
        &mut self,
        _: &ComponentKinds,
        _: &dyn EntityAndGlobalEntityConverter<Entity>,
        _: &dyn GlobalWorldManagerType,
        _: &Entity,
    ) {
        not_needed()
    }

    fn component_publish(
        &mut self,
        _: &ComponentKinds,
        _: &dyn EntityAndGlobalEntityConverter<Entity>,
        _: &dyn GlobalWorldManagerType,
        _: &Entity,
        _: &ComponentKind,
    ) {
        not_needed()
    }

    fn entity_unpublish(&mut self, _: &Entity) {
        not_needed()
    }

    fn component_unpublish(&mut self, _: &Entity, _: &ComponentKind) {
        not_needed()
    }

    fn entity_enable_delegation(
        &mut self,
        _: &ComponentKinds,
        _: &dyn EntityAndGlobalEntityConverter<Entity>,
        _: &dyn GlobalWorldManagerType,
        _: &Entity,
    ) {
        not_needed()
    }

    fn component_enable_delegation(
        &mut self,
        _: &ComponentKinds,
        _: &dyn EntityAndGlobalEntityConverter<Entity>,
        _: &dyn GlobalWorldManagerType,
        _: &Entity,
        _: &ComponentKind,
    ) {
        not_needed()
    }

    fn entity_disable_delegation(&mut self, _: &Entity) {
        not_needed()
    }

    fn component_disable_delegation(&mut self, _: &Entity, _: &ComponentKind) {
        not_needed()
    }
}

/// Entities of clients, and delegated ones, do not occur in the scenarios.
fn not_needed() -> ! {
    unreachable!("only the server has entities here")
}
