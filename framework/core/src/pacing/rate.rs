use std::collections::VecDeque;
use std::time::Duration;

use super::delivery::RateSample;
use crate::Instant;

/// How many bytes a second a connection may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendRate {
    /// Always as many, whatever the path does.
    Fixed(u32),
    /// As many as the path delivers, between two limits: it is measured all the time, backs off when queues or
    /// losses grow, and comes back.
    Adaptive {
        /// It never falls below this. A game's most urgent messages should fit.
        min: u32,
        /// It never grows above this.
        max: u32,
    },
}

impl SendRate {
    /// Where an adaptive rate begins, in bytes per second: 20 packets of 1,200 bytes a second.
    pub const START: u32 = 24_000;
}

impl Default for SendRate {
    /// Adaptive, from 4 kB/s to 4 MB/s.
    fn default() -> Self {
        Self::Adaptive { min: 4_000, max: 4_000_000 }
    }
}

/// Follows the path: BBR (Cardwell, Cheng, Gunn, Hassas Yeganeh, Jacobson, *BBR: Congestion-Based Congestion Control*,
/// ACM Queue 2016), made for packets that leave in ticks.
///
/// The rate is that of the fastest recent delivery, not of the last loss: random loss, which is what players' radio links
/// have, does not slow it. What it may have in flight is bounded by little more than the path's own product of rate and
/// round-trip time, so that queues in routers stay short. It differs from the paper
/// * in its probing gain, 1.5 instead of 1.25, so that it can grow through 20 % of loss;
/// * in that the doubling ends as soon as the round-trip time grows, as in HyStart++ (RFC 9406), and begins again when
///   a probe shows that the path has become much faster;
/// * in that a round in which all packets waited in a queue pushes out all that the rounds before it have shown, so that it
///   follows a path that has become slow within a round or two;
/// * in that the round-trip time is probed only where it has grown.
#[derive(Clone, Debug)]
pub(crate) struct RateControl {
    limits: SendRate,
    mode: Mode,
    /// The fastest delivery of each recent round, newest last.
    rounds: VecDeque<f64>,
    /// The fastest of them.
    fastest: f64,
    round_ends_at: u64,
    /// Of the round that is going on: how many round trips were measured, and the shortest.
    round_trips: (u32, Duration),
    /// Whether there was no more to send, last time something was acknowledged.
    is_app_limited: bool,
    full_rate: f64,
    rounds_without_growth: u32,
    least_round_trip: Duration,
    least_seen_at: Instant,
    cycle: usize,
    cycle_began_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Doubling each round until the path delivers no more.
    Startup,
    /// Emptying the queue that the doubling has made.
    Drain,
    /// Around the path's rate: a little more, a little less, then even.
    Cruise,
    /// Almost nothing for a moment, to see how fast the empty path is.
    ProbeRoundTrip { until: Instant },
}

/// The gain that doubles the rate each round: 2 / ln 2.
const STARTUP_GAIN: f64 = 2.885;
/// How much more than the product of rate and round-trip time may be on the way.
const WINDOW_GAIN: f64 = 1.25;
const CYCLE: [f64; 8] = [1.5, 0.5, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95];
/// By how much the path must be faster than before for the doubling to begin again.
const MUCH_FASTER: f64 = 1.3;
/// How many rounds the fastest delivery counts.
const ROUNDS: usize = 10;
/// A path that was not as empty as this for so long is emptied to be measured again.
const ROUND_TRIP_MEMORY: Duration = Duration::from_secs(10);
const PROBE_TIME: Duration = Duration::from_millis(200);

impl RateControl {
    pub(crate) fn new(limits: SendRate, now: Instant) -> Self {
        Self {
            limits,
            mode: Mode::Startup,
            rounds: VecDeque::with_capacity(ROUNDS + 1),
            fastest: 0.0,
            round_ends_at: 0,
            round_trips: (0, Duration::MAX),
            is_app_limited: true,
            full_rate: 0.0,
            rounds_without_growth: 0,
            least_round_trip: Duration::ZERO,
            least_seen_at: now,
            cycle: 2,
            cycle_began_at: now,
        }
    }

    /// How fast to send now, in bytes per second.
    pub(crate) fn bytes_per_second(&self) -> f64 {
        match self.limits {
            SendRate::Fixed(rate) => f64::from(rate),
            SendRate::Adaptive { min, max } => {
                let gain = match self.mode {
                    Mode::Startup => STARTUP_GAIN,
                    Mode::Drain => 1.0 / STARTUP_GAIN,
                    Mode::Cruise => CYCLE.get(self.cycle).copied().unwrap_or(1.0),
                    Mode::ProbeRoundTrip { .. } => 0.5,
                };
                let measured = self.fastest;
                let rate = if measured > 0.0 { measured * gain } else { f64::from(SendRate::START) };
                rate.clamp(f64::from(min), f64::from(max.max(min)))
            }
        }
    }

