//! What somebody can do who does not play by the rules: nothing.

use std::time::Duration;

use bowline::transport::Security;
use bowline::{Entropy, Phase, SeededEntropy};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Pair, Plan, SimAddress, check_seeds};
use bowline_tests::{Game, Ordered, Unordered, client_story, login, numbered, server_story};

const MS: Duration = Duration::from_millis(1);

/// The hello of a client that is about to connect: what a spoofer sends from everybody's address.
fn hello() -> Vec<u8> {
    let mut pair = Pair::<Game>::new(ClusterConfig::new(99, 1), login(0));
    pair.connect();
    pair.run_for(Duration::ZERO);
    pair.network().last_sent_by(pair.client_address(0)).expect("a hello is the first that is sent")
}

#[test]
fn b1_spoofed_hellos_leave_nothing_behind_and_disturb_nobody() {
    let time_to_connect = |hellos_a_millisecond: u32| {
        let mut config =
            ClusterConfig { conditions: Conditions::new(20, 0, 0.0), ..ClusterConfig::new(1, 1) };
        // As a game loop does that runs at 20 Hz: fifty milliseconds of flood wait in front of it each time.
        config.server_frame = Some(MS * 50);
        let mut cluster = Cluster::<Game>::new(config, login);
        let (spoofed, mut sent) = (hello(), 0_u32);
        let mut flood_for_a_millisecond = |cluster: &mut Cluster<Game>| {
            for _ in 0..hellos_a_millisecond {
                // The simulator's addresses have 16 bits; each here is used by many, as a spoofer would not mind.
                let from = SimAddress::new(1_000 + (sent % 5_000) as u16);
                cluster.network().inject(from, cluster.server_address(), &spoofed);
                sent += 1;
            }
            cluster.run_for(MS);
        };
        (0..1_000).for_each(|_| flood_for_a_millisecond(&mut cluster));
        cluster.connect(0);
        let start = cluster.now();
        while cluster.client(0).phase() != Phase::Connected {
            flood_for_a_millisecond(&mut cluster);
            assert!(cluster.now() - start < MS * 5_000, "the client does not get in");
        }
        assert_eq!(cluster.server().pending(), 0);
        (cluster.now() - start, sent)
    };
    let (quiet, _) = time_to_connect(0);
    let (flooded, sent) = time_to_connect(100);
    println!("connected in {quiet:?}, and with {sent} spoofed hellos in {flooded:?}");
    assert!(sent >= 100_000);
    assert!(flooded <= quiet * 2, "{flooded:?} instead of {quiet:?}");
}

#[test]
fn b1_no_answer_to_an_unproved_address_is_larger_than_its_question() {
    let mut cluster = Cluster::<Game>::new(ClusterConfig::new(1, 0), login);
    let (victim, server) = (SimAddress::new(9), cluster.server_address());
    let mut random = SeededEntropy::new(1);
    let (spoofed, mut answers) = (hello(), 0);
    for turn in 0..20_000_u64 {
        let mut question = spoofed.clone();
        match turn % 4 {
            0 => {}
            1 => question.truncate(turn as usize % 65),
            2 => random.fill(&mut question[1..]),
            _ => {
                random.fill(&mut question);
                question[0] |= 0b1100_0000;
            }
        }
        let before = cluster.network().stats();
        cluster.network().inject(victim, server, &question);
        cluster.run_for(MS * 3);
        let after = cluster.network().stats();
        let answered = after.sent_bytes - before.sent_bytes - question.len() as u64;
        assert!(answered <= question.len() as u64, "{answered} bytes for {}: {question:?}", question.len());
        answers += u64::from(answered > 0);
    }
    assert!(answers >= 5_000, "an honest hello is answered");
}

#[test]
fn b1_credentials_without_a_cookie_of_this_server_for_this_address_are_ignored() {
    let auth_of = |seed| {
        let mut pair = Pair::<Game>::new(ClusterConfig::new(seed, 1), login(0));
        pair.connect();
        // The hello leaves at once, the challenge is back after two milliseconds, and the credentials follow it.
        pair.run_for(MS * 2);
        let auth = pair.network().last_sent_by(pair.client_address(0)).unwrap();
        assert_ne!(auth.len(), hello().len());
        (pair, auth)
    };
    let (mut pair, mut auth) = auth_of(1);
    let (_, of_another_server) = auth_of(2);
    let server = pair.server_address();
    pair.run_for(MS * 100);
    assert_eq!((pair.server().user_count(), server_story(&pair).len()), (1, 2));
    let strays = pair.server().strays();
    pair.network().inject(SimAddress::new(9), server, &of_another_server);
    pair.network().inject(SimAddress::new(9), server, &auth);
    pair.run_for(MS * 100);
    assert_eq!(pair.server().strays(), strays + 2, "a cookie of another server, a cookie of another address");
    // Nor is it good for ever, or for a session that is over.
    pair.client_mut().disconnect();
    pair.run_for(MS * 500);
    let home = pair.client_address(0);
    for wait in [1_000, 8_000, 3_000, 60_000] {
        pair.network().inject(home, server, &auth);
        pair.run_for(MS * wait);
    }
    assert_eq!((pair.server().user_count(), pair.server().pending()), (0, 0));
    assert_eq!(server_story(&pair).len(), 3, "{:?}", server_story(&pair));
    auth.truncate(20);
    pair.network().inject(home, server, &auth);
    pair.run_for(MS * 100);
    assert_eq!(pair.server().pending(), 0);
}

