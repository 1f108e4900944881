//! The server's half: a world that many see, each as far as it may, and that clients write to where they may.

mod arrivals;
mod lending;
mod rooms;
mod rules;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;

use bowline_core::{BitWriter, NetEntity, Protocol, ResourceOf};

use crate::bits::BitSet;
use crate::changes::{Changes, Unencodable};
use crate::control::{BulkyState, FromServer};
use crate::entities::{Entities, Mode};
use crate::event::EntityEvent;
use crate::inbox::Inbox;
use crate::limits::{MAX_CONTROL, MAX_ENTITIES, REBASE_AT};
use crate::peer::{Bulky, Fate, Load, Override, Peer, Plan};
use crate::sink::WorldSource;
use crate::world::{Bundle, World};
pub use lending::Approval;
use lending::Ownership;
use rules::Rules;
pub use rules::WriteRule;

/// The server's half of replication. Users and rooms are known by their slots.
///
/// * **Act:** whatever changes the world, who sees it and who may write to it.
/// * **Feed:** [`take_in_state`](Self::take_in_state), [`take_in_control`](Self::take_in_control), [`decided`](Self::decided).
/// * **Drain:** [`collect`](Self::collect) once a send, then [`load`](Self::load) for each user, then
///   [`next_control`](Self::next_control).
/// * **Look:** [`world`](Self::world), [`next_event`](Self::next_event).
pub struct ServerSide<P: Protocol> {
    world: World<P>,
    entities: Entities,
    /// Those that all see: resources.
    always: BitSet,
    resources: Vec<Option<NetEntity>>,
    rooms: Vec<BitSet>,
    users: Vec<Option<User<P>>>,
    plan: Plan,
    bulky: Vec<Bulky>,
    events: VecDeque<(usize, EntityEvent<P>)>,
    asked: VecDeque<(usize, NetEntity)>,
    failures: VecDeque<Unencodable>,
    ownership: BTreeMap<u32, Ownership>,
    rules: P::Components<Rules>,
    kinds: Vec<u16>,
    /// How many entities a client may own.
    client_entities: usize,
}

/// What is kept for a user.
struct User<P> {
    peer: Peer,
    inbox: Inbox<P>,
    /// What it wrote without being allowed to, and records that made no sense.
    refused: u64,
    /// What it is to be told reliably.
    control: VecDeque<Vec<u8>>,
    /// Ids that it may spawn entities with.
    reserved: Vec<NetEntity>,
    /// What was its own, until it says that it knows.
    former: BTreeSet<NetEntity>,
}

/// There are as many entities as there may be: [`MAX_ENTITIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {MAX_ENTITIES} entities already; despawn some")]
pub struct TooManyEntities;

impl<P: Protocol> ServerSide<P> {
    /// A server's half with an empty world, whose clients may own so many entities each.
    #[must_use]
    pub fn new(client_entities: usize) -> Self {
        Self {
            world: World::new(),
            entities: Entities::new::<P>(),
            always: BitSet::new(),
            resources: vec![None; P::SCHEMA.resources.len()],
            rooms: Vec::new(),
            users: Vec::new(),
            plan: Plan::default(),
            bulky: Vec::new(),
            events: VecDeque::new(),
            asked: VecDeque::new(),
            failures: VecDeque::new(),
            ownership: BTreeMap::new(),
            rules: Default::default(),
            kinds: Vec::new(),
            client_entities,
        }
    }

    /// The embedded world.
    #[must_use]
    pub const fn world(&self) -> &World<P> {
        &self.world
    }

    /// The embedded world, to change values in it. Entities and their components come and go by the methods of this type.
    pub const fn world_mut(&mut self) -> &mut World<P> {
        &mut self.world
    }

    /// How many entities and resources are replicated.
    #[must_use]
    pub const fn entity_count(&self) -> usize {
        self.entities.len()
    }

    /// Whether an entity is replicated.
    #[must_use]
    pub fn contains(&self, entity: NetEntity) -> bool {
        self.entities.is_alive(entity)
    }

