//! Packets that are smaller on the wire, where both sides know how, and never a way in for anybody else.

use std::time::Duration;

use allocation_counter::measure;
use bowline::compression::{Compression, Recorder, train_dictionary};
use bowline::prelude::*;
use bowline::transport::Security;
use bowline::{CompressionState, ConnectionStats, Entropy, SeededEntropy};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Pair, SimAddress};
use bowline_tests::rig::{Chat, Facts, Hundred, Looks, Moves, Steer, Table};
use bowline_tests::{Game, Ordered, Unordered, login, lossy, numbered};

const MS: Duration = Duration::from_millis(1);

/// A pair of these compressions, connected.
fn pair(config: ClusterConfig, server: Option<&Compression>, client: Option<&Compression>) -> Pair<Game> {
    let mut config = config;
    config.server.connection.compression = server.cloned();
    config.client.connection.compression = client.cloned();
    let mut pair = Pair::<Game>::new(config, login(0));
    pair.connect();
    let is_up = |cluster: &Cluster<Game>| {
        cluster.server().user_count() == 1 && cluster.client(0).phase() == Phase::Connected
    };
    assert!(pair.run_until(MS * 30_000, is_up));
    pair.run_for(MS * 200);
    pair
}

/// What the server and the client say of their connection.
fn stats(pair: &Pair<Game>) -> (ConnectionStats, ConnectionStats) {
    (pair.server().user(pair.user()).unwrap().stats, pair.client(0).stats())
}

/// Both say so much to each other, and all of it arrives.
fn talk(pair: &mut Pair<Game>, messages: u32) {
    let user = pair.user();
    let before = (pair.server_messages().len(), pair.client_messages().len());
    for number in 0..messages {
        let message = numbered(number, 40 + number as usize * 37 % 900);
        pair.server_mut().send_to::<Ordered>(user, message.clone()).unwrap();
        pair.server_mut().send_to::<Unordered>(user, bowline_tests::Steer { turn: 0.0 }).unwrap();
        pair.client_mut().connected().unwrap().send::<Ordered>(message).unwrap();
        pair.run_for(MS * 20);
    }
    pair.run_for(MS * 3_000);
    let expected: Vec<_> =
        (0..messages).map(|number| numbered(number, 40 + number as usize * 37 % 900)).collect();
    let numbered = |messages: Vec<&bowline_tests::GameMessage>, from: usize| -> Vec<_> {
        let only = messages.into_iter().skip(from).filter_map(|message| match message {
            bowline_tests::GameMessage::Numbered(numbered) => Some(numbered.clone()),
            bowline_tests::GameMessage::Steer(_) => None,
        });
        only.collect()
    };
    assert_eq!(numbered(pair.server_messages(), before.0), expected);
    assert_eq!(numbered(pair.client_messages(), before.1), expected);
}

fn a_dictionary(seed: u64) -> Vec<u8> {
    let mut random = SeededEntropy::new(seed);
    let payloads = (0..1_000).map(|_| {
        let number = random.next_u64();
        numbered(number as u32 % 500, 200).body
    });
    train_dictionary(payloads, 2 << 10).unwrap()
}

#[test]
fn everything_arrives_and_less_travels() {
    for dictionary in [None, Some(a_dictionary(1))] {
        for security in [Security::NONE, Security::FULL] {
            for (seed, loss) in [(1, 0.0), (2, 0.1), (3, 0.3)] {
                let compression = dictionary.as_ref().map_or_else(
                    || Compression::new(3),
                    |bytes| Compression::with_dictionary(bytes, 3).unwrap(),
                );
                let config =
                    ClusterConfig { conditions: lossy(loss), security, ..ClusterConfig::new(seed, 1) };
                // The level is each side's own.
                let other = dictionary.as_ref().map_or_else(
                    || Compression::new(9),
                    |bytes| Compression::with_dictionary(bytes, 9).unwrap(),
                );
                let mut pair = pair(config, Some(&compression), Some(&other));
                talk(&mut pair, 100);
                let (server, client) = stats(&pair);
                for stats in [server, client] {
                    assert_eq!(stats.compression, CompressionState::On);
                    assert_eq!(stats.malformed, 0);
                    assert!(stats.compression_ratio_sent() < 0.9, "{}", stats.compression_ratio_sent());
                    assert!(stats.compression_ratio_received() < 0.9);
                }
                if loss == 0.0 {
                    assert_eq!(server.bytes_sent, client.bytes_received);
                    assert_eq!(server.bytes_saved_sent, client.bytes_saved_received);
                    assert_eq!(client.bytes_saved_sent, server.bytes_saved_received);
                }
            }
        }
    }
}

