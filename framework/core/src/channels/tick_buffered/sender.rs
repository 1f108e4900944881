use std::collections::VecDeque;

use super::super::{BufferPool, ENTRY_OVERHEAD};
use crate::packet::Numbering;

/// How many ticks before that of its packet a message may have been made: what its six bits can say.
pub(crate) const MAX_TICKS_BACK: u64 = 63;

/// Messages that go out once a tick until they are acknowledged, so and so often at most.
#[derive(Debug)]
pub(crate) struct TickSender {
    /// How often each goes out.
    copies: u8,
    entries: VecDeque<Outgoing>,
    /// The number of the first of `entries`; they count from 1.
    first: u64,
    /// The number of the first that may still go out in this tick.
    next: u64,
    /// The tick that messages are made for and packets are stamped with; it does not wrap.
    now: u64,
    queued_bytes: usize,
}

#[derive(Debug)]
struct Outgoing {
    payload: Vec<u8>,
    tick: u64,
    is_first: bool,
    is_last: bool,
    copies: u8,
    acked: bool,
}

impl TickSender {
    pub(crate) const fn new(copies: u8) -> Self {
        Self { copies, entries: VecDeque::new(), first: 1, next: 1, now: 0, queued_bytes: 0 }
    }

    /// Messages are made for this tick from now on, and packets stamped with it. Gives how many messages were never sent and are too old now.
    pub(crate) fn set_tick(&mut self, tick: u64, pool: &mut BufferPool) -> usize {
        if tick == self.now {
            return 0;
        }
        self.now = tick;
        let mut dropped = 0;
        while let Some(entry) = self.entries.front() {
            // The clock may have been set back: what was made for a tick ahead is of no use.
            let is_useless = self.now.checked_sub(entry.tick).is_none_or(|back| back > MAX_TICKS_BACK);
            let is_done = entry.acked || entry.copies >= self.copies;
            if !is_useless && !is_done {
                break;
            }
            dropped += usize::from(entry.copies == 0 && entry.is_last && !entry.acked);
            self.drop_front(pool);
        }
        self.next = self.first;
        dropped
    }

