//! What is said, first by clients, then by the server.
//!
//! What travels up and what travels down are different types even where they look alike: a client says [`Chat`] without
//! saying who it is, because the server knows and would not believe it.

use bowline::prelude::*;

use super::Room;

/// To the server: something for everybody to read.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    /// At most 256 bytes.
    #[wire(max_len = 256)]
    pub text: String,
}

/// To the server: where to sail, and how fast. East and north together are at most 1: full speed.
///
/// The range and the step say what a player can do with it, and that makes 8 bits of a float.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq)]
pub struct Steer {
    /// From -1, westwards, to 1, eastwards.
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub east: f32,
    /// From -1, southwards, to 1, northwards.
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub north: f32,
}

impl Steer {
    /// As the server will read it: to the step. Who predicts what the server does begins with the same.
    #[must_use]
    pub fn as_sent(self) -> Self {
        let to_the_step = |value: f32| (value.clamp(-1.0, 1.0) * 100.0).round() / 100.0;
        Self { east: to_the_step(self.east), north: to_the_step(self.north) }
    }
}

/// To the server: a gesture.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Emote {
    /// Which.
    pub kind: EmoteKind,
}

/// The gestures: two bits on the wire.
#[derive(Wire, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmoteKind {
    /// A hand is raised.
    Wave,
    /// Arms are thrown up.
    Cheer,
    /// The horn sounds.
    Horn,
}

/// To a client, first of all: which ship it steers. An entity has the same id on both sides, so it can be named; it may
/// come into sight a little later.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Welcome {
    /// Yours.
    pub ship: NetEntity,
}

/// To a client: what another player said.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Said {
    /// Who, in whichever room.
    pub ship: NetEntity,
    /// At most 256 bytes.
    #[wire(max_len = 256)]
    pub text: String,
}

/// To a client: the gesture of another player in the same room.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Emoted {
    /// Who.
    pub ship: NetEntity,
    /// Which.
    pub kind: EmoteKind,
}

/// To the server: what is where, in sight or not? Answered by [`Chart`].
#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Chart)]
pub struct AskChart;

/// The answer to [`AskChart`].
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Chart {
    /// One for each room.
    pub rooms: [Census; 2],
}

/// How much there is in a room.
#[derive(Wire, Clone, Debug, PartialEq, Eq)]
pub struct Census {
    /// In which.
    pub room: Room,
    /// Ships.
    pub ships: u8,
    /// Pearls.
    pub pearls: u8,
}
