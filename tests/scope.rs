//! Who sees what: rooms, what is shown and hidden, what becomes of it when it goes.

use bowline::Grid;
use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault};
use bowline_tests::arena::{
    Field, Health, MS, Position, Score, Weather, entity_story, field, position, quiet, user_of,
};

fn sees(cluster: &Cluster<Field>, client: usize, entity: NetEntity) -> bool {
    cluster.client(client).entities().world().contains(entity)
}

#[test]
fn rooms_are_many_to_many() {
    let (mut cluster, lobby) = quiet(2);
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    let cellar = server.create_room();
    let rat = server.spawn((Health(1),)).unwrap();
    let nowhere = server.spawn((Health(2),)).unwrap();
    assert!(server.room_mut(cellar).add_entity(rat) && !server.room_mut(cellar).add_entity(rat));
    cluster.run_for(MS * 200);
    assert!(!sees(&cluster, 0, rat) && !sees(&cluster, 0, nowhere));
    cluster.server_mut().room_mut(cellar).add_user(user);
    cluster.run_for(MS * 200);
    assert!(sees(&cluster, 0, rat) && !sees(&cluster, 1, rat));
    // In two rooms at once, and in one of them still.
    cluster.server_mut().room_mut(lobby).add_entity(rat);
    cluster.run_for(MS * 200);
    assert!(sees(&cluster, 1, rat));
    cluster.server_mut().room_mut(cellar).remove_entity(rat);
    cluster.run_for(MS * 200);
    assert!(sees(&cluster, 0, rat) && sees(&cluster, 1, rat));
    assert_eq!(entity_story(&cluster, 0).len(), 2, "it was there all the time");
    cluster.server_mut().destroy_room(lobby);
    cluster.run_for(MS * 200);
    assert!(!sees(&cluster, 0, rat) && !sees(&cluster, 1, rat));
    assert!(!cluster.server_mut().room_mut(lobby).add_entity(rat), "it is closed");
}

#[test]
fn what_is_said_of_a_user_counts_over_rooms() {
    let (mut cluster, room) = quiet(2);
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    let hidden = server.spawn((Health(1),)).unwrap();
    let shown = server.spawn((Health(2),)).unwrap();
    server.room_mut(room).add_entity(hidden);
    server.scope_mut(user).unwrap().exclude(hidden).include(shown);
    cluster.run_for(MS * 200);
    assert!(!sees(&cluster, 0, hidden) && sees(&cluster, 1, hidden));
    assert!(sees(&cluster, 0, shown) && !sees(&cluster, 1, shown));
    assert!(cluster.server_mut().scope_mut(user).unwrap().has(shown));
    cluster.server_mut().scope_mut(user).unwrap().clear(hidden).clear(shown);
    cluster.run_for(MS * 200);
    assert!(sees(&cluster, 0, hidden) && !sees(&cluster, 0, shown));
}

#[test]
fn what_is_out_of_sight_may_stay_as_it_was() {
    let (mut cluster, room) = quiet(1);
    let server = cluster.server_mut();
    let [ghost, corpse] = [1, 2].map(|number| server.spawn((position(number), Health(9))).unwrap());
    for entity in [ghost, corpse] {
        server.room_mut(room).add_entity(entity);
    }
    server.entity_mut(corpse).unwrap().on_scope_exit(ScopeExit::Persist);
    cluster.run_for(MS * 200);
    for entity in [ghost, corpse] {
        cluster.server_mut().room_mut(room).remove_entity(entity);
    }
    cluster.run_for(MS * 200);
    assert!(!sees(&cluster, 0, ghost) && sees(&cluster, 0, corpse));
    cluster.server_mut().entity_mut(corpse).unwrap().component_mut::<Position>().unwrap().x = 50.0;
    cluster.run_for(MS * 200);
    let x = |cluster: &Cluster<Field>| {
        cluster.client(0).entities().world().component::<Position>(corpse).unwrap().x
    };
    assert_eq!(x(&cluster), 2.0);
    cluster.forget_seen();
    cluster.server_mut().room_mut(room).add_entity(corpse);
    cluster.run_for(MS * 200);
    assert_eq!(x(&cluster), 50.0);
    let story = entity_story(&cluster, 0);
    assert!(
        story.len() == 1 && story[0].starts_with("UpdateComponent"),
        "only what it has missed: {story:?}"
    );
}

#[test]
fn c6_what_is_out_of_sight_leaves_no_trace_in_any_byte() {
    let trace = |with_secret: bool| {
        let (mut cluster, room) = quiet(1);
        let server = cluster.server_mut();
        let seen = server.spawn((position(1),)).unwrap();
        server.room_mut(room).add_entity(seen);
        let secret = with_secret.then(|| {
            let other = server.create_room();
            let secret = server.spawn((position(2), Health(1))).unwrap();
            server.room_mut(other).add_entity(secret);
            secret
        });
        for turn in 0..60 {
            let server = cluster.server_mut();
            if turn % 3 == 0 {
                server.entity_mut(seen).unwrap().component_mut::<Position>().unwrap().x += 1.0;
            }
            if let Some(secret) = secret {
                server.entity_mut(secret).unwrap().component_mut::<Position>().unwrap().y += 1.0;
            }
            cluster.run_for(MS * 50);
        }
        cluster.trace_hash()
    };
    assert_eq!(trace(false), trace(true));
}