#[test]
fn the_wire_counts_and_not_what_would_have_gone_over_it() {
    let wire = |compression: Option<&Compression>| {
        let mut pair = pair(ClusterConfig::new(1, 1), compression, compression);
        let before = pair.network().stats().sent_bytes;
        let (server, client) = stats(&pair);
        talk(&mut pair, 100);
        let (server_after, client_after) = stats(&pair);
        let sent = pair.network().stats().sent_bytes - before;
        let said = server_after.bytes_sent - server.bytes_sent + client_after.bytes_sent - client.bytes_sent;
        assert_eq!(sent, said);
        sent + server_after.bytes_saved_sent + client_after.bytes_saved_sent
            - server.bytes_saved_sent
            - client.bytes_saved_sent
    };
    assert_eq!(wire(None), wire(Some(&Compression::new(3))), "what is saved and what is sent are the whole");
}

#[test]
fn where_one_side_has_none_nothing_is_compressed_and_nothing_is_lost() {
    let compression = Compression::new(3);
    for (server, client) in [(Some(&compression), None), (None, Some(&compression)), (None, None)] {
        for security in [Security::NONE, Security::FULL] {
            let config = ClusterConfig { security, ..ClusterConfig::new(1, 1) };
            let mut pair = pair(config, server, client);
            talk(&mut pair, 50);
            let (server_stats, client_stats) = stats(&pair);
            for (own, stats) in [(server, server_stats), (client, client_stats)] {
                let expected = own.map_or(CompressionState::Off, |_| CompressionState::PeerHasNone);
                assert_eq!(stats.compression, expected);
                assert_eq!((stats.bytes_saved_sent, stats.bytes_saved_received), (0, 0));
                assert_eq!((stats.malformed, stats.compression_ratio_sent()), (0, 1.0));
            }
        }
    }
}

#[test]
fn where_dictionaries_differ_nothing_is_compressed_and_nothing_is_lost() {
    let one = Compression::with_dictionary(&a_dictionary(1), 3).unwrap();
    let other = Compression::with_dictionary(&a_dictionary(2), 3).unwrap();
    let none = Compression::new(3);
    for (server, client) in [(&one, &other), (&other, &one), (&one, &none), (&none, &one)] {
        let mut pair = pair(ClusterConfig::new(1, 1), Some(server), Some(client));
        talk(&mut pair, 50);
        let (server, client) = stats(&pair);
        for stats in [server, client] {
            assert_eq!(stats.compression, CompressionState::OtherDictionary);
            assert_eq!((stats.bytes_saved_sent, stats.bytes_saved_received, stats.malformed), (0, 0, 0));
        }
    }
}

#[test]
fn a_client_that_moves_or_comes_back_stays_understood() {
    let compression = Compression::new(3);
    let mut pair = pair(ClusterConfig::new(1, 1), Some(&compression), Some(&compression));
    let address = pair.client_address(0);
    let moved = pair.network().rebind(address);
    talk(&mut pair, 30);
    let user = pair.user();
    assert_eq!(pair.server().user(user).unwrap().address, moved, "the session is still the first");
    pair.client_mut().disconnect();
    pair.run_for(MS * 500);
    pair.connect();
    pair.run_for(MS * 500);
    assert_eq!(stats(&pair).0.compression, CompressionState::On);
    talk(&mut pair, 30);
    assert!(stats(&pair).0.bytes_saved_received > 0);
}

/// What an attacker inside writes: a client with a session of its own, over a path that hides nothing from it.
struct Hostile {
    pair: Pair<Game>,
    token: [u8; 2],
    next: u16,
}

