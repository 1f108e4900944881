//! Coming in: accepted, refused, mismatched, unanswered.

use std::time::Duration;

use bowline::{ConnectionConfig, DisconnectReason, Phase, RejectReason};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Door, Fault, Pair, Plan, check_seeds};
use bowline_tests::{Game, client_story, frame, last_end, login, lossy, server_story};

const MS: Duration = Duration::from_millis(1);

fn cluster(config: ClusterConfig) -> Cluster<Game> {
    Cluster::new(config, login)
}

fn both_securities() -> [bowline::transport::Security; 2] {
    [bowline::transport::Security::NONE, bowline::transport::Security::FULL]
}

#[test]
fn a1_connect_is_seen_once_on_each_side_and_in_order() {
    for security in both_securities() {
        let mut cluster = cluster(ClusterConfig { security, ..ClusterConfig::new(1, 1) });
        cluster.connect_all();
        cluster.run_for(MS * 500);
        assert_eq!(server_story(&cluster), ["auth requested", "connected"]);
        assert_eq!(client_story(&cluster, 0), ["connected"]);
    }
}

#[test]
fn a1_holds_whatever_the_network_does() {
    check_seeds(
        "a1_connect",
        0..1_000,
        |_| Plan::new(),
        |seed, _| {
            let mut conditions = lossy(0.3);
            conditions.profile = conditions.profile.with_duplication(0.3).with_reordering(0.2, MS * 80);
            let mut config = ClusterConfig { conditions, ..ClusterConfig::new(seed, 2) };
            (config.server_frame, config.client_frame) = (frame(seed), frame(seed / 4));
            let mut cluster = cluster(config);
            cluster.connect_all();
            let connected =
                |c: &Cluster<Game>| c.server().user_count() == 2 && c.client(0).phase() == Phase::Connected;
            assert!(cluster.run_until(MS * 10_000, connected));
            cluster.run_for(MS * 3_000);
            let story = server_story(&cluster);
            assert_eq!(story.iter().filter(|word| *word == "connected").count(), 2, "{story:?}");
            assert_eq!(story.iter().filter(|word| *word == "auth requested").count(), 2, "{story:?}");
            assert_eq!(client_story(&cluster, 0), ["connected"]);
        },
    );
}

#[test]
fn connecting_over_udp_takes_exactly_two_round_trips() {
    let mut pair = Pair::<Game>::new(
        ClusterConfig { conditions: Conditions::new(50, 0, 0.0), ..ClusterConfig::new(1, 1) },
        login(0),
    );
    let start = pair.now();
    pair.connect();
    assert!(pair.run_until(MS * 5_000, |c| c.client(0).phase() == Phase::Connected));
    let taken = pair.now() - start;
    println!("connect() to Connected, 100 ms round trip: {taken:?}");
    assert_eq!(taken, MS * 200);
}

#[test]
fn connecting_over_a_proved_transport_takes_one_round_trip() {
    let config = ClusterConfig {
        conditions: Conditions::new(50, 0, 0.0),
        security: bowline::transport::Security::FULL,
        ..ClusterConfig::new(1, 1)
    };
    let mut pair = Pair::<Game>::new(config, login(0));
    let start = pair.now();
    pair.connect();
    assert!(pair.run_until(MS * 5_000, |c| c.client(0).phase() == Phase::Connected));
    assert_eq!(pair.now() - start, MS * 100);
}

#[test]
fn a2_a_refused_client_learns_why_and_the_server_keeps_nothing() {
    for security in both_securities() {
        let mut cluster = cluster(ClusterConfig { security, ..ClusterConfig::new(1, 1) });
        cluster.set_door(Door::Closed(RejectReason::custom("the arena opens at eight")));
        cluster.connect_all();
        cluster.run_for(MS * 500);
        assert_eq!(client_story(&cluster, 0), ["rejected: the arena opens at eight"]);
        assert_eq!(server_story(&cluster), ["auth requested"]);
        assert_eq!(cluster.server().user_count(), 0);
        cluster.run_for(MS * 6_000);
        assert_eq!(cluster.server().pending(), 0);
    }
}

