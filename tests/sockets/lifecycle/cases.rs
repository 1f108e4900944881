//! What must hold over every transport, by the numbers of the acceptance cases.

use std::time::{Duration, Instant};

use bowline::AppText;
use bowline::prelude::*;
use bowline_tests::rig::outdated::{self, OldArena};
use bowline_tests::rig::{Arena, Chat, Talk};

use crate::nets::Net;
use crate::world::{MS, SHORT, World};

fn short_server() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connection.disconnection_timeout_duration = SHORT;
    config.connection.heartbeat_interval = SHORT / 8;
    config
}

fn short_client() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.connection.disconnection_timeout_duration = SHORT;
    config.connection.connect_timeout = SHORT;
    config.connection.heartbeat_interval = SHORT / 8;
    config
}

fn chatty_client() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.connection.heartbeat_interval = SHORT / 8;
    config
}

pub(crate) fn a1_connect_is_seen_once_on_each_side_and_in_order<N: Net>() {
    let mut world = World::<N>::connected(ServerConfig::default(), ClientConfig::default());
    world.say("ahoy");
    world.until("the message", |world| world.server_story.len() == 3);
    world.go_on_for(MS * 100);
    assert_eq!(world.server_story, ["auth requested", "connected", "ahoy"]);
    assert_eq!(world.client_story, ["Connected"]);
    let user = world.users[0];
    let info = world.server().user(user).unwrap();
    assert_eq!(info.transport, N::NAME);
    assert!(N::is_at(world.client.transport_mut().unwrap(), info.address), "{}", info.address);
}

pub(crate) fn a2_a_client_that_is_refused_learns_why_and_leaves_nothing<N: Net>() {
    let mut world = World::<N>::new();
    world.decide = |_, ticket| {
        assert_eq!(ticket.auth().name, "anna");
        ticket.reject(RejectReason::custom("come back on Friday"));
    };
    world.connect().unwrap();
    world.until_out();
    assert_eq!(world.client_story, ["rejected: come back on Friday"]);
    assert_eq!(world.server_story, ["auth requested"]);
    assert_eq!(world.server().user_count(), 0);
}

pub(crate) fn a2_a_ticket_that_is_dropped_refuses<N: Net>() {
    let mut world = World::<N>::new();
    world.decide = |_, ticket| drop(ticket);
    world.connect().unwrap();
    world.until_out();
    assert_eq!(world.client_story, ["rejected: the server did not decide in time; try again"]);
    assert_eq!(world.server_story, ["auth requested"], "at once, and not because the time was up");
    assert_eq!(world.server().user_count(), 0);
}

pub(crate) fn a2_a_ticket_is_good_many_ticks_later<N: Net>() {
    let mut world = World::<N>::new();
    world.decide = |world, ticket| world.tickets.push(ticket);
    world.connect().unwrap();
    world.until("the ticket", |world| !world.tickets.is_empty());
    let tick = world.server().tick();
    world.until("some ticks", |world| world.server().tick() >= tick + 6);
    assert_eq!((world.client.phase(), world.server().user_count()), (Phase::PendingAuth, 0));
    world.tickets.pop().unwrap().accept();
    world.until_in();
    assert_eq!(world.server_story, ["auth requested", "connected"]);
}

pub(crate) fn a2_a_ticket_that_is_kept_too_long_refuses<N: Net>() {
    let mut config = ServerConfig::default();
    config.doorway.decision_timeout = SHORT;
    let mut world = World::<N>::of(config, ClientConfig::default());
    world.decide = |world, ticket| world.tickets.push(ticket);
    world.connect().unwrap();
    world.until_out();
    let why = "rejected: the server did not decide in time; try again";
    assert_eq!(world.client_story, [why]);
    assert_eq!(world.server_story, ["auth requested", why]);
    world.tickets.pop().unwrap().accept();
    world.go_on_for(MS * 100);
    assert_eq!(world.server().user_count(), 0, "it comes too late to change anything");
}

pub(crate) fn a3_both_sides_name_what_differs<N: Net>() {
    let mut world = World::<N, OldArena>::of(ServerConfig::default(), ClientConfig::default());
    world.connect().unwrap();
    world.until("both know", |world| {
        world.client.phase() == Phase::Disconnected && !world.server_story.is_empty()
    });
    assert_ne!(Arena::ID, outdated::OldArena::ID);
    assert_eq!(world.mismatches.len(), 2, "{:?}", world.mismatches);
    for story in [&world.client_story, &world.server_story] {
        assert_eq!(story.len(), 1, "{story:?}");
        assert!(story[0].starts_with("rejected: client and server are different versions"), "{story:?}");
        assert!(story[0].contains("Steer") && !story[0].contains("Chat"), "{story:?}");
    }
    world.go_on_for(MS * 100);
    assert_eq!((world.server_story.len(), world.client_story.len()), (1, 1), "once each");
}