impl Hostile {
    fn new(compression: &Compression) -> Self {
        let config = ClusterConfig { security: Security::FULL, ..ClusterConfig::new(1, 1) };
        let mut pair = pair(config, Some(compression), Some(compression));
        talk(&mut pair, 5);
        let own = pair.network().last_sent_by(pair.client_address(0)).unwrap();
        let (token, number) = ([own[1], own[2]], u16::from_le_bytes([own[3], own[4]]));
        Self { pair, token, next: number + 1 }
    }

    /// A compressed packet of this session with this block, never seen before.
    fn packet(&mut self, block: &[u8]) -> Vec<u8> {
        self.next += 1;
        let mut packet = vec![0b1100_1000];
        packet.extend(self.token);
        packet.extend(self.next.to_le_bytes());
        packet.extend([0; 5]);
        packet.extend(block);
        packet
    }

    fn ends(&self) -> (SimAddress, SimAddress) {
        (self.pair.client_address(0), self.pair.server_address())
    }

    fn malformed(&self) -> u64 {
        self.pair.server().user(self.pair.user()).unwrap().stats.malformed
    }
}

/// A block that stands for so many zeros: literals in their repeated form, no sequences (RFC 8878 section 3.1.1.3).
fn bomb(len: u32) -> Vec<u8> {
    let [a, b, c, _] = (0b1101 | len << 4).to_le_bytes();
    vec![a, b, c, 0, 0]
}

#[test]
fn b3_bombs_and_noise_from_inside_are_dropped_counted_and_cost_nothing() {
    let compression = Compression::with_dictionary(&a_dictionary(1), 3).unwrap();
    let mut hostile = Hostile::new(&compression);
    let (client, server) = hostile.ends();
    let mut random = SeededEntropy::new(7);
    let mut noise = vec![0; 1_100];
    random.fill(&mut noise);
    let (before, memory) = (hostile.malformed(), compression.memory());
    let mut sent = 0;
    let seen = measure(|| {
        for turn in 0..20_000_u32 {
            let packet = match turn % 4 {
                0 => hostile.packet(&bomb((1 << 20) - 1)),
                1 => hostile.packet(&bomb(2_048)),
                2 => hostile.packet(&noise[turn as usize % 1_000..]),
                _ => hostile.packet(&[]),
            };
            // Far numbers would be of another packet.
            hostile.next = hostile.next.wrapping_sub(u16::from(turn % 4 != 3));
            hostile.pair.network().inject(client, server, &packet);
            sent += 1;
            if turn % 100 == 0 {
                hostile.pair.run_for(MS);
            }
        }
        hostile.pair.run_for(MS * 10);
    });
    println!("{sent} packets: {seen:?}");
    assert_eq!(hostile.malformed() - before, sent, "each is counted");
    // A bomb is worth a megabyte: what is held at a time are the hundred datagrams that the simulator has under way.
    assert!(seen.bytes_max < 300_000, "{seen:?}");
    assert_eq!(compression.memory(), memory);
    // And who is honest goes on.
    talk(&mut hostile.pair, 5);
}

#[test]
fn b4_compressed_packets_cut_and_flipped_in_a_live_session_are_dropped_or_well_formed() {
    let compression = Compression::new(3);
    let mut hostile = Hostile::new(&compression);
    let (client, server) = hostile.ends();
    // A packet of the client that is compressed and that the server never gets.
    hostile.pair.network().cut(server);
    let message = numbered(1, 600);
    hostile.pair.client_mut().connected().unwrap().send::<Unordered>(message).unwrap();
    hostile.pair.run_for(Duration::ZERO);
    let good = hostile.pair.network().last_sent_by(client).unwrap();
    hostile.pair.run_for(MS * 5);
    hostile.pair.network().join(server);
    assert_eq!(good[0] & 0b1111_1000, 0b1100_1000, "{:#010b}", good[0]);
    // Once it is taken in, and not twice.
    let before = hostile.pair.server().user(hostile.pair.user()).unwrap().stats;
    for _ in 0..3 {
        hostile.pair.network().inject(client, server, &good);
        hostile.pair.run_for(MS * 2);
    }
    let after = hostile.pair.server().user(hostile.pair.user()).unwrap().stats;
    assert_eq!(after.packets_duplicate, before.packets_duplicate + 2);
    assert_eq!(after.messages_received, before.messages_received + 1);
    hostile.next += 1;
    let (block, memory) = (good[10..].to_vec(), compression.memory());
    for cut in 0..block.len() {
        let (packet, before) = (hostile.packet(&block[..cut]), hostile.malformed());
        hostile.pair.network().inject(client, server, &packet);
        hostile.pair.run_for(MS * 2);
        assert_eq!(hostile.malformed(), before + 1, "cut at {cut}");
    }
    let mut dropped = 0;
    for bit in 0..block.len() * 8 {
        if hostile.pair.server().user_count() == 0 {
            // What it said was well-formed and a breach of the rules: it is out.
            hostile = Hostile::new(&compression);
        }
        let mut flipped = block.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (packet, before) = (hostile.packet(&flipped), hostile.malformed());
        hostile.pair.network().inject(client, server, &packet);
        hostile.pair.run_for(MS * 2);
        dropped += u64::from(hostile.pair.server().user_count() == 1 && hostile.malformed() > before);
    }
    println!("{dropped} of {} flipped are dropped, the others say something else", block.len() * 8);
    // Most bytes of this one are literals: whoever vouches for a path vouches for those too.
    assert!(dropped >= 30, "{dropped}");
    assert_eq!(compression.memory(), memory);
}

