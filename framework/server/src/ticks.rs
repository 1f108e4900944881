use std::time::Duration;

use bowline_core::Instant;

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
    pub(crate) fn advance(&mut self, now: Instant) -> impl Iterator<Item = u32> {
        let first = self.current;
        let mut due = 0;
        while now >= self.next_at && due < Self::MAX_CATCH_UP {
            self.next_at += self.interval;
            due += 1;
        }
        if now >= self.next_at {
            self.next_at = now + self.interval;
        }
        self.current = first.wrapping_add(due);
        (1..=due).map(move |step| first.wrapping_add(step))
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
        assert_eq!(ticks.advance(at(100)).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(ticks.advance(at(5_000)).count(), Ticks::MAX_CATCH_UP as usize);
        assert_eq!(ticks.advance(at(5_049)).count(), 0, "what was left out stays out");
        assert_eq!(ticks.advance(at(5_050)).collect::<Vec<_>>(), [13]);
    }

    #[test]
    fn d1_a_clock_that_steps_back_stops_the_ticks_and_no_more() {
        let mut ticks = Ticks::new(Duration::from_millis(50));
        ticks.start(Instant::ZERO + Duration::from_secs(10));
        assert_eq!(ticks.advance(Instant::ZERO).count(), 0);
        assert_eq!(ticks.advance(Instant::ZERO + Duration::from_secs(3_600)).count(), 10);
    }
}
