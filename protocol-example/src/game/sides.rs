//! The two halves of the game as the programs use them, whatever they are made of.

use bowline::prelude::*;
use bowline::{ConnectError, SendErrorKind};

use super::{ClientNews, ServerNews, Sight, Thing};
use crate::protocol::{EmoteKind, Login, Position, Steer};

/// The server's half of the arena: an [`ArenaServer`](super::ArenaServer), or the app of `protocol-example-bevy`.
pub trait ServerSide {
    /// What it listens on.
    type Socket: Transport;

    /// A server that does not listen yet.
    fn new(config: ServerConfig) -> Self;

    /// What the socket should be like.
    fn socket_config(&self) -> SocketConfig;

    /// Opens the arena.
    fn listen(&mut self, socket: Self::Socket);

    /// One turn of the loop: receive, all events, send.
    fn frame(&mut self) -> Vec<ServerNews>;

    /// Ends the connection of everybody of this name, and tells them why.
    fn kick(&mut self, name: &str, reason: &str);

    /// Closes the arena for those who are in and those who knock. The frames must go on for a while, so that all hear it.
    fn shut_down(&mut self);
}

/// A player's half of the arena: an [`ArenaClient`](super::ArenaClient), or the app of `protocol-example-bevy`.
pub trait ClientSide {
    /// What leads to the server.
    type Socket: ClientTransport;

    /// A client that is not connected.
    fn new(config: ClientConfig) -> Self;

    /// What the socket should be like.
    fn socket_config(&self) -> SocketConfig;

    /// Asks to come in. The answer is news of a later frame.
    ///
    /// # Errors
    /// Where the credentials are over a limit, or there is a session already.
    fn connect(&mut self, socket: Self::Socket, login: Login) -> Result<(), ConnectError>;

    /// One turn of the loop: receive, all events, send.
    fn frame(&mut self) -> Vec<ClientNews>;

    /// Says something to all others.
    ///
    /// # Errors
    /// Where there is no connection, the text is too long, or too much of it waits.
    fn say(&mut self, text: &str) -> Result<(), SendError>;

    /// Asks what is where, in sight or not. The answer is news of a later frame.
    ///
    /// # Errors
    /// Where there is no connection, or too much waits.
    fn ask_chart(&mut self) -> Result<(), SendError>;

    /// Makes a gesture. It may get lost.
    ///
    /// # Errors
    /// Where there is no connection.
    fn emote(&mut self, kind: EmoteKind) -> Result<(), SendError>;

    /// Sails to something in sight, until that is no longer there: a pearl is collected, a gate is behind us. `None` for
    /// nowhere.
    fn sail_to(&mut self, destination: Option<NetEntity>);

    /// Whether there is something that we sail to.
    fn is_under_way(&self) -> bool;

    /// Steers by hand, wherever we were sailing to. `None` lets go of the helm.
    fn steer_by_hand(&mut self, helm: Option<Steer>);

    /// Says goodbye.
    fn leave(&mut self);

    /// Where the connection stands.
    fn phase(&self) -> Phase;

    /// What the session has done; of the last one, where there is none.
    fn stats(&self) -> ConnectionStats;

    /// Why the transport has closed, or its set-up has failed, in its own words; `None` where it has not.
    fn transport_failure(&self) -> Option<String>;

    /// Does something to the transport, once there is one: changes the condition of the link, say.
    fn with_transport(&mut self, change: impl FnOnce(&mut Self::Socket));

    /// Our ship, which may not be in sight yet.
    fn ship(&self) -> Option<NetEntity>;

    /// All that is in sight.
    fn sights(&self) -> Vec<Sight>;

    /// Names and points of all players, in sight or not.
    fn scores(&self) -> Vec<(String, u16)>;

    /// Where our ship is, if it is in sight.
    fn place(&self) -> Option<Position> {
        let ours = self.ship()?;
        self.sights().into_iter().find(|sight| sight.entity == ours).map(|sight| sight.at)
    }

    /// Where the ship of a player is, if it is in sight.
    fn ship_of(&self, name: &str) -> Option<Position> {
        let is_theirs = |thing: &Thing| matches!(thing, Thing::Ship { name: of } if of == name);
        self.sights().into_iter().find(|sight| is_theirs(&sight.thing)).map(|sight| sight.at)
    }

    /// The pearl that is nearest to our ship.
    fn nearest_pearl(&self) -> Option<NetEntity> {
        let ship = self.place()?;
        let sights = self.sights().into_iter();
        let pearls = sights.filter(|sight| matches!(sight.thing, Thing::Pearl { .. }));
        let metres = |sight: &Sight| sight.at.distance_to(&ship);
        pearls.min_by(|a, b| metres(a).total_cmp(&metres(b))).map(|sight| sight.entity)
    }

    /// The gate out of the room where our ship is.
    fn gate(&self) -> Option<NetEntity> {
        let mut sights = self.sights().into_iter();
        sights.find(|sight| matches!(sight.thing, Thing::Gate { .. })).map(|sight| sight.entity)
    }
}

/// Why nothing can be said before the connection is up.
pub const NOT_CONNECTED: SendError = SendError { channel: "any", kind: SendErrorKind::NotConnected };
