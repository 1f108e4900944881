//! The state in which messages travel.

#[cfg(feature = "zstd")]
mod compressed;
mod freight;
mod incoming;
mod origin;
mod outgoing;
mod typed;
mod unsent;

pub use freight::Freight;
pub(crate) use origin::Origin;
pub use typed::{Incoming, MessageEncoder, decode_received, encode_auth, encode_error};
pub use unsent::Unsent;

use std::collections::VecDeque;
use std::time::Duration;

use super::transition::reason_for;
use super::{
    ChannelCounters, ChannelStats, Connection, ConnectionConfig, ConnectionStats, DisconnectReason,
    Disconnected, Farewell, Flow, Input, Parting, Path, Phase, ProtocolSpec, Transition, transition,
};
use crate::acks::{ReceivedPackets, RoundTrip, SentPackets};
use crate::channels::{BufferPool, Chosen, ENTRY_OVERHEAD, QueueFull, Receiver, Sender};
use crate::meters::Histogram;
use crate::pacing::{Allowance, RateControl, Turns};
use crate::packet::{EntryHead, FromClient, SessionToken, Side, channel_bits};
use crate::requests::{AnyResponder, Requests};
use crate::ticks::{PeerClock, TickTime, Ticking};
use crate::transport::Address;
use crate::{InputReport, Instant, Security};

/// Up: messages travel both ways.
///
/// The state lives behind one pointer, so that a connection is cheap to move.
#[derive(Debug)]
pub struct Connected(Box<Link>);

#[derive(Debug)]
struct Link {
    side: Side,
    config: ConnectionConfig,
    protocol: ProtocolSpec,
    security: Security,
    /// What the other side writes into its packets, and what we write into ours.
    local_token: SessionToken,
    peer_token: SessionToken,
    max_datagram: usize,

    received: ReceivedPackets,
    sent: SentPackets<Cargo>,
    round_trip: RoundTrip,
    rate: RateControl,
    allowance: Allowance,
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
    /// Whole messages that nobody has read yet.
    delivered: VecDeque<Received>,
    /// Bytes of messages that were delivered and not yet given back.
    unread_bytes: usize,
    pool: BufferPool,
    /// Where the protocol has requests.
    requests: Option<Requests>,

    last_heard: Instant,
    last_sent: Instant,
    /// A packet with something in it arrived, and no packet since has told so.
    owes_ack: bool,
    /// How many times in a row nothing was acknowledged for a whole timeout.
    silent_timeouts: u32,
    /// How many packets may go out though the path seems full: nothing was acknowledged for a whole timeout, and what would
    /// say that there is room again may have been lost.
    probes: u32,
    /// The state of entities had more to say when the last packet was made.
    freight_waits: bool,
    /// The share of recent packets that was lost, from 0 to 1.
    recent_loss: f64,
    /// Where this side is in its ticks: what the packets we write are stamped with.
    ticking: Ticking,
    tick_interval: Duration,
    /// The newest tick in the packets we read, and what a client makes of them.
    peer_tick: u64,
    peer_clock: PeerClock,
    since: Instant,
    turns: Turns,
    flush: Flush,
    ended: Option<DisconnectReason>,
    stats: ConnectionStats,
    round_trips: Histogram,
    flow: Flow,
    /// When the flow was last looked at though nothing flowed.
    rolled_at: Instant,
    /// One for each channel.
    counters: Vec<ChannelCounters>,

    /// Whether compression has been worth it lately.
    #[cfg(feature = "zstd")]
    luck: compressed::Luck,

    // Scratch memory, kept because a steady flow shall not allocate.
    entries: Vec<incoming::Entry>,
    chosen: Vec<Chosen>,
}

/// Something whose fate the sender of a packet wants to know: an entry that may go out again.
#[derive(Clone, Copy, Debug)]
struct Cargo {
    channel: u8,
    number: u64,
}

/// The packets of one send.
#[derive(Clone, Copy, Debug)]
struct Flush {
    at: Instant,
    packets: u32,
}

/// What a connection did with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// It made no sense, came twice, or there was no room for it.
    Dropped,
    /// It was taken in; others that were sent later have come before it.
    Late,
    /// It was taken in, and none that was sent later has come: its sender is where the peer is now.
    Newest,
}

