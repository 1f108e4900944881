use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_core::transport::{Lane, LinkProfile, Load};
use bowline_core::{Clock, Instant, ManualClock, Security, SeededEntropy};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::host::{ClockShift, SimHost};
use crate::socket::SimAddress;

/// What the links of a network are like: the profile of a link conditioner, and the largest datagram that passes.
///
/// ```
/// use std::time::Duration;
/// use bowline_sim::Conditions;
///
/// let slow = Conditions::new(100, 25, 0.02).with_mtu(576);
/// assert_eq!(slow.profile.latency, Duration::from_millis(100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Latency, jitter, loss, duplication, reordering, corruption, bandwidth: each direction of each link by itself.
    pub profile: LinkProfile,
    /// Datagrams of more bytes vanish.
    pub mtu: usize,
}

impl Conditions {
    /// `latency_ms` one way, more or less `jitter_ms`, and `loss` as a fraction.
    #[must_use]
    pub const fn new(latency_ms: u32, jitter_ms: u32, loss: f64) -> Self {
        Self::from_profile(LinkProfile::new(latency_ms, jitter_ms, loss))
    }

    /// Everything arrives in the order of sending, a millisecond later.
    #[must_use]
    pub const fn perfect() -> Self {
        Self::new(1, 0, 0.0)
    }

    /// A profile, and no limit to the size of datagrams but UDP's own.
    #[must_use]
    pub const fn from_profile(profile: LinkProfile) -> Self {
        Self { profile, mtu: 65_507 }
    }

    /// With another largest datagram.
    #[must_use]
    pub const fn with_mtu(mut self, mtu: usize) -> Self {
        self.mtu = mtu;
        self
    }
}

/// What a network has done so far, in datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkStats {
    /// Handed to the network.
    pub sent: u64,
    /// Handed out again, copies too.
    pub delivered: u64,
    /// Bytes of those handed to the network.
    pub sent_bytes: u64,
}

/// The network between simulated nodes. Clones are the same network.
#[derive(Clone, Debug)]
pub struct Network(Arc<Mutex<State>>);

struct State {
    time: ManualClock,
    seed: u64,
    security: Security,
    conditions: Conditions,
    own_conditions: BTreeMap<SimAddress, Conditions>,
    lanes: BTreeMap<(SimAddress, SimAddress), Lane<SimAddress>>,
    inboxes: BTreeMap<SimAddress, VecDeque<(SimAddress, Vec<u8>)>>,
    cut_off: BTreeSet<SimAddress>,
    /// What a node behind a router looks like from outside, and back.
    translation: BTreeMap<SimAddress, SimAddress>,
    next_port: u16,
    trace: u64,
    stats: NetworkStats,
    /// What each node sent last, as seen from outside.
    last_sent: BTreeMap<SimAddress, Vec<u8>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("seed", &self.seed).field("stats", &self.stats).finish_non_exhaustive()
    }
}

/// Datagrams that may wait at one node, as in a socket's buffer; more are dropped.
const INBOX_LIMIT: usize = 65_536;

impl Network {
    /// A network on `time`, whose accidents follow from `seed`.
    #[must_use]
    pub fn new(time: ManualClock, seed: u64, conditions: Conditions, security: Security) -> Self {
        Self(Arc::new(Mutex::new(State {
            time,
            seed,
            security,
            conditions,
            own_conditions: BTreeMap::new(),
            lanes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            cut_off: BTreeSet::new(),
            translation: BTreeMap::new(),
            next_port: 40_000,
            trace: seed,
            stats: NetworkStats::default(),
            last_sent: BTreeMap::new(),
        })))
    }

    /// Changes all links that have no conditions of their own.
    pub fn set_conditions(&self, conditions: Conditions) {
        let mut state = self.state();
        state.conditions = conditions;
        state.apply_conditions();
    }

    /// Gives the links from and to one node conditions of their own; `None` takes them away.
    pub fn set_conditions_of(&self, node: SimAddress, conditions: Option<Conditions>) {
        let mut state = self.state();
        match conditions {
            Some(conditions) => state.own_conditions.insert(node, conditions),
            None => state.own_conditions.remove(&node),
        };
        state.apply_conditions();
    }

    /// Pulls a node's cable: nothing leaves it or reaches it, what is on the way included.
    pub fn cut(&self, node: SimAddress) {
        self.state().cut_off.insert(node);
    }

    /// Plugs it in again.
    pub fn join(&self, node: SimAddress) {
        self.state().cut_off.remove(&node);
    }

    /// Has a node appear under another address from now on, as when a router forgets a mapping, or a phone
    /// goes from Wi-Fi to mobile. What is sent to the old address is lost.
    pub fn rebind(&self, node: SimAddress) -> SimAddress {
        let mut state = self.state();
        let outside = SimAddress::new(state.next_port);
        state.next_port += 1;
        state.translation.insert(node, outside);
        outside
    }

