//! Rooms, and who hears a broadcast.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bowline::prelude::*;
use bowline::{BitReader, BitWriter, DecodeError, EncodeError, Schema};
use bowline_sim::{Cluster, ClusterConfig, Fault};

const MS: Duration = Duration::from_millis(1);

/// How often a [`Counted`] was encoded, in this program of one thread for each test: only one test encodes any.
static ENCODED: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Debug, PartialEq)]
struct Counted(u32);

impl Wire for Counted {
    const SCHEMA: Schema = u32::SCHEMA;
    const MIN_BITS: usize = u32::MIN_BITS;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        ENCODED.fetch_add(1, Ordering::Relaxed);
        self.0.encode(writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        u32::decode(reader).map(Self)
    }
}

#[derive(Message, Clone, Debug, PartialEq)]
struct Called(Counted);

#[derive(Message, Clone, Debug, PartialEq)]
struct Word(u32);

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Talk;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Talk), messages(Called, Word), derive(Clone, Debug, PartialEq))]
struct House;

fn house(clients: usize) -> (Cluster<House>, Vec<UserId>) {
    let mut cluster = Cluster::new(ClusterConfig::new(1, clients), |_| ());
    for client in 0..clients {
        // One after the other, so that user n is client n.
        cluster.connect(client);
        cluster.run_for(MS * 100);
    }
    let users = cluster.server().users().collect();
    (cluster, users)
}

/// Says a word to an audience, and gives the clients that heard it.
fn hear(cluster: &mut Cluster<House>, audience: Audience<'_>) -> Vec<usize> {
    cluster.forget_seen();
    let missed = |user, error| panic!("{user}: {error}");
    cluster.server_mut().broadcast::<Talk>(audience, Word(1), missed).unwrap();
    cluster.run_for(MS * 100);
    (0..cluster.client_count())
        .filter(|client| {
            let words = cluster.client_seen(*client).iter();
            words.filter(|(_, event)| matches!(event, ClientEvent::Message(HouseMessage::Word(_)))).count()
                == 1
        })
        .collect()
}

#[test]
fn an_audience_is_who_it_says() {
    let (mut cluster, users) = house(4);
    let (kitchen, cellar) = (cluster.server_mut().create_room(), cluster.server_mut().create_room());
    for user in &users[..3] {
        assert!(cluster.server_mut().room_mut(kitchen).add_user(*user));
        assert!(!cluster.server_mut().room_mut(kitchen).add_user(*user), "it is in already");
    }
    assert!(cluster.server_mut().room_mut(cellar).add_user(users[0]));

    assert_eq!(hear(&mut cluster, Audience::all()), [0, 1, 2, 3]);
    assert_eq!(hear(&mut cluster, Audience::all().except(&users[1..2])), [0, 2, 3]);
    assert_eq!(hear(&mut cluster, Audience::room(kitchen)), [0, 1, 2]);
    assert_eq!(hear(&mut cluster, Audience::room(kitchen).except(&users[..2])), [2]);
    assert_eq!(hear(&mut cluster, Audience::room(cellar)), [0]);
    assert_eq!(hear(&mut cluster, Audience::users(&users[2..])), [2, 3]);
    assert_eq!(hear(&mut cluster, Audience::users(&users[2..]).except(&users[3..])), [2]);

    assert!(cluster.server_mut().room_mut(kitchen).remove_user(users[1]));
    assert!(!cluster.server_mut().room_mut(kitchen).remove_user(users[1]));
    assert_eq!(hear(&mut cluster, Audience::room(kitchen)), [0, 2]);
    assert_eq!(cluster.server().user_count_in(kitchen), 2);
    assert!(cluster.server_mut().destroy_room(kitchen));
    assert_eq!(hear(&mut cluster, Audience::room(kitchen)), [0_usize; 0]);
    assert!(!cluster.server_mut().room_mut(kitchen).add_user(users[0]), "it is closed");
    assert_eq!(cluster.server().rooms().collect::<Vec<_>>(), [cellar]);
}

#[test]
fn a5_a_user_that_is_gone_is_in_no_room_in_that_tick() {
    let (mut cluster, users) = house(2);
    let room = cluster.server_mut().create_room();
    for user in &users {
        cluster.server_mut().room_mut(room).add_user(*user);
    }
    cluster.apply(&Fault::Cut(1));
    cluster.run_until(MS * 20_000, |cluster| cluster.server().user_count() == 1);
    assert_eq!(cluster.server().users_in(room).collect::<Vec<_>>(), users[..1]);
    assert!(!cluster.server().is_in(users[1], room));
    assert!(!cluster.server_mut().room_mut(room).add_user(users[1]), "it is gone");

    // Who comes next gets the same slot, and not the rooms that go with it.
    cluster.apply(&Fault::Join(1));
    cluster.run_for(MS * 12_000);
    cluster.connect(1);
    cluster.run_for(MS * 500);
    let newcomer = cluster.server().users().nth(1).unwrap();
    assert_eq!((newcomer.slot(), newcomer == users[1]), (users[1].slot(), false));
    assert!(!cluster.server().is_in(newcomer, room));
    assert_eq!(hear(&mut cluster, Audience::room(room)), [0]);
}

#[test]
fn a_broadcast_is_encoded_once() {
    let (mut cluster, users) = house(8);
    let missed = |user, error| panic!("{user}: {error}");
    let before = ENCODED.load(Ordering::Relaxed);
    let others = Audience::all().except(&users[..1]);
    cluster.server_mut().broadcast::<Talk>(others, Called(Counted(5)), missed).unwrap();
    assert_eq!(ENCODED.load(Ordering::Relaxed) - before, 1);
    cluster.run_for(MS * 100);
    let heard = |client: usize| cluster.client_seen(client).len() - 1;
    assert_eq!((0..8).map(heard).sum::<usize>(), 7);
}