    /// A user has come. It sees resources, and nothing else yet.
    pub fn connect(&mut self, user: usize) {
        self.disconnect(user);
        if self.users.len() <= user {
            self.users.resize_with(user + 1, || None);
        }
        let mut peer = Peer::new();
        peer.scope_mut().look_again();
        let state = User {
            peer,
            inbox: Inbox::of_client(),
            refused: 0,
            control: VecDeque::new(),
            reserved: Vec::new(),
            former: BTreeSet::new(),
        };
        if let Some(place) = self.users.get_mut(user) {
            *place = Some(state);
        }
        for _ in 0..self.client_entities {
            self.reserve(user);
        }
    }

    /// A user is gone, and all that belongs to it: what it sees, what it owns, what it may write.
    pub fn disconnect(&mut self, user: usize) {
        let Some(state) = self.users.get_mut(user).and_then(Option::take) else { return };
        for entity in state.reserved {
            self.entities.give_back(entity);
        }
        state.peer.close(&mut self.entities);
        self.entities.forget_source(user);
        self.asked.retain(|(from, _)| *from != user);
        self.events.retain(|(from, _)| *from != user);
        self.left_all(user);
    }

    /// A new entity with components. Nobody sees it before it is in a room, or shown to somebody.
    ///
    /// # Errors
    /// Where there are [`MAX_ENTITIES`] already.
    pub fn spawn<B: Bundle<P>>(&mut self, components: B) -> Result<NetEntity, TooManyEntities> {
        self.kinds.clear();
        B::kinds(&mut self.kinds);
        self.kinds.sort_unstable();
        self.kinds.dedup();
        let entity = self.entities.spawn(&self.kinds).ok_or(TooManyEntities)?;
        self.world.begin(entity);
        components.insert_into(&mut self.world, entity);
        Ok(entity)
    }

    /// A new entity whose components are in a world of the caller's own: [`collect_from`](Self::collect_from) takes them in.
    ///
    /// # Errors
    /// Where there are [`MAX_ENTITIES`] already.
    pub fn spawn_elsewhere(&mut self) -> Result<NetEntity, TooManyEntities> {
        self.entities.spawn(&[]).ok_or(TooManyEntities)
    }

    /// An entity whose components were elsewhere has them in the embedded world from now on; [`insert`](Self::insert) them.
    /// Clients can write to it there. `false` where it is gone, or is there already.
    pub fn embed(&mut self, entity: NetEntity) -> bool {
        let is_news = self.entities.is_alive(entity) && !self.world.contains(entity);
        if is_news {
            self.world.begin(entity);
        }
        is_news
    }

    /// An entity is gone; `false` where it was already.
    pub fn despawn(&mut self, entity: NetEntity) -> bool {
        self.world.end(entity);
        if let Some(owner) = self.owner(entity) {
            self.say(owner, &FromServer::Gone(entity));
            self.reserve(owner);
        }
        for user in 0..self.users.len() {
            if self.user_mut(user).is_some_and(|user| user.former.remove(&entity)) {
                self.say(user, &FromServer::Gone(entity));
            }
        }
        self.ownership.remove(&(entity.slot() as u32));
        for room in &mut self.rooms {
            room.remove(entity.slot());
        }
        self.entities.despawn(entity)
    }

    /// Gives an entity a component, or another value of it; the old value comes back. `false` in the second place where the
    /// entity is gone.
    pub fn insert<C: bowline_core::ComponentOf<P>>(
        &mut self,
        entity: NetEntity,
        value: C,
    ) -> (Option<C>, bool) {
        let is_there = self.world.contains(entity);
        if !self.entities.is_paused(entity) {
            self.entities.reshape(entity, C::TAG.index() as u16, true);
        }
        (self.world.insert(entity, value), is_there)
    }

    /// Takes a component away.
    pub fn remove<C: bowline_core::ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<C> {
        if !self.entities.is_paused(entity) {
            self.entities.reshape(entity, C::TAG.index() as u16, false);
        }
        self.world.remove(entity)
    }

