//! Entities that appear, change and go.

use bowline::prelude::*;
use bowline::{BitWriter, ClientSide};
use bowline_tests::arena::{
    Diary, Field, Frozen, Health, MS, Name, Position, Score, Target, described, entity_story, position,
    quiet, user_of,
};

#[test]
fn an_entity_is_seen_as_it_is_and_as_it_changes() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let entity = server.spawn((position(1), Health(100))).unwrap();
    server.entity_mut(entity).unwrap().enter_room(room);
    cluster.run_for(MS * 100);
    let world = cluster.client(0).entities().world();
    assert_eq!(world.component::<Position>(entity), Some(&position(1)));
    assert_eq!(world.component::<Health>(entity), Some(&Health(100)));
    assert_eq!(
        entity_story(&cluster, 0),
        [
            "SpawnEntity(NetEntity(0.0))",
            "InsertComponent(NetEntity(0.0), Position)",
            "InsertComponent(NetEntity(0.0), Health)"
        ]
    );
    cluster.forget_seen();

    let mut changed = cluster.server_mut().entity_mut(entity).unwrap();
    changed.component_mut::<Position>().unwrap().y = 7.0;
    changed.insert(Frozen);
    changed.remove::<Health>();
    cluster.run_for(MS * 100);
    let world = cluster.client(0).entities().world();
    assert_eq!(world.component::<Position>(entity), Some(&Position { y: 7.0, ..position(1) }));
    assert!(world.has::<Frozen>(entity) && !world.has::<Health>(entity));
    let story = entity_story(&cluster, 0);
    assert_eq!(story.len(), 3, "{story:?}");
    assert_eq!(story[0], "RemoveComponent(NetEntity(0.0), ..)");
    assert!(story[1].starts_with("UpdateComponent(NetEntity(0.0), Position, "), "{story:?}");
    assert_eq!(story[2], "InsertComponent(NetEntity(0.0), Frozen)");
    cluster.forget_seen();

    assert!(cluster.server_mut().despawn(entity));
    cluster.run_for(MS * 100);
    assert!(!cluster.client(0).entities().world().contains(entity));
    assert_eq!(entity_story(&cluster, 0), ["DespawnEntity(NetEntity(0.0))"]);
}

#[test]
fn what_is_larger_than_a_packet_comes_whole() {
    let (mut cluster, room) = quiet(1);
    let text: String = (0..15_000).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
    let server = cluster.server_mut();
    let entity = server.spawn((Diary { text: text.clone(), entries: 1 }, Health(3))).unwrap();
    server.entity_mut(entity).unwrap().enter_room(room);
    cluster.run_for(MS * 3_000);
    let world = cluster.client(0).entities().world();
    assert_eq!(world.component::<Diary>(entity).map(|diary| &diary.text), Some(&text));
    assert_eq!(world.component::<Health>(entity), Some(&Health(3)));
    // A small change of it is small.
    let sent = cluster.network().stats().sent_bytes;
    cluster.server_mut().entity_mut(entity).unwrap().component_mut::<Diary>().unwrap().entries = 2;
    cluster.run_for(MS * 500);
    assert_eq!(cluster.client(0).entities().world().component::<Diary>(entity).unwrap().entries, 2);
    assert!(cluster.network().stats().sent_bytes - sent < 1_000);
}

#[test]
fn many_that_are_larger_than_a_packet_take_turns() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let spawned: Vec<_> = (0..30)
        .map(|entries| {
            let entity = server.spawn((Diary { text: "d".repeat(3_000), entries },)).unwrap();
            server.room_mut(room).add_entity(entity);
            entity
        })
        .collect();
    // Nothing changes again: what found no room at first is remembered.
    cluster.run_for(MS * 10_000);
    for (entity, entries) in spawned.into_iter().zip(0..) {
        let diary = cluster.client(0).entities().world().component::<Diary>(entity);
        assert_eq!(diary.map(|diary| diary.entries), Some(entries), "{entity}");
    }
}

