use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bowline_core::{Clock, Entropy, Instant, ManualClock, SeededEntropy};

/// The machine of one simulated node: the network's time, shifted by what happened to this node's own clock, and
/// randomness of its own seed.
#[derive(Debug)]
pub struct SimHost {
    time: ManualClock,
    shift: ClockShift,
    entropy: SeededEntropy,
}

/// How far a node's clock is ahead of the network's, in nanoseconds. Shared with the simulation, which steps it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockShift(Arc<AtomicI64>);

impl ClockShift {
    pub(crate) fn step(&self, by: Duration, back: bool) {
        let nanos = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.0.fetch_add(if back { -nanos } else { nanos }, Ordering::Relaxed);
    }

    /// What a node calls this moment of the network.
    pub(crate) fn local(&self, time: Instant) -> Instant {
        Instant::from_nanos(time.as_nanos().saturating_add_signed(self.0.load(Ordering::Relaxed)))
    }

    /// Which moment of the network a node means.
    pub(crate) fn global(&self, time: Instant) -> Instant {
        let shift = self.0.load(Ordering::Relaxed);
        Instant::from_nanos(time.as_nanos().saturating_add_signed(shift.saturating_neg()))
    }
}

impl SimHost {
    pub(crate) fn new(time: ManualClock, shift: ClockShift, seed: u64) -> Self {
        Self { time, shift, entropy: SeededEntropy::new(seed) }
    }
}

impl Clock for SimHost {
    fn now(&self) -> Instant {
        self.shift.local(self.time.now())
    }
}

impl Entropy for SimHost {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.entropy.fill(bytes);
    }
}