    /// How many bytes may be on the way at once; `None` for no limit.
    pub(crate) fn window(&self, packet: usize) -> Option<u64> {
        let SendRate::Adaptive { min, .. } = self.limits else { return None };
        let measured = self.fastest.max(f64::from(min));
        if self.least_round_trip.is_zero() || self.fastest == 0.0 {
            return None;
        }
        // Acknowledgements come once a tick: what a tick of 50 ms may send has to fit on top. In the doubling phase
        // this is also what bounds the overshoot.
        let product = measured * (self.least_round_trip + Duration::from_millis(50)).as_secs_f64();
        let gain = match self.mode {
            // What the path can do is not known yet, only what was asked of it. A few lost acknowledgements must not make
            // a game that says little wait for the next.
            Mode::Startup if self.is_app_limited => STARTUP_GAIN,
            Mode::ProbeRoundTrip { .. } => 0.5,
            Mode::Startup | Mode::Drain | Mode::Cruise => WINDOW_GAIN,
        };
        Some((product * gain).max(2.0 * packet as f64) as u64)
    }

    /// Takes in what the acknowledgements of one header showed.
    pub(crate) fn acknowledged(
        &mut self,
        now: Instant,
        sample: RateSample,
        latest: Option<Duration>,
        delivered: u64,
        in_flight: u64,
    ) {
        self.see_round_trip(now, latest);
        self.is_app_limited = sample.app_limited;
        let has_queue = !sample.app_limited && latest.is_some_and(|latest| self.shows_a_queue(latest));
        if self.mode == Mode::Startup && has_queue {
            self.mode = Mode::Drain;
        }
        let newest = self.rounds.back().copied().unwrap_or(0.0);
        // A slow delivery of an application that had no more to send says nothing; a fast one does.
        if !sample.app_limited || sample.bytes_per_second > self.path_rate() {
            match self.rounds.back_mut() {
                Some(last) => *last = newest.max(sample.bytes_per_second),
                None => self.rounds.push_back(sample.bytes_per_second),
            }
        }
        if sample.prior_delivered >= self.round_ends_at {
            self.round_ends_at = delivered;
            self.end_round(sample.app_limited);
        }
        self.advance(now, in_flight);
        self.fastest = self.path_rate();
    }

    /// The rate of the fastest recent delivery.
    fn path_rate(&self) -> f64 {
        self.rounds.iter().copied().fold(0.0, f64::max)
    }

    fn see_round_trip(&mut self, now: Instant, round_trip: Option<Duration>) {
        if let Some(round_trip) = round_trip
            && (self.least_round_trip.is_zero() || round_trip <= self.least_round_trip)
        {
            self.least_round_trip = round_trip;
            self.least_seen_at = now;
        }
        if let Some(round_trip) = round_trip {
            self.round_trips = (self.round_trips.0 + 1, self.round_trips.1.min(round_trip));
        }
    }

    /// Whether a round trip takes so much longer than the shortest that packets must be waiting somewhere.
    fn shows_a_queue(&self, latest: Duration) -> bool {
        !self.least_round_trip.is_zero() && latest > self.least_round_trip * 3 / 2 + Duration::from_millis(20)
    }

    fn end_round(&mut self, app_limited: bool) {
        let (measured, shortest) = std::mem::replace(&mut self.round_trips, (0, Duration::MAX));
        // Packets waited somewhere for a whole round: the path gave all it had, and what it gave is its rate. What it
        // gave before, when it was faster, would fill the queue for as many rounds as are remembered.
        if !app_limited && measured >= 2 && self.shows_a_queue(shortest) && self.rounds.len() > 1 {
            self.rounds.drain(..self.rounds.len() - 1);
        }
        let rate = self.path_rate();
        let before = self.rounds.iter().rev().skip(1).copied().fold(0.0, f64::max);
        if self.mode == Mode::Cruise && !app_limited && before > 0.0 && rate > before * MUCH_FASTER {
            self.mode = Mode::Startup;
            self.full_rate = rate;
            self.rounds_without_growth = 0;
        }
        if self.mode == Mode::Startup && !app_limited {
            if rate >= self.full_rate * 1.25 {
                self.full_rate = rate;
                self.rounds_without_growth = 0;
            } else {
                self.rounds_without_growth += 1;
            }
        }
        // A round in which there was little to send does not push out what the path has shown.
        if !app_limited || self.rounds.is_empty() {
            self.rounds.push_back(0.0);
        }
        while self.rounds.len() > ROUNDS {
            self.rounds.pop_front();
        }
    }

    fn advance(&mut self, now: Instant, in_flight: u64) {
        let product = self.path_rate() * self.least_round_trip.as_secs_f64();
        match self.mode {
            Mode::Startup if self.rounds_without_growth >= 3 => self.mode = Mode::Drain,
            Mode::Drain if in_flight as f64 <= product => self.enter_cruise(now),
            Mode::Cruise => {
                if now - self.cycle_began_at >= self.least_round_trip.max(Duration::from_millis(50)) {
                    self.cycle = (self.cycle + 1) % CYCLE.len();
                    self.cycle_began_at = now;
                }
                if now - self.least_seen_at >= ROUND_TRIP_MEMORY && in_flight as f64 > product {
                    self.mode = Mode::ProbeRoundTrip { until: now + PROBE_TIME + self.least_round_trip };
                    // What is seen while the path is empty is the new measure.
                    self.least_round_trip = Duration::ZERO;
                    self.least_seen_at = now;
                }
            }
            Mode::ProbeRoundTrip { until } if now >= until => self.enter_cruise(now),
            _ => {}
        }
    }

    fn enter_cruise(&mut self, now: Instant) {
        self.mode = Mode::Cruise;
        self.cycle = 2;
        self.cycle_began_at = now;
    }
}
