//! How fast and how late, in virtual time: what tests hold against limits, and the bench prints.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline::{Instant, SendRate};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Pair, Seen};

use crate::{Game, GameMessage, Numbered, Ordered, login, lossy, numbered};

const MS: Duration = Duration::from_millis(1);

/// How long messages took.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Half of them no longer.
    pub median: Duration,
    /// 99 of 100 no longer.
    pub p99: Duration,
    /// The longest.
    pub most: Duration,
    /// Bytes on the wire for each byte of a message.
    pub wire_per_useful: f64,
}

/// How long messages of 100 bytes take from the server to a client, so many in each tick for a minute.
///
/// # Panics
/// Where one does not arrive.
#[must_use]
pub fn message_times(seed: u64, loss: f64, per_tick: u32) -> Times {
    let mut config = ClusterConfig::new(seed, 1);
    config.conditions = lossy(0.0);
    let mut cluster = Cluster::<Game>::new(config, login);
    cluster.connect_all();
    cluster.run_for(MS * 1_000);
    cluster.network().set_conditions(lossy(loss));
    let sent: Rc<RefCell<Vec<Instant>>> = Rc::default();
    let (at, clock) = (Rc::clone(&sent), cluster.clock());
    let user = cluster.server().users().next().unwrap();
    cluster.set_app(move |server, seen| {
        let mut sent = at.borrow_mut();
        if !matches!(seen, Seen::Tick(_)) || sent.len() >= 20 * 60 * per_tick as usize {
            return;
        }
        for _ in 0..per_tick {
            let number = sent.len() as u32;
            // With the number, its type and the length of its body.
            server.send_to::<Ordered>(user, numbered(number, 94)).unwrap();
            sent.push(bowline::Clock::now(&clock));
        }
    });
    // The path has to be known first.
    cluster.run_for(MS * 10_000);
    let (warm, bytes) = (sent.borrow().len(), cluster.server().user(user).unwrap().stats.bytes_sent);
    cluster.run_for(MS * 65_000);
    let bytes = cluster.server().user(user).unwrap().stats.bytes_sent - bytes;

    let sent = sent.borrow();
    let arrivals = cluster.client_seen(0).iter().filter_map(|(at, event)| match event {
        ClientEvent::Message(GameMessage::Numbered(message)) => Some((*at, message.number as usize)),
        _ => None,
    });
    let mut times: Vec<_> =
        arrivals.filter(|(_, number)| *number >= warm).map(|(at, number)| at - sent[number]).collect();
    assert_eq!(times.len(), sent.len() - warm, "all arrive");
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let wire_per_useful = bytes as f64 / (times.len() * 100) as f64;
    Times { median: at(50), p99: at(99), most: at(100), wire_per_useful }
}

/// A large transfer.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Bulk;

/// Small and urgent.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional, weight = 4)]
pub struct Urgent;

/// One of each.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(tick_rate = 20, channels(Bulk, Urgent), messages(Numbered), derive(Debug))]
pub struct Freight;

/// Numbers from here on are urgent.
pub const URGENT: u32 = 1_000_000;

/// A server and a connected client over such a link.
///
/// # Panics
/// Where they do not connect.
#[must_use]
pub fn pair(conditions: Conditions, rate: Option<SendRate>) -> Pair<Freight> {
    let mut config = ClusterConfig { conditions, ..ClusterConfig::new(7, 1) };
    if let Some(rate) = rate {
        config.server.connection.send_rate = rate;
    }
    let mut pair = Pair::<Freight>::new(config, ());
    pair.connect();
    assert!(pair.run_until(MS * 9_000, |c| c.client(0).phase() == Phase::Connected));
    pair
}

/// Keeps the server's bulk channel full for so long; gives the useful bytes that arrived a second, and the bytes on the
/// wire for each of them.
pub fn bulk_transfer(pair: &mut Pair<Freight>, duration: Duration) -> (f64, f64) {
    let user = pair.user();
    let (end, mut number) = (pair.now() + duration, 0);
    let before = pair.server().user(user).unwrap().stats.bytes_sent;
    let arrived_before = pair.client_messages().len();
    while pair.now() < end {
        while pair.server_mut().send_to::<Bulk>(user, numbered(number, 1_000)).is_ok() {
            number += 1;
        }
        pair.run_for(MS * 50);
    }
    let sent = pair.server().user(user).unwrap().stats.bytes_sent - before;
    let useful = ((pair.client_messages().len() - arrived_before) * 1_000) as f64;
    (useful / duration.as_secs_f64(), sent as f64 / useful)
}

/// A link of so many bytes a second, with a queue of 300 ms.
#[must_use]
pub fn link(bytes_per_second: u64, latency_ms: u32, jitter_ms: u32, loss: f64) -> Conditions {
    let mut conditions = Conditions::new(latency_ms, jitter_ms, loss);
    conditions.profile = conditions.profile.with_bandwidth(bytes_per_second, MS * 300);
    conditions
}

/// Sends an urgent message every tick beside a full bulk channel; gives how long each took, the longest last.
///
/// # Panics
/// Where one does not arrive.
pub fn urgent_delays(pair: &mut Pair<Freight>, seconds: u32) -> Vec<Duration> {
    let user = pair.user();
    let mut sent: Vec<Instant> = Vec::new();
    for turn in 0..seconds * 20 {
        while pair.server_mut().send_to::<Bulk>(user, numbered(turn, 1_000)).is_ok() {}
        pair.server_mut().send_to::<Urgent>(user, numbered(URGENT + turn, 20)).unwrap();
        sent.push(pair.now());
        pair.run_for(MS * 50);
    }
    pair.run_for(MS * 5_000);
    delays(pair, &sent)
}

/// How long the urgent messages took that were sent at these times, the longest last.
///
/// # Panics
/// Where one does not arrive.
#[must_use]
pub fn delays(pair: &Pair<Freight>, sent: &[Instant]) -> Vec<Duration> {
    let arrivals = pair.client_seen(0).iter().filter_map(|(at, event)| match event {
        ClientEvent::Message(FreightMessage::Numbered(message)) if message.number >= URGENT => {
            Some((message.number - URGENT, *at))
        }
        _ => None,
    });
    let mut delays: Vec<Duration> = arrivals.map(|(turn, at)| at - sent[turn as usize]).collect();
    assert_eq!(delays.len(), sent.len(), "all of them arrive");
    delays.sort_unstable();
    delays
}
