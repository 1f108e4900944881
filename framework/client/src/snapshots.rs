//! What others do is shown as it was a moment ago, between two things that are known.

use bowline_core::{Interpolate, TickHistory, TickTime};

/// The values of something that the server moves, to be shown between its ticks: another player's ship, say, whose position
/// comes twenty times a second, and not always in time.
///
/// Put in what comes, with its tick, and show the value at the client's shown time, which lags by so much that there nearly
/// always is a value before it and one after it. The method is that of G. Fiedler, *Snapshot Interpolation* (2014).
///
/// ```
/// use std::time::Duration;
/// use bowline_client::Snapshots;
/// use bowline_core::TickTime;
///
/// let mut x = Snapshots::new(6);
/// x.insert(10, 0.0_f32);
/// x.insert(12, 4.0);
/// let interval = Duration::from_millis(50);
/// let shown = TickTime::new(11, interval) + interval / 2;
/// assert_eq!(x.at(shown), Some(3.0));
/// ```
///
/// A server sends what has changed and nothing else: where two values are far apart, the first has stood until just before the
/// second. How many ticks are far is said once, in [`new`](Self::new).
#[derive(Clone, Debug)]
pub struct Snapshots<T> {
    history: TickHistory<T>,
    far: u32,
}

/// More wait for their time in no game: three seconds at 20 ticks a second.
const MOST: usize = 64;

impl<T: Interpolate + Clone> Snapshots<T> {
    /// Nothing yet. Between two values that are at most `far` ticks apart there is a way; between others the first stands until
    /// a tick before the second. As many ticks as a value may be late by: 3 to 10.
    #[must_use]
    pub const fn new(far: u32) -> Self {
        Self { history: TickHistory::new(MOST), far }
    }

    /// The value was this at a tick. What comes too late, or again, does no harm. At most 64 are kept.
    pub fn insert(&mut self, tick: u32, value: T) {
        // One that is older than 64 others will not be shown.
        let _ = self.history.insert(tick, value);
    }

    /// The value at a moment: between those that are known, and the last where there is no later one yet. `None` where the
    /// moment is before all that is known.
    #[must_use]
    pub fn at(&self, moment: TickTime) -> Option<T> {
        let around = self.history.around(moment)?;
        let (before, from) = around.before;
        let Some((after, to)) = around.after else { return Some(from.clone()) };
        let span = after.wrapping_sub(before);
        let passed = moment.tick().wrapping_sub(before) as f32 + moment.fraction();
        let way = if span <= self.far { span } else { 1 };
        let part = (passed - (span - way) as f32) / way as f32;
        Some(if part <= 0.0 { from.clone() } else { from.interpolate(to, part.min(1.0)) })
    }

    /// The newest value and its tick.
    #[must_use]
    pub fn newest(&self) -> Option<(u32, &T)> {
        self.history.newest()
    }

    /// Takes everything out: after a reconnect, or where it has jumped and no way is to be shown.
    pub fn clear(&mut self) {
        self.history.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(50);

    fn at(snapshots: &Snapshots<f32>, ticks: f64) -> Option<f32> {
        snapshots.at(TickTime::new(0, INTERVAL) + INTERVAL.mul_f64(ticks))
    }

    fn of(values: &[(u32, f32)]) -> Snapshots<f32> {
        let mut snapshots = Snapshots::new(4);
        values.iter().for_each(|(tick, value)| snapshots.insert(*tick, *value));
        snapshots
    }

    #[test]
    fn between_two_values_there_is_a_way_and_beyond_the_last_there_is_none() {
        let snapshots = of(&[(12, 8.0), (10, 0.0), (11, 2.0)]);
        assert_eq!(at(&snapshots, 9.9), None);
        assert_eq!(at(&snapshots, 10.0), Some(0.0));
        assert_eq!(at(&snapshots, 10.5), Some(1.0));
        assert_eq!(at(&snapshots, 11.5), Some(5.0));
        assert_eq!(at(&snapshots, 12.0), Some(8.0));
        assert_eq!(at(&snapshots, 30.0), Some(8.0));
    }

    #[test]
    fn a_late_value_is_gone_towards_and_a_rare_one_has_stood() {
        let late = of(&[(10, 0.0), (14, 4.0)]);
        assert_eq!(at(&late, 13.0), Some(3.0));
        let rare = of(&[(10, 0.0), (15, 4.0)]);
        assert_eq!(at(&rare, 13.0), Some(0.0));
        assert_eq!(at(&rare, 14.0), Some(0.0));
        assert_eq!(at(&rare, 14.5), Some(2.0));
    }

    #[test]
    fn a_value_stands_for_as_long_as_no_other_comes() {
        let mut snapshots = of(&[(10, 1.0)]);
        assert_eq!(at(&snapshots, 100_000.0), Some(1.0));
        snapshots.insert(200_000, 5.0);
        assert_eq!(at(&snapshots, 150_000.0), Some(1.0));
    }
}