/// A whole message or request that arrived. Give the buffer back with [`Connection::recycle`] when it has been read. A
/// request that is not read is refused.
#[derive(Debug)]
pub struct Received {
    /// The place of its channel in the protocol.
    pub channel: usize,
    /// The encoded message.
    pub bytes: Vec<u8>,
    /// The number of the packet that it came in, or that completed it: later packets have higher ones.
    pub packet: u64,
    /// The sender's tick when it sent that packet, as a number that does not wrap.
    pub sent_in: u64,
    /// Of a request.
    responder: Option<AnyResponder>,
}

/// Why a message was not sent. It was not queued, not even in part; [`Unsent`] gives it back.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("message on channel `{channel}` was not sent: {kind}")]
pub struct SendError {
    /// The name of the channel.
    pub channel: &'static str,
    /// What stood against it.
    pub kind: SendErrorKind,
}

/// What stood against sending a message.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The message is larger than the largest that may travel.
    #[error("it takes {len} bytes, and max_message_size is {max}; split it or raise the limit on both sides")]
    TooLarge {
        /// How many bytes it takes.
        len: usize,
        /// How many it may.
        max: usize,
    },
    /// The channel's queue is full: the other side does not take messages as fast as they are sent.
    #[error("{queued} bytes wait already and send_queue_size is {max}; send less or wait for the other side")]
    QueueFull {
        /// How many bytes wait.
        queued: usize,
        /// How many may.
        max: usize,
    },
    /// As many requests as may be wait for a response.
    #[error(
        "{max} requests wait for an answer already; wait for some, or raise max_requests_in_flight on both sides"
    )]
    TooManyRequests {
        /// How many may.
        max: usize,
    },
    /// A field is over its limit.
    #[error(transparent)]
    Encode(#[from] bowline_wire::EncodeError),
    /// There is no connection to send on: it ended, or the user is unknown.
    #[error("there is no connection; wait for the `Connected` event")]
    NotConnected,
}

/// How often nothing must have been acknowledged for a whole timeout until the timeout stops growing.
const MAX_BACKOFF: u32 = 4;

impl Connection<Connected> {
    pub(crate) fn established(origin: Origin) -> Self {
        let compression = origin.compression();
        let Origin { now, side, config, protocol, security, local_token, peer_token, .. } = origin;
        let Origin { round_trip, peer_tick, .. } = origin;
        let channels = protocol.channels();
        let send_rate = config.send_rate;
        let input_copies = config.input_copies;
        let tick_interval = protocol.tick_interval();
        let requests = protocol.has_requests().then(|| Requests::new(&config));
        let peer_tick = TickTime::new(peer_tick, tick_interval).unwrapped_tick();
        let mut peer_clock = PeerClock::new(now, tick_interval);
        let mut estimate = RoundTrip::new();
        if let Some(round_trip) = round_trip {
            estimate.sample(round_trip, Duration::ZERO);
            peer_clock.measured(now, round_trip);
        }
        Self {
            state: Connected(Box::new(Link {
                side,
                config,
                protocol,
                security,
                local_token,
                peer_token,
                max_datagram: crate::transport::DEFAULT_MAX_DATAGRAM,
                received: ReceivedPackets::new(),
                sent: SentPackets::new(now),
                rate: RateControl::new(send_rate, now),
                allowance: Allowance::new(now, FIRST_FLIGHT),
                round_trip: estimate,
                senders: channels.iter().map(|c| Sender::new(c.mode, side, input_copies)).collect(),
                receivers: channels.iter().map(|c| Receiver::new(c.mode, side)).collect(),
                delivered: VecDeque::new(),
                unread_bytes: 0,
                pool: BufferPool::default(),
                requests,
                last_heard: now,
                last_sent: now,
                owes_ack: false,
                silent_timeouts: 0,
                probes: 0,
                freight_waits: false,
                recent_loss: 0.0,
                ticking: Ticking::new(now, 0),
                tick_interval,
                peer_tick,
                peer_clock,
                since: now,
                turns: Turns::new(channels.len()),
                flush: Flush { at: now, packets: 0 },
                ended: None,
                stats: ConnectionStats { compression, ..ConnectionStats::default() },
                round_trips: Histogram::new(),
                flow: Flow::new(now),
                rolled_at: now,
                counters: vec![ChannelCounters::new(now); channels.len()],
                #[cfg(feature = "zstd")]
                luck: compressed::Luck::default(),
                entries: Vec::new(),
                chosen: Vec::new(),
            })),
        }
    }

    /// Sets how large a datagram may be: what the transport takes.
    pub fn set_max_datagram(&mut self, bytes: usize) {
        self.state.0.max_datagram = bytes.max(MIN_DATAGRAM);
    }

