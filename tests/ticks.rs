//! One shared time: the client's ticks, and inputs that arrive at theirs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::LinkProfile;
use bowline::{Clock as _, Instant, TickStats};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault, Plan, Seen, check_seeds};
use bowline_tests::{Login, frame, login};

const MS: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_millis(50);

/// The tick that an input was made for, so that the server can tell whether it came at it.
#[derive(Message, Clone, Debug, PartialEq)]
struct Made {
    at: u32,
    number: u32,
    padding: Vec<u8>,
}

#[derive(Channel)]
#[channel(tick_buffered, to_server)]
struct Input;

#[derive(Protocol)]
#[protocol(tick_rate = 20, auth = Login, channels(Input), messages(Made), derive(Clone, Debug))]
struct Race;

/// When each tick began.
type Times = Rc<RefCell<BTreeMap<u32, Instant>>>;

struct Run {
    cluster: Cluster<Race>,
    /// At the server, and at the first client.
    server_ticks: Times,
    client_ticks: Times,
}

/// A cluster whose clients make `per_tick` inputs of `len` bytes in each of their ticks.
fn race(config: ClusterConfig, per_tick: u32, len: usize) -> Run {
    let mut cluster = Cluster::new(config, login);
    let (server_ticks, client_ticks) = (Times::default(), Times::default());
    let (of_server, of_client) = (Rc::clone(&server_ticks), Rc::clone(&client_ticks));
    let time = cluster.clock();
    let at = time.clone();
    cluster.set_app(move |_, seen| {
        if let Seen::Tick(tick) = seen {
            of_server.borrow_mut().insert(*tick, at.now());
        }
    });
    cluster.set_client_app(move |index, client, event| {
        let ClientEvent::Tick(tick) = event else { return };
        if index == 0 {
            of_client.borrow_mut().insert(*tick, time.now());
        }
        for number in 0..per_tick {
            let padding = (0..len).map(|at| at as u8).collect();
            let input = Made { at: *tick, number, padding };
            client.connected().unwrap().send::<Input>(input).unwrap();
        }
    });
    cluster.connect_all();
    Run { cluster, server_ticks, client_ticks }
}

impl Run {
    fn stats(&mut self) -> TickStats {
        self.cluster.client_mut(0).connected().unwrap().tick_stats()
    }

    /// How long before the server the client came to its ticks, for those that began at the server between two moments.
    fn leads(&self, from: Instant, to: Instant) -> Vec<Duration> {
        let (server, client) = (self.server_ticks.borrow(), self.client_ticks.borrow());
        let within = server.iter().filter(|(_, at)| (from..to).contains(at));
        within.filter_map(|(tick, at)| client.get(tick).map(|earlier| *at - *earlier)).collect()
    }

    /// Every input that was handed out came at its tick.
    fn assert_at_their_ticks(&self) {
        for (_, seen) in self.cluster.server_seen() {
            if let Seen::Input(_, tick, RaceMessage::Made(made)) = seen {
                assert_eq!(*tick, made.at);
            }
        }
    }
}

fn run(seed: u64, conditions: Conditions) -> Run {
    let mut config = ClusterConfig::new(seed, 1);
    config.conditions = conditions;
    race(config, 1, 8)
}

#[test]
fn d3_client_ticks_converge_within_two_seconds_and_stay() {
    for (name, conditions) in [
        ("perfect", Conditions::perfect()),
        ("average", Conditions::new(100, 25, 0.02)),
        ("poor", Conditions::new(200, 50, 0.04)),
    ] {
        check_seeds(
            "d3_converge",
            0..25,
            |_| Plan::new(),
            |seed, _| {
                let mut run = run(seed, conditions);
                let up = |cluster: &Cluster<Race>| cluster.client(0).phase() == Phase::Connected;
                assert!(run.cluster.run_until(MS * 10_000, up), "{name}: never connected");
                let connected = run.cluster.now();
                run.cluster.run_for(MS * 2_000);
                let steps = run.stats().steps;
                run.cluster.run_for(MS * 28_000);
                let leads = run.leads(connected + MS * 2_000, run.cluster.now());
                let (least, most) = (*leads.iter().min().unwrap(), *leads.iter().max().unwrap());
                assert!(leads.len() > 540, "{name}: {} ticks were not skipped", leads.len());
                // A tick up and down is what the measured jitter moves, 150 ms of it in the worst case.
                assert!(most - least <= TICK * 2, "{name}: from {least:?} to {most:?} ahead");
                assert_eq!(run.stats().steps, steps, "{name}");
                run.assert_at_their_ticks();
            },
        );
    }
}

#[test]
fn d3_inputs_arrive_before_their_tick() {
    for (client_frame, server_frame) in [(None, None), (Some(MS * 16), None), (Some(MS * 33), Some(MS * 50))]
    {
        let (mut on_time, mut all) = (0, 0);
        for seed in 0..20 {
            let mut config = ClusterConfig::new(seed, 1);
            config.conditions = Conditions::new(100, 25, 0.02);
            config.client_frame = client_frame;
            config.server_frame = server_frame;
            let mut run = race(config, 1, 8);
            run.cluster.run_for(MS * 2_500);
            run.cluster.forget_seen();
            let before = run.client_ticks.borrow().len();
            run.cluster.run_for(MS * 30_000);
            all += run.client_ticks.borrow().len() - before;
            on_time += run.cluster.server_seen().iter().filter(|(_, s)| matches!(s, Seen::Input(..))).count();
            run.assert_at_their_ticks();
        }
        let share = on_time as f64 / all as f64;
        println!("{client_frame:?}, {server_frame:?}: {:.3} % of {all} inputs were in time", share * 100.0);
        assert!(share >= 0.99, "{client_frame:?}, {server_frame:?}: {share}");
    }
}