#[test]
fn a_value_over_a_limit_is_an_error_and_the_last_good_one_stays() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let entity = server.spawn((Diary { text: "short".into(), entries: 0 },)).unwrap();
    server.entity_mut(entity).unwrap().enter_room(room);
    cluster.run_for(MS * 100);
    cluster.server_mut().entity_mut(entity).unwrap().component_mut::<Diary>().unwrap().text =
        "x".repeat(20_001);
    cluster.run_for(MS * 200);
    assert_eq!(cluster.client(0).entities().world().component::<Diary>(entity).unwrap().text, "short");
    let story = bowline_tests::arena::server_story(&cluster);
    assert!(
        story.iter().any(|word| word.starts_with("`Diary` of entity 0 is not sent as it is now: ")),
        "{story:?}"
    );
}

#[test]
fn resources_are_seen_by_all_and_in_no_room() {
    let (mut cluster, _) = quiet(2);
    let server = cluster.server_mut();
    server.insert_resource(Score { left: 1, right: 2 }).unwrap();
    cluster.run_for(MS * 100);
    for client in 0..2 {
        assert_eq!(
            cluster.client(client).entities().world().resource::<Score>(),
            Some(&Score { left: 1, right: 2 })
        );
        assert_eq!(entity_story(&cluster, client), ["InsertResource(Score)"]);
        assert!(cluster.client(client).entities().world().is_empty());
    }
    cluster.forget_seen();
    cluster.server_mut().resource_mut::<Score>().unwrap().right = 3;
    cluster.run_for(MS * 100);
    assert_eq!(cluster.client(0).entities().world().resource::<Score>(), Some(&Score { left: 1, right: 3 }));
    assert!(entity_story(&cluster, 0)[0].starts_with("UpdateResource(Score, "));
    cluster.forget_seen();
    assert_eq!(cluster.server_mut().remove_resource::<Score>(), Some(Score { left: 1, right: 3 }));
    cluster.run_for(MS * 100);
    assert_eq!(cluster.client(1).entities().world().resource::<Score>(), None);
    assert_eq!(entity_story(&cluster, 1), ["RemoveResource(..)"]);
}

#[test]
fn what_did_not_change_is_not_sent() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let entity = server.spawn((position(1), Name { name: "rock".into() })).unwrap();
    server.entity_mut(entity).unwrap().enter_room(room);
    cluster.run_for(MS * 200);
    cluster.forget_seen();
    for _ in 0..20 {
        let mut at = cluster.server_mut().entity_mut(entity).unwrap();
        *at.component_mut::<Position>().unwrap() = position(1);
        cluster.run_for(MS * 50);
    }
    assert_eq!(entity_story(&cluster, 0), [""; 0]);
    // Immutable components can be taken away and put back, and are sent then.
    let mut at = cluster.server_mut().entity_mut(entity).unwrap();
    at.remove::<Name>();
    at.insert(Name { name: "stone".into() });
    cluster.run_for(MS * 100);
    assert_eq!(cluster.client(0).entities().world().component::<Name>(entity).unwrap().name, "stone");
}

#[test]
fn static_and_paused_entities() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let tile = server.spawn((Health(1),)).unwrap();
    server.entity_mut(tile).unwrap().make_static();
    server.entity_mut(tile).unwrap().enter_room(room);
    let unit = server.spawn((Health(1),)).unwrap();
    server.entity_mut(unit).unwrap().enter_room(room);
    cluster.run_for(MS * 100);
    let health = |cluster: &bowline_sim::Cluster<Field>, entity| {
        cluster.client(0).entities().world().component::<Health>(entity).unwrap().0
    };
    assert_eq!((health(&cluster, tile), health(&cluster, unit)), (1, 1));
    let server = cluster.server_mut();
    server.entity_mut(unit).unwrap().pause();
    for entity in [tile, unit] {
        server.entity_mut(entity).unwrap().component_mut::<Health>().unwrap().0 = 2;
    }
    cluster.run_for(MS * 200);
    assert_eq!((health(&cluster, tile), health(&cluster, unit)), (1, 1));
    cluster.server_mut().entity_mut(unit).unwrap().resume();
    cluster.run_for(MS * 200);
    assert_eq!((health(&cluster, tile), health(&cluster, unit)), (1, 2));
}