    /// At `now`, tick `tick` of this side had begun `into` ago: packets are stamped with it from now on, and messages on
    /// tick-buffered channels are made for it.
    pub fn set_tick(&mut self, now: Instant, tick: u32, into: Duration) {
        let link = &mut self.state.0;
        link.ticking.set(now, tick, into);
        for sender in &mut link.senders {
            link.stats.messages_dropped += sender.set_tick(link.ticking.tick(), &mut link.pool) as u64;
        }
    }

    /// The next message of a tick-buffered channel that was made for the tick that [`set_tick`](Self::set_tick) has set.
    pub fn next_input(&mut self) -> Option<Received> {
        self.state.0.next_input()
    }

    /// What the server has said of this client's inputs: that of the tick-buffered channel it has said most of.
    #[must_use]
    pub fn input_report(&self) -> InputReport {
        let reports = self.state.0.receivers.iter().filter_map(Receiver::input_report);
        reports.max_by_key(|report| report.reports).copied().unwrap_or_default()
    }

    /// What time it is at the server, as its packets show. For clients.
    #[must_use]
    pub fn server_time(&self, now: Instant) -> Option<TickTime> {
        self.state.0.peer_clock.time(now)
    }

    /// How long a packet takes that waits nowhere, as seen in the last seconds. For clients.
    #[must_use]
    pub fn on_the_way(&self) -> Duration {
        self.state.0.peer_clock.on_the_way()
    }

    /// How much longer than the fastest nearly all packets take on their way here. For clients.
    #[must_use]
    pub fn jitter_margin(&self) -> Duration {
        self.state.0.peer_clock.jitter_margin()
    }

    /// The newest tick that the other side has stamped a packet with.
    #[must_use]
    pub fn peer_tick(&self) -> u32 {
        self.state.0.peer_tick as u32
    }

    /// The round-trip time as measured so far.
    #[must_use]
    pub fn round_trip(&self) -> &RoundTrip {
        &self.state.0.round_trip
    }

    /// What the connection has done so far.
    #[must_use]
    pub fn stats(&self) -> ConnectionStats {
        self.state.0.stats()
    }

    /// What the channel at `channel` of the protocol has done so far.
    #[must_use]
    pub fn channel_stats(&self, channel: usize) -> ChannelStats {
        let link = &self.state.0;
        let queued = link.senders.get(channel).map_or(0, Sender::queued_bytes);
        link.counters.get(channel).map_or_else(ChannelStats::default, |counters| counters.stats(queued))
    }

    /// Whether packets over its path are secret.
    #[must_use]
    pub fn security(&self) -> Security {
        self.state.0.security
    }

    /// Bytes held for the other side: messages not yet read, entries that wait for earlier ones.
    #[must_use]
    pub fn receive_memory(&self) -> usize {
        self.state.0.held_bytes()
    }