#[test]
fn one_lost_packet_loses_no_input() {
    check_seeds(
        "inputs_one_lost_packet",
        0..50,
        |_| Plan::new(),
        |seed, _| {
            let mut run = run(seed, Conditions::new(50, 5, 0.0));
            run.cluster.run_for(MS * 3_000);
            run.cluster.forget_seen();
            let before = run.client_ticks.borrow().len();
            // For one tick's time nothing gets through, now and then.
            for _ in 0..20 {
                run.cluster.apply(&Fault::Cut(0));
                run.cluster.run_for(MS * 49);
                run.cluster.apply(&Fault::Join(0));
                run.cluster.run_for(MS * 451);
            }
            let made = run.client_ticks.borrow().len() - before;
            let came = run.cluster.server_seen().iter().filter(|(_, s)| matches!(s, Seen::Input(..))).count();
            assert!(came + 6 >= made, "{came} of {made}; some are under way");
            let user = run.cluster.server().users().next().unwrap();
            assert_eq!(run.cluster.server().user(user).unwrap().stats.messages_late, 0);
        },
    );
}

#[test]
fn c1_inputs_come_at_their_tick_in_order_once_and_whole_or_not_at_all() {
    check_seeds(
        "c1_inputs",
        0..500,
        |_| Plan::new(),
        |seed, _| {
            let mut config = ClusterConfig::new(seed, 2);
            let share = |of: u64| (seed % of) as f64 / 100.0;
            let profile = LinkProfile::new((seed % 120) as u32, (seed % 40) as u32, share(31))
                .with_duplication(share(51))
                .with_corruption(share(6));
            config.conditions = Conditions::from_profile(profile);
            config.client_frame = frame(seed);
            config.server_frame = frame(seed / 4);
            let len = [0, 8, 1_100, 1_200, 5_000][(seed as usize * 7 + 3) % 5];
            let mut run = race(config, 1 + seed as u32 % 3, len);
            run.cluster.run_for(MS * 6_000);
            run.assert_at_their_ticks();
            let mut last = BTreeMap::new();
            for (_, seen) in run.cluster.server_seen() {
                if let Seen::Input(user, tick, RaceMessage::Made(made)) = seen {
                    let place = (*tick, made.number);
                    assert!(
                        last.insert(*user, place).is_none_or(|before| before < place),
                        "in order and once"
                    );
                    assert!(made.padding.iter().zip(0..).all(|(byte, at): (_, usize)| *byte == at as u8));
                    assert_eq!(made.padding.len(), len);
                }
            }
        },
    );
}

#[test]
fn the_client_adapts_to_a_path_that_becomes_slower() {
    let mut run = run(1, Conditions::new(30, 5, 0.0));
    run.cluster.run_for(MS * 3_000);
    let before = run.stats();
    // Only the way to the server: no round trip's least can show how much.
    run.cluster.apply(&Fault::Conditions(Conditions::new(180, 20, 0.0)));
    run.cluster.run_for(MS * 10_000);
    let after = run.stats();
    assert!(after.inputs.late > 0, "some came late at first");
    assert!(after.lead > before.lead + MS * 80, "{before:?} {after:?}");
    run.cluster.run_for(MS * 20_000);
    let later = run.stats();
    let (late, on_time) =
        (later.inputs.late - after.inputs.late, later.inputs.on_time - after.inputs.on_time);
    assert!(on_time > 350 && late * 100 <= on_time, "{late} late, {on_time} in time");
}

#[test]
fn the_fraction_runs_from_tick_to_tick() {
    let mut config = ClusterConfig::new(1, 1);
    config.client_frame = Some(MS * 5);
    let mut run = race(config, 0, 0);
    run.cluster.run_for(MS * 3_000);
    let mut last = (0, 0.0);
    for _ in 0..200 {
        run.cluster.run_for(MS * 5);
        let connected = run.cluster.client_mut(0).connected().unwrap();
        let (tick, fraction) = (connected.tick(), connected.tick_fraction());
        assert!((0.0..=1.0).contains(&fraction));
        assert!((tick, fraction) > last, "{:?} after {last:?}", (tick, fraction));
        let shown = connected.shown_time().unwrap();
        assert!(shown.tick() < tick, "what is shown is behind");
        last = (tick, fraction);
    }
}

#[test]
fn a_large_input_arrives_whole() {
    let mut config = ClusterConfig::new(1, 1);
    config.conditions = Conditions::new(20, 2, 0.01);
    let mut run = race(config, 1, 3_000);
    run.cluster.run_for(MS * 5_000);
    let came = run.cluster.server_seen().iter().filter(|(_, s)| matches!(s, Seen::Input(..))).count();
    assert!(came >= 60, "{came}");
}
