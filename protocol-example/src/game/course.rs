//! How to get somewhere.

use crate::protocol::{Position, Steer};

/// From so many metres on a ship slows down: it sees itself a moment late.
const SLOW: f32 = 5.0;

/// How to steer to get from one place to the other.
#[must_use]
pub fn towards(ship: &Position, destination: &Position) -> Steer {
    let distance = ship.distance_to(destination).max(SLOW);
    Steer { east: (destination.x - ship.x) / distance, north: (destination.y - ship.y) / distance }
}

#[cfg(test)]
mod tests {
    use crate::game::rules;
    use crate::protocol::Room;

    use super::*;

    #[test]
    fn a_ship_gets_there_though_it_sees_itself_late() {
        let (pearl, _) = rules::pearl(Room::Bay, 7);
        let (mut ships, ticks_late) = (vec![rules::start(0)], 5);
        for tick in 0..60_usize {
            let steer = towards(&ships[tick.saturating_sub(ticks_late)], &pearl);
            ships.push(rules::sail(&ships[tick], &steer));
        }
        assert!(ships[60].distance_to(&pearl) < 1.0, "{:?}", ships[60]);
    }
}
