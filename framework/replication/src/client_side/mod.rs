//! A client's half: what the server shows, and what this client writes itself.

mod link;
mod sink;
mod writing;

use std::collections::{BTreeSet, VecDeque};

use bowline_core::{NetEntity, Protocol};

use crate::changes::Unencodable;
use crate::control::{BulkyState, FromServer};
use crate::event::EntityEvent;
use crate::inbox::Origin;
use crate::limits::{DEFERRED_OVERHEAD, MAX_DEFERRED};
use crate::peer::Load;
use crate::sink::WorldSink;
use crate::world::World;
use link::Link;
use sink::Embedded;
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
    /// updated.
    Keep,
}

/// A client's half of replication.
///
/// * **Act:** writing to entities of its own, or over which it has authority; asking for authority.
/// * **Feed:** [`take_in_state`](Self::take_in_state), [`take_in_control`](Self::take_in_control), [`decided`](Self::decided).
/// * **Drain:** [`collect`](Self::collect) once a send, then [`load`](Self::load), then [`next_control`](Self::next_control).
/// * **Look:** [`world`](Self::world), [`next_event`](Self::next_event).
pub struct ClientSide<P: Protocol> {
    /// What is known of the server and said to it: a session's.
    link: Link<P>,
    world: World<P>,
    events: VecDeque<EntityEvent<P>>,
    /// What a session before this one has left in the world.
    stale: BTreeSet<NetEntity>,
    stale_resources: Vec<bool>,
    /// Whether the server's entities land in a world of the game's own; then they wait here for it.
    has_own_world: bool,
    deferred: VecDeque<Deferred>,
    deferred_bytes: usize,
}

/// What waits for the game's own world.
#[derive(Debug)]
enum Deferred {
    Records {
        bytes: Vec<u8>,
        origin: Origin,
        /// The slot and the id of a state that came by itself.
        bulky: Option<(u32, u32)>,
    },
    /// The server has made an end of an entity of this client's own.
    Gone(NetEntity),
}

impl<P: Protocol> ClientSide<P> {
    /// A client's half with an empty world.
    #[must_use]
    pub fn new() -> Self {
        Self {
            link: Link::new(),
            world: World::new(),
            events: VecDeque::new(),
            stale: BTreeSet::new(),
            stale_resources: vec![false; P::SCHEMA.resources.len()],
            has_own_world: false,
            deferred: VecDeque::new(),
            deferred_bytes: 0,
        }
    }

    /// A new session begins: nothing is known of the other side's entities, and those of the old session are stale, this
    /// client's own included. Nothing that was being said to the old server is left.
    pub fn begin_session(&mut self, stale: StaleEntities) {
        self.link = Link::new();
        self.deferred.clear();
        self.deferred_bytes = 0;
        self.stale = self.world.entities().collect();
        self.stale_resources.fill(true);
        if stale == StaleEntities::Despawn {
            self.despawn_stale();
        }
    }

    /// The entities that a session before this one has left behind, and that have not come again.
    pub fn stale_entities(&self) -> impl Iterator<Item = NetEntity> {
        self.stale.iter().copied()
    }

