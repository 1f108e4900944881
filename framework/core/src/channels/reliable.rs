use std::collections::VecDeque;
use std::time::Duration;

use super::{BufferPool, ENTRY_OVERHEAD, QueueFull, Violation};
use crate::Instant;
use crate::acks::expand;
use crate::packet::Numbering;
use crate::protocol::Mode;

/// How many entries may be under way beyond the oldest unacknowledged one. The receiver holds as many.
pub(crate) const RELIABLE_WINDOW: u64 = 512;

/// What may ride along again before it is known to be lost: messages of commands' and chat's size, not pieces of bulk.
const MAX_RIDER: usize = 256;

/// How entries ride along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rides {
    /// How often each may.
    pub(crate) most: u8,
    /// How long after it was last sent.
    pub(crate) spacing: Duration,
}

/// Messages that are sent until they are acknowledged. A message longer than a packet is several entries with
/// consecutive numbers.
#[derive(Debug)]
pub(crate) struct ReliableSender {
    /// Entries from the oldest unacknowledged one on.
    entries: VecDeque<Outgoing>,
    /// The number of the first of `entries`.
    first: u64,
    /// The number of the first entry that was never sent.
    unsent: u64,
    /// How many entries wait to be sent again.
    lost: usize,
    queued_bytes: usize,
}

#[derive(Debug)]
struct Outgoing {
    payload: Vec<u8>,
    is_first: bool,
    is_last: bool,
    state: State,
    /// How many packets with it are undecided.
    copies: u8,
    /// How often it has ridden along with others.
    rides: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unsent,
    InFlight { sent_at: Instant },
    Lost,
    Acked,
}

impl ReliableSender {
    pub(crate) const fn new() -> Self {
        Self { entries: VecDeque::new(), first: 0, unsent: 0, lost: 0, queued_bytes: 0 }
    }

