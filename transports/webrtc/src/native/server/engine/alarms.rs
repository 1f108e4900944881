//! When which peer wants to be called. Asking every peer about every datagram would cost a large server its day.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// A heap of alarms. A peer that changes its mind has several in it; only the one it was last set to rings.
#[derive(Default)]
pub(crate) struct Alarms {
    heap: BinaryHeap<Reverse<(Instant, u32, u64)>>,
}

/// What a peer keeps of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Alarm(Option<Instant>);

impl Alarms {
    /// Rings for the peer at `at`, and not at the time it was set to before.
    pub(crate) fn set(&mut self, alarm: &mut Alarm, at: Instant, slot: u32, number: u64) {
        if alarm.0 == Some(at) {
            return;
        }
        // One that is earlier in the heap already rings in vain and sets the right one then: a peer that puts its
        // timer off with every packet must not fill the heap.
        let is_new = alarm.0.is_none_or(|set| at < set);
        if is_new {
            alarm.0 = Some(at);
            self.heap.push(Reverse((at, slot, number)));
        }
    }

    /// The next that is due, as slot and number; its peer has none set then.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(u32, u64)> {
        let Reverse((at, slot, number)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some((slot, number))
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }
}

impl Alarm {
    /// It has rung.
    pub(crate) fn has_rung(&mut self, now: Instant) -> bool {
        let is_due = self.0.is_some_and(|at| at <= now);
        if is_due {
            self.0 = None;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn putting_an_alarm_off_does_not_fill_the_heap() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let (mut alarms, mut alarm) = (Alarms::default(), Alarm::default());
        for millis in 10..1_000 {
            alarms.set(&mut alarm, at(millis), 1, 1);
        }
        assert_eq!(alarms.heap.len(), 1);
        assert_eq!(alarms.due(at(9)), None);
        assert_eq!(alarms.due(at(10)), Some((1, 1)));
        assert!(alarm.has_rung(at(10)));
        assert_eq!(alarms.next(), None);
        alarms.set(&mut alarm, at(999), 1, 1);
        assert_eq!(alarms.next(), Some(at(999)));
    }

    #[test]
    fn an_earlier_time_counts_and_the_later_one_rings_in_vain() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let (mut alarms, mut alarm) = (Alarms::default(), Alarm::default());
        alarms.set(&mut alarm, at(500), 3, 9);
        alarms.set(&mut alarm, at(20), 3, 9);
        assert_eq!(alarms.due(at(20)), Some((3, 9)));
        assert!(alarm.has_rung(at(20)));
        assert_eq!(alarms.due(at(500)), Some((3, 9)));
        assert!(!alarm.has_rung(at(500)), "nothing is set");
    }
}
