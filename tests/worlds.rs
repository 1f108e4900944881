//! Random worlds under bad networks: after all has healed, everybody sees what it should, and until then nothing that never was.

use std::collections::{BTreeMap, BTreeSet};

use bowline::prelude::*;
use bowline::{Entropy, SeededEntropy};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Plan, Seen, check_seeds};
use bowline_tests::arena::{
    Diary, Field, Frozen, Health, MS, Name, Position, Score, Target, Twins, Weather, described, field,
    position, user_of,
};

const CLIENTS: usize = 3;
const TURNS: u32 = 40;

/// A world, and who should see what of it.
struct Story {
    cluster: Cluster<Field>,
    draw: SeededEntropy,
    rooms: Vec<RoomId>,
    entities: Vec<NetEntity>,
    in_rooms: BTreeSet<(NetEntity, usize)>,
    users_in: BTreeSet<(usize, usize)>,
    shown: BTreeMap<(usize, NetEntity), bool>,
    persisting: BTreeSet<NetEntity>,
    paused: BTreeSet<NetEntity>,
    /// What a client has had in scope at any time.
    ever_seen: BTreeSet<(usize, NetEntity)>,
    counter: u32,
    events_read: [usize; CLIENTS],
    newest: BTreeMap<(usize, NetEntity), u32>,
    delegated: BTreeSet<NetEntity>,
    /// Entities of clients, as far as the server knows of them.
    own: BTreeMap<NetEntity, usize>,
    server_events_read: usize,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut config = ClusterConfig::new(seed, CLIENTS);
        config.conditions = Conditions::new(40, 20, 0.0);
        config.server.client_entities = 3;
        let (mut cluster, first) = field(config);
        let rooms = vec![first, cluster.server_mut().create_room(), cluster.server_mut().create_room()];
        let users_in = (0..CLIENTS).map(|client| (client, 0)).collect();
        Self {
            cluster,
            draw: SeededEntropy::new(seed),
            rooms,
            entities: Vec::new(),
            in_rooms: BTreeSet::new(),
            users_in,
            shown: BTreeMap::new(),
            persisting: BTreeSet::new(),
            paused: BTreeSet::new(),
            ever_seen: BTreeSet::new(),
            counter: 0,
            events_read: [0; CLIENTS],
            newest: BTreeMap::new(),
            delegated: BTreeSet::new(),
            own: BTreeMap::new(),
            server_events_read: 0,
        }
    }

    fn up_to(&mut self, end: usize) -> usize {
        (self.draw.next_u64() % end as u64) as usize
    }

    fn pick(&mut self) -> Option<NetEntity> {
        let index = self.up_to(self.entities.len().max(1));
        self.entities.get(index).copied()
    }

    fn next(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    fn sees(&self, client: usize, entity: NetEntity) -> bool {
        if self.own.get(&entity) == Some(&client) {
            return true;
        }
        self.shown.get(&(client, entity)).copied().unwrap_or_else(|| {
            (0..self.rooms.len()).any(|room| {
                self.users_in.contains(&(client, room)) && self.in_rooms.contains(&(entity, room))
            })
        })
    }

    /// The entities that are on the server: those of clients too.
    fn note_scopes(&mut self) {
        let all: Vec<_> = self.entities.iter().chain(self.own.keys()).copied().collect();
        for client in 0..CLIENTS {
            for entity in all.iter().copied() {
                if self.sees(client, entity) {
                    self.ever_seen.insert((client, entity));
                }
            }
        }
    }

    fn spawn(&mut self) {
        let number = self.next();
        let server = self.cluster.server_mut();
        let twins = Twins { one: number, other: number + 7, alone: 0 };
        let entity = match number % 4 {
            0 => server.spawn((position(number), twins)),
            1 => server.spawn((twins, Health(number as u8), Name { name: format!("n{number}") })),
            2 => server.spawn((
                Diary { text: format!("day {number}"), entries: number },
                twins,
                position(number),
            )),
            _ => server.spawn((twins,)),
        };
        self.entities.push(entity.unwrap());
        let room = self.up_to(4);
        if room < self.rooms.len() {
            self.enter(entity.unwrap(), room);
        }
    }

    fn enter(&mut self, entity: NetEntity, room: usize) {
        self.cluster.server_mut().room_mut(self.rooms[room]).add_entity(entity);
        self.in_rooms.insert((entity, room));
    }

    /// Changes something of the server's.
    fn change(&mut self, entity: NetEntity) {
        let number = self.next();
        let (choice, big, other) = (self.up_to(9), self.up_to(12) == 0, self.pick());
        let Some(mut at) = self.cluster.server_mut().entity_mut(entity) else { return };
        match choice {
            0 | 1 => {
                if let Some(mut at) = at.component_mut::<Position>() {
                    at.x += 1.0;
                    at.z = number as f32;
                }
            }
            2 | 3 => {
                if let Some(mut twins) = at.component_mut::<Twins>() {
                    (twins.one, twins.other) = (number, number + 7);
                }
            }
            4 => {
                if let Some(mut twins) = at.component_mut::<Twins>() {
                    twins.alone = twins.alone.wrapping_add(1);
                }
            }
            5 => {
                let text = if big { "x".repeat(3_000 + number as usize) } else { format!("day {number}") };
                if let Some(mut diary) = at.component_mut::<Diary>() {
                    diary.text = text;
                    diary.entries += 1;
                }
            }
            6 => {
                if let Some(other) = other {
                    at.insert(Target { at: other });
                }
            }
            7 => {
                at.insert(Health(number as u8));
                at.insert(Frozen);
            }
            _ => match number % 4 {
                0 => drop(at.remove::<Position>()),
                1 => drop(at.remove::<Frozen>()),
                2 => drop(at.remove::<Name>()),
                _ => drop(at.insert(position(number))),
            },
        }
    }

    fn despawn(&mut self, index: usize) {
        let entity = self.entities.swap_remove(index);
        assert!(self.cluster.server_mut().despawn(entity));
        self.forget(entity);
    }

    fn forget(&mut self, entity: NetEntity) {
        self.delegated.remove(&entity);
        self.in_rooms.retain(|(other, _)| *other != entity);
        self.shown.retain(|(_, other), _| *other != entity);
        self.persisting.remove(&entity);
        self.paused.remove(&entity);
    }

    fn change_scope(&mut self) {
        let (client, room, choice) = (self.up_to(CLIENTS), self.up_to(3), self.up_to(8));
        let user = user_of(&self.cluster, client);
        let entity = self.pick();
        let server = self.cluster.server_mut();
        match (choice, entity) {
            (0, _) => {
                server.room_mut(self.rooms[room]).add_user(user);
                self.users_in.insert((client, room));
            }
            (1, _) => {
                server.room_mut(self.rooms[room]).remove_user(user);
                self.users_in.remove(&(client, room));
            }
            (2, Some(entity)) => self.enter(entity, room),
            (3, Some(entity)) => {
                server.room_mut(self.rooms[room]).remove_entity(entity);
                self.in_rooms.remove(&(entity, room));
            }
            (4, Some(entity)) => {
                server.scope_mut(user).unwrap().include(entity);
                self.shown.insert((client, entity), true);
            }
            (5, Some(entity)) => {
                server.scope_mut(user).unwrap().exclude(entity);
                self.shown.insert((client, entity), false);
            }
            (6, Some(entity)) => {
                server.scope_mut(user).unwrap().clear(entity);
                self.shown.remove(&(client, entity));
            }
            (7, Some(entity)) if self.persisting.insert(entity) => {
                server.entity_mut(entity).unwrap().on_scope_exit(ScopeExit::Persist);
            }
            _ => {}
        }
    }

    /// What the server does about who may write.
    fn lend(&mut self) {
        let (choice, client) = (self.up_to(6), self.up_to(CLIENTS));
        let user = user_of(&self.cluster, client);
        let Some(entity) = self.pick() else { return };
        let server = self.cluster.server_mut();
        match choice {
            0..=2 => {
                let approval = if choice == 0 { Approval::Ask } else { Approval::Automatic };
                assert!(server.entity_mut(entity).unwrap().delegate(approval));
                self.delegated.insert(entity);
            }
            3 => drop(server.give_authority(user, entity)),
            4 => server.entity_mut(entity).unwrap().revoke_authority(),
            _ => server.entity_mut(entity).unwrap().take_authority(),
        }
    }

    /// What a client does: to entities of its own, and to those that it may write to or would like to.
    fn client_turn(&mut self) {
        let (client, choice, number) = (self.up_to(CLIENTS), self.up_to(8), self.next());
        let known: Vec<_> = self.cluster.client(client).entities().world().entities().collect();
        let entity = known.get(self.up_to(known.len().max(1))).copied();
        let own: Vec<_> = self.cluster.client(client).entities().own_entities().collect();
        let mine = own.get(self.up_to(own.len().max(1))).copied();
        let entities = self.cluster.client_mut(client).entities_mut();
        match (choice, entity, mine) {
            (0, ..) => drop(entities.spawn((Health(1), position(number)))),
            (1, _, Some(mine)) if number % 3 == 0 => assert!(entities.despawn(mine)),
            (1 | 2, _, Some(mine)) => {
                entities.insert(mine, Diary { text: format!("mine {number}"), entries: number });
                if let Some(mut health) = entities.world_mut().component_mut::<Health>(mine) {
                    health.0 = number as u8;
                }
            }
            (3, _, Some(mine)) => drop(entities.remove::<Diary>(mine)),
            (4, Some(entity), _) => drop(entities.request_authority(entity)),
            (5, Some(entity), _) if number % 2 == 0 => drop(entities.release_authority(entity)),
            (_, Some(_), _) => {
                // Whatever it has authority over.
                for entity in known {
                    if entities.authority(entity) != Some(Authority::Granted) || own.contains(&entity) {
                        continue;
                    }
                    if let Some(mut at) = entities.world_mut().component_mut::<Position>(entity) {
                        at.y = number as f32;
                    }
                }
            }
            _ => {}
        }
    }

    /// What clients have done comes to the server, which puts some of it into rooms.
    fn hear_clients(&mut self) {
        let mut came = Vec::new();
        let seen = self.cluster.server_seen();
        for (_, seen) in &seen[self.server_events_read..] {
            match seen {
                Seen::Entity(user, EntityEvent::SpawnEntity(entity)) => came.push((*user, *entity, true)),
                Seen::Entity(user, EntityEvent::DespawnEntity(entity)) => came.push((*user, *entity, false)),
                _ => {}
            }
        }
        self.server_events_read = seen.len();
        for (user, entity, has_come) in came {
            let client = (0..CLIENTS).find(|client| user_of(&self.cluster, *client) == user).unwrap();
            if has_come && self.cluster.server().owner(entity) == Some(user) {
                self.own.insert(entity, client);
                self.ever_seen.insert((client, entity));
                if self.up_to(2) == 0 {
                    self.enter(entity, client);
                }
            } else if !has_come {
                self.own.remove(&entity);
                self.forget(entity);
            }
        }
        self.note_scopes();
    }

    fn turn(&mut self) {
        for _ in 0..self.up_to(3) {
            self.client_turn();
        }
        for _ in 0..=self.up_to(4) {
            match self.up_to(18) {
                16 | 17 => self.lend(),
                0..=2 => self.spawn(),
                3 if self.entities.len() > 4 => {
                    let index = self.up_to(self.entities.len());
                    self.despawn(index);
                }
                4..=6 => self.change_scope(),
                7 => {
                    let number = self.next();
                    let server = self.cluster.server_mut();
                    match number % 3 {
                        0 => drop(server.insert_resource(Score { left: number, right: 0 }).unwrap()),
                        1 => drop(server.remove_resource::<Weather>()),
                        _ => drop(server.insert_resource(Weather(format!("rain {number}"))).unwrap()),
                    }
                }
                8 => {
                    let Some(entity) = self.pick() else { continue };
                    let mut at = self.cluster.server_mut().entity_mut(entity).unwrap();
                    if self.paused.insert(entity) {
                        at.pause();
                    } else {
                        self.paused.remove(&entity);
                        at.resume();
                    }
                }
                _ => {
                    let Some(entity) = self.pick() else { continue };
                    self.change(entity);
                }
            }
        }
        self.note_scopes();
        self.cluster.run_for(MS * 50);
        self.hear_clients();
        self.check_on_the_way();
    }

    /// What must hold at every moment.
    fn check_on_the_way(&mut self) {
        for client in 0..CLIENTS {
            let seen = self.cluster.client_seen(client);
            for (_, event) in &seen[self.events_read[client]..] {
                let ClientEvent::Entity(event) = event else { continue };
                let entity = match event {
                    EntityEvent::SpawnEntity(entity) => *entity,
                    EntityEvent::InsertComponent { entity, .. }
                    | EntityEvent::UpdateComponent { entity, .. } => *entity,
                    _ => continue,
                };
                assert!(self.ever_seen.contains(&(client, entity)), "client {client} never saw {entity}");
            }
            self.events_read[client] = seen.len();
            let world = self.cluster.client(client).entities().world();
            for (entity, twins) in world.query::<&Twins>() {
                assert_eq!(twins.other, twins.one + 7, "c7: {entity} changed in part on client {client}");
                let newest = self.newest.entry((client, entity)).or_default();
                assert!(twins.one >= *newest, "c7: {entity} went back in time on client {client}");
                *newest = twins.one;
            }
        }
    }

    fn run(&mut self, seed: u64) {
        self.cluster.network().set_conditions(weather(seed));
        for _ in 0..TURNS {
            self.turn();
        }
        for entity in std::mem::take(&mut self.paused) {
            self.cluster.server_mut().entity_mut(entity).unwrap().resume();
        }
        self.cluster.network().set_conditions(Conditions::new(40, 20, 0.0));
        self.cluster.run_for(MS * 4_000);
        self.hear_clients();
        // What the server wrote to what others have authority over, they see when they have it no more.
        for entity in std::mem::take(&mut self.delegated) {
            self.cluster.server_mut().entity_mut(entity).unwrap().revoke_authority();
        }
        self.cluster.run_for(MS * 4_000);
        self.check_on_the_way();
        self.check_healed();
    }

    fn check_healed(&self) {
        let server = self.cluster.server();
        for client in 0..CLIENTS {
            let world = self.cluster.client(client).entities().world();
            for entity in server.world().entities() {
                let expected = described(server.world(), entity);
                if self.sees(client, entity) {
                    let seen = described(world, entity);
                    assert!(
                        seen == expected,
                        "{entity} on client {client}: {seen:.200?} instead of {expected:.200?}"
                    );
                } else if !self.persisting.contains(&entity) {
                    assert!(!world.contains(entity), "{entity} is out of sight of client {client}");
                }
            }
            for entity in world.entities() {
                assert!(server.world().contains(entity), "{entity} is gone, but not from client {client}");
            }
            assert_eq!(world.resource::<Score>(), server.resource::<Score>(), "client {client}");
            assert_eq!(world.resource::<Weather>(), server.resource::<Weather>(), "client {client}");
        }
    }
}

