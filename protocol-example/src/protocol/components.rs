//! What entities of the arena are made of.
//!
//! The server spawns them and changes them; every client has those that are in the same room as its ship.
//!
//! | entity | components |
//! |---|---|
//! | a ship | [`Position`], [`Player`] |
//! | a pearl | [`Position`], [`Pearl`] |
//! | a gate | [`Position`], [`Gate`] |

use std::fmt;

use bowline::prelude::*;

use super::ROOM_REACH;

/// Where something is: in which room, and where in there, in metres from the middle.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::component::Component))]
pub struct Position {
    /// The room.
    pub room: Room,
    /// Eastwards.
    #[wire(range = -ROOM_REACH..=ROOM_REACH, step = 0.01)]
    pub x: f32,
    /// Northwards.
    #[wire(range = -ROOM_REACH..=ROOM_REACH, step = 0.01)]
    pub y: f32,
}

/// A part of the arena. Whoever is in one sees nothing of the other.
#[derive(Wire, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Under the sky, where ships set out.
    Bay,
    /// Behind the gate, where the better pearls are.
    Grotto,
}

/// What makes an entity a ship: somebody steers it.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::component::Component), component(immutable))]
#[replicate(immutable)]
pub struct Player {
    /// How the player is called.
    #[wire(max_len = 24)]
    pub name: String,
}

/// What makes an entity a pearl: it can be collected.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::component::Component), component(immutable))]
#[replicate(immutable)]
pub struct Pearl {
    /// What it counts on the scoreboard.
    #[wire(range = 1..=3)]
    pub worth: u8,
}

/// What makes an entity a gate: it leads to another room.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::component::Component), component(immutable))]
#[replicate(immutable)]
pub struct Gate {
    /// Which.
    pub to: Room,
}

impl Position {
    /// How far it is to another place, in metres. There is no straight way into another room.
    #[must_use]
    pub fn distance_to(&self, other: &Self) -> f32 {
        if self.room == other.room { (other.x - self.x).hypot(other.y - self.y) } else { f32::INFINITY }
    }
}

impl Room {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bay, Self::Grotto];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Bay => Self::Grotto,
            Self::Grotto => Self::Bay,
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bay => "bay",
            Self::Grotto => "grotto",
        })
    }
}

#[cfg(test)]
mod tests {
    use bowline::{BitReader, BitWriter, FieldMask, Replicate};

    use super::*;

    #[test]
    fn a_position_takes_29_bits_and_arrives_to_the_step() {
        let position = Position { room: Room::Grotto, x: -49.994, y: 12.341 };
        let mut bits = BitWriter::new();
        position.encode_fields(FieldMask::all(Position::FIELDS), &mut bits).unwrap();
        assert_eq!(bits.bit_len(), 29);
        let seen = Position::decode_new(&mut BitReader::new(bits.finish())).unwrap();
        assert!(seen.distance_to(&position) <= 0.008, "{seen:?}");
    }
}
