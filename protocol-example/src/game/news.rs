use std::time::Duration;

use bowline::{ConnectionStats, DisconnectReason, RejectReason, RequestError};

use super::Thing;
use crate::protocol::{Chart, EmoteKind, Room};

/// What a frame of the server had in it.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerNews {
    /// Somebody asks to come in.
    Asked {
        /// How it wants to be called.
        name: String,
        /// Where it calls from.
        address: String,
    },
    /// The arena did not let it in.
    Refused {
        /// Who.
        name: String,
        /// Why.
        reason: RejectReason,
    },
    /// Somebody did not get as far as being asked for its name: it speaks another protocol, or the server is full.
    TurnedAway {
        /// Where it called from.
        address: String,
        /// Why.
        reason: RejectReason,
    },
    /// A player is in.
    Joined {
        /// Who.
        name: String,
    },
    /// A player said something to all others.
    Said {
        /// Who.
        name: String,
        /// What.
        text: String,
    },
    /// A player has collected a pearl.
    Collected {
        /// Who.
        name: String,
        /// What it counts.
        worth: u8,
    },
    /// A player has gone through a gate.
    Passed {
        /// Who.
        name: String,
        /// Into which room.
        room: Room,
    },
    /// A player is gone.
    Left {
        /// Who.
        name: String,
        /// Why.
        reason: DisconnectReason,
        /// What its connection did, as the server saw it.
        stats: Box<ConnectionStats>,
    },
}

/// What a frame of a client had in it.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientNews {
    /// The server let us in.
    Connected,
    /// It did not.
    Rejected(RejectReason),
    /// The session, or the attempt to make one, is over.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// What the session did.
        stats: Box<ConnectionStats>,
    },
    /// The connection will be tried again.
    Reconnecting {
        /// How many attempts there have been since there was a session, and this one.
        attempt: u32,
        /// How long until then.
        after: Duration,
    },
    /// These have come into sight: entities were spawned.
    Spawned(Vec<Thing>),
    /// These are gone, or out of sight: entities were despawned.
    Despawned(Vec<Thing>),
    /// The scoreboard says something else than before: names, and points.
    Scores(Vec<(String, u16)>),
    /// Another player said something.
    Said {
        /// Who.
        name: String,
        /// What.
        text: String,
    },
    /// What is where, as we had asked.
    Chart(Chart),
    /// The server did not tell what is where, and why not.
    NoChart(RequestError),
    /// Another player made a gesture.
    Emoted {
        /// Who.
        name: String,
        /// Which.
        kind: EmoteKind,
    },
}
