//! The first page that a Bevy user needs.

use std::time::{Duration, Instant};

// ANCHOR: protocol
use bevy_app::{App, Startup, Update};
use bevy_ecs::prelude::*;
use bowline::prelude::{Channel, Message, Protocol, Replicate};

/// Where something is: to a hundredth, 15 bits each.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Position {
    #[wire(range = -100.0..=100.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -100.0..=100.0, step = 0.01)]
    pub y: f32,
}

/// What a player wants: from left to right.
#[derive(Message, Clone, Copy, Debug)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub x: f32,
}

#[derive(Channel)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Helm), messages(Steer), components(Position))]
pub struct Arena;
// ANCHOR_END: protocol

mod program {
    use super::App;
    use super::on_client::client;
    use super::on_server::server;
    // ANCHOR: program
    use std::net::SocketAddr;
    use std::time::Duration;

    use bevy_app::ScheduleRunnerPlugin;
    use bevy_ecs::prelude::*;

    /// Where the server is: from a configuration or a command line, in a real game.
    #[derive(Resource, Clone, Copy)]
    pub struct Address(pub SocketAddr);

    pub fn main() {
        let mut app = App::new();
        app.add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(10)))
            .insert_resource(Address(([127, 0, 0, 1], 14192).into()));
        match std::env::args().nth(1).as_deref() {
            Some("server") => server(&mut app),
            _ => client(&mut app),
        }
        app.run();
    }
    // ANCHOR_END: program
}

mod on_server {
    use super::program::Address;
    use super::{App, Arena, Component, Position, Startup, Steer, Update};
    // ANCHOR: server
    use bevy_ecs::prelude::*;
    use bowline_bevy::Replicated;
    use bowline_bevy::server::transport::udp::Socket;
    use bowline_bevy::server::{
        AuthEvent, ConnectEvent, InputEvent, ReplicationCommands, RoomId, Server, ServerConfig, ServerPlugin,
        ServerTick, UserId,
    };

    pub fn server(app: &mut App) {
        app.add_plugins(ServerPlugin::<Arena>::new(ServerConfig::default()))
            .add_systems(Startup, listen)
            .add_systems(Update, (let_in, launch).chain())
            .add_systems(ServerTick, sail);
    }

    /// Those in the room see the entities in it.
    #[derive(Resource)]
    struct Sea(RoomId);

    #[derive(Component)]
    struct Captain(UserId);

    fn listen(address: Res<Address>, mut server: Server<Arena>, mut commands: Commands) -> Result {
        let socket = Socket::bind(address.0, server.socket_config())?;
        server.listen(socket);
        commands.insert_resource(Sea(server.create_room()));
        Ok(())
    }

    fn let_in(mut events: MessageReader<AuthEvent<Arena>>) {
        for ticket in events.read().filter_map(AuthEvent::take) {
            ticket.accept(); // or `reject`, now or later
        }
    }

    fn launch(
        mut events: MessageReader<ConnectEvent>,
        sea: Res<Sea>,
        mut server: Server<Arena>,
        mut commands: Commands,
    ) {
        for event in events.read() {
            server.room_mut(sea.0).add_user(event.user);
            let ship = (Position { x: 0.0, y: 0.0 }, Captain(event.user), Replicated);
            commands.spawn(ship).enter_room(sea.0);
        }
    }

    fn sail(mut inputs: MessageReader<InputEvent<Steer>>, mut ships: Query<(&Captain, &mut Position)>) {
        for input in inputs.read() {
            for (_, mut at) in ships.iter_mut().filter(|(captain, _)| captain.0 == input.user) {
                at.x += input.message.x;
            }
        }
    }
    // ANCHOR_END: server
}

mod on_client {
    use super::program::Address;
    use super::{App, Arena, Helm, Position, Startup, Steer, Update};
    // ANCHOR: client
    use bevy_ecs::prelude::*;
    use bowline_bevy::Remote;
    use bowline_bevy::client::transport::udp::ClientSocket;
    use bowline_bevy::client::{Client, ClientConfig, ClientPlugin, ClientTick};

    pub fn client(app: &mut App) {
        app.add_plugins(ClientPlugin::<Arena>::new(ClientConfig::default()))
            .add_systems(Startup, connect)
            .add_systems(ClientTick, steer)
            .add_systems(Update, draw);
    }

    fn connect(address: Res<Address>, mut client: Client<Arena>) -> Result {
        let socket = ClientSocket::connect_to(address.0, client.socket_config())?;
        client.connect(socket, ())?;
        Ok(())
    }

    fn steer(mut client: Client<Arena>) -> Result {
        client.send::<Helm>(Steer { x: 0.5 })?;
        Ok(())
    }

    fn draw(ships: Query<&Position, (With<Remote>, Changed<Position>)>) {
        for at in &ships {
            println!("a ship is at {:.2}, {:.2}", at.x, at.y);
        }
    }
    // ANCHOR_END: client
}

use program::Address;

#[test]
fn the_quick_start_sails() {
    let mut server = App::new();
    server.insert_resource(Address("127.0.0.1:0".parse().unwrap()));
    on_server::server(&mut server);
    server.update();
    let address =
        crate::rig::run_once(server.world_mut(), |mut server: bowline_bevy::server::Server<Arena>| {
            let socket = server.socket_mut::<bowline::transport::udp::Socket>().unwrap();
            socket.local_address()
        });
    let mut client = App::new();
    client.insert_resource(Address(address));
    on_client::client(&mut client);
    let start = Instant::now();
    let mut seen = client.world_mut().query_filtered::<&Position, With<bowline_bevy::Remote>>();
    // Real sockets, real time.
    while seen.single(client.world()).map_or(0.0, |at| at.x) < 2.0 {
        assert!(start.elapsed() < Duration::from_secs(20), "the ship does not move");
        server.update();
        client.update();
        std::thread::sleep(Duration::from_millis(5));
    }
}
