use std::time::Duration;

use super::TickTime;
use crate::Instant;

/// What time it is at the other side, from the ticks that its packets are stamped with.
///
/// A packet's *lag* is the moment of its arrival less the moment that it is stamped with: the distance between the two
/// clocks, and the time on the way. The least lag of the last seconds belongs to the packet that waited least, so jitter
/// does not move it (the minimum filter of NTP's clock filter algorithm, RFC 5905 section 10); what is older is
/// forgotten, so clocks may drift.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerClock {
    interval: Duration,
    /// The least lag of each of the last slices of time, in nanoseconds; newest first.
    least: Recent<i64>,
    /// The shortest round trips, likewise.
    round_trips: Recent<Duration>,
    /// How much the lags lie above the least on average, and how far from that, in nanoseconds.
    excess: f64,
    deviation: f64,
    samples: u32,
}

/// The least of each of the last slices of time, newest first.
#[derive(Clone, Copy, Debug)]
struct Recent<T> {
    least: [Option<T>; SLICES],
    slice_began_at: Instant,
}

/// Five seconds are remembered: two clocks that are 100 millionths apart drift by half a millisecond meanwhile.
const SLICES: usize = 5;
const SLICE: Duration = Duration::from_secs(1);
/// The weight of a new sample in the averages, once there are so many: one in 64.
const AVERAGED: u32 = 64;
/// Above the average excess by so many mean deviations: some 97 % of packets come earlier, whatever shape the jitter has.
const DEVIATIONS: f64 = 2.5;

impl PeerClock {
    pub(crate) const fn new(now: Instant, interval: Duration) -> Self {
        Self {
            interval,
            least: Recent::new(now),
            round_trips: Recent::new(now),
            excess: 0.0,
            deviation: 0.0,
            samples: 0,
        }
    }

    /// A packet that was stamped with `stamp` has arrived.
    pub(crate) fn heard(&mut self, now: Instant, stamp: TickTime) {
        let lag = nanos(now) - stamp.as_nanos();
        self.least.see(now, lag);
        let excess = (lag - self.least.least().unwrap_or(lag)) as f64;
        self.samples = (self.samples + 1).min(AVERAGED);
        let weight = 1.0 / f64::from(self.samples);
        self.deviation += ((excess - self.excess).abs() - self.deviation) * weight;
        self.excess += (excess - self.excess) * weight;
    }

    /// A round trip was measured.
    pub(crate) fn measured(&mut self, now: Instant, round_trip: Duration) {
        self.round_trips.see(now, round_trip);
    }

    /// How long a packet takes that waits nowhere: half the shortest of the recent round trips.
    pub(crate) fn on_the_way(&self) -> Duration {
        self.round_trips.least().unwrap_or_default() / 2
    }

    /// The time at the other side. `None` before anything was heard.
    pub(crate) fn time(&self, now: Instant) -> Option<TickTime> {
        let lag = self.least.least()?;
        Some(TickTime::from_nanos(nanos(now) - lag, self.interval) + self.on_the_way())
    }

    /// How many nanoseconds the other side's clock, at zero when its tick 0 began, is ahead of this side's. `None` before
    /// anything was heard.
    pub(crate) fn offset(&self) -> Option<i64> {
        let start = TickTime::new(0, self.interval).as_nanos();
        Some(self.time(Instant::ZERO)?.as_nanos() - start)
    }

    /// How much longer than the fastest nearly all packets take: the jitter of the way here, as a margin.
    pub(crate) fn jitter_margin(&self) -> Duration {
        Duration::from_nanos((self.excess + self.deviation * DEVIATIONS).max(0.0) as u64)
    }
}

impl<T: Copy + Ord> Recent<T> {
    const fn new(now: Instant) -> Self {
        Self { least: [None; SLICES], slice_began_at: now }
    }

    fn see(&mut self, now: Instant, value: T) {
        if now - self.slice_began_at >= SLICE * SLICES as u32 {
            // Nothing was looked at for so long that the path, or the clock itself, may be another.
            *self = Self::new(now);
        }
        while now - self.slice_began_at >= SLICE {
            self.slice_began_at += SLICE;
            self.least.rotate_right(1);
            self.least[0] = None;
        }
        self.least[0] = Some(self.least[0].map_or(value, |least| least.min(value)));
    }

    fn least(&self) -> Option<T> {
        self.least.iter().flatten().copied().min()
    }
}

fn nanos(at: Instant) -> i64 {
    i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const TICK: Duration = Duration::from_millis(50);

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// A path of 100 ms on which each packet waits up to 50 ms more.
    fn hear(clock: &mut PeerClock, ticks: std::ops::Range<u32>, drift: f64) {
        for tick in ticks {
            let jitter = u64::from(tick.wrapping_mul(2_654_435_761) >> 26) * 50 / 64;
            let sent = (f64::from(tick) * 50.0 * (1.0 + drift)) as u64;
            let arrived = at(1_000_000 + sent + 100 + jitter);
            clock.measured(arrived, MS * 200);
            clock.heard(arrived, TickTime::new(tick, TICK));
        }
    }

    fn error_ms(clock: &PeerClock, tick: u32, drift: f64) -> f64 {
        let now = at(1_000_000 + (f64::from(tick) * 50.0 * (1.0 + drift)) as u64);
        let (estimate, truth) = (clock.time(now).unwrap(), TickTime::new(tick, TICK));
        (estimate.as_nanos() - truth.as_nanos()) as f64 / 1e6
    }

    #[test]
    fn jitter_does_not_move_the_estimate() {
        let mut clock = PeerClock::new(at(1_000_000), TICK);
        hear(&mut clock, 0..40, 0.0);
        assert!(error_ms(&clock, 40, 0.0).abs() < 4.0, "{}", error_ms(&clock, 40, 0.0));
        let margin = clock.jitter_margin();
        assert!(margin > MS * 35 && margin < MS * 80, "{margin:?}");
        let offset = clock.offset().unwrap();
        assert!((offset + 1_000_000_000_000).abs() < 4_000_000, "it began 1,000 s later: {offset} ns");
    }

    #[test]
    fn clocks_may_drift() {
        for drift in [-0.000_2, 0.000_2] {
            let mut clock = PeerClock::new(at(1_000_000), TICK);
            hear(&mut clock, 0..20 * 3_600, drift);
            let error = error_ms(&clock, 20 * 3_600, drift);
            assert!(error.abs() < 5.0, "{error} ms after an hour at {drift}");
        }
    }

    #[test]
    fn d1_a_clock_that_jumped_is_believed_again_soon() {
        let mut clock = PeerClock::new(at(1_000_000), TICK);
        hear(&mut clock, 0..40, 0.0);
        let jump = 3_600_000;
        clock.measured(at(1_000_000 + jump + 2_100), MS * 200);
        clock.heard(at(1_000_000 + jump + 2_100), TickTime::new(40, TICK));
        let estimate = clock.time(at(1_000_000 + jump + 2_100)).unwrap();
        assert_eq!(estimate.tick(), 42);
    }
}
