use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{BufferPool, ENTRY_OVERHEAD};
use crate::Instant;
use crate::acks::expand;
use crate::packet::Numbering;

/// How long the pieces of a message wait for the rest.
pub(crate) const PIECE_LIFETIME: Duration = Duration::from_secs(3);
/// How many messages may be incomplete at once on a channel; one more pushes the oldest out.
const MAX_INCOMPLETE: usize = 16;

/// Messages that are sent once. The queue empties into packets at every send.
#[derive(Debug)]
pub(crate) struct UnreliableSender {
    sequenced: bool,
    queue: VecDeque<Outgoing>,
    queued_bytes: usize,
    /// The number of the next sequenced message or group of pieces.
    next: u16,
}

#[derive(Debug)]
struct Outgoing {
    numbering: Numbering,
    payload: Vec<u8>,
}

impl UnreliableSender {
    pub(crate) const fn new(sequenced: bool) -> Self {
        Self { sequenced, queue: VecDeque::new(), queued_bytes: 0, next: 0 }
    }

    /// Queues a message; gives how many older ones had to go for it.
    pub(crate) fn push(
        &mut self,
        message: &[u8],
        piece_bytes: usize,
        queue_bytes: usize,
        pool: &mut BufferPool,
    ) -> usize {
        let mut dropped = 0;
        while self.queued_bytes + message.len() + ENTRY_OVERHEAD > queue_bytes && self.drop_oldest(pool) {
            dropped += 1;
        }
        let number = self.next;
        if message.len() <= piece_bytes {
            let numbering = if self.sequenced { Numbering::Sequenced(number) } else { Numbering::None };
            self.enqueue(numbering, pool.copy(message));
        } else {
            let count = message.len().div_ceil(piece_bytes) as u16;
            for (index, piece) in (0..).zip(message.chunks(piece_bytes)) {
                self.enqueue(Numbering::Piece { group: number, index, count }, pool.copy(piece));
            }
        }
        self.next = self.next.wrapping_add(1);
        dropped
    }

    pub(crate) fn peek(&self) -> Option<(Numbering, usize)> {
        self.queue.front().map(|outgoing| (outgoing.numbering, outgoing.payload.len()))
    }

    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let outgoing = self.queue.pop_front()?;
        self.queued_bytes -= outgoing.payload.len() + ENTRY_OVERHEAD;
        Some(outgoing.payload)
    }

    pub(crate) const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    fn enqueue(&mut self, numbering: Numbering, payload: Vec<u8>) {
        self.queued_bytes += payload.len() + ENTRY_OVERHEAD;
        self.queue.push_back(Outgoing { numbering, payload });
    }

    /// Drops the oldest message, all pieces of it: the rest would be of no use.
    fn drop_oldest(&mut self, pool: &mut BufferPool) -> bool {
        let Some(oldest) = self.queue.front().map(|outgoing| outgoing.numbering) else {
            return false;
        };
        while let Some(outgoing) = self.queue.front() {
            let same_group = matches!((oldest, outgoing.numbering),
                (Numbering::Piece { group: a, .. }, Numbering::Piece { group: b, .. }) if a == b);
            if !same_group && outgoing.numbering != oldest {
                break;
            }
            if let Some(payload) = self.take() {
                pool.give(payload);
            }
            if !same_group {
                break;
            }
        }
        true
    }
}

/// Messages that arrive once or not at all. Packets are never handed in twice, so whole messages need no memory.
#[derive(Debug)]
pub(crate) struct UnreliableReceiver {
    sequenced: bool,
    /// The number of the newest message delivered, on a sequenced channel; of the newest group seen on any.
    newest: Option<u64>,
    incomplete: BTreeMap<u64, Incomplete>,
    held_bytes: usize,
}

/// A message of which some pieces have come. Nothing is allocated for those that have not.
#[derive(Debug)]
struct Incomplete {
    count: u16,
    pieces: BTreeMap<u16, Vec<u8>>,
    bytes: usize,
    since: Instant,
}

impl UnreliableReceiver {
    pub(crate) const fn new(sequenced: bool) -> Self {
        Self { sequenced, newest: None, incomplete: BTreeMap::new(), held_bytes: 0 }
    }