#[test]
fn b2_what_strangers_send_is_never_decompressed() {
    let compression = Compression::new(3);
    for security in [Security::NONE, Security::FULL] {
        let config = ClusterConfig { security, ..ClusterConfig::new(1, 1) };
        let mut pair = pair(config, Some(&compression), Some(&compression));
        talk(&mut pair, 5);
        let (client, server) = (pair.client_address(0), pair.server_address());
        let before = stats(&pair);
        let mut random = SeededEntropy::new(1);
        for turn in 0..2_000_u32 {
            let mut forged = vec![0; 60];
            random.fill(&mut forged);
            forged[0] = 0b1100_1000 | forged[0] & 0b0001_0111;
            if security == Security::FULL && turn % 2 == 0 {
                // A guess of sixteen bits would be right now and then: from another address it is worth nothing.
                pair.network().inject(SimAddress::new(9), server, &forged);
            } else if security == Security::NONE {
                pair.network().inject(client, server, &forged);
                pair.network().inject(server, client, &forged);
            }
            pair.run_for(MS);
        }
        let after = stats(&pair);
        assert_eq!(after.0.malformed, before.0.malformed, "the session never saw it");
        talk(&mut pair, 5);
    }
    // Nor does a server decompress that has not agreed to it.
    let mut hostile = Hostile::new(&compression);
    hostile.pair = {
        let config = ClusterConfig { security: Security::FULL, ..ClusterConfig::new(1, 1) };
        pair(config, Some(&compression), None)
    };
    talk(&mut hostile.pair, 5);
    let own = hostile.pair.network().last_sent_by(hostile.pair.client_address(0)).unwrap();
    hostile.token = [own[1], own[2]];
    hostile.next = u16::from_le_bytes([own[3], own[4]]) + 1;
    let before = hostile.malformed();
    let packet = hostile.packet(&bomb(100));
    let (client, server) = hostile.ends();
    hostile.pair.network().inject(client, server, &packet);
    hostile.pair.run_for(MS * 5);
    assert_eq!(hostile.malformed(), before + 1);
    talk(&mut hostile.pair, 5);
}

