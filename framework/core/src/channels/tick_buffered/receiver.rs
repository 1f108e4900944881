use std::collections::BTreeMap;

use super::super::{BufferPool, ENTRY_OVERHEAD};
use super::report::Tally;
use crate::Instant;
use crate::acks::{Arrival, ReceivedPackets};

/// Messages that wait for their tick. Copies of one that came are recognized by its number.
#[derive(Debug)]
pub(crate) struct TickReceiver {
    /// By tick, and in it by number. A message of several pieces has consecutive numbers.
    waiting: BTreeMap<(u64, u64), Held>,
    numbers: ReceivedPackets,
    held_bytes: usize,
    pub(crate) tally: Tally,
}

#[derive(Debug)]
struct Held {
    payload: Vec<u8>,
    first: bool,
    last: bool,
}

/// An entry, and when it came as seen from the ticks of this side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickArrival {
    pub(crate) number: u16,
    pub(crate) first: bool,
    pub(crate) last: bool,
    /// The tick that it was made for, and the one that this side is in.
    pub(crate) tick: u64,
    pub(crate) now: u64,
    /// How far ahead its tick is, in 64ths.
    pub(crate) slack: i16,
    /// How many ticks ahead it may be.
    pub(crate) most_ahead: u64,
}

impl TickReceiver {
    pub(crate) const fn new() -> Self {
        Self { waiting: BTreeMap::new(), numbers: ReceivedPackets::new(), held_bytes: 0, tally: Tally::new() }
    }

    pub(crate) fn accept(
        &mut self,
        now: Instant,
        arrival: TickArrival,
        payload: Vec<u8>,
        pool: &mut BufferPool,
    ) {
        let Arrival::New(number) = self.numbers.classify(arrival.number) else {
            pool.give(payload);
            return;
        };
        self.numbers.insert(number, now);
        let (is_late, is_early) =
            (arrival.tick <= arrival.now, arrival.tick > arrival.now + arrival.most_ahead);
        // A message of several pieces counts once.
        if arrival.last {
            self.tally.count(arrival.slack, is_late, is_early);
        }
        if is_late || is_early {
            pool.give(payload);
            return;
        }
        self.held_bytes += payload.len() + ENTRY_OVERHEAD;
        let held = Held { payload, first: arrival.first, last: arrival.last };
        self.waiting.insert((arrival.tick, number), held);
    }

    /// The next message made for `tick`, or for an earlier one that was never asked for. What is left of messages
    /// that did not arrive whole is dropped, and counted in `incomplete`.
    pub(crate) fn next_due(
        &mut self,
        tick: u64,
        max_message_size: usize,
        pool: &mut BufferPool,
        incomplete: &mut u64,
    ) -> Option<Vec<u8>> {
        let mut message: Option<(u64, Vec<u8>)> = None;
        while let Some((&(of_tick, number), held)) = self.waiting.first_key_value() {
            // The first tick that is not asked for, or the beginning of the next message.
            let (first, len) = (held.first, held.payload.len());
            if of_tick > tick || (first && message.is_some()) {
                break;
            }
            let Some((_, held)) = self.waiting.pop_first() else { break };
            self.held_bytes -= len + ENTRY_OVERHEAD;
            let follows = match message.take() {
                None if first => Some(held.payload),
                Some((before, mut message))
                    if before + 1 == number && message.len() + len <= max_message_size =>
                {
                    message.extend_from_slice(&held.payload);
                    pool.give(held.payload);
                    Some(message)
                }
                _ => None,
            };
            match follows {
                Some(message) if held.last => return Some(message),
                Some(piece) => message = Some((number, piece)),
                // A piece without those before it: the message cannot be whole any more.
                None => *incomplete += u64::from(held.last),
            }
        }
        if message.is_some() {
            *incomplete += 1;
            return self.next_due(tick, max_message_size, pool, incomplete);
        }
        None
    }

    pub(crate) const fn held_bytes(&self) -> usize {
        self.held_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(number: u16, tick: u64) -> TickArrival {
        TickArrival { number, first: true, last: true, tick, now: 100, slack: 32, most_ahead: 40 }
    }

    fn due(receiver: &mut TickReceiver, tick: u64) -> (Vec<Vec<u8>>, u64) {
        let (mut pool, mut incomplete) = (BufferPool::default(), 0);
        let messages =
            std::iter::from_fn(|| receiver.next_due(tick, 1_000, &mut pool, &mut incomplete)).collect();
        (messages, incomplete)
    }

    fn accept(receiver: &mut TickReceiver, arrival: TickArrival, payload: &[u8]) {
        receiver.accept(Instant::ZERO, arrival, payload.to_vec(), &mut BufferPool::default());
    }

    #[test]
    fn at_its_tick_in_the_order_of_sending_and_once() {
        let mut receiver = TickReceiver::new();
        for (number, tick) in [(3, 102), (1, 101), (2, 101), (2, 101), (1, 101)] {
            accept(&mut receiver, arrival(number, tick), &[number as u8]);
        }
        assert_eq!(due(&mut receiver, 101).0, [[1], [2]]);
        accept(&mut receiver, arrival(1, 101), &[1]);
        assert_eq!(due(&mut receiver, 102).0, [[3]]);
        assert_eq!(receiver.held_bytes(), 0);
        assert_eq!(
            (receiver.tally.on_time, receiver.tally.late),
            (3, 0),
            "a copy that comes late is not late"
        );
    }

    #[test]
    fn late_and_early_ones_are_counted_and_dropped() {
        let mut receiver = TickReceiver::new();
        accept(&mut receiver, arrival(1, 100), &[1]);
        accept(&mut receiver, arrival(2, 141), &[2]);
        accept(&mut receiver, arrival(3, 140), &[3]);
        let tally = receiver.tally;
        assert_eq!((tally.on_time, tally.late, tally.early), (1, 1, 1));
        assert_eq!(due(&mut receiver, 200).0, [[3]]);
    }

    #[test]
    fn all_pieces_or_nothing() {
        let mut receiver = TickReceiver::new();
        let piece = |number, first, last| TickArrival { first, last, ..arrival(number, 101) };
        accept(&mut receiver, piece(2, false, false), b"b");
        accept(&mut receiver, piece(1, true, false), b"a");
        accept(&mut receiver, piece(3, false, true), b"c");
        // The middle of the second is missing; of the third the beginning; of the fourth the end.
        accept(&mut receiver, piece(4, true, false), b"x");
        accept(&mut receiver, piece(6, false, true), b"x");
        accept(&mut receiver, piece(8, false, true), b"x");
        accept(&mut receiver, piece(9, true, false), b"x");
        accept(&mut receiver, piece(12, true, true), b"d");
        assert_eq!(due(&mut receiver, 101), (vec![b"abc".to_vec(), b"d".to_vec()], 3));
        assert_eq!(receiver.held_bytes(), 0);
    }

    #[test]
    fn b5_pieces_without_end_stop_at_the_largest_message() {
        let mut receiver = TickReceiver::new();
        for number in 1..=20 {
            let piece = TickArrival { first: number == 1, last: number == 20, ..arrival(number, 101) };
            accept(&mut receiver, piece, &[0; 100]);
        }
        assert_eq!(due(&mut receiver, 101), (vec![], 1));
        assert_eq!(receiver.held_bytes(), 0);
    }
}
