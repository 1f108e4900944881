//! The Bevy world of a server is seen on its clients.

use bevy_ecs::prelude::*;
use bowline::prelude::{Approval, Authority, ClientConfig, ServerConfig, WriteRule};
use bowline::{NetEntity, SeededEntropy};
use bowline_bevy::client::{self, ClientEntityCommands as _};
use bowline_bevy::server::{self, ReplicationCommands as _, ScopeExit};
use bowline_bevy::{ClientOwned, DefaultClientTag, EntityMap, NetId, Remote, Replicated};
use bowline_sim::Conditions;

use crate::rig::{Frozen, Health, Lobby, Log, MS, Name, Position, Score, Stage, Target, Twins, at, run_once};

const QUIET: Conditions = Conditions::new(20, 0, 0.0);

fn one() -> Stage {
    let mut stage = Stage::connected(11, QUIET, 1);
    stage.clear_logs();
    stage
}

#[test]
fn what_is_spawned_changed_and_despawned_is_seen() {
    let mut stage = one();
    let entity = stage.spawn(0, (at(1.0), Health(9)));
    stage.run(MS * 100);
    assert_eq!(stage.log(1), ["spawn entity 0", "insert Position", "insert Health"]);
    assert_eq!((stage.seen::<Position>(1), stage.seen::<Health>(1)), (vec![at(1.0)], vec![Health(9)]));

    stage.clear_logs();
    stage.world_mut(0).get_mut::<Position>(entity).unwrap().x = 5.0;
    stage.run(MS * 100);
    assert_eq!(stage.log(1), ["update Position"], "and not the one that has not changed");
    assert_eq!(stage.seen::<Position>(1)[0].x, 5.0);

    stage.clear_logs();
    // Touched, and not changed.
    stage.world_mut(0).get_mut::<Position>(entity).unwrap().set_changed();
    stage.run(MS * 100);
    assert_eq!(stage.log(1), [""; 0]);

    stage.world_mut(0).despawn(entity);
    stage.run(MS * 100);
    assert_eq!(stage.log(1), ["despawn entity 0"]);
    assert_eq!(stage.count(1), 0);
}

#[test]
fn components_come_and_go() {
    let mut stage = one();
    let entity = stage.spawn(0, at(1.0));
    stage.run(MS * 100);
    stage.world_mut(0).entity_mut(entity).insert((Frozen, Health(3)));
    stage.run(MS * 100);
    assert_eq!((stage.seen::<Frozen>(1).len(), stage.seen::<Health>(1)), (1, vec![Health(3)]));
    stage.clear_logs();
    stage.world_mut(0).entity_mut(entity).remove::<(Frozen, Health)>();
    stage.run(MS * 100);
    assert_eq!((stage.seen::<Frozen>(1).len(), stage.seen::<Health>(1).len()), (0, 0));
    assert_eq!(stage.log(1), ["remove Health"]);
    // Off and on again in one turn.
    stage.world_mut(0).entity_mut(entity).insert(Health(1));
    stage.run(MS * 100);
    stage.world_mut(0).entity_mut(entity).remove::<Health>().insert(Health(2));
    stage.run(MS * 100);
    assert_eq!(stage.seen::<Health>(1), [Health(2)]);
}

#[test]
fn what_is_immutable_is_replaced() {
    let mut stage = one();
    let name = |name: &str| Name { name: name.into() };
    let entity = stage.spawn(0, name("Ada"));
    stage.run(MS * 100);
    assert_eq!(stage.seen::<Name>(1), [name("Ada")]);
    stage.world_mut(0).entity_mut(entity).remove::<Name>().insert(name("Grace"));
    stage.run(MS * 100);
    assert_eq!(stage.seen::<Name>(1), [name("Grace")]);
}

