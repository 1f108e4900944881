//! The link conditioner.

use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{BurstLoss, ClientTransport, LinkProfile, local};
use bowline::{ManualClock, SeededEntropy};

use crate::readme::{Arena, Chat, Talk};

// ANCHOR: wrap
fn connect_over_bad_wifi<T: ClientTransport>(
    client: &mut Client<Arena, Conditioned<T>>,
    socket: T,
) -> Result<(), bowline::ConnectError> {
    let seed = 7; // the same seed and the same calls give the same losses
    client.connect(Conditioned::new(socket, LinkConditionerConfig::average_condition(), seed), ())
}
// ANCHOR_END: wrap

// ANCHOR: profiles
fn hotel() -> LinkConditionerConfig {
    LinkConditionerConfig::new(80, 20, 0.01) // 80 ms ± 20 one way, 1 % lost, both ways
        .with_duplication(0.01) // 1 % arrive twice
        .with_reordering(0.02, Duration::from_millis(60)) // 2 % are held back by 60 ms
        .with_burst_loss(BurstLoss::new(0.005, 0.2).with_loss(0.8)) // now and then, five in a row suffer
        .outgoing(LinkProfile::new(120, 40, 0.02).with_bandwidth(32_000, Duration::from_millis(300)))
}
// ANCHOR_END: profiles

/// A player, a server and a link between them, on a clock that a test moves.
struct Stage {
    clock: ManualClock,
    server: bowline::Server<Arena, local::Socket, (ManualClock, SeededEntropy)>,
    client: bowline::Client<Arena, Conditioned<local::ClientSocket>, (ManualClock, SeededEntropy)>,
}

impl Stage {
    fn new(link: LinkConditionerConfig) -> Self {
        let (clock, hub) = (ManualClock::new(), local::Hub::new());
        let mut server = Server::with_host(ServerConfig::default(), (clock.clone(), SeededEntropy::new(1)));
        server.listen(hub.server(server.socket_config()).unwrap());
        let mut client = Client::with_host(ClientConfig::default(), (clock.clone(), SeededEntropy::new(2)));
        let socket = Conditioned::new(hub.client(client.socket_config()), link, 7);
        client.connect(socket, ()).unwrap();
        Self { clock, server, client }
    }

    fn play(&mut self, duration: Duration) -> Vec<ClientEvent<Arena>> {
        let mut seen = Vec::new();
        for _ in 0..duration.as_millis() / 5 {
            self.server.receive();
            while let Some(event) = self.server.next_event() {
                if let ServerEvent::AuthRequested(ticket) = event {
                    ticket.accept();
                }
            }
            self.server.send();
            self.client.receive();
            seen.extend(std::iter::from_fn(|| self.client.next_event()));
            seen.retain(|event| !matches!(event, ClientEvent::Tick(_)));
            self.client.send();
            self.clock.advance(Duration::from_millis(5));
        }
        seen
    }
}

// ANCHOR: cable
#[test]
fn a_pulled_cable_is_noticed() {
    let mut game = Stage::new(LinkConditionerConfig::good_condition());
    game.play(Duration::from_secs(1));
    assert_eq!(game.client.phase(), Phase::Connected);

    let link = game.client.transport_mut().unwrap();
    link.set_config(LinkConditionerConfig::new(0, 0, 1.0)); // everything is lost
    let seen = game.play(Duration::from_secs(11));
    assert!(matches!(seen[..], [ClientEvent::Disconnected(DisconnectReason::TimedOut)]));

    let link = game.client.transport_mut().unwrap();
    link.set_config(LinkConditionerConfig::good_condition());
    game.client.reconnect().unwrap();
    assert!(matches!(game.play(Duration::from_secs(1))[..], [ClientEvent::Connected]));
}
// ANCHOR_END: cable

// ANCHOR: statistics
#[test]
fn the_link_counts() {
    let mut game = Stage::new(hotel());
    game.play(Duration::from_secs(2));
    for _ in 0..100 {
        let mut connected = game.client.connected().unwrap();
        connected.send::<Talk>(Chat { text: "ahoy".into() }).unwrap();
        game.play(Duration::from_millis(50));
    }

    let link = game.client.transport_mut().unwrap().statistics();
    println!("{} sent, {} lost on the way out", link.outgoing.offered, link.outgoing.lost);
    let stats = game.client.stats();
    println!("round trip {:?} ± {:?}", stats.round_trip_time.unwrap(), stats.jitter);
}
// ANCHOR_END: statistics

#[test]
fn the_wrapper_connects() {
    let hub = local::Hub::new();
    let mut client = Client::new(ClientConfig::default());
    connect_over_bad_wifi(&mut client, hub.client(SocketConfig::default())).unwrap();
    assert_eq!(client.phase(), Phase::PendingAuth);
}

#[test]
fn every_preset_connects_and_is_on_the_page() {
    let page = crate::pages::page("conditioner.md");
    let presets = [
        ("perfect_condition", LinkConditionerConfig::perfect_condition()),
        ("very_good_condition", LinkConditionerConfig::very_good_condition()),
        ("good_condition", LinkConditionerConfig::good_condition()),
        ("average_condition", LinkConditionerConfig::average_condition()),
        ("poor_condition", LinkConditionerConfig::poor_condition()),
        ("very_poor_condition", LinkConditionerConfig::very_poor_condition()),
    ];
    for (name, preset) in presets {
        let profile = preset.outgoing_profile();
        let (latency, jitter) = (profile.latency.as_millis(), profile.jitter.as_millis());
        let loss = (profile.loss * 1_000.0).round() / 10.0;
        let row = format!("| `{name}()` | {latency} ms | {jitter} ms | {loss} % |");
        assert!(page.contains(&row), "{row}");
        let mut game = Stage::new(preset);
        game.play(Duration::from_secs(10));
        assert_eq!(game.client.phase(), Phase::Connected, "{name}");
    }
}
