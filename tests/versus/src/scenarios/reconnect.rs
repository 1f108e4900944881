//! A client comes, sees all entities, and goes, again and again. It is a new client each time, so that what stays is the
//! server's.

use std::time::Duration;

use crate::scenario::{Figure, Job, median, nanos};
use crate::scenarios::{tick, until};
use crate::stage::{Room, Stage};

/// Before the heap is looked at: what is kept for the next one, or for some seconds, is there by then.
const FIRST_ROUNDS: usize = 50;
/// How often the cost of a change is measured.
const CHANGES: usize = 21;

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job) -> Vec<Figure> {
    let mut stage = S::new(setup);
    stage.spawn(job.entities, &[Room::Main]);
    for _ in 0..FIRST_ROUNDS {
        come_and_go(&mut stage, job.entities);
    }
    let mut cpu = Duration::ZERO;
    let heap = allocation_counter::measure(|| {
        for _ in 0..job.rounds {
            cpu += come_and_go(&mut stage, job.entities);
        }
    });
    let mut changes = Vec::with_capacity(CHANGES);
    for _ in 0..CHANGES {
        changes.push(change(&mut stage));
    }
    let each = |total: f64| total / job.rounds as f64;
    vec![
        Figure::cost("heap bytes kept per reconnect", each(heap.bytes_current as f64)),
        Figure::cost("server us per reconnect", each(nanos(cpu) / 1e3)),
        Figure::cost("us to change all afterwards", median(changes)),
    ]
}

/// The server's CPU time.
fn come_and_go<S: Stage>(stage: &mut S, entities: usize) -> Duration {
    stage.connect();
    let came = until(stage, |stage| stage.connected() == 1 && stage.seen() == entities);
    stage.say_goodbye();
    let went = until(stage, |stage| stage.users() == 0);
    stage.drop_clients();
    came.iter().chain(&went).map(|cpu| cpu.server).sum()
}

/// What it costs to change all entities, with nobody there, in microseconds.
fn change<S: Stage>(stage: &mut S) -> f64 {
    let mut changed = Duration::ZERO;
    tick(stage, |stage| {
        let start = cpu_time::ThreadTime::now();
        stage.change_all();
        changed = start.elapsed();
    });
    nanos(changed) / 1e3
}