pub(crate) fn a4_where_nobody_answers_the_attempt_ends_and_can_be_made_again<N: Net>() {
    let mut world = World::<N>::of(ServerConfig::default(), short_client());
    let there = world.net.clone();
    for (nobody, says) in [(N::silent(), "the server did not answer"), (N::gone(), N::SAYS_OF_GONE)] {
        world.forget();
        world.net = nobody;
        let start = Instant::now();
        world.connect().unwrap();
        world.until_out();
        if says == "the server did not answer" {
            assert!(start.elapsed() >= SHORT, "at the configured time: {:?}", start.elapsed());
        }
        assert_eq!(world.client_story.len(), 1);
        let beginning = format!("disconnected: {says}");
        assert!(world.client_story[0].starts_with(&beginning), "{:?}", world.client_story);
    }
    world.forget();
    world.net = there;
    world.client = Client::new(ClientConfig::default());
    world.connect().unwrap();
    world.until_in();
    assert_eq!(world.client_story, ["Connected"]);
}

pub(crate) fn a5_a_client_that_vanishes_times_out<N: Net>() {
    let mut world = World::<N>::connected(short_server(), chatty_client());
    world.say("my last words");
    let heard = Instant::now();
    world.until("the last words", |world| world.server_story.len() == 3);
    world.client = Client::new(ClientConfig::default());
    assert_eq!(world.until_departed(), DisconnectReason::TimedOut);
    assert!(heard.elapsed() >= SHORT, "at the configured time: {:?}", heard.elapsed());
    assert_eq!(world.server().user_count(), 0);
}

pub(crate) fn a5_a_server_that_stands_still_times_out<N: Net>() {
    let (mut world, heard) = with_a_server_just_heard::<N>();
    let standing_still = world.server.take();
    world.until_out();
    assert!(heard.elapsed() >= SHORT, "at the configured time: {:?}", heard.elapsed());
    let lost = "disconnected: the connection was lost: nothing was heard from the other side";
    assert_eq!(world.client_story, ["Connected", lost]);
    drop(standing_still);
}

pub(crate) fn a5_a_server_that_vanishes_is_noticed<N: Net>() {
    let (mut world, heard) = with_a_server_just_heard::<N>();
    world.server = None;
    world.until_out();
    if N::SAYS_OF_VANISHED.contains("nothing was heard") {
        assert!(heard.elapsed() >= SHORT, "at the configured time: {:?}", heard.elapsed());
    }
    assert_eq!(
        world.client_story,
        ["Connected".to_owned(), format!("disconnected: {}", N::SAYS_OF_VANISHED)]
    );
}

fn with_a_server_just_heard<N: Net>() -> (World<N>, Instant) {
    let mut config = ServerConfig::default();
    config.connection.heartbeat_interval = SHORT / 8;
    let mut world = World::<N>::connected(config, short_client());
    let received = world.client.stats().packets_received;
    let heard = Instant::now();
    world.until("a heartbeat", |world| world.client.stats().packets_received > received);
    (world, heard)
}

pub(crate) fn a6_idle_but_alive_there_are_heartbeats_and_nothing_else<N: Net>() {
    const INTERVAL: Duration = Duration::from_millis(50);
    const BEATS: u64 = 12;
    let mut server = ServerConfig::default();
    server.connection.heartbeat_interval = INTERVAL;
    let mut client = ClientConfig::default();
    client.connection.heartbeat_interval = INTERVAL;
    let mut world = World::<N>::connected(server, client);
    world.go_on_for(INTERVAL * 3);
    world.forget();

    let user = world.users[0];
    let stats = |world: &mut World<N>| [world.server().user(user).unwrap().stats, world.client.stats()];
    let (start, before) = (Instant::now(), stats(&mut world));
    world.until("some heartbeats", |world| {
        let after = stats(world);
        (0..2).all(|side| after[side].packets_sent >= before[side].packets_sent + BEATS)
    });
    let (after, elapsed) = (stats(&mut world), start.elapsed());
    for (before, after) in before.into_iter().zip(after) {
        let packets = after.packets_sent - before.packets_sent;
        // The first may have been about due; the others keep their distance.
        let most = (elapsed.as_nanos() / INTERVAL.as_nanos()) as u64 + 1;
        assert!((BEATS..=most).contains(&packets), "{packets} packets in {elapsed:?}");
        let bytes = (after.bytes_sent - before.bytes_sent) as f64 / packets as f64;
        assert!(bytes < 40.0, "{bytes} bytes a heartbeat");
        assert_eq!((after.messages_sent, after.messages_received), (0, 0));
        assert_eq!(after.packets_lost, 0);
    }
    assert!(world.server_story.is_empty() && world.client_story.is_empty(), "nobody sees anything of it");
}

