//! The arena as Bevy apps: the demo tells the same story, whoever of the two has a Bevy app.

use clap::ValueEnum;
use protocol_example::demo::{Demo, STORY};
use protocol_example::game::{ArenaClient, ArenaServer};
use protocol_example::programs::{Bots, ClientSocket, Engine, OnCore, ServerSocket};
use protocol_example::timeline::{Event, Line};
use protocol_example::transport::TransportKind;
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
        duration: std::time::Duration::from_secs(4),
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