    /// Puts a resource in the place of what was there. All users see it.
    ///
    /// # Errors
    /// Where there are [`MAX_ENTITIES`] already; the resource is then not replicated.
    pub fn insert_resource<R: ResourceOf<P>>(&mut self, value: R) -> Result<Option<R>, TooManyEntities> {
        let place = self.world.place_mut::<R>();
        place.has_changed = true;
        let before = place.value.replace(value);
        self.insert_resource_elsewhere::<R>()?;
        Ok(before)
    }

    /// There is a resource in a world of the caller's own: [`collect_from`](Self::collect_from) takes it in. All users see it.
    ///
    /// # Errors
    /// Where there are [`MAX_ENTITIES`] already.
    pub fn insert_resource_elsewhere<R: ResourceOf<P>>(&mut self) -> Result<(), TooManyEntities> {
        let Some(entity) = self.resources.get_mut(R::TAG.index()) else { return Ok(()) };
        if entity.is_none() {
            let kind = (P::SCHEMA.components.len() + R::TAG.index()) as u16;
            let new = self.entities.spawn(&[kind]).ok_or(TooManyEntities)?;
            *entity = Some(new);
            self.always.insert(new.slot());
            self.all_look_again();
        }
        Ok(())
    }

    /// Takes a resource away, from all users too, wherever its value was.
    pub fn remove_resource<R: ResourceOf<P>>(&mut self) -> Option<R> {
        if let Some(entity) = self.resources.get_mut(R::TAG.index()).and_then(Option::take) {
            self.always.remove(entity.slot());
            self.entities.despawn(entity);
        }
        self.world.place_mut::<R>().value.take()
    }

    /// What it is at the next [`collect`](Self::collect), an entity stays: later changes of its values are not taken in. Components
    /// still come and go.
    pub fn make_static(&mut self, entity: NetEntity) {
        self.entities.set_mode(entity, Mode::Static);
    }

    /// An entity stays as it is now, for all who see it or come to see it, until it is resumed: what is done to it is not taken
    /// in. A world of the caller's own hands it over before, and again after it was resumed.
    pub fn pause(&mut self, entity: NetEntity) {
        // With what was done to it before.
        let Self { entities, world, resources, failures, .. } = self;
        world.collect_one(entity, &mut Changes { entities, resources, failures, protocol: PhantomData });
        self.entities.set_mode(entity, Mode::Paused);
    }

    /// Changes of an entity are sent again, those since it was paused too.
    pub fn resume(&mut self, entity: NetEntity) {
        if !self.entities.is_paused(entity) {
            return;
        }
        self.entities.set_mode(entity, Mode::Live);
        if self.world.contains(entity) {
            let kinds: Vec<u16> = self.entities.kinds_of(entity).collect();
            for kind in kinds {
                if !self.world.has_kind(entity, kind) {
                    self.entities.reshape(entity, kind, false);
                }
            }
            self.world.mark(entity);
        }
    }

    /// What becomes of an entity on clients that do not see it any more: it stays as it was then, or it goes.
    pub fn set_persists(&mut self, entity: NetEntity, persists: bool) {
        if let Some(record) = self.entities.get_mut(entity) {
            record.persists = persists;
        }
    }

    /// How soon changes of an entity go out where not all fit, next to others. 1 where nothing was said; 0 or less: not at all.
    /// What is no number counts as 1.
    pub fn set_gain(&mut self, entity: NetEntity, gain: f32) {
        if let Some(record) = self.entities.get_mut(entity) {
            record.gain = if gain.is_finite() { gain.max(0.0) } else { 1.0 };
        }
        self.users.iter_mut().flatten().for_each(|user| user.peer.look_for_debts());
    }

    /// The same for one user, in the place of the entity's own gain; `None` as it is for all. It is forgotten with the entity.
    pub fn set_user_gain(&mut self, user: usize, entity: NetEntity, gain: Option<f32>) {
        let gain = gain.filter(|gain| gain.is_finite()).map(|gain| gain.max(0.0));
        if self.entities.is_alive(entity)
            && let Some(user) = self.user_mut(user)
        {
            user.peer.set_gain(entity.slot(), gain);
        }
    }