pub(crate) fn a7_each_end_has_its_own_reason_on_each_side<N: Net>() {
    let mut world = World::<N>::connected(ServerConfig::default(), ClientConfig::default());
    let user = world.users[0];
    world.server().disconnect(user, "cheating");
    world.until_out();
    world.go_on_for(MS * 50);
    assert_eq!(world.departures[0].reason, DisconnectReason::Kicked(AppText::new("cheating")));
    assert_eq!(world.client_story, ["Connected", "disconnected: the server ended the connection: cheating"]);

    let mut world = World::<N>::connected(ServerConfig::default(), ClientConfig::default());
    world.client.disconnect();
    assert_eq!(world.until_departed(), DisconnectReason::PeerLeft);
    assert_eq!(world.client_story, ["Connected", "disconnected: you left"]);

    let mut world = World::<N>::connected(ServerConfig::default(), ClientConfig::default());
    world.server().shut_down();
    world.until_out();
    assert_eq!(world.departures[0].reason, DisconnectReason::ServerShutdown);
    assert_eq!(world.client_story, ["Connected", "disconnected: the server was shut down"]);
}

pub(crate) fn a8_after_each_end_comes_a_fresh_session<N: Net>() {
    type End<N> = (&'static str, fn(&mut World<N>));
    let ends: [End<N>; 6] = [
        ("a goodbye", |world| {
            world.client.disconnect();
            world.until_departed();
        }),
        ("a kick", |world| {
            let user = *world.users.last().unwrap();
            world.server().disconnect(user, "");
            world.until_out();
        }),
        ("a shutdown", |world| {
            world.server().shut_down();
            world.until_out();
            let config = world.server().socket_config();
            let (socket, net) = N::listen(config);
            world.net = net;
            world.server().listen(socket);
        }),
        ("a time-out of the client", |world| {
            // The server stands still.
            let server = world.server.take();
            world.until_out();
            world.server = server;
            world.until("the old session's end", |world| world.server().user_count() == 0);
        }),
        ("a refusal", |world| {
            world.client.disconnect();
            world.until_departed();
            world.decide = |_, ticket| ticket.reject(RejectReason::Unauthorized);
            world.connect().unwrap();
            world.until_out();
            world.decide = |_, ticket| ticket.accept();
        }),
        ("another server", |world| {
            world.server = None;
            let mut server = Server::new(ServerConfig::default());
            server.listen(world.net.listen_again(server.socket_config()));
            world.server = Some(server);
            world.until_out();
        }),
    ];
    let mut client = ClientConfig::default();
    client.connection.disconnection_timeout_duration = SHORT * 3;
    client.connection.heartbeat_interval = SHORT / 8;
    let mut server = ServerConfig::default();
    server.connection.heartbeat_interval = SHORT / 8;
    let mut world = World::<N>::connected(server, client);
    for (index, (name, end)) in ends.into_iter().enumerate() {
        // Words that are still on their way when the session ends.
        world.say("old words");
        let user = *world.users.last().unwrap();
        world.server().send_to::<Talk>(user, Chat { text: "old words".into() }).unwrap();
        end(&mut world);
        assert_eq!(world.server().user_count(), 0, "{name}");

        world.forget();
        if index % 2 == 0 {
            world.connect().unwrap();
        } else {
            world.client.reconnect().unwrap();
        }
        world.until_in();
        world.say("new words");
        world.until("new words", |world| world.server_story.len() >= 3);
        world.go_on_for(MS * 50);
        assert_eq!(world.server_story, ["auth requested", "connected", "new words"], "{name}");
        assert_eq!(world.client_story, ["Connected"], "{name}");
        let fresh = *world.users.last().unwrap();
        let stats = world.server().user(fresh).unwrap().stats;
        assert_eq!(stats.messages_received, 1, "{name}: {stats:?}");
    }
}