#[test]
fn an_entity_can_be_marked_later_and_unmarked() {
    let mut stage = one();
    let room = stage.world_mut(0).resource::<Lobby>().0;
    let entity = stage.world_mut(0).spawn(Health(1)).id();
    stage.run(MS * 500);
    stage.world_mut(0).entity_mut(entity).insert(Replicated).enter_room(room);
    stage.run(MS * 100);
    assert_eq!(stage.seen::<Health>(1), [Health(1)]);
    stage.world_mut(0).entity_mut(entity).remove::<Replicated>();
    stage.run(MS * 100);
    assert_eq!(stage.count(1), 0);
    assert!(
        stage.world_mut(0).get::<NetId>(entity).is_none()
            && stage.world_mut(0).get::<Health>(entity).is_some()
    );
    // And once more: it is another entity for the clients.
    stage.world_mut(0).entity_mut(entity).insert(Replicated).enter_room(room);
    stage.run(MS * 100);
    assert_eq!(stage.seen::<Health>(1), [Health(1)]);
}

#[test]
fn what_is_said_of_an_entity_that_is_not_replicated_is_an_error() {
    use bevy_ecs::error::{BevyError, ErrorContext};
    use std::sync::Mutex;
    static WORDS: Mutex<String> = Mutex::new(String::new());

    fn heard(error: BevyError, _: ErrorContext) {
        WORDS.lock().unwrap().push_str(&error.to_string());
    }
    let mut stage = one();
    let room = stage.world_mut(0).resource::<Lobby>().0;
    stage.app(0).set_error_handler(heard);
    let entity = stage.world_mut(0).spawn(Health(1)).id();
    run_once(stage.world_mut(0), move |mut commands: Commands<'_, '_>| {
        commands.entity(entity).enter_room(room);
    });
    assert!(WORDS.lock().unwrap().contains("insert `Replicated` before"), "{WORDS:?}");
}

#[test]
fn rooms_and_exceptions_say_who_sees_what() {
    let mut stage = Stage::connected(12, QUIET, 2);
    let users: Vec<_> = stage.in_server(0, |server| server.users().collect());
    let entity = stage.spawn(0, Health(1));
    let seen = |stage: &mut Stage| {
        stage.run(MS * 200);
        [stage.count(1), stage.count(2)]
    };
    assert_eq!(seen(&mut stage), [1, 1]);
    stage.world_mut(0).entity_mut(entity).exclude_for(users[0]);
    assert_eq!(seen(&mut stage), [0, 1]);
    let room = stage.world_mut(0).resource::<Lobby>().0;
    stage.world_mut(0).entity_mut(entity).leave_room(room).include_for(users[0]);
    assert_eq!(seen(&mut stage), [1, 0]);
    stage
        .world_mut(0)
        .entity_mut(entity)
        .clear_scope_for(users[0])
        .on_scope_exit(ScopeExit::Persist)
        .enter_room(room);
    assert_eq!(seen(&mut stage), [1, 1]);
    stage.world_mut(0).entity_mut(entity).leave_room(room);
    assert_eq!(seen(&mut stage), [1, 1], "it stays as it was");
    stage.world_mut(0).get_mut::<Health>(entity).unwrap().0 = 2;
    seen(&mut stage);
    assert_eq!(stage.seen::<Health>(1), [Health(1)]);
}

#[test]
fn what_is_static_or_paused_stays_as_it_was() {
    let mut stage = one();
    let [scenery, sleeper] = [1, 2].map(|number| stage.spawn(0, (Health(number), Frozen)));
    stage.world_mut(0).entity_mut(scenery).make_static();
    stage.run(MS * 100);
    let world = stage.world_mut(0);
    world.get_mut::<Health>(sleeper).unwrap().0 = 20;
    world.entity_mut(sleeper).pause_replication();
    stage.run(MS * 100);
    let values = |stage: &mut Stage| {
        let mut values: Vec<_> = stage.seen::<Health>(1).into_iter().map(|health| health.0).collect();
        values.sort_unstable();
        (values, stage.seen::<Frozen>(1).len())
    };
    assert_eq!(values(&mut stage), (vec![1, 20], 2), "with what changed in the turn of the pause");
    let world = stage.world_mut(0);
    world.get_mut::<Health>(scenery).unwrap().0 = 9;
    world.get_mut::<Health>(sleeper).unwrap().0 = 30;
    world.entity_mut(sleeper).remove::<Frozen>();
    stage.run(MS * 100);
    assert_eq!(values(&mut stage), (vec![1, 20], 2));
    stage.world_mut(0).entity_mut(sleeper).resume_replication();
    stage.run(MS * 100);
    assert_eq!(values(&mut stage), (vec![1, 30], 1));
}

