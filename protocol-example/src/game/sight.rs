//! What a player sees, and what people call it.

use std::collections::BTreeMap;
use std::fmt;

use bowline::prelude::*;

use super::{ClientNews, printable};
use crate::protocol::{Gate, Pearl, Player, Position, Room, Scoreboard};

/// An entity, as people call it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// Somebody steers it.
    Ship {
        /// Who.
        name: String,
    },
    /// It leads to another room.
    Gate {
        /// To which.
        to: Room,
    },
    /// It can be collected.
    Pearl {
        /// What it counts.
        worth: u8,
    },
}

/// An entity that is in sight.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Which.
    pub entity: NetEntity,
    /// Where it is.
    pub at: Position,
    /// What it is.
    pub thing: Thing,
}

impl Thing {
    /// What an entity with these components is; `None` where it is nothing that the arena knows.
    #[must_use]
    pub fn of(player: Option<&Player>, gate: Option<&Gate>, pearl: Option<&Pearl>) -> Option<Self> {
        let ship = player.map(|player| Self::Ship { name: printable(&player.name) });
        let gate = || gate.map(|gate| Self::Gate { to: gate.to });
        ship.or_else(gate).or_else(|| pearl.map(|pearl| Self::Pearl { worth: pearl.worth }))
    }
}

/// What has come and gone before a player's eyes, by whatever tells entities apart.
#[derive(Debug)]
pub struct Comings<E> {
    /// An entity that is gone has no components any more, so we remember what it was.
    known: BTreeMap<E, Thing>,
    came: Vec<Thing>,
    went: Vec<Thing>,
}

impl<E: Ord> Comings<E> {
    /// It is in sight from now on.
    pub fn come(&mut self, entity: E, thing: Thing) {
        self.came.push(thing.clone());
        self.known.insert(entity, thing);
    }

    /// It is no longer in sight.
    pub fn go(&mut self, entity: &E) {
        self.went.extend(self.known.remove(entity));
    }

    /// What has come and gone since this was asked last.
    pub fn news(&mut self) -> Vec<ClientNews> {
        let (went, came) = (std::mem::take(&mut self.went), std::mem::take(&mut self.came));
        let went = (!went.is_empty()).then_some(ClientNews::Despawned(went));
        let came = (!came.is_empty()).then_some(ClientNews::Spawned(came));
        went.into_iter().chain(came).collect()
    }
}

impl<E> Default for Comings<E> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), came: Vec::new(), went: Vec::new() }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ship { name } => write!(f, "{name}'s ship"),
            Self::Gate { to } => write!(f, "gate to the {to}"),
            Self::Pearl { worth } => write!(f, "pearl worth {worth}"),
        }
    }
}

impl Scoreboard {
    /// Names, as they can be shown, and points.
    #[must_use]
    pub fn shown(&self) -> Vec<(String, u16)> {
        self.scores.iter().map(|score| (printable(&score.name), score.points)).collect()
    }

    /// What the player of a ship is called, as it can be shown. A message may come before the scoreboard has its sender.
    #[must_use]
    pub fn shown_name_of(&self, ship: NetEntity) -> String {
        self.name_of(ship).map_or_else(|| SOMEBODY.to_owned(), printable)
    }
}

/// A player whose name is not known here.
pub const SOMEBODY: &str = "somebody";