#[test]
fn what_is_referred_to_comes_first() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    // The one that refers has the lower slot and would go out first.
    let hunter = server.spawn(()).unwrap();
    let prey = server.spawn((Diary { text: "p".repeat(6_000), entries: 0 },)).unwrap();
    server.entity_mut(hunter).unwrap().insert(Target { at: prey });
    for entity in [hunter, prey] {
        server.entity_mut(entity).unwrap().enter_room(room);
    }
    cluster.run_for(MS * 2_000);
    let story = entity_story(&cluster, 0);
    let spawns: Vec<_> = story.iter().filter(|word| word.starts_with("Spawn")).collect();
    assert_eq!(spawns, ["SpawnEntity(NetEntity(1.0))", "SpawnEntity(NetEntity(0.0))"]);
    // Those that refer to each other come all the same.
    let server = cluster.server_mut();
    let one = server.spawn(()).unwrap();
    let other = server.spawn((Target { at: one },)).unwrap();
    server.entity_mut(one).unwrap().insert(Target { at: other });
    for entity in [one, other] {
        server.entity_mut(entity).unwrap().enter_room(room);
    }
    cluster.run_for(MS * 500);
    let world = cluster.client(0).entities().world();
    assert!(world.contains(one) && world.contains(other));
    // And what refers to something out of sight does not wait for it.
    let server = cluster.server_mut();
    let hidden = server.spawn((Health(9),)).unwrap();
    let seeker = server.spawn((Target { at: hidden },)).unwrap();
    server.entity_mut(seeker).unwrap().enter_room(room);
    cluster.run_for(MS * 200);
    let world = cluster.client(0).entities().world();
    assert!(world.contains(seeker) && !world.contains(hidden));
}

#[test]
fn a_query_finds_those_that_have_all() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    for number in 0..10_u32 {
        let entity = server.spawn((position(number),)).unwrap();
        let mut at = server.entity_mut(entity).unwrap();
        if number % 2 == 0 {
            at.insert(Health(number as u8));
        }
        at.enter_room(room);
    }
    server.world_mut().for_each_mut::<Health>(|_, mut health| health.0 += 100);
    cluster.run_for(MS * 100);
    let world = cluster.client(0).entities().world();
    let found: Vec<_> =
        world.query::<(&Position, &Health)>().map(|(_, (at, health))| (at.x, health.0)).collect();
    assert_eq!(found, [(0.0, 100), (2.0, 102), (4.0, 104), (6.0, 106), (8.0, 108)]);
    assert_eq!(world.query::<(&Position, Option<&Health>)>().count(), 10);
}

#[test]
fn an_id_travels_in_messages() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let entity = server.spawn((Health(1),)).unwrap();
    server.entity_mut(entity).unwrap().enter_room(room);
    let user = user_of(&cluster, 0);
    cluster
        .server_mut()
        .send_to::<bowline_tests::arena::Talk>(user, bowline_tests::arena::Look { at: entity })
        .unwrap();
    cluster.run_for(MS * 100);
    let looked = cluster.client_seen(0).iter().find_map(|(_, event)| match event {
        ClientEvent::Message(bowline_tests::arena::FieldMessage::Look(look)) => Some(look.at),
        _ => None,
    });
    assert!(described(cluster.client(0).entities().world(), looked.unwrap()).is_some());
}

