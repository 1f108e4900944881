//! Coming back: by hand, by policy, from another address.

use std::time::Duration;

use bowline::{Phase, ReconnectPolicy};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault, Pair, Plan, Seen, check_seeds};
use bowline_tests::{
    Game, GameMessage, Ordered, Unordered, client_story, login, lossy, numbered, server_story,
};

const MS: Duration = Duration::from_millis(1);

/// Fills every queue of both sides, so that there is something that could leak into the next session.
fn fill_queues(pair: &mut Pair<Game>, first: u32) {
    let user = pair.user();
    for number in first..first + 20 {
        pair.server_mut().send_to::<Ordered>(user, numbered(number, 500)).unwrap();
        let mut client = pair.client_mut().connected().unwrap();
        client.send::<Ordered>(numbered(number, 500)).unwrap();
        client.send::<Unordered>(numbered(number, 5_000)).unwrap();
    }
    pair.run_for(MS * 30);
}

#[test]
fn a8_after_every_kind_of_end_a_fresh_session_knows_nothing_of_the_old_one() {
    type End = fn(&mut Pair<Game>);
    let ends: [(&str, End); 4] = [
        ("the client leaves", |pair| pair.client_mut().disconnect()),
        ("the server kicks", |pair| {
            let user = pair.user();
            pair.server_mut().disconnect(user, "out");
        }),
        ("a time-out", |pair| {
            pair.apply(&Fault::Cut(0));
            pair.run_for(MS * 11_000);
            pair.apply(&Fault::Join(0));
        }),
        ("the server crashes", |pair| {
            pair.crash_server();
            pair.run_for(MS * 11_000);
            pair.start_server();
        }),
    ];
    check_seeds(
        "a8_fresh",
        0..1_000,
        |_| Plan::new(),
        |seed, _| {
            let securities = [bowline::transport::Security::NONE, bowline::transport::Security::FULL];
            let security = securities[seed as usize % 2];
            let (name, end) = ends[seed as usize / 2 % ends.len()];
            let config = ClusterConfig { conditions: lossy(0.05), security, ..ClusterConfig::new(seed, 1) };
            let mut pair = Pair::<Game>::new(config, login(0));
            pair.connect();
            assert!(pair.run_until(MS * 9_000, |c| c.server().user_count() == 1));
            assert!(pair.run_until(MS * 9_000, |c| c.client(0).phase() == Phase::Connected));
            fill_queues(&mut pair, 0);
            end(&mut pair);
            pair.run_until(MS * 20_000, |c| c.client(0).phase() == Phase::Disconnected);
            pair.forget_seen();
            pair.connect();
            assert!(pair.run_until(MS * 9_000, |c| c.client(0).phase() == Phase::Connected), "{name}");
            let user = pair.server().users().last().unwrap();
            pair.server_mut().send_to::<Ordered>(user, numbered(1_000, 1)).unwrap();
            pair.client_mut().connected().unwrap().send::<Ordered>(numbered(2_000, 1)).unwrap();
            pair.run_for(MS * 5_000);
            let number =
                |message: &&GameMessage| matches!(message, GameMessage::Numbered(n) if n.number >= 1_000);
            assert!(pair.client_messages().iter().all(number), "{name}: the client heard an old message");
            assert_eq!(pair.client_messages().len(), 1, "{name}");
            let fresh =
                pair.server_seen().iter().filter(|(_, s)| matches!(s, Seen::Message(u, _) if *u == user));
            assert_eq!(fresh.count(), 1, "{name}: {:?}", server_story(&pair));
            assert_eq!(
                client_story(&pair, 0).iter().filter(|word| *word == "connected").count(),
                1,
                "{name}"
            );
        },
    );
}

#[test]
fn a8_a_thousand_times() {
    let mut pair = Pair::<Game>::connected(1, Conditions::perfect(), login(0));
    for _ in 0..1_000 {
        pair.client_mut().disconnect();
        pair.run_for(MS * 20);
        pair.connect();
        assert!(pair.run_until(MS * 1_000, |c| c.client(0).phase() == Phase::Connected));
    }
    pair.run_for(MS * 100);
    assert_eq!(pair.server().user_count(), 1);
    assert_eq!(server_story(&pair).iter().filter(|word| *word == "connected").count(), 1_001);
}

#[test]
fn a10_two_hundred_clients_come_back_to_a_server_that_restarts() {
    let mut config =
        ClusterConfig { conditions: Conditions::new(40, 10, 0.01), ..ClusterConfig::new(9, 200) };
    config.client.reconnect = Some(ReconnectPolicy::default());
    let mut cluster = Cluster::<Game>::new(config, login);
    cluster.connect_all();
    assert!(cluster.run_until(MS * 10_000, |c| c.server().user_count() == 200));
    cluster.crash_server();
    cluster.run_for(MS * 25_000);
    cluster.start_server();
    cluster.forget_seen();
    let up = cluster.now();
    assert!(cluster.run_until(MS * 10_000, |c| c.server().user_count() == 200));
    println!("all 200 back {:?} after the server was up", cluster.now() - up);
    let mut arrivals: Vec<u64> = cluster
        .server_seen()
        .iter()
        .filter(|(_, seen)| matches!(seen, Seen::Connected(_)))
        .map(|(at, _)| at.as_millis())
        .collect();
    arrivals.sort_unstable();
    // Spread out: no tenth of a second holds more than a quarter of them.
    let densest =
        arrivals.iter().map(|at| arrivals.iter().filter(|a| (*at..at + 100).contains(a)).count()).max();
    assert!(densest <= Some(50), "{densest:?} of 200 within 100 ms");
}