    pub(crate) fn push(
        &mut self,
        message: &[u8],
        piece_bytes: usize,
        queue_bytes: usize,
        pool: &mut BufferPool,
    ) -> Result<(), QueueFull> {
        let entries = message.len().div_ceil(piece_bytes).max(1);
        let cost = message.len() + entries * ENTRY_OVERHEAD;
        if self.queued_bytes + cost > queue_bytes {
            return Err(QueueFull::Bytes);
        }
        self.queued_bytes += cost;
        let mut rest = message;
        let mut is_first = true;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(piece_bytes));
            let is_last = after.is_empty();
            self.entries.push_back(Outgoing {
                payload: pool.copy(piece),
                is_first,
                is_last,
                state: State::Unsent,
                copies: 0,
                rides: 0,
            });
            if is_last {
                return Ok(());
            }
            rest = after;
            is_first = false;
        }
    }

    /// The oldest lost entry, or the next one that was never sent, within the window.
    pub(crate) fn peek(&self) -> Option<(Numbering, usize)> {
        let number = self.next_to_send()?;
        let entry = self.entry(number)?;
        let numbering =
            Numbering::Reliable { number: number as u16, first: entry.is_first, last: entry.is_last };
        Some((numbering, entry.payload.len()))
    }

    pub(crate) fn take(&mut self, now: Instant) -> Option<u64> {
        let number = self.next_to_send()?;
        if number == self.unsent {
            self.unsent += 1;
        } else {
            self.lost -= 1;
        }
        let entry = self.entry_mut(number)?;
        entry.state = State::InFlight { sent_at: now };
        entry.copies = entry.copies.saturating_add(1);
        Some(number)
    }

    /// The oldest small entry that may ride along now.
    pub(crate) fn peek_ride(&self, now: Instant, rides: Rides) -> Option<(u64, Numbering, usize)> {
        let may_ride = |entry: &Outgoing| match entry.state {
            State::InFlight { sent_at } => {
                now - sent_at >= rides.spacing && entry.rides < rides.most && entry.payload.len() <= MAX_RIDER
            }
            _ => false,
        };
        let index = self.in_flight_range().position(may_ride)?;
        let (number, entry) = (self.first + index as u64, self.entries.get(index)?);
        let numbering =
            Numbering::Reliable { number: number as u16, first: entry.is_first, last: entry.is_last };
        Some((number, numbering, entry.payload.len()))
    }

    /// Takes the entry that [`peek_ride`](Self::peek_ride) showed.
    pub(crate) fn ride(&mut self, number: u64, now: Instant) {
        if let Some(entry) = self.entry_mut(number) {
            entry.state = State::InFlight { sent_at: now };
            entry.copies = entry.copies.saturating_add(1);
            entry.rides += 1;
        }
    }

    pub(crate) fn payload(&self, number: u64) -> &[u8] {
        self.entry(number).map_or(&[], |entry| &entry.payload)
    }

    pub(crate) fn acked(&mut self, number: u64, pool: &mut BufferPool) {
        let Some(entry) = self.entry_mut(number) else { return };
        if entry.state == State::Acked {
            return;
        }
        let was_lost = entry.state == State::Lost;
        entry.state = State::Acked;
        let payload = std::mem::take(&mut entry.payload);
        self.lost -= usize::from(was_lost);
        self.queued_bytes -= payload.len() + ENTRY_OVERHEAD;
        pool.give(payload);
        while self.entries.front().is_some_and(|entry| entry.state == State::Acked) {
            self.entries.pop_front();
            self.first += 1;
        }
    }

    /// A packet with this entry was lost. If it is on its way in another, that one counts.
    pub(crate) fn lost(&mut self, number: u64) {
        let Some(entry) = self.entry_mut(number) else { return };
        entry.copies = entry.copies.saturating_sub(1);
        if entry.copies == 0 && matches!(entry.state, State::InFlight { .. }) {
            entry.state = State::Lost;
            // Who has waited a round trip in vain, and others behind it, shall not wait for another one.
            entry.rides = 0;
            self.lost += 1;
        }
    }

    pub(crate) fn oldest_in_flight(&self) -> Option<Instant> {
        self.in_flight_range().find_map(|entry| match entry.state {
            State::InFlight { sent_at } => Some(sent_at),
            _ => None,
        })
    }

    pub(crate) fn probe(&mut self, count: usize) {
        let sent = (self.unsent - self.first) as usize;
        let mut probed = 0;
        for entry in self.entries.iter_mut().take(sent) {
            if matches!(entry.state, State::InFlight { .. }) {
                entry.state = State::Lost;
                probed += 1;
                if probed == count {
                    break;
                }
            }
        }
        self.lost += probed;
    }

    pub(crate) const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    fn next_to_send(&self) -> Option<u64> {
        if self.lost > 0 {
            let lost = self.in_flight_range().position(|entry| entry.state == State::Lost)?;
            return Some(self.first + lost as u64);
        }
        let waits = self.unsent < self.first + self.entries.len() as u64;
        (waits && self.unsent < self.first + RELIABLE_WINDOW).then_some(self.unsent)
    }

    fn in_flight_range(&self) -> impl Iterator<Item = &Outgoing> {
        self.entries.iter().take((self.unsent - self.first) as usize)
    }

    fn entry(&self, number: u64) -> Option<&Outgoing> {
        self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn entry_mut(&mut self, number: u64) -> Option<&mut Outgoing> {
        self.entries.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
}

/// Entries until they can be delivered: all of a message, and on an ordered channel all before it.
#[derive(Debug)]
pub(crate) struct ReliableReceiver {
    mode: Mode,
    /// The number of the first of `slots`: everything before it has arrived and gone.
    first: u64,
    slots: VecDeque<Slot>,
    /// On an ordered channel, the pieces of the message at `first` that have already arrived in order.
    assembly: Option<Vec<u8>>,
    /// On a sequenced channel, the number of the newest message that was delivered.
    newest: Option<u64>,
    held_bytes: usize,
}

#[derive(Debug)]
enum Slot {
    Missing,
    Held { payload: Vec<u8>, first: bool, last: bool },
    Gone,
}

impl ReliableReceiver {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self { mode, first: 0, slots: VecDeque::new(), assembly: None, newest: None, held_bytes: 0 }
    }

    /// Whether an entry with this number would have to wait for one before it.
    pub(crate) fn must_hold(&self, number: u16) -> bool {
        expand(number, self.first).is_some_and(|number| number > self.first)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an entry is what it is; the rest is the receiver's surroundings"
    )]
    pub(crate) fn accept(
        &mut self,
        number: u16,
        first: bool,
        last: bool,
        payload: Vec<u8>,
        max_message_size: usize,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) -> Result<(), Violation> {
        let offset = expand(number, self.first).and_then(|number| number.checked_sub(self.first));
        let Some(offset) = offset else {
            // Before the window: it came already, and was acknowledged in a packet that got lost.
            pool.give(payload);
            return Ok(());
        };
        if offset >= RELIABLE_WINDOW {
            return Err(Violation);
        }
        let index = offset as usize;
        while self.slots.len() <= index {
            self.slots.push_back(Slot::Missing);
        }
        let Some(slot @ Slot::Missing) = self.slots.get_mut(index) else {
            pool.give(payload);
            return Ok(());
        };
        self.held_bytes += payload.len() + ENTRY_OVERHEAD;
        *slot = Slot::Held { payload, first, last };
        if matches!(self.mode, Mode::OrderedReliable | Mode::EntityControl) {
            self.deliver_in_order(max_message_size, pool, deliver)
        } else {
            self.deliver_around(index, max_message_size, pool, deliver)
        }
    }

    pub(crate) const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Ordered: whatever is complete from the front on.
    fn deliver_in_order(
        &mut self,
        max_message_size: usize,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) -> Result<(), Violation> {
        while let Some(Slot::Held { .. }) = self.slots.front() {
            let Some(Slot::Held { payload, first, last }) = self.slots.pop_front() else { break };
            self.first += 1;
            self.held_bytes -= ENTRY_OVERHEAD;
            match (self.assembly.take(), first) {
                (None, true) if last => {
                    self.held_bytes -= payload.len();
                    deliver(payload);
                }
                (None, true) => self.assembly = Some(payload),
                (Some(mut message), false) => {
                    message.extend_from_slice(&payload);
                    pool.give(payload);
                    if message.len() > max_message_size {
                        return Err(Violation);
                    }
                    if last {
                        self.held_bytes -= message.len();
                        deliver(message);
                    } else {
                        self.assembly = Some(message);
                    }
                }
                (None, false) | (Some(_), true) => return Err(Violation),
            }
        }
        Ok(())
    }

    /// Unordered and sequenced: the message that the entry at `index` completes, if it does.
    fn deliver_around(
        &mut self,
        index: usize,
        max_message_size: usize,
        pool: &mut BufferPool,
        deliver: &mut impl FnMut(Vec<u8>),
    ) -> Result<(), Violation> {
        let is = |slot: &Slot, want_first: bool, want_last: bool| match slot {
            Slot::Held { first, last, .. } => Some((want_first && *first) || (want_last && *last)),
            _ => None,
        };
        let mut start = index;
        loop {
            match self.slots.get(start).and_then(|slot| is(slot, true, false)) {
                Some(true) => break,
                Some(false) if start > 0 => start -= 1,
                // The beginning is missing; a piece at the very front of the window without one cannot be.
                Some(false) => return Err(Violation),
                None => return Ok(()),
            }
        }
        let mut end = index;
        loop {
            match self.slots.get(end).and_then(|slot| is(slot, false, true)) {
                Some(true) => break,
                Some(false) => end += 1,
                None => return Ok(()),
            }
        }
        let mut message: Option<Vec<u8>> = None;
        for slot in self.slots.range_mut(start..=end) {
            if let Slot::Held { payload, first, .. } = std::mem::replace(slot, Slot::Gone) {
                self.held_bytes -= payload.len() + ENTRY_OVERHEAD;
                match &mut message {
                    None => message = Some(payload),
                    Some(_) if first => return Err(Violation),
                    Some(message) => {
                        message.extend_from_slice(&payload);
                        pool.give(payload);
                    }
                }
            }
        }
        let number = self.first + start as u64;
        while let Some(Slot::Gone) = self.slots.front() {
            self.slots.pop_front();
            self.first += 1;
        }
        let Some(message) = message else { return Ok(()) };
        if message.len() > max_message_size {
            return Err(Violation);
        }
        let outdated =
            self.mode == Mode::SequencedReliable && self.newest.is_some_and(|newest| newest > number);
        if outdated {
            pool.give(message);
        } else {
            self.newest = Some(number);
            deliver(message);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX_SIZE: usize = 1 << 18;

    fn accept(
        receiver: &mut ReliableReceiver,
        entry: &(u16, bool, bool, Vec<u8>),
        got: &mut Vec<Vec<u8>>,
    ) -> Result<(), Violation> {
        let (number, first, last, payload) = entry.clone();
        let mut deliver = |message| got.push(message);
        receiver.accept(number, first, last, payload, MAX_SIZE, &mut BufferPool::default(), &mut deliver)
    }

    proptest! {
        /// Any messages, any losses, any order of arrival, doubled or not: the promise of each mode.
        #[test]
        fn c1_each_mode_keeps_its_promise(
            sizes in prop::collection::vec(0_usize..300, 1..60),
            chances in prop::collection::vec((0_u8..10, 0_usize..8), 3_000),
            mode in prop_oneof![Just(Mode::OrderedReliable), Just(Mode::UnorderedReliable), Just(Mode::SequencedReliable)],
        ) {
            let mut pool = BufferPool::default();
            let (mut sender, mut receiver) = (ReliableSender::new(), ReliableReceiver::new(mode));
            let messages: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(i, size)| {
                let mut message = (i as u32).to_le_bytes().to_vec();
                message.resize(4 + size, i as u8);
                message
            }).collect();
            for message in &messages {
                sender.push(message, 100, 1 << 20, &mut pool).unwrap();
            }
            let (mut got, mut wire, mut chances) = (Vec::new(), VecDeque::new(), chances.into_iter().cycle());
            while sender.queued_bytes() > 0 {
                while let Some((Numbering::Reliable { number, first, last }, _)) = sender.peek() {
                    let whole = sender.take(Instant::ZERO).unwrap();
                    wire.push_back((whole, (number, first, last, sender.payload(whole).to_vec())));
                }
                let (chance, place) = chances.next().unwrap();
                if wire.is_empty() { break; }
                let (whole, entry) = wire.remove(place % wire.len()).unwrap();
                if chance < 3 {
                    sender.lost(whole);
                    continue;
                }
                accept(&mut receiver, &entry, &mut got).unwrap();
                if chance < 5 {
                    accept(&mut receiver, &entry, &mut got).unwrap();
                }
                sender.acked(whole, &mut pool);
            }
            prop_assert_eq!(sender.queued_bytes(), 0);
            prop_assert_eq!(receiver.held_bytes(), 0);
            match mode {
                Mode::OrderedReliable => prop_assert_eq!(got, messages),
                Mode::UnorderedReliable => {
                    got.sort();
                    let mut expected = messages.clone();
                    expected.sort();
                    prop_assert_eq!(got, expected);
                }
                _ => {
                    let index = |m: &Vec<u8>| u32::from_le_bytes(*m.first_chunk().unwrap());
                    prop_assert!(got.iter().map(index).is_sorted_by(|a, b| a < b));
                    prop_assert_eq!(got.last(), messages.last());
                }
            }
        }
    }

    #[test]
    fn b5_what_no_sender_sends_is_a_violation() {
        for mode in [Mode::OrderedReliable, Mode::UnorderedReliable] {
            let mut got = Vec::new();
            let mut receiver = ReliableReceiver::new(mode);
            let far = RELIABLE_WINDOW as u16;
            assert_eq!(
                accept(&mut receiver, &(far, true, true, vec![]), &mut got),
                Err(Violation),
                "beyond the window"
            );
            assert_eq!(
                accept(&mut receiver, &(0, false, true, vec![]), &mut got),
                Err(Violation),
                "an end without a start"
            );
            let mut receiver = ReliableReceiver::new(mode);
            accept(&mut receiver, &(0, true, false, vec![1]), &mut got).unwrap();
            assert_eq!(
                accept(&mut receiver, &(1, true, true, vec![2]), &mut got).is_err(),
                mode == Mode::OrderedReliable
            );
        }
        let mut receiver = ReliableReceiver::new(Mode::OrderedReliable);
        let mut endless = (0_u16..).map(|n| (n, n == 0, false, vec![0; 1_000]));
        let outcome =
            endless.by_ref().take(300).try_for_each(|entry| accept(&mut receiver, &entry, &mut vec![]));
        assert_eq!(outcome, Err(Violation), "a message larger than the largest");
    }

    #[test]
    fn a_full_queue_says_so_and_keeps_what_it_has() {
        let (mut sender, mut pool) = (ReliableSender::new(), BufferPool::default());
        assert_eq!(sender.push(&[0; 60], 100, 200, &mut pool), Ok(()));
        assert_eq!(sender.push(&[0; 60], 100, 200, &mut pool), Err(QueueFull::Bytes));
        assert_eq!(sender.queued_bytes(), 60 + ENTRY_OVERHEAD);
        // Messages of nothing fill it too.
        let accepted = (0..1_000).filter(|_| sender.push(&[], 100, 1_000, &mut pool).is_ok()).count();
        assert_eq!(accepted, (1_000 - 60 - ENTRY_OVERHEAD) / ENTRY_OVERHEAD);
    }

    #[test]
    fn the_window_holds_and_moves() {
        let (mut sender, mut pool) = (ReliableSender::new(), BufferPool::default());
        for _ in 0..RELIABLE_WINDOW + 10 {
            sender.push(&[], 100, 1 << 20, &mut pool).unwrap();
        }
        let mut numbers = Vec::new();
        while let Some(number) = sender.take(Instant::ZERO) {
            numbers.push(number);
        }
        assert_eq!(numbers.len() as u64, RELIABLE_WINDOW);
        sender.acked(1, &mut pool);
        assert_eq!(sender.take(Instant::ZERO), None, "the oldest is still out");
        sender.acked(0, &mut pool);
        assert_eq!(sender.take(Instant::ZERO), Some(RELIABLE_WINDOW));
    }
}