#[test]
fn a_steady_tick_with_compression_allocates_nothing() {
    const CLIENTS: usize = 20;
    const TICKS: usize = 400;
    let words = b"enemy at the north gate, help! ".repeat(64);
    for compression in [Compression::new(3), Compression::with_dictionary(&words, 3).unwrap()] {
        let (mut server, mut client) = (ServerConfig::default(), ClientConfig::default());
        server.connection.compression = Some(compression.clone());
        client.connection.compression = Some(compression.clone());
        let mut table = Table::configured(CLIENTS, Security::NONE, server, &client);
        table.connect_all();
        let tick = |table: &mut Table, turn: usize| {
            let mut arrived = 0;
            table.turn(
                |server, event| {
                    if let ServerEvent::Tick(_) = event {
                        let nobody = |_, _: SendError| ();
                        // Small packets for a long time, then large ones.
                        server.broadcast::<Moves>(Audience::all(), Steer { turn: 0.5 }, nobody).unwrap();
                        for _ in 0..if turn % 300 < 200 { 1 } else { 9 } {
                            server
                                .broadcast::<Looks>(Audience::all(), Hundred { bytes: [7; 100] }, nobody)
                                .unwrap();
                        }
                    }
                },
                |_, event| arrived += usize::from(matches!(event, ClientEvent::Message(_))),
            );
            for client in &mut table.clients {
                client.connected().unwrap().send::<Facts>(Hundred { bytes: [turn as u8; 100] }).unwrap();
                client.send();
            }
            arrived
        };
        (0..TICKS).for_each(|turn| {
            tick(&mut table, turn);
        });
        let mut arrived = 0;
        let seen = measure(|| (0..TICKS).for_each(|turn| arrived += tick(&mut table, turn)));
        assert!(arrived > 2 * CLIENTS * TICKS - CLIENTS * 10, "{arrived}");
        assert_eq!((seen.count_total, seen.bytes_total), (0, 0), "{seen:?} in {TICKS} ticks");
        let stats = table.clients[0].stats();
        assert_eq!(stats.compression, CompressionState::On);
        assert!(stats.compression_ratio_received() < 0.7, "{}", stats.compression_ratio_received());
        println!("{} bytes for {CLIENTS} users", compression.memory());
    }
    // And the counter sees what `zstd` allocates.
    let seen = measure(|| drop(std::hint::black_box(Compression::new(3))));
    assert!(seen.bytes_max > 100_000, "{seen:?}");
}

mod village {
    //! Two hundred villagers, and what players say.

    use super::*;

    /// To a centimetre.
    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(super) struct Spot {
        #[wire(range = -500.0..=500.0, step = 0.01)]
        pub(super) x: f32,
        #[wire(range = -500.0..=500.0, step = 0.01)]
        pub(super) y: f32,
        #[wire(range = 0.0..=360.0, step = 1.0)]
        pub(super) heading: f32,
    }

    #[derive(Replicate, Clone, Debug, PartialEq)]
    #[replicate(immutable)]
    pub(super) struct Villager {
        #[wire(max_len = 40)]
        pub(super) name: String,
    }