#[test]
fn resources_are_mirrored() {
    let mut stage = one();
    stage.run(MS * 200);
    assert!(!stage.world_mut(1).contains_resource::<Score>());
    stage.world_mut(0).insert_resource(Score { left: 1, right: 2 });
    stage.run(MS * 100);
    assert_eq!(stage.world_mut(1).resource::<Score>(), &Score { left: 1, right: 2 });
    stage.world_mut(0).resource_mut::<Score>().left = 7;
    stage.run(MS * 100);
    assert_eq!(stage.world_mut(1).resource::<Score>(), &Score { left: 7, right: 2 });
    stage.world_mut(0).remove_resource::<Score>();
    stage.run(MS * 100);
    assert!(!stage.world_mut(1).contains_resource::<Score>());
    stage.world_mut(0).insert_resource(Score { left: 0, right: 0 });
    stage.run(MS * 100);
    assert_eq!(stage.world_mut(1).resource::<Score>().left, 0);
}

#[test]
fn resources_have_events() {
    let mut stage = one();
    stage.app(1).add_systems(
        bevy_app::Update,
        |mut inserted: MessageReader<'_, '_, client::InsertResourceEvent<Score>>,
         mut updated: MessageReader<'_, '_, client::UpdateResourceEvent<Score>>,
         mut removed: MessageReader<'_, '_, client::RemoveResourceEvent<Score>>,
         mut log: ResMut<'_, Log>| {
            log.0.extend(inserted.read().map(|_| "insert".into()));
            log.0.extend(updated.read().map(|_| "update".into()));
            log.0.extend(removed.read().map(|event| format!("remove {}", event.resource.left)));
        },
    );
    stage.world_mut(0).insert_resource(Score { left: 1, right: 2 });
    stage.run(MS * 100);
    stage.world_mut(0).resource_mut::<Score>().left = 3;
    stage.run(MS * 100);
    stage.world_mut(0).remove_resource::<Score>();
    stage.run(MS * 100);
    assert_eq!(stage.log(1), ["insert", "update", "remove 3"]);
}

#[test]
fn references_find_the_entity_here() {
    let mut stage = one();
    let prey = stage.spawn(0, Health(1));
    let id = stage.in_server(0, move |server| server.net_id(prey).unwrap());
    assert_eq!(stage.in_server(0, move |server| server.entity(id)), Some(prey));
    stage.spawn(0, Target { at: id });
    stage.run(MS * 200);
    let target: NetEntity = stage.seen::<Target>(1)[0].at;
    let there = stage.world_mut(1).resource::<EntityMap<DefaultClientTag>>().entity(target).unwrap();
    assert_eq!(stage.world_mut(1).get::<Health>(there), Some(&Health(1)));
    assert_eq!(
        stage.in_client(1, move |client| (client.entity(id), client.net_id(there))),
        (Some(there), Some(id))
    );
    stage.world_mut(0).despawn(prey);
    stage.run(MS * 200);
    assert_eq!(stage.in_client(1, move |client| client.entity(id)), None);
}

#[test]
fn a_client_may_despawn_what_it_sees_for_itself() {
    let mut stage = one();
    let entity = stage.spawn(0, Health(1));
    stage.run(MS * 100);
    let world = stage.world_mut(1);
    let there = world.query_filtered::<Entity, With<Remote>>().single(world).unwrap();
    world.despawn(there);
    stage.world_mut(0).get_mut::<Health>(entity).unwrap().0 = 2;
    stage.run(MS * 100);
    stage.world_mut(0).entity_mut(entity).insert(Frozen).remove::<Health>();
    stage.run(MS * 100);
    stage.world_mut(0).despawn(entity);
    stage.run(MS * 100);
    assert_eq!(stage.count(1), 0);
}