#[test]
fn what_is_new_and_over_a_limit_is_not_seen_until_it_fits() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let long = Diary { text: "x".repeat(20_001), entries: 0 };
    let entity = server.spawn((Health(1), long.clone())).unwrap();
    let other = server.spawn((Health(2),)).unwrap();
    server.entity_mut(other).unwrap().insert(long);
    for entity in [entity, other] {
        server.room_mut(room).add_entity(entity);
    }
    server.insert_resource(bowline_tests::arena::Weather("sun".into())).unwrap();
    cluster.run_for(MS * 300);
    assert_eq!(cluster.client(0).phase(), Phase::Connected);
    for entity in [entity, other] {
        let world = cluster.client(0).entities().world();
        assert!(world.has::<Health>(entity) && !world.has::<Diary>(entity));
        cluster.server_mut().entity_mut(entity).unwrap().component_mut::<Diary>().unwrap().text =
            "short".into();
    }
    cluster.run_for(MS * 300);
    for entity in [entity, other] {
        assert_eq!(cluster.client(0).entities().world().component::<Diary>(entity).unwrap().text, "short");
    }
}

#[test]
fn what_is_larger_than_any_message_is_told_and_comes_when_it_is_smaller() {
    let mut config = bowline_sim::ClusterConfig::new(1, 1);
    config.server.connection.max_message_size = 4_000;
    config.client.connection.max_message_size = 4_000;
    config.server.client_entities = 1;
    let (mut cluster, room) = bowline_tests::arena::field(config);
    let server = cluster.server_mut();
    let entity = server.spawn((Diary { text: "x".repeat(9_000), entries: 0 },)).unwrap();
    server.room_mut(room).add_entity(entity);
    let mine =
        cluster.client_mut(0).entities_mut().spawn((Diary { text: "y".repeat(9_000), entries: 0 },)).unwrap();
    cluster.run_for(MS * 500);
    assert!(!cluster.client(0).entities().world().contains(entity));
    let story = bowline_tests::arena::server_story(&cluster);
    let told = "`all of it` of entity 1 is not sent as it is now: it takes 90";
    assert!(story.iter().any(|word| word.starts_with(told)), "{story:?}");
    let seen = cluster.client_seen(0).iter().map(|(_, event)| format!("{event:?}"));
    assert!(seen.into_iter().any(|event| event.starts_with("Unencodable")), "the client too");
    cluster.server_mut().entity_mut(entity).unwrap().component_mut::<Diary>().unwrap().text = "small".into();
    cluster.client_mut(0).entities_mut().world_mut().component_mut::<Diary>(mine).unwrap().text =
        "tiny".into();
    cluster.run_for(MS * 500);
    assert_eq!(cluster.client(0).entities().world().component::<Diary>(entity).unwrap().text, "small");
    assert_eq!(cluster.server().world().component::<Diary>(mine).unwrap().text, "tiny");
}

#[test]
fn what_is_paused_is_seen_by_nobody_whatever_is_lost() {
    for seed in 0..30 {
        let config = bowline_sim::ClusterConfig::new(seed, 2);
        let (mut cluster, room) = bowline_tests::arena::field(config);
        cluster.network().set_conditions(bowline_sim::Conditions::new(60, 0, 0.3));
        let server = cluster.server_mut();
        let entity = server.spawn((position(0), Health(1))).unwrap();
        server.room_mut(room).add_entity(entity);
        let late = user_of(&cluster, 1);
        cluster.server_mut().scope_mut(late).unwrap().exclude(entity);
        cluster.run_for(MS * 2_000);
        let mut at = cluster.server_mut().entity_mut(entity).unwrap();
        at.component_mut::<Position>().unwrap().x = 1.0;
        at.pause();
        at.component_mut::<Position>().unwrap().x = 9.0;
        at.remove::<Health>();
        at.insert(Frozen);
        cluster.server_mut().scope_mut(late).unwrap().clear(entity);
        cluster.run_for(MS * 6_000);
        for client in 0..2 {
            let world = cluster.client(client).entities().world();
            assert_eq!(
                world.component::<Position>(entity).map(|at| at.x),
                Some(1.0),
                "seed {seed}, client {client}"
            );
            assert!(world.has::<Health>(entity) && !world.has::<Frozen>(entity), "seed {seed}");
        }
        cluster.server_mut().entity_mut(entity).unwrap().resume();
        cluster.run_for(MS * 6_000);
        for client in 0..2 {
            assert_eq!(
                described(cluster.client(client).entities().world(), entity),
                described(cluster.server().world(), entity)
            );
        }
    }
}