#[test]
fn b2_somebody_off_the_path_can_do_nothing() {
    check_seeds(
        "b2_off_path",
        0..1_000,
        |_| Plan::new(),
        |seed, _| {
            let mut pair = Pair::<Game>::connected(seed, Conditions::new(20, 5, 0.0), login(0));
            let user = pair.user();
            let (client, server) = (pair.client_address(0), pair.server_address());
            pair.client_mut().connected().unwrap().send::<Ordered>(numbered(1, 20)).unwrap();
            pair.run_for(MS * 200);
            // The attacker knows both addresses and the format, has sessions of its own to copy from, and no secrets.
            let mut other = Pair::<Game>::connected(seed + 1_000_000, Conditions::new(20, 5, 0.0), login(0));
            let mut stolen = Vec::new();
            for _ in 0..5 {
                let user = other.user();
                other.client_mut().connected().unwrap().send::<Ordered>(numbered(66, 20)).unwrap();
                other.server_mut().send_to::<Ordered>(user, numbered(66, 20)).unwrap();
                other.run_for(MS * 50);
                stolen.push((
                    other.network().last_sent_by(client).unwrap(),
                    other.network().last_sent_by(server).unwrap(),
                ));
            }
            other.client_mut().disconnect();
            other.run_for(Duration::ZERO);
            stolen.push((other.network().last_sent_by(client).unwrap(), stolen[0].1.clone()));
            let kicked = Pair::<Game>::connected(seed + 2_000_000, Conditions::new(20, 5, 0.0), login(0));
            let mut kicked = kicked;
            let target = kicked.user();
            kicked.server_mut().disconnect(target, "gotcha");
            kicked.run_for(Duration::ZERO);
            stolen.push((stolen[0].0.clone(), kicked.network().last_sent_by(server).unwrap()));
            let mut random = SeededEntropy::new(seed);
            for (mut to_server, mut to_client) in stolen {
                for guess in 0..10 {
                    if guess > 0 {
                        random.fill(&mut to_server[1..9]);
                        random.fill(&mut to_client[1..9]);
                    }
                    pair.network().inject(client, server, &to_server);
                    pair.network().inject(server, client, &to_client);
                }
                pair.run_for(MS * 20);
            }
            pair.run_for(MS * 500);
            assert_eq!(server_story(&pair).len(), 3, "{:?}", server_story(&pair));
            assert_eq!(client_story(&pair, 0), ["connected"]);
            // Nor can it keep a session alive whose client is gone.
            pair.network().cut(client);
            for _ in 0..120 {
                let mut forged = vec![0b1110_0000; 24];
                random.fill(&mut forged[1..]);
                pair.network().inject(SimAddress::new(9), server, &forged);
                pair.run_for(MS * 100);
            }
            assert!(pair.server().user(user).is_none());
        },
    );
}

