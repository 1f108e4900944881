//! Very many entities appear at once, before a client that is connected already.

use crate::scenario::{Figure, Job, median};
use crate::scenarios::{apart, settle, tick, until, warm_up, with_users};
use crate::stage::{Room, Stage};

pub(crate) fn run<S: Stage>(setup: S::Setup, job: Job) -> Vec<Figure> {
    let all = job.clients * job.entities;
    let (mut server, mut worst, mut client, mut count) = (vec![], vec![], vec![], vec![]);
    let (mut bytes, mut repeated) = (vec![], vec![]);
    for _ in 0..job.rounds {
        let mut stage: S = with_users(setup, job.clients);
        warm_up(&mut stage, |_| ());
        let before = stage.counts().to_clients.bytes;
        let mut ticks = vec![tick(&mut stage, |stage| stage.spawn(job.entities, &[Room::Main]))];
        ticks.extend(until(&mut stage, |stage| stage.seen() == all));
        let (servers, clients) = apart(&ticks);
        server.push(servers.iter().sum::<f64>() / 1e6);
        worst.push(servers.into_iter().fold(0.0, f64::max) / 1e6);
        client.push(clients.into_iter().sum::<f64>() / 1e6);
        count.push(ticks.len() as f64);
        let sent = |stage: &S| (stage.counts().to_clients.bytes - before) as f64 / all as f64;
        bytes.push(sent(&stage));
        settle(&mut stage, job.clients);
        repeated.push(sent(&stage));
    }
    vec![
        Figure::cost("server ms", median(server)),
        Figure::cost("server ms of the worst tick", median(worst)),
        Figure::cost("client ms", median(client)),
        Figure::cost("ticks until all are seen", median(count)),
        Figure::cost("bytes per entity until all are seen", median(bytes)),
        Figure::cost("bytes per entity until it is quiet", median(repeated)),
    ]
}
