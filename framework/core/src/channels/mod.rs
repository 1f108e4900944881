//! What each channel of a connection keeps: messages that wait to be sent, pieces that wait for the rest.

use std::time::Duration;

mod pool;
mod reliable;
mod state;
mod tick_buffered;
mod unreliable;

pub(crate) use pool::BufferPool;
pub(crate) use reliable::Rides;
use reliable::{ReliableReceiver, ReliableSender};
use state::StateSender;
pub use tick_buffered::InputReport;
pub(crate) use tick_buffered::MAX_TICKS_BACK;
use tick_buffered::{ReportReceiver, ReportSender, TickArrival, TickReceiver, TickSender};
use unreliable::{UnreliableReceiver, UnreliableSender};

use crate::Instant;
use crate::acks::Outcome;
use crate::packet::{EntryHead, Numbering, Side};
use crate::protocol::Mode;
use crate::ticks::Ticking;

/// The sending half of a channel.
#[derive(Debug)]
pub(crate) enum Sender {
    Unreliable(UnreliableSender),
    Reliable(ReliableSender),
    /// A client's, on a tick-buffered channel.
    Inputs(TickSender),
    /// The server's, on a tick-buffered channel.
    Reports(ReportSender),
    /// Of entities: what goes out is made while the packet is.
    State(StateSender),
}

/// The receiving half of a channel.
#[derive(Debug)]
pub(crate) enum Receiver {
    Unreliable(UnreliableReceiver),
    Reliable(ReliableReceiver),
    /// The server's, on a tick-buffered channel.
    Inputs(TickReceiver),
    /// A client's, on a tick-buffered channel.
    Reports(ReportReceiver),
    /// Of entities: handed on as it comes.
    State,
}

/// An entry that was chosen for a packet. The payload of one that may go out again stays with its sender.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) head: EntryHead,
    pub(crate) payload: Payload,
}

#[derive(Debug)]
pub(crate) enum Payload {
    Once(Vec<u8>),
    Kept(u64),
    /// The state of entities, in the packet of this number.
    State(Vec<u8>, u64),
}

/// What an entry costs in the books besides its bytes: the place in a queue or a tree that keeps it. Without it, messages
/// of no bytes would cost nothing and could be kept without end.
pub(crate) const ENTRY_OVERHEAD: usize = 64;

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueFull {
    /// The channel holds as many bytes as it may.
    Bytes,
}

/// What a peer did that no correct one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation;

/// What a receiving channel must know of the connection that an entry came by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    pub(crate) now: Instant,
    pub(crate) max_message_size: usize,
    /// The tick that the packet is stamped with, and those of this side.
    pub(crate) sent_in: u64,
    pub(crate) ticking: Ticking,
    pub(crate) tick_interval: Duration,
}

impl Surroundings {
    /// How far ahead of its tick a message may come: two seconds, and in any case what a sender's window allows.
    fn most_ahead(&self) -> u64 {
        let ticks = Duration::from_secs(2).as_nanos() / self.tick_interval.as_nanos().max(1);
        u64::try_from(ticks).unwrap_or(u64::MAX).max(MAX_TICKS_BACK)
    }
}

impl Sender {
    pub(crate) const fn new(mode: Mode, side: Side, input_copies: u8) -> Self {
        match mode {
            Mode::UnorderedUnreliable => Self::Unreliable(UnreliableSender::new(false)),
            Mode::SequencedUnreliable => Self::Unreliable(UnreliableSender::new(true)),
            Mode::UnorderedReliable
            | Mode::SequencedReliable
            | Mode::OrderedReliable
            | Mode::EntityControl => Self::Reliable(ReliableSender::new()),
            Mode::EntityState => Self::State(StateSender::new()),
            Mode::TickBuffered => match side {
                Side::Client => Self::Inputs(TickSender::new(input_copies)),
                Side::Server => Self::Reports(ReportSender::new()),
            },
        }
    }

    /// Packets are stamped with this tick from now on. Gives how many messages were too old to be sent.
    pub(crate) fn set_tick(&mut self, tick: u64, pool: &mut BufferPool) -> usize {
        match self {
            Self::Inputs(sender) => sender.set_tick(tick, pool),
            _ => 0,
        }
    }

    /// Queues a message, cut into pieces of `piece_bytes` where it is longer. An unreliable channel that is full
    /// drops its oldest, and says how many.
    pub(crate) fn push(
        &mut self,
        message: &[u8],
        piece_bytes: usize,
        queue_bytes: usize,
        pool: &mut BufferPool,
    ) -> Result<usize, QueueFull> {
        match self {
            Self::Unreliable(sender) => Ok(sender.push(message, piece_bytes, queue_bytes, pool)),
            Self::Reliable(sender) => sender.push(message, piece_bytes, queue_bytes, pool).map(|()| 0),
            Self::Inputs(sender) => Ok(sender.push(message, piece_bytes, queue_bytes, pool)),
            // No server can send a message there: the channel goes to the server.
            Self::Reports(_) => Ok(1),
            // Nor is there a way to name the channel of entities.
            Self::State(_) => Ok(1),
        }
    }

