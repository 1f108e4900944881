//! What a connection says of itself.

use std::time::Duration;

use bowline::{ConnectionStats, UserId};
use bowline_sim::{Conditions, Fault, Pair};
use bowline_tests::{Game, Ordered, Unordered, login, numbered};

const MS: Duration = Duration::from_millis(1);

fn at_server(pair: &Pair<Game>, user: UserId) -> ConnectionStats {
    pair.server().user(user).unwrap().stats
}

/// Ten seconds of 20 messages a second from the server, half of them reliable.
fn talk(conditions: Conditions) -> (Pair<Game>, UserId) {
    let mut pair = Pair::<Game>::connected(1, Conditions::new(60, 10, 0.0), login(0));
    pair.network().set_conditions(conditions);
    let user = pair.user();
    for number in 0..200 {
        let server = pair.server_mut();
        if number % 2 == 0 {
            server.send_to::<Ordered>(user, numbered(number, 193)).unwrap();
        } else {
            server.send_to::<Unordered>(user, numbered(number, 93)).unwrap();
        }
        pair.run_for(MS * 50);
    }
    (pair, user)
}

#[test]
fn round_trips_have_a_median_and_a_tail() {
    let (pair, user) = talk(Conditions::new(60, 10, 0.0));
    let stats = at_server(&pair, user);
    let (median, tail) = (stats.round_trip_p50.unwrap(), stats.round_trip_p99.unwrap());
    assert!(median > MS * 110 && median < MS * 135, "{median:?}");
    assert!(tail > median && tail < MS * 155, "{tail:?}");
}

#[test]
fn losses_are_those_of_the_path_both_ways() {
    let (pair, user) = talk(Conditions::new(60, 10, 0.1));
    let stats = at_server(&pair, user);
    assert!((0.02..0.25).contains(&stats.recent_loss_sent), "{}", stats.recent_loss_sent);
    assert!((0.0..0.35).contains(&stats.recent_loss_received), "{}", stats.recent_loss_received);
    let (pair, user) = talk(Conditions::new(60, 10, 0.0));
    let stats = at_server(&pair, user);
    assert_eq!((stats.recent_loss_sent, stats.packets_lost), (0.0, 0));
}

#[test]
fn what_flows_in_a_second_is_seen_for_each_channel_and_stops_when_it_stops() {
    let (mut pair, user) = talk(Conditions::new(60, 10, 0.0));
    let stats = at_server(&pair, user);
    // Twenty messages of 150 bytes on average, and what packets add.
    assert!((2_900..4_200).contains(&stats.bytes_sent_per_second), "{}", stats.bytes_sent_per_second);
    assert!((19..=45).contains(&stats.packets_sent_per_second), "{}", stats.packets_sent_per_second);
    let ordered = pair.server().channel_stats::<Ordered>(user).unwrap();
    let unordered = pair.server().channel_stats::<Unordered>(user).unwrap();
    assert_eq!((ordered.messages_sent, unordered.messages_sent), (100, 100));
    assert!((1_750..=2_250).contains(&ordered.bytes_sent_per_second), "{ordered:?}");
    assert!((850..=1_150).contains(&unordered.bytes_sent_per_second), "{unordered:?}");
    let connected = pair.client_mut().connected().unwrap();
    let (there, client) = (connected.channel_stats::<Ordered>(), connected.stats());
    assert!((97..=100).contains(&there.messages_received), "{there:?}");
    assert!((1_750..=2_250).contains(&there.bytes_received_per_second), "{there:?}");
    assert!((2_800..4_200).contains(&client.bytes_received_per_second));

    pair.run_for(MS * 3_000);
    assert_eq!(pair.server().channel_stats::<Ordered>(user).unwrap().bytes_sent_per_second, 0);
    assert!(at_server(&pair, user).bytes_sent_per_second < 100, "heartbeats");
}

#[test]
fn what_waits_is_seen_on_its_channel() {
    let mut pair = Pair::<Game>::connected(1, Conditions::perfect(), login(0));
    let user = pair.user();
    pair.apply(&Fault::Cut(0));
    pair.server_mut().send_to::<Ordered>(user, numbered(1, 10_000)).unwrap();
    pair.run_for(MS * 500);
    let queued = |pair: &Pair<Game>| {
        let ordered = pair.server().channel_stats::<Ordered>(user).unwrap().queued_bytes;
        (ordered, pair.server().channel_stats::<Unordered>(user).unwrap().queued_bytes)
    };
    assert!(queued(&pair).0 > 10_000, "{:?}", queued(&pair));
    assert_eq!((queued(&pair).1, at_server(&pair, user).queued_bytes), (0, queued(&pair).0));
    pair.apply(&Fault::Join(0));
    pair.run_for(MS * 3_000);
    assert_eq!(queued(&pair), (0, 0));
}

#[test]
fn a_client_knows_how_far_the_servers_clock_is_ahead() {
    let (pair, user) = talk(Conditions::new(60, 10, 0.0));
    assert_eq!(at_server(&pair, user).clock_offset_micros, None, "a server's clock is its own");
    let offset = pair.client(0).stats().clock_offset_micros.unwrap();
    // Both clocks of the simulator begin at the same moment, and so do the server's ticks.
    assert!(offset.abs() < 15_000, "{offset}");
}
