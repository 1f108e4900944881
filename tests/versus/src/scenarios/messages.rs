//! Messages of 100 bytes from the server to a client, ordered and reliable, so many in each tick.

use crate::scenario::{Figure, Job, nanos};
use crate::scenarios::{tick, warm_up, with_users};
use crate::stage::Stage;

/// The bytes that a message is about.
const USEFUL: f64 = 100.0;

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job, per_tick: usize) -> Vec<Figure> {
    let mut stage: S = with_users(setup, job.clients);
    let mut accepted = 0_usize;
    let mut send = |stage: &mut S| accepted += (0..per_tick).filter(|_| stage.send_message()).count();
    warm_up(&mut stage, &mut send);
    let before = stage.counts();
    let warm = accepted;
    let mut send = |stage: &mut S| accepted += (0..per_tick).filter(|_| stage.send_message()).count();
    // A sum, not a median: a library that is behind does its work in waves.
    let cpu: f64 =
        (0..job.rounds).map(|_| tick(&mut stage, &mut send)).map(|cpu| nanos(cpu.server + cpu.clients)).sum();
    let after = stage.counts();
    let arrived = (after.messages - before.messages) as f64;
    let bytes = (after.to_clients.bytes - before.to_clients.bytes) as f64;
    let offered = (per_tick * job.rounds) as f64;
    vec![
        Figure::cost("ns of both ends per message", cpu / arrived),
        Figure::cost("overhead bytes per message", bytes / arrived - USEFUL),
        Figure::gain("share accepted", (accepted - warm) as f64 / offered),
        Figure::gain("share arrived", arrived / offered),
    ]
}