#[test]
fn a_policy_gives_up_when_it_was_told_to() {
    let mut config = ClusterConfig::new(2, 1);
    config.client.connection.connect_timeout = MS * 1_000;
    config.client.reconnect = Some(ReconnectPolicy { max_attempts: Some(3), ..ReconnectPolicy::default() });
    let mut cluster = Cluster::<Game>::new(config, login);
    cluster.crash_server();
    cluster.connect_all();
    cluster.run_for(MS * 60_000);
    let story = client_story(&cluster, 0);
    assert_eq!(story.iter().filter(|word| *word == "reconnecting").count(), 3, "{story:?}");
    assert_eq!(story.iter().filter(|word| word.starts_with("disconnected")).count(), 4, "{story:?}");
}

#[test]
fn a_policy_does_not_argue_with_a_kick() {
    let mut config = ClusterConfig::new(2, 1);
    config.client.reconnect = Some(ReconnectPolicy::default());
    let mut cluster = Cluster::<Game>::new(config, login);
    cluster.connect_all();
    cluster.run_for(MS * 500);
    let user = cluster.server().users().next().unwrap();
    cluster.server_mut().disconnect(user, "go away");
    cluster.run_for(MS * 30_000);
    assert_eq!(cluster.server().user_count(), 0);
    assert_eq!(
        client_story(&cluster, 0),
        ["connected", "disconnected: the server ended the connection: go away"]
    );
}

#[test]
fn a_client_that_moves_stays_connected() {
    let mut pair = Pair::<Game>::connected(4, lossy(0.05), login(0));
    let user = pair.user();
    let before = pair.server().user(user).unwrap().address;
    let after = pair.network().rebind(pair.client_address(0));
    pair.client_mut().connected().unwrap().send::<Ordered>(numbered(1, 10)).unwrap();
    pair.run_for(MS * 2_000);
    assert_ne!(before, after);
    assert_eq!(pair.server().user(user).unwrap().address, after, "it is followed");
    pair.server_mut().send_to::<Ordered>(user, numbered(2, 10)).unwrap();
    pair.run_for(MS * 2_000);
    assert_eq!(pair.client_messages().len(), 1);
    pair.run_for(MS * 30_000);
    assert_eq!(client_story(&pair, 0).len(), 2, "connected, one message, and no end");
}

#[test]
fn a_copied_packet_from_elsewhere_moves_nobody() {
    let mut pair = Pair::<Game>::connected(4, Conditions::new(20, 0, 0.0), login(0));
    let user = pair.user();
    let home = pair.server().user(user).unwrap().address;
    // Somebody on the path sees a packet and sends it from an address of its own, before the original arrives.
    let (thief, server) = (bowline_sim::SimAddress::new(7), pair.server_address());
    pair.client_mut().connected().unwrap().send::<Ordered>(numbered(1, 10)).unwrap();
    pair.network().set_conditions_of(thief, Some(Conditions::new(0, 0, 0.0)));
    pair.run_for(MS * 1);
    let copy = pair.network().last_sent_by(home).expect("a packet is on the way");
    pair.network().inject(thief, server, &copy);
    pair.run_for(MS * 3_000);
    assert_eq!(pair.server().user(user).unwrap().address, home);
    pair.server_mut().send_to::<Ordered>(user, numbered(2, 10)).unwrap();
    pair.run_for(MS * 1_000);
    assert_eq!(pair.client_messages().len(), 1, "answers still go home");
}

#[test]
fn a_client_that_moves_is_asked_again_soon_when_the_question_is_lost() {
    /// The first byte of the question.
    const QUESTION: u8 = 0b1101_0011;
    const ASKED_AGAIN: Duration = Duration::from_millis(200);
    const LATENCY: Duration = Duration::from_millis(20);
    const TICK: Duration = Duration::from_millis(50);
    let mut pair = Pair::<Game>::connected(4, Conditions::new(20, 0, 0.0), login(0));
    pair.run_for(MS * 5_000);
    let (user, home, server) = (pair.user(), pair.client_address(0), pair.server_address());
    let after = pair.network().rebind(home);
    let is_asked = |pair: &Cluster<Game>| {
        pair.network().last_sent_by(server).is_some_and(|datagram| datagram.first() == Some(&QUESTION))
    };
    // An address that is not proved gets no more bytes than came from it: enough for more than one question.
    pair.client_mut().connected().unwrap().send::<Unordered>(numbered(1, 200)).unwrap();
    assert!(pair.run_until(MS * 100, is_asked));
    pair.network().cut(home);
    pair.run_for(LATENCY * 2);
    pair.network().join(home);
    let moved = |pair: &Cluster<Game>| pair.server().user(user).unwrap().address == after;
    assert!(!moved(&pair), "the question was lost");
    // The next heartbeat is further away.
    assert!(pair.run_until(ASKED_AGAIN + LATENCY * 2 + TICK, moved));
}
