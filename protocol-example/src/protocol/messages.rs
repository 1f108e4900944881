//! What is said, first by clients, then by the server.
//!
//! What travels up and what travels down are different types even where they look alike: a client says [`Chat`] without
//! saying who it is, because the server knows and would not believe it.

use std::f32::consts::PI;

use bowline::prelude::*;

use super::{ARENA_REACH, MAX_PLAYERS};

/// To the server: something for everybody to read.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    /// At most 256 bytes.
    #[wire(max_len = 256)]
    pub text: String,
}

/// To the server: where the rudder is.
///
/// The range and the step say what a player can do with it, and that makes 8 bits of a float.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Steer {
    /// From -1, hard to port, to 1, hard to starboard.
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
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

/// To a client, first of all: who it is.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Welcome {
    /// You.
    pub you: PlayerId,
}

/// To a client: a player is there.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Joined {
    /// The short name that other messages use.
    pub player: PlayerId,
    /// What people call it.
    #[wire(max_len = 24)]
    pub name: String,
}

/// To a client: a player is gone.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Left {
    /// Who. The id may soon mean somebody else.
    pub player: PlayerId,
}

/// To a client: what another player said.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Said {
    /// Who.
    pub player: PlayerId,
    /// At most 256 bytes.
    #[wire(max_len = 256)]
    pub text: String,
}

/// To a client: where all ships are. The whole state each time, so that a lost one is made good by the next.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Positions {
    /// One for each player.
    #[wire(max_len = MAX_PLAYERS)]
    pub ships: Vec<Spot>,
}

/// Where a ship is and where it is going: 46 bits.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Spot {
    /// Whose ship.
    pub player: PlayerId,
    /// Metres eastwards of the middle.
    #[wire(range = -ARENA_REACH..=ARENA_REACH, step = 0.01)]
    pub x: f32,
    /// Metres northwards of the middle.
    #[wire(range = -ARENA_REACH..=ARENA_REACH, step = 0.01)]
    pub y: f32,
    /// Radians, counter-clockwise from east.
    #[wire(range = -PI..=PI, step = 0.01)]
    pub heading: f32,
}

/// To a client: the gesture of another player.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Emoted {
    /// Who.
    pub player: PlayerId,
    /// Which.
    pub kind: EmoteKind,
}

/// A player, for as long as it is there: the small number that stands for its name.
#[derive(Wire, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayerId(#[wire(range = 0..=63)] pub u8);

/// To the server: how far has everybody sailed? Answered by [`Scores`].
#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Scores)]
pub struct AskScores;

/// The answer to [`AskScores`].
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Scores {
    /// The metres that each player has sailed.
    #[wire(max_len = MAX_PLAYERS)]
    pub points: Vec<(PlayerId, u16)>,
}

#[cfg(test)]
mod tests {
    use bowline::{BitReader, BitWriter};

    use super::*;

    fn bits(value: &impl Wire) -> u64 {
        let mut writer = BitWriter::new();
        value.encode(&mut writer).unwrap();
        writer.bit_len() as u64
    }

    #[test]
    fn a_ship_takes_46_bits() {
        let spot = Spot { player: PlayerId(63), x: -99.99, y: 12.34, heading: 3.0 };
        assert_eq!(bits(&spot), 46);
        assert_eq!(bits(&Steer { turn: 0.5 }), 8);
    }

    #[test]
    fn what_arrives_is_what_was_sent_to_the_step() {
        let spot = Spot { player: PlayerId(7), x: 1.234, y: -5.0, heading: 1.0 };
        let mut writer = BitWriter::new();
        spot.encode(&mut writer).unwrap();
        let bytes = writer.into_bytes();
        let seen = Spot::decode(&mut BitReader::new(&bytes)).unwrap();
        assert_eq!(seen.player, spot.player);
        assert!((seen.x - spot.x).abs() <= 0.005 + f32::EPSILON, "{} is not {}", seen.x, spot.x);
    }
}