/// Weather that follows from a seed.
fn weather(seed: u64) -> Conditions {
    let chance = |part: u32| (seed.wrapping_mul(0x9e37_79b9).rotate_left(part) % 100) as f64 / 100.0;
    let mut weather = Conditions::new(40, 30, chance(3) * 0.3);
    weather.profile = weather
        .profile
        .with_duplication(chance(7) * 0.5)
        .with_reordering(chance(11) * 0.4, MS * 90)
        .with_corruption(chance(17) * 0.05);
    weather
}

#[test]
fn c6_after_healing_every_client_sees_its_scope_and_never_more() {
    check_seeds(
        "worlds",
        0..2_500,
        |_| Plan::new(),
        |seed, _| {
            Story::new(seed).run(seed);
        },
    );
}

#[test]
fn c2_epochs_are_counted_back_before_they_wrap() {
    check_seeds(
        "epochs",
        0..50,
        |_| Plan::new(),
        |seed, _| {
            let mut story = Story::new(seed);
            // Within the story's first ticks they are counted back by half of what there is.
            story.cluster.server_mut().replication_mut().start_at_epoch((1 << 31) - 15);
            for client in 0..CLIENTS {
                story.cluster.client_mut(client).entities_mut().start_at_epoch((1 << 31) - 10);
            }
            story.run(seed);
        },
    );
}

#[test]
fn c7_an_update_never_goes_back_in_time_and_a_change_arrives_whole() {
    check_seeds(
        "whole",
        0..200,
        |_| Plan::new(),
        |seed, _| {
            let mut story = Story::new(seed);
            // Packets overtake each other all the time, and a third of them is lost.
            let mut rough = Conditions::new(80, 70, 0.33);
            rough.profile = rough.profile.with_duplication(0.2).with_reordering(0.5, MS * 150);
            for _ in 0..4 {
                story.spawn();
            }
            for entity in story.entities.clone() {
                story.enter(entity, 0);
            }
            story.cluster.network().set_conditions(rough);
            for _ in 0..60 {
                for entity in story.entities.clone() {
                    let number = story.next();
                    let mut at = story.cluster.server_mut().entity_mut(entity).unwrap();
                    let mut twins = at.component_mut::<Twins>().unwrap();
                    if number.is_multiple_of(3) {
                        twins.alone = twins.alone.wrapping_add(1);
                    } else {
                        (twins.one, twins.other) = (number, number + 7);
                    }
                }
                story.note_scopes();
                story.cluster.run_for(MS * 25);
                story.check_on_the_way();
            }
        },
    );
}
