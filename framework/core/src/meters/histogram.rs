use std::time::Duration;

/// How durations are distributed: eight buckets to each doubling, from 10 µs to 10 s, so that a quantile is right to some
/// 6 %. Old ones fade: whenever there are a thousand, all are halved.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: [u16; BUCKETS],
    total: u32,
}

const BUCKETS: usize = 144;
/// What one duration counts. Halved, it is still something: the tail consists of single ones.
const ONE: u16 = 16;
const FADE_AT: u32 = 1_024 * ONE as u32;
/// Ten microseconds.
const UNIT_NANOS: u128 = 10_000;

impl Histogram {
    pub(crate) const fn new() -> Self {
        Self { counts: [0; BUCKETS], total: 0 }
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        if self.total >= FADE_AT {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().map(|count| u32::from(*count)).sum();
        }
        if let Some(count) = self.counts.get_mut(bucket(duration)) {
            *count += ONE;
            self.total += u32::from(ONE);
        }
    }

    /// The duration that this share of all, from 0 to 1, does not exceed. `None` before the first.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let rank = (f64::from(self.total) * share).ceil().max(1.0) as u32;
        let mut below = 0;
        self.counts
            .iter()
            .position(|count| {
                below += u32::from(*count);
                below >= rank
            })
            .map(middle)
    }
}

/// The bucket of a duration: its highest bit, and the three after it (as HdrHistogram does).
fn bucket(duration: Duration) -> usize {
    let units = u64::try_from(duration.as_nanos() / UNIT_NANOS).unwrap_or(u64::MAX);
    if units < 8 {
        return units as usize;
    }
    let shift = units.ilog2() - 3;
    (shift as usize * 8 + (units >> shift) as usize).min(BUCKETS - 1)
}

/// The middle of what falls into a bucket.
fn middle(bucket: usize) -> Duration {
    let shift = (bucket / 8).saturating_sub(1) as u32;
    let lowest = (bucket as u64 - u64::from(shift) * 8) << shift;
    Duration::from_nanos((lowest * 2 + (1 << shift)) * UNIT_NANOS as u64 / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_six_percent() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
        for round in 0..20 {
            // In no order that the fading could prefer.
            (0..1_000)
                .for_each(|n| histogram.record(Duration::from_micros((n * 617 % 1_000 + 1) * 100 + round)));
        }
        for (share, expected) in [(0.5, 50.0), (0.99, 99.0), (0.01, 1.0)] {
            let seen = histogram.quantile(share).unwrap().as_secs_f64() * 1_000.0;
            assert!((seen / expected - 1.0).abs() < 0.13, "{share}: {seen} ms, not {expected}");
        }
    }

    #[test]
    fn what_is_old_fades() {
        let mut histogram = Histogram::new();
        (0..1_000).for_each(|_| histogram.record(Duration::from_secs(1)));
        (0..8_000).for_each(|_| histogram.record(Duration::from_millis(20)));
        assert!(histogram.quantile(0.99).unwrap() < Duration::from_millis(30));
    }

    #[test]
    fn every_duration_has_a_bucket_that_says_so() {
        for micros in [0, 1, 79, 80, 1_000, 123_456, 9_000_000] {
            let duration = Duration::from_micros(micros);
            let said = middle(bucket(duration));
            assert!(
                said.abs_diff(duration) <= duration / 8 + Duration::from_micros(10),
                "{duration:?}: {said:?}"
            );
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }
}