    /// Puts a datagram on the way as if `from` had sent it, whoever does.
    pub fn inject(&self, from: SimAddress, to: SimAddress, datagram: &[u8]) {
        self.state().send(from, to, datagram);
    }

    /// The last datagram that was sent from an address: what somebody on the path sees.
    #[must_use]
    pub fn last_sent_by(&self, node: SimAddress) -> Option<Vec<u8>> {
        self.state().last_sent.get(&node).cloned()
    }

    /// A host on this network's time, for a node that is not of a [`Cluster`](crate::Cluster).
    #[must_use]
    pub fn host(&self, seed: u64) -> SimHost {
        SimHost::new(self.state().time.clone(), ClockShift::default(), seed)
    }

    /// What the network has done so far.
    #[must_use]
    pub fn stats(&self) -> NetworkStats {
        self.state().stats
    }

    /// A hash over every datagram that was delivered: its bytes, its ends, its time.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.state().trace
    }

    pub(crate) fn security(&self) -> Security {
        self.state().security
    }

    pub(crate) fn send(&self, from: SimAddress, to: SimAddress, datagram: &[u8]) {
        let mut state = self.state();
        let outside = state.translation.get(&from).copied().unwrap_or(from);
        if !state.cut_off.contains(&from) {
            state.send(outside, to, datagram);
        }
    }

    pub(crate) fn receive(&self, node: SimAddress, datagram: &mut Vec<u8>) -> Option<SimAddress> {
        let (from, bytes) = self.state().inboxes.get_mut(&node)?.pop_front()?;
        *datagram = bytes;
        Some(from)
    }

    /// When the next datagram arrives anywhere.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.state().lanes.values().filter_map(Lane::next_due).min()
    }

    /// Hands over what has arrived by now; gives the nodes that have something to read.
    pub(crate) fn deliver(&self) -> BTreeSet<SimAddress> {
        self.state().deliver()
    }

    /// Drops what waits at a node: its process is gone.
    pub(crate) fn forget(&self, node: SimAddress) {
        self.state().inboxes.remove(&node);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn send(&mut self, from: SimAddress, to: SimAddress, datagram: &[u8]) {
        self.stats.sent += 1;
        self.stats.sent_bytes += datagram.len() as u64;
        let last = self.last_sent.entry(from).or_default();
        last.clear();
        last.extend_from_slice(datagram);
        let conditions = self.conditions_between(from, to);
        if datagram.len() > conditions.mtu {
            return;
        }
        let (seed, now) = (self.seed, self.time.now());
        let lane = self.lanes.entry((from, to)).or_insert_with(|| {
            // Every link draws for itself: more traffic on one does not change the luck of another.
            let ends = [from.to_bits().to_le_bytes(), to.to_bits().to_le_bytes()].concat();
            Lane::new(conditions.profile, SeededEntropy::new(xxh3_64_with_seed(&ends, seed)), 1_500)
        });
        lane.admit(now, to, datagram);
    }

    fn deliver(&mut self) -> BTreeSet<SimAddress> {
        let now = self.time.now();
        let mut ready = BTreeSet::new();
        for ((from, to), lane) in &mut self.lanes {
            while let Some(held) = lane.take_due(now) {
                let Load::Datagram(bytes) = held.load else { continue };
                let moved = self.translation.iter().find(|(_, outside)| *outside == to);
                let inside = moved.map_or(*to, |(inside, _)| *inside);
                let is_stale = moved.is_none() && self.translation.contains_key(to);
                if self.cut_off.contains(&inside) || is_stale {
                    continue;
                }
                self.trace = xxh3_64_with_seed(&bytes, self.trace ^ now.as_nanos());
                self.trace =
                    self.trace.rotate_left(17) ^ u64::from(from.to_bits()) << 32 ^ u64::from(to.to_bits());
                self.stats.delivered += 1;
                let inbox = self.inboxes.entry(inside).or_default();
                if inbox.len() < INBOX_LIMIT {
                    inbox.push_back((*from, bytes));
                    ready.insert(inside);
                }
            }
        }
        ready
    }

    fn conditions_between(&self, from: SimAddress, to: SimAddress) -> Conditions {
        let own = self.own_conditions.get(&from).or_else(|| self.own_conditions.get(&to));
        own.copied().unwrap_or(self.conditions)
    }

    fn apply_conditions(&mut self) {
        let ends: Vec<_> = self.lanes.keys().copied().collect();
        for (from, to) in ends {
            let profile = self.conditions_between(from, to).profile;
            if let Some(lane) = self.lanes.get_mut(&(from, to)) {
                lane.set_profile(profile);
            }
        }
    }
}
