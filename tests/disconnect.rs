//! Going: goodbye, kick, time-out, and what is left of it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{Datagram, Security, Transport, TransportError, TransportErrorKind, local};
use bowline::{Instant, ManualClock, SeededEntropy};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault, Pair, Plan, check_seeds};
use bowline_tests::{
    Game, Ordered, client_story, frame, last_departure, last_end, login, lossy, numbered, server_story,
};

const MS: Duration = Duration::from_millis(1);

fn connected(config: ClusterConfig) -> Cluster<Game> {
    let clients = config.clients;
    let mut cluster = Cluster::new(config, login);
    cluster.connect_all();
    let all_in = |c: &Cluster<Game>| {
        c.server().user_count() == clients && (0..clients).all(|n| c.client(n).phase() == Phase::Connected)
    };
    assert!(cluster.run_until(MS * 20_000, all_in));
    cluster
}

#[test]
fn a5_a_client_that_vanishes_times_out_on_the_server() {
    for (timeout, security) in [
        (10_000, bowline::transport::Security::NONE),
        (3_000, bowline::transport::Security::NONE),
        (3_000, bowline::transport::Security::FULL),
    ] {
        let mut config = ClusterConfig { security, ..ClusterConfig::new(1, 2) };
        config.server.connection.disconnection_timeout_duration = MS * timeout;
        let mut cluster = connected(config);
        cluster.run_for(MS * 1_234);
        cluster.apply(&Fault::FreezeClient(0));
        let start = cluster.now();
        assert!(cluster.run_until(MS * 20_000, |c| c.server().user_count() == 1));
        let taken = cluster.now() - start;
        let heartbeat = MS * 1_000;
        assert!(taken <= MS * timeout && taken + heartbeat >= MS * timeout, "{taken:?}");
        assert_eq!(last_departure(&cluster), Some(DisconnectReason::TimedOut));
        cluster.run_for(MS * 30_000);
        assert_eq!(cluster.server().user_count(), 1, "the other one stays");
    }
}

#[test]
fn a5_a_server_that_vanishes_times_out_on_the_client() {
    let mut config = ClusterConfig::new(1, 1);
    config.client.connection.disconnection_timeout_duration = MS * 3_000;
    let mut cluster = connected(config);
    cluster.crash_server();
    let start = cluster.now();
    assert!(cluster.run_until(MS * 20_000, |c| c.client(0).phase() == Phase::Disconnected));
    assert!(cluster.now() - start <= MS * 3_000);
    assert_eq!(last_end(&cluster, 0), Some(DisconnectReason::TimedOut));
}

#[test]
fn a6_idle_for_ten_minutes_nobody_leaves_and_only_heartbeats_travel() {
    for loss in [0.0, 0.2] {
        let mut cluster = connected(ClusterConfig {
            conditions: Conditions::new(40, 10, loss),
            ..ClusterConfig::new(3, 3)
        });
        cluster.run_for(MS * 2_000);
        let before = cluster.network().stats();
        cluster.run_for(MS * 600_000);
        let sent = cluster.network().stats().sent - before.sent;
        // One a second from each of three clients, and one a second to each.
        assert!((3_594..=3_606).contains(&sent), "{sent} datagrams in ten minutes");
        let bytes = (cluster.network().stats().sent_bytes - before.sent_bytes) / sent;
        assert!(bytes <= 24, "{bytes} bytes a heartbeat");
        assert_eq!(server_story(&cluster).len(), 6, "nothing but three arrivals");
    }
}

#[test]
fn a6_the_interval_can_be_set() {
    let mut config = ClusterConfig::new(3, 1);
    config.client.connection.heartbeat_interval = MS * 250;
    config.server.connection.heartbeat_interval = MS * 10_000;
    config.server.connection.disconnection_timeout_duration = MS * 20_000;
    config.client.connection.disconnection_timeout_duration = MS * 20_000;
    let mut cluster = connected(config);
    cluster.run_for(MS * 1_000);
    let before = cluster.network().stats().sent;
    cluster.run_for(MS * 60_000);
    let sent = cluster.network().stats().sent - before;
    assert!((244..=248).contains(&sent), "{sent}: 240 from the client, 6 from the server");
}