    /// Takes in a packet that carries this connection's token.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) -> Intake {
        self.state.0.take_in(now, bytes)
    }

    /// Takes in a client's datagram from the server's address, whatever it is: what a client does that has one peer.
    /// An answer that is to go back at once is put into `reply`.
    pub fn handle_from_server(&mut self, now: Instant, bytes: &[u8], reply: &mut Vec<u8>) {
        self.state.0.take_in_from_server(now, bytes, reply);
    }

    /// Takes in a client's goodbye that carries this connection's token.
    pub fn handle_goodbye(&mut self, bytes: &[u8]) {
        if let Ok(FromClient::Goodbye(goodbye)) = FromClient::decode(bytes, self.state.0.security) {
            let reason = match goodbye.farewell {
                Farewell::ProtocolViolation => DisconnectReason::ProtocolViolation,
                // A client cannot kick a server.
                Farewell::Left | Farewell::Kicked(_) | Farewell::ServerShutdown => DisconnectReason::PeerLeft,
            };
            self.state.0.happened(Input::Goodbye, reason);
        }
    }

    /// The next question to an address that the peer may have moved to; where to it goes, if `datagram` holds one.
    pub fn poll_path<A: Address>(
        &self,
        path: &mut Path<A>,
        now: Instant,
        datagram: &mut Vec<u8>,
    ) -> Option<A> {
        path.poll_transmit(now, self.state.0.peer_token, self.state.0.security, datagram)
    }

    /// Notes that what the other side said of its entities makes no sense: the session ends.
    pub fn handle_violation(&mut self) {
        self.state.0.stats.malformed += 1;
        self.state.0.happened(Input::Violation, reason_for(Input::Violation));
    }

    /// Notes that the transport has ended.
    pub fn handle_transport_closed(&mut self) {
        self.state.0.happened(Input::TransportClosed, reason_for(Input::TransportClosed));
    }

    /// Looks at the time: silence, lost packets, pieces that wait in vain.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.state.0.handle_timeout(now);
    }

    /// Why the connection has ended, if a feed ended it. [`poll`](Self::poll) is then overdue.
    #[must_use]
    pub fn end_reason(&self) -> Option<&DisconnectReason> {
        self.state.0.ended.as_ref()
    }

    /// The connection, or what is left of it if a feed ended it.
    ///
    /// # Errors
    /// The disconnected connection; its `reason` says why.
    pub fn poll(self, now: Instant) -> Result<Self, Connection<Disconnected>> {
        match self.state.0.ended.clone() {
            None => Ok(self),
            Some(reason) => Err(self.into_ended(now, reason)),
        }
    }

    /// Ends the session for a reason of this side's own; the other side is told.
    #[must_use]
    pub fn disconnect(self, now: Instant, reason: DisconnectReason) -> Connection<Disconnected> {
        self.into_ended(now, reason)
    }

    /// Queues an encoded message on the channel at `channel` of the protocol.
    ///
    /// # Errors
    /// Where it is larger than may travel, or a reliable channel's queue is full.
    pub fn send(&mut self, channel: usize, message: &[u8]) -> Result<(), SendError> {
        self.state.0.send(channel, message)
    }

    /// The next message that arrived.
    pub fn next_message(&mut self) -> Option<Received> {
        self.state.0.delivered.pop_front()
    }

    /// Takes a read message's buffer back. Until then it counts towards
    /// [`receive_memory`](ConnectionConfig::receive_memory).
    pub fn recycle(&mut self, received: Received) {
        let link = &mut self.state.0;
        link.unread_bytes = link.unread_bytes.saturating_sub(received.bytes.len() + ENTRY_OVERHEAD);
        link.pool.give(received.bytes);
    }

    /// The next datagram to send; `true` if `datagram` holds one.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> bool {
        self.state.0.poll_transmit(now, datagram, &mut ())
    }

    /// The next datagram to send, with the state of entities in it; `true` if `datagram` holds one.
    pub fn poll_transmit_with(
        &mut self,
        now: Instant,
        datagram: &mut Vec<u8>,
        freight: &mut impl Freight,
    ) -> bool {
        self.state.0.poll_transmit(now, datagram, freight)
    }

    /// How many bytes of packets could go out now: what whoever chooses what goes first wants to know.
    pub fn sendable_bytes(&mut self, now: Instant) -> usize {
        self.state.0.sendable_bytes(now)
    }

    /// How many bytes a message may have.
    #[must_use]
    pub fn max_message_size(&self) -> usize {
        self.state.0.config.max_message_size
    }

    /// How many bits the state of entities has in a packet with nothing else in it.
    #[must_use]
    pub fn freight_bits(&self) -> usize {
        let link = &self.state.0;
        // The longest head of an entry without a number, and what the last byte may lack.
        const HEAD: usize = 40;
        (link.max_datagram - crate::packet::header_bytes(link.security)) * 8 - HEAD
    }

    /// A packet with the state of entities whose fate is known now, and whether it arrived. Every such packet is told of
    /// once.
    pub fn next_freight_fate(&mut self) -> Option<(u64, bool)> {
        let state = self.state.0.senders.iter_mut().rev().find(|sender| matches!(sender, Sender::State(_)));
        state?.next_fate().map(|(packet, outcome)| (packet, outcome == crate::acks::Outcome::Acked))
    }

    /// When `handle_timeout` or `poll_transmit` will have something to do, if nothing arrives and nothing is sent.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        self.state.0.next_deadline()
    }

    fn into_ended(self, now: Instant, reason: DisconnectReason) -> Connection<Disconnected> {
        let link = *self.state.0;
        let parting = Farewell::for_reason(&reason)
            .map(|farewell| Parting::goodbye(now, link.side, farewell, link.peer_token, link.security));
        let mut stats = link.stats();
        if let Some(requests) = &link.requests {
            requests.end(&reason);
        }
        if reason == DisconnectReason::TimedOut {
            // Nobody will ever say so, but what was on the way when the silence began is lost.
            stats.packets_lost += link.sent.in_flight() as u64;
        }
        Connection::<Disconnected>::ended(link.config, reason, stats, parting)
    }
}

