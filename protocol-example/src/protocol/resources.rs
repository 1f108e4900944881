//! What belongs to the whole arena: all clients have it, whichever room they are in.

use bowline::prelude::*;

use super::MAX_PLAYERS;

/// Who plays, and who is best at it.
#[derive(Replicate, Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::resource::Resource))]
pub struct Scoreboard {
    /// One for each player, in the order in which they came.
    #[wire(max_len = MAX_PLAYERS)]
    pub scores: Vec<Score>,
}

/// A line of the scoreboard.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Score {
    /// The ship of the player. It may be out of sight.
    pub ship: NetEntity,
    /// How the player is called.
    #[wire(max_len = 24)]
    pub name: String,
    /// What its pearls are worth, all together.
    pub points: u16,
}

impl Scoreboard {
    /// How the player of a ship is called; `None` where it is gone.
    #[must_use]
    pub fn name_of(&self, ship: NetEntity) -> Option<&str> {
        self.scores.iter().find(|score| score.ship == ship).map(|score| &*score.name)
    }
}
