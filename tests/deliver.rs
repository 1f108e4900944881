//! Messages: what each channel promises, at every size, through any weather.

use std::time::Duration;

use bowline::{ConnectionConfig, SendErrorKind};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Pair, Plan, check_seeds};
use bowline_tests::{
    Game, GameMessage, Numbered, Ordered, Sequenced, Steer, Unordered, login, lossy, numbered,
};

const MS: Duration = Duration::from_millis(1);

fn numbers<'a>(messages: impl IntoIterator<Item = &'a GameMessage>) -> Vec<u32> {
    let number = |message: &GameMessage| match message {
        GameMessage::Numbered(numbered) => {
            assert_eq!(
                *numbered,
                bowline_tests::numbered(numbered.number, numbered.body.len()),
                "changed on the way"
            );
            Some(numbered.number)
        }
        GameMessage::Steer(_) => None,
    };
    messages.into_iter().filter_map(number).collect()
}

/// All modes but that of ticks, which `ticks.rs` looks at.
mod modes {
    use bowline::prelude::*;
    use bowline_tests::{Numbered, Ordered, Sequenced, Unordered};

    #[derive(Channel)]
    #[channel(unordered_reliable, bidirectional)]
    pub(crate) struct Facts;

    #[derive(Channel)]
    #[channel(sequenced_reliable, bidirectional)]
    pub(crate) struct Settings;

    #[derive(Protocol)]
    #[protocol(
        tick_rate = 20,
        channels(Ordered, Unordered, Sequenced, Facts, Settings),
        messages(Numbered),
        derive(Debug)
    )]
    pub(crate) struct Weather;
}

/// How many messages each channel carries each way.
const TURNS: u32 = 20;

