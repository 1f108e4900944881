use std::time::Duration;

use crate::Instant;
use crate::acks::expand;

/// How many packets behind the newest are remembered: one that is older is dropped, and never acknowledged.
/// A burst of 1,024 packets of 1,200 bytes is over a megabyte within one flight.
pub(crate) const RECEIVE_WINDOW: u64 = 1_024;
const WORDS: usize = (RECEIVE_WINDOW / 64) as usize;

/// How often a packet is reported before the report is believed to have arrived: with 30 % loss, one packet in
/// 243 is then reported in vain, and sent again by its sender for nothing.
const REPORTS: usize = 5;

/// Which packets of the other side have arrived: the newest number, and a bit for each before it.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedPackets {
    /// 0 before the first: packets are numbered from 1.
    newest: u64,
    newest_at: Instant,
    /// Bit `n % RECEIVE_WINDOW` stands for packet `n`.
    bits: [u64; WORDS],
    /// The newest number at each of the last reports: what is older than the first of them was reported often enough.
    reported: [u64; REPORTS],
}

/// What a packet number means to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    New(u64),
    Duplicate,
    TooOld,
}

/// The acknowledgements of a packet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AckField {
    /// The newest packet that arrived; 0 if none has.
    pub(crate) newest: u16,
    /// How long ago, at most 255 ms.
    pub(crate) held_back: Duration,
    /// For the packets before it, newest first: a bit each. Only the first `words` are sent.
    pub(crate) bits: [u64; WORDS],
    pub(crate) words: usize,
}

impl AckField {
    pub(crate) const MAX_WORDS: usize = WORDS;

    /// Nothing has arrived.
    pub(crate) const NONE: Self = {
        let mut bits = [0; WORDS];
        // Of the packets before the first all count as arrived: that is written in no bits at all.
        bits[0] = u64::MAX;
        Self { newest: 0, held_back: Duration::ZERO, bits, words: 1 }
    };

    /// Whether the packet `behind` the newest (1 is the one before it) arrived; `None` beyond what was sent.
    pub(crate) fn before_newest(&self, behind: u64) -> Option<bool> {
        let bit = behind.checked_sub(1)?;
        let word = usize::try_from(bit / 64).ok().filter(|word| *word < self.words)?;
        Some(self.bits.get(word)? >> (bit % 64) & 1 == 1)
    }
}

impl ReceivedPackets {
    pub(crate) const fn new() -> Self {
        Self { newest: 0, newest_at: Instant::ZERO, bits: [0; WORDS], reported: [0; REPORTS] }
    }

    /// What a number from a header means. Changes nothing: the packet may still turn out to be malformed.
    pub(crate) fn classify(&self, short: u16) -> Arrival {
        let Some(number) = expand(short, self.newest).filter(|n| *n > 0) else {
            return Arrival::TooOld;
        };
        if number > self.newest {
            return Arrival::New(number);
        }
        if self.newest - number >= RECEIVE_WINDOW {
            return Arrival::TooOld;
        }
        if self.contains(number) { Arrival::Duplicate } else { Arrival::New(number) }
    }

    /// Remembers a packet that was classified as new and was well-formed.
    pub(crate) fn insert(&mut self, number: u64, now: Instant) {
        if number > self.newest {
            let step = number - self.newest;
            if step >= RECEIVE_WINDOW {
                self.bits = [0; WORDS];
            } else {
                for skipped in self.newest + 1..number {
                    self.set(skipped, false);
                }
            }
            self.newest = number;
            self.newest_at = now;
        }
        self.set(number, true);
    }

    /// The number of the newest packet that arrived; 0 if none has.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// What to write into the header of a packet that goes out now.
    pub(crate) fn report(&mut self, now: Instant) -> AckField {
        if self.newest == 0 {
            return AckField::NONE;
        }
        // As far back as the newest of REPORTS reports ago, so that each arrival is told several times.
        let reach = self.newest.saturating_sub(self.reported[0]).clamp(1, RECEIVE_WINDOW - 1);
        self.reported.rotate_left(1);
        if let Some(last) = self.reported.last_mut() {
            *last = self.newest;
        }
        let words = (reach.div_ceil(64) as usize).min(WORDS);
        let mut bits = [0; WORDS];
        for (word, bits) in bits.iter_mut().enumerate().take(words) {
            *bits = self.word_before(self.newest.saturating_sub(word as u64 * 64));
        }
        let held_back = (now - self.newest_at).min(Duration::from_millis(255));
        AckField { newest: self.newest as u16, held_back, bits, words }
    }