#[test]
fn a_grid_shows_what_is_near() {
    let (mut cluster, _) = quiet(1);
    let user = user_of(&cluster, 0);
    let mut grid = Grid::new(10.0, 1);
    let server = cluster.server_mut();
    let stones: Vec<_> = (0..20)
        .map(|at| {
            let stone = server.spawn((position(at),)).unwrap();
            assert!(grid.place(server, stone, at as f32 * 10.0 + 5.0, 0.0));
            stone
        })
        .collect();
    let seen = |cluster: &Cluster<Field>| -> Vec<usize> {
        stones.iter().enumerate().filter(|(_, stone)| sees(cluster, 0, **stone)).map(|(at, _)| at).collect()
    };
    grid.look(server, user, 55.0, 5.0);
    cluster.run_for(MS * 200);
    assert_eq!(seen(&cluster), [4, 5, 6]);
    // One cell on, what is behind lingers; two on, it is gone.
    grid.look(cluster.server_mut(), user, 65.0, 5.0);
    cluster.run_for(MS * 200);
    assert_eq!(seen(&cluster), [4, 5, 6, 7]);
    grid.look(cluster.server_mut(), user, 85.0, 5.0);
    cluster.run_for(MS * 200);
    assert_eq!(seen(&cluster), [6, 7, 8, 9]);
    // A stone rolls into sight.
    grid.place(cluster.server_mut(), stones[0], 88.0, 9.9);
    cluster.run_for(MS * 200);
    assert_eq!(seen(&cluster), [0, 6, 7, 8, 9]);
    // Nothing is left of what is nowhere.
    let server = cluster.server_mut();
    server.disconnect(user, "bye");
    assert!(!grid.look(server, user, 0.0, 0.0));
    for stone in &stones {
        grid.remove(server, *stone);
        grid.place(server, *stone, f32::NAN, f32::INFINITY);
        grid.remove(server, *stone);
    }
    server.despawn(stones[3]);
    assert!(!grid.place(server, stones[3], 0.0, 0.0), "it is gone");
    assert!(grid.is_empty(), "{grid:?}");
    assert_eq!(server.rooms().count(), 1, "that of the test");
}

#[test]
fn a5_with_a_user_goes_what_it_saw_in_that_tick() {
    let (mut cluster, room) = quiet(2);
    let server = cluster.server_mut();
    let entity = server.spawn((Health(1),)).unwrap();
    server.room_mut(room).add_entity(entity);
    cluster.run_for(MS * 200);
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    server.despawn(entity);
    server.disconnect(user, "bye");
    assert!(server.scope_mut(user).is_none());
    // Its slot is free as soon as the other has heard.
    cluster.run_for(MS * 300);
    let next = cluster.server_mut().spawn((Health(2),)).unwrap();
    assert_eq!((next.slot(), next.generation()), (entity.slot(), 1));
}

#[test]
fn a9_everything_comes_again_after_a_reconnect() {
    for stale in [StaleEntities::Despawn, StaleEntities::Keep] {
        let mut config = ClusterConfig::new(3, 1);
        config.conditions = Conditions::new(20, 0, 0.0);
        config.client.stale_entities = stale;
        let (mut cluster, room) = field(config);
        let server = cluster.server_mut();
        let entities: Vec<_> = (0..20).map(|number| server.spawn((position(number),)).unwrap()).collect();
        for entity in &entities {
            server.room_mut(room).add_entity(*entity);
        }
        server.insert_resource(Score { left: 3, right: 4 }).unwrap();
        server.insert_resource(Weather("rain".into())).unwrap();
        cluster.run_for(MS * 300);
        assert_eq!(cluster.client(0).entities().world().len(), 20);
        cluster.apply(&Fault::Cut(0));
        cluster.run_for(MS * 12_000);
        assert_eq!((cluster.client(0).phase(), cluster.server().user_count()), (Phase::Disconnected, 0));
        assert_eq!(cluster.client(0).entities().world().len(), 20, "it may still be shown");
        cluster.apply(&Fault::Join(0));
        cluster.forget_seen();
        // One is gone meanwhile.
        cluster.server_mut().despawn(entities[7]);
        cluster.server_mut().remove_resource::<Weather>();
        cluster.client_mut(0).reconnect().unwrap();
        cluster.run_for(MS * 500);
        let user = user_of(&cluster, 0);
        cluster.server_mut().room_mut(room).add_user(user);
        cluster.run_for(MS * 500);
        let story = entity_story(&cluster, 0);
        let count = |word: &str| story.iter().filter(|event| event.starts_with(word)).count();
        assert_eq!((count("SpawnEntity"), count("InsertComponent")), (19, 19), "{stale:?}");
        let world = cluster.client(0).entities().world();
        match stale {
            StaleEntities::Despawn => {
                assert_eq!(
                    (count("DespawnEntity"), count("RemoveResource"), count("InsertResource")),
                    (20, 2, 1)
                );
                assert_eq!(world.len(), 19);
            }
            StaleEntities::Keep => {
                // Those whose place was taken are gone; the one that is stale says so.
                assert_eq!((count("DespawnEntity"), count("UpdateResource")), (19, 1));
                // A resource that has not come again is stale too.
                assert!(cluster.client(0).entities().world().resource::<Weather>().is_some());
                let stale: Vec<_> = cluster.client(0).entities().stale_entities().collect();
                assert_eq!((stale.as_slice(), world.len()), (&entities[7..8], 20));
                cluster.client_mut(0).entities_mut().despawn_stale();
                let world = cluster.client(0).entities().world();
                assert_eq!((world.len(), world.resource::<Weather>()), (19, None));
            }
        }
        assert_eq!(
            cluster.client(0).entities().world().resource::<Score>(),
            Some(&Score { left: 3, right: 4 })
        );
    }
}
