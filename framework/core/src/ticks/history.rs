use std::collections::VecDeque;

use super::TickTime;

/// Values by tick, the newest so many of them, in the order of their ticks.
///
/// Ticks wrap after 2^32; of two, the one that is less than half of that ahead is the later one.
///
/// ```
/// use bowline_core::TickHistory;
///
/// let mut heights = TickHistory::new(2);
/// heights.insert(8, 1.5)?;
/// heights.insert(7, 1.0)?;
/// assert_eq!(heights.newest(), Some((8, &1.5)));
/// heights.insert(9, 2.0)?;
/// assert_eq!((heights.get(7), heights.get(8)), (None, Some(&1.5)));
/// # Ok::<(), f32>(())
/// ```
#[derive(Clone, Debug)]
pub struct TickHistory<T> {
    capacity: usize,
    entries: VecDeque<(u32, T)>,
}

/// What a [`TickHistory`] knows of a moment: the entries before and after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around<'a, T> {
    /// The last tick that is not after the moment, and its value.
    pub before: (u32, &'a T),
    /// The first tick that is, and its value; `None` where nothing later is known.
    pub after: Option<(u32, &'a T)>,
}

impl<T> TickHistory<T> {
    /// Nothing yet. There will be as many values as the capacity says, which is at least 1.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { capacity: if capacity == 0 { 1 } else { capacity }, entries: VecDeque::new() }
    }

    /// Puts in the value of a tick, in place of one that was there. Where there are too many, the oldest goes.
    ///
    /// # Errors
    /// Where it would be the oldest of too many itself, the value comes back.
    pub fn insert(&mut self, tick: u32, value: T) -> Result<(), T> {
        let at = self.entries.partition_point(|(other, _)| is_before(*other, tick));
        if let Some((_, place)) = self.entries.get_mut(at).filter(|(other, _)| *other == tick) {
            *place = value;
            return Ok(());
        }
        if self.entries.len() >= self.capacity {
            if at == 0 {
                return Err(value);
            }
            self.entries.pop_front();
            self.entries.insert(at - 1, (tick, value));
        } else {
            self.entries.insert(at, (tick, value));
        }
        Ok(())
    }

    /// The value of a tick.
    #[must_use]
    pub fn get(&self, tick: u32) -> Option<&T> {
        let at = self.entries.binary_search_by(|(other, _)| order(*other, tick)).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// The newest tick that there is a value of, and that.
    #[must_use]
    pub fn newest(&self) -> Option<(u32, &T)> {
        self.entries.back().map(|(tick, value)| (*tick, value))
    }

    /// The oldest.
    #[must_use]
    pub fn oldest(&self) -> Option<(u32, &T)> {
        self.entries.front().map(|(tick, value)| (*tick, value))
    }

    /// What is known of a moment; `None` where it is before everything that is.
    #[must_use]
    pub fn around(&self, moment: TickTime) -> Option<Around<'_, T>> {
        let after = self.entries.partition_point(|(tick, _)| !is_before(moment.tick(), *tick));
        let entry = |at: usize| self.entries.get(at).map(|(tick, value)| (*tick, value));
        Some(Around { before: entry(after.checked_sub(1)?)?, after: entry(after) })
    }

    /// The ticks after this one with their values, the oldest first.
    pub fn after(&self, tick: u32) -> impl Iterator<Item = (u32, &T)> {
        let first = self.entries.partition_point(|(other, _)| !is_before(tick, *other));
        self.entries.range(first..).map(|(tick, value)| (*tick, value))
    }

    /// The same, to be changed.
    pub fn after_mut(&mut self, tick: u32) -> impl Iterator<Item = (u32, &mut T)> {
        let first = self.entries.partition_point(|(other, _)| !is_before(tick, *other));
        self.entries.range_mut(first..).map(|(tick, value)| (*tick, value))
    }

    /// Takes out what is older than a tick.
    pub fn forget_before(&mut self, tick: u32) {
        while self.entries.front().is_some_and(|(other, _)| is_before(*other, tick)) {
            self.entries.pop_front();
        }
    }

    /// Takes everything out: a new session counts ticks of its own.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many ticks there are values of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Whether one tick comes before another.
fn is_before(tick: u32, other: u32) -> bool {
    order(tick, other).is_lt()
}

/// By the shorter way around.
fn order(tick: u32, other: u32) -> std::cmp::Ordering {
    (tick.wrapping_sub(other) as i32).cmp(&0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(ticks: &[u32]) -> TickHistory<u32> {
        let mut history = TickHistory::new(5);
        ticks.iter().for_each(|tick| history.insert(*tick, *tick).unwrap());
        history
    }

    fn ticks(history: &TickHistory<u32>) -> Vec<u32> {
        history.entries.iter().map(|(tick, _)| *tick).collect()
    }

    #[test]
    fn values_are_in_the_order_of_their_ticks_whenever_they_come() {
        let mut history = of(&[5, 3, 9, 4]);
        assert_eq!(ticks(&history), [3, 4, 5, 9]);
        history.insert(4, 44).unwrap();
        assert_eq!((history.len(), history.get(4)), (4, Some(&44)));
        assert_eq!(history.after(4).map(|(tick, _)| tick).collect::<Vec<_>>(), [5, 9]);
        assert_eq!(history.insert(12, 12), Ok(()));
        assert_eq!(ticks(&history), [3, 4, 5, 9, 12]);
        assert_eq!(history.insert(11, 11), Ok(()));
        assert_eq!(ticks(&history), [4, 5, 9, 11, 12]);
        assert_eq!(history.insert(3, 3), Err(3), "older than the oldest of five");
        assert_eq!(history.insert(4, 40), Ok(()), "in place of another");
    }

    #[test]
    fn ticks_wrap() {
        let mut history = of(&[u32::MAX - 1, 2, u32::MAX, 0]);
        assert_eq!(ticks(&history), [u32::MAX - 1, u32::MAX, 0, 2]);
        assert_eq!(history.oldest(), Some((u32::MAX - 1, &(u32::MAX - 1))));
        assert_eq!(history.after(u32::MAX).map(|(tick, _)| tick).collect::<Vec<_>>(), [0, 2]);
        history.forget_before(0);
        assert_eq!(ticks(&history), [0, 2]);
    }

    #[test]
    fn a_moment_has_what_is_before_it_and_after_it() {
        let history = of(&[5, 8]);
        let interval = Duration::from_millis(50);
        let around = |tick, part: f64| {
            let moment = TickTime::new(tick, interval) + interval.mul_f64(part);
            history.around(moment).map(|around| (around.before.0, around.after.map(|(tick, _)| tick)))
        };
        assert_eq!(around(4, 0.9), None);
        assert_eq!(around(5, 0.0), Some((5, Some(8))));
        assert_eq!(around(7, 0.5), Some((5, Some(8))));
        assert_eq!(around(8, 0.0), Some((8, None)));
        assert_eq!(around(90, 0.0), Some((8, None)));
    }
}
