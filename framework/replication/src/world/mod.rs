//! The embedded world: entities, components and resources for games that have no world of their own.

mod bundle;
mod column;
mod query;

pub use bundle::Bundle;
pub use column::Mut;
pub use query::Query;

use bowline_core::protocol::ItemVisitor;
use bowline_core::{ComponentOf, Mutable, NetEntity, Protocol, ResourceOf};

use crate::changes::Changes;
use crate::paged::Paged;
use crate::sink::WorldSource;
use column::{Column, Columns, Place, Places};

/// Entities with components, and resources: what a server or a client has of them. In tests of what a game does to its world,
/// a [`ServerSide`](crate::ServerSide) without a server around it has one.
///
/// Looking is for everybody; values are changed by [`component_mut`](Self::component_mut),
/// [`for_each_mut`](Self::for_each_mut) and [`resource_mut`](Self::resource_mut). What is written to is compared with what was
/// sent before, when `send` is called next, and goes out where it is other. Entities and components come and go by the server,
/// or on a client by what arrives.
///
/// Components stand in a column for each type, by the slot of their entity; looking one up takes an index, and a walk is in the
/// order of slots.
///
/// ```
/// # use bowline_replication::World;
/// # use bowline_core::{ComponentOf, Mutable, NetEntity, Protocol};
/// fn heal<P: Protocol, Health: ComponentOf<P> + Mutable + PartialOrd>(world: &mut World<P>, full: fn() -> Health) {
///     world.for_each_mut::<Health>(|_entity, mut health| {
///         // Looking at it is no change; writing is.
///         if *health < full() {
///             *health = full();
///         }
///     });
/// }
/// ```
pub struct World<P: Protocol> {
    slots: Paged<Slot>,
    components: P::Components<Columns>,
    resources: P::Resources<Places>,
    len: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    generation: u32,
    is_alive: bool,
}

impl<P: Protocol> World<P> {
    pub(crate) fn new() -> Self {
        Self { slots: Paged::new(), components: Default::default(), resources: Default::default(), len: 0 }
    }

    /// Whether the entity is here.
    #[must_use]
    pub fn contains(&self, entity: NetEntity) -> bool {
        self.slots
            .get(entity.slot())
            .is_some_and(|slot| slot.is_alive && slot.generation == entity.generation())
    }

    /// How many entities there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entities, in the order of their slots. Resources are not among them.
    pub fn entities(&self) -> impl Iterator<Item = NetEntity> {
        let alive = self.slots.iter().filter(|(_, slot)| slot.is_alive);
        alive.map(|(index, slot)| NetEntity::new(index as u32, slot.generation))
    }

    /// A component of an entity; `None` where the entity is gone or has none.
    #[must_use]
    pub fn component<C: ComponentOf<P>>(&self, entity: NetEntity) -> Option<&C> {
        self.contains(entity).then(|| self.column::<C>().get(entity.slot())).flatten()
    }