    /// The entry that the channel would send next, if it has one.
    pub(crate) fn peek(&self, channel: u8) -> Option<EntryHead> {
        let (numbering, len) = match self {
            Self::Unreliable(sender) => sender.peek()?,
            Self::Reliable(sender) => sender.peek()?,
            Self::Inputs(sender) => sender.peek()?,
            Self::Reports(sender) => (Numbering::Report, sender.peek()?),
            Self::State(_) => return None,
        };
        Some(EntryHead { channel, numbering, len })
    }

    /// Takes the entry that [`peek`](Self::peek) showed.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Payload> {
        match self {
            Self::Unreliable(sender) => sender.take().map(Payload::Once),
            Self::Reliable(sender) => sender.take(now).map(Payload::Kept),
            Self::Inputs(sender) => sender.take().map(Payload::Kept),
            Self::Reports(sender) => sender.take().map(Payload::Once),
            Self::State(_) => None,
        }
    }

    /// An entry under way that may go out again before it is known to be lost.
    pub(crate) fn peek_ride(&self, channel: u8, now: Instant, rides: Rides) -> Option<(u64, EntryHead)> {
        let Self::Reliable(sender) = self else { return None };
        let (number, numbering, len) = sender.peek_ride(now, rides)?;
        Some((number, EntryHead { channel, numbering, len }))
    }

    /// Takes the entry that [`peek_ride`](Self::peek_ride) showed.
    pub(crate) fn ride(&mut self, number: u64, now: Instant) -> Payload {
        if let Self::Reliable(sender) = self {
            sender.ride(number, now);
        }
        Payload::Kept(number)
    }

    /// The bytes of an entry that was taken and is kept.
    pub(crate) fn payload(&self, number: u64) -> &[u8] {
        match self {
            Self::Unreliable(_) | Self::Reports(_) | Self::State(_) => &[],
            Self::Reliable(sender) => sender.payload(number),
            Self::Inputs(sender) => sender.payload(number),
        }
    }

    pub(crate) fn acked(&mut self, number: u64, pool: &mut BufferPool) {
        match self {
            Self::Reliable(sender) => sender.acked(number, pool),
            Self::Inputs(sender) => sender.acked(number, pool),
            Self::State(sender) => sender.decided(number, Outcome::Acked),
            Self::Unreliable(_) | Self::Reports(_) => {}
        }
    }

    pub(crate) fn lost(&mut self, number: u64) {
        match self {
            Self::Reliable(sender) => sender.lost(number),
            Self::State(sender) => sender.decided(number, Outcome::Lost),
            Self::Unreliable(_) | Self::Inputs(_) | Self::Reports(_) => {}
        }
    }

    /// When the oldest entry that matters, and is neither acknowledged nor waiting to be sent again, was last sent.
    pub(crate) fn oldest_in_flight(&self) -> Option<Instant> {
        match self {
            Self::Reliable(sender) => sender.oldest_in_flight(),
            Self::State(sender) => sender.oldest_in_flight(),
            Self::Unreliable(_) | Self::Inputs(_) | Self::Reports(_) => None,
        }
    }

    /// What has become of packets with the state of entities, since the last call.
    pub(crate) fn next_fate(&mut self) -> Option<(u64, Outcome)> {
        match self {
            Self::State(sender) => sender.next_fate(),
            _ => None,
        }
    }

    /// Has the oldest entries sent again, up to `count`: nothing was heard for too long.
    pub(crate) fn probe(&mut self, count: usize) {
        match self {
            Self::Reliable(sender) => sender.probe(count),
            Self::State(sender) => sender.probe(count),
            Self::Unreliable(_) | Self::Inputs(_) | Self::Reports(_) => {}
        }
    }

    /// Bytes of messages that wait to be sent or acknowledged, [`ENTRY_OVERHEAD`] included.
    pub(crate) fn queued_bytes(&self) -> usize {
        match self {
            Self::Unreliable(sender) => sender.queued_bytes(),
            Self::Reliable(sender) => sender.queued_bytes(),
            Self::Inputs(sender) => sender.queued_bytes(),
            Self::Reports(_) | Self::State(_) => 0,
        }
    }
}

impl Receiver {
    pub(crate) fn new(mode: Mode, side: Side) -> Self {
        match mode {
            Mode::UnorderedUnreliable => Self::Unreliable(UnreliableReceiver::new(false)),
            Mode::SequencedUnreliable => Self::Unreliable(UnreliableReceiver::new(true)),
            Mode::UnorderedReliable
            | Mode::SequencedReliable
            | Mode::OrderedReliable
            | Mode::EntityControl => Self::Reliable(ReliableReceiver::new(mode)),
            Mode::EntityState => Self::State,
            Mode::TickBuffered => match side {
                Side::Server => Self::Inputs(TickReceiver::new()),
                Side::Client => Self::Reports(ReportReceiver::default()),
            },
        }
    }