    /// [Those](Self::stale_entities) go, and the resources that have not come again, each with its event.
    pub fn despawn_stale(&mut self) {
        for entity in std::mem::take(&mut self.stale) {
            self.world.end(entity);
            self.events.push_back(EntityEvent::DespawnEntity(entity));
        }
        for (index, is_stale) in self.stale_resources.iter_mut().enumerate() {
            if std::mem::take(is_stale) {
                sink::remove_resource(index, &mut self.world, &mut self.events);
            }
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

    /// Has the server's entities land in a world of the caller's own: what arrives waits for [`apply_to`](Self::apply_to), and
    /// the embedded world stays empty. Before the first session.
    pub const fn use_own_world(&mut self) {
        self.has_own_world = true;
    }

    /// Takes in what a packet of the server says; `packet` is its number, `tick` the server's when it sent that. `false` where it
    /// makes no sense: then it is no server of ours, and the session should end.
    #[must_use]
    pub fn take_in_state(&mut self, bytes: &[u8], packet: u64, tick: u32) -> bool {
        let origin = Origin { packet, tick };
        if self.has_own_world {
            self.deferred_bytes += bytes.len() + DEFERRED_OVERHEAD;
            self.deferred.push_back(Deferred::Records { bytes: bytes.to_vec(), origin, bulky: None });
            return true;
        }
        let (link, mut world) = self.split();
        let made_sense = link.take_in(bytes, origin, None, &mut world);
        self.tell();
        made_sense
    }

    /// Takes in what the server says reliably. `false` where it makes no sense.
    #[must_use]
    pub fn take_in_control(&mut self, bytes: &[u8]) -> bool {
        let made_sense = match FromServer::decode(bytes) {
            Ok(FromServer::State(BulkyState { slot, id, packet, tick, bytes })) => {
                let (origin, bulky) = (Origin { packet, tick }, Some((slot, id)));
                if self.has_own_world {
                    self.deferred_bytes += bytes.len() + DEFERRED_OVERHEAD;
                    self.deferred.push_back(Deferred::Records { bytes, origin, bulky });
                    return true;
                }
                let (link, mut world) = self.split();
                link.take_in(&bytes, origin, bulky, &mut world)
            }
            Ok(FromServer::StateTaken { slot, id }) => {
                self.link.state_was_taken(slot, id);
                true
            }
            Ok(FromServer::Reserved(entity)) => {
                self.link.may_spawn(entity);
                true
            }
            Ok(FromServer::Authority(entity, standing)) => {
                self.link.heard(entity, standing);
                true
            }
            Ok(FromServer::Gone(entity)) if self.has_own_world => {
                self.deferred_bytes += DEFERRED_OVERHEAD;
                self.deferred.push_back(Deferred::Gone(entity));
                true
            }
            Ok(FromServer::Gone(entity)) => {
                let (link, mut world) = self.split();
                link.lose(entity, &mut world);
                true
            }
            Err(_) => false,
        };
        self.tell();
        made_sense
    }

    /// Puts what has arrived into a world of the caller's own, after [`use_own_world`](Self::use_own_world). `false` where some
    /// of it makes no sense.
    #[must_use]
    pub fn apply_to(&mut self, world: &mut impl WorldSink<P>) -> bool {
        self.deferred_bytes = 0;
        let deferred = self.deferred.drain(..);
        let link = &mut self.link;
        let made_sense = deferred.fold(true, |made_sense, deferred| match deferred {
            Deferred::Records { bytes, origin, bulky } => {
                link.take_in(&bytes, origin, bulky, world) && made_sense
            }
            Deferred::Gone(entity) => {
                link.lose(entity, world);
                made_sense
            }
        });
        self.tell();
        made_sense
    }

    /// Whether so much waits for [`apply_to`](Self::apply_to) that no more should be taken in before.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.deferred_bytes > MAX_DEFERRED
    }

    /// What has happened next. A client that drives this asks here, and hands it on as an event of its own.
    pub fn next_event(&mut self) -> Option<EntityEvent<P>> {
        self.events.pop_front()
    }

    /// A value that this client wrote and that cannot travel.
    pub fn next_failure(&mut self) -> Option<Unencodable> {
        self.link.failures.pop_front()
    }

    /// What the server is owed, to be put into packets; then [`finish`](Self::finish).
    pub fn load(&mut self, budget: usize, packet_bits: usize) -> Option<Load<'_>> {
        self.link.load(budget, packet_bits)
    }

    /// The packets are made, in tick `tick`. What is larger than a packet goes in a message of at most `max_message_size`
    /// bytes.
    pub fn finish(&mut self, tick: u32, max_message_size: usize) {
        self.link.finish(tick, max_message_size);
    }

    /// A packet to the server has arrived, or was given up.
    pub fn decided(&mut self, packet: u64, has_arrived: bool) {
        self.link.decided(packet, has_arrived);
    }

    /// What is to be sent reliably, and in order. It stays the first until [`control_is_sent`](Self::control_is_sent).
    #[must_use]
    pub fn next_control(&self) -> Option<&[u8]> {
        self.link.control.front().map(Vec::as_slice)
    }

    /// The first of what is to be sent was queued.
    pub fn control_is_sent(&mut self) {
        self.link.control.pop_front();
    }

    /// As if so many changes had been sent already: for tests of what happens when they can be counted no further.
    #[doc(hidden)]
    pub const fn start_at_epoch(&mut self, epoch: u32) {
        self.link.start_at_epoch(epoch);
    }

    fn split(&mut self) -> (&mut Link<P>, Embedded<'_, P>) {
        let Self { link, world, events, stale, stale_resources, .. } = self;
        (link, Embedded { world, events, stale, stale_resources })
    }

    /// What has happened to authority is an event, after those of the entities themselves.
    fn tell(&mut self) {
        let told = self.link.told.drain(..);
        self.events.extend(told.map(|(entity, authority)| EntityEvent::Authority { entity, authority }));
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