    #[derive(Protocol, Clone, Copy, Debug)]
    #[protocol(
        tick_rate = 20,
        channels(bowline_tests::rig::Talk),
        messages(Chat),
        components(Spot, Villager),
        derive(Clone, Debug, PartialEq)
    )]
    pub(super) struct Village;

    /// What is in a session.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) enum Scene {
        /// Everybody walks.
        Walk,
        /// Players talk.
        Talk,
        /// Both.
        Both,
        /// Players come in, again and again, and see it all for the first time.
        Arrive,
    }

    const SPEECH: [&str; 12] = [
        "enemy at the north gate, help!",
        "anyone selling iron?",
        "gg everyone, well played",
        "follow me to the castle",
        "need a healer for the dungeon",
        "brb, two minutes",
        "watch out, archers on the wall",
        "lol that was close",
        "trade 20 gold for the sword?",
        "meet at the old bridge at noon",
        "go go go",
        "who has the flag?",
    ];

    /// How many bytes the server and its players sent.
    pub(super) fn played(seed: u64, scene: Scene, configure: impl Fn(&mut bowline::ConnectionConfig)) -> u64 {
        let mut config =
            ClusterConfig { conditions: Conditions::new(30, 5, 0.01), ..ClusterConfig::new(seed, 4) };
        configure(&mut config.server.connection);
        config.client.connection.compression = config.server.connection.compression.clone();
        let mut cluster = Cluster::<Village>::new(config, |_| ());
        let mut random = SeededEntropy::new(seed);
        let mut draw = move |below: u64| random.next_u64() % below;
        let server = cluster.server_mut();
        let room = server.create_room();
        for number in 0..if scene == Scene::Talk { 0 } else { 200 } {
            let name = format!(
                "{} the {}",
                ["Anna", "Bert", "Cleo", "Dora"][draw(4) as usize],
                ["baker", "smith", "guard"][draw(3) as usize]
            );
            let spot = Spot {
                x: draw(800) as f32 - 400.0,
                y: draw(800) as f32 - 400.0,
                heading: (number * 7 % 360) as f32,
            };
            let entity = server.spawn((spot, Villager { name })).unwrap();
            server.room_mut(room).add_entity(entity);
        }
        cluster.connect_all();
        assert!(cluster.run_until(MS * 10_000, |cluster| cluster.server().user_count() == 4));
        let enter = |cluster: &mut Cluster<Village>| {
            for user in cluster.server().users().collect::<Vec<_>>() {
                cluster.server_mut().room_mut(room).add_user(user);
            }
        };
        enter(&mut cluster);
        if scene != Scene::Arrive {
            cluster.run_for(MS * 2_000);
        }
        let before = cluster.network().stats().sent_bytes;
        for turn in 0..400_u32 {
            if matches!(scene, Scene::Walk | Scene::Both) {
                cluster.server_mut().world_mut().for_each_mut::<Spot>(|_, mut spot| {
                    let angle = spot.heading.to_radians();
                    spot.x = (spot.x + angle.cos() * 0.15).clamp(-499.0, 499.0);
                    spot.y = (spot.y + angle.sin() * 0.15).clamp(-499.0, 499.0);
                    if draw(20) == 0 {
                        spot.heading = draw(361) as f32;
                    }
                });
            }
            if matches!(scene, Scene::Talk | Scene::Both) && turn % 5 == 0 {
                let speech = SPEECH[draw(12) as usize];
                let text = if draw(2) == 0 {
                    speech.to_owned()
                } else {
                    format!("{speech} {}", SPEECH[draw(12) as usize])
                };
                let chat = Chat { text };
                let client = draw(4) as usize;
                cluster
                    .client_mut(client)
                    .connected()
                    .unwrap()
                    .send::<bowline_tests::rig::Talk>(chat.clone())
                    .unwrap();
                cluster
                    .server_mut()
                    .broadcast::<bowline_tests::rig::Talk>(Audience::all(), chat, |_, _| ())
                    .unwrap();
            }
            if scene == Scene::Arrive && turn % 40 == 39 {
                for user in cluster.server().users().collect::<Vec<_>>() {
                    cluster.server_mut().room_mut(room).remove_user(user);
                }
                cluster.run_for(MS * 200);
                enter(&mut cluster);
            }
            cluster.run_for(MS * 50);
            cluster.forget_seen();
        }
        cluster.network().stats().sent_bytes - before
    }
}

#[test]
fn what_it_is_worth() {
    use village::{Scene, played};
    let recorder = Recorder::new(8 << 20);
    for scene in [Scene::Walk, Scene::Talk, Scene::Both, Scene::Arrive] {
        played(1, scene, |connection| connection.recorder = Some(recorder.clone()));
    }
    let payloads = recorder.payloads();
    let dictionary = train_dictionary(&payloads, 16 << 10).unwrap();
    println!(
        "trained {} bytes from {} payloads of {} bytes",
        dictionary.len(),
        payloads.len(),
        recorder.recorded_bytes()
    );
    let plain = Compression::new(Compression::DEFAULT_LEVEL);
    let trained = Compression::with_dictionary(&dictionary, Compression::DEFAULT_LEVEL).unwrap();
    println!("in memory: {} bytes, with the dictionary {}", plain.memory(), trained.memory());
    for scene in [Scene::Walk, Scene::Talk, Scene::Both, Scene::Arrive] {
        // Another session than the recorded one.
        let bytes = |compression: Option<&Compression>| {
            played(2, scene, |connection| connection.compression = compression.cloned())
        };
        let (none, plain, trained) = (bytes(None), bytes(Some(&plain)), bytes(Some(&trained)));
        let share = |bytes: u64| bytes as f64 * 100.0 / none as f64;
        println!(
            "{scene:?}: {none} bytes, compressed {plain} ({:.0} %), with the dictionary {trained} ({:.0} %)",
            share(plain),
            share(trained)
        );
        assert!(plain <= none && trained <= none);
        if scene == Scene::Arrive || scene == Scene::Talk {
            assert!(share(trained) < 85.0, "{scene:?}");
        }
    }
}
