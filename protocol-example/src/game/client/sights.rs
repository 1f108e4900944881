//! What comes and goes before a player's eyes.

use bowline::World;
use bowline::prelude::*;

use crate::game::{ClientNews, Comings, Sight, Thing};
use crate::protocol::{Arena, Position, Scoreboard};

/// What is in sight, and what of it is news.
#[derive(Debug, Default)]
pub(super) struct Sights {
    comings: Comings<NetEntity>,
    has_new_scores: bool,
}

impl Sights {
    /// The world shows it already, and all else that has arrived with it.
    pub(super) fn take_in(&mut self, event: EntityEvent<Arena>, world: &World<Arena>) {
        match event {
            EntityEvent::SpawnEntity(entity) => {
                if let Some(thing) = thing(world, entity) {
                    self.comings.come(entity, thing);
                }
            }
            EntityEvent::DespawnEntity(entity) => self.comings.go(&entity),
            EntityEvent::InsertResource(_) | EntityEvent::UpdateResource { .. } => self.has_new_scores = true,
            // Who wants to know where ships are looks at their positions.
            _ => {}
        }
    }

    /// What has come and gone since it was asked last.
    pub(super) fn news(&mut self, world: &World<Arena>) -> Vec<ClientNews> {
        let mut news = self.comings.news();
        if std::mem::take(&mut self.has_new_scores) {
            news.push(ClientNews::Scores(scores(world)));
        }
        news
    }
}

/// All that is in sight.
pub(super) fn all(world: &World<Arena>) -> Vec<Sight> {
    let places = world.query::<&Position>();
    let sights =
        places.filter_map(|(entity, at)| Some(Sight { entity, at: *at, thing: thing(world, entity)? }));
    sights.collect()
}

/// The scoreboard, as it can be shown.
pub(super) fn scores(world: &World<Arena>) -> Vec<(String, u16)> {
    world.resource::<Scoreboard>().map(Scoreboard::shown).unwrap_or_default()
}

fn thing(world: &World<Arena>, entity: NetEntity) -> Option<Thing> {
    Thing::of(world.component(entity), world.component(entity), world.component(entity))
}
