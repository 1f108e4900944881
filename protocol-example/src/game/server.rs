use std::collections::BTreeMap;

use bowline::prelude::*;
use bowline::{Departure, SendErrorKind};

use super::{ServerNews, World, printable};
use crate::protocol::{
    Arena, ArenaMessage, ArenaRequested, AskScores, Emoted, Flair, Joined, Left, Login, MAX_PLAYERS,
    PlayerId, Said, Sight, TOKEN, Talk, Welcome,
};

/// The server of the arena, over any transport.
#[derive(Debug)]
pub struct ArenaServer<T: Transport> {
    server: Server<Arena, T>,
    world: World,
    /// The room of all who have been welcomed.
    arena: RoomId,
    /// The names of those who are in.
    names: BTreeMap<UserId, String>,
    /// The names of those who were let in and are not in yet, by where they call from.
    arriving: BTreeMap<T::Address, String>,
}

impl<T: Transport> ArenaServer<T> {
    /// A server that does not listen yet.
    #[must_use]
    pub fn new(mut config: ServerConfig) -> Self {
        config.max_users = config.max_users.min(MAX_PLAYERS);
        let mut server = Server::new(config);
        let arena = server.create_room();
        Self { server, arena, world: World::default(), names: BTreeMap::new(), arriving: BTreeMap::new() }
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
                ServerEvent::AuthRequested(ticket) => news.extend(self.decide(ticket)),
                ServerEvent::Connected(user) => news.extend(self.welcome(user)),
                ServerEvent::Message(user, message) => news.extend(self.hear(user, message)),
                ServerEvent::Request(_, ArenaRequested::AskScores(asked)) => self.tell_scores(asked),
                ServerEvent::Input { user, message, .. } => news.extend(self.hear(user, message)),
                ServerEvent::Tick(_) => self.tick(),
                ServerEvent::Disconnected(gone) => news.extend(self.forget(gone)),
                ServerEvent::Rejected(rejection) => {
                    self.arriving.remove(&rejection.address);
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
        let users: Vec<_> =
            self.names.iter().filter(|(_, known)| *known == name).map(|(user, _)| *user).collect();
        for user in users {
            self.server.disconnect(user, reason);
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

    /// Somebody asks to come in. The answer could as well be given many frames later: the ticket can be kept.
    fn decide(&mut self, ticket: AuthTicket<Arena, T::Address>) -> Vec<ServerNews> {
        let name = printable(&ticket.auth().name);
        let asked = ServerNews::Asked { name: name.clone(), address: ticket.address().to_string() };
        match may_enter(ticket.auth()) {
            Ok(()) => {
                self.arriving.insert(ticket.address(), name);
                ticket.accept();
                vec![asked]
            }
            Err(reason) => {
                ticket.reject(reason.clone());
                vec![asked, ServerNews::Refused { name, reason }]
            }
        }
    }

    /// A player is in: it learns of the others, and they of it.
    fn welcome(&mut self, user: UserId) -> Option<ServerNews> {
        let address = self.server.user(user)?.address;
        let name = self.arriving.remove(&address).unwrap_or_else(|| user.to_string());
        let player = player_of(user);
        self.world.launch(player);
        self.tell::<Talk>(user, Welcome { you: player });
        for (other, other_name) in self.names.clone() {
            self.tell::<Talk>(user, Joined { player: player_of(other), name: other_name });
        }
        self.server.room_mut(self.arena).add_user(user);
        self.tell_others::<Talk>(user, Joined { player, name: name.clone() });
        self.names.insert(user, name.clone());
        Some(ServerNews::Joined { name })
    }

    /// A player sent something. The compiler sees to it that no message is forgotten here.
    fn hear(&mut self, user: UserId, message: ArenaMessage) -> Option<ServerNews> {
        let player = player_of(user);
        match message {
            ArenaMessage::Chat(chat) => {
                let said = Said { player, text: printable(&chat.text) };
                self.tell_others::<Talk>(user, said.clone());
                let name = self.names.get(&user).cloned().unwrap_or_default();
                return Some(ServerNews::Said { name, text: said.text });
            }
            ArenaMessage::Steer(steer) => self.world.steer(player, steer.turn),
            ArenaMessage::Emote(emote) => {
                self.tell_others::<Flair>(user, Emoted { player, kind: emote.kind });
            }
            // These are for clients. One that sends them has been tampered with.
            ArenaMessage::Welcome(_)
            | ArenaMessage::Joined(_)
            | ArenaMessage::Left(_)
            | ArenaMessage::Said(_)
            | ArenaMessage::Positions(_)
            | ArenaMessage::Emoted(_) => self.server.disconnect(user, "that is for the server to say"),
        }
        None
    }

    /// Somebody asks how far all have sailed. The answer could as well be given later: what was asked can be kept.
    fn tell_scores(&mut self, asked: Asked<AskScores>) {
        if let Err(error) = self.server.respond(asked.responder, self.world.scores()) {
            // Whoever asked is told that there is no answer.
            tracing::warn!(%error, "telling the scores");
        }
    }

    fn tick(&mut self) {
        self.world.step();
        // One encoding for all. Whoever misses this state gets the next.
        if let Err(error) =
            self.server.broadcast::<Sight>(Audience::room(self.arena), self.world.positions(), |_, _| {})
        {
            tracing::error!(%error, "the world does not fit into its message");
        }
    }

    /// A player is gone, and the framework has forgotten it already; now the game does.
    fn forget(&mut self, gone: Departure<T::Address>) -> Option<ServerNews> {
        let name = self.names.remove(&gone.user)?;
        let player = player_of(gone.user);
        self.world.remove(player);
        self.tell_others::<Talk>(gone.user, Left { player });
        Some(ServerNews::Left { name, reason: gone.reason, stats: gone.stats })
    }

    fn tell_others<C>(&mut self, user: UserId, message: impl MessageOf<Arena>)
    where
        C: ChannelOf<Arena> + ToClient,
    {
        let mut slow = Vec::new();
        let others = Audience::room(self.arena).except(std::slice::from_ref(&user));
        let told = self.server.broadcast::<C>(others, message, |user, error| slow.push((user, error)));
        if let Err(error) = told {
            tracing::error!(%error, "a message is over its limit");
        }
        for (user, error) in slow {
            self.end(user, &error);
        }
    }

    fn tell<C: ChannelOf<Arena> + ToClient>(&mut self, user: UserId, message: impl MessageOf<Arena>) {
        match self.server.send_to::<C>(user, message) {
            // It has gone a moment ago; the event that says so is still to be read.
            Err(unsent) if unsent.kind() == SendErrorKind::NotConnected => {}
            // Its queue is full: it has not kept up for a megabyte.
            Err(unsent) => self.end(user, &unsent.error),
            Ok(()) => {}
        }
    }

    fn end(&mut self, user: UserId, error: &SendError) {
        tracing::warn!(%user, %error, "ending a connection");
        self.server.disconnect(user, "you could not keep up");
    }
}

/// Who may come in, and the reason that others are told.
fn may_enter(login: &Login) -> Result<(), RejectReason> {
    if login.token != TOKEN {
        return Err(RejectReason::Unauthorized);
    }
    if login.name.trim().is_empty() {
        return Err(RejectReason::custom("choose a name"));
    }
    Ok(())
}

/// Slots are small and start at zero, and there are no more of them than `max_users`.
fn player_of(user: UserId) -> PlayerId {
    PlayerId(u8::try_from(user.slot()).unwrap_or(u8::MAX))
}