/// What each mode promises, checked on the numbers that arrived.
fn c1_check(received: &[u32]) {
    let of = |channel: u32| -> Vec<u32> {
        let on_channel = received.iter().filter(|number| **number / 10_000 == channel);
        on_channel.map(|number| number % 10_000).collect()
    };
    let all: Vec<u32> = (0..TURNS).collect();
    let rises = |numbers: &[u32]| numbers.is_sorted_by(|a, b| a < b);
    let sorted = |mut numbers: Vec<u32>| {
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(of(0), all, "ordered reliable: complete, in order, once");
    assert!(rises(&sorted(of(1))), "unordered unreliable: at most once: {:?}", of(1));
    assert!(rises(&of(2)), "sequenced unreliable: never back: {:?}", of(2));
    assert_eq!(sorted(of(3)), all, "unordered reliable: complete, once");
    assert!(
        rises(&of(4)) && of(4).last() == Some(&(TURNS - 1)),
        "sequenced reliable: the newest: {:?}",
        of(4)
    );
}

#[test]
fn c1_each_channel_keeps_its_promise_through_any_weather() {
    use modes::{Facts, Settings, Weather, WeatherMessage};

    let numbers = |messages: Vec<&WeatherMessage>| -> Vec<u32> {
        let number = |message: &WeatherMessage| {
            let WeatherMessage::Numbered(message) = message;
            assert_eq!(*message, numbered(message.number, message.body.len()), "changed on the way");
            message.number
        };
        messages.into_iter().map(number).collect()
    };
    check_seeds(
        "c1_promises",
        0..1_000,
        |_| Plan::new(),
        |seed, _| {
            let chance =
                |part: u64| (seed.wrapping_mul(0x9e37_79b9).rotate_left(part as u32) % 100) as f64 / 100.0;
            let mut weather = Conditions::new(60, 30, chance(3) * 0.3);
            weather.profile = weather
                .profile
                .with_duplication(chance(7) * 0.5)
                .with_reordering(chance(11) * 0.3, MS * 70)
                .with_corruption(chance(17) * 0.05);
            let mut pair = Pair::<Weather>::connected(seed, Conditions::new(60, 30, 0.0), ());
            pair.network().set_conditions(weather);
            let user = pair.user();
            for turn in 0..TURNS {
                let size = (seed as usize * 131 + turn as usize * 977) % 4_000;
                let server = pair.server_mut();
                server.send_to::<Ordered>(user, numbered(turn, size)).unwrap();
                server.send_to::<Unordered>(user, numbered(10_000 + turn, size)).unwrap();
                server.send_to::<Sequenced>(user, numbered(20_000 + turn, size % 1_500)).unwrap();
                server.send_to::<Facts>(user, numbered(30_000 + turn, size % 3_000)).unwrap();
                server.send_to::<Settings>(user, numbered(40_000 + turn, size % 2_500)).unwrap();
                let mut client = pair.client_mut().connected().unwrap();
                client.send::<Ordered>(numbered(turn, size)).unwrap();
                client.send::<Unordered>(numbered(10_000 + turn, size)).unwrap();
                client.send::<Sequenced>(numbered(20_000 + turn, size % 1_500)).unwrap();
                client.send::<Facts>(numbered(30_000 + turn, size % 3_000)).unwrap();
                client.send::<Settings>(numbered(40_000 + turn, size % 2_500)).unwrap();
                pair.run_for(MS * 50);
            }
            pair.network().set_conditions(Conditions::new(60, 30, 0.0));
            pair.run_for(MS * 10_000);
            c1_check(&numbers(pair.server_messages()));
            c1_check(&numbers(pair.client_messages()));
            assert_eq!(pair.server().user_count(), 1, "and nobody left");
        },
    );
}

#[test]
fn c3_every_size_travels_and_one_too_many_is_a_named_error() {
    let largest = ConnectionConfig::default().max_message_size;
    // The message's own framing: which message, its number, the length of its body.
    let framing = 8;
    let mut sizes = vec![0, 1, largest - framing, largest - framing - 1];
    sizes.extend((1_100..=1_210).step_by(1));
    let mut pair = Pair::<Game>::connected(3, Conditions::new(20, 0, 0.0), login(0));
    let user = pair.user();
    for (number, size) in sizes.iter().enumerate() {
        let message = numbered(number as u32, *size);
        pair.server_mut().send_to::<Ordered>(user, message.clone()).unwrap();
        pair.run_for(MS * 100);
        pair.server_mut().send_to::<Unordered>(user, message.clone()).unwrap();
        pair.run_for(MS * 100);
        let mut client = pair.client_mut().connected().unwrap();
        client.send::<Sequenced>(message).unwrap();
        pair.run_for(MS * 1_000);
    }
    let expected: Vec<u32> = (0..sizes.len() as u32).collect();
    let mut twice: Vec<u32> = expected.iter().flat_map(|n| [*n, *n]).collect();
    let mut received = numbers(pair.client_messages());
    received.sort_unstable();
    twice.sort_unstable();
    assert_eq!(received, twice);
    assert_eq!(numbers(pair.server_messages()), expected);

    for size in [largest - framing + 3, largest, largest + 1] {
        let error = pair.server_mut().send_to::<Ordered>(user, numbered(0, size)).unwrap_err();
        assert!(matches!(error.kind(), SendErrorKind::TooLarge { max, .. } if max == largest), "{error}");
        let mut client = pair.client_mut().connected().unwrap();
        assert!(client.send::<Unordered>(numbered(0, size)).is_err());
    }
    assert_eq!(pair.server().user_count(), 1);
}

#[test]
fn a_full_queue_is_a_named_error_and_loses_nothing() {
    let mut pair = Pair::<Game>::connected(3, Conditions::new(20, 0, 0.0), login(0));
    let user = pair.user();
    let mut accepted = 0;
    let error = loop {
        match pair.server_mut().send_to::<Ordered>(user, numbered(accepted, 10_000)) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), SendErrorKind::QueueFull { .. }), "{error}");
    pair.run_for(MS * 20_000);
    assert_eq!(numbers(pair.client_messages()), (0..accepted).collect::<Vec<_>>());
}

