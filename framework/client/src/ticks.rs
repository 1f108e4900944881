//! The client's ticks: ahead of the server for what the player does, behind it for what the player sees.

mod lead;
mod timeline;

use std::time::Duration;

use bowline_core::{InputReport, Instant, TickTime};

use lead::Lead;
use timeline::{Pace, Timeline};

/// Two times on the server's clock, both kept by the client and both running evenly.
///
/// * The **input time** leads: what is sent at its tick arrives before the server comes to that tick. The lead is half a
///   round trip, the measured jitter, one tick so that a lost packet's copy is in time too, a quarter of a tick for
///   what programs take, and whatever the server's reports on late inputs have added.
/// * The **shown time** lags: the snapshots that belong to it have arrived already. The lag is the time on the way, one
///   tick for the snapshot after it, and the measured jitter.
///
/// Both follow their aim by running up to 5 % faster or slower, 25 % while they are off by more than half a tick, and
/// step only where they are off by more than six ticks and 300 ms.
#[derive(Clone, Debug)]
pub(crate) struct ClientTicks {
    interval: Duration,
    input: Option<Timeline>,
    shown: Option<Timeline>,
    lead: Lead,
    /// The last tick that was handed out.
    handed_out: Option<TickTime>,
    steps: u64,
}

/// What the client's ticks are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    /// The time at the server.
    pub(crate) server: TickTime,
    /// How long a packet takes that waits nowhere.
    pub(crate) on_the_way: Duration,
    pub(crate) jitter: Duration,
    pub(crate) inputs: InputReport,
}

/// How a client's time stands to the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TickStats {
    /// How far the client's input time is ahead of the server.
    pub lead: Duration,
    /// How far what the client shows is behind the server.
    pub lag: Duration,
    /// By how much the input time is away from where it should be.
    pub error: Duration,
    /// How much of the lead is there because the server has reported late inputs.
    pub late_margin: Duration,
    /// How often one of the two times had to step.
    pub steps: u64,
    /// What the server has reported of the inputs.
    pub inputs: InputReport,
}

/// More ticks than this at once are left out: the program was stopped for longer than it can make up for.
const MAX_CATCH_UP: u64 = 10;

impl ClientTicks {
    pub(crate) fn new(interval: Duration) -> Self {
        let lead = Lead::new(interval);
        Self { interval, input: None, shown: None, lead, handed_out: None, steps: 0 }
    }

    /// Takes a look at the time.
    pub(crate) fn advance(&mut self, now: Instant, observed: &Observed) {
        self.lead.hear(now, observed.inputs);
        let (ahead, behind) = self.aims(observed);
        let interval = self.interval;
        let mut follow = |timeline: &mut Option<Timeline>, aim| match timeline {
            None => *timeline = Some(Timeline::new(now, aim)),
            Some(timeline) => {
                if timeline.advance(now, aim, Pace::of(interval)) {
                    self.steps += 1;
                }
            }
        };
        follow(&mut self.input, ahead);
        follow(&mut self.shown, behind);
    }

    /// The next tick that has begun. After a step it may be any; otherwise it is the one after the last.
    pub(crate) fn next_tick(&mut self) -> Option<u32> {
        let current = self.input?.position();
        let next = match self.handed_out {
            None => current.floor(),
            Some(last) if last.next_tick().saturating_since(current).is_zero() => {
                let behind = current.saturating_since(last);
                let is_too_far = behind > self.interval * (MAX_CATCH_UP as u32 + 1);
                if is_too_far { current.floor() } else { last.next_tick() }
            }
            Some(last) if last.saturating_since(current) > self.interval => {
                // The time has stepped back.
                current.floor()
            }
            Some(_) => return None,
        };
        self.handed_out = Some(next);
        Some(next.tick())
    }

    /// The input time, if the next tick has not been handed out yet at most the end of the last one.
    pub(crate) fn input_time(&self, now: Instant) -> Option<TickTime> {
        self.input.map(|timeline| timeline.at(now))
    }

    pub(crate) fn shown_time(&self, now: Instant) -> Option<TickTime> {
        self.shown.map(|timeline| timeline.at(now))
    }

    /// The last tick that was handed out.
    pub(crate) fn current(&self) -> Option<TickTime> {
        self.handed_out
    }

    /// When the next tick begins.
    pub(crate) fn next_at(&self, now: Instant) -> Option<Instant> {
        let current = self.input?.at(now);
        let next = self.handed_out.map_or(current, TickTime::next_tick);
        Some(now + next.saturating_since(current))
    }