/// What may be sent before anything is known of the path: ten packets (RFC 6928).
const FIRST_FLIGHT: usize = 10 * crate::transport::DEFAULT_MAX_DATAGRAM;

/// How long after a send that could not send everything the next one is due.
const BURST_INTERVAL: Duration = Duration::from_millis(5);

/// How many packets go out when nothing was acknowledged for a whole timeout, whatever seems to be on the way: two, as in
/// RFC 9002 section 6.2.4 and 7.5, for one may be lost too.
const PROBES: u32 = 2;

/// In the first second both sides speak so often, if they have nothing else to say.
const WARM_UP: Duration = Duration::from_secs(1);
const WARM_UP_INTERVAL: Duration = Duration::from_millis(100);

/// Below this no packet would hold a header, its acknowledgements and a piece of a message.
const MIN_DATAGRAM: usize = 256;

impl Link {
    fn send(&mut self, channel: usize, message: &[u8]) -> Result<(), SendError> {
        let name = self.protocol.channels().get(channel).map_or("unknown", |spec| spec.name);
        let error = |kind| SendError { channel: name, kind };
        let max = self.config.max_message_size;
        if message.len() > max {
            return Err(error(SendErrorKind::TooLarge { len: message.len(), max }));
        }
        let piece_bytes = self.piece_bytes();
        let Some(sender) = self.senders.get_mut(channel) else {
            return Err(error(SendErrorKind::NotConnected));
        };
        let max = self.config.send_queue_size;
        match sender.push(message, piece_bytes, max, &mut self.pool) {
            Ok(dropped) => {
                self.stats.messages_sent += 1;
                self.stats.messages_dropped += dropped as u64;
                if let Some(counters) = self.counters.get_mut(channel) {
                    counters.queued(dropped);
                }
                Ok(())
            }
            Err(QueueFull::Bytes) => {
                Err(error(SendErrorKind::QueueFull { queued: sender.queued_bytes(), max }))
            }
        }
    }

    /// The payload of a piece that fills a packet with an ordinary header.
    fn piece_bytes(&self) -> usize {
        // The longest entry head: its channel, a piece's numbering, a long length.
        const HEAD: usize = 10;
        self.max_datagram - crate::packet::header_bytes(self.security) - HEAD
    }

    fn handle_timeout(&mut self, now: Instant) {
        if now - self.rolled_at >= crate::meters::SLICE {
            self.rolled_at = now;
            self.flow.roll(now);
            self.counters.iter_mut().for_each(|counters| counters.roll(now));
        }
        if now - self.last_heard >= self.config.disconnection_timeout_duration {
            self.happened(Input::SilenceTimeout, reason_for(Input::SilenceTimeout));
            return;
        }
        if self.sent.has_overtaken() {
            let loss_delay = self.round_trip.loss_delay();
            let lost = self.sent.detect_losses(now, loss_delay, fate(&mut self.senders, &mut self.pool));
            self.stats.packets_lost += u64::from(lost);
            self.see_losses(0, lost);
        }
        if self.probe_deadline().is_some_and(|deadline| now >= deadline) {
            self.senders.iter_mut().for_each(|sender| sender.probe(PROBES as usize));
            self.probes = PROBES;
            self.silent_timeouts += 1;
        }
        if let Some(requests) = &self.requests {
            requests.expire(now);
        }
        for (receiver, sender) in self.receivers.iter_mut().zip(&mut self.senders) {
            self.stats.messages_incomplete += receiver.expire(now, &mut self.pool);
            receiver.report(now, sender, &mut self.pool);
        }
    }

    /// When the oldest reliable entry under way has waited for too long without any acknowledgement.
    fn probe_deadline(&self) -> Option<Instant> {
        let oldest = self.senders.iter().filter_map(Sender::oldest_in_flight).min()?;
        let timeout = self.round_trip.timeout(self.protocol.tick_interval());
        let backed_off = timeout * 2_u32.pow(self.silent_timeouts.min(MAX_BACKOFF));
        Some(oldest + backed_off.min(RoundTrip::GREATEST_TIMEOUT))
    }

