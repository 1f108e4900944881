//! Channels.

use std::collections::VecDeque;
use std::time::Duration;

use bowline::prelude::*;
use bowline::{SendErrorKind, SendRate};
use bowline_sim::{ClusterConfig, Conditions, Pair};

// ANCHOR: channels
/// Sparks, footsteps: if one is missed, nobody asks for it.
#[derive(Channel)]
#[channel(unordered_unreliable, to_client)]
pub struct Effects;

/// What the player holds down: only the newest counts.
#[derive(Channel)]
#[channel(sequenced_unreliable, to_server)]
pub struct Input;

/// "The door at 7 is open", "player 3 has scored": each counts, their order does not.
#[derive(Channel)]
#[channel(unordered_reliable, to_client)]
pub struct Facts;

/// The weather, the rules of the round: the newest must arrive, and replaces those before it.
#[derive(Channel)]
#[channel(sequenced_reliable, to_client)]
pub struct Settings;

/// Chat, orders: anything that tells a story.
#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;
// ANCHOR_END: channels

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Number(pub u32);

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Map(Vec<u8>);

#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    channels(Effects, Input, Facts, Settings, Talk),
    messages(Number, Map),
    derive(Clone, Debug, PartialEq)
)]
pub struct Game;

fn bad_link() -> Conditions {
    let mut conditions = Conditions::new(80, 40, 0.2);
    conditions.profile = conditions.profile.with_duplication(0.2);
    conditions
}

/// What arrives of the numbers from 0 to 99, sent ten a second over a bad link.
fn arrives<C: ChannelOf<Game> + ToClient>(seed: u64) -> Vec<u32> {
    let mut pair = Pair::<Game>::connected(seed, bad_link(), ());
    let user = pair.user();
    for number in 0..100 {
        pair.server_mut().send_to::<C>(user, Number(number)).unwrap();
        pair.run_for(Duration::from_millis(10));
    }
    pair.run_for(Duration::from_secs(10));
    let numbers = pair.client_messages().into_iter().map(|message| match message {
        GameMessage::Number(Number(number)) => *number,
        GameMessage::Map(_) => unreachable!("none is sent"),
    });
    numbers.collect()
}

#[test]
fn the_page_says_what_the_modes_do() {
    let all: Vec<u32> = (0..100).collect();
    let sorted = |mut numbers: Vec<u32>| {
        numbers.sort_unstable();
        numbers
    };
    for seed in 0..20 {
        let effects = arrives::<Effects>(seed);
        assert!(effects.len() < 100 && effects.len() > 50);
        let once: std::collections::BTreeSet<_> = effects.iter().collect();
        assert_eq!(once.len(), effects.len(), "never twice");

        assert_eq!(sorted(arrives::<Facts>(seed)), all);

        let settings = arrives::<Settings>(seed);
        assert!(settings.is_sorted() && settings.last() == Some(&99), "{settings:?}");

        assert_eq!(arrives::<Talk>(seed), all);
    }
}

// ANCHOR: errors
fn say<T, H>(
    client: &mut bowline::Client<Game, T, H>,
    map: Map,
    later: &mut VecDeque<GameMessage>,
) -> Result<(), SendError>
where
    T: bowline::transport::ClientTransport,
    H: bowline::Host,
{
    let Some(mut connected) = client.connected() else { return Ok(()) };
    match connected.send::<Talk>(map) {
        Ok(()) => Ok(()),
        // The other side does not keep up. The message comes back: `connected.send::<Talk>(later.pop_front())`, say.
        Err(unsent) if matches!(unsent.kind(), SendErrorKind::QueueFull { .. }) => {
            later.push_back(unsent.into_message());
            Ok(())
        }
        Err(unsent) => Err(unsent.error),
    }
}
// ANCHOR_END: errors

#[test]
fn limits_have_errors() {
    let mut pair = Pair::<Game>::connected(1, Conditions::perfect(), ());
    let mut later = VecDeque::new();
    let too_large = say(pair.client_mut(), Map(vec![0; 300_000]), &mut later).unwrap_err();
    assert_eq!(
        too_large.to_string(),
        "message on channel `Talk` was not sent: it takes 300004 bytes, and max_message_size is 262144; \
         split it or raise the limit on both sides"
    );
    for _ in 0..10 {
        say(pair.client_mut(), Map(vec![0; 200_000]), &mut later).unwrap();
    }
    assert_eq!(later.len(), 6);
    let mut connected = pair.client_mut().connected().unwrap();
    let full = connected.send::<Talk>(Map(vec![0; 200_000])).unwrap_err();
    assert_eq!(
        full.to_string(),
        "message on channel `Talk` was not sent: 844048 bytes wait already and send_queue_size is 1048576; \
         send less or wait for the other side"
    );
}

