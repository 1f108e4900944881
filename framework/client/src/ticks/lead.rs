use std::time::Duration;

use bowline_core::{InputReport, Instant};

/// How much earlier than the path's measured times inputs must go out, because the server said that some came late.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    interval: Duration,
    late_margin: Duration,
    /// Late inputs, less those that may be late: see [`TOLERATED`].
    surplus: f64,
    heard: InputReport,
    changed_at: Instant,
    /// How long there must have been no late inputs for the margin to shrink.
    patience: Duration,
    has_shrunk: bool,
}

/// One input in so many may be late: all copies of it were lost, or waited behind each other.
const TOLERATED: f64 = 1.0 / 200.0;
/// So many late ones beyond that, and the margin grows.
const TOO_MANY: f64 = 2.0;
/// What was under way already when the margin grew, or while the clock was still finding itself, does not count.
const SETTLING: Duration = Duration::from_secs(1);
/// After so long without late inputs the margin shrinks by an eighth of a tick; each time that this was too much, it
/// takes twice as long, up to the greatest.
const PATIENCE: Duration = Duration::from_secs(5);
const GREATEST_PATIENCE: Duration = Duration::from_secs(80);
const MAX_LATE_MARGIN: Duration = Duration::from_secs(1);

impl Lead {
    pub(super) fn new(interval: Duration) -> Self {
        let heard = InputReport::default();
        Self {
            interval,
            late_margin: Duration::ZERO,
            surplus: 0.0,
            heard,
            changed_at: Instant::ZERO,
            patience: PATIENCE,
            has_shrunk: false,
        }
    }

    pub(super) const fn late_margin(&self) -> Duration {
        self.late_margin
    }

    /// Takes in what the server has said last.
    pub(super) fn hear(&mut self, now: Instant, report: InputReport) {
        if report.reports == self.heard.reports {
            return;
        }
        if self.heard.reports == 0 {
            self.changed_at = now;
        }
        let late = report.late.saturating_sub(self.heard.late);
        let on_time = report.on_time.saturating_sub(self.heard.on_time);
        self.heard = report;
        if late > 0 && now - self.changed_at < SETTLING {
            return;
        }
        self.surplus = (self.surplus + late as f64 - on_time as f64 * TOLERATED).max(0.0);
        if self.surplus >= TOO_MANY {
            // As much as was missing, and a quarter of a tick; at most four ticks at once, for one packet may have
            // been on the way for very long.
            let missing = u32::from(report.worst_slack.min(0).unsigned_abs()).min(4 * 64);
            let more = self.interval * missing / 64 + self.interval / 4;
            self.late_margin = (self.late_margin + more).min(MAX_LATE_MARGIN);
            self.surplus = 0.0;
            self.changed_at = now;
            if std::mem::take(&mut self.has_shrunk) {
                self.patience = (self.patience * 2).min(GREATEST_PATIENCE);
            }
        } else if late == 0 && now - self.changed_at >= self.patience && !self.late_margin.is_zero() {
            self.late_margin = self.late_margin.saturating_sub(self.interval / 8);
            self.changed_at = now;
            self.has_shrunk = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// What the server would say `reports` times half a second into the session.
    fn report(reports: u64, on_time: u64, late: u64, worst_slack: i16) -> InputReport {
        let mut report = InputReport::default();
        (report.reports, report.on_time, report.late, report.worst_slack) =
            (reports, on_time, late, worst_slack);
        report
    }

    #[test]
    fn late_inputs_raise_the_margin_and_quiet_lowers_it() {
        let mut lead = Lead::new(MS * 50);
        lead.hear(at(100), report(1, 0, 10, -64));
        assert_eq!(lead.late_margin(), Duration::ZERO);
        lead.hear(at(1_500), report(2, 15, 15, -32));
        assert_eq!(lead.late_margin(), MS * 75 / 2, "half a tick and a quarter");
        lead.hear(at(1_600), report(3, 15, 17, -32));
        assert_eq!(lead.late_margin(), MS * 75 / 2, "those were under way already");
        for (reports, seconds) in (4..).zip(7..60) {
            lead.hear(at(seconds * 1_000), report(reports, 15 + reports * 20, 17, 40));
        }
        assert_eq!(lead.late_margin(), Duration::ZERO);
    }

    #[test]
    fn one_in_hundreds_is_nothing() {
        let mut lead = Lead::new(MS * 50);
        for reports in 1..200 {
            lead.hear(at(reports * 1_000), report(reports, reports * 20, reports / 20, -64));
        }
        assert_eq!(lead.late_margin(), Duration::ZERO);
    }

    #[test]
    fn the_margin_is_bounded() {
        let mut lead = Lead::new(MS * 50);
        for reports in 1..200 {
            lead.hear(at(reports * 1_000), report(reports, 0, reports * 20, i16::MIN));
        }
        assert_eq!(lead.late_margin(), MAX_LATE_MARGIN);
    }
}
