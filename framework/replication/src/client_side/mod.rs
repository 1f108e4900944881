//! A client's half: what the server shows, and what this client writes itself.

mod sink;
mod writing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bowline_core::{BitWriter, NetEntity, Protocol};

use crate::authority::Authority;
use crate::bits::BitSet;
use crate::changes::Unencodable;
use crate::control::{BulkyState, FromClient, FromServer, Standing};
use crate::entities::Entities;
use crate::event::EntityEvent;
use crate::inbox::{Inbox, Origin};
use crate::peer::{Bulky, Fate, Load, Peer, Plan};
use crate::world::World;
use sink::ClientSink;
pub use writing::NoEntityId;

/// What becomes of the entities and resources of an old session when a new one begins: `config.stale_entities` of a client.
/// Until then they stay as they are, whatever this says.
///
/// ```
/// use bowline_core::Protocol;
/// use bowline_replication::{ClientSide, StaleEntities};
///
/// assert_eq!(StaleEntities::default(), StaleEntities::Despawn);
///
/// /// With `Keep`: once the game has seen what has come again.
/// fn clear_up<P: Protocol>(entities: &mut ClientSide<P>) {
///     println!("{} did not come again", entities.stale_entities().count());
///     entities.despawn_stale();
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaleEntities {
    /// They go, each with its event, before anything of the new session comes. Nothing can be there twice.
    #[default]
    Despawn,
    /// They stay as they are, and the game says when they [go](ClientSide::despawn_stale). One whose place an entity of the new
    /// session takes, itself come again most likely, goes then: `DespawnEntity`, and `SpawnEntity`. A resource that comes again is
    /// updated; one that does not stays.
    Keep,
}

/// A client's half of replication.
///
/// * **Act:** writing to entities of its own, or over which it has authority; asking for authority.
/// * **Feed:** [`take_in_state`](Self::take_in_state), [`take_in_control`](Self::take_in_control), [`decided`](Self::decided).
/// * **Drain:** [`collect`](Self::collect) once a send, then [`load`](Self::load), then [`next_control`](Self::next_control).
/// * **Look:** [`world`](Self::world), [`next_event`](Self::next_event).
pub struct ClientSide<P: Protocol> {
    world: World<P>,
    inbox: Inbox<P>,
    /// What this client writes to, and what the server has of that.
    writing: Entities,
    server: Peer,
    plan: Plan,
    bulky: Vec<Bulky>,
    control: VecDeque<Vec<u8>>,
    events: VecDeque<EntityEvent<P>>,
    failures: Vec<Unencodable>,
    authority: BTreeMap<NetEntity, Authority>,
    /// What the server has said of entities that have not come yet.
    early: BTreeMap<NetEntity, Standing>,
    /// Of those, the ones that have come.
    come: Vec<NetEntity>,
    /// Spawned here.
    own: BTreeSet<NetEntity>,
    /// Ids to spawn with.
    reserved: Vec<NetEntity>,
    /// To be written to as soon as their slots are free: the server has not heard yet that they were given back before.
    returning: Vec<NetEntity>,
    stale: BTreeSet<NetEntity>,
}

impl<P: Protocol> ClientSide<P> {
    /// A client's half with an empty world.
    #[must_use]
    pub fn new() -> Self {
        Self {
            world: World::new(),
            inbox: Inbox::of_server(),
            writing: Entities::new::<P>(),
            server: Peer::new(),
            plan: Plan::default(),
            bulky: Vec::new(),
            control: VecDeque::new(),
            events: VecDeque::new(),
            failures: Vec::new(),
            authority: BTreeMap::new(),
            early: BTreeMap::new(),
            come: Vec::new(),
            own: BTreeSet::new(),
            reserved: Vec::new(),
            returning: Vec::new(),
            stale: BTreeSet::new(),
        }
    }

    /// A new session begins: nothing is known of the other side's entities, and those of the old session are stale, this
    /// client's own included. Nothing that was being said to the old server is left.
    pub fn begin_session(&mut self, stale: StaleEntities) {
        self.inbox = Inbox::of_server();
        self.writing = Entities::new::<P>();
        self.server = Peer::new();
        self.bulky.clear();
        self.control.clear();
        self.authority.clear();
        self.early.clear();
        self.own.clear();
        self.reserved.clear();
        self.returning.clear();
        self.stale = self.world.entities().collect();
        match stale {
            StaleEntities::Keep => {}
            StaleEntities::Despawn => {
                self.despawn_stale();
                sink::remove_resources(&mut self.world, &mut self.events);
            }
        }
    }

    /// The entities that a session before this one has left behind, and that have not come again.
    pub fn stale_entities(&self) -> impl Iterator<Item = NetEntity> {
        self.stale.iter().copied()
    }

    /// [Those](Self::stale_entities) go, each with its event. Resources stay.
    pub fn despawn_stale(&mut self) {
        for entity in std::mem::take(&mut self.stale) {
            self.world.end(entity);
            self.events.push_back(EntityEvent::DespawnEntity(entity));
        }
    }

    /// The embedded world.
    #[must_use]
    pub const fn world(&self) -> &World<P> {
        &self.world
    }

