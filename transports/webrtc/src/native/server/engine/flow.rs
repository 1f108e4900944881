//! How much of a channel may be under way: what SCTP holds, it sends in order and late, and never gives back.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Bytes that SCTP may hold, sent and unacknowledged or not sent yet. At least what it sends in its first round trips; at most what
/// the fastest rate of a connection, 4 MB/s, has on a path of 60 ms.
pub(crate) const UNDER_WAY: RangeInclusive<usize> = (8 << 10)..=(256 << 10);

/// Over so long it is counted what was acknowledged: a round trip, within these.
const WINDOW: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(300);

/// The shortest round trip is forgotten after so long: a client may have moved.
const MEMORY: Duration = Duration::from_secs(10);

/// Lets SCTP hold twice what it got rid of in the last round trip: enough for its congestion window to double, and so little that
/// what is written now goes out soon, also when a loss has made that window small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    written: u64,
    /// When the window began, and what was acknowledged by then.
    begun: Instant,
    before: u64,
    /// What was acknowledged in the window before this one.
    last: u64,
    /// What had been written at a moment; the time until that is acknowledged is a round trip.
    probe: Option<(u64, Instant)>,
    /// The shortest round trip of late, and since when.
    round_trip: Option<(Duration, Instant)>,
}

impl Flow {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { written: 0, begun: now, before: 0, last: 0, probe: None, round_trip: None }
    }

    pub(crate) fn wrote(&mut self, now: Instant, bytes: usize) {
        self.written += bytes as u64;
        self.probe.get_or_insert((self.written, now));
    }

    /// How much may be under way, where so much is.
    pub(crate) fn allows(&mut self, now: Instant, under_way: usize) -> usize {
        let acknowledged = self.written.saturating_sub(under_way as u64);
        self.measure(now, acknowledged);
        let window = self.round_trip.map_or(*WINDOW.end(), |(shortest, _)| shortest);
        let window = window.clamp(*WINDOW.start(), *WINDOW.end());
        let passed = now.saturating_duration_since(self.begun);
        let in_this = acknowledged.saturating_sub(self.before);
        if passed >= window {
            // A window that nobody asked in for long says less.
            let windows = (passed.as_nanos() / window.as_nanos()).max(1) as u64;
            (self.last, self.before, self.begun) = (in_this / windows, acknowledged, now);
        }
        let lately = self.last.max(in_this);
        (2 * lately as usize).clamp(*UNDER_WAY.start(), *UNDER_WAY.end())
    }

    fn measure(&mut self, now: Instant, acknowledged: u64) {
        let Some((written, at)) = self.probe.filter(|(written, _)| acknowledged >= *written) else { return };
        debug_assert!(written <= self.written);
        self.probe = None;
        let sample = now.saturating_duration_since(at);
        let known = self.round_trip.filter(|(_, since)| now.saturating_duration_since(*since) < MEMORY);
        if known.is_none_or(|(shortest, _)| sample <= shortest) {
            self.round_trip = Some((sample, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1 << 10;

    #[test]
    fn it_follows_what_was_acknowledged_in_a_round_trip() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut flow = Flow::new(start);
        assert_eq!(flow.allows(at(0), 0), *UNDER_WAY.start(), "nothing is known");
        flow.wrote(at(0), 40 * KIB);
        assert_eq!(flow.allows(at(100), 0), 80 * KIB, "all of it has arrived, in 100 ms");
        flow.wrote(at(100), 10 * KIB);
        assert_eq!(flow.allows(at(150), 10 * KIB), 80 * KIB, "the last round trip counts as well");
        assert_eq!(flow.allows(at(210), 10 * KIB), *UNDER_WAY.start(), "in that one, nothing arrived");
        flow.wrote(at(210), 4 << 20);
        assert_eq!(flow.allows(at(300), 0), *UNDER_WAY.end());
    }

    #[test]
    fn long_silence_counts_as_slow() {
        let start = Instant::now();
        let mut flow = Flow::new(start);
        flow.wrote(start, 400 * KIB);
        let later = start + Duration::from_secs(60);
        assert_eq!(flow.allows(later, 0), *UNDER_WAY.end());
        assert_eq!(flow.allows(later + Duration::from_secs(1), 0), *UNDER_WAY.start());
    }

    #[test]
    fn a_longer_round_trip_is_believed_after_a_while() {
        let start = Instant::now();
        let mut flow = Flow::new(start);
        let mut now = start;
        let mut send = |flow: &mut Flow, millis| {
            flow.wrote(now, KIB);
            now += Duration::from_millis(millis);
            flow.allows(now, 0);
            flow.round_trip.map(|(shortest, _)| shortest.as_millis())
        };
        assert_eq!(send(&mut flow, 30), Some(30));
        assert_eq!(send(&mut flow, 200), Some(30), "a queue, it may be");
        for _ in 0..60 {
            send(&mut flow, 200);
        }
        assert_eq!(send(&mut flow, 200), Some(200));
    }
}
