//! What happens in the arena: here entities come, change and go, and clients see it without another word.

use bowline::prelude::*;
use bowline::{Bundle, Departure};

use super::{ArenaServer, ServerNews};
use crate::game::rules;
use crate::protocol::{Arena, Gate, Pearl, Player, Position, Room, Score, Scoreboard, Talk, Welcome};

/// Spawning can fail, but not with two gates, some pearls, and a ship for each player.
const FEW: &str = "there are far fewer entities than `MAX_ENTITIES`";

impl<T: Transport> ArenaServer<T> {
    /// What is there before anybody comes.
    pub(super) fn furnish(&mut self) {
        self.server.insert_resource(Scoreboard::default()).expect(FEW);
        for room in Room::ALL {
            let gate = self.place(room, rules::gate(room));
            self.stays_as_it_is(gate);
            for _ in 0..rules::PEARLS {
                self.grow_pearl(room);
            }
        }
    }

    /// A player is in: it gets a ship, and sees what is in the room where that sets out.
    pub(super) fn welcome(&mut self, user: UserId) -> Option<ServerNews> {
        let name = self.server.auth(user)?.name.clone();
        let start = rules::start(user.slot());
        let ship = self.place(start.room, (start, Player { name: name.clone() }));
        self.ships.insert(user, ship);
        self.server.room_mut(self.rooms[&start.room]).add_user(user);
        self.change_scores(|scores| scores.push(Score { ship, name: name.clone(), points: 0 }));
        self.tell::<Talk>(user, Welcome { ship });
        Some(ServerNews::Joined { name })
    }

    /// Time passes: the rules say what follows, and so it is.
    pub(super) fn tick(&mut self) -> Vec<ServerNews> {
        for (&ship, helm) in &self.helms {
            if let Some(mut position) = self.server.world_mut().component_mut::<Position>(ship) {
                // A ship that lies still is as it was, and nothing of it is sent.
                *position = rules::sail(&position, helm);
            }
        }
        let mut news = Vec::new();
        for (pearl, ship) in rules::reached(self.all::<Pearl>(), self.all::<Player>()) {
            news.extend(self.collect(pearl, ship));
        }
        for (ship, gate) in rules::reached(self.all::<Player>(), self.all::<Gate>()) {
            news.extend(self.go_through(gate, ship));
        }
        news
    }

    /// A pearl is gone, a new one is somewhere else, and whoever has it is richer.
    fn collect(&mut self, pearl: NetEntity, ship: NetEntity) -> Option<ServerNews> {
        let world = self.server.world();
        let room = world.component::<Position>(pearl)?.room;
        let worth = world.component::<Pearl>(pearl)?.worth;
        self.server.despawn(pearl);
        self.grow_pearl(room);
        self.change_scores(|scores| {
            for score in scores.iter_mut().filter(|score| score.ship == ship) {
                score.points = score.points.saturating_add(worth.into());
            }
        });
        Some(ServerNews::Collected { name: self.name_of(ship), worth })
    }

    /// A ship changes rooms, and so does who steers it: it is out of sight for those who stay, and they are for it.
    fn go_through(&mut self, gate: NetEntity, ship: NetEntity) -> Option<ServerNews> {
        let room = self.server.world().component::<Gate>(gate)?.to;
        let user = self.ships.iter().find(|(_, known)| **known == ship).map(|(user, _)| *user)?;
        let mut position = self.server.world_mut().component_mut::<Position>(ship)?;
        let left = std::mem::replace(&mut *position, rules::landing(room)).room;

        let mut left = self.server.room_mut(self.rooms[&left]);
        left.remove_user(user);
        left.remove_entity(ship);
        let mut entered = self.server.room_mut(self.rooms[&room]);
        entered.add_user(user);
        entered.add_entity(ship);
        Some(ServerNews::Passed { name: self.name_of(ship), room })
    }

    /// A player is gone, and the framework has forgotten it already; now the game does.
    pub(super) fn forget(&mut self, gone: Departure<T::Address>) -> Option<ServerNews> {
        let ship = self.ships.remove(&gone.user)?;
        let name = self.name_of(ship);
        self.helms.remove(&ship);
        self.server.despawn(ship);
        self.change_scores(|scores| scores.retain(|score| score.ship != ship));
        Some(ServerNews::Left { name, reason: gone.reason, stats: gone.stats })
    }

    fn grow_pearl(&mut self, room: Room) {
        let pearl = self.place(room, rules::pearl(room, self.pearls));
        self.stays_as_it_is(pearl);
        self.pearls += 1;
    }

    /// All entities with such a component, and where they are.
    fn all<C: ComponentOf<Arena>>(&self) -> Vec<(NetEntity, Position)> {
        let places = self.server.world().query::<(&Position, &C)>();
        places.map(|(entity, (at, _))| (entity, *at)).collect()
    }

    /// A new entity, for all who are in a room.
    fn place(&mut self, room: Room, components: impl Bundle<Arena>) -> NetEntity {
        let entity = self.server.spawn(components).expect(FEW);
        self.server.room_mut(self.rooms[&room]).add_entity(entity);
        entity
    }

    /// Nobody has to look whether it has changed.
    fn stays_as_it_is(&mut self, entity: NetEntity) {
        if let Some(mut entity) = self.server.entity_mut(entity) {
            entity.make_static();
        }
    }

    fn change_scores(&mut self, change: impl FnOnce(&mut Vec<Score>)) {
        if let Some(mut scoreboard) = self.server.resource_mut::<Scoreboard>() {
            change(&mut scoreboard.scores);
        }
    }

    pub(super) fn name_of(&self, ship: NetEntity) -> String {
        self.server.world().component::<Player>(ship).map(|player| player.name.clone()).unwrap_or_default()
    }
}