    pub(crate) fn accept_sequenced(
        &mut self,
        number: u16,
        payload: Vec<u8>,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) {
        match self.is_newest(number) {
            Some(number) => {
                self.newest = Some(number);
                self.forget_older(number, pool);
                deliver(payload);
            }
            None => pool.give(payload),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a piece is what it is; the rest is the receiver's surroundings"
    )]
    pub(crate) fn accept_piece(
        &mut self,
        now: Instant,
        group: u16,
        index: u16,
        count: u16,
        payload: Vec<u8>,
        max_message_size: usize,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) {
        let number = if self.sequenced {
            self.is_newest(group)
        } else {
            expand(group, self.newest.unwrap_or(NUMBER_ORIGIN))
        };
        let Some(number) = number else {
            pool.give(payload);
            return;
        };
        if !self.sequenced {
            self.newest = self.newest.max(Some(number));
        }
        let incomplete = self.incomplete.entry(number).or_insert_with(|| Incomplete {
            count,
            pieces: BTreeMap::new(),
            bytes: 0,
            since: now,
        });
        let grown = payload.len() + ENTRY_OVERHEAD;
        if incomplete.count != count
            || incomplete.pieces.contains_key(&index)
            || incomplete.bytes + payload.len() > max_message_size
        {
            pool.give(payload);
            self.remove_if_empty(number);
            return;
        }
        incomplete.bytes += payload.len();
        incomplete.pieces.insert(index, payload);
        self.held_bytes += grown;
        if incomplete.pieces.len() == usize::from(count) {
            self.complete(number, pool, deliver);
        } else if self.incomplete.len() > MAX_INCOMPLETE {
            self.drop_oldest(pool);
        }
    }

    /// Drops messages that have waited too long; gives how many.
    pub(crate) fn expire(&mut self, now: Instant, pool: &mut BufferPool) -> u64 {
        let mut expired = 0;
        while let Some((number, _)) =
            self.incomplete.iter().find(|(_, incomplete)| now - incomplete.since >= PIECE_LIFETIME)
        {
            let number = *number;
            self.discard(number, pool);
            expired += 1;
        }
        expired
    }

    pub(crate) const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// The whole number, if nothing as new was delivered.
    fn is_newest(&self, number: u16) -> Option<u64> {
        let number = expand(number, self.newest.unwrap_or(NUMBER_ORIGIN))?;
        self.newest.is_none_or(|newest| number > newest).then_some(number)
    }

    fn complete(&mut self, number: u64, pool: &mut BufferPool, deliver: &mut impl FnMut(Vec<u8>)) {
        let Some(incomplete) = self.take(number) else { return };
        let mut message = Vec::with_capacity(incomplete.bytes);
        for piece in incomplete.pieces.into_values() {
            message.extend_from_slice(&piece);
            pool.give(piece);
        }
        if self.sequenced {
            self.newest = Some(number);
            self.forget_older(number, pool);
        }
        deliver(message);
    }

    fn forget_older(&mut self, number: u64, pool: &mut BufferPool) {
        while let Some((&older, _)) = self.incomplete.first_key_value().filter(|(n, _)| **n <= number) {
            self.discard(older, pool);
        }
    }

    fn drop_oldest(&mut self, pool: &mut BufferPool) {
        let oldest = self.incomplete.iter().min_by_key(|(_, incomplete)| incomplete.since);
        if let Some(number) = oldest.map(|(number, _)| *number) {
            self.discard(number, pool);
        }
    }

    fn discard(&mut self, number: u64, pool: &mut BufferPool) {
        if let Some(incomplete) = self.take(number) {
            incomplete.pieces.into_values().for_each(|piece| pool.give(piece));
        }
    }

    fn remove_if_empty(&mut self, number: u64) {
        if self.incomplete.get(&number).is_some_and(|incomplete| incomplete.pieces.is_empty()) {
            self.incomplete.remove(&number);
        }
    }

    fn take(&mut self, number: u64) -> Option<Incomplete> {
        let incomplete = self.incomplete.remove(&number)?;
        self.held_bytes -= incomplete.bytes + incomplete.pieces.len() * ENTRY_OVERHEAD;
        Some(incomplete)
    }
}

