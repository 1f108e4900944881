//! A server of Bowline's and its clients: receive, events, send. Everything as it comes.

use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::local;
use bowline::{ManualClock, SeededEntropy};

use super::protocol::{Arena, ArenaMessage, Hundred, Login, Position, Talk};
use super::transport::{Counted, Meter};
use crate::stage::{Counts, Room, Stage};

type Host = (ManualClock, SeededEntropy);
type ArenaServer = Server<Arena, Counted<local::Socket>, Host>;
type ArenaClient = Client<Arena, Counted<local::ClientSocket>, Host>;

pub(crate) struct BowlineStage {
    clock: ManualClock,
    hub: local::Hub,
    server: ArenaServer,
    rooms: [RoomId; Room::COUNT],
    users: Vec<UserId>,
    clients: Vec<ArenaClient>,
    to_clients: Meter,
    to_server: Meter,
    /// How many clients there have been: each has a seed of its own.
    last_client: u64,
    /// Goes on with every change, so that no value is twice the same.
    step: f32,
    messages: u64,
    updates: u64,
}

impl Stage for BowlineStage {
    type Setup = ();

    const HAS_ENTITIES: bool = true;

    fn new((): ()) -> Self {
        let clock = ManualClock::new();
        let hub = local::Hub::new();
        let host = (clock.clone(), SeededEntropy::new(1));
        let mut server = ArenaServer::with_host(ServerConfig::default(), host);
        let to_clients = Meter::default();
        let inner = hub.server(server.socket_config()).expect("a fresh hub has no server");
        server.listen(Counted { inner, sent: to_clients.clone() });
        let rooms = std::array::from_fn(|_| server.create_room());
        Self {
            clock,
            hub,
            server,
            rooms,
            users: Vec::new(),
            clients: Vec::new(),
            to_clients,
            to_server: Meter::default(),
            last_client: 1,
            step: 0.0,
            messages: 0,
            updates: 0,
        }
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    fn connect(&mut self) {
        self.last_client += 1;
        let host = (self.clock.clone(), SeededEntropy::new(self.last_client));
        let mut client = ArenaClient::with_host(ClientConfig::default(), host);
        let inner = self.hub.client(client.socket_config());
        let socket = Counted { inner, sent: self.to_server.clone() };
        client.connect(socket, Login { name: "somebody".into() }).expect("a fresh client can connect");
        self.clients.push(client);
    }

    fn connected(&self) -> usize {
        let clients = self.clients.iter().filter(|client| client.phase() == Phase::Connected);
        clients.count().min(self.users.len())
    }

    fn say_goodbye(&mut self) {
        self.clients.iter_mut().for_each(Client::disconnect);
    }

    fn users(&self) -> usize {
        self.users.len()
    }

    fn drop_clients(&mut self) {
        self.clients.clear();
    }

    fn server_receive(&mut self) {
        self.server.receive();
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => {
                    self.server.room_mut(self.rooms[Room::Main as usize]).add_user(user);
                    self.users.push(user);
                }
                ServerEvent::Disconnected(gone) => self.users.retain(|user| *user != gone.user),
                _ => {}
            }
        }
    }

    fn server_send(&mut self) {
        self.server.send();
    }

    fn clients_turn(&mut self) {
        for client in &mut self.clients {
            client.receive();
            while let Some(event) = client.next_event() {
                match event {
                    ClientEvent::Message(ArenaMessage::Hundred(_)) => self.messages += 1,
                    ClientEvent::Entity(EntityEvent::UpdateComponent { .. }) => self.updates += 1,
                    _ => {}
                }
            }
            client.send();
        }
    }

    fn send_message(&mut self) -> bool {
        self.server.send_to::<Talk>(self.users[0], Hundred { bytes: [7; 100] }).is_ok()
    }

    fn counts(&self) -> Counts {
        Counts {
            to_clients: self.to_clients.get(),
            to_server: self.to_server.get(),
            messages: self.messages,
            updates: self.updates,
        }
    }

    fn spawn(&mut self, count: usize, rooms: &[Room]) {
        for index in 0..count {
            let entity =
                self.server.spawn((position(index as f32),)).expect("scenarios stay below the limit");
            let mut entity = self.server.entity_mut(entity).expect("it is there since a moment ago");
            for room in rooms {
                entity.enter_room(self.rooms[*room as usize]);
            }
        }
    }

    fn change_all(&mut self) {
        self.step += 1.0;
        let mut index = 0.0;
        self.server.world_mut().for_each_mut::<Position>(|_, mut place| {
            *place = position(index + self.step);
            index += 1.0;
        });
    }

    fn seen(&self) -> usize {
        self.clients.iter().map(|client| client.entities().world().len()).sum()
    }

    fn move_users(&mut self, room: Room, inside: bool) {
        let mut room = self.server.room_mut(self.rooms[room as usize]);
        for user in &self.users {
            if inside {
                room.add_user(*user)
            } else {
                room.remove_user(*user)
            };
        }
    }
}

/// A position of which each value is another one.
const fn position(value: f32) -> Position {
    Position { x: value, y: value + 0.25, z: value + 0.5 }
}