    /// A report of the last 64 packets alone, that does not count as one of several.
    pub(crate) fn short_report(&self, now: Instant) -> AckField {
        if self.newest == 0 {
            return AckField::NONE;
        }
        let mut bits = [0; WORDS];
        bits[0] = self.word_before(self.newest);
        let held_back = (now - self.newest_at).min(Duration::from_millis(255));
        AckField { newest: self.newest as u16, held_back, bits, words: 1 }
    }

    /// The 64 bits of the packets before `number`, newest lowest. Those before the first packet count as arrived,
    /// which lets the header say "all of them" from the start.
    fn word_before(&self, number: u64) -> u64 {
        let oldest_known = self.newest.saturating_sub(RECEIVE_WINDOW - 1);
        let mut word = 0;
        for bit in 0..64 {
            let arrived = match number.checked_sub(bit + 1) {
                None | Some(0) => true,
                Some(packet) => packet >= oldest_known && self.contains(packet),
            };
            word |= u64::from(arrived) << bit;
        }
        word
    }

    fn contains(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.bits.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }

    fn set(&mut self, number: u64, arrived: bool) {
        let (word, bit) = place(number);
        if let Some(bits) = self.bits.get_mut(word) {
            *bits = *bits & !(1 << bit) | u64::from(arrived) << bit;
        }
    }
}

const fn place(number: u64) -> (usize, u32) {
    let index = number % RECEIVE_WINDOW;
    ((index / 64) as usize, (index % 64) as u32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_set(steps in prop::collection::vec((0_u64..3_000, any::<bool>()), 1..300)) {
            let mut packets = ReceivedPackets::new();
            let mut model = BTreeSet::new();
            let mut at = 1_u64;
            for (step, ahead) in steps {
                let number = if ahead { at + step % 200 } else { at.saturating_sub(step).max(1) };
                at = at.max(number);
                match packets.classify(number as u16) {
                    Arrival::New(n) => {
                        prop_assert_eq!(n, number);
                        prop_assert!(model.insert(n));
                        packets.insert(n, Instant::ZERO);
                    }
                    Arrival::Duplicate => prop_assert!(model.contains(&number)),
                    Arrival::TooOld => prop_assert!(at - number >= RECEIVE_WINDOW),
                }
                let report = packets.report(Instant::ZERO);
                let newest = *model.last().unwrap();
                prop_assert_eq!(report.newest, newest as u16);
                for behind in 1..newest.min(report.words as u64 * 64) {
                    prop_assert_eq!(report.before_newest(behind), Some(model.contains(&(newest - behind))));
                }
            }
        }
    }

    #[test]
    fn an_arrival_is_reported_several_times() {
        let mut packets = ReceivedPackets::new();
        let mut told = [0; 2_000];
        for burst in 0..10_u64 {
            for number in burst * 100 + 1..=burst * 100 + 100 {
                packets.insert(number, Instant::ZERO);
            }
            let report = packets.report(Instant::ZERO);
            for behind in 1..=report.words as u64 * 64 {
                if let Some(number) = ((burst + 1) * 100).checked_sub(behind) {
                    told[number as usize] += 1;
                }
            }
        }
        assert!(told[1..500].iter().all(|times| *times >= REPORTS), "{told:?}");
    }

    #[test]
    fn the_start_counts_as_complete() {
        let mut packets = ReceivedPackets::new();
        packets.insert(1, Instant::ZERO);
        assert_eq!(packets.report(Instant::ZERO).bits[0], u64::MAX);
        packets.insert(3, Instant::ZERO);
        assert_eq!(packets.report(Instant::ZERO).bits[0], u64::MAX - 1);
    }
}
