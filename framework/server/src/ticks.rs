use std::time::Duration;

use bowline_core::Instant;

/// A tick that is due, and how long ago it should have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) tick: u32,
    pub(crate) late_by: Duration,
}

/// The server's ticks: so many a second from the moment it listens.
#[derive(Debug)]
pub(crate) struct Ticks {
    interval: Duration,
    current: u32,
    next_at: Instant,
}

impl Ticks {
    /// After a stall at most so many ticks are made up at once; the others are left out, and the game runs on from
    /// there. Half a second at 20 Hz: a client does not notice it as more than a hiccup, and a server that is too
    /// slow does not spend its time on being late.
    const MAX_CATCH_UP: u32 = 10;

    pub(crate) const fn new(interval: Duration) -> Self {
        Self { interval, current: 0, next_at: Instant::ZERO }
    }

    pub(crate) fn start(&mut self, now: Instant) {
        self.next_at = now + self.interval;
    }

    /// The ticks that are due, oldest first.
    pub(crate) fn advance(&mut self, now: Instant) -> impl Iterator<Item = Due> + use<> {
        let (first, begins, interval) = (self.current, self.next_at, self.interval);
        let mut due = 0;
        while now >= self.next_at && due < Self::MAX_CATCH_UP {
            self.next_at += interval;
            due += 1;
        }
        if now >= self.next_at {
            self.next_at = now + interval;
        }
        self.current = first.wrapping_add(due);
        (0..due).map(move |step| Due {
            tick: first.wrapping_add(step).wrapping_add(1),
            late_by: now - (begins + interval * step),
        })
    }

    /// How much of the current tick has passed.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        self.interval.saturating_sub(self.next_at - now)
    }

    pub(crate) const fn current(&self) -> u32 {
        self.current
    }

    pub(crate) const fn next_at(&self) -> Instant {
        self.next_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d2_a_stall_is_made_up_within_bounds() {
        let interval = Duration::from_millis(50);
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let mut ticks = Ticks::new(interval);
        ticks.start(at(0));
        assert_eq!(ticks.advance(at(49)).count(), 0);
        let late = |tick, ms| Due { tick, late_by: Duration::from_millis(ms) };
        assert_eq!(ticks.advance(at(110)).collect::<Vec<_>>(), [late(1, 60), late(2, 10)]);
        assert_eq!(ticks.elapsed(at(120)), Duration::from_millis(20));
        assert_eq!(ticks.advance(at(5_000)).count(), Ticks::MAX_CATCH_UP as usize);
        assert_eq!(ticks.advance(at(5_049)).count(), 0, "what was left out stays out");
        assert_eq!(ticks.advance(at(5_050)).collect::<Vec<_>>(), [late(13, 0)]);
    }

    #[test]
    fn d1_a_clock_that_steps_back_stops_the_ticks_and_no_more() {
        let mut ticks = Ticks::new(Duration::from_millis(50));
        ticks.start(Instant::ZERO + Duration::from_secs(10));
        assert_eq!(ticks.advance(Instant::ZERO).count(), 0);
        assert_eq!(ticks.advance(Instant::ZERO + Duration::from_secs(3_600)).count(), 10);
    }
}
