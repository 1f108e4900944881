//! The rules of the game: ships sail where they are steered, and collect pearls and change rooms by sailing there.
//!
//! Nothing here knows of users, rooms, sockets or worlds: components go in, and what follows from them comes out.

use bowline::prelude::*;

use crate::protocol::{Arena, Gate, Pearl, Position, ROOM_REACH, Room, Steer};

/// How many pearls there are in each room.
pub const PEARLS: usize = 3;

/// In metres a second.
const SPEED: f32 = 20.0;
/// A ship has reached what is nearer to it than this, in metres.
const REACHED: f32 = 2.0;
/// From the middle of a room to its gate, in metres: east in the bay, west in the grotto.
const TO_GATE: f32 = 30.0;
/// From the middle to where those are who have come through the gate: beside it.
const TO_LANDING: f32 = 20.0;
/// From the middle of the bay to where ships set out, in metres.
const TO_START: f32 = 5.0;
/// The golden angle: steps of it spread any number of things over a circle.
const GOLDEN_ANGLE: f32 = 2.4;

/// Where a ship sets out, each from a place of its own.
#[must_use]
pub fn start(number: usize) -> Position {
    on_circle(Room::Bay, number, TO_START)
}

/// The gate out of a room.
#[must_use]
pub fn gate(room: Room) -> (Position, Gate) {
    (towards_gate(room, TO_GATE), Gate { to: room.other() })
}

/// Where a ship is that has come into a room through its gate.
#[must_use]
pub fn landing(room: Room) -> Position {
    towards_gate(room, TO_LANDING)
}

/// A pearl, each at a place of its own.
#[must_use]
pub fn pearl(room: Room, number: usize) -> (Position, Pearl) {
    let worth = match room {
        Room::Bay => 1,
        Room::Grotto => 3,
    };
    (on_circle(room, number, 16.0 + (number * 5 % 13) as f32), Pearl { worth })
}

/// Where a ship is one tick later.
#[must_use]
pub fn sail(ship: &Position, helm: &Steer) -> Position {
    let metres = SPEED / f32::from(Arena::TICK_RATE) / helm.east.hypot(helm.north).max(1.0);
    let within = |at: f32| at.clamp(-ROOM_REACH, ROOM_REACH);
    Position { x: within(ship.x + helm.east * metres), y: within(ship.y + helm.north * metres), ..*ship }
}

/// Of these things, those that one of the others has reached by now, each with the first that has: pearls with the ship that
/// collects them, ships with the gate that they go through.
#[must_use]
pub fn reached<T, O: Copy>(
    things: impl IntoIterator<Item = (T, Position)>,
    others: impl IntoIterator<Item = (O, Position)>,
) -> Vec<(T, O)> {
    let others: Vec<_> = others.into_iter().collect();
    let first = |place: &Position| others.iter().find(|(_, at)| at.distance_to(place) < REACHED);
    let things = things.into_iter().filter_map(|(thing, place)| Some((thing, first(&place)?.0)));
    things.collect()
}

fn towards_gate(room: Room, metres: f32) -> Position {
    let x = match room {
        Room::Bay => metres,
        Room::Grotto => -metres,
    };
    Position { room, x, y: 0.0 }
}

fn on_circle(room: Room, number: usize, radius: f32) -> Position {
    let (y, x) = (number as f32 * GOLDEN_ANGLE).sin_cos();
    Position { room, x: x * radius, y: y * radius }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ships_stay_within_what_can_be_sent() {
        for direction in 0..16_u8 {
            let (north, east) = (f32::from(direction) * 0.4).sin_cos();
            let mut ship = start(direction.into());
            for _ in 0..200 {
                ship = sail(&ship, &Steer { east, north });
                assert!(ship.x.abs() <= ROOM_REACH && ship.y.abs() <= ROOM_REACH, "{ship:?}");
            }
        }
    }

    #[test]
    fn nobody_sails_faster_than_full_speed() {
        let ship = start(0);
        for (east, north) in [(1.0, 0.0), (0.0, -1.0), (1.0, 1.0), (0.5, 0.0)] {
            let sailed = ship.distance_to(&sail(&ship, &Steer { east, north }));
            assert!(sailed <= SPEED / f32::from(Arena::TICK_RATE) + 0.001, "{sailed}");
        }
    }

    #[test]
    fn what_is_near_and_in_the_same_room_is_reached_by_the_first_who_is() {
        let at = |room, x| Position { room, x, y: 0.0 };
        let pearls =
            [("near", at(Room::Bay, 1.0)), ("far", at(Room::Bay, 9.0)), ("next door", at(Room::Grotto, 1.0))];
        let ships = [(1, at(Room::Bay, 30.0)), (2, at(Room::Bay, 0.0)), (3, at(Room::Bay, 1.5))];
        assert_eq!(reached(pearls, ships), [("near", 2)]);
    }

    #[test]
    fn nobody_lands_in_a_gate() {
        for room in Room::ALL {
            let (gate, Gate { to }) = gate(room);
            assert!(landing(room).distance_to(&gate) > REACHED && to != room);
        }
    }
}
