//! The entities on the first page of the project.

// ANCHOR: program
use bowline::prelude::*;
use bowline::transport::{ClientTransport, Transport};

#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Position {
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    pub y: f32,
}

#[derive(Protocol)]
#[protocol(tick_rate = 20, components(Position))]
pub struct Sea;

/// On the server: a ship that everybody in the room sees.
fn launch(server: &mut Server<Sea, impl Transport>, room: RoomId) {
    if let Ok(ship) = server.spawn((Position { x: 0.0, y: 0.0 },)) {
        server.room_mut(room).add_entity(ship);
    }
}

/// On the server, every tick.
fn sail(server: &mut Server<Sea, impl Transport>) {
    server.world_mut().for_each_mut::<Position>(|_ship, mut at| at.x += 0.5);
}

/// On a client, every frame.
fn draw(client: &Client<Sea, impl ClientTransport>) {
    for (ship, at) in client.entities().world().query::<&Position>() {
        println!("{ship} is at {}, {}", at.x, at.y); // entity 0 is at 0.5, 0
    }
}
// ANCHOR_END: program

#[test]
fn a_ship_sails() {
    let hub = bowline::transport::local::Hub::new();
    let mut server = Server::<Sea, _>::new(ServerConfig::default());
    server.listen(hub.server(server.socket_config()).unwrap());
    let mut client = Client::<Sea, _>::new(ClientConfig::default());
    client.connect(hub.client(client.socket_config()), ()).unwrap();
    let room = server.create_room();
    launch(&mut server, room);
    loop {
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => assert!(server.room_mut(room).add_user(user)),
                ServerEvent::Tick(_) => sail(&mut server),
                _ => {}
            }
        }
        server.send();
        client.receive();
        while client.next_event().is_some() {}
        client.send();
        draw(&client);
        if client.entities().world().query::<&Position>().any(|(_, at)| at.x > 1.0) {
            return;
        }
    }
}