#[test]
fn authority_is_lent_and_taken_back() {
    let mut stage = Stage::connected(13, QUIET, 2);
    let entity = stage.spawn(0, (Health(1), at(0.0)));
    stage.world_mut(0).entity_mut(entity).delegate(Approval::Automatic);
    stage.app(0).add_systems(
        bevy_app::Update,
        |mut updated: MessageReader<'_, '_, server::UpdateComponentEvent<Health>>,
         mut log: ResMut<'_, Log>| {
            log.0.extend(updated.read().map(|_| "written".into()));
        },
    );
    stage.run(MS * 200);
    let there = |stage: &mut Stage| {
        let world = stage.world_mut(1);
        world.query_filtered::<Entity, With<Remote>>().single(world).unwrap()
    };
    let here = there(&mut stage);
    // Without authority nothing that is written here goes anywhere.
    stage.world_mut(1).get_mut::<Health>(here).unwrap().0 = 66;
    stage.run(MS * 200);
    assert_eq!(stage.world_mut(0).get::<Health>(entity), Some(&Health(1)));

    run_once(stage.world_mut(1), move |mut commands: Commands<'_, '_>| {
        commands.entity(here).request_authority();
    });
    stage.run(MS * 200);
    assert_eq!(stage.in_client(1, move |client| client.authority(here)), Some(Authority::Granted));
    stage.clear_logs();
    stage.world_mut(1).get_mut::<Health>(here).unwrap().0 = 5;
    stage.run(MS * 300);
    assert_eq!(stage.world_mut(0).get::<Health>(entity), Some(&Health(5)));
    assert_eq!(stage.seen::<Health>(2), [Health(5)], "others see it too");
    assert_eq!(stage.log(0), ["written"]);
    // What the server writes beside it arrives, and is no word of the client's.
    stage.world_mut(0).get_mut::<Position>(entity).unwrap().x = 3.0;
    stage.run(MS * 300);
    stage.world_mut(0).get_mut::<Position>(entity).unwrap().x = 4.0;
    stage.run(MS * 300);
    assert_eq!((stage.seen::<Position>(1)[0].x, stage.seen::<Position>(2)[0].x), (4.0, 4.0));

    stage.world_mut(0).entity_mut(entity).revoke_authority();
    stage.run(MS * 200);
    stage.world_mut(1).get_mut::<Health>(here).unwrap().0 = 7;
    stage.run(MS * 300);
    assert_eq!(stage.world_mut(0).get::<Health>(entity), Some(&Health(5)));
}

#[test]
fn who_asks_for_authority_can_be_denied() {
    let mut stage = one();
    let entity = stage.spawn(0, Health(1));
    stage.world_mut(0).entity_mut(entity).delegate(Approval::Ask);
    stage.app(0).add_systems(
        bevy_app::Update,
        |mut asked: MessageReader<'_, '_, server::AuthorityEvent>,
         mut server: server::Server<'_, '_, crate::rig::Field>| {
            for event in asked.read() {
                server.deny_authority(event.user, event.id);
            }
        },
    );
    stage.app(1).add_systems(
        bevy_app::Update,
        |mut events: MessageReader<'_, '_, client::AuthorityEvent>, mut log: ResMut<'_, Log>| {
            log.0.extend(events.read().map(|event| format!("{:?}", event.authority)));
        },
    );
    stage.run(MS * 200);
    stage.clear_logs();
    let world = stage.world_mut(1);
    let here = world.query_filtered::<Entity, With<Remote>>().single(world).unwrap();
    run_once(world, move |mut commands: Commands<'_, '_>| {
        commands.entity(here).request_authority();
    });
    stage.run(MS * 200);
    assert_eq!(stage.log(1), ["Some(Requested)", "Some(Denied)", "Some(Available)"]);
}