    fn next_deadline(&self) -> Instant {
        let silence = self.last_heard + self.config.disconnection_timeout_duration;
        let heartbeat = self.last_sent + self.heartbeat_interval();
        let owed = self.owes_ack.then_some(self.last_heard);
        let overtaken = self.sent.has_overtaken();
        let loss = overtaken.then(|| self.sent.next_loss(self.round_trip.loss_delay())).flatten();
        let (request, has_refusals) = self.requests.as_ref().map_or((None, false), Requests::look);
        // What did not fit into one burst goes out with the next.
        let waiting =
            has_refusals || self.freight_waits || self.senders.iter().any(|sender| sender.peek(0).is_some());
        let burst = waiting.then(|| {
            (self.flush.at + BURST_INTERVAL).max(self.allowance.opens_at(self.rate.bytes_per_second()))
        });
        let report = self.receivers.iter().filter_map(Receiver::report_at).min();
        [Some(silence), Some(heartbeat), owed, loss, burst, report, request, self.probe_deadline()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(silence)
    }

    /// How long may be said nothing. At first that is little: a round trip and a clock are known well only after some
    /// packets, and both sides shall share a time within two seconds.
    fn heartbeat_interval(&self) -> Duration {
        let is_young = self.last_sent < self.since + WARM_UP;
        let interval = self.config.heartbeat_interval;
        if is_young { interval.min(WARM_UP_INTERVAL) } else { interval }
    }

    fn next_input(&mut self) -> Option<Received> {
        let (tick, max) = (self.ticking.tick(), self.config.max_message_size);
        for (channel, receiver) in self.receivers.iter_mut().enumerate() {
            let incomplete = &mut self.stats.messages_incomplete;
            if let Some(bytes) = receiver.next_due(tick, max, &mut self.pool, incomplete) {
                self.stats.messages_received += 1;
                if let Some(counters) = self.counters.get_mut(channel) {
                    counters.received(self.ticking.now(), bytes.len());
                }
                self.unread_bytes += bytes.len() + ENTRY_OVERHEAD;
                let (packet, sent_in) = (0, tick);
                return Some(Received { channel, bytes, packet, sent_in, responder: None });
            }
        }
        None
    }

    /// An input that the transition table may let end the connection.
    fn happened(&mut self, input: Input, reason: DisconnectReason) {
        if transition(Phase::Connected, input) == Transition::Become(Phase::Disconnected)
            && self.ended.is_none()
        {
            self.ended = Some(reason);
        }
    }

    fn held_bytes(&self) -> usize {
        self.unread_bytes + self.receivers.iter().map(Receiver::held_bytes).sum::<usize>()
    }

    fn stats(&self) -> ConnectionStats {
        let late_and_early = self.receivers.iter().map(Receiver::late_and_early);
        let (late, early) = late_and_early.fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        let requests = self.requests.as_ref().map(Requests::counts).unwrap_or_default();
        ConnectionStats {
            requests_in_flight: requests.in_flight,
            requests_turned_away: requests.turned_away,
            responses_unclaimed: requests.unclaimed,
            malformed: self.stats.malformed + requests.malformed,
            messages_late: late,
            messages_early: early,
            round_trip_time: self.round_trip.smoothed(),
            jitter: self.round_trip.jitter(),
            clock_offset_micros: self.peer_clock.offset().map(|nanos| nanos / 1_000),
            round_trip_p50: self.round_trips.quantile(0.5),
            round_trip_p99: self.round_trips.quantile(0.99),
            recent_loss_sent: self.recent_loss,
            recent_loss_received: self.flow.loss_received(),
            send_rate: self.rate.bytes_per_second() as u32,
            packets_sent_per_second: self.flow.packets_sent.per_second(),
            packets_received_per_second: self.flow.packets_received.per_second(),
            bytes_sent_per_second: self.flow.bytes_sent.per_second(),
            bytes_received_per_second: self.flow.bytes_received.per_second(),
            queued_bytes: self.senders.iter().map(Sender::queued_bytes).sum(),
            packets_missed: self.received.newest().saturating_sub(self.stats.packets_received),
            ..self.stats
        }
    }
}

/// Tells the senders what became of what packets carried.
fn fate<'a>(
    senders: &'a mut [Sender],
    pool: &'a mut BufferPool,
) -> impl FnMut(Cargo, crate::acks::Outcome) + 'a {
    use crate::acks::Outcome;
    |cargo, outcome| {
        if let Some(sender) = senders.get_mut(usize::from(cargo.channel)) {
            match outcome {
                Outcome::Acked => sender.acked(cargo.number, pool),
                Outcome::Lost => sender.lost(cargo.number),
            }
        }
    }
}
