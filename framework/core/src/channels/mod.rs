//! What each channel of a connection keeps: messages that wait to be sent, pieces that wait for the rest.

mod pool;
mod reliable;
mod unreliable;

pub(crate) use pool::BufferPool;
use reliable::{ReliableReceiver, ReliableSender};
use unreliable::{UnreliableReceiver, UnreliableSender};

use crate::Instant;
use crate::packet::{EntryHead, Numbering};
use crate::protocol::Mode;

/// The sending half of a channel.
#[derive(Debug)]
pub(crate) enum Sender {
    Unreliable(UnreliableSender),
    Reliable(ReliableSender),
}

/// The receiving half of a channel.
#[derive(Debug)]
pub(crate) enum Receiver {
    Unreliable(UnreliableReceiver),
    Reliable(ReliableReceiver),
}

/// An entry that was chosen for a packet. The payload of a reliable one stays with its sender.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) head: EntryHead,
    pub(crate) payload: Payload,
}

#[derive(Debug)]
pub(crate) enum Payload {
    Unreliable(Vec<u8>),
    Reliable(u64),
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

/// What a receiving channel must know of the connection's limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_message_size: usize,
}

impl Sender {
    pub(crate) fn new(mode: Mode) -> Self {
        if mode.is_reliable() {
            Self::Reliable(ReliableSender::new())
        } else {
            Self::Unreliable(UnreliableSender::new(mode.is_sequenced()))
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
        }
    }

    /// The entry that the channel would send next, if it has one.
    pub(crate) fn peek(&self, channel: u8) -> Option<EntryHead> {
        let (numbering, len) = match self {
            Self::Unreliable(sender) => sender.peek()?,
            Self::Reliable(sender) => sender.peek()?,
        };
        Some(EntryHead { channel, numbering, len })
    }

    /// Takes the entry that [`peek`](Self::peek) showed.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Payload> {
        match self {
            Self::Unreliable(sender) => sender.take().map(Payload::Unreliable),
            Self::Reliable(sender) => sender.take(now).map(Payload::Reliable),
        }
    }

    /// The bytes of a reliable entry that was taken.
    pub(crate) fn payload(&self, number: u64) -> &[u8] {
        match self {
            Self::Unreliable(_) => &[],
            Self::Reliable(sender) => sender.payload(number),
        }
    }

    pub(crate) fn acked(&mut self, number: u64, pool: &mut BufferPool) {
        if let Self::Reliable(sender) = self {
            sender.acked(number, pool);
        }
    }

    pub(crate) fn lost(&mut self, number: u64) {
        if let Self::Reliable(sender) = self {
            sender.lost(number);
        }
    }

    /// When the oldest entry that is neither acknowledged nor waiting to be sent again was last sent.
    pub(crate) fn oldest_in_flight(&self) -> Option<Instant> {
        match self {
            Self::Unreliable(_) => None,
            Self::Reliable(sender) => sender.oldest_in_flight(),
        }
    }

    /// Has the oldest entries sent again, up to `count`: nothing was heard for too long.
    pub(crate) fn probe(&mut self, count: usize) {
        if let Self::Reliable(sender) = self {
            sender.probe(count);
        }
    }

    /// Bytes of messages that wait to be sent or acknowledged, [`ENTRY_OVERHEAD`] included.
    pub(crate) fn queued_bytes(&self) -> usize {
        match self {
            Self::Unreliable(sender) => sender.queued_bytes(),
            Self::Reliable(sender) => sender.queued_bytes(),
        }
    }
}

impl Receiver {
    pub(crate) fn new(mode: Mode) -> Self {
        match mode {
            Mode::UnorderedUnreliable => Self::Unreliable(UnreliableReceiver::new(false)),
            Mode::SequencedUnreliable => Self::Unreliable(UnreliableReceiver::new(true)),
            Mode::UnorderedReliable | Mode::SequencedReliable | Mode::OrderedReliable => {
                Self::Reliable(ReliableReceiver::new(mode))
            }
        }
    }

    /// Whether the channel would have to keep an entry until others come: what memory limits are about.
    pub(crate) fn must_hold(&self, numbering: Numbering) -> bool {
        match (self, numbering) {
            (Self::Reliable(receiver), Numbering::Reliable { number, .. }) => receiver.must_hold(number),
            (_, Numbering::Piece { .. }) => true,
            _ => false,
        }
    }

    /// Takes an entry in. Whole messages go to `deliver`.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        numbering: Numbering,
        payload: Vec<u8>,
        limits: Limits,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) -> Result<(), Violation> {
        match (self, numbering) {
            (Self::Reliable(receiver), Numbering::Reliable { number, first, last }) => {
                receiver.accept(number, first, last, payload, limits, pool, deliver)
            }
            (Self::Unreliable(receiver), Numbering::Sequenced(number)) => {
                receiver.accept_sequenced(number, payload, pool, deliver);
                Ok(())
            }
            (Self::Unreliable(receiver), Numbering::Piece { group, index, count }) => {
                receiver.accept_piece(now, group, index, count, payload, limits, pool, deliver);
                Ok(())
            }
            (Self::Unreliable(_), Numbering::None) => {
                deliver(payload);
                Ok(())
            }
            // The numbering was read by the channel's mode, so these do not meet.
            (Self::Unreliable(_), Numbering::Reliable { .. }) | (Self::Reliable(_), _) => Err(Violation),
        }
    }

    /// Drops pieces that have waited too long for the rest.
    pub(crate) fn expire(&mut self, now: Instant, pool: &mut BufferPool) -> u64 {
        match self {
            Self::Unreliable(receiver) => receiver.expire(now, pool),
            Self::Reliable(_) => 0,
        }
    }

    /// Bytes that wait for others.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Unreliable(receiver) => receiver.held_bytes(),
            Self::Reliable(receiver) => receiver.held_bytes(),
        }
    }
}
