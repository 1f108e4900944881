use std::collections::BTreeMap;

use bowline::prelude::*;

use super::door::decide;
use super::{ServerNews, ServerSide};
use crate::protocol::{Arena, ArenaRequested, MAX_PLAYERS, Room, Steer};

mod arena;
mod talk;

/// The server of the arena, over any transport. All that is in the arena are entities of [`Server`]; here is what only
/// the server knows of them.
#[derive(Debug)]
pub struct ArenaServer<T: Transport> {
    server: Server<Arena, T>,
    /// Who is in a room sees the entities that are in it.
    rooms: BTreeMap<Room, RoomId>,
    /// The ships of those who are in.
    ships: BTreeMap<UserId, NetEntity>,
    /// Where each ship is steered, until it is told otherwise.
    helms: BTreeMap<NetEntity, Steer>,
    /// How many pearls have grown so far: the next has a place of its own.
    pearls: usize,
}

impl<T: Transport> ServerSide for ArenaServer<T> {
    type Socket = T;

    fn new(mut config: ServerConfig) -> Self {
        config.max_users = config.max_users.min(MAX_PLAYERS);
        let mut server = Server::new(config);
        let rooms = Room::ALL.map(|room| (room, server.create_room())).into();
        let (ships, helms) = (BTreeMap::new(), BTreeMap::new());
        let mut arena = Self { server, rooms, ships, helms, pearls: 0 };
        arena.furnish();
        arena
    }

    fn socket_config(&self) -> SocketConfig {
        self.server.socket_config()
    }

    fn listen(&mut self, socket: T) {
        self.server.listen(socket);
    }

    fn frame(&mut self) -> Vec<ServerNews> {
        let mut news = Vec::new();
        self.server.receive();
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => news.extend(decide(ticket)),
                ServerEvent::Connected(user) => news.extend(self.welcome(user)),
                ServerEvent::Message(user, message) => news.extend(self.hear(user, message)),
                ServerEvent::Request(_, ArenaRequested::AskChart(asked)) => self.show_chart(asked),
                ServerEvent::Input { user, message, .. } => news.extend(self.hear(user, message)),
                ServerEvent::Tick(_) => news.extend(self.tick()),
                ServerEvent::Disconnected(gone) => news.extend(self.forget(gone)),
                ServerEvent::Rejected(rejection) => {
                    let address = rejection.address.to_string();
                    news.push(ServerNews::TurnedAway { address, reason: rejection.reason });
                }
                _ => {}
            }
        }
        self.server.send();
        news
    }

    fn kick(&mut self, name: &str, reason: &str) {
        for (&user, &ship) in &self.ships {
            if self.name_of(ship) == name {
                self.server.disconnect(user, reason);
            }
        }
    }

    fn shut_down(&mut self) {
        self.server.shut_down();
    }
}
