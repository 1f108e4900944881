use bowline::Predicted;
use bowline::prelude::*;

use super::{Sight, rules};
use crate::protocol::{Arena, Position, Steer};

/// The player's own ship, as it will be on the server when that has heard what the player has done: it answers the helm at once.
#[derive(Clone, Debug, Default)]
pub struct OwnShip {
    /// `None` before it is in sight.
    predicted: Option<Predicted<Position, Steer>>,
    /// When the server has spoken of it last, by its tick.
    heard: u32,
}

/// So many ticks are remembered: three seconds.
const MEMORY: usize = 64;
/// What quantization leaves, in metres.
const NEAR: f32 = 0.05;

impl OwnShip {
    /// A tick of the client. The server does the same when it comes to that tick.
    pub fn sail(&mut self, tick: u32, helm: Steer) {
        if let Some(predicted) = &mut self.predicted {
            predicted.step(tick, helm, sail);
        }
    }

    /// Where the server has it after a tick of the server's.
    pub fn hear(&mut self, tick: u32, truth: Position) {
        self.heard = tick;
        match &mut self.predicted {
            None => self.predicted = Some(Predicted::new(truth, MEMORY)),
            Some(predicted) => {
                predicted.reconcile(tick, truth, |ours, truth| ours.distance_to(truth) < NEAR, sail);
            }
        }
    }

    /// Whether the server has not spoken of it for a second. It says only what has changed: a ship that lies still there, while it
    /// sails here, would never be put right.
    #[must_use]
    pub fn is_unheard_of(&self, server_tick: u32) -> bool {
        self.predicted.is_some() && server_tick.wrapping_sub(self.heard) as i32 >= i32::from(Arena::TICK_RATE)
    }

    /// Where it is shown.
    #[must_use]
    pub fn place(&self) -> Option<Position> {
        self.predicted.as_ref().map(|predicted| *predicted.state())
    }

    /// Puts it where it is shown, among all that is in sight.
    pub fn show(&self, ship: Option<NetEntity>, sights: &mut [Sight]) {
        if let Some(place) = self.place()
            && let Some(sight) = sights.iter_mut().find(|sight| Some(sight.entity) == ship)
        {
            sight.at = place;
        }
    }
}

fn sail(ship: &mut Position, helm: &Steer) {
    *ship = rules::sail(ship, helm);
}

#[cfg(test)]
mod tests {
    use crate::protocol::Room;

    use super::*;

    const EAST: Steer = Steer { east: 1.0, north: 0.0 };

    #[test]
    fn it_answers_the_helm_at_once_and_goes_where_the_server_puts_it() {
        let mut ship = OwnShip::default();
        ship.sail(9, EAST);
        assert_eq!(ship.place(), None, "it is not in sight");
        let start = Position { room: Room::Bay, x: 0.0, y: 0.0 };
        ship.hear(5, start);
        (10..14).for_each(|tick| ship.sail(tick, EAST));
        assert_eq!(ship.place().unwrap().x, 4.0);
        ship.hear(10, Position { x: 1.004, ..start });
        assert_eq!(ship.place().unwrap().x, 4.0, "what quantization leaves is nothing");
        // It went through a gate.
        let landed = Position { room: Room::Grotto, x: -20.0, y: 0.0 };
        ship.hear(12, landed);
        assert_eq!(ship.place(), Some(Position { x: -19.0, ..landed }));
        assert!(!ship.is_unheard_of(31) && ship.is_unheard_of(32));
    }
}
