//! From `connect` to connected, on a link without latency.

use std::time::Duration;

use crate::scenario::{Figure, Job, median};
use crate::scenarios::{apart, until};
use crate::stage::Stage;

/// How finely the wait is measured: both sides have a turn so often.
const STEP: Duration = Duration::from_millis(1);
/// Nobody takes longer.
const MOST_STEPS: u32 = 60_000;

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job) -> Vec<Figure> {
    let mut stage = knocking::<S>(setup, job);
    let steps = steps_until_connected(&mut stage, job.clients);
    let counts = stage.counts();
    let each = |total: f64| total / job.clients as f64;
    let server = (0..job.rounds).map(|_| each(cpu::<S>(setup, job))).collect();
    vec![
        Figure::cost("virtual ms to connected, rounded up", f64::from(steps) * STEP.as_secs_f64() * 1e3),
        Figure::cost("bytes to the server", each(counts.to_server.bytes as f64)),
        Figure::cost("bytes to the client", each(counts.to_clients.bytes as f64)),
        Figure::cost("server us per client", median(server)),
    ]
}

/// Everybody has called `connect`, and nothing more.
fn knocking<S: Stage>(setup: S::Setup, job: Job) -> S {
    let mut stage = S::new(setup);
    (0..job.clients).for_each(|_| stage.connect());
    stage
}

fn steps_until_connected<S: Stage>(stage: &mut S, clients: usize) -> u32 {
    let mut steps = 0;
    while stage.connected() < clients {
        assert!(steps < MOST_STEPS, "a client does not get in");
        stage.clients_turn();
        stage.server_receive();
        stage.server_send();
        stage.advance(STEP);
        steps += 1;
    }
    steps
}

/// The server's time until all are in, in microseconds. In ticks, as a game has them: who takes long should not be charged
/// for being asked a thousand times a second.
fn cpu<S: Stage>(setup: S::Setup, job: Job) -> f64 {
    let mut stage = knocking::<S>(setup, job);
    let ticks = until(&mut stage, |stage| stage.connected() == job.clients);
    apart(&ticks).0.into_iter().sum::<f64>() / 1e3
}