#[test]
fn a_client_spawns_changes_and_despawns_its_own() {
    let mut stage = Stage::new(14, QUIET);
    let mut config = ServerConfig::default();
    config.client_entities = 2;
    stage.server(config);
    for client in [1, 2] {
        stage.client(ClientConfig::default());
        stage.connect(client);
    }
    stage.run(MS * 1_000);
    stage.in_server(0, |server| {
        server.set_write_rule(WriteRule::when(|_, _, health: &Health| health.0 < 100));
    });
    let room = stage.world_mut(0).resource::<Lobby>().0;
    stage.app(0).add_systems(
        bevy_app::Update,
        move |mut spawned: MessageReader<'_, '_, server::SpawnEntityEvent>,
              mut despawned: MessageReader<'_, '_, server::DespawnEntityEvent>,
              mut inserted: MessageReader<'_, '_, server::InsertComponentEvent<Health>>,
              mut removed: MessageReader<'_, '_, server::RemoveComponentEvent<Health>>,
              mut commands: Commands<'_, '_>,
              mut log: ResMut<'_, Log>| {
            for event in spawned.read() {
                commands.entity(event.entity).enter_room(room);
                log.0.push("spawned".into());
            }
            log.0.extend(despawned.read().map(|_| "despawned".into()));
            log.0.extend(inserted.read().map(|_| "inserted".into()));
            log.0.extend(removed.read().map(|_| "removed".into()));
        },
    );
    stage.clear_logs();
    let own = stage.world_mut(1).spawn((ClientOwned::<DefaultClientTag>::new(), Health(9))).id();
    stage.run(MS * 300);
    let on_server = |stage: &mut Stage| {
        let world = stage.world_mut(0);
        world
            .query_filtered::<&Health, With<ClientOwned<bowline_bevy::DefaultServerTag>>>()
            .iter(world)
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!((on_server(&mut stage), stage.seen::<Health>(2)), (vec![Health(9)], vec![Health(9)]));
    assert_eq!(stage.count(1), 0, "its own client has it already");

    stage.world_mut(1).get_mut::<Health>(own).unwrap().0 = 10;
    stage.run(MS * 300);
    assert_eq!((on_server(&mut stage), stage.seen::<Health>(2)), (vec![Health(10)], vec![Health(10)]));
    stage.world_mut(1).get_mut::<Health>(own).unwrap().0 = 200;
    stage.run(MS * 300);
    assert_eq!(on_server(&mut stage), [Health(10)], "that is against the rule");
    stage.world_mut(1).entity_mut(own).remove::<Health>();
    stage.run(MS * 300);
    assert_eq!((on_server(&mut stage), stage.seen::<Health>(2)), (vec![], vec![]));
    stage.world_mut(1).despawn(own);
    stage.run(MS * 300);
    assert_eq!(stage.count(2), 0);
    assert_eq!(stage.log(0), ["spawned", "inserted", "removed", "despawned"]);

    // What is left goes with its client.
    stage.world_mut(1).spawn((ClientOwned::<DefaultClientTag>::new(), Health(3)));
    stage.run(MS * 300);
    assert_eq!(on_server(&mut stage), [Health(3)]);
    stage.in_client(1, |client| client.disconnect());
    stage.run(MS * 300);
    assert_eq!((on_server(&mut stage), stage.count(2)), (vec![], 0));
}

#[test]
fn a_value_that_cannot_travel_is_told() {
    let mut stage = one();
    stage.app(0).add_systems(
        bevy_app::Update,
        |mut events: MessageReader<'_, '_, server::UnencodableEvent>, mut log: ResMut<'_, Log>| {
            log.0.extend(
                events.read().map(|event| format!("{} {}", event.failure.item, event.entity.is_some())),
            );
        },
    );
    stage.spawn(0, Name { name: "n".repeat(41) });
    stage.run(MS * 200);
    assert_eq!(stage.log(0), ["Name true"]);
}