    /// Queues a message; gives how many older ones had to go for it.
    pub(crate) fn push(
        &mut self,
        message: &[u8],
        piece_bytes: usize,
        queue_bytes: usize,
        pool: &mut BufferPool,
    ) -> usize {
        let pieces = message.len().div_ceil(piece_bytes).max(1);
        let mut dropped = 0;
        while self.queued_bytes + message.len() + pieces * ENTRY_OVERHEAD > queue_bytes {
            if self.entries.is_empty() {
                break;
            }
            while self.entries.front().is_some_and(|entry| !entry.is_last) {
                self.drop_front(pool);
            }
            self.drop_front(pool);
            dropped += 1;
        }
        let mut rest = message;
        let mut is_first = true;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(piece_bytes));
            let is_last = after.is_empty();
            self.queued_bytes += piece.len() + ENTRY_OVERHEAD;
            let (payload, tick) = (pool.copy(piece), self.now);
            self.entries.push_back(Outgoing { payload, tick, is_first, is_last, copies: 0, acked: false });
            if is_last {
                return dropped;
            }
            rest = after;
            is_first = false;
        }
    }

    pub(crate) fn peek(&self) -> Option<(Numbering, usize)> {
        let (number, entry) = self.candidate()?;
        let back = self.now.checked_sub(entry.tick)? as u8;
        let (first, last) = (entry.is_first, entry.is_last);
        Some((Numbering::Tick { number: number as u16, back, first, last }, entry.payload.len()))
    }

    pub(crate) fn take(&mut self) -> Option<u64> {
        let (number, _) = self.candidate()?;
        self.next = number + 1;
        let entry = self.entries.get_mut((number - self.first) as usize)?;
        entry.copies = entry.copies.saturating_add(1);
        Some(number)
    }

    pub(crate) fn payload(&self, number: u64) -> &[u8] {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.entries.get(index)).map_or(&[], |entry| &entry.payload)
    }

    pub(crate) fn acked(&mut self, number: u64, pool: &mut BufferPool) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) else { return };
        entry.acked = true;
        while self.entries.front().is_some_and(|entry| entry.acked) {
            self.drop_front(pool);
        }
    }

    pub(crate) const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// The next entry that has not gone out in this tick, and its number.
    fn candidate(&self) -> Option<(u64, &Outgoing)> {
        let skipped = self.next.saturating_sub(self.first);
        (self.first + skipped..)
            .zip(self.entries.iter().skip(usize::try_from(skipped).ok()?))
            .find(|(_, entry)| !entry.acked && entry.copies < self.copies && entry.tick <= self.now)
    }

    fn drop_front(&mut self, pool: &mut BufferPool) {
        if let Some(entry) = self.entries.pop_front() {
            self.queued_bytes -= entry.payload.len() + ENTRY_OVERHEAD;
            pool.give(entry.payload);
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: usize = 1 << 20;

    /// What goes out now: number and ticks back.
    fn flush(sender: &mut TickSender) -> Vec<(u16, u8)> {
        let mut sent = Vec::new();
        while let Some((Numbering::Tick { number, back, .. }, _)) = sender.peek() {
            sender.take().unwrap();
            sent.push((number, back));
        }
        sent
    }

    #[test]
    fn each_goes_out_once_a_tick_and_so_often_at_most() {
        let (mut sender, mut pool) = (TickSender::new(3), BufferPool::default());
        let mut seen = Vec::new();
        for tick in 10..16 {
            sender.set_tick(tick, &mut pool);
            if tick < 12 {
                sender.push(b"steer", 1_000, QUEUE, &mut pool);
            }
            seen.push(flush(&mut sender));
            assert!(flush(&mut sender).is_empty(), "once a tick");
        }
        let expected: [&[_]; 6] = [&[(1, 0)], &[(1, 1), (2, 0)], &[(1, 2), (2, 1)], &[(2, 2)], &[], &[]];
        assert_eq!(seen, expected);
        assert_eq!(sender.queued_bytes(), 0);
    }

    #[test]
    fn what_is_acknowledged_does_not_go_out_again() {
        let (mut sender, mut pool) = (TickSender::new(3), BufferPool::default());
        sender.set_tick(1, &mut pool);
        sender.push(b"a", 1_000, QUEUE, &mut pool);
        sender.push(b"b", 1_000, QUEUE, &mut pool);
        flush(&mut sender);
        sender.acked(1, &mut pool);
        sender.acked(7, &mut pool);
        sender.set_tick(2, &mut pool);
        assert_eq!(flush(&mut sender), [(2, 1)]);
    }

    #[test]
    fn ticks_that_come_together_keep_their_messages_apart() {
        let (mut sender, mut pool) = (TickSender::new(2), BufferPool::default());
        for tick in 5..=9 {
            sender.set_tick(tick, &mut pool);
            sender.push(b"x", 1_000, QUEUE, &mut pool);
        }
        assert_eq!(flush(&mut sender), [(1, 4), (2, 3), (3, 2), (4, 1), (5, 0)]);
    }

    #[test]
    fn a_full_queue_drops_the_oldest_whole() {
        let (mut sender, mut pool) = (TickSender::new(3), BufferPool::default());
        sender.set_tick(1, &mut pool);
        assert_eq!(sender.push(&[1; 2_500], 1_000, 4_000, &mut pool), 0);
        assert_eq!(sender.push(&[2; 1_500], 1_000, 4_000, &mut pool), 1);
        assert_eq!(flush(&mut sender).len(), 2);
        assert_eq!(sender.queued_bytes(), 1_500 + 2 * ENTRY_OVERHEAD);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_what_was_made_ahead_with_it() {
        let (mut sender, mut pool) = (TickSender::new(3), BufferPool::default());
        sender.set_tick(100, &mut pool);
        sender.push(b"x", 1_000, QUEUE, &mut pool);
        assert_eq!(sender.set_tick(50, &mut pool), 1);
        assert!(flush(&mut sender).is_empty());
    }
}
