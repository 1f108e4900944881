//! The arena as Bevy apps: the demo tells the same story, whoever of the two has a Bevy app.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bowline::prelude::*;
use clap::ValueEnum;
use protocol_example::demo::{Demo, STORY};
use protocol_example::game::{ArenaClient, ArenaServer, ClientSide, FRAME, ServerSide as _};
use protocol_example::programs::{Bots, ClientSocket, Engine, OnCore, ServerSocket};
use protocol_example::protocol::{Login, Steer, TOKEN};
use protocol_example::timeline::{Event, Line};
use protocol_example::transport::{Network, Program, TransportKind};
use protocol_example_bevy::{ClientApp, OnBevy, ServerApp};

/// The server is a Bevy app, its players are not.
#[derive(Clone, Copy)]
struct BevyServer;

impl Engine for BevyServer {
    const PAGE: &'static str = OnBevy::PAGE;
    type Server<T: ServerSocket> = ServerApp<T>;
    type Client<T: ClientSocket> = ArenaClient<T>;
}

/// The players are Bevy apps, their server is not.
#[derive(Clone, Copy)]
struct BevyClients;

impl Engine for BevyClients {
    const PAGE: &'static str = OnCore::PAGE;
    type Server<T: ServerSocket> = ArenaServer<T>;
    type Client<T: ClientSocket> = ClientApp<T>;
}

fn tells_the_story(kind: TransportKind, engine: impl Engine) {
    let mut lines = Vec::new();
    let played = kind.run("127.0.0.1:0", Demo { engine, audience: &mut lines });
    played.unwrap_or_else(|error| panic!("{kind:?}: {error}: {lines:#?}"));
    let story: Vec<_> =
        lines.iter().map(|line| (&*line.who, format!("{:?}", line.state), line.event.name())).collect();
    let story: Vec<_> = story.iter().map(|(who, state, event)| (*who, &**state, *event)).collect();
    assert_eq!(story, STORY, "{kind:?}");
}

#[test]
fn a_bevy_server_and_bevy_clients_tell_the_story_on_every_transport() {
    for kind in TransportKind::value_variants() {
        tells_the_story(*kind, OnBevy);
    }
}

#[test]
fn a_bevy_server_plays_with_clients_without_bevy() {
    tells_the_story(TransportKind::first(), BevyServer);
}

#[test]
fn bevy_clients_play_on_a_server_without_bevy() {
    tells_the_story(TransportKind::first(), BevyClients);
}

#[test]
fn a_headless_server_and_its_bots_collect_pearls() {
    let mut lines: Vec<Line> = Vec::new();
    let bots = Bots {
        engine: OnBevy,
        count: 4,
        duration: Duration::from_secs(4),
        with_server: true,
        audience: &mut lines,
    };
    TransportKind::first().run("127.0.0.1:0", bots).expect("all bots come in");
    let scores = lines.iter().find_map(|line| match &line.event {
        Event::ReadScores { points } => Some(points.clone()),
        _ => None,
    });
    let scores = scores.expect("a scoreboard");
    assert_eq!(scores.len(), 4, "{scores:?}");
    assert!(scores.iter().any(|(_, points)| *points > 0), "nobody has a pearl: {scores:?}");
    let sessions = lines.iter().filter(|line| matches!(line.event, Event::Measured(_))).count();
    assert_eq!(sessions, 4, "every bot has left");
}

/// A player on a slow link, and one beside the server.
struct AtOnce<E>(E);

impl<E: Engine> Program for AtOnce<E> {
    type Output = ();

    fn run<N: Network>(self, mut network: N) {
        let mut server = E::Server::<N::Server>::new(ServerConfig::default());
        server.listen(network.listen(server.socket_config()).expect("a socket"));
        let join = |name: &str, latency| {
            let mut client = E::Client::<Conditioned<N::Client>>::new(ClientConfig::default());
            let socket = network.dial(client.socket_config()).expect("a socket");
            let link = Conditioned::new(socket, LinkConditionerConfig::new(latency, 0, 0.0), 1);
            let login = Login { name: name.to_owned(), token: TOKEN.to_owned() };
            client.connect(link, login).expect("it is not connected");
            client
        };
        let (mut far, mut near) = (join("far", 400), join("near", 0));
        let mut until = |what: &str, done: &mut dyn FnMut(&mut _, &mut _) -> bool| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while !done(&mut far, &mut near) {
                assert!(Instant::now() < deadline, "{what}");
                server.frame();
                far.frame();
                near.frame();
                sleep(FRAME);
            }
        };
        type Client<E, N> = <E as Engine>::Client<Conditioned<<N as Network>::Client>>;
        let mut start = None;
        until("both see the ship", &mut |far: &mut Client<E, N>, near: &mut Client<E, N>| {
            start = near.ship_of("far");
            start.is_some() && far.place() == start
        });
        let start = start.expect("it is there");
        // A client knows by how much it has to lead the server when it has been in for two seconds.
        let settled = Instant::now() + Duration::from_secs(3);
        until("time passes", &mut |_: &mut Client<E, N>, _: &mut Client<E, N>| Instant::now() >= settled);
        until("it sails here", &mut |far: &mut Client<E, N>, near: &mut Client<E, N>| {
            far.steer_by_hand(Some(Steer { east: 1.0, north: 0.0 }));
            let here = far.place().expect("it is in sight");
            // The server has heard nothing of it: that takes 400 ms.
            assert!(near.ship_of("far") == Some(start) || here.distance_to(&start) > 2.0);
            here.distance_to(&start) > 2.0
        });
        until("it lies there where it lies here", &mut |far: &mut Client<E, N>, near: &mut Client<E, N>| {
            far.steer_by_hand(Some(Steer::default()));
            let (here, there) = (far.place().expect("a ship"), near.ship_of("far").expect("a ship"));
            there != start && here.distance_to(&there) < 0.05
        });
    }
}

#[test]
fn a_ship_answers_the_helm_before_the_server_hears_of_it() {
    TransportKind::first().run("127.0.0.1:0", AtOnce(OnCore));
    TransportKind::first().run("127.0.0.1:0", AtOnce(OnBevy));
}