#[test]
fn the_server_may_take_over_or_end_what_is_a_clients_own() {
    let mut stage = Stage::new(16, QUIET);
    let mut config = ServerConfig::default();
    config.client_entities = 2;
    stage.server(config);
    stage.client(ClientConfig::default());
    stage.connect(1);
    stage.run(MS * 1_000);
    let own = [1, 2].map(|number| {
        stage.world_mut(1).spawn((ClientOwned::<DefaultClientTag>::new(), Health(number))).id()
    });
    stage.run(MS * 300);
    let room = stage.world_mut(0).resource::<Lobby>().0;
    let [taken, ended] = own.map(|own| {
        let id = stage.in_client(1, move |client| client.net_id(own).unwrap());
        stage.in_server(0, move |server| server.entity(id).unwrap())
    });
    stage.world_mut(0).entity_mut(taken).disown().enter_room(room);
    stage.world_mut(0).despawn(ended);
    stage.run(MS * 300);
    let world = stage.world_mut(1);
    assert!(world.get_entity(own[1]).is_err(), "gone here too");
    assert!(world.get::<Remote>(own[0]).is_some() && world.get::<ClientOwned>(own[0]).is_none());
    // From now on the server's word counts, and it outlives the client.
    stage.world_mut(1).get_mut::<Health>(own[0]).unwrap().0 = 50;
    stage.run(MS * 300);
    assert_eq!(stage.world_mut(0).get::<Health>(taken), Some(&Health(1)));
    stage.world_mut(0).get_mut::<Health>(taken).unwrap().0 = 9;
    stage.run(MS * 300);
    assert_eq!(stage.world_mut(1).get::<Health>(own[0]), Some(&Health(9)));
    stage.in_client(1, |client| client.disconnect());
    stage.run(MS * 300);
    assert_eq!(stage.world_mut(0).get::<Health>(taken), Some(&Health(9)));
}

#[test]
fn bevys_math_travels_and_is_quantized() {
    use crate::rig::Velocity;
    let mut stage = one();
    let value = glam::Vec3::new(1.26, -3.0, 10.0);
    stage.spawn(0, Velocity { value, facing: glam::Quat::from_rotation_y(1.0) });
    stage.run(MS * 200);
    let seen = stage.seen::<Velocity>(1)[0];
    assert!((seen.value - glam::Vec3::new(1.3, -3.0, 10.0)).length() < 1e-4, "{seen:?}");
    assert!(seen.facing.angle_between(glam::Quat::from_rotation_y(1.0)) < 0.01);
}

#[cfg(feature = "bevy_reflect")]
#[test]
fn inspectors_see_what_is_replicated() {
    use bevy_ecs::reflect::{AppTypeRegistry, ReflectComponent};
    use bevy_reflect::ReflectRef;
    use std::any::TypeId;
    let mut stage = one();
    let entity = stage.spawn(0, Health(1));
    stage.run(MS * 200);
    let id = stage.world_mut(0).get::<NetId>(entity).unwrap().id();
    let registry = stage.world_mut(0).resource::<AppTypeRegistry>().clone();
    let registry = registry.read();
    let component =
        registry.get_type_data::<ReflectComponent>(TypeId::of::<NetId>()).expect("it is registered");
    let shown = component.reflect(stage.world_mut(0).entity(entity)).expect("the entity has one");
    let ReflectRef::Struct(fields) = shown.reflect_ref() else { panic!("a struct") };
    let slot = fields.field("slot").and_then(|slot| slot.try_downcast_ref::<u32>());
    assert_eq!(slot, Some(&(id.slot() as u32)));
    assert!(registry.get(TypeId::of::<Replicated>()).is_some());
}

/// What a world looks like: each entity by its id, in words.
fn picture<T: bowline_bevy::Tag>(world: &mut World, only: impl Fn(&World, Entity) -> bool) -> Vec<String> {
    let mut all: Vec<_> =
        world.query::<(Entity, &NetId<T>)>().iter(world).map(|(e, id)| (id.id(), e)).collect();
    all.sort();
    let all = all.into_iter().filter(|(_, entity)| only(world, *entity));
    all.map(|(id, entity)| {
        let here = world.entity(entity);
        format!(
            "{id}: {:?} {:?} {:?} {:?} {:?}",
            here.get::<Position>(),
            here.get::<Health>(),
            here.get::<Frozen>(),
            here.get::<Twins>(),
            here.get::<Name>()
        )
    })
    .collect()
}

