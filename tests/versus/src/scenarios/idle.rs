//! Everybody sees all entities, and nothing happens.

use crate::scenario::{Figure, Job, median};
use crate::scenarios::{apart, spawn_and_settle, tick, warm_up, with_users};
use crate::stage::{Room, Stage};

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job) -> Vec<Figure> {
    let mut stage: S = with_users(setup, job.clients);
    spawn_and_settle(&mut stage, job.clients, job.entities, &[Room::Main]);
    warm_up(&mut stage, |_| ());
    let before = stage.counts();
    let ticks: Vec<_> = (0..job.rounds).map(|_| tick(&mut stage, |_| ())).collect();
    let after = stage.counts();
    let (server, clients) = apart(&ticks);
    let each = |total: f64| total / job.clients as f64;
    let per_tick = |bytes: u64| each(bytes as f64 / job.rounds as f64);
    vec![
        Figure::cost("server ns per tick and user", each(median(server))),
        Figure::cost("client ns per tick", each(median(clients))),
        Figure::cost(
            "bytes per tick to each client",
            per_tick(after.to_clients.bytes - before.to_clients.bytes),
        ),
        Figure::cost(
            "bytes per tick from each client",
            per_tick(after.to_server.bytes - before.to_server.bytes),
        ),
    ]
}