    /// A component of an entity, to be changed: it counts as changed once it is written to. `None` where the entity is gone or
    /// has none. A component that is immutable does not compile here.
    pub fn component_mut<C: ComponentOf<P> + Mutable>(&mut self, entity: NetEntity) -> Option<Mut<'_, C>> {
        if !self.contains(entity) {
            return None;
        }
        self.column_mut::<C>().get_mut(entity.slot())
    }

    /// Whether an entity has a component.
    #[must_use]
    pub fn has<C: ComponentOf<P>>(&self, entity: NetEntity) -> bool {
        self.component::<C>(entity).is_some()
    }

    /// The entities that have all of the components of `Q`, with these, in the order of their slots. It looks at every entity.
    ///
    /// ```
    /// use bowline_core::{ComponentOf, Protocol};
    /// use bowline_replication::World;
    ///
    /// fn how_many_have_both<P: Protocol, Position: ComponentOf<P>, Health: ComponentOf<P>>(world: &World<P>) -> usize {
    ///     world.query::<(&Position, &Health)>().count()
    /// }
    /// ```
    pub fn query<'w, Q: Query<P> + 'w>(&'w self) -> impl Iterator<Item = (NetEntity, Q::Item<'w>)> {
        self.entities().filter_map(|entity| Q::fetch(self, entity.slot()).map(|item| (entity, item)))
    }

    /// Hands over every component of a type, to be changed, in the order of their entities' slots: those that are written to
    /// count as changed.
    pub fn for_each_mut<C: ComponentOf<P> + Mutable>(&mut self, mut each: impl FnMut(NetEntity, Mut<'_, C>)) {
        let Self { slots, components, .. } = self;
        C::of_mut(components).for_each_mut(|slot, value| {
            if let Some(place) = slots.get(slot) {
                each(NetEntity::new(slot as u32, place.generation), value);
            }
        });
    }

    /// A resource; `None` where there is none.
    #[must_use]
    pub fn resource<R: ResourceOf<P>>(&self) -> Option<&R> {
        R::of(&self.resources).value.as_ref()
    }

    /// A resource, to be changed: it counts as changed once it is written to. `None` where there is none.
    pub fn resource_mut<R: ResourceOf<P> + Mutable>(&mut self) -> Option<Mut<'_, R>> {
        R::of_mut(&mut self.resources).get_mut()
    }

    pub(crate) fn begin(&mut self, entity: NetEntity) {
        let slot = self.slots.get_or_add(entity.slot(), Slot::default);
        self.len += usize::from(!slot.is_alive);
        *slot = Slot { generation: entity.generation(), is_alive: true };
    }

    /// Takes an entity out with all that it has.
    pub(crate) fn end(&mut self, entity: NetEntity) {
        if !self.contains(entity) {
            return;
        }
        if let Some(slot) = self.slots.get_mut(entity.slot()) {
            slot.is_alive = false;
            self.len -= 1;
        }
        for kind in 0..P::SCHEMA.components.len() {
            P::with_item(kind, Clear { world: self, slot: entity.slot() });
        }
    }

    pub(crate) fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C) -> Option<C> {
        if !self.contains(entity) {
            return None;
        }
        self.column_mut::<C>().insert(entity.slot(), value)
    }

    pub(crate) fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<C> {
        if !self.contains(entity) {
            return None;
        }
        self.column_mut::<C>().remove(entity.slot())
    }

    pub(crate) fn column<C: ComponentOf<P>>(&self) -> &Column<C> {
        C::of(&self.components)
    }

    pub(crate) fn column_mut<C: ComponentOf<P>>(&mut self) -> &mut Column<C> {
        C::of_mut(&mut self.components)
    }

    pub(crate) fn place_mut<R: ResourceOf<P>>(&mut self) -> &mut Place<R> {
        R::of_mut(&mut self.resources)
    }

    /// All components of an entity count as written to.
    pub(crate) fn mark(&mut self, entity: NetEntity) {
        for kind in 0..P::SCHEMA.components.len() {
            P::with_item(kind, Mark { world: self, slot: entity.slot() });
        }
    }

    /// Hands over the components of one entity.
    pub(crate) fn collect_one(&mut self, entity: NetEntity, changes: &mut Changes<'_, P>) {
        if self.contains(entity) {
            for kind in 0..P::SCHEMA.components.len() {
                P::with_item(kind, CollectOne { world: self, entity, changes });
            }
        }
    }

    /// Whether an entity has a component of this kind.
    pub(crate) fn has_kind(&mut self, entity: NetEntity, kind: u16) -> bool {
        let slot = entity.slot();
        self.contains(entity) && P::with_item(usize::from(kind), Mark { world: self, slot }) == Some(true)
    }

    /// The entity that has a slot now.
    pub(crate) fn at(&self, slot: usize) -> Option<NetEntity> {
        let place = self.slots.get(slot).filter(|place| place.is_alive)?;
        Some(NetEntity::new(slot as u32, place.generation))
    }
}

impl<P: Protocol> WorldSource<P> for World<P> {
    fn collect(&mut self, changes: &mut Changes<'_, P>) {
        for kind in 0..P::SCHEMA.components.len() + P::SCHEMA.resources.len() {
            P::with_item(kind, Collect { world: self, changes });
        }
    }
}

impl<P: Protocol> std::fmt::Debug for World<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Takes what an entity has out of a column.
struct Clear<'a, P: Protocol> {
    world: &'a mut World<P>,
    slot: usize,
}

impl<P: Protocol> ItemVisitor<P> for Clear<'_, P> {
    type Output = ();

    fn component<C: ComponentOf<P>>(self) {
        self.world.column_mut::<C>().remove(self.slot);
    }

    fn resource<R: ResourceOf<P>>(self) {}
}

/// Has the value in a slot of a column count as written to; whether there is one.
struct Mark<'a, P: Protocol> {
    world: &'a mut World<P>,
    slot: usize,
}

impl<P: Protocol> ItemVisitor<P> for Mark<'_, P> {
    type Output = bool;

    fn component<C: ComponentOf<P>>(self) -> bool {
        let column = self.world.column_mut::<C>();
        let is_there = column.get(self.slot).is_some();
        if is_there {
            column.mark(self.slot);
        }
        is_there
    }

    fn resource<R: ResourceOf<P>>(self) -> bool {
        false
    }
}

/// Hands over a component of one entity.
struct CollectOne<'a, 'b, P: Protocol> {
    world: &'a World<P>,
    entity: NetEntity,
    changes: &'a mut Changes<'b, P>,
}

impl<P: Protocol> ItemVisitor<P> for CollectOne<'_, '_, P> {
    type Output = ();

    fn component<C: ComponentOf<P>>(self) {
        if let Some(value) = self.world.component::<C>(self.entity) {
            self.changes.component(self.entity, value);
        }
    }

    fn resource<R: ResourceOf<P>>(self) {}
}

/// Hands over what has changed of a component.
struct Collect<'a, 'b, P: Protocol> {
    world: &'a mut World<P>,
    changes: &'a mut Changes<'b, P>,
}

impl<P: Protocol> ItemVisitor<P> for Collect<'_, '_, P> {
    type Output = ();

    #[inline]
    fn component<C: ComponentOf<P>>(self) {
        let World { slots, components, .. } = self.world;
        C::of_mut(components).drain_changes(|slot, value| {
            if let (Some(place), Some(value)) = (slots.get(slot), value) {
                self.changes.component(NetEntity::new(slot as u32, place.generation), value);
            }
        });
    }

    fn resource<R: ResourceOf<P>>(self) {
        let place = self.world.place_mut::<R>();
        if std::mem::take(&mut place.has_changed)
            && let Some(value) = &place.value
        {
            self.changes.resource(value);
        }
    }
}