#[derive(Component)]
struct InLobby;

#[test]
fn c6_random_worlds_are_right_when_the_network_has_healed() {
    use bowline::Entropy as _;
    for seed in 0..20 {
        let mut random = SeededEntropy::new(seed);
        let mut below = move |most: u64| random.next_u64() % most;
        let mut stage = Stage::connected(seed, QUIET, 2);
        let room = stage.world_mut(0).resource::<Lobby>().0;
        let mut profile = bowline::transport::LinkProfile::new(60, 40, 0.15);
        profile.duplication = 0.1;
        stage.cluster().network().set_conditions(Conditions::from_profile(profile));
        let mut hidden = Vec::new();
        for step in 0..150_u32 {
            let world = stage.world_mut(0);
            let all: Vec<_> = world.query_filtered::<Entity, With<Replicated>>().iter(world).collect();
            let some = (!all.is_empty()).then(|| all[below(all.len() as u64) as usize]);
            match (below(10), some) {
                (0 | 1, _) => {
                    let twins = Twins { one: step, other: step + 7 };
                    let mut new = world.spawn((at(step as f32), twins, Replicated, InLobby));
                    new.enter_room(room);
                    if below(4) == 0 {
                        // Never in scope of anybody.
                        new.leave_room(room).remove::<InLobby>();
                        hidden.push(new.id());
                    }
                }
                (2, Some(entity)) => {
                    world.despawn(entity);
                }
                (3, Some(entity)) => {
                    world.entity_mut(entity).insert(Health(step as u8));
                }
                (4, Some(entity)) => {
                    world.entity_mut(entity).remove::<Health>();
                }
                (5, Some(entity)) => {
                    world.entity_mut(entity).insert_if_new(Name { name: format!("{step}") });
                }
                (6, Some(entity)) if !hidden.contains(&entity) => {
                    world.entity_mut(entity).leave_room(room).remove::<InLobby>();
                }
                (7, Some(entity)) if !hidden.contains(&entity) => {
                    world.entity_mut(entity).enter_room(room).insert(InLobby);
                }
                (_, Some(entity)) => {
                    let mut here = world.entity_mut(entity);
                    if let Some(mut twins) = here.get_mut::<Twins>() {
                        *twins = Twins { one: step, other: step + 7 };
                    }
                    here.get_mut::<Position>().unwrap().x = step as f32;
                }
                _ => {}
            }
            stage.run(MS * 20);
            for client in [1, 2] {
                let whole = stage.seen::<Twins>(client).iter().all(|twins| twins.other == twins.one + 7);
                assert!(whole, "seed {seed}: half of a change");
            }
        }
        stage.cluster().network().set_conditions(QUIET);
        stage.run(MS * 3_000);
        let server = picture::<bowline_bevy::DefaultServerTag>(stage.world_mut(0), |world, entity| {
            world.entity(entity).contains::<InLobby>()
        });
        for client in [1, 2] {
            let seen = picture::<DefaultClientTag>(stage.world_mut(client), |_, _| true);
            assert_eq!(seen, server, "seed {seed}");
        }
    }
}

#[test]
fn c7_updates_never_go_back_in_time() {
    let mut stage = Stage::connected(15, Conditions::new(60, 50, 0.1), 1);
    let entity = stage.spawn(0, Twins { one: 0, other: 7 });
    let mut last = 0;
    for number in 1..400 {
        *stage.world_mut(0).get_mut::<Twins>(entity).unwrap() = Twins { one: number, other: number + 7 };
        stage.run(MS * 10);
        for twins in stage.seen::<Twins>(1) {
            assert!(twins.one >= last && twins.other == twins.one + 7, "{twins:?} after {last}");
            last = twins.one;
        }
    }
    assert!(last > 300);
}
