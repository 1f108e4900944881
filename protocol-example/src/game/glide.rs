use std::collections::BTreeMap;

use bowline::prelude::*;

use super::{Sight, Thing};
use crate::protocol::Position;

/// Where things are shown. Updates come twenty times a second; on a screen a thing glides from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Glide {
    shown: BTreeMap<NetEntity, Position>,
}

/// How fast a thing glides to where it is: in a tenth of a second it is two thirds of the way there.
const SPEED: f32 = 12.0;
/// What is farther away than this has not sailed there, in metres.
const FAR: f32 = 15.0;

impl Glide {
    /// What is to be shown of what is in sight, so many seconds after the last time: in the order in which it is to be drawn,
    /// ships above all else. The farther a thing is from where it is shown, the faster it moves.
    #[must_use]
    pub fn step(&mut self, mut sights: Vec<Sight>, seconds: f32) -> Vec<Sight> {
        let part = 1.0 - (-SPEED * seconds.clamp(0.0, 1.0)).exp();
        for Sight { entity, at, .. } in &mut sights {
            if let Some(shown) = self.shown.get(entity).filter(|shown| shown.distance_to(at) <= FAR) {
                let between = |from: f32, to: f32| from + (to - from) * part;
                *at = Position { x: between(shown.x, at.x), y: between(shown.y, at.y), ..*at };
            }
        }
        self.shown = sights.iter().map(|sight| (sight.entity, sight.at)).collect();
        sights.sort_by_key(|sight| matches!(sight.thing, Thing::Ship { .. }));
        sights
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Room;

    use super::*;

    fn ship(x: f32) -> Sight {
        let at = Position { room: Room::Bay, x, y: 0.0 };
        Sight { entity: NetEntity::new(1, 0), at, thing: Thing::Ship { name: "Ann".to_owned() } }
    }

    #[test]
    fn a_thing_glides_to_where_it_is_and_jumps_where_it_cannot_have_sailed() {
        let mut glide = Glide::default();
        let mut x = |known: f32, seconds| glide.step(vec![ship(known)], seconds)[0].at.x;
        assert_eq!(x(0.0, 0.016), 0.0);
        let near = x(1.0, 0.1);
        assert!((0.6..0.8).contains(&near), "{near}");
        assert!((x(1.0, 1.0) - 1.0).abs() < 1e-4);
        assert_eq!(x(40.0, 0.016), 40.0);
    }

    #[test]
    fn ships_are_drawn_last() {
        let pearl = Sight { entity: NetEntity::new(2, 0), thing: Thing::Pearl { worth: 1 }, ..ship(3.0) };
        let shown = Glide::default().step(vec![ship(0.0), pearl], 0.1);
        assert!(matches!(shown[1].thing, Thing::Ship { .. }), "{shown:?}");
    }
}
