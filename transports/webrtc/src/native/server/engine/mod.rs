//! All peers of one socket, without the socket: bytes and time come in as values, and what is to be done comes out.

mod alarms;
mod demux;
mod flow;
mod peer;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bowline_core::Entropy;
use str0m::{IceCreds, RtcConfig};

use crate::PeerAddress;
use alarms::Alarms;
pub(crate) use demux::Kind;
use demux::{Paths, slot_of_check, user_fragment};
use peer::{Peer, Sink};

/// An offer that has not become an open channel after so long is forgotten.
pub(crate) const SET_UP_TIME: Duration = Duration::from_secs(10);

/// A peer of which nothing was heard for so long is forgotten, whoever may still count on it. A browser asks for consent every
/// few seconds (RFC 7675), and a connection ends long before.
const SILENCE: Duration = Duration::from_secs(60);

/// What one peer may have sent and the game not taken yet.
const MAX_UNREAD: usize = 512 << 10;

/// Buffers kept for datagrams that wait.
const MAX_SPARE: usize = 256;

/// How many peers there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Whose channel is open, and those on their way.
    pub(crate) peers: usize,
    /// On their way.
    pub(crate) unfinished: usize,
}

/// Why an offer was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("the offer makes no sense: {0}")]
    Malformed(String),
    #[error("the server is full; try again later")]
    Full,
    #[error("the engine failed: {0}")]
    Engine(String),
}

/// What is done with what comes out.
pub(crate) trait Output {
    /// A datagram for the network.
    fn transmit(&mut self, to: SocketAddr, datagram: &[u8]);
    /// A message for the game.
    fn message(&mut self, from: PeerAddress, message: &[u8]);
}

/// What has happened, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Offers that were answered.
    pub offers: u64,
    /// Peers whose channel opened.
    pub opened: u64,
    /// Offers that never became an open channel.
    pub unfinished: u64,
    /// Messages to peers, as far as they were taken.
    pub sent: u64,
    /// Messages of peers.
    pub received: u64,
    /// Messages to peers that were dropped for newer ones, or whose peer has gone.
    pub dropped_outgoing: u64,
    /// Messages of peers that were dropped: their peer had sent more than the game has taken.
    pub dropped_incoming: u64,
    /// Datagrams that belong to no peer, or to nothing that is spoken here.
    pub strangers: u64,
    /// Peers that are open now.
    pub open: u64,
    /// Offers that have not become an open channel yet.
    pub on_their_way: u64,
}

/// All peers.
pub(crate) struct Engine<E> {
    config: RtcConfig,
    limits: Limits,
    entropy: E,
    /// What clients are told to send to; the first of each family is what they are taken to have sent to.
    candidates: Vec<SocketAddr>,
    slots: Vec<Option<Peer>>,
    free: Vec<u32>,
    /// Open peers by their number: slots are used again, numbers are not.
    open: std::collections::HashMap<u64, u32>,
    last_number: u64,
    paths: Paths,
    alarms: Alarms,
    /// Slots whose engine was told something and was not asked since.
    touched: Vec<u32>,
    spare: Vec<Vec<u8>>,
    /// How often the game has taken what was there.
    turn: u64,
    statistics: Statistics,
}

impl<E: Entropy> Engine<E> {
    pub(crate) fn new(candidates: Vec<SocketAddr>, limits: Limits, entropy: E) -> Result<Self, String> {
        Ok(Self {
            config: peer::config()?,
            limits,
            entropy,
            candidates,
            slots: Vec::new(),
            free: Vec::new(),
            open: std::collections::HashMap::new(),
            last_number: 0,
            paths: Paths::default(),
            alarms: Alarms::default(),
            touched: Vec::new(),
            spare: Vec::new(),
            turn: 0,
            statistics: Statistics::default(),
        })
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let open = self.open.len() as u64;
        let all = (self.slots.len() - self.free.len()) as u64;
        Statistics { open, on_their_way: all.saturating_sub(open), ..self.statistics }
    }

