use std::collections::BTreeMap;
use std::f32::consts::{PI, TAU};

use bowline::prelude::*;

use crate::protocol::{ARENA_REACH, Arena, PlayerId, Positions, Scores, Spot};

/// The arena itself, which knows nothing of networks: ships that sail where they are steered.
#[derive(Clone, Debug, Default)]
pub struct World {
    ships: BTreeMap<PlayerId, Ship>,
}

#[derive(Clone, Debug)]
struct Ship {
    x: f32,
    y: f32,
    heading: f32,
    turn: f32,
    sailed: f32,
}

/// In metres a second.
const SPEED: f32 = 12.0;
/// In radians a second, with the rudder hard over.
const TURN_RATE: f32 = 1.5;
/// From the middle to where ships set out, in metres.
const START: f32 = 20.0;

impl World {
    /// A ship sets out, each from a place of its own.
    pub fn launch(&mut self, player: PlayerId) {
        // The golden angle spreads any number of ships over a circle.
        let heading = wrapped(f32::from(player.0) * 2.4);
        let (y, x) = heading.sin_cos();
        self.ships.insert(player, Ship { x: x * START, y: y * START, heading, turn: 0.0, sailed: 0.0 });
    }

    /// The rudder of a ship, from -1 to 1, until it is told otherwise.
    pub fn steer(&mut self, player: PlayerId, turn: f32) {
        if let Some(ship) = self.ships.get_mut(&player) {
            ship.turn = turn;
        }
    }

    /// A ship is no more.
    pub fn remove(&mut self, player: PlayerId) {
        self.ships.remove(&player);
    }

    /// One tick passes.
    pub fn step(&mut self) {
        let seconds = 1.0 / f32::from(Arena::TICK_RATE);
        for ship in self.ships.values_mut() {
            ship.heading = wrapped(ship.heading - ship.turn * TURN_RATE * seconds);
            let (y, x) = ship.heading.sin_cos();
            ship.sailed += SPEED * seconds;
            ship.x = (ship.x + x * SPEED * seconds).clamp(-ARENA_REACH, ARENA_REACH);
            ship.y = (ship.y + y * SPEED * seconds).clamp(-ARENA_REACH, ARENA_REACH);
        }
    }

    /// How far all ships have sailed, as it is sent.
    #[must_use]
    pub fn scores(&self) -> Scores {
        Scores { points: self.ships.iter().map(|(&player, ship)| (player, ship.sailed as u16)).collect() }
    }

    /// Where all ships are, as it is sent.
    #[must_use]
    pub fn positions(&self) -> Positions {
        let spot = |(&player, ship): (&PlayerId, &Ship)| Spot {
            player,
            x: ship.x,
            y: ship.y,
            heading: ship.heading,
        };
        Positions { ships: self.ships.iter().map(spot).collect() }
    }
}

/// The same direction, as a number from -π to π: what a [`Spot`] can say.
fn wrapped(angle: f32) -> f32 {
    ((angle + PI).rem_euclid(TAU) - PI).clamp(-PI, PI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ships_stay_within_what_can_be_sent() {
        let mut world = World::default();
        for id in 0..64 {
            world.launch(PlayerId(id));
            world.steer(PlayerId(id), f32::from(id) / 32.0 - 1.0);
        }
        for _ in 0..2_000 {
            world.step();
            for spot in world.positions().ships {
                assert!(spot.x.abs() <= ARENA_REACH && spot.y.abs() <= ARENA_REACH, "{spot:?}");
                assert!(spot.heading.abs() <= PI, "{spot:?}");
            }
        }
        world.remove(PlayerId(0));
        assert_eq!(world.positions().ships.len(), 63);
    }
}