    /// What a user is told of an entity next counts so many times as urgent, until it has gone out once.
    pub fn boost_once(&mut self, user: usize, entity: NetEntity, times: f32) {
        if self.entities.is_alive(entity)
            && times.is_finite()
            && let Some(user) = self.user_mut(user)
        {
            user.peer.boost_once(entity.slot(), times.max(0.0));
        }
    }

    /// Shows an entity to a user, or hides it, whatever rooms say; `None` as rooms say.
    pub fn set_scope(&mut self, user: usize, entity: NetEntity, scope: Option<bool>) {
        // Its owner has it, whatever anybody says.
        if !self.entities.is_alive(entity) || self.owner(entity) == Some(user) {
            return;
        }
        let over = scope.map(|is_in| if is_in { Override::Include } else { Override::Exclude });
        if let Some(user) = self.user_mut(user) {
            user.peer.scope_mut().set_override(entity.slot(), over);
        }
    }

    /// Whether a user has an entity for certain: it has been told, and has said so.
    #[must_use]
    pub fn has(&self, user: usize, entity: NetEntity) -> bool {
        let user = self.users.get(user).and_then(Option::as_ref);
        self.entities.is_alive(entity) && user.is_some_and(|user| user.peer.has(entity.slot()))
    }

    /// Takes the changes of the embedded world in, and sees who has come to see what. Once before the packets of a send.
    pub fn collect(&mut self) {
        let Self { entities, world, resources, failures, .. } = self;
        let protocol = PhantomData;
        world.collect(&mut Changes { entities, resources, failures, protocol });
        self.distribute();
    }

    /// The same with the changes of another world besides.
    pub fn collect_from(&mut self, source: &mut impl WorldSource<P>) {
        let Self { entities, world, resources, failures, .. } = self;
        let mut changes = Changes { entities, resources, failures, protocol: PhantomData };
        world.collect(&mut changes);
        source.collect(&mut changes);
        self.distribute();
    }

    fn distribute(&mut self) {
        if self.users.iter().flatten().any(|user| user.peer.scope().is_stale()) {
            // What a user comes to see or not to see is told from what it was told before by its epoch.
            self.entities.mark_dirty();
        }
        if !self.entities.close_epoch() {
            return;
        }
        if self.entities.epoch() >= REBASE_AT {
            self.rebase(REBASE_AT / 2);
        }
        let departed = self.entities.take_departed();
        for (index, user) in self.users.iter_mut().enumerate() {
            let Some(user) = user else { continue };
            for slot in &departed {
                user.peer.depart(&mut self.entities, *slot as usize);
            }
            user.peer.follow_scope(&mut self.entities, &self.rooms, &self.always);
            for changes in self.entities.changes_for(index) {
                user.peer.owe(changes);
            }
            // Who comes to see what can be lent is told how that stands.
            for slot in user.peer.take_entered() {
                if let (Some(Ownership::Delegated(lent)), Some(entity)) =
                    (self.ownership.get(&slot), self.entities.at(slot as usize))
                {
                    let standing = FromServer::Authority(entity, lent.holder.standing(index));
                    user.control.push_back(encode(&standing));
                }
            }
        }
        self.entities.forget_changes();
        self.entities.departed_are_known(departed);
        self.lend_no_more_to_who_left();
    }

    /// Whether [`load`](Self::load) may have anything for a user.
    #[must_use]
    pub fn owes(&self, user: usize) -> bool {
        self.users.get(user).and_then(Option::as_ref).is_some_and(|user| user.peer.has_debts())
    }

    /// Whether there is anything to be sent to a user.
    #[must_use]
    pub fn has_news_for(&self, user: usize) -> bool {
        let user = self.users.get(user).and_then(Option::as_ref);
        user.is_some_and(|user| user.peer.has_debts() || !user.control.is_empty())
    }