#[test]
fn a2_a_dropped_ticket_is_refused() {
    let mut cluster = cluster(ClusterConfig::new(1, 1));
    cluster.set_door(Door::Drops);
    cluster.connect_all();
    cluster.run_for(MS * 500);
    assert_eq!(last_end(&cluster, 0), Some(DisconnectReason::Rejected(RejectReason::Undecided)));
}

#[test]
fn a2_a_ticket_can_be_accepted_three_seconds_later() {
    let mut cluster = cluster(ClusterConfig::new(1, 1));
    cluster.set_door(Door::OpenAfter(MS * 3_000));
    cluster.connect_all();
    cluster.run_for(MS * 2_900);
    assert_eq!((cluster.client(0).phase(), cluster.server().user_count()), (Phase::PendingAuth, 0));
    cluster.run_for(MS * 200);
    assert_eq!(client_story(&cluster, 0), ["connected"]);
    assert_eq!(server_story(&cluster), ["auth requested", "connected"]);
}

#[test]
fn a2_a_ticket_that_is_never_decided_expires() {
    let mut cluster = cluster(ClusterConfig::new(1, 1));
    cluster.set_door(Door::OpenAfter(MS * 60_000));
    cluster.connect_all();
    cluster.run_for(MS * 5_500);
    assert_eq!(last_end(&cluster, 0), Some(DisconnectReason::Rejected(RejectReason::Undecided)));
    assert_eq!(server_story(&cluster).len(), 2, "asked, and expired: {:?}", server_story(&cluster));
    cluster.run_for(MS * 60_000);
    assert_eq!(cluster.server().user_count(), 0, "an acceptance that comes too late lets nobody in");
}

#[test]
fn a2_a_full_server_says_so() {
    let mut config = ClusterConfig::new(1, 3);
    config.server.max_users = 2;
    let mut cluster = cluster(config);
    cluster.connect_all();
    cluster.run_for(MS * 500);
    let full = (0..3)
        .filter(|c| last_end(&cluster, *c) == Some(DisconnectReason::Rejected(RejectReason::ServerFull)));
    assert_eq!(full.count(), 1);
    assert_eq!(cluster.server().user_count(), 2);
}

#[test]
fn a4_no_answer_ends_at_the_configured_time_and_connect_works_again() {
    let mut config = ClusterConfig::new(1, 1);
    config.client.connection.connect_timeout = MS * 4_000;
    let mut cluster = cluster(config);
    cluster.crash_server();
    cluster.connect_all();
    cluster.run_for(MS * 3_999);
    assert_eq!(client_story(&cluster, 0), [""; 0]);
    cluster.run_for(MS * 2);
    assert_eq!(last_end(&cluster, 0), Some(DisconnectReason::NoAnswer));
    cluster.start_server();
    cluster.connect(0);
    cluster.run_for(MS * 500);
    assert_eq!(cluster.client(0).phase(), Phase::Connected);
}

#[test]
fn a4_the_default_is_ten_seconds() {
    assert_eq!(ConnectionConfig::default().connect_timeout, MS * 10_000);
    let mut cluster = cluster(ClusterConfig::new(1, 1));
    cluster.apply(&Fault::FreezeServer);
    cluster.connect_all();
    assert!(cluster.run_until(MS * 20_000, |c| c.client(0).phase() == Phase::Disconnected));
    assert_eq!(cluster.now().as_millis(), 10_000);
}

