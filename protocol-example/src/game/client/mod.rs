use bowline::prelude::*;
use bowline::{ConnectError, SendErrorKind, World};

use super::{ClientNews, printable};
use crate::protocol::{
    Arena, ArenaMessage, AskChart, Chat, Emote, EmoteKind, Flair, Gate, Helm, Login, Pearl, Player, Position,
    Scoreboard, Steer, Talk,
};

mod course;
mod sights;

use sights::Sights;
pub use sights::Thing;

/// A player's side of the arena, over any transport. What it sees of the arena are entities of [`Client`]; here is what
/// only this player knows.
#[derive(Debug)]
pub struct ArenaClient<T: ClientTransport> {
    client: Client<Arena, T>,
    /// Our ship, once the server has said which it is.
    ship: Option<NetEntity>,
    /// Where it is to sail.
    destination: Option<NetEntity>,
    /// How it is steered by hand.
    helm: Option<Steer>,
    sights: Sights,
    /// A question to the server that has no answer yet.
    asked: Option<PendingResponse<AskChart>>,
}

impl<T: ClientTransport> ArenaClient<T> {
    /// A client that is not connected.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        let client = Client::new(config);
        Self { client, ship: None, destination: None, helm: None, sights: Sights::default(), asked: None }
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
                    (self.ship, self.destination) = (None, None);
                    news.push(ClientNews::Connected);
                }
                ClientEvent::Message(message) => news.extend(self.hear(message)),
                ClientEvent::Entity(event) => self.sights.take_in(event, self.client.entities().world()),
                ClientEvent::Tick(_) => self.steer(),
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
        news.extend(self.sights.news(self.client.entities().world()));
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

    /// Asks what is where, in sight or not. The answer is news of a later frame.
    ///
    /// # Errors
    /// Where there is no connection, or too much waits.
    pub fn ask_chart(&mut self) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        self.asked = Some(connected.request::<Talk, _>(AskChart)?);
        Ok(())
    }

    /// Makes a gesture. It may get lost.
    ///
    /// # Errors
    /// Where there is no connection.
    pub fn emote(&mut self, kind: EmoteKind) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        Ok(connected.send::<Flair>(Emote { kind })?)
    }

    /// Sails to something in sight, until that is no longer there: a pearl is collected, a gate is behind us. `None` for
    /// nowhere.
    pub const fn sail_to(&mut self, destination: Option<NetEntity>) {
        self.destination = destination;
    }

    /// Steers by hand, wherever we were sailing to. `None` lets go of the helm.
    pub const fn steer_by_hand(&mut self, helm: Option<Steer>) {
        self.helm = helm;
    }

    /// Whether there is something that we sail to.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.destination.is_some_and(|entity| self.world().contains(entity))
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

    /// Why the transport has closed, or its set-up has failed, in its own words; `None` where it has not.
    #[must_use]
    pub fn transport_failure(&self) -> Option<String> {
        self.client.transport_failure().map(ToString::to_string)
    }

    /// Our ship, which may not be in sight yet.
    #[must_use]
    pub const fn ship(&self) -> Option<NetEntity> {
        self.ship
    }

    /// Where the ship of a player is, if it is in sight.
    #[must_use]
    pub fn ship_of(&self, name: &str) -> Option<Position> {
        let mut ships = self.world().query::<(&Position, &Player)>();
        ships.find(|(_, (_, player))| player.name == name).map(|(_, (at, _))| *at)
    }

    /// The pearl that is nearest to our ship.
    #[must_use]
    pub fn nearest_pearl(&self) -> Option<NetEntity> {
        let ship = self.world().component::<Position>(self.ship?)?;
        let pearls = self.world().query::<(&Position, &Pearl)>();
        pearls
            .min_by(|(_, (a, _)), (_, (b, _))| a.distance_to(ship).total_cmp(&b.distance_to(ship)))
            .map(first)
    }

    /// The gate out of the room where our ship is.
    #[must_use]
    pub fn gate(&self) -> Option<NetEntity> {
        self.world().query::<(&Position, &Gate)>().next().map(first)
    }

    /// Names and points of all players, in sight or not.
    #[must_use]
    pub fn scores(&self) -> Vec<(String, u16)> {
        sights::scores(self.world())
    }

    /// All that is in sight.
    #[must_use]
    pub fn world(&self) -> &World<Arena> {
        self.client.entities().world()
    }

    /// The transport, once there is one: to change the condition of the link.
    pub fn transport_mut(&mut self) -> Option<&mut T> {
        self.client.transport_mut()
    }

    fn hear(&mut self, message: ArenaMessage) -> Option<ClientNews> {
        match message {
            ArenaMessage::Welcome(welcome) => self.ship = Some(welcome.ship),
            ArenaMessage::Said(said) => {
                let (name, text) = (self.name_of(said.ship), printable(&said.text));
                return Some(ClientNews::Said { name, text });
            }
            ArenaMessage::Emoted(emoted) => {
                let name = self.name_of(emoted.ship);
                return Some(ClientNews::Emoted { name, kind: emoted.kind });
            }
            // These are for the server, and no server of ours sends them.
            ArenaMessage::Chat(_) | ArenaMessage::Steer(_) | ArenaMessage::Emote(_) => {}
        }
        None
    }

    /// The answer to what was asked, once it is there. It comes for sure: if not as a chart, then as the reason why not.
    fn answered(&mut self) -> Option<ClientNews> {
        let answer = self.asked.as_mut()?.try_take()?;
        self.asked = None;
        Some(match answer {
            Ok(chart) => ClientNews::Chart(chart),
            Err(error) => ClientNews::NoChart(error),
        })
    }

    /// In each tick we say where to sail; the server hears it right before it comes to that tick.
    fn steer(&mut self) {
        let place = |entity| self.world().component::<Position>(entity);
        let steer = match (self.helm, self.ship.and_then(place), self.destination.and_then(place)) {
            (Some(helm), ..) => helm,
            (None, Some(ship), Some(destination)) => course::towards(ship, destination),
            _ => Steer::default(),
        };
        let Some(mut connected) = self.client.connected() else { return };
        // A tick-buffered channel that is full drops its oldest, and the course is within its range.
        if let Err(error) = connected.send::<Helm>(steer) {
            tracing::error!(%error, "steering");
        }
    }

    /// The scoreboard has those who are out of sight too. A message may overtake it.
    fn name_of(&self, ship: NetEntity) -> String {
        let name = self.world().resource::<Scoreboard>().and_then(|scoreboard| scoreboard.name_of(ship));
        name.map_or_else(|| "somebody".to_owned(), printable)
    }
}

fn first<T>((entity, _): (NetEntity, T)) -> NetEntity {
    entity
}

const NOT_CONNECTED: SendError = SendError { channel: "any", kind: SendErrorKind::NotConnected };
