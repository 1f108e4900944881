use std::time::Duration;

use bowline_core::{Instant, TickTime};

/// A time that runs evenly, and follows an aim by running a little faster or slower.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    position: TickTime,
    at: Instant,
}

/// How a timeline may follow its aim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Off by more than this, it hurries.
    hurry: Duration,
    /// Off by more than this, it steps.
    step: Duration,
}

impl Pace {
    pub(super) fn of(interval: Duration) -> Self {
        Self { hurry: interval / 2, step: (interval * 6).max(Duration::from_millis(300)) }
    }

    /// How much of a stretch of time may be added or left out: one in 20, one in four in a hurry.
    fn correction(self, elapsed: Duration, error: Duration) -> Duration {
        let share = if error > self.hurry { elapsed / 4 } else { elapsed / 20 };
        share.min(error)
    }
}

impl Timeline {
    pub(super) const fn new(now: Instant, position: TickTime) -> Self {
        Self { position, at: now }
    }

    /// Runs on to `now`, towards `aim`. `true` where it had to step.
    pub(super) fn advance(&mut self, now: Instant, aim: TickTime, pace: Pace) -> bool {
        let elapsed = now - self.at;
        let free = self.position + elapsed;
        let (behind, ahead) = (aim.saturating_since(free), free.saturating_since(aim));
        let steps = behind.max(ahead) > pace.step;
        self.at = now;
        self.position = if steps {
            aim
        } else if behind.is_zero() {
            free.saturating_sub(pace.correction(elapsed, ahead))
        } else {
            free + pace.correction(elapsed, behind)
        };
        steps
    }

    pub(super) const fn position(&self) -> TickTime {
        self.position
    }

    pub(super) fn at(&self, now: Instant) -> TickTime {
        self.position + (now - self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_is_at_its_aim_within_two_seconds_and_never_runs_back() {
        for off_by in [MS * 40, MS * 300] {
            let interval = MS * 50;
            let start = TickTime::new(1_000, interval);
            let mut late = Timeline::new(Instant::ZERO, start);
            let mut early = Timeline::new(Instant::ZERO, start + off_by);
            for ms in 1..=2_000 {
                let now = Instant::ZERO + MS * ms;
                let before = early.position();
                assert!(!late.advance(now, start + off_by + MS * ms, Pace::of(interval)));
                assert!(!early.advance(now, start + MS * ms, Pace::of(interval)));
                assert!(!early.position().saturating_since(before).is_zero());
            }
            assert_eq!(late.position(), start + off_by + MS * 2_000);
            assert_eq!(early.position(), start + MS * 2_000);
        }
    }
}