    /// Whether the channel would have to keep an entry until others come: what memory limits are about.
    pub(crate) fn must_hold(&self, numbering: Numbering) -> bool {
        match (self, numbering) {
            (Self::Reliable(receiver), Numbering::Reliable { number, .. }) => receiver.must_hold(number),
            (_, Numbering::Piece { .. } | Numbering::Tick { .. }) => true,
            _ => false,
        }
    }

    /// Takes an entry in. Whole messages go to `deliver`.
    pub(crate) fn accept(
        &mut self,
        numbering: Numbering,
        payload: Vec<u8>,
        around: &Surroundings,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) -> Result<(), Violation> {
        match (self, numbering) {
            (Self::Reliable(receiver), Numbering::Reliable { number, first, last }) => {
                receiver.accept(number, first, last, payload, around.max_message_size, pool, deliver)
            }
            (Self::Unreliable(receiver), Numbering::Sequenced(number)) => {
                receiver.accept_sequenced(number, payload, pool, deliver);
                Ok(())
            }
            (Self::Unreliable(receiver), Numbering::Piece { group, index, count }) => {
                let (now, max) = (around.now, around.max_message_size);
                receiver.accept_piece(now, group, index, count, payload, max, pool, deliver);
                Ok(())
            }
            (Self::Unreliable(_) | Self::State, Numbering::None) => {
                deliver(payload);
                Ok(())
            }
            (Self::Inputs(receiver), Numbering::Tick { number, back, first, last }) => {
                let tick = around.sent_in.saturating_sub(u64::from(back));
                let slack = around.ticking.until(tick, around.now, around.tick_interval);
                let (now, most_ahead) = (around.ticking.tick(), around.most_ahead());
                let arrival = TickArrival { number, first, last, tick, now, slack, most_ahead };
                receiver.accept(around.now, arrival, payload, pool);
                Ok(())
            }
            (Self::Reports(receiver), Numbering::Report) => {
                let report = receiver.accept(&payload);
                pool.give(payload);
                report.map_err(|_| Violation)
            }
            // The numbering was read by the channel's mode and direction, so these do not meet.
            (
                Self::Unreliable(_) | Self::Reliable(_) | Self::Inputs(_) | Self::Reports(_) | Self::State,
                Numbering::None
                | Numbering::Sequenced(_)
                | Numbering::Piece { .. }
                | Numbering::Reliable { .. }
                | Numbering::Tick { .. }
                | Numbering::Report,
            ) => Err(Violation),
        }
    }

    /// The next message of a tick-buffered channel that is due in `tick`.
    pub(crate) fn next_due(
        &mut self,
        tick: u64,
        max_message_size: usize,
        pool: &mut BufferPool,
        incomplete: &mut u64,
    ) -> Option<Vec<u8>> {
        match self {
            Self::Inputs(receiver) => receiver.next_due(tick, max_message_size, pool, incomplete),
            _ => None,
        }
    }

    /// Has the channel's sender say how its inputs come, if that is due.
    pub(crate) fn report(&mut self, now: Instant, sender: &mut Sender, pool: &mut BufferPool) {
        if let (Self::Inputs(receiver), Sender::Reports(sender)) = (self, sender) {
            sender.poll(now, &mut receiver.tally, pool);
        }
    }

    /// When [`report`](Self::report) will have something to say.
    pub(crate) fn report_at(&self) -> Option<Instant> {
        match self {
            Self::Inputs(receiver) => receiver.tally.report_at(),
            _ => None,
        }
    }

    /// What the server has said of the inputs on this channel.
    pub(crate) const fn input_report(&self) -> Option<&InputReport> {
        match self {
            Self::Reports(receiver) => Some(&receiver.newest),
            _ => None,
        }
    }

    /// Messages that came after their tick had begun, and messages that came much too early.
    pub(crate) const fn late_and_early(&self) -> (u64, u64) {
        match self {
            Self::Inputs(receiver) => (receiver.tally.late, receiver.tally.early),
            Self::Reports(receiver) => (receiver.newest.late, receiver.newest.early),
            Self::Unreliable(_) | Self::Reliable(_) | Self::State => (0, 0),
        }
    }

    /// Drops pieces that have waited too long for the rest.
    pub(crate) fn expire(&mut self, now: Instant, pool: &mut BufferPool) -> u64 {
        match self {
            Self::Unreliable(receiver) => receiver.expire(now, pool),
            Self::Reliable(_) | Self::Inputs(_) | Self::Reports(_) | Self::State => 0,
        }
    }

    /// Bytes that wait for others.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Unreliable(receiver) => receiver.held_bytes(),
            Self::Reliable(receiver) => receiver.held_bytes(),
            Self::Inputs(receiver) => receiver.held_bytes(),
            Self::Reports(_) | Self::State => 0,
        }
    }
}
