use std::collections::BTreeMap;

use bowline::prelude::*;

use super::{ServerNews, printable};
use crate::protocol::{Arena, ArenaRequested, Login, MAX_PLAYERS, Room, Steer, TOKEN};

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

impl<T: Transport> ArenaServer<T> {
    /// A server that does not listen yet.
    #[must_use]
    pub fn new(mut config: ServerConfig) -> Self {
        config.max_users = config.max_users.min(MAX_PLAYERS);
        let mut server = Server::new(config);
        let rooms = Room::ALL.map(|room| (room, server.create_room())).into();
        let (ships, helms) = (BTreeMap::new(), BTreeMap::new());
        let mut arena = Self { server, rooms, ships, helms, pearls: 0 };
        arena.furnish();
        arena
    }

    /// What the socket should be like.
    #[must_use]
    pub fn socket_config(&self) -> SocketConfig {
        self.server.socket_config()
    }

    /// Opens the arena.
    pub fn listen(&mut self, socket: T) {
        self.server.listen(socket);
    }

    /// One turn of the loop: receive, all events, send.
    pub fn frame(&mut self) -> Vec<ServerNews> {
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

    /// Ends the connection of everybody of this name, and tells them why.
    pub fn kick(&mut self, name: &str, reason: &str) {
        for (&user, &ship) in &self.ships {
            if self.name_of(ship) == name {
                self.server.disconnect(user, reason);
            }
        }
    }

    /// Closes the arena for those who are in and those who knock. The frames must go on for a while, so that all hear it.
    pub fn shut_down(&mut self) {
        self.server.shut_down();
    }

    /// How many players are in.
    #[must_use]
    pub fn player_count(&self) -> usize {
        self.server.user_count()
    }
}

/// Somebody asks to come in. The answer could as well be given many frames later: the ticket can be kept.
fn decide<A: bowline::transport::Address>(ticket: AuthTicket<Arena, A>) -> Vec<ServerNews> {
    let name = printable(&ticket.auth().name);
    let asked = ServerNews::Asked { name: name.clone(), address: ticket.address().to_string() };
    match may_enter(ticket.auth()) {
        Ok(()) => {
            ticket.accept();
            vec![asked]
        }
        Err(reason) => {
            ticket.reject(reason.clone());
            vec![asked, ServerNews::Refused { name, reason }]
        }
    }
}

/// Who may come in, and the reason that others are told.
fn may_enter(login: &Login) -> Result<(), RejectReason> {
    if login.token != TOKEN {
        return Err(RejectReason::Unauthorized);
    }
    if login.name.trim().is_empty() || login.name != printable(&login.name) {
        return Err(RejectReason::custom("choose a name that can be read"));
    }
    Ok(())
}
