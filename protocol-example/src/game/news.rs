use std::time::Duration;

use bowline::{ConnectionStats, DisconnectReason, RejectReason, RequestError};

use crate::protocol::EmoteKind;

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
    /// Another player is there.
    Joined {
        /// Who.
        name: String,
    },
    /// Another player said something.
    Said {
        /// Who.
        name: String,
        /// What.
        text: String,
    },
    /// How far everybody has sailed, as we had asked.
    Scores {
        /// Names, and metres.
        metres: Vec<(String, u16)>,
    },
    /// The server did not tell how far everybody has sailed.
    NoScores {
        /// Why.
        error: RequestError,
    },
    /// Another player made a gesture.
    Emoted {
        /// Who.
        name: String,
        /// Which.
        kind: EmoteKind,
    },
    /// Another player is gone.
    Left {
        /// Who.
        name: String,
    },
}