/// Where numbers of 16 bits begin when they are made whole: high enough that one before the first is no problem.
const NUMBER_ORIGIN: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_SIZE: usize = 10_000;

    fn now(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    fn sent(sender: &mut UnreliableSender) -> Vec<(Numbering, Vec<u8>)> {
        std::iter::from_fn(|| Some((sender.peek()?.0, sender.take()?))).collect()
    }

    fn receive(receiver: &mut UnreliableReceiver, at: Instant, entry: (Numbering, Vec<u8>)) -> Vec<Vec<u8>> {
        let (mut pool, mut got) = (BufferPool::default(), Vec::new());
        let mut deliver = |message| got.push(message);
        match entry.0 {
            Numbering::Sequenced(n) => receiver.accept_sequenced(n, entry.1, &mut pool, &mut deliver),
            Numbering::Piece { group, index, count } => {
                receiver.accept_piece(at, group, index, count, entry.1, MAX_SIZE, &mut pool, &mut deliver);
            }
            _ => deliver(entry.1),
        }
        got
    }

    #[test]
    fn pieces_in_any_order_are_all_or_nothing() {
        let (mut sender, mut pool) = (UnreliableSender::new(false), BufferPool::default());
        let message: Vec<u8> = (0..=255).cycle().take(950).collect();
        sender.push(&message, 100, 100_000, &mut pool);
        let mut pieces = sent(&mut sender);
        assert_eq!(pieces.len(), 10);
        pieces.reverse();
        let last = pieces.pop().unwrap();
        let mut receiver = UnreliableReceiver::new(false);
        for piece in pieces {
            assert!(receive(&mut receiver, now(0), piece).is_empty());
        }
        assert_eq!(receive(&mut receiver, now(0), last), [message]);
        assert_eq!(receiver.held_bytes(), 0);
    }

    #[test]
    fn b5_pieces_time_out_and_are_bounded() {
        let mut receiver = UnreliableReceiver::new(false);
        for group in 0..10_000_u16 {
            receive(&mut receiver, now(0), (Numbering::Piece { group, index: 0, count: 9 }, vec![0; 100]));
            assert!(receiver.incomplete.len() <= MAX_INCOMPLETE);
        }
        assert_eq!(receiver.held_bytes(), MAX_INCOMPLETE * (100 + ENTRY_OVERHEAD));
        assert_eq!(receiver.expire(now(2_999), &mut BufferPool::default()), 0);
        assert_eq!(receiver.expire(now(3_000), &mut BufferPool::default()), MAX_INCOMPLETE as u64);
        assert_eq!(receiver.held_bytes(), 0);
    }

    #[test]
    fn b5_pieces_that_contradict_each_other_are_dropped() {
        let mut receiver = UnreliableReceiver::new(false);
        let piece = |index, count| (Numbering::Piece { group: 1, index, count }, vec![1]);
        receive(&mut receiver, now(0), piece(0, 3));
        assert!(receive(&mut receiver, now(0), piece(1, 2)).is_empty(), "another count");
        assert!(receive(&mut receiver, now(0), piece(0, 3)).is_empty(), "twice");
        receive(&mut receiver, now(0), piece(1, 3));
        assert_eq!(receive(&mut receiver, now(0), piece(2, 3)), [[1, 1, 1]]);
    }

    #[test]
    fn a_sequenced_channel_never_goes_back() {
        let mut receiver = UnreliableReceiver::new(true);
        let whole = |n| (Numbering::Sequenced(n), vec![n as u8]);
        receive(&mut receiver, now(0), (Numbering::Piece { group: 4, index: 0, count: 2 }, vec![9]));
        assert_eq!(receive(&mut receiver, now(0), whole(5)), [[5]]);
        assert!(receive(&mut receiver, now(0), whole(3)).is_empty());
        assert!(receive(&mut receiver, now(0), whole(5)).is_empty());
        assert_eq!(receiver.held_bytes(), 0, "the older pieces are of no use any more");
        assert_eq!(receive(&mut receiver, now(0), whole(6)), [[6]]);
    }

    #[test]
    fn c2_numbers_wrap() {
        let (mut sender, mut pool) = (UnreliableSender::new(true), BufferPool::default());
        let mut receiver = UnreliableReceiver::new(true);
        for round in 0..200_000_u32 {
            sender.push(&round.to_le_bytes(), 100, 1_000, &mut pool);
            let entry = sent(&mut sender).remove(0);
            if round % 5 != 0 {
                assert_eq!(receive(&mut receiver, now(0), entry), [round.to_le_bytes()]);
            }
        }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_whole() {
        let (mut sender, mut pool) = (UnreliableSender::new(false), BufferPool::default());
        assert_eq!(sender.push(&[1; 300], 100, 700, &mut pool), 0);
        assert_eq!(sender.push(&[2; 50], 100, 700, &mut pool), 0);
        assert_eq!(sender.push(&[3; 100], 100, 700, &mut pool), 1, "all three pieces of the first");
        assert_eq!(sender.queued_bytes(), 150 + 2 * ENTRY_OVERHEAD);
        assert_eq!(sent(&mut sender).len(), 2);
    }
}