// ANCHOR: large
#[test]
fn a_map_of_a_megabyte_arrives() {
    let mut config = ClusterConfig::new(7, 1);
    config.conditions = Conditions::new(40, 10, 0.02);
    for connection in [&mut config.server.connection, &mut config.client.connection] {
        connection.max_message_size = 2 << 20;
    }
    let mut pair = Pair::<Game>::new(config, ());
    pair.connect();
    pair.run_for(Duration::from_secs(1));

    let user = pair.user();
    let map = Map((0..1_000_000).map(|place| (place % 251) as u8).collect());
    pair.server_mut().send_to::<Talk>(user, map.clone()).unwrap();
    let arrived = pair.run_until(Duration::from_secs(30), |game| {
        !game.client_seen(0).is_empty() && {
            let is_message = |event: &ClientEvent<Game>| matches!(event, ClientEvent::Message(_));
            game.client_seen(0).iter().any(|(_, event)| is_message(event))
        }
    });
    assert!(arrived);
    assert_eq!(pair.client_messages(), [&GameMessage::Map(map)]);
}
// ANCHOR_END: large

// ANCHOR: broadcast
fn announce<T, H>(server: &mut bowline::Server<Game, T, H>, number: u32) -> Result<(), SendError>
where
    T: bowline::transport::Transport,
    H: bowline::Host,
{
    let mut too_slow = Vec::new();
    server.broadcast::<Talk>(Audience::all(), Number(number), |user, _error| too_slow.push(user))?;
    for user in too_slow {
        server.disconnect(user, "your connection is too slow for this game");
    }
    Ok(())
}
// ANCHOR_END: broadcast

#[test]
fn a_room_hears_what_is_said_in_it() {
    let mut cluster = bowline_sim::Cluster::<Game>::new(ClusterConfig::new(1, 3), |_| ());
    cluster.connect_all();
    cluster.run_for(Duration::from_secs(1));
    let server = cluster.server_mut();
    let users: Vec<_> = server.users().collect();
    let [speaker, listener, _elsewhere] = users[..] else { panic!("{users:?}") };
    let missed = |user, error| panic!("{user}: {error}");
    // ANCHOR: rooms
    let kitchen = server.create_room();
    server.room_mut(kitchen).add_user(speaker);
    server.room_mut(kitchen).add_user(listener);
    let but_me = [speaker];
    let others = Audience::room(kitchen).except(&but_me);
    server.broadcast::<Talk>(others, Number(7), missed).unwrap();
    // ANCHOR_END: rooms
    cluster.run_for(Duration::from_secs(1));
    let heard = |client| cluster.client_seen(client).len() - 1;
    assert_eq!([0, 1, 2].map(heard).iter().sum::<usize>(), 1);
}

#[test]
fn a_broadcast_reaches_everybody() {
    let mut pair = Pair::<Game>::connected(1, Conditions::perfect(), ());
    announce(pair.server_mut(), 5).unwrap();
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.client_messages(), [&GameMessage::Number(Number(5))]);
}

#[test]
fn the_overhead_on_the_page() {
    // What a packet costs, with one message of four bytes of payload, and with ten.
    let bytes = |messages: u32| {
        let config = ClusterConfig::new(1, 1);
        let mut pair = Pair::<Game>::new(config, ());
        pair.connect();
        pair.run_for(Duration::from_millis(500));
        let before = pair.client(0).stats().bytes_sent;
        for number in 0..messages {
            pair.client_mut().connected().unwrap().send::<Talk>(Number(number)).unwrap();
        }
        pair.run_for(Duration::from_millis(1));
        pair.client(0).stats().bytes_sent - before
    };
    // A number takes a bit that says which message it is and 32 for itself: five bytes.
    let (one, eleven) = (bytes(1), bytes(11));
    println!("one: {one}, eleven: {eleven}");
    let ten_more = (eleven - one) as f64 / 10.0;
    assert!((6.4..=7.0).contains(&ten_more), "{ten_more}");
}

// ANCHOR: weight
#[derive(Channel)]
#[channel(ordered_reliable, to_client, weight = 4)]
pub struct Commands;

#[derive(Channel)]
#[channel(ordered_reliable, to_client)]
pub struct Maps;
// ANCHOR_END: weight

#[test]
fn a_rate_can_be_set_and_a_weight_is_the_channels() {
    // ANCHOR: rate
    let mut config = ServerConfig::default();
    config.connection.send_rate = SendRate::Adaptive { min: 10_000, max: 250_000 };
    // ANCHOR_END: rate
    assert_ne!(config, ServerConfig::default());
    assert_eq!((Commands::SPEC.weight, Maps::SPEC.weight), (4, 1));
}