    /// The answer to an offer.
    pub(crate) fn handle_offer(
        &mut self,
        now: Instant,
        offer: &str,
        output: &mut impl Output,
    ) -> Result<String, OfferError> {
        let all = self.slots.len() - self.free.len();
        if all >= self.limits.peers || all - self.open.len() >= self.limits.unfinished {
            return Err(OfferError::Full);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        let credentials = IceCreds {
            ufrag: user_fragment(slot, self.entropy.next_u64()),
            pass: format!("{:016x}{:016x}", self.entropy.next_u64(), self.entropy.next_u64()),
        };
        let number = self.last_number + 1;
        let expires = now + SET_UP_TIME;
        let candidates = &self.candidates;
        let answered =
            Peer::answer(self.config.clone(), number, credentials, candidates, offer, now, expires);
        let (peer, answer) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                self.free.push(slot);
                return Err(error);
            }
        };
        self.last_number = number;
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(peer);
        }
        self.statistics.offers += 1;
        self.touch(slot);
        self.settle(now, output);
        Ok(answer)
    }

    /// Takes in what arrived. Call [`handle_timeout`](Self::handle_timeout) after the last of a batch.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
        output: &mut impl Output,
    ) {
        let kind = Kind::of(datagram);
        let slot = match kind {
            Kind::Stun => slot_of_check(datagram),
            Kind::Dtls => self.paths.slot(from),
            Kind::Plain | Kind::Unknown => None,
        };
        let to = self.candidates.iter().find(|to| to.is_ipv4() == from.is_ipv4());
        let peer = slot.and_then(|slot| self.slots.get_mut(slot as usize)?.as_mut());
        let (Some(slot), Some(peer), Some(to)) = (slot, peer, to) else {
            self.statistics.strangers += 1;
            return;
        };
        if !peer.handle_datagram(now, from, *to, datagram) {
            // Among them checks with somebody else's signature.
            self.statistics.strangers += 1;
            return;
        }
        if kind == Kind::Stun {
            self.paths.learn(from, slot, &mut peer.paths);
        }
        peer.was_heard_at(now, from);
        if peer.address().is_some() {
            peer.expires = now + SILENCE;
        }
        let is_full = peer.is_full();
        self.touch(slot);
        if is_full {
            self.settle(now, output);
        }
    }

    /// Sends a message to a peer. Call [`handle_timeout`](Self::handle_timeout) after the last of a batch.
    pub(crate) fn send(&mut self, now: Instant, to: PeerAddress, message: &[u8]) {
        let slot = self.open.get(&to.number()).copied();
        let peer = slot.and_then(|slot| self.slots.get_mut(slot as usize)?.as_mut());
        let (Some(slot), Some(peer)) = (slot, peer) else {
            self.statistics.dropped_outgoing += 1;
            return;
        };
        self.statistics.dropped_outgoing += peer.send(now, message, &mut self.spare);
        self.statistics.sent += 1;
        self.touch(slot);
    }

    /// The game has no more use for this peer.
    pub(crate) fn close(&mut self, now: Instant, peer: PeerAddress, output: &mut impl Output) {
        if let Some(slot) = self.open.get(&peer.number()).copied() {
            self.end(now, slot, output);
        }
    }

    /// The socket is closing: everybody is told.
    pub(crate) fn close_all(&mut self, now: Instant, output: &mut impl Output) {
        for slot in 0..self.slots.len() as u32 {
            self.end(now, slot, output);
        }
    }

    /// Looks at the time. `turn`: how often the game has taken what was there.
    pub(crate) fn handle_timeout(&mut self, now: Instant, turn: u64, output: &mut impl Output) {
        self.turn = turn;
        while let Some((slot, number)) = self.alarms.due(now) {
            let Some(peer) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { continue };
            // Another peer may have the slot by now.
            if peer.number() != number || !peer.alarm.has_rung(now) {
                continue;
            }
            if peer.expires <= now {
                self.end(now, slot, output);
                continue;
            }
            peer.handle_timeout(now);
            self.touch(slot);
        }
        self.settle(now, output);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do, if nothing arrives.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.alarms.next()
    }

    /// Its engine was told something, and is to be asked.
    fn touch(&mut self, slot: u32) {
        if self.touched.last() != Some(&slot) {
            self.touched.push(slot);
        }
    }

    /// Asks the engines of those that were touched what they want done.
    fn settle(&mut self, now: Instant, output: &mut impl Output) {
        while let Some(slot) = self.touched.pop() {
            let Some(peer) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { continue };
            let was_open = peer.address().is_some();
            let mut sink = OfPeer {
                output,
                statistics: &mut self.statistics,
                unread: peer.unread,
                turn: self.turn,
                opened: None,
            };
            let (wanted, dropped) = peer.drain(now, &mut sink, &mut self.spare);
            let (unread, opened) = (sink.unread, sink.opened);
            peer.unread = unread;
            self.statistics.dropped_outgoing += dropped;
            if let (Some(address), false) = (opened, was_open) {
                self.statistics.opened += 1;
                peer.expires = now + SILENCE;
                self.open.insert(address.number(), slot);
            }
            if peer.has_ended() {
                self.remove(slot);
                continue;
            }
            let at = wanted.map_or(peer.expires, |wanted| wanted.min(peer.expires));
            let mut alarm = peer.alarm;
            self.alarms.set(&mut alarm, at, slot, peer.number());
            peer.alarm = alarm;
        }
        self.spare.truncate(MAX_SPARE);
    }

    /// Says goodbye to a peer and forgets it.
    fn end(&mut self, now: Instant, slot: u32, output: &mut impl Output) {
        let Some(peer) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        peer.close();
        let mut sink = OfPeer {
            output,
            statistics: &mut self.statistics,
            unread: peer.unread,
            turn: self.turn,
            opened: None,
        };
        peer.drain(now, &mut sink, &mut self.spare);
        self.remove(slot);
    }

    fn remove(&mut self, slot: u32) {
        let Some(peer) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        for path in &peer.paths {
            self.paths.forget(path.address, slot);
        }
        match peer.address() {
            Some(address) => drop(self.open.remove(&address.number())),
            None => self.statistics.unfinished += 1,
        }
        self.free.push(slot);
    }
}

/// What comes out of one peer, on its way to the output.
struct OfPeer<'a, O> {
    output: &'a mut O,
    statistics: &'a mut Statistics,
    /// In which turn of the game, and how many bytes in it.
    unread: (u64, usize),
    turn: u64,
    opened: Option<PeerAddress>,
}

impl<O: Output> Sink for OfPeer<'_, O> {
    fn transmit(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.output.transmit(to, datagram);
    }

    fn message(&mut self, from: PeerAddress, message: &[u8]) {
        if self.unread.0 != self.turn {
            self.unread = (self.turn, 0);
        }
        let unread = self.unread.1 + message.len();
        if unread > MAX_UNREAD {
            // It alone is slowed: what it sends reads like a lossy network.
            self.statistics.dropped_incoming += 1;
            return;
        }
        self.unread.1 = unread;
        self.statistics.received += 1;
        self.output.message(from, message);
    }

    fn opened(&mut self, peer: PeerAddress) {
        self.opened = Some(peer);
    }
}

#[cfg(test)]
mod tests;