    pub(crate) fn stats(&self, now: Instant, observed: &Observed) -> TickStats {
        let (Some(input), Some(shown)) = (self.input_time(now), self.shown_time(now)) else {
            return TickStats::default();
        };
        let (aim, _) = self.aims(observed);
        TickStats {
            lead: input.saturating_since(observed.server),
            lag: observed.server.saturating_since(shown),
            error: input.saturating_since(aim).max(aim.saturating_since(input)),
            late_margin: self.lead.late_margin(),
            steps: self.steps,
            inputs: observed.inputs,
        }
    }

    /// Where the two times should be.
    fn aims(&self, observed: &Observed) -> (TickTime, TickTime) {
        let on_the_way = observed.on_the_way;
        let lead = on_the_way + observed.jitter + self.interval * 5 / 4 + self.lead.late_margin();
        let lag = on_the_way + observed.jitter + self.interval;
        (observed.server + lead, observed.server.saturating_sub(lag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const TICK: Duration = Duration::from_millis(50);

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    fn observed(server_ms: u64) -> Observed {
        Observed {
            server: TickTime::new(0, TICK) + MS * server_ms as u32,
            on_the_way: MS * 50,
            jitter: MS * 20,
            inputs: InputReport::default(),
        }
    }

    fn drain(ticks: &mut ClientTicks) -> Vec<u32> {
        std::iter::from_fn(|| ticks.next_tick()).collect()
    }

    #[test]
    fn it_leads_for_inputs_and_lags_for_what_is_shown() {
        let mut ticks = ClientTicks::new(TICK);
        ticks.advance(at(0), &observed(10_000));
        let stats = ticks.stats(at(0), &observed(10_000));
        assert_eq!((stats.lead, stats.lag), (MS * 265 / 2, MS * 120));
        assert_eq!(drain(&mut ticks), [202]);
        assert_eq!(ticks.next_at(at(0)), Some(at(0) + MS * 35 / 2));
        ticks.advance(at(18), &observed(10_018));
        assert_eq!(drain(&mut ticks), [203]);
    }

    #[test]
    fn ticks_come_one_by_one_while_the_aim_wanders() {
        let mut ticks = ClientTicks::new(TICK);
        let mut last = None;
        for ms in 0..20_000_u64 {
            let wander = if ms / 3_000 % 2 == 0 { 0 } else { 60 };
            ticks.advance(at(ms), &observed(10_000 + ms + wander));
            for tick in drain(&mut ticks) {
                assert!(last.is_none_or(|last| tick == last + 1), "{tick} after {last:?}");
                last = Some(tick);
            }
        }
        assert_eq!(ticks.steps, 0);
        assert!(last >= Some(600), "{last:?}");
    }

    #[test]
    fn d1_a_server_that_is_elsewhere_is_stepped_to() {
        let mut ticks = ClientTicks::new(TICK);
        ticks.advance(at(0), &observed(10_000));
        drain(&mut ticks);
        ticks.advance(at(10), &observed(3_600_010));
        assert_eq!(drain(&mut ticks), [72_002]);
        ticks.advance(at(20), &observed(10_020));
        assert_eq!(drain(&mut ticks), [203]);
        assert_eq!(ticks.steps, 4);
    }

    #[test]
    fn d1_a_time_before_the_first_tick_is_a_time_too() {
        let mut ticks = ClientTicks::new(TICK);
        ticks.advance(at(0), &observed(10_000));
        drain(&mut ticks);
        let mut before = observed(0);
        before.server = before.server.saturating_sub(MS * 3_600_000);
        ticks.advance(at(10), &before);
        assert_eq!(drain(&mut ticks).len(), 1);
        ticks.advance(at(60), &before);
        assert_eq!(drain(&mut ticks).len(), 1);
    }

    #[test]
    fn d2_a_program_that_stood_still_makes_up_for_little() {
        let mut ticks = ClientTicks::new(TICK);
        ticks.advance(at(0), &observed(10_000));
        drain(&mut ticks);
        ticks.advance(at(400), &observed(10_400));
        assert_eq!(drain(&mut ticks), (203..=210).collect::<Vec<_>>());
        ticks.advance(at(60_400), &observed(70_400));
        assert_eq!(drain(&mut ticks), [1_410]);
    }
}
