use bowline::prelude::*;
use bowline::{ConnectError, World};

use super::sides::NOT_CONNECTED;
use super::{ClientNews, ClientSide, OwnShip, SOMEBODY, Sight, course, printable};
use crate::protocol::{
    Arena, ArenaComponentKind, ArenaMessage, AskChart, Chat, Emote, EmoteKind, Flair, Helm, Login, Position,
    Scoreboard, Steer, Talk,
};

mod sights;

use sights::Sights;

/// A player's side of the arena, over any transport. What it sees of the arena are entities of [`Client`]; here is what
/// only this player knows.
#[derive(Debug)]
pub struct ArenaClient<T: ClientTransport> {
    client: Client<Arena, T>,
    /// Our ship, once the server has said which it is.
    ship: Option<NetEntity>,
    /// The same before the server has heard of what we do with it.
    own: OwnShip,
    /// Where it is to sail.
    destination: Option<NetEntity>,
    /// How it is steered by hand.
    helm: Option<Steer>,
    sights: Sights,
    /// A question to the server that has no answer yet.
    asked: Option<PendingResponse<AskChart>>,
}

impl<T: ClientTransport> ClientSide for ArenaClient<T> {
    type Socket = T;

    fn new(config: ClientConfig) -> Self {
        let client = Client::new(config);
        Self {
            client,
            ship: None,
            own: OwnShip::default(),
            destination: None,
            helm: None,
            sights: Sights::default(),
            asked: None,
        }
    }

    fn socket_config(&self) -> SocketConfig {
        self.client.socket_config()
    }

    fn connect(&mut self, socket: T, login: Login) -> Result<(), ConnectError> {
        self.client.connect(socket, login)
    }

    fn frame(&mut self) -> Vec<ClientNews> {
        let mut news = Vec::new();
        self.client.receive();
        while let Some(event) = self.client.next_event() {
            match event {
                ClientEvent::Connected => {
                    (self.ship, self.destination, self.own) = (None, None, OwnShip::default());
                    news.push(ClientNews::Connected);
                }
                ClientEvent::Message(message) => news.extend(self.hear(message)),
                ClientEvent::Entity(event) => {
                    self.follow(&event);
                    self.sights.take_in(event, self.client.entities().world());
                }
                ClientEvent::Tick(tick) => self.steer(tick),
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

    fn say(&mut self, text: &str) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        Ok(connected.send::<Talk>(Chat { text: text.to_owned() })?)
    }

    fn ask_chart(&mut self) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        self.asked = Some(connected.request::<Talk, _>(AskChart)?);
        Ok(())
    }

    fn emote(&mut self, kind: EmoteKind) -> Result<(), SendError> {
        let Some(mut connected) = self.client.connected() else { return Err(NOT_CONNECTED) };
        Ok(connected.send::<Flair>(Emote { kind })?)
    }

    fn sail_to(&mut self, destination: Option<NetEntity>) {
        self.destination = destination;
    }

    fn steer_by_hand(&mut self, helm: Option<Steer>) {
        self.helm = helm;
    }

    fn is_under_way(&self) -> bool {
        self.destination.is_some_and(|entity| self.world().contains(entity))
    }

    fn leave(&mut self) {
        self.client.disconnect();
    }

    fn phase(&self) -> Phase {
        self.client.phase()
    }

    fn stats(&self) -> ConnectionStats {
        self.client.stats()
    }

    fn transport_failure(&self) -> Option<String> {
        self.client.transport_failure().map(ToString::to_string)
    }

    fn ship(&self) -> Option<NetEntity> {
        self.ship
    }

    fn sights(&self) -> Vec<Sight> {
        let mut sights = sights::all(self.world());
        self.own.show(self.ship, &mut sights);
        sights
    }

    fn scores(&self) -> Vec<(String, u16)> {
        sights::scores(self.world())
    }

    fn with_transport(&mut self, change: impl FnOnce(&mut T)) {
        self.client.transport_mut().map(change);
    }
}

impl<T: ClientTransport> ArenaClient<T> {
    fn world(&self) -> &World<Arena> {
        self.client.entities().world()
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

    /// The server says where our ship is.
    fn follow(&mut self, event: &EntityEvent<Arena>) {
        if let EntityEvent::UpdateComponent { entity, kind: ArenaComponentKind::Position, tick } = event
            && self.ship == Some(*entity)
            && let Some(truth) = self.world().component::<Position>(*entity).copied()
        {
            self.own.hear(*tick, truth);
        }
    }

    /// In each tick we say where to sail; the server hears it right before it comes to that tick. Here the ship sails at once.
    fn steer(&mut self, tick: u32) {
        let place = |entity| self.world().component::<Position>(entity).copied();
        let (known, destination) = (self.ship.and_then(place), self.destination.and_then(place));
        let steer = match (self.helm, self.own.place().or(known), destination) {
            (Some(helm), ..) => helm,
            (None, Some(ship), Some(destination)) => course::towards(&ship, &destination),
            _ => Steer::default(),
        };
        let Some(mut connected) = self.client.connected() else { return };
        let (steer, server_tick) = (steer.as_sent(), connected.server_tick());
        if let Some(known) =
            known.filter(|_| self.own.place().is_none() || self.own.is_unheard_of(server_tick))
        {
            self.own.hear(server_tick, known);
        }
        self.own.sail(tick, steer);
        // A tick-buffered channel that is full drops its oldest, and the course is within its range.
        if let Err(error) = connected.send::<Helm>(steer) {
            tracing::error!(%error, "steering");
        }
    }

    /// The scoreboard has those who are out of sight too. A message may overtake it.
    fn name_of(&self, ship: NetEntity) -> String {
        let scoreboard = self.world().resource::<Scoreboard>();
        scoreboard.map_or_else(|| SOMEBODY.to_owned(), |scoreboard| scoreboard.shown_name_of(ship))
    }
}
