//! The scenarios, each written once for both libraries.

pub(crate) mod connect;
pub(crate) mod idle;
pub(crate) mod messages;
pub(crate) mod moving;
pub(crate) mod reconnect;
pub(crate) mod rooms;
pub(crate) mod spawn;

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::stage::{Room, Stage, TICK};

/// How many ticks pass before anything is measured.
const WARM_UP: usize = 20;
/// Bytes to a client in a tick in which there is nothing to say.
const QUIET: u64 = 64;
/// Nothing takes longer: five virtual minutes.
const MOST_TICKS: usize = 6_000;

/// The thread's CPU time of one tick.
#[derive(Clone, Copy, Default)]
struct Cpu {
    /// Receiving, the work of the game, sending.
    server: Duration,
    /// All clients together.
    clients: Duration,
}

/// A tick passes: the server takes in, the game does its `work` there, the server sends; then the clients have a turn.
fn tick<S: Stage>(stage: &mut S, work: impl FnOnce(&mut S)) -> Cpu {
    stage.advance(TICK);
    let start = ThreadTime::now();
    stage.server_receive();
    work(stage);
    stage.server_send();
    let server = start.elapsed();
    let start = ThreadTime::now();
    stage.clients_turn();
    Cpu { server, clients: start.elapsed() }
}

/// Ticks without work pass until it is so. The CPU time of each is returned.
fn until<S: Stage>(stage: &mut S, so: impl Fn(&S) -> bool) -> Vec<Cpu> {
    let mut ticks = Vec::new();
    while !so(stage) {
        assert!(ticks.len() < MOST_TICKS, "what was waited for did not happen");
        ticks.push(tick(stage, |_| ()));
    }
    ticks
}

/// A stage with so many users, connected and warm.
fn with_users<S: Stage>(setup: S::Setup, clients: usize) -> S {
    let mut stage = S::new(setup);
    (0..clients).for_each(|_| stage.connect());
    until(&mut stage, |stage| stage.connected() == clients);
    stage
}

/// Entities as the scenario begins with them: everybody sees them all, and nothing of that is under way any more.
fn spawn_and_settle<S: Stage>(stage: &mut S, clients: usize, entities: usize, rooms: &[Room]) {
    stage.spawn(entities, rooms);
    until(stage, |stage| stage.seen() == clients * entities);
    settle(stage, clients);
}

/// Ticks pass until nothing but heartbeats has gone out for a while: a library may repeat for seconds what has arrived long
/// ago.
fn settle<S: Stage>(stage: &mut S, clients: usize) {
    let mut quiet = 0;
    for _ in 0..MOST_TICKS {
        let before = stage.counts().to_clients.bytes;
        tick(stage, |_| ());
        let sent = stage.counts().to_clients.bytes - before;
        quiet = if sent <= QUIET * clients as u64 { quiet + 1 } else { 0 };
        if quiet == WARM_UP {
            break;
        }
    }
}

/// The ticks before the measured ones.
fn warm_up<S: Stage>(stage: &mut S, mut work: impl FnMut(&mut S)) {
    for _ in 0..WARM_UP {
        tick(stage, &mut work);
    }
}

/// The server's and the clients' times of some ticks, in nanoseconds.
fn apart(ticks: &[Cpu]) -> (Vec<f64>, Vec<f64>) {
    let nanos = crate::scenario::nanos;
    ticks.iter().map(|cpu| (nanos(cpu.server), nanos(cpu.clients))).unzip()
}
