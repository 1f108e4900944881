use std::collections::BTreeMap;

use bowline::prelude::*;
use bowline::{ConnectError, SendErrorKind};

use super::{ClientNews, printable};
use crate::protocol::{
    Arena, ArenaMessage, AskScores, Chat, Emote, EmoteKind, Flair, Helm, Login, PlayerId, Spot, Steer, Talk,
};

/// A player's side of the arena, over any transport.
#[derive(Debug)]
pub struct ArenaClient<T: ClientTransport> {
    client: Client<Arena, T>,
    /// What this session has shown. A new session starts with nothing.
    seen: Seen,
    rudder: f32,
    /// A question to the server that has no answer yet.
    asked: Option<PendingResponse<AskScores>>,
}

#[derive(Debug, Default)]
struct Seen {
    me: Option<PlayerId>,
    names: BTreeMap<PlayerId, String>,
    ships: Vec<Spot>,
}

impl<T: ClientTransport> ArenaClient<T> {
    /// A client that is not connected.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self { client: Client::new(config), seen: Seen::default(), rudder: 0.0, asked: None }
    }

    /// What the socket should be like.
    #[must_use]
    pub fn socket_config(&self) -> SocketConfig {
        self.client.socket_config()
    }

    /// Asks to come in. The answer is news of a later frame.
    ///
    /// # Errors
    /// Where the credentials are over a limit, or there is a session already.
    pub fn connect(&mut self, socket: T, login: Login) -> Result<(), ConnectError> {
        self.client.connect(socket, login)
    }

    /// One turn of the loop: receive, all events, send.
    pub fn frame(&mut self) -> Vec<ClientNews> {
        let mut news = Vec::new();
        self.client.receive();
        while let Some(event) = self.client.next_event() {
            match event {
                ClientEvent::Connected => {
                    self.seen = Seen::default();
                    news.push(ClientNews::Connected);
                }
                ClientEvent::Message(message) => news.extend(self.hear(message)),
                ClientEvent::Tick(_) => self.hold_the_rudder(),
                ClientEvent::Rejected(reason) => news.push(ClientNews::Rejected(reason)),
                ClientEvent::Disconnected(reason) => {
                    news.push(ClientNews::Disconnected { reason, stats: Box::new(self.client.stats()) });
                }
                ClientEvent::Reconnecting { attempt, after } => {
                    news.push(ClientNews::Reconnecting { attempt, after });
                }
                _ => {}
            }
        }
        news.extend(self.answered());
        self.client.send();
        news
    }

    /// Says something to all others.
    ///
    /// # Errors
    /// Where there is no connection, the text is too long, or too much of it waits.
    pub fn say(&mut self, text: &str) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        Ok(connected.send::<Talk>(Chat { text: text.to_owned() })?)
    }

    /// Asks how far everybody has sailed. The answer is news of a later frame.
    ///
    /// # Errors
    /// Where there is no connection, or too much waits.
    pub fn ask_scores(&mut self) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        self.asked = Some(connected.request::<Talk, _>(AskScores)?);
        Ok(())
    }

    /// Puts the rudder over, from -1 to 1. It stays so, whatever becomes of the connection.
    pub fn steer(&mut self, turn: f32) {
        self.rudder = turn.clamp(-1.0, 1.0);
    }

    /// Makes a gesture. It may get lost.
    ///
    /// # Errors
    /// Where there is no connection.
    pub fn emote(&mut self, kind: EmoteKind) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        Ok(connected.send::<Flair>(Emote { kind })?)
    }

    /// Says goodbye.
    pub fn leave(&mut self) {
        self.client.disconnect();
    }

    /// Where the connection stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.client.phase()
    }

    /// What the session has done; of the last one, where there is none.
    #[must_use]
    pub fn stats(&self) -> ConnectionStats {
        self.client.stats()
    }

    /// The ship of a player, where it was last seen.
    #[must_use]
    pub fn ship_of(&self, name: &str) -> Option<&Spot> {
        self.seen
            .ships
            .iter()
            .find(|ship| self.seen.names.get(&ship.player).is_some_and(|known| known == name))
    }

    /// Our own ship, where it was last seen.
    #[must_use]
    pub fn my_ship(&self) -> Option<&Spot> {
        self.seen.ships.iter().find(|ship| Some(ship.player) == self.seen.me)
    }

    /// The transport, once there is one: to change the condition of the link.
    pub fn transport_mut(&mut self) -> Option<&mut T> {
        self.client.transport_mut()
    }

    fn hear(&mut self, message: ArenaMessage) -> Option<ClientNews> {
        match message {
            ArenaMessage::Welcome(welcome) => self.seen.me = Some(welcome.you),
            ArenaMessage::Joined(joined) => {
                let name = printable(&joined.name);
                self.seen.names.insert(joined.player, name.clone());
                return Some(ClientNews::Joined { name });
            }
            ArenaMessage::Left(left) => {
                return self.seen.names.remove(&left.player).map(|name| ClientNews::Left { name });
            }
            ArenaMessage::Said(said) => {
                let (name, text) = (self.name_of(said.player), printable(&said.text));
                return Some(ClientNews::Said { name, text });
            }
            ArenaMessage::Positions(positions) => self.seen.ships = positions.ships,
            ArenaMessage::Emoted(emoted) => {
                let name = self.name_of(emoted.player);
                return Some(ClientNews::Emoted { name, kind: emoted.kind });
            }
            // These are for the server, and no server of ours sends them.
            ArenaMessage::Chat(_) | ArenaMessage::Steer(_) | ArenaMessage::Emote(_) => {}
        }
        None
    }

    /// The answer to what was asked, once it is there. It comes for sure: if not as scores, then as the reason why not.
    fn answered(&mut self) -> Option<ClientNews> {
        let answer = self.asked.as_mut()?.try_take()?;
        self.asked = None;
        Some(match answer {
            Ok(scores) => {
                let named = |(player, metres)| (self.name_of(player), metres);
                ClientNews::Scores { metres: scores.points.into_iter().map(named).collect() }
            }
            Err(error) => ClientNews::NoScores { error },
        })
    }

    /// In each tick we say where the rudder is; the server hears it right before it comes to that tick.
    fn hold_the_rudder(&mut self) {
        let Some(mut connected) = self.client.connected() else { return };
        // A tick-buffered channel that is full drops its oldest, and the rudder is within its range.
        if let Err(error) = connected.send::<Helm>(Steer { turn: self.rudder }) {
            tracing::error!(%error, "steering");
        }
    }

    /// A gesture may overtake the message that says who makes it.
    fn name_of(&self, player: PlayerId) -> String {
        self.seen.names.get(&player).cloned().unwrap_or_else(|| "somebody".to_owned())
    }
}

const NOT_CONNECTED: SendError = SendError { channel: "any", kind: SendErrorKind::NotConnected };
