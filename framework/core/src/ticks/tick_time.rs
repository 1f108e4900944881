use std::ops::Add;
use std::time::Duration;

use crate::Instant;

/// A moment in the server's time, which is counted in ticks: a whole one, and how much of the next has passed.
///
/// ```
/// use std::time::Duration;
/// use bowline_core::TickTime;
///
/// let twenty_a_second = Duration::from_millis(50);
/// let moment = TickTime::new(7, twenty_a_second) + Duration::from_millis(125);
/// assert_eq!((moment.tick(), moment.fraction()), (9, 0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickTime {
    /// Ticks that do not wrap, counted from one wrap before the first so that there is room for earlier ones.
    since_origin: Duration,
    interval: Duration,
}

/// So many ticks lie before the first.
const ORIGIN: u64 = 1 << 32;

impl TickTime {
    /// The beginning of a tick.
    #[must_use]
    pub fn new(tick: u32, interval: Duration) -> Self {
        Self::unwrapped(ORIGIN + u64::from(tick), interval)
    }

    /// The beginning of a tick that is counted without wrapping.
    pub(crate) fn unwrapped(tick: u64, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_nanos(1));
        let nanos = u128::from(tick) * interval.as_nanos();
        let since_origin = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Self { since_origin, interval }
    }

    /// The tick; it wraps after 2^32.
    #[must_use]
    pub fn tick(self) -> u32 {
        self.unwrapped_tick() as u32
    }

    /// The tick, counted without wrapping.
    pub(crate) fn unwrapped_tick(self) -> u64 {
        u64::try_from(self.since_origin.as_nanos() / self.interval.as_nanos()).unwrap_or(u64::MAX)
    }

    /// How much of the tick has passed, from 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f32 {
        let into = self.since_origin.as_nanos() % self.interval.as_nanos();
        (into as f64 / self.interval.as_nanos() as f64) as f32
    }

    /// How long a tick is.
    #[must_use]
    pub const fn interval(self) -> Duration {
        self.interval
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.since_origin.saturating_sub(earlier.since_origin)
    }

    /// The beginning of the tick that it is in.
    #[must_use]
    pub fn floor(self) -> Self {
        Self::unwrapped(self.unwrapped_tick(), self.interval)
    }

    /// The beginning of the tick after this one.
    #[must_use]
    pub fn next_tick(self) -> Self {
        Self::unwrapped(self.unwrapped_tick() + 1, self.interval)
    }

    /// So much earlier, at most the origin.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self { since_origin: self.since_origin.saturating_sub(duration), interval: self.interval }
    }

    /// Nanoseconds since the origin.
    pub(crate) fn as_nanos(self) -> i64 {
        i64::try_from(self.since_origin.as_nanos()).unwrap_or(i64::MAX)
    }

    /// So many nanoseconds after the origin.
    pub(crate) fn from_nanos(nanos: i64, interval: Duration) -> Self {
        let since_origin = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        Self { since_origin, interval: interval.max(Duration::from_nanos(1)) }
    }
}

impl Add<Duration> for TickTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self { since_origin: self.since_origin.saturating_add(duration), ..self }
    }
}

/// Where one side stands in its ticks, as its program has said last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticking {
    /// Counted without wrapping.
    tick: u64,
    /// How long ago it had begun at `at`.
    into: Duration,
    at: Instant,
}

impl Ticking {
    pub(crate) fn new(now: Instant, tick: u32) -> Self {
        Self { tick: ORIGIN + u64::from(tick), into: Duration::ZERO, at: now }
    }

    /// At `now`, tick `tick` had begun `into` ago.
    pub(crate) fn set(&mut self, now: Instant, tick: u32, into: Duration) {
        *self = Self { tick: unwrap_tick(tick, self.tick), into, at: now };
    }

    /// When it was set.
    pub(crate) const fn now(&self) -> Instant {
        self.at
    }

    pub(crate) const fn tick(&self) -> u64 {
        self.tick
    }

    /// How many quarters of the tick have passed, at most three: a tick ends when the program says so.
    pub(crate) fn quarter(&self, now: Instant, interval: Duration) -> u8 {
        let quarters = self.into(now).as_nanos() * 4 / interval.as_nanos().max(1);
        u8::try_from(quarters).unwrap_or(u8::MAX).min(3)
    }

    /// By how much the beginning of `tick` lies ahead, in 64ths of a tick; negative where it has passed.
    pub(crate) fn until(&self, tick: u64, now: Instant, interval: Duration) -> i16 {
        let ahead = i128::from(tick) - i128::from(self.tick);
        let into = self.into(now).as_nanos() * 64 / interval.as_nanos().max(1);
        let into = i128::try_from(into).unwrap_or(i128::MAX / 2);
        (ahead * 64 - into).clamp(i128::from(i16::MIN), i128::from(i16::MAX)) as i16
    }

    fn into(&self, now: Instant) -> Duration {
        self.into + (now - self.at)
    }
}

/// The tick nearest to `near` whose last 32 bits are these.
fn unwrap_tick(tick: u32, near: u64) -> u64 {
    let behind = (near as u32).wrapping_sub(tick);
    if behind < 1 << 31 {
        near.saturating_sub(u64::from(behind))
    } else {
        near + u64::from(tick.wrapping_sub(near as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn c2_ticks_wrap_without_a_glitch() {
        let last = TickTime::new(u32::MAX, MS * 50);
        assert_eq!((last.tick(), last.next_tick().tick()), (u32::MAX, 0));
        assert_eq!(last.next_tick().saturating_since(last), MS * 50);
        let mut ticking = Ticking::new(Instant::ZERO, u32::MAX - 1);
        let before = ticking.tick();
        for tick in [u32::MAX, 0, 1] {
            ticking.set(Instant::ZERO, tick, Duration::ZERO);
        }
        assert_eq!(ticking.tick(), before + 3);
        ticking.set(Instant::ZERO, u32::MAX, Duration::ZERO);
        assert_eq!(ticking.tick(), before + 1, "and back");
    }

    #[test]
    fn how_far_ahead_a_tick_is() {
        let mut ticking = Ticking::new(Instant::ZERO, 10);
        ticking.set(Instant::ZERO, 10, MS * 10);
        let at = Instant::ZERO + MS * 15;
        assert_eq!(ticking.until(ticking.tick() + 2, at, MS * 50), 128 - 32);
        assert_eq!(ticking.until(ticking.tick(), at, MS * 50), -32);
        assert_eq!((ticking.quarter(Instant::ZERO, MS * 50), ticking.quarter(at, MS * 50)), (0, 2));
        assert_eq!(ticking.quarter(Instant::ZERO + MS * 5_000, MS * 50), 3);
    }
}
