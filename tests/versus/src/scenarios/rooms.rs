//! Every user leaves a room, or comes back into it, with all entities in that room and in another one where everybody
//! stays: everything has to be looked at, and nothing appears or disappears.

use crate::scenario::{Figure, Job, median};
use crate::scenarios::{apart, spawn_and_settle, tick, warm_up, with_users};
use crate::stage::{Room, Stage};

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job) -> Vec<Figure> {
    let pairs = job.clients * job.entities;
    let mut stage: S = with_users(setup, job.clients);
    spawn_and_settle(&mut stage, job.clients, job.entities, &[Room::Main, Room::Side]);
    warm_up(&mut stage, |_| ());
    let (mut enter, mut leave) = (vec![], vec![]);
    for _ in 0..job.rounds {
        enter.push(tick(&mut stage, |stage| stage.move_users(Room::Side, true)));
        leave.push(tick(&mut stage, |stage| stage.move_users(Room::Side, false)));
    }
    assert!(stage.seen() == pairs, "nothing disappears");
    let (enter, leave) = (apart(&enter).0, apart(&leave).0);
    let per_check = |ticks: Vec<f64>| median(ticks) / pairs as f64;
    vec![
        Figure::cost("server us of a tick in which all enter", median(enter.clone()) / 1e3),
        Figure::cost("server us of a tick in which all leave", median(leave.clone()) / 1e3),
        Figure::cost("server ns per user x entity, entering", per_check(enter)),
        Figure::cost("server ns per user x entity, leaving", per_check(leave)),
    ]
}
