//! How long reliable messages take on links that lose packets, in virtual time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::{ClientEvent, Instant};
use bowline_sim::{Cluster, ClusterConfig, Seen};
use bowline_tests::{Game, GameMessage, Ordered, login, lossy, numbered};

const MS: Duration = Duration::from_millis(1);
/// The time on the way, and the tick that a message waits for at most.
const UNDISTURBED: Duration = Duration::from_millis(150);

struct Times {
    median: Duration,
    p99: Duration,
    most: Duration,
    wire_per_useful: f64,
}

/// How long messages of 100 bytes take from the server to a client, so many in each tick for a minute.
fn measure(seed: u64, loss: f64, per_tick: u32) -> Times {
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

/// Over some seeds, each of its figures within so many times the undisturbed.
fn check(loss: f64, per_tick: u32, median: f64, p99: f64) {
    for seed in 0..4 {
        let times = measure(seed, loss, per_tick);
        println!(
            "{:>4} % lost, {:>3} a second: median {:?}, p99 {:?}, most {:?}, {:.2} wire bytes for a useful one",
            loss * 100.0,
            per_tick * 20,
            times.median,
            times.p99,
            times.most,
            times.wire_per_useful
        );
        assert!(times.median <= UNDISTURBED.mul_f64(median), "seed {seed}: {:?}", times.median);
        assert!(times.p99 <= UNDISTURBED.mul_f64(p99), "seed {seed}: {:?}", times.p99);
        assert!(loss > 0.0 || times.wire_per_useful <= 1.1, "seed {seed}: {}", times.wire_per_useful);
    }
}

#[test]
fn without_loss_nothing_is_sent_twice() {
    check(0.0, 10, 1.1, 1.1);
}

#[test]
fn with_5_percent_lost_a_message_is_a_tick_or_two_late() {
    check(0.05, 10, 1.1, 2.5);
    check(0.05, 1, 1.1, 2.5);
}

#[test]
fn with_20_percent_lost_the_slowest_take_five_times_as_long_at_most() {
    check(0.2, 10, 2.0, 5.0);
    check(0.2, 1, 2.0, 5.0);
}