#[test]
fn a7_each_end_has_its_own_reason_on_each_side() {
    let config = || ClusterConfig { conditions: lossy(0.0), ..ClusterConfig::new(1, 1) };

    let mut leaves = connected(config());
    leaves.client_mut(0).disconnect();
    leaves.run_for(MS * 500);
    assert_eq!(last_end(&leaves, 0), Some(DisconnectReason::Requested));
    assert_eq!(last_departure(&leaves), Some(DisconnectReason::PeerLeft));

    let mut kicked = connected(config());
    let user = kicked.server().users().next().unwrap();
    kicked.server_mut().disconnect(user, "no shouting");
    kicked.run_for(MS * 500);
    assert_eq!(last_end(&kicked, 0), Some(DisconnectReason::Kicked("no shouting".into())));
    assert_eq!(last_departure(&kicked), Some(DisconnectReason::Kicked("no shouting".into())));

    let mut shut_down = connected(config());
    shut_down.server_mut().shut_down();
    shut_down.run_for(MS * 500);
    assert_eq!(last_end(&shut_down, 0), Some(DisconnectReason::ServerShutdown));
    assert_eq!(last_departure(&shut_down), Some(DisconnectReason::ServerShutdown));

    let mut cut = connected(config());
    cut.apply(&Fault::Cut(0));
    cut.run_for(MS * 11_000);
    assert_eq!(last_end(&cut, 0), Some(DisconnectReason::TimedOut));
    assert_eq!(last_departure(&cut), Some(DisconnectReason::TimedOut));
}

#[test]
fn a7_a_goodbye_is_heard_through_heavy_loss() {
    for by_server in [false, true] {
        let mut unheard = Vec::new();
        for seed in 0..1_000 {
            let mut pair = Pair::<Game>::connected(seed, Conditions::new(50, 10, 0.0), login(0));
            pair.network().set_conditions(Conditions::new(50, 10, 0.5));
            if by_server {
                let user = pair.user();
                pair.server_mut().disconnect(user, "time to go");
            } else {
                pair.client_mut().disconnect();
            }
            pair.run_for(MS * 2_000);
            let heard = if by_server {
                last_end(&pair, 0) == Some(DisconnectReason::Kicked("time to go".into()))
            } else {
                last_departure(&pair) == Some(DisconnectReason::PeerLeft)
            };
            if !heard {
                unheard.push(seed);
            }
        }
        println!("by_server = {by_server}: unheard with seeds {unheard:?} of 1,000");
        assert!(unheard.len() <= 10, "{unheard:?}");
    }
}

#[test]
fn a7_messages_before_a_goodbye_are_delivered_before_it() {
    let mut pair = Pair::<Game>::connected(1, Conditions::new(100, 0, 0.0), login(0));
    let user = pair.user();
    pair.client_mut().connected().unwrap().send::<Ordered>(numbered(1, 10)).unwrap();
    pair.client_mut().disconnect();
    pair.run_for(MS * 1_000);
    let story = server_story(&pair);
    assert!(story[2].starts_with("Numbered"), "{story:?}");
    assert!(story[3].starts_with("disconnected"), "{story:?}");
    assert!(pair.server().user(user).is_none());
}

#[test]
fn a_session_that_is_over_stays_over_and_its_end_is_told_again() {
    let mut pair = Pair::<Game>::connected(1, lossy(0.0), login(0));
    let user = pair.user();
    // The client hears none of the goodbyes ...
    pair.apply(&Fault::Cut(0));
    pair.server_mut().disconnect(user, "kicked while away");
    pair.run_for(MS * 3_000);
    assert_eq!(client_story(&pair, 0), ["connected"]);
    // ... until it speaks to the session again.
    pair.apply(&Fault::Join(0));
    pair.run_for(MS * 2_500);
    assert_eq!(last_end(&pair, 0), Some(DisconnectReason::Kicked("kicked while away".into())));
}

