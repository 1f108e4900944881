use std::time::Duration;

use crate::Instant;

/// How much there was in the last second, in quarters of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    /// The quarter that is going on, and the four before it.
    slices: [u64; SLICES + 1],
    began_at: Instant,
}

const SLICES: usize = 4;
pub(crate) const SLICE: Duration = Duration::from_millis(250);

impl Meter {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { slices: [0; SLICES + 1], began_at: now }
    }

    pub(crate) fn add(&mut self, now: Instant, amount: u64) {
        self.roll(now);
        self.slices[0] += amount;
    }

    /// Lets time pass.
    pub(crate) fn roll(&mut self, now: Instant) {
        if now - self.began_at >= SLICE * (SLICES as u32 + 1) {
            *self = Self::new(now);
        }
        while now - self.began_at >= SLICE {
            self.began_at += SLICE;
            self.slices.rotate_right(1);
            self.slices[0] = 0;
        }
    }

    /// As much as in the last second that was whole when time was let pass.
    pub(crate) fn per_second(&self) -> u64 {
        self.slices.iter().skip(1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_steady_flow_is_seen_and_its_end_too() {
        let mut meter = Meter::new(at(0));
        (0..3_000).step_by(50).for_each(|ms| meter.add(at(ms), 100));
        meter.roll(at(3_000));
        assert_eq!(meter.per_second(), 2_000);
        meter.roll(at(3_700));
        assert_eq!(meter.per_second(), 1_000);
        meter.roll(at(9_000));
        assert_eq!(meter.per_second(), 0);
    }
}
