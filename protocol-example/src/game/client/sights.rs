//! What comes and goes before a player's eyes.

use std::collections::BTreeMap;
use std::fmt;

use bowline::World;
use bowline::prelude::*;

use crate::game::{ClientNews, printable};
use crate::protocol::{Arena, Gate, Pearl, Player, Room, Scoreboard};

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

impl Thing {
    fn of(world: &World<Arena>, entity: NetEntity) -> Option<Self> {
        if let Some(player) = world.component::<Player>(entity) {
            return Some(Self::Ship { name: printable(&player.name) });
        }
        if let Some(gate) = world.component::<Gate>(entity) {
            return Some(Self::Gate { to: gate.to });
        }
        world.component::<Pearl>(entity).map(|pearl| Self::Pearl { worth: pearl.worth })
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

/// What is in sight, and what of it is news.
#[derive(Debug, Default)]
pub(super) struct Sights {
    /// An entity that despawns has no components any more, so we remember what it was.
    known: BTreeMap<NetEntity, Thing>,
    came: Vec<Thing>,
    went: Vec<Thing>,
    has_new_scores: bool,
}

impl Sights {
    /// The world shows it already, and all else that has arrived with it.
    pub(super) fn take_in(&mut self, event: EntityEvent<Arena>, world: &World<Arena>) {
        match event {
            EntityEvent::SpawnEntity(entity) => {
                if let Some(thing) = Thing::of(world, entity) {
                    self.known.insert(entity, thing.clone());
                    self.came.push(thing);
                }
            }
            EntityEvent::DespawnEntity(entity) => self.went.extend(self.known.remove(&entity)),
            EntityEvent::InsertResource(_) | EntityEvent::UpdateResource { .. } => self.has_new_scores = true,
            // Who wants to know where ships are looks at their positions.
            _ => {}
        }
    }

    /// What has come and gone since it was asked last.
    pub(super) fn news(&mut self, world: &World<Arena>) -> Vec<ClientNews> {
        let mut news = Vec::new();
        if !self.went.is_empty() {
            news.push(ClientNews::Despawned(std::mem::take(&mut self.went)));
        }
        if !self.came.is_empty() {
            news.push(ClientNews::Spawned(std::mem::take(&mut self.came)));
        }
        if std::mem::take(&mut self.has_new_scores) {
            news.push(ClientNews::Scores(scores(world)));
        }
        news
    }
}

/// The scoreboard, as it can be shown.
pub(super) fn scores(world: &World<Arena>) -> Vec<(String, u16)> {
    let scores = world.resource::<Scoreboard>().into_iter().flat_map(|scoreboard| &scoreboard.scores);
    scores.map(|score| (printable(&score.name), score.points)).collect()
}
