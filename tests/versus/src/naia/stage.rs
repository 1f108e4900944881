//! A server of naia's and its clients, driven as its documentation says: receive, process, events, ticks, send.

use std::time::Duration;

use naia_client::{
    Client, ClientConfig, ConnectEvent as ClientConnectEvent, MessageEvent, UpdateComponentEvent,
};
use naia_server::{AuthEvent, ConnectEvent, DisconnectEvent, RoomKey, Server, ServerConfig, UserKey};
use naia_shared::default_channels::OrderedReliableChannel;
use naia_shared::{ConnectionConfig, Instant, TestClock};

use super::protocol::{Hundred, Login, Position, protocol};
use super::socket::Hub;
use super::world::{Entity, World};
use crate::stage::{Counts, Room, Stage};

/// Whether its cap of 64 kB a second and connection is in force.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cap {
    Default,
    Lifted,
}

impl Cap {
    fn connection(self) -> ConnectionConfig {
        let mut config = ConnectionConfig::default();
        if self == Self::Lifted {
            // More than any scenario needs.
            config.bandwidth.target_bytes_per_sec = 1_000_000_000;
        }
        config
    }
}

pub(crate) struct NaiaStage {
    cap: Cap,
    hub: Hub,
    server: Server<Entity>,
    world: World,
    rooms: [RoomKey; Room::COUNT],
    users: Vec<UserKey>,
    clients: Vec<Player>,
    /// Goes on with every change, so that no value is twice the same.
    step: f32,
    messages: u64,
    updates: u64,
}

struct Player {
    client: Client<Entity>,
    world: World,
    is_connected: bool,
}

impl Stage for NaiaStage {
    type Setup = Cap;

    const HAS_ENTITIES: bool = true;

    fn new(cap: Cap) -> Self {
        TestClock::init(0);
        let hub = Hub::default();
        let config = ServerConfig { connection: cap.connection(), ..ServerConfig::default() };
        let mut server = Server::new(config, protocol());
        server.listen(hub.server());
        let rooms = std::array::from_fn(|_| server.create_room().key());
        Self {
            cap,
            hub,
            server,
            world: World::default(),
            rooms,
            users: Vec::new(),
            clients: Vec::new(),
            step: 0.0,
            messages: 0,
            updates: 0,
        }
    }

    fn advance(&mut self, by: Duration) {
        TestClock::advance(by.as_millis() as u64);
    }

    fn connect(&mut self) {
        let config = ClientConfig { connection: self.cap.connection(), ..ClientConfig::default() };
        let mut client = Client::new(config, protocol());
        client.auth(Login { name: "somebody".into() });
        client.connect(self.hub.client());
        self.clients.push(Player { client, world: World::default(), is_connected: false });
    }

    fn connected(&self) -> usize {
        self.clients.iter().filter(|player| player.is_connected).count().min(self.users.len())
    }

    fn say_goodbye(&mut self) {
        self.clients.iter_mut().for_each(|player| player.client.disconnect());
    }

    fn users(&self) -> usize {
        self.users.len()
    }

    fn drop_clients(&mut self) {
        self.clients.clear();
        self.hub.forget_clients();
    }

    fn server_receive(&mut self) {
        let now = Instant::now();
        self.server.receive_all_packets();
        self.server.process_all_packets(&mut self.world, &now);
        let mut events = self.server.take_world_events();
        for (user, login) in events.read::<AuthEvent<Login>>() {
            assert!(login.name == "somebody", "credentials arrive as they were sent");
            self.server.accept_connection(&user);
        }
        for user in events.read::<ConnectEvent>() {
            self.server.room_mut(&self.rooms[Room::Main as usize]).add_user(&user);
            self.users.push(user);
        }
        for (user, _, _) in events.read::<DisconnectEvent>() {
            self.users.retain(|other| *other != user);
        }
        self.server.take_tick_events(&now);
    }

    fn server_send(&mut self) {
        // Sharing a room is enough to be seen; the list of what might be looked at has to be emptied all the same.
        self.server.mark_scope_checks_pending_handled();
        self.server.send_all_packets(&self.world);
    }

    fn clients_turn(&mut self) {
        let now = Instant::now();
        for Player { client, world, is_connected } in &mut self.clients {
            client.receive_all_packets();
            client.process_all_packets(&mut *world, &now);
            let mut events = client.take_world_events();
            *is_connected |= events.read::<ClientConnectEvent>().next().is_some();
            self.messages += events.read::<MessageEvent<OrderedReliableChannel, Hundred>>().len() as u64;
            self.updates += events.read::<UpdateComponentEvent<Position>>().len() as u64;
            client.take_tick_events(&now);
            client.send_all_packets(&*world);
        }
    }

    fn send_message(&mut self) -> bool {
        let message = Hundred { bytes: [7; 100] };
        self.server.send_message::<OrderedReliableChannel, _>(&self.users[0], &message).is_ok()
    }

    fn counts(&self) -> Counts {
        let (to_clients, to_server) = self.hub.lanes();
        Counts { to_clients, to_server, messages: self.messages, updates: self.updates }
    }

    fn spawn(&mut self, count: usize, rooms: &[Room]) {
        for index in 0..count {
            let index = index as f32;
            let mut entity = self.server.spawn_entity(&mut self.world);
            entity.insert_component(Position::new(index, index + 0.25, index + 0.5));
            for room in rooms {
                entity.enter_room(&self.rooms[*room as usize]);
            }
        }
    }

    fn change_all(&mut self) {
        self.step += 1.0;
        for (index, position) in self.world.positions().enumerate() {
            let value = index as f32 + self.step;
            *position.x = value;
            *position.y = value + 0.25;
            *position.z = value + 0.5;
        }
    }

    fn seen(&self) -> usize {
        self.clients.iter().map(|player| player.world.len()).sum()
    }

    fn move_users(&mut self, room: Room, inside: bool) {
        let mut room = self.server.room_mut(&self.rooms[room as usize]);
        for user in &self.users {
            if inside {
                room.add_user(user)
            } else {
                room.remove_user(user)
            };
        }
    }
}
