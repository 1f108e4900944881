//! What entities of the arena are made of.
//!
//! Listed in the protocol, so that they are part of its identity and have their codec. Replication, which will keep
//! them the same on both sides, is still to come: for now [`Positions`](super::Positions) does its work by hand.

use bowline::prelude::*;

use super::ARENA_REACH;

/// Where a ship is, in metres from the middle of the arena.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Position {
    /// Eastwards.
    #[wire(range = -ARENA_REACH..=ARENA_REACH, step = 0.01)]
    pub x: f32,
    /// Northwards.
    #[wire(range = -ARENA_REACH..=ARENA_REACH, step = 0.01)]
    pub y: f32,
}

/// How much a ship can still take.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Hull {
    /// From 0, sunk, to 100, as new.
    #[wire(range = 0..=100)]
    pub points: u8,
}
