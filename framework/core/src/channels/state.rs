use std::collections::VecDeque;

use crate::Instant;
use crate::acks::Outcome;

/// Remembers what became of the packets that carried the state of entities, until whoever made it asks. What they carried
/// is known there.
#[derive(Debug)]
pub(crate) struct StateSender {
    /// Packets whose fate is not known, and when they were sent.
    open: VecDeque<(u64, Instant)>,
    fates: VecDeque<(u64, Outcome)>,
}

impl StateSender {
    pub(crate) const fn new() -> Self {
        Self { open: VecDeque::new(), fates: VecDeque::new() }
    }

    pub(crate) fn sent(&mut self, packet: u64, now: Instant) {
        self.open.push_back((packet, now));
    }

    /// A packet arrived, or was given up. At most as many wait here as may be under way.
    pub(crate) fn decided(&mut self, packet: u64, outcome: Outcome) {
        if let Ok(at) = self.open.binary_search_by_key(&packet, |(packet, _)| *packet) {
            self.open.remove(at);
            self.fates.push_back((packet, outcome));
        }
    }

    pub(crate) fn next_fate(&mut self) -> Option<(u64, Outcome)> {
        self.fates.pop_front()
    }

    pub(crate) fn oldest_in_flight(&self) -> Option<Instant> {
        self.open.front().map(|(_, sent_at)| *sent_at)
    }

    /// Nothing was heard for too long: the oldest count as lost. What was in them goes out again, as it is by then.
    pub(crate) fn probe(&mut self, count: usize) {
        for (packet, _) in self.open.drain(..count.min(self.open.len())) {
            self.fates.push_back((packet, Outcome::Lost));
        }
    }
}
