//! The smallest client: it sails in a circle, and says where the ships are.
//!
//! `cargo run -p bowline-bevy --example client --features transport_udp`

use std::time::Duration;

use bevy_app::{App, ScheduleRunnerPlugin, Startup, Update};
use bevy_ecs::prelude::*;
use bowline_bevy::client::transport::udp::ClientSocket;
use bowline_bevy::client::{
    Client, ClientConfig, ClientPlugin, ClientTick, DisconnectEvent, ReconnectPolicy, RejectEvent,
    SpawnEntityEvent, TickEvent,
};
use bowline_bevy::{DefaultClientTag, NetId, Remote};

mod arena;
use arena::{Arena, Helm, Position, Steer};

fn main() {
    let mut config = ClientConfig::default();
    config.reconnect = Some(ReconnectPolicy::default());
    App::new()
        .add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(10)))
        .add_plugins(ClientPlugin::<Arena>::new(config))
        .add_systems(Startup, connect)
        .add_systems(ClientTick, steer)
        .add_systems(Update, (look_out, report, mourn))
        .run();
}

fn connect(mut client: Client<'_, '_, Arena>) -> Result {
    let socket = ClientSocket::connect_to("127.0.0.1:14192", client.socket_config())?;
    client.connect(socket, ())?;
    Ok(())
}

fn steer(mut ticks: MessageReader<'_, '_, TickEvent>, mut client: Client<'_, '_, Arena>) -> Result {
    for event in ticks.read() {
        let angle = event.tick as f32 / 20.0;
        client.send::<Helm>(Steer { x: angle.cos(), y: angle.sin() })?;
    }
    Ok(())
}

fn look_out(mut events: MessageReader<'_, '_, SpawnEntityEvent>) {
    for event in events.read() {
        println!("{} comes into sight", event.id);
    }
}

type Ships<'w, 's> =
    Query<'w, 's, (&'static NetId<DefaultClientTag>, &'static Position), (With<Remote>, Changed<Position>)>;

fn report(ships: Ships<'_, '_>) {
    for (id, at) in &ships {
        println!("{} is at {:.2}, {:.2}", id.id(), at.x, at.y);
    }
}

fn mourn(mut gone: MessageReader<'_, '_, DisconnectEvent>, mut refused: MessageReader<'_, '_, RejectEvent>) {
    gone.read().for_each(|event| println!("the session is over: {}", event.reason));
    refused.read().for_each(|event| println!("the server does not let us in: {}", event.reason));
}