#[test]
fn c2_every_counter_wraps_without_a_glitch() {
    let mut pair = Pair::<Game>::connected(8, Conditions::new(5, 2, 0.2), login(0));
    let user = pair.user();
    let mut sent = 0_u32;
    // 70,000 packets each way, and 70,000 numbers on each numbered channel.
    while sent < 70_000 {
        pair.server_mut().send_to::<Ordered>(user, numbered(sent, 0)).unwrap();
        pair.server_mut().send_to::<Sequenced>(user, numbered(sent, 0)).unwrap();
        let mut client = pair.client_mut().connected().unwrap();
        client.send::<Sequenced>(Steer { turn: 0.5 }).unwrap();
        client.send::<Ordered>(numbered(sent, 0)).unwrap();
        sent += 1;
        pair.run_for(MS * 3);
    }
    pair.run_for(MS * 5_000);
    let stats = pair.server().user(user).unwrap().stats;
    assert!(stats.packets_sent > 65_536 && stats.packets_received > 50_000, "{stats:?}");
    assert_eq!(numbers(pair.server_messages()), (0..sent).collect::<Vec<_>>());
    let received = numbers(pair.client_messages());
    // Each number once from the ordered channel, and some of them once more from the other.
    let mut ordered = 0;
    let mut newest = None;
    for number in received {
        if number == ordered {
            ordered += 1;
        } else {
            assert!(newest.is_none_or(|newest| number > newest), "{number} after {newest:?}");
            newest = Some(number);
        }
    }
    assert_eq!(ordered, sent);
    assert_eq!(pair.server().user_count(), 1);
}

#[test]
fn a_packet_of_one_message_and_of_ten_adds_few_bytes() {
    for (security, alone) in
        [(bowline::transport::Security::FULL, 14), (bowline::transport::Security::NONE, 20)]
    {
        let config = ClusterConfig { security, ..ClusterConfig::new(1, 1) };
        let mut pair = Pair::<Game>::new(config, login(0));
        pair.connect();
        pair.run_for(MS * 1_000);
        // 100 bytes on the wire but for the bit that says which message: 4 of number, 1 of length, 95 of body.
        let message: Numbered = numbered(7, 95);
        let mut send = |count: usize| {
            for _ in 0..count {
                pair.client_mut().connected().unwrap().send::<Ordered>(message.clone()).unwrap();
            }
            pair.run_for(Duration::ZERO);
            let bytes = pair.network().last_sent_by(pair.client_address(0)).unwrap();
            let bytes = bytes.len();
            pair.run_for(MS * 500);
            bytes
        };
        let one = send(1) - 100;
        let ten = send(10) - 1_000;
        let each = (ten - one) as f64 / 9.0;
        println!("{security:?}: one message adds {one} bytes, each further one {each:.2}");
        assert!(one <= alone && each <= 3.0);
    }
}

#[test]
fn stats_tell_what_the_network_does() {
    let mut pair = Pair::<Game>::connected(11, Conditions::new(50, 10, 0.1), login(0));
    let user = pair.user();
    for _ in 0..600 {
        pair.server_mut().send_to::<Unordered>(user, Steer { turn: 0.0 }).unwrap();
        pair.client_mut().connected().unwrap().send::<Unordered>(Steer { turn: 1.0 }).unwrap();
        pair.run_for(MS * 50);
    }
    for stats in [pair.server().user(user).unwrap().stats, pair.client(0).stats()] {
        let round_trip = stats.round_trip_time.unwrap();
        assert!(round_trip >= MS * 80 && round_trip <= MS * 125, "{round_trip:?}");
        assert!(stats.jitter > MS && stats.jitter < MS * 25, "{:?}", stats.jitter);
        assert!((0.05..0.15).contains(&stats.loss_sent()), "{}", stats.loss_sent());
        assert!((0.05..0.15).contains(&stats.loss_received()), "{}", stats.loss_received());
    }
}

#[test]
fn d4_the_same_seed_gives_the_same_trace() {
    let trace = |seed| {
        let conditions = lossy(0.1);
        let mut cluster =
            Cluster::<Game>::new(ClusterConfig { conditions, ..ClusterConfig::new(seed, 5) }, login);
        cluster.connect_all();
        cluster.run_for(MS * 1_500);
        for number in 0..50 {
            for client in 0..5 {
                if let Some(mut connected) = cluster.client_mut(client).connected() {
                    connected.send::<Ordered>(numbered(number, 700)).unwrap();
                }
            }
            cluster.run_for(MS * 33);
        }
        cluster.trace_hash()
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
    // The same on every machine and in every build: this number changes only when what travels does.
    println!("trace of seed 1: {:#018x}", trace(1));
    assert_eq!(trace(1), 0x2c7c_cc77_08c2_4681);
}
