//! What the world was like when a player saw it.

use std::collections::BTreeMap;

use bowline_core::{Interpolate, TickHistory, TickTime};

/// What a server remembers of its last ticks, to judge what a player did by what that player saw: lag compensation.
///
/// A client shows the world as it was a moment ago. Who aims at a ship there and hits it has missed it here, where it is further
/// on by now. So the server takes the ships to where they were for the client, and looks again.
///
/// Put in what can be hit in each tick, and look at the moment that the client has shown: it sends its `shown_time()` along with
/// the shot. A client may lie about that: the moment is taken to be at most as old as `most` ticks, and not in the future. The
/// method is that of Y. Bernier, *Latency Compensating Methods in Client/Server In-game Protocol Design and Optimization*
/// (Game Developers Conference, 2001).
///
/// ```
/// use std::time::Duration;
/// use bowline_core::TickTime;
/// use bowline_server::Past;
///
/// // A quarter of a second at 20 ticks a second: who lags by more has to aim ahead.
/// let mut past = Past::new(5);
/// past.record(100, [("ann", 0.0_f32), ("bob", 50.0)]);
/// past.record(101, [("ann", 2.0), ("bob", 50.0)]);
///
/// let interval = Duration::from_millis(50);
/// let shown = TickTime::new(100, interval) + interval / 2;
/// assert_eq!(past.at(shown).get(&"ann"), Some(1.0));
/// ```
#[derive(Clone, Debug)]
pub struct Past<K, T> {
    ticks: TickHistory<BTreeMap<K, T>>,
    most: u32,
}

/// The world at a moment of the [`Past`].
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a, K, T> {
    before: Option<&'a BTreeMap<K, T>>,
    after: Option<&'a BTreeMap<K, T>>,
    part: f32,
}

impl<K: Ord, T: Interpolate + Clone> Past<K, T> {
    /// Nothing yet. `most` is how many ticks back one may look: how much of the others' time a player with a slow link may take.
    /// 4 to 8 at 20 ticks a second are usual, 200 to 400 ms.
    #[must_use]
    pub const fn new(most: u32) -> Self {
        // One more, so that there is a value before the oldest moment.
        Self { ticks: TickHistory::new(most as usize + 2), most }
    }

    /// What can be hit, as it is after a tick of the server.
    pub fn record(&mut self, tick: u32, all: impl IntoIterator<Item = (K, T)>) {
        // Ticks of a server go forward.
        let _ = self.ticks.insert(tick, all.into_iter().collect());
    }

    /// The world as it was at a moment. Before the oldest that one may look back to, it is that; after the newest, the newest.
    #[must_use]
    pub fn at(&self, moment: TickTime) -> Moment<'_, K, T> {
        let Some((newest, last)) = self.ticks.newest() else {
            return Moment { before: None, after: None, part: 0.0 };
        };
        let age = newest.wrapping_sub(moment.tick()) as i32;
        if age <= 0 {
            return Moment { before: Some(last), after: None, part: 0.0 };
        }
        let is_too_old = age as u32 > self.most;
        let moment = if is_too_old {
            TickTime::new(newest.wrapping_sub(self.most), moment.interval())
        } else {
            moment
        };
        let Some(around) = self.ticks.around(moment) else {
            return Moment { before: self.ticks.oldest().map(|(_, oldest)| oldest), after: None, part: 0.0 };
        };
        let (before, from) = around.before;
        let span = around.after.map_or(1, |(after, _)| after.wrapping_sub(before));
        let passed = moment.tick().wrapping_sub(before) as f32 + moment.fraction();
        Moment { before: Some(from), after: around.after.map(|(_, to)| to), part: passed / span as f32 }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.ticks.clear();
    }
}

impl<'a, K: Ord, T: Interpolate + Clone> Moment<'a, K, T> {
    /// What something was like; `None` where it was not there.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<T> {
        let from = self.before?.get(key)?;
        Some(self.between(key, from))
    }

    /// All that was there, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'a K, T)> {
        let moment = Self { ..*self };
        moment.before.into_iter().flatten().map(move |(key, from)| (key, moment.between(key, from)))
    }

    /// What goes in a tick is there until its end.
    fn between(&self, key: &K, from: &T) -> T {
        let to = self.after.and_then(|after| after.get(key));
        to.map_or_else(|| from.clone(), |to| from.interpolate(to, self.part))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(50);

    fn moment(ticks: f64) -> TickTime {
        TickTime::new(0, INTERVAL) + INTERVAL.mul_f64(ticks)
    }

    /// One ship that goes a metre a tick, and one that comes in tick 104 and goes in 106.
    fn past() -> Past<u8, f32> {
        let mut past = Past::new(5);
        for tick in 100..110_u32 {
            let second = (104..106).contains(&tick).then_some((2, 7.0));
            past.record(tick, [(1, tick as f32)].into_iter().chain(second));
        }
        past
    }

    #[test]
    fn the_world_is_found_as_it_was_between_its_ticks() {
        let past = past();
        assert_eq!(past.at(moment(106.25)).get(&1), Some(106.25));
        assert_eq!(past.at(moment(109.0)).get(&1), Some(109.0));
        assert_eq!(past.at(moment(104.5)).iter().collect::<Vec<_>>(), [(&1, 104.5), (&2, 7.0)]);
        assert_eq!(past.at(moment(105.5)).get(&2), Some(7.0), "it goes at the end of the tick");
        assert_eq!(past.at(moment(106.0)).get(&2), None);
        assert_eq!(past.at(moment(106.0)).get(&3), None);
    }

    #[test]
    fn nobody_looks_further_back_than_is_allowed_or_ahead() {
        let past = past();
        assert_eq!(past.at(moment(104.0)).get(&1), Some(104.0));
        for old in [103.9, 50.0, 0.0] {
            assert_eq!(past.at(moment(old)).get(&1), Some(104.0), "{old}");
        }
        assert_eq!(past.at(moment(500.0)).get(&1), Some(109.0));
    }

    #[test]
    fn where_nothing_is_remembered_there_is_nothing() {
        let mut past = past();
        past.clear();
        assert_eq!(past.at(moment(105.0)).get(&1), None);
        past.record(200, [(1, 1.0)]);
        assert_eq!(past.at(moment(198.0)).get(&1), Some(1.0), "the oldest there is");
    }
}
