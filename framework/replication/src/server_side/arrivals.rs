//! What clients write: taken in where they may, dropped and counted where not.

use std::collections::{BTreeMap, VecDeque};

use bowline_core::{BitReader, BitWriter, ComponentOf, NetEntity, Protocol, ResourceOf};

use super::lending::{Lent, Ownership};
use super::rules::{Rules, WriteRule};
use super::{ServerSide, User};
use crate::authority::Holder;
use crate::control::{FromClient, FromServer};
use crate::entities::Entities;
use crate::event::EntityEvent;
use crate::inbox::Origin;
use crate::sink::WorldSink;
use crate::world::World;

impl<P: Protocol> ServerSide<P> {
    /// What clients may write to a component from now on; whatever they like where nothing was said. It takes the place of a
    /// rule that was there.
    pub fn set_write_rule<C: ComponentOf<P>>(&mut self, rule: WriteRule<C>) {
        *C::of_mut(&mut self.rules) = rule;
    }

    /// Takes in what a packet of a user says of its entities.
    pub fn take_in_state(&mut self, user: usize, bytes: &[u8], packet: u64, tick: u32) {
        let origin = Origin { packet, tick };
        self.with_arrivals(user, |state, sink| state.inbox.take_in(bytes, origin, sink).is_ok());
    }

    /// Takes in what a user says reliably.
    pub fn take_in_control(&mut self, user: usize, bytes: &[u8]) {
        match FromClient::decode(bytes) {
            Ok(FromClient::State(state)) => {
                let origin = Origin { packet: state.packet, tick: state.tick };
                let (slot, id) = (state.slot, state.id);
                let bytes = state.bytes;
                self.with_arrivals(user, |state, sink| {
                    state.inbox.take_in_bulky(slot, &bytes, origin, sink).is_ok()
                });
                self.say(user, &FromServer::StateTaken { slot, id });
            }
            Ok(FromClient::StateTaken { slot, id }) => {
                let Self { users, entities, .. } = self;
                if let Some(user) = users.get_mut(user).and_then(Option::as_mut) {
                    user.peer.bulky_arrived(entities, slot as usize, id);
                }
            }
            Ok(FromClient::Request(entity)) => self.requested(user, entity),
            Ok(FromClient::Release(entity)) => self.released(user, entity),
            Err(_) => self.user_mut(user).into_iter().for_each(|user| user.refused += 1),
        }
    }

    fn with_arrivals(
        &mut self,
        user: usize,
        take_in: impl FnOnce(&mut User<P>, &mut Arrivals<'_, P>) -> bool,
    ) {
        let Some(mut state) = self.users.get_mut(user).and_then(Option::take) else { return };
        let mut sink = Arrivals {
            user,
            world: &mut self.world,
            entities: &mut self.entities,
            ownership: &mut self.ownership,
            rules: &self.rules,
            events: &mut self.events,
            reserved: std::mem::take(&mut state.reserved),
            spawned: Vec::new(),
            despawned: Vec::new(),
            missed: Vec::new(),
            refused: 0,
        };
        sink.entities.set_source(Some(user));
        let made_sense = take_in(&mut state, &mut sink);
        sink.entities.set_source(None);
        let Arrivals { reserved, spawned, despawned, missed, refused, .. } = sink;
        state.refused += refused + u64::from(!made_sense);
        state.reserved = reserved;
        for entity in spawned {
            // Its own client has it already.
            state.peer.scope_mut().set_override(entity.slot(), Some(crate::peer::Override::Exclude));
        }
        if let Some(place) = self.users.get_mut(user) {
            *place = Some(state);
        }
        for entity in missed {
            self.say(user, &FromServer::Reserved(entity));
        }
        for entity in despawned {
            // It knows that already.
            self.ownership.remove(&(entity.slot() as u32));
            self.despawn(entity);
            self.events.push_back((user, EntityEvent::DespawnEntity(entity)));
            self.reserve(user);
        }
    }
}

/// The world, as far as a client may write to it.
struct Arrivals<'a, P: Protocol> {
    user: usize,
    world: &'a mut World<P>,
    entities: &'a mut Entities,
    ownership: &'a mut BTreeMap<u32, Ownership>,
    rules: &'a P::Components<Rules>,
    events: &'a mut VecDeque<(usize, EntityEvent<P>)>,
    reserved: Vec<NetEntity>,
    spawned: Vec<NetEntity>,
    despawned: Vec<NetEntity>,
    missed: Vec<NetEntity>,
    refused: u64,
}

/// What a client may do to an entity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Nothing,
    /// Other values for the components that it has.
    Values,
    /// Whatever it likes: it is its own.
    All,
}

