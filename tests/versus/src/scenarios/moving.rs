//! Every entity changes every tick, and everybody sees them all.

use crate::scenario::{Figure, Job, median};
use crate::scenarios::{apart, spawn_and_settle, tick, warm_up, with_users};
use crate::stage::{Room, Stage};

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job) -> Vec<Figure> {
    let pairs = job.clients * job.entities;
    let mut stage: S = with_users(setup, job.clients);
    spawn_and_settle(&mut stage, job.clients, job.entities, &[Room::Main]);
    warm_up(&mut stage, S::change_all);
    let before = stage.counts();
    let ticks: Vec<_> = (0..job.rounds).map(|_| tick(&mut stage, S::change_all)).collect();
    let after = stage.counts();
    // A library that is held back by its own cap applies fewer than there are: it pays for those that arrive.
    let updates = (after.updates - before.updates) as f64;
    let per_tick = updates / job.rounds as f64;
    let (server, clients) = apart(&ticks);
    vec![
        Figure::cost("server ns per update", median(server) / per_tick),
        Figure::cost("client ns per update", median(clients) / per_tick),
        Figure::cost("bytes per update", (after.to_clients.bytes - before.to_clients.bytes) as f64 / updates),
        Figure::gain("share of changes that arrive", per_tick / pairs as f64),
    ]
}
