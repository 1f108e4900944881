use std::time::Duration;

use bowline_wire::{BitReader, BitWriter, DecodeError};

use super::super::BufferPool;
use crate::Instant;

/// What the server says about the inputs that it got: how many came in time, and how much time was left.
///
/// The client's ticks follow it; see `ClientTicks` of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputReport {
    /// Inputs that came before their tick.
    pub on_time: u64,
    /// Inputs that came when their tick had begun, and were dropped.
    pub late: u64,
    /// Inputs that came so long before their tick that they were dropped.
    pub early: u64,
    /// By how much the latest of the last ones came before its tick, in 64ths of a tick; negative for after.
    pub worst_slack: i16,
    /// How many reports there were.
    pub reports: u64,
}

impl InputReport {
    /// The share of inputs that came in time, from 0 to 1; 1 before the first.
    #[must_use]
    pub fn share_on_time(&self) -> f64 {
        let all = self.on_time + self.late + self.early;
        if all == 0 { 1.0 } else { self.on_time as f64 / all as f64 }
    }
}

/// What the receiving side counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    pub(crate) on_time: u64,
    pub(crate) late: u64,
    pub(crate) early: u64,
    /// The worst since the last report; none if nothing came.
    worst_slack: Option<i16>,
    late_came: bool,
    reported_at: Option<Instant>,
}

/// How often the client hears how its inputs come, and how often when some came late.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
const LATE_REPORT_INTERVAL: Duration = Duration::from_millis(100);

impl Tally {
    pub(crate) const fn new() -> Self {
        Self { on_time: 0, late: 0, early: 0, worst_slack: None, late_came: false, reported_at: None }
    }

    pub(crate) fn count(&mut self, slack: i16, is_late: bool, is_early: bool) {
        let counter = match (is_late, is_early) {
            (true, _) => &mut self.late,
            (false, true) => &mut self.early,
            (false, false) => &mut self.on_time,
        };
        *counter += 1;
        self.late_came |= is_late || is_early;
        self.worst_slack = Some(self.worst_slack.map_or(slack, |worst| worst.min(slack)));
    }

    /// When the next report is due; `None` where there is nothing to say.
    pub(crate) fn report_at(&self) -> Option<Instant> {
        self.worst_slack?;
        let interval = if self.late_came { LATE_REPORT_INTERVAL } else { REPORT_INTERVAL };
        Some(self.reported_at.map_or(Instant::ZERO, |at| at + interval))
    }

    /// Writes a report, if one is due.
    fn report(&mut self, now: Instant, payload: &mut Vec<u8>) -> bool {
        let Some(worst) = self.worst_slack.filter(|_| self.report_at().is_some_and(|at| now >= at)) else {
            return false;
        };
        let mut writer = BitWriter::append_to(std::mem::take(payload));
        for count in [self.on_time, self.late, self.early] {
            writer.write_bits(count & 0xffff, 16);
        }
        writer.write_bits(u64::from(worst as u16), 16);
        *payload = writer.into_bytes();
        self.worst_slack = None;
        self.late_came = false;
        self.reported_at = Some(now);
        true
    }
}

/// The report that waits to be sent; a newer one takes its place.
#[derive(Debug)]
pub(crate) struct ReportSender {
    waiting: Option<Vec<u8>>,
}

impl ReportSender {
    pub(crate) const fn new() -> Self {
        Self { waiting: None }
    }

    /// Queues a report, if one is due.
    pub(crate) fn poll(&mut self, now: Instant, tally: &mut Tally, pool: &mut BufferPool) {
        let mut payload = pool.take();
        if tally.report(now, &mut payload) {
            if let Some(older) = self.waiting.replace(payload) {
                pool.give(older);
            }
        } else {
            pool.give(payload);
        }
    }

    pub(crate) fn peek(&self) -> Option<usize> {
        self.waiting.as_ref().map(Vec::len)
    }

    pub(crate) const fn take(&mut self) -> Option<Vec<u8>> {
        self.waiting.take()
    }
}

/// The newest report that came.
#[derive(Debug, Default)]
pub(crate) struct ReportReceiver {
    pub(crate) newest: InputReport,
}

impl ReportReceiver {
    /// Takes a report in. One that was overtaken by a newer one counts less than it, and is dropped.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn accept(&mut self, payload: &[u8]) -> Result<(), DecodeError> {
        let mut reader = BitReader::new(payload);
        let mut counts = [0; 3];
        for count in &mut counts {
            *count = reader.read_bits(16)? as u16;
        }
        let worst_slack = reader.read_bits(16)? as u16 as i16;
        reader.finish()?;
        let newest = self.newest;
        let totals = [newest.on_time, newest.late, newest.early];
        // Counts never go back: each lies at most half the numbers of 16 bits ahead of the one before.
        let mut grown = totals;
        for (total, count) in grown.iter_mut().zip(counts) {
            let more = count.wrapping_sub(*total as u16);
            if more >= 1 << 15 {
                return Ok(());
            }
            *total += u64::from(more);
        }
        let [on_time, late, early] = grown;
        self.newest = InputReport { on_time, late, early, worst_slack, reports: newest.reports + 1 };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn reports_come_through_in_any_order_and_their_counters_wrap() {
        let (mut tally, mut receiver) = (Tally::new(), ReportReceiver::default());
        let (mut sender, mut pool) = (ReportSender::new(), BufferPool::default());
        let mut older = None;
        for round in 0..40_u64 {
            (0..10_000).for_each(|_| tally.count(20, false, false));
            tally.count(-40, true, false);
            sender.poll(at(round * 1_000), &mut tally, &mut pool);
            let report = sender.take().unwrap();
            receiver.accept(&report).unwrap();
            if let Some(older) = older.replace(report) {
                receiver.accept(&older).unwrap();
            }
        }
        let newest = receiver.newest;
        assert_eq!((newest.on_time, newest.late, newest.worst_slack), (400_000, 40, -40));
        assert!(receiver.accept(&[1, 2, 3]).is_err() && receiver.accept(&[0; 9]).is_err());
    }

    #[test]
    fn nothing_to_say_is_not_said_and_bad_news_travel_fast() {
        let (mut tally, mut sender, mut pool) = (Tally::new(), ReportSender::new(), BufferPool::default());
        sender.poll(at(0), &mut tally, &mut pool);
        assert!(sender.take().is_none());
        tally.count(20, false, false);
        sender.poll(at(0), &mut tally, &mut pool);
        assert!(sender.take().is_some());
        tally.count(20, false, false);
        sender.poll(at(200), &mut tally, &mut pool);
        assert!(sender.take().is_none(), "good news can wait");
        tally.count(-1, true, false);
        sender.poll(at(201), &mut tally, &mut pool);
        assert!(sender.take().is_some());
    }
}