    /// What a user is owed, to be put into packets: as far as it fits into `budget` bytes, in packets with room for
    /// `packet_bits` bits. Then [`finish`](Self::finish).
    pub fn load(&mut self, user: usize, budget: usize, packet_bits: usize) -> Option<Load<'_>> {
        let peer = &mut self.users.get_mut(user)?.as_mut()?.peer;
        peer.has_debts()
            .then(|| Load::new(peer, &self.entities, &mut self.plan, budget, packet_bits, &mut self.bulky))
    }

    /// The packets of a user are made, in tick `tick`. What is larger than a packet goes in a message of at most
    /// `max_message_size` bytes.
    pub fn finish(&mut self, user: usize, tick: u32, max_message_size: usize) {
        for Bulky { slot, id, packet, bytes } in self.bulky.drain(..) {
            let state = encode(&FromServer::State(BulkyState { slot, id, packet, tick, bytes }));
            let Some(Some(user)) = self.users.get_mut(user) else { continue };
            if state.len() <= max_message_size {
                user.control.push_back(state);
            } else if let Some(entity) = self.entities.at(slot as usize) {
                user.peer.bulky_failed(slot);
                self.failures.push_back(Unencodable::too_large(entity, state.len(), max_message_size));
            }
        }
    }

    /// A packet to a user has arrived, or was given up.
    pub fn decided(&mut self, user: usize, packet: u64, has_arrived: bool) {
        let fate = if has_arrived { Fate::Arrived } else { Fate::Lost };
        if let Some(user) = self.users.get_mut(user).and_then(Option::as_mut) {
            user.peer.decided(&mut self.entities, packet, fate);
        }
    }

    /// What is to be sent to a user reliably, and in order. It stays the first until [`control_is_sent`](Self::control_is_sent).
    #[must_use]
    pub fn next_control(&self, user: usize) -> Option<&[u8]> {
        self.users.get(user)?.as_ref()?.control.front().map(Vec::as_slice)
    }

    /// The first of what is to be sent to a user was queued, or never can be.
    pub fn control_is_sent(&mut self, user: usize) {
        if let Some(user) = self.user_mut(user) {
            user.control.pop_front();
        }
    }

    /// What users have done to entities.
    pub fn next_event(&mut self) -> Option<(usize, EntityEvent<P>)> {
        self.events.pop_front()
    }

    /// A user that asks for authority over an entity.
    pub fn next_asked(&mut self) -> Option<(usize, NetEntity)> {
        self.asked.pop_front()
    }

    /// A value that cannot travel.
    pub fn next_failure(&mut self) -> Option<Unencodable> {
        self.failures.pop_front()
    }

    /// How much a user wrote that it was not allowed to, or that made no sense.
    #[must_use]
    pub fn refused(&self, user: usize) -> u64 {
        self.users.get(user).and_then(Option::as_ref).map_or(0, |user| user.refused)
    }

    fn user_mut(&mut self, user: usize) -> Option<&mut User<P>> {
        self.users.get_mut(user)?.as_mut()
    }

    fn all_look_again(&mut self) {
        self.users.iter_mut().flatten().for_each(|user| user.peer.scope_mut().look_again());
    }

    fn say(&mut self, user: usize, message: &FromServer) {
        if let Some(user) = self.user_mut(user) {
            user.control.push_back(encode(message));
        }
    }

    /// Whether a user has more to be told than it ever listens to: it says much and acknowledges nothing.
    #[must_use]
    pub fn is_overrun(&self, user: usize) -> bool {
        self.users
            .get(user)
            .and_then(Option::as_ref)
            .is_some_and(|user| user.control.len() > MAX_CONTROL + self.entities.len())
    }

    fn rebase(&mut self, by: u32) {
        self.entities.rebase(by);
        self.users.iter_mut().flatten().for_each(|user| user.peer.rebase(by));
    }

    /// As if so many changes had been sent already: for tests of what happens when they can be counted no further.
    #[doc(hidden)]
    pub const fn start_at_epoch(&mut self, epoch: u32) {
        self.entities.start_at(epoch);
    }
}

impl<P: Protocol> std::fmt::Debug for ServerSide<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSide").field("entities", &self.entities.len()).finish_non_exhaustive()
    }
}

fn encode(message: &FromServer) -> Vec<u8> {
    let mut writer = BitWriter::new();
    message.encode(&mut writer);
    writer.into_bytes()
}
