use std::collections::VecDeque;

use crate::acks::Outcome;

/// Remembers what became of the packets that carried the state of entities, until whoever made it asks. What they carried
/// is known there.
#[derive(Debug)]
pub(crate) struct StateSender {
    fates: VecDeque<(u64, Outcome)>,
}

impl StateSender {
    pub(crate) const fn new() -> Self {
        Self { fates: VecDeque::new() }
    }

    /// A packet arrived, or was given up. At most as many wait here as may be under way.
    pub(crate) fn decided(&mut self, packet: u64, outcome: Outcome) {
        self.fates.push_back((packet, outcome));
    }

    pub(crate) fn next_fate(&mut self) -> Option<(u64, Outcome)> {
        self.fates.pop_front()
    }
}
