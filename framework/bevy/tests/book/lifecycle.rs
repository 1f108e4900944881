//! The lifecycle of a connection, as an app has it.

use std::time::Duration;

use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use bevy_state::prelude::{OnEnter, in_state};
use bowline_bevy::DefaultClientTag;
use bowline_bevy::client::ClientPlugin;
use bowline_bevy::server::ServerPlugin;
use bowline_sim::{Conditions, SimAddress, SimSocket};

use crate::rig::{
    Chat, Field, Health, Log, Login, MS, Position, SERVER, Stage, Talk, listen, run_once, watch_client,
    watch_server,
};

// ANCHOR: timeout
use bowline_bevy::client::{ClientConfig, ReconnectPolicy};
use bowline_bevy::server::ServerConfig;

fn server_config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connection.disconnection_timeout_duration = Duration::from_secs(3);
    config
}

fn client_config() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.connection.disconnection_timeout_duration = Duration::from_secs(3);
    config.reconnect = Some(ReconnectPolicy::default()); // tries again by itself; off by default
    config
}
// ANCHOR_END: timeout

// ANCHOR: condition
use bowline::transport::{Conditioned, LinkConditionerConfig};
use bowline_bevy::client::{AppSocket, Client};

fn connect_over_bad_wifi(client: &mut Client<Field>, socket: impl AppSocket, login: Login) -> Result {
    let seed = 7; // the same seed and the same calls give the same losses
    let link = LinkConditionerConfig::average_condition();
    client.connect(Conditioned::new(socket, link, seed), login)?;
    Ok(())
}
// ANCHOR_END: condition

// ANCHOR: recondition
fn leave_the_hotel(mut client: Client<Field>) {
    if let Some(socket) = client.socket_mut::<Conditioned<SimSocket>>() {
        socket.set_config(LinkConditionerConfig::perfect_condition());
    }
}
// ANCHOR_END: recondition

mod by_hand {
    use super::*;
    // ANCHOR: disconnect
    use bowline_bevy::client::{ClientCommands, DisconnectEvent};

    fn after_the_end(
        mut events: MessageReader<DisconnectEvent>,
        mut client: Client<Field>,
        mut commands: Commands,
    ) -> Result {
        for event in events.read() {
            println!("the session is over: {}", event.reason);
            // Without this, what the server has shown stays until the next session begins.
            commands.despawn_replicated::<DefaultClientTag>();
            // Over the same transport, with the same credentials. Everything in scope comes again.
            client.reconnect()?;
        }
        Ok(())
    }
    // ANCHOR_END: disconnect

    pub fn add(app: &mut App) {
        app.add_systems(Update, after_the_end);
    }
}

mod states {
    use super::*;
    // ANCHOR: states
    use bowline_bevy::client::{ConnectionState, client_connected};
    use bowline_bevy::server::server_listening;

    fn screens(app: &mut App) {
        app.add_systems(OnEnter(ConnectionState::Connecting), show_spinner)
            .add_systems(OnEnter(ConnectionState::Connected), hide_spinner)
            .add_systems(Update, play.run_if(in_state(ConnectionState::Connected)))
            .add_systems(Update, ping.run_if(client_connected::<Field>))
            .add_systems(Update, spawn_monsters.run_if(server_listening::<Field>));
    }
    // ANCHOR_END: states

    fn show_spinner(mut log: ResMut<Log>) {
        log.0.push("spins".into());
    }

    fn hide_spinner(mut log: ResMut<Log>) {
        log.0.push("spins no more".into());
    }

    fn play(mut log: ResMut<Log>) {
        if !log.0.contains(&"plays".into()) {
            log.0.push("plays".into());
        }
    }

    fn ping() {}

    fn spawn_monsters() {}

    pub fn add(app: &mut App) {
        screens(app);
    }
}

fn stage(client: ClientConfig, add: fn(&mut App)) -> (Stage, SimSocket) {
    let mut stage = Stage::new(41, Conditions::new(10, 0, 0.0));
    let mut app = App::new();
    app.add_plugins(ServerPlugin::<Field>::new(server_config()).with_host(stage.host(1)));
    watch_server(&mut app);
    listen(&mut app, stage.socket(SERVER, SERVER));
    stage.add(app, SERVER);
    let mut app = App::new();
    app.add_plugins(ClientPlugin::<Field>::new(client).with_host(stage.host(2)));
    watch_client::<DefaultClientTag>(&mut app);
    add(&mut app);
    let at = SimAddress::new(200);
    let socket = stage.socket(at, SERVER);
    stage.add(app, at);
    (stage, socket)
}

#[test]
fn the_timeout_is_the_configured_one_and_the_policy_comes_back() {
    let (mut stage, socket) = stage(client_config(), |_| ());
    crate::rig::connect::<DefaultClientTag>(stage.world_mut(1), socket, Login("me".into()));
    stage.run(MS * 1_000);
    stage.clear_logs();
    stage.cluster().network().cut(SimAddress::new(200));
    stage.run(MS * 2_500);
    assert_eq!((stage.log(0), stage.log(1)), (vec![], vec![]));
    stage.run(MS * 1_500);
    assert!(stage.log(0)[0].starts_with("disconnected") && stage.log(1)[0].starts_with("disconnected"));
    stage.cluster().network().join(SimAddress::new(200));
    stage.run(MS * 15_000);
    assert_eq!(stage.log(1).last().map(String::as_str), Some("connected"));
}

#[test]
fn a_link_can_be_conditioned() {
    let (mut stage, socket) = stage(ClientConfig::default(), |_| ());
    let mut socket = Some(socket);
    run_once::<_, Result>(stage.world_mut(1), move |mut client: Client<Field>| {
        connect_over_bad_wifi(&mut client, socket.take().unwrap(), Login("me".into()))
    })
    .unwrap();
    stage.run(MS * 8_000);
    assert!(stage.log(1).contains(&"connected".into()));
    let heard_within_50_ms = |stage: &mut Stage| {
        stage.clear_logs();
        stage.in_client(1, |client| client.send::<Talk>(Chat("ahoy".into())).unwrap());
        stage.run(MS * 50);
        !stage.log(0).is_empty()
    };
    assert!(!heard_within_50_ms(&mut stage));
    run_once(stage.world_mut(1), leave_the_hotel);
    stage.run(MS * 1_000);
    assert!(heard_within_50_ms(&mut stage));
}

#[test]
fn after_the_end_everything_goes_and_comes_again() {
    let (mut stage, socket) = stage(ClientConfig::default(), by_hand::add);
    crate::rig::connect::<DefaultClientTag>(stage.world_mut(1), socket, Login("me".into()));
    stage.run(MS * 1_000);
    stage.spawn(0, (Health(1), Position { x: 0.0, y: 0.0, z: 0.0 }));
    stage.run(MS * 300);
    assert_eq!(stage.count(1), 1);
    let user = stage.user(0);
    stage.in_server(0, move |server| server.disconnect(user, "come again"));
    let is_gone = |stage: &mut Stage| stage.count(1) == 0;
    assert!(stage.run_until(MS * 300, is_gone));
    stage.run(MS * 1_000);
    assert_eq!(stage.seen::<Health>(1), [Health(1)]);
}

#[test]
fn screens_follow_the_connection() {
    let (mut stage, socket) = stage(ClientConfig::default(), states::add);
    crate::rig::connect::<DefaultClientTag>(stage.world_mut(1), socket, Login("me".into()));
    stage.run(MS * 1_000);
    let mut log = stage.log(1);
    log.retain(|line| line != "connected");
    assert_eq!(log, ["spins", "spins no more", "plays"]);
}