#[test]
fn a11_two_clients_behind_one_address_both_play() {
    // A router with one address gives each its own port: to us, two addresses. What must not happen is that a second
    // handshake from the very same address and port disturbs the session that is there.
    let mut cluster = cluster(ClusterConfig::new(1, 2));
    cluster.connect(0);
    cluster.run_for(MS * 100);
    let (from, server) = (cluster.client_address(0), cluster.server_address());
    cluster.connect(1);
    // Young connections say something often; then there are heartbeats alone.
    cluster.run_for(MS * 2_300);
    assert_eq!(cluster.server().user_count(), 2);
    assert_ne!(from, cluster.client_address(1));
    // The beginning of another handshake, from the first client's own address.
    let mut other = Pair::<Game>::new(ClusterConfig::new(99, 1), login(0));
    other.connect();
    other.run_for(Duration::ZERO);
    let hello = other.network().last_sent_by(other.client_address(0)).unwrap();
    let before = cluster.network().stats().sent;
    cluster.network().inject(from, server, &hello);
    cluster.run_for(MS * 5);
    assert_eq!(cluster.network().stats().sent - before, 2, "it is answered");
    cluster.run_for(MS * 20_000);
    assert_eq!(cluster.server().user_count(), 2);
    assert_eq!(client_story(&cluster, 0), ["connected"]);
}

#[test]
fn a3_another_protocol_is_refused_and_both_sides_name_what_differs() {
    use bowline::{Client, ClientConfig, ClientEvent};
    use bowline_sim::{SimAddress, SimHost, SimSocket};
    use bowline_tests::last_rejection;
    use bowline_tests::outdated::OldGame;

    for security in both_securities() {
        let conditions = Conditions::new(50, 0, 0.0);
        let mut cluster = cluster(ClusterConfig { conditions, security, ..ClusterConfig::new(1, 0) });
        let host = cluster.network().host(77);
        let mut old = Client::<OldGame, SimSocket, SimHost>::with_host(ClientConfig::default(), host);
        let socket = SimSocket::new(cluster.network(), SimAddress::new(9), cluster.server_address());
        old.connect(socket, login(0)).unwrap();
        let start = cluster.now();
        let reason = loop {
            old.receive();
            if let Some(event) = old.next_event() {
                break match event {
                    ClientEvent::Rejected(reason) => reason,
                    other => panic!("{other:?}"),
                };
            }
            old.send();
            cluster.run_for(MS);
            assert!(cluster.now() - start < MS * 5_000, "no answer");
        };
        let proof = if security.address_proved { Duration::ZERO } else { MS * 100 };
        assert!(
            cluster.now() - start <= proof + MS * 103,
            "within one round trip after the address is proved"
        );
        let expected = "client and server are different versions: message `Steer` is \
                        Steer{turn: f32 in -1..=1 by 0.01} on the server and \
                        Steer{turn: f32 in -1..=1 by 0.1} on the client";
        assert_eq!(reason.to_string(), expected);
        for _ in 0..200 {
            old.receive();
            old.send();
            cluster.run_for(MS);
        }
        assert_eq!(last_rejection(&cluster).map(|reason| reason.to_string()).as_deref(), Some(expected));
        cluster.run_for(MS * 6_000);
        assert_eq!((cluster.server().user_count(), cluster.server().pending()), (0, 0));
    }
}

#[test]
fn a3_a_client_that_does_not_report_is_named_all_the_same() {
    use bowline::{Client, ClientConfig};
    use bowline_sim::{SimAddress, SimHost, SimSocket};
    use bowline_tests::last_rejection;
    use bowline_tests::outdated::OldGame;

    let mut cluster = cluster(ClusterConfig { security: both_securities()[1], ..ClusterConfig::new(1, 0) });
    let host = cluster.network().host(77);
    let mut old = Client::<OldGame, SimSocket, SimHost>::with_host(ClientConfig::default(), host);
    old.connect(SimSocket::new(cluster.network(), SimAddress::new(9), cluster.server_address()), login(0))
        .unwrap();
    cluster.run_for(MS * 6_000);
    assert!(
        matches!(last_rejection(&cluster), Some(RejectReason::ProtocolMismatch(how)) if how.differences.is_empty())
    );
}