#[test]
fn b4_packets_cut_doubled_and_flipped_are_dropped_or_are_what_they_were() {
    for security in [Security::NONE, Security::FULL] {
        let config =
            ClusterConfig { conditions: Conditions::new(10, 0, 0.0), security, ..ClusterConfig::new(1, 1) };
        let mut pair = Pair::<Game>::new(config, login(0));
        pair.connect();
        let (client, server) = (pair.client_address(0), pair.server_address());
        // Every packet of a session, from the first hello on, as somebody on the path sees it.
        let mut packets: Vec<(SimAddress, SimAddress, Vec<u8>)> = Vec::new();
        let collect = |pair: &Pair<Game>, packets: &mut Vec<_>| {
            for (from, to) in [(client, server), (server, client)] {
                if let Some(bytes) = pair.network().last_sent_by(from) {
                    let packet = (from, to, bytes);
                    if !packets.contains(&packet) {
                        packets.push(packet);
                    }
                }
            }
        };
        for step in 0..300 {
            pair.run_for(MS);
            collect(&pair, &mut packets);
            if step == 150 {
                let user = pair.user();
                pair.server_mut().send_to::<Ordered>(user, numbered(1, 30)).unwrap();
                pair.client_mut().connected().unwrap().send::<Unordered>(numbered(2, 3_000)).unwrap();
            }
        }
        assert!(packets.len() >= 6, "{}", packets.len());
        // In duplicate, in any order, cut at every length, with every bit flipped: into the session they come from ...
        for (from, to, bytes) in &packets {
            for cut in 0..=bytes.len() {
                pair.network().inject(*from, *to, &bytes[..cut]);
            }
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                pair.network().inject(*from, *to, &flipped);
            }
            pair.run_for(MS * 20);
        }
        if security == Security::NONE {
            pair.run_for(MS * 1_000);
            assert_eq!(
                client_story(&pair, 0).iter().filter(|w| *w != "connected").count(),
                1,
                "its one message"
            );
            assert_eq!(pair.server().user_count(), 1);
        }
        // ... and into a server and a client that are in every other state.
        for (from, to, bytes) in packets.iter().rev().cycle().take(packets.len() * 3) {
            for disconnected in [false, true] {
                pair.network().inject(*from, *to, bytes);
                pair.run_for(MS * 5);
                if disconnected && pair.client(0).phase() == Phase::Connected {
                    pair.client_mut().disconnect();
                } else if pair.client(0).phase() == Phase::Disconnected {
                    pair.connect();
                }
            }
        }
        pair.run_for(MS * 15_000);
        if pair.client(0).phase() == Phase::Disconnected {
            pair.connect();
            pair.run_for(MS * 1_000);
        }
        assert_eq!(pair.client(0).phase(), Phase::Connected, "{security:?}: life goes on");
    }
}

#[test]
fn b3_random_bytes_into_a_live_server_and_client() {
    check_seeds(
        "b3_noise",
        0..100,
        |_| Plan::new(),
        |seed, _| {
            let mut pair = Pair::<Game>::connected(seed, Conditions::new(10, 0, 0.0), login(0));
            let (client, server) = (pair.client_address(0), pair.server_address());
            let mut random = SeededEntropy::new(seed);
            for _ in 0..500 {
                let mut bytes = vec![0; (random.next_u64() % 200) as usize];
                random.fill(&mut bytes);
                if let Some(first) = bytes.first_mut() {
                    *first |= 0b1100_0000;
                }
                pair.network().inject(client, server, &bytes);
                pair.network().inject(server, client, &bytes);
                pair.network().inject(SimAddress::new(9), server, &bytes);
            }
            pair.run_for(MS * 2_000);
            assert_eq!(pair.server().user_count(), 1);
            assert_eq!(client_story(&pair, 0), ["connected"]);
        },
    );
}

#[test]
fn b7_acks_of_any_kind_from_a_peer_that_lies_are_ignored() {
    // On a transport that vouches for integrity a peer can write what it likes: every header it could send.
    let config = ClusterConfig {
        conditions: Conditions::new(5, 0, 0.0),
        security: Security::FULL,
        ..ClusterConfig::new(1, 1)
    };
    let mut pair = Pair::<Game>::new(config, login(0));
    pair.connect();
    pair.run_for(MS * 200);
    let (client, server) = (pair.client_address(0), pair.server_address());
    let user = pair.user();
    pair.client_mut().connected().unwrap().send::<Unordered>(numbered(1, 1)).unwrap();
    pair.run_for(MS * 100);
    let template = pair.network().last_sent_by(client).unwrap();
    pair.network().set_conditions(Conditions::new(5, 0, 0.0));
    for turn in 0..2_000_u16 {
        pair.server_mut().send_to::<Ordered>(user, numbered(u32::from(turn), 10)).unwrap();
        if turn % 20 == 0 {
            let mut lie = template[..10].to_vec();
            lie[0] = 0b1110_0000;
            // A number of its own, ahead of the honest ones and within the window.
            lie[3..5].copy_from_slice(&(turn + 500).to_le_bytes());
            // For packets that were never sent: ahead of all, or before the first.
            let never_sent = if turn % 40 == 0 { 10_000 + turn * 7 } else { 60_000 - turn };
            lie[5..7].copy_from_slice(&never_sent.to_le_bytes());
            pair.network().inject(client, server, &lie);
        }
        pair.run_for(MS * 2);
    }
    pair.run_for(MS * 3_000);
    assert_eq!(pair.server().user_count(), 1);
    assert_eq!(pair.client_messages().len(), 2_000, "nothing was taken for delivered that was not");
}
