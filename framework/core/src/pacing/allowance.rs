use std::time::Duration;

use crate::Instant;

/// A token bucket: bytes that may be sent now, refilled at a rate, never above a burst. It may be overdrawn by one
/// packet, so that a packet larger than what is left is not kept for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    bytes: f64,
    refilled_at: Instant,
}

impl Allowance {
    /// How much idle time can be saved up: two ticks at 20 Hz, so that a turn that came late does not lose its share
    /// and an idle connection does not gather a flood.
    const SAVED: Duration = Duration::from_millis(100);

    /// With so many bytes to begin with.
    pub(crate) const fn new(now: Instant, bytes: usize) -> Self {
        Self { bytes: bytes as f64, refilled_at: now }
    }

    /// Adds what has come due since the last call. `least` bytes can always be saved up: a few packets, so that slow
    /// rates can send at all.
    pub(crate) fn refill(&mut self, now: Instant, bytes_per_second: f64, least: usize) {
        let earned = (now - self.refilled_at).as_secs_f64() * bytes_per_second;
        let most = (Self::SAVED.as_secs_f64() * bytes_per_second).max(least as f64);
        // What it began with may be more, and stays until it is spent.
        self.bytes = self.bytes.max((self.bytes + earned).min(most));
        self.refilled_at = now;
    }

    /// Whether anything may be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.bytes > 0.0
    }

    /// How many bytes may be sent.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.max(0.0) as usize
    }

    /// Takes the bytes of a packet out.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.bytes -= bytes as f64;
    }

    /// When it is open again, at this rate.
    pub(crate) fn opens_at(&self, bytes_per_second: f64) -> Instant {
        let missing = (1.0 - self.bytes).max(0.0);
        self.refilled_at + Duration::from_secs_f64((missing / bytes_per_second.max(1.0)).min(60.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn no_more_than_the_rate_over_any_time_and_no_saved_flood() {
        let mut allowance = Allowance::new(at(0), 0);
        let mut sent = 0;
        for ms in 0..10_000 {
            allowance.refill(at(ms), 50_000.0, 2_400);
            while allowance.is_open() {
                allowance.spend(1_200);
                sent += 1_200;
            }
        }
        assert!((499_000..=503_000).contains(&sent), "{sent} bytes in ten seconds");
        // An hour later there are two ticks' worth, not an hour's.
        allowance.refill(at(3_600_000), 50_000.0, 2_400);
        let mut at_once = 0;
        while allowance.is_open() {
            allowance.spend(1_200);
            at_once += 1_200;
        }
        assert_eq!(at_once, 6_000);
    }

    #[test]
    fn it_says_when_it_opens() {
        let mut allowance = Allowance::new(at(0), 0);
        allowance.refill(at(100), 10_000.0, 0);
        allowance.spend(1_200);
        assert!(!allowance.is_open());
        let opens = allowance.opens_at(10_000.0);
        assert!(opens >= at(119) && opens <= at(122), "{opens:?}");
        allowance.refill(opens, 10_000.0, 0);
        assert!(allowance.is_open());
    }
}