#[test]
fn what_refers_to_itself_waits_for_nobody() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let [plain, narcissus] = [0, 1].map(|_| server.spawn(()).unwrap());
    server.entity_mut(narcissus).unwrap().insert(Target { at: narcissus });
    for entity in [plain, narcissus] {
        server.room_mut(room).add_entity(entity);
    }
    assert!(cluster.run_until(MS * 500, |c| c.client(0).entities().world().contains(plain)));
    assert!(cluster.client(0).entities().world().contains(narcissus));
}

#[test]
fn what_is_under_way_by_itself_goes_once_however_often_it_changes_meanwhile() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let entity = server.spawn((Health(1),)).unwrap();
    server.room_mut(room).add_entity(entity);
    cluster.run_for(MS * 1_000);
    let mut at = cluster.server_mut().entity_mut(entity).unwrap();
    at.insert(Diary { text: "d".repeat(15_000), entries: 0 });
    let sent = cluster.network().stats().sent_bytes;
    for entries in 1..=10 {
        cluster.run_for(MS * 50);
        let mut at = cluster.server_mut().entity_mut(entity).unwrap();
        at.component_mut::<Diary>().unwrap().entries = entries;
    }
    cluster.run_for(MS * 3_000);
    assert_eq!(cluster.client(0).entities().world().component::<Diary>(entity).unwrap().entries, 10);
    let sent = cluster.network().stats().sent_bytes - sent;
    assert!(sent < 25_000, "{sent}");
}

/// A packet that says of the entity in a slot below two that it is a resource with a score, or that its score is another.
fn score(slot: usize, is_fresh: bool, left: u32) -> Vec<u8> {
    let mut writer = BitWriter::new();
    // No farewells; a shape or an update, of the first slot or the second.
    writer.write_bits(if is_fresh { 0b10 } else { 0b100 }, if is_fresh { 2 } else { 3 });
    if slot == 0 {
        writer.write_bool(false);
    } else {
        writer.write_bits(1, 3);
        writer.write_bits(0, 4);
    }
    if is_fresh {
        writer.write_bool(true);
        writer.write_varint(0);
        writer.write_bool(false);
        writer.write_varint(1);
        // The eighth kind of nine.
        writer.write_bits(7, 4);
    } else {
        writer.write_bool(true);
    }
    left.encode(&mut writer).unwrap();
    7_u32.encode(&mut writer).unwrap();
    writer.write_bits(0, if is_fresh { 2 } else { 1 });
    writer.into_bytes()
}

#[test]
fn a_resource_is_the_newest_that_was_told_of_and_no_other() {
    let mut client = ClientSide::<Field>::new();
    assert!(client.take_in_state(&score(1, true, 20), 2, 2));
    // The one before it, that was overtaken: its end is still to come.
    assert!(client.take_in_state(&score(0, true, 10), 1, 1));
    assert_eq!(client.world().resource::<Score>(), Some(&Score { left: 20, right: 7 }));
    assert!(client.take_in_state(&score(0, false, 11), 3, 3));
    assert_eq!(client.world().resource::<Score>(), Some(&Score { left: 20, right: 7 }));
    assert!(client.take_in_state(&score(1, false, 21), 4, 4));
    assert_eq!(client.world().resource::<Score>(), Some(&Score { left: 21, right: 7 }));
}