impl<P: Protocol> Arrivals<'_, P> {
    fn right(&self, entity: NetEntity) -> Right {
        if !self.entities.is_alive(entity) {
            return Right::Nothing;
        }
        match self.ownership.get(&(entity.slot() as u32)) {
            Some(Ownership::Client(owner)) if *owner == self.user => Right::All,
            Some(Ownership::Delegated(Lent { holder: Holder::User(user), .. })) if *user == self.user => {
                Right::Values
            }
            _ => Right::Nothing,
        }
    }

    fn allows<C: ComponentOf<P>>(&self, entity: NetEntity, value: &C) -> bool {
        match C::of(self.rules) {
            WriteRule::Always => true,
            WriteRule::Never => false,
            WriteRule::If(allows) => allows(self.user, entity, value),
        }
    }

    fn tell(&mut self, event: EntityEvent<P>) {
        self.events.push_back((self.user, event));
    }

    /// Puts a component back to what was last taken in.
    fn restore<C: ComponentOf<P>>(&mut self, entity: NetEntity) {
        let Some(record) = self.entities.get(entity) else { return };
        let Some(part) = self.entities.shape(record).part(C::TAG.index() as u16) else { return };
        let mut bits = BitWriter::new();
        let cells =
            self.entities.cells_of(record).iter().skip(part.first as usize).take(part.fields as usize);
        cells.for_each(|cell| self.entities.cells.write(cell, &mut bits));
        let mut reader = BitReader::new(bits.finish());
        if let Some(value) = self.world.column_mut::<C>().raw_mut(entity.slot()) {
            // It was encoded by this side, from a value.
            for field in 0..C::FIELDS {
                if value.decode_field(field, &mut reader).is_err() {
                    return;
                }
            }
        }
    }
}

impl<P: Protocol> WorldSink<P> for Arrivals<'_, P> {
    fn spawn(&mut self, entity: NetEntity) {
        if self.right(entity) != Right::Nothing {
            return;
        }
        let reserved = self.reserved.iter().position(|reserved| *reserved == entity);
        match reserved {
            Some(at) if self.entities.activate(entity) => {
                self.reserved.swap_remove(at);
                self.world.begin(entity);
                self.ownership.insert(entity.slot() as u32, Ownership::Client(self.user));
                self.spawned.push(entity);
                self.tell(EntityEvent::SpawnEntity(entity));
            }
            _ => self.refused += 1,
        }
    }

    fn spawned(&mut self, _: NetEntity) {}

    fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C, tick: u32) {
        let has_one = self.world.has::<C>(entity);
        let is_allowed = match self.right(entity) {
            Right::Nothing => false,
            Right::Values => has_one,
            Right::All => true,
        };
        if !is_allowed || !self.allows(entity, &value) {
            self.refused += 1;
            return;
        }
        // It has come over the wire, so it can go over it.
        let taken = self.entities.write(entity, C::TAG.index() as u16, &value);
        debug_assert!(taken.is_ok(), "what was decoded can be encoded");
        self.world.column_mut::<C>().place(entity.slot(), value);
        let kind = C::KIND;
        self.tell(match has_one {
            true => EntityEvent::UpdateComponent { entity, kind, tick },
            false => EntityEvent::InsertComponent { entity, kind },
        });
    }

    fn component_mut<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<&mut C> {
        let may_write =
            self.right(entity) != Right::Nothing && !matches!(C::of(self.rules), WriteRule::Never);
        if !may_write {
            self.refused += 1;
            return None;
        }
        self.world.column_mut::<C>().raw_mut(entity.slot())
    }

    fn updated<C: ComponentOf<P>>(&mut self, entity: NetEntity, tick: u32) {
        let is_allowed = self.world.component::<C>(entity).is_some_and(|value| self.allows(entity, value));
        if !is_allowed {
            self.refused += 1;
            self.restore::<C>(entity);
            return;
        }
        if let Some(value) = self.world.component::<C>(entity) {
            let taken = self.entities.write(entity, C::TAG.index() as u16, value);
            debug_assert!(taken.is_ok(), "what was decoded can be encoded");
        }
        self.tell(EntityEvent::UpdateComponent { entity, kind: C::KIND, tick });
    }

    fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) {
        match self.right(entity) {
            Right::All => {}
            // It writes to it no more, or somebody has taken it away.
            Right::Values => return,
            Right::Nothing => {
                self.refused += 1;
                return;
            }
        }
        self.entities.reshape(entity, C::TAG.index() as u16, false);
        if let Some(component) = self.world.remove::<C>(entity) {
            self.tell(EntityEvent::RemoveComponent { entity, component: component.into() });
        }
    }

    fn despawn(&mut self, entity: NetEntity) {
        // Of one that was lent it says that no more is written to it.
        if self.right(entity) == Right::All {
            self.despawned.push(entity);
        }
    }

    fn missed(&mut self, slot: usize) {
        // The id is still the client's to spawn with, and it does not know that.
        self.missed.extend(self.reserved.iter().find(|entity| entity.slot() == slot));
    }

    fn insert_resource<R: ResourceOf<P>>(&mut self, _: R, _: u32) {
        self.refused += 1;
    }

    fn resource_mut<R: ResourceOf<P>>(&mut self) -> Option<&mut R> {
        None
    }

    fn updated_resource<R: ResourceOf<P>>(&mut self, _: u32) {}

    fn remove_resource<R: ResourceOf<P>>(&mut self) {}
}