#[test]
fn ends_are_clean_whatever_goes_wrong() {
    let length = MS * 40_000;
    check_seeds(
        "ends",
        0..1_000,
        |seed| Plan::random(seed, length, 3),
        |seed, plan| {
            let mut config = ClusterConfig { conditions: lossy(0.05), ..ClusterConfig::new(seed, 3) };
            config.client.reconnect = Some(bowline::ReconnectPolicy::default());
            (config.server_frame, config.client_frame) = (frame(seed), frame(seed / 4));
            let mut cluster = Cluster::<Game>::new(config, login);
            cluster.connect_all();
            cluster.run_plan(plan, length);
            cluster.run_for(MS * 30_000);
            // Everything has healed: everybody is back, once.
            for client in 0..3 {
                assert_eq!(cluster.client(client).phase(), Phase::Connected, "client {client}");
                let story = client_story(&cluster, client);
                let mut up = false;
                for word in &story {
                    match word.as_str() {
                        "connected" => assert!(!std::mem::replace(&mut up, true), "twice: {story:?}"),
                        word if word.starts_with("disconnected") || word.starts_with("rejected") => {
                            up = false;
                        }
                        _ => {}
                    }
                }
            }
            assert_eq!(cluster.server().user_count(), 3);
        },
    );
}

/// In-process queues that end when they are told to, as a socket does whose interface is gone.
#[derive(Debug)]
struct Breakable {
    inner: local::Socket,
    is_broken: Rc<Cell<bool>>,
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the interface is gone")]
    Gone,
    #[error(transparent)]
    Queue(#[from] local::Error),
}

impl TransportError for Broken {
    fn kind(&self) -> TransportErrorKind {
        match self {
            Self::Gone => TransportErrorKind::Closed,
            Self::Queue(error) => error.kind(),
        }
    }
}

impl Transport for Breakable {
    type Address = local::Address;
    type Error = Broken;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, local::Address>>, Broken> {
        if self.is_broken.get() { Err(Broken::Gone) } else { Ok(self.inner.receive(now)?) }
    }

    fn send(&mut self, now: Instant, to: local::Address, datagram: &[u8]) -> Result<(), Broken> {
        if self.is_broken.get() { Err(Broken::Gone) } else { Ok(self.inner.send(now, to, datagram)?) }
    }

    fn flush(&mut self, now: Instant) -> Result<(), Broken> {
        Ok(self.inner.flush(now)?)
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn security(&self, address: local::Address) -> Security {
        self.inner.security(address)
    }

    fn name(&self, address: local::Address) -> &'static str {
        self.inner.name(address)
    }

    fn close(&mut self, address: local::Address) {
        self.inner.close(address);
    }
}

#[test]
fn who_is_idle_hears_at_once_that_the_servers_transport_is_gone() {
    const CLIENTS: usize = 3;
    let (clock, hub, is_broken) = (ManualClock::new(), local::Hub::new(), Rc::new(Cell::new(false)));
    let host = |seed| (clock.clone(), SeededEntropy::new(seed));
    let mut server = Server::<Game, _, _>::with_host(ServerConfig::default(), host(0));
    let inner = hub.server(server.socket_config()).unwrap();
    server.listen(Breakable { inner, is_broken: is_broken.clone() });
    let mut clients: Vec<_> = (1..=CLIENTS as u64)
        .map(|n| Client::<Game, _, _>::with_host(ClientConfig::default(), host(n)))
        .collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.connect(hub.client(client.socket_config()), login(number)).unwrap();
    }
    let mut turn = || {
        clock.advance(MS);
        let mut ends = Vec::new();
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Disconnected(departed) => ends.push(departed.reason),
                _ => {}
            }
        }
        server.send();
        for client in &mut clients {
            client.receive();
            while client.next_event().is_some() {}
            client.send();
        }
        (ends, server.user_count())
    };
    // Long after the last acknowledgement, and before the next heartbeat.
    (0..2_500).for_each(|_| {
        turn();
    });
    assert_eq!(turn(), (vec![], CLIENTS));
    is_broken.set(true);
    assert_eq!(turn(), (vec![DisconnectReason::TransportClosed; CLIENTS], 0));
}