    /// The embedded world, to change values in it: what goes out is what this client [may write
    /// to](Self::authority). Anything else stays as it was written until the server says otherwise, field by field: for
    /// predictions.
    pub const fn world_mut(&mut self) -> &mut World<P> {
        &mut self.world
    }

    /// Takes in what a packet of the server says; `packet` is its number, `tick` the server's when it sent that. `false` where it
    /// makes no sense: then it is no server of ours, and the session should end.
    #[must_use]
    pub fn take_in_state(&mut self, bytes: &[u8], packet: u64, tick: u32) -> bool {
        let (inbox, mut sink) = self.split();
        let made_sense = inbox.take_in(bytes, Origin { packet, tick }, &mut sink).is_ok();
        self.hear_what_was_early();
        made_sense
    }

    /// Takes in what the server says reliably. `false` where it makes no sense.
    #[must_use]
    pub fn take_in_control(&mut self, bytes: &[u8]) -> bool {
        match FromServer::decode(bytes) {
            Ok(FromServer::State(BulkyState { slot, epoch, packet, tick, bytes })) => {
                let (inbox, mut sink) = self.split();
                let made_sense =
                    inbox.take_in_bulky(slot, &bytes, Origin { packet, tick }, &mut sink).is_ok();
                self.hear_what_was_early();
                self.say(&FromClient::StateTaken { slot, epoch });
                made_sense
            }
            Ok(FromServer::StateTaken { slot, epoch }) => {
                self.server.bulky_arrived(&mut self.writing, slot as usize, epoch);
                true
            }
            Ok(FromServer::Reserved(entity)) => {
                self.reserved.push(entity);
                true
            }
            Ok(FromServer::Authority(entity, standing)) => {
                self.heard(entity, standing);
                true
            }
            Err(_) => false,
        }
    }

    /// What has happened next. A client that drives this asks here, and hands it on as an event of its own.
    pub fn next_event(&mut self) -> Option<EntityEvent<P>> {
        self.events.pop_front()
    }

    /// A value that this client wrote and that cannot travel. Nobody else asks here: a game whose values may be over a limit
    /// should, once in a while.
    pub fn next_failure(&mut self) -> Option<Unencodable> {
        self.failures.pop()
    }

    /// What the server is owed, to be put into packets; then [`finish`](Self::finish).
    pub fn load(&mut self, budget: usize, packet_bits: usize) -> Option<Load<'_>> {
        let Self { server, writing, plan, bulky, .. } = self;
        server.has_debts().then(|| Load::new(server, writing, plan, budget, packet_bits, bulky))
    }

    /// The packets are made, in tick `tick`.
    pub fn finish(&mut self, tick: u32) {
        for Bulky { slot, epoch, packet, bytes } in std::mem::take(&mut self.bulky) {
            self.say(&FromClient::State(BulkyState { slot, epoch, packet, tick, bytes }));
        }
    }

    /// A packet to the server has arrived, or was given up.
    pub fn decided(&mut self, packet: u64, has_arrived: bool) {
        let fate = if has_arrived { Fate::Arrived } else { Fate::Lost };
        self.server.decided(&mut self.writing, packet, fate);
    }

    /// What is to be sent reliably, and in order. It stays the first until [`control_is_sent`](Self::control_is_sent).
    #[must_use]
    pub fn next_control(&self) -> Option<&[u8]> {
        self.control.front().map(Vec::as_slice)
    }

    /// The first of what is to be sent was queued.
    pub fn control_is_sent(&mut self) {
        self.control.pop_front();
    }

    /// As if so many changes had been sent already: for tests of what happens when they can be counted no further.
    #[doc(hidden)]
    pub const fn start_at_epoch(&mut self, epoch: u32) {
        self.writing.start_at(epoch);
    }

    fn split(&mut self) -> (&mut Inbox<P>, ClientSink<'_, P>) {
        let Self { inbox, world, events, writing, authority, early, come, stale, .. } = self;
        (inbox, ClientSink { world, events, writing, authority, early, come, stale })
    }

    fn say(&mut self, message: &FromClient) {
        let mut writer = BitWriter::new();
        message.encode(&mut writer);
        self.control.push_back(writer.into_bytes());
    }

    /// What has changed in the epoch that was closed, to the server.
    fn distribute(&mut self) {
        let Self { server, writing, .. } = self;
        if server.scope().is_stale() {
            writing.mark_dirty();
        }
        if !writing.close_epoch() {
            return;
        }
        if writing.epoch() >= crate::limits::REBASE_AT {
            writing.rebase(crate::limits::REBASE_AT / 2);
            server.rebase(crate::limits::REBASE_AT / 2);
        }
        let departed = writing.take_departed();
        departed.iter().for_each(|slot| server.depart(writing, *slot as usize));
        server.follow_scope(writing, &[], &BitSet::new());
        writing.changes_for(usize::MAX).for_each(|changes| server.owe(changes));
        server.take_entered();
        writing.forget_changes();
        writing.departed_are_known(departed);
    }
}

impl<P: Protocol> Default for ClientSide<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Protocol> std::fmt::Debug for ClientSide<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSide").field("entities", &self.world.len()).finish_non_exhaustive()
    }
}
