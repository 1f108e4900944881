//! The smallest server: a ship for each player, steered by its player, seen by all.
//!
//! `cargo run -p bowline-bevy --example server --features transport_udp`

use std::time::Duration;

use bevy_app::{App, ScheduleRunnerPlugin, Startup, Update};
use bevy_ecs::prelude::*;
use bowline_bevy::Replicated;
use bowline_bevy::server::transport::udp::Socket;
use bowline_bevy::server::{
    AuthEvent, ConnectEvent, DisconnectEvent, InputEvent, ReplicationCommands as _, RoomId, Server,
    ServerConfig, ServerPlugin, ServerTick, UserId,
};

mod arena;
use arena::{Arena, Position, Steer};

#[derive(Resource)]
struct Sea(RoomId);

#[derive(Component)]
struct Captain(UserId);

fn main() {
    App::new()
        .add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(10)))
        .add_plugins(ServerPlugin::<Arena>::new(ServerConfig::default()))
        .add_systems(Startup, listen)
        .add_systems(Update, (let_in, launch, sink))
        .add_systems(ServerTick, sail)
        .run();
}

fn listen(mut server: Server<'_, '_, Arena>, mut commands: Commands<'_, '_>) -> Result {
    let socket = Socket::bind("127.0.0.1:14192", server.socket_config())?;
    server.listen(socket);
    commands.insert_resource(Sea(server.create_room()));
    println!("listening on 127.0.0.1:14192");
    Ok(())
}

fn let_in(mut events: MessageReader<'_, '_, AuthEvent<Arena>>) {
    for ticket in events.read().filter_map(AuthEvent::take) {
        ticket.accept();
    }
}

fn launch(
    mut events: MessageReader<'_, '_, ConnectEvent>,
    sea: Res<'_, Sea>,
    mut server: Server<'_, '_, Arena>,
    mut commands: Commands<'_, '_>,
) {
    for event in events.read() {
        println!("{} is in", event.user);
        server.room_mut(sea.0).add_user(event.user);
        commands.spawn((Position { x: 0.0, y: 0.0 }, Captain(event.user), Replicated)).enter_room(sea.0);
    }
}

fn sail(
    mut inputs: MessageReader<'_, '_, InputEvent<Steer>>,
    mut ships: Query<'_, '_, (&Captain, &mut Position)>,
) {
    for input in inputs.read() {
        for (_, mut at) in ships.iter_mut().filter(|(captain, _)| captain.0 == input.user) {
            at.x = (at.x + input.message.x).clamp(-100.0, 100.0);
            at.y = (at.y + input.message.y).clamp(-100.0, 100.0);
        }
    }
}

fn sink(
    mut events: MessageReader<'_, '_, DisconnectEvent>,
    ships: Query<'_, '_, (Entity, &Captain)>,
    mut commands: Commands<'_, '_>,
) {
    for event in events.read() {
        println!("{} is gone: {}", event.user, event.reason);
        for (ship, _) in ships.iter().filter(|(_, captain)| captain.0 == event.user) {
            commands.entity(ship).despawn();
        }
    }
}
