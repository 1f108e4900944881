//! Testing with the simulator.

// ANCHOR: imports
use std::time::Duration;

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Door, Fault, Pair, Plan, Seen, check_seeds};

use crate::readme::{Arena, ArenaMessage, Chat, Talk};
// ANCHOR_END: imports

// ANCHOR: pair
#[test]
fn a_word_gets_through_a_bad_link() {
    // Seed 7; 100 ms one way, more or less 25; 5 % lost.
    let mut pair = Pair::<Arena>::connected(7, Conditions::new(100, 25, 0.05), ());
    let mut connected = pair.client_mut().connected().unwrap();
    connected.send::<Talk>(Chat { text: "ahoy".into() }).unwrap();

    pair.run_for(Duration::from_secs(2)); // two seconds of play, a millisecond of yours

    let [ArenaMessage::Chat(chat)] = &pair.server_messages()[..] else { panic!("one message") };
    assert_eq!(chat.text, "ahoy");
}
// ANCHOR_END: pair

// ANCHOR: round_trips
#[test]
fn connecting_takes_two_round_trips() {
    let mut pair = Pair::<Arena>::new(
        ClusterConfig { conditions: Conditions::new(50, 0, 0.0), ..ClusterConfig::new(1, 1) },
        (),
    );
    let start = pair.now();
    pair.connect();
    pair.run_until(Duration::from_secs(5), |game| game.client(0).phase() == Phase::Connected);
    assert_eq!(pair.now() - start, Duration::from_millis(200));
}
// ANCHOR_END: round_trips

// ANCHOR: cluster
#[test]
fn a_chat_room_hears_everything() {
    let mut game = Cluster::<Arena>::new(ClusterConfig::new(3, 4), |_client| ());
    // What your server does with events: called for every one of them.
    game.set_app(|server, event| {
        if let Seen::Message(_user, ArenaMessage::Chat(chat)) = event {
            server
                .broadcast::<Talk>(Audience::all(), chat.clone(), |user, error| panic!("{user}: {error}"))
                .unwrap();
        }
    });
    game.connect_all();
    game.run_for(Duration::from_secs(1));

    game.client_mut(2).connected().unwrap().send::<Talk>(Chat { text: "ahoy".into() }).unwrap();
    game.run_for(Duration::from_secs(1));

    for client in 0..game.client_count() {
        let heard =
            game.client_seen(client).iter().filter(|(_, event)| matches!(event, ClientEvent::Message(_)));
        assert_eq!(heard.count(), 1, "client {client}");
    }
}
// ANCHOR_END: cluster

// ANCHOR: door
#[test]
fn a_closed_door_says_why() {
    let mut game = Cluster::<Arena>::new(ClusterConfig::new(3, 1), |_client| ());
    game.set_door(Door::Closed(RejectReason::custom("we open on Friday")));
    game.connect_all();
    game.run_for(Duration::from_secs(1));
    let [(_, ClientEvent::Rejected(reason))] = game.client_seen(0) else { panic!("refused, and no more") };
    assert_eq!(reason.to_string(), "we open on Friday");
}
// ANCHOR_END: door

// ANCHOR: fault
#[test]
fn a_laptop_that_sleeps_too_long_is_gone() {
    let mut pair = Pair::<Arena>::connected(5, Conditions::perfect(), ());
    pair.apply(&Fault::FreezeClient(0)); // the lid closes
    pair.run_for(Duration::from_secs(15));
    assert_eq!(pair.server().user_count(), 0);

    pair.apply(&Fault::ThawClient(0)); // and opens
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.client(0).phase(), Phase::Disconnected);
}
// ANCHOR_END: fault

// ANCHOR: plan
#[test]
fn ten_seconds_without_a_cable() {
    let plan = Plan::new()
        .at(Duration::from_secs(2), Fault::Conditions(Conditions::new(150, 40, 0.1)))
        .at(Duration::from_secs(5), Fault::Cut(0))
        .at(Duration::from_secs(9), Fault::Join(0));
    let mut pair = Pair::<Arena>::connected(5, Conditions::perfect(), ());
    pair.run_plan(&plan, Duration::from_secs(20));
    assert_eq!(pair.client(0).phase(), Phase::Connected, "four seconds are not ten");
}
// ANCHOR_END: plan

// ANCHOR: seeds
#[test]
fn whatever_happens_both_sides_agree_in_the_end() {
    let minute = Duration::from_secs(60);
    let plan_of = |seed| Plan::random(seed, minute, 3);
    check_seeds("both_sides_agree", 0..100, plan_of, |seed, plan| {
        let mut config = ClusterConfig::new(seed, 3);
        config.client.reconnect = Some(ReconnectPolicy::default());
        let mut game = Cluster::<Arena>::new(config, |_client| ());
        game.connect_all();
        game.run_plan(plan, minute);
        game.run_for(Duration::from_secs(30));

        let clients = (0..game.client_count()).map(|client| game.client(client).phase());
        let connected = clients.filter(|phase| *phase == Phase::Connected).count();
        assert_eq!((connected, game.server().user_count()), (3, 3), "everybody is back");
    });
}
// ANCHOR_END: seeds

// ANCHOR: trace
#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed| {
        let mut pair = Pair::<Arena>::connected(seed, Conditions::new(100, 25, 0.05), ());
        pair.run_for(Duration::from_secs(10));
        pair.trace_hash()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
// ANCHOR_END: trace
