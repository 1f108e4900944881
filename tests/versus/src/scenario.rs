//! Which scenarios there are, in which sizes, and what one of them gives.

use std::time::Duration;

use crate::scenarios::{connect, idle, messages, moving, reconnect, rooms, spawn};
use crate::stage::Stage;

/// One scenario, in one size.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) scenario: Scenario,
    pub(crate) clients: usize,
    pub(crate) entities: usize,
    /// How many ticks, rounds or repetitions are measured.
    pub(crate) rounds: usize,
}

/// What is done. A size that does not vary stands here.
#[derive(Clone, Copy)]
pub(crate) enum Scenario {
    Connect,
    Messages { per_tick: usize },
    Moving,
    Idle,
    Spawn,
    Rooms,
    Reconnect,
}

impl Scenario {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Messages { per_tick: 20 } => "messages-20",
            Self::Messages { per_tick: 100 } => "messages-100",
            Self::Messages { .. } => "messages-200",
            Self::Moving => "moving",
            Self::Idle => "idle",
            Self::Spawn => "spawn",
            Self::Rooms => "rooms",
            Self::Reconnect => "reconnect",
        }
    }

    const fn needs_entities(self) -> bool {
        !matches!(self, Self::Connect | Self::Messages { .. })
    }

    /// Whether the heap is looked at, which costs some time.
    pub(crate) const fn counts_the_heap(self) -> bool {
        matches!(self, Self::Reconnect)
    }
}

impl Job {
    /// All of them, the short ones first.
    pub(crate) fn all(quick: bool) -> Vec<Self> {
        use Scenario::{Connect, Idle, Messages, Moving, Reconnect, Rooms, Spawn};
        let job = |scenario, clients, entities, rounds| Self { scenario, clients, entities, rounds };
        let messages = |per_tick| job(Messages { per_tick }, 1, 0, if quick { 30 } else { 100 });
        let mut jobs = vec![
            job(Connect, 1, 0, 5),
            job(Connect, 64, 0, if quick { 1 } else { 5 }),
            messages(20),
            messages(100),
            messages(200),
            job(Moving, 1, 100, if quick { 30 } else { 100 }),
        ];
        jobs.extend(if quick {
            [
                job(Moving, 16, 100, 30),
                job(Idle, 16, 100, 30),
                job(Spawn, 1, 1_000, 1),
                job(Rooms, 4, 1_000, 5),
                job(Reconnect, 1, 100, 20),
            ]
        } else {
            [
                job(Moving, 64, 1_000, 30),
                job(Idle, 256, 1_000, 100),
                job(Spawn, 1, 10_000, 5),
                job(Rooms, 16, 10_000, 10),
                job(Reconnect, 1, 100, 1_000),
            ]
        });
        jobs
    }

    /// Runs it on one library; nothing where that cannot do it yet.
    pub(crate) fn run<S: Stage>(self, setup: S::Setup) -> Vec<Figure> {
        if self.scenario.needs_entities() && !S::HAS_ENTITIES {
            return Vec::new();
        }
        match self.scenario {
            Scenario::Connect => connect::run::<S>(setup, self),
            Scenario::Messages { per_tick } => messages::run::<S>(setup, self, per_tick),
            Scenario::Moving => moving::run::<S>(setup, self),
            Scenario::Idle => idle::run::<S>(setup, self),
            Scenario::Spawn => spawn::run::<S>(setup, self),
            Scenario::Rooms => rooms::run::<S>(setup, self),
            Scenario::Reconnect => reconnect::run::<S>(setup, self),
        }
    }
}

/// One thing that was measured.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) metric: &'static str,
    pub(crate) value: f64,
    pub(crate) better: Better,
}

/// Which of two figures is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
}

impl Figure {
    /// A cost.
    pub(crate) const fn cost(metric: &'static str, value: f64) -> Self {
        Self { metric, value, better: Better::Less }
    }

    /// A gain.
    pub(crate) const fn gain(metric: &'static str, value: f64) -> Self {
        Self { metric, value, better: Better::More }
    }

    /// How many times better ours is than theirs. `None` where a division makes no sense.
    pub(crate) fn ratio(self, theirs: f64) -> Option<f64> {
        let ratio = match self.better {
            Better::Less => theirs / self.value,
            Better::More => self.value / theirs,
        };
        (ratio.is_finite() && ratio > 0.0).then_some(ratio)
    }
}

/// The one in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// In nanoseconds, to calculate with.
pub(crate) fn nanos(time: Duration) -> f64 {
    time.as_nanos() as f64
}
