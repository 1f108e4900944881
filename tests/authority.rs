//! Who may write: entities of clients, and entities of the server that are lent.

use bowline::prelude::*;
use bowline::{BitWriter, ClientSide, NoEntityId, ServerSide, WriteRule};
use bowline_sim::{Cluster, ClusterConfig, Conditions};
use bowline_tests::arena::{
    Field, Frozen, Health, MS, Position, Twins, entity_story, field, position, quiet, server_story, user_of,
};

/// An entity that can be lent, seen by all.
fn lent(cluster: &mut Cluster<Field>, room: RoomId, approval: Approval) -> NetEntity {
    let server = cluster.server_mut();
    let entity = server.spawn((position(1), Health(100))).unwrap();
    let mut at = server.entity_mut(entity).unwrap();
    at.enter_room(room);
    assert!(at.delegate(approval));
    cluster.run_for(MS * 200);
    entity
}

fn authority(cluster: &Cluster<Field>, client: usize, entity: NetEntity) -> Option<Authority> {
    cluster.client(client).entities().authority(entity)
}

fn move_to(cluster: &mut Cluster<Field>, client: usize, entity: NetEntity, x: f32) {
    let world = cluster.client_mut(client).entities_mut().world_mut();
    world.component_mut::<Position>(entity).unwrap().x = x;
    cluster.run_for(MS * 200);
}

fn x_at(world: &bowline::World<Field>, entity: NetEntity) -> f32 {
    world.component::<Position>(entity).unwrap().x
}

#[test]
fn who_asks_first_writes_and_all_see_it() {
    let (mut cluster, room) = quiet(2);
    let entity = lent(&mut cluster, room, Approval::Automatic);
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Available));
    assert!(cluster.client_mut(0).entities_mut().request_authority(entity));
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Requested));
    cluster.run_for(MS * 200);
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Granted));
    assert_eq!(authority(&cluster, 1, entity), Some(Authority::Denied));
    assert_eq!(cluster.server().authority(entity), Some(user_of(&cluster, 0)));

    move_to(&mut cluster, 0, entity, 42.0);
    assert_eq!(
        (x_at(cluster.server().world(), entity), x_at(cluster.client(1).entities().world(), entity)),
        (42.0, 42.0)
    );
    let told = server_story(&cluster);
    assert!(told.last().unwrap().starts_with("UpdateComponent(NetEntity(0.0), Position, "), "{told:?}");
    // What the other side changes that this client has not written to is seen all the same.
    cluster.server_mut().entity_mut(entity).unwrap().component_mut::<Health>().unwrap().0 = 3;
    cluster.run_for(MS * 200);
    assert_eq!(cluster.client(0).entities().world().component::<Health>(entity), Some(&Health(3)));
    assert_eq!(x_at(cluster.client(0).entities().world(), entity), 42.0);

    assert!(cluster.client_mut(0).entities_mut().release_authority(entity));
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Releasing));
    cluster.run_for(MS * 400);
    for client in 0..2 {
        assert_eq!(authority(&cluster, client, entity), Some(Authority::Available));
    }
    assert_eq!(cluster.server().refused_writes(user_of(&cluster, 0)), 0, "an honest client");
}

#[test]
fn what_was_written_last_arrives_before_it_is_given_back() {
    for seed in 0..50 {
        let config =
            ClusterConfig { conditions: Conditions::new(60, 20, 0.3), ..ClusterConfig::new(seed, 1) };
        let (mut cluster, room) = field(config);
        let entity = lent(&mut cluster, room, Approval::Automatic);
        assert!(cluster.run_until(MS * 9_000, |c| authority(c, 0, entity) == Some(Authority::Available)));
        assert!(cluster.client_mut(0).entities_mut().request_authority(entity));
        assert!(cluster.run_until(MS * 9_000, |c| authority(c, 0, entity) == Some(Authority::Granted)));
        let entities = cluster.client_mut(0).entities_mut();
        entities.world_mut().component_mut::<Position>(entity).unwrap().y = -5.0;
        assert!(entities.release_authority(entity));
        assert!(cluster.run_until(MS * 9_000, |c| authority(c, 0, entity) == Some(Authority::Available)));
        assert_eq!(cluster.server().world().component::<Position>(entity).unwrap().y, -5.0, "seed {seed}");
        assert_eq!(cluster.server().refused_writes(user_of(&cluster, 0)), 0, "seed {seed}");
    }
}

#[test]
fn the_game_is_asked_and_says_yes_or_no() {
    let (mut cluster, room) = quiet(2);
    let entity = lent(&mut cluster, room, Approval::Ask);
    for client in 0..2 {
        cluster.client_mut(client).entities_mut().request_authority(entity);
    }
    cluster.run_for(MS * 200);
    let (first, second) = (user_of(&cluster, 0), user_of(&cluster, 1));
    let story = server_story(&cluster);
    assert!(
        story.contains(&format!("{first} asks for entity 0"))
            && story.contains(&format!("{second} asks for entity 0"))
    );
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Requested), "until the game has answered");
    cluster.forget_seen();
    cluster.server_mut().deny_authority(first, entity);
    cluster.run_for(MS * 200);
    let denied = "Authority(NetEntity(0.0), Denied)";
    assert_eq!(entity_story(&cluster, 0), [denied, "Authority(NetEntity(0.0), Available)"]);
    assert!(cluster.server_mut().grant_authority(second, entity));
    assert!(!cluster.server_mut().grant_authority(first, entity), "somebody has it");
    cluster.run_for(MS * 200);
    assert_eq!(authority(&cluster, 1, entity), Some(Authority::Granted));
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Denied));
}

#[test]
fn the_server_gives_takes_and_revokes() {
    let (mut cluster, room) = quiet(2);
    let entity = lent(&mut cluster, room, Approval::Automatic);
    let (first, second) = (user_of(&cluster, 0), user_of(&cluster, 1));
    assert!(cluster.server_mut().give_authority(first, entity));
    cluster.run_for(MS * 200);
    move_to(&mut cluster, 0, entity, 5.0);
    assert!(cluster.server_mut().give_authority(second, entity), "whoever has it");
    // What the first writes before it has heard of it is dropped, and it sees what is.
    move_to(&mut cluster, 0, entity, 6.0);
    assert_eq!(authority(&cluster, 0, entity), Some(Authority::Denied));
    assert_eq!(
        (x_at(cluster.server().world(), entity), x_at(cluster.client(0).entities().world(), entity)),
        (5.0, 5.0)
    );
    cluster.server_mut().entity_mut(entity).unwrap().take_authority();
    cluster.run_for(MS * 200);
    for client in 0..2 {
        assert_eq!(authority(&cluster, client, entity), Some(Authority::Denied));
        assert!(!cluster.client_mut(client).entities_mut().request_authority(entity));
    }
    cluster.server_mut().entity_mut(entity).unwrap().revoke_authority();
    cluster.run_for(MS * 200);
    assert_eq!(authority(&cluster, 1, entity), Some(Authority::Available));
    cluster.server_mut().entity_mut(entity).unwrap().undelegate();
    cluster.run_for(MS * 200);
    assert_eq!(authority(&cluster, 1, entity), None);
}

#[test]
fn who_leaves_has_authority_no_more() {
    let (mut cluster, room) = quiet(2);
    let entity = lent(&mut cluster, room, Approval::Automatic);
    cluster.client_mut(0).entities_mut().request_authority(entity);
    cluster.run_for(MS * 200);
    let user = user_of(&cluster, 0);
    cluster.server_mut().scope_mut(user).unwrap().exclude(entity);
    cluster.run_for(MS * 200);
    assert_eq!((cluster.server().authority(entity), authority(&cluster, 0, entity)), (None, None));
    assert_eq!(authority(&cluster, 1, entity), Some(Authority::Available));
    cluster.client_mut(1).entities_mut().request_authority(entity);
    cluster.run_for(MS * 200);
    assert_eq!(authority(&cluster, 1, entity), Some(Authority::Granted));
    let other = user_of(&cluster, 1);
    cluster.server_mut().disconnect(other, "bye");
    assert_eq!(cluster.server().authority(entity), None, "in that tick");
}

#[test]
fn a_client_writes_where_it_may_and_nowhere_else() {
    let (mut cluster, room) = quiet(1);
    let entity = lent(&mut cluster, room, Approval::Automatic);
    let mine = cluster.server_mut().spawn((position(7),)).unwrap();
    cluster.server_mut().room_mut(room).add_entity(mine);
    cluster.run_for(MS * 200);
    // Without authority it changes its own picture, until the server says otherwise.
    move_to(&mut cluster, 0, mine, 99.0);
    assert_eq!(x_at(cluster.server().world(), mine), 7.0);
    cluster.server_mut().entity_mut(mine).unwrap().component_mut::<Position>().unwrap().x = 8.0;
    cluster.run_for(MS * 200);
    assert_eq!(x_at(cluster.client(0).entities().world(), mine), 8.0);

    cluster.client_mut(0).entities_mut().request_authority(entity);
    cluster.run_for(MS * 200);
    cluster.server_mut().set_write_rule::<Health>(WriteRule::Never);
    cluster.server_mut().set_write_rule::<Position>(WriteRule::when(|_, _, at: &Position| at.x < 1_000.0));
    let user = user_of(&cluster, 0);
    move_to(&mut cluster, 0, entity, 500.0);
    assert_eq!(x_at(cluster.server().world(), entity), 500.0);
    move_to(&mut cluster, 0, entity, 5_000.0);
    assert_eq!(x_at(cluster.server().world(), entity), 500.0, "and what it was is what it is");
    let refused = cluster.server().refused_writes(user);
    assert!(refused > 0);
    cluster.client_mut(0).entities_mut().world_mut().component_mut::<Health>(entity).unwrap().0 = 255;
    cluster.run_for(MS * 200);
    assert_eq!(cluster.server().world().component::<Health>(entity), Some(&Health(100)));
    assert!(cluster.server().refused_writes(user) > refused);
    // When it gives it back it is told what is.
    cluster.client_mut(0).entities_mut().release_authority(entity);
    cluster.run_for(MS * 600);
    let world = cluster.client(0).entities().world();
    assert_eq!((x_at(world, entity), world.component::<Health>(entity)), (500.0, Some(&Health(100))));
}

#[test]
fn a_client_has_entities_of_its_own() {
    let mut config = ClusterConfig::new(1, 2);
    config.conditions = Conditions::new(20, 0, 0.0);
    config.server.client_entities = 2;
    let (mut cluster, room) = field(config);
    let entities = cluster.client_mut(0).entities_mut();
    let entity = entities.spawn((position(3), Health(1))).unwrap();
    entities.spawn((Frozen,)).unwrap();
    assert_eq!(entities.spawn((Frozen,)), Err(NoEntityId), "the server allows two");
    assert_eq!(entities.authority(entity), Some(Authority::Granted));
    cluster.run_for(MS * 200);
    let user = user_of(&cluster, 0);
    assert_eq!(cluster.server().owner(entity), Some(user));
    assert_eq!(x_at(cluster.server().world(), entity), 3.0);
    assert!(
        !cluster.client(1).entities().world().contains(entity),
        "private, until the server puts it somewhere"
    );
    cluster.server_mut().room_mut(room).add_entity(entity);
    cluster.run_for(MS * 200);
    assert_eq!(x_at(cluster.client(1).entities().world(), entity), 3.0);
    // Its components come and go.
    let entities = cluster.client_mut(0).entities_mut();
    assert!(entities.insert(entity, Twins { one: 1, other: 8, alone: 0 }));
    assert_eq!(entities.remove::<Health>(entity), Some(Health(1)));
    cluster.run_for(MS * 200);
    let world = cluster.client(1).entities().world();
    assert!(world.has::<Twins>(entity) && !world.has::<Health>(entity));
    // The server takes it over.
    assert!(cluster.server_mut().entity_mut(entity).unwrap().disown());
    cluster.run_for(MS * 400);
    assert_eq!(cluster.server().owner(entity), None);
    assert_eq!(authority(&cluster, 0, entity), None);
    cluster.server_mut().entity_mut(entity).unwrap().component_mut::<Position>().unwrap().x = 77.0;
    cluster.run_for(MS * 200);
    for client in 0..2 {
        assert_eq!(x_at(cluster.client(client).entities().world(), entity), 77.0, "client {client}");
    }
    // It may have another now.
    let another = cluster.client_mut(0).entities_mut().spawn((Health(2),)).unwrap();
    cluster.run_for(MS * 200);
    assert!(cluster.client_mut(0).entities_mut().despawn(another));
    cluster.run_for(MS * 200);
    assert!(!cluster.server().world().contains(another));
    assert!(cluster.client_mut(0).entities_mut().spawn((Health(2),)).is_ok());
    cluster.run_for(MS * 200);
    // With the client goes what is its own, in that tick.
    let own = cluster.server().world().len();
    cluster.server_mut().disconnect(user, "bye");
    assert_eq!((own, cluster.server().world().len()), (3, 1), "what was taken over stays");
}

#[test]
fn by_default_a_client_has_none() {
    let (mut cluster, _) = quiet(1);
    assert_eq!(cluster.client_mut(0).entities_mut().spawn((Health(1),)), Err(NoEntityId));
}

/// A client with one entity of its own, seen by another.
fn raft() -> (Cluster<Field>, RoomId, NetEntity) {
    let mut config = ClusterConfig::new(1, 2);
    config.conditions = Conditions::new(20, 0, 0.0);
    config.server.client_entities = 1;
    let (mut cluster, room) = field(config);
    let raft = cluster.client_mut(0).entities_mut().spawn((position(3),)).unwrap();
    cluster.run_for(MS * 200);
    (cluster, room, raft)
}

#[test]
fn a_client_learns_that_the_server_has_ended_what_is_its_own() {
    let (mut cluster, _, raft) = raft();
    assert!(cluster.server_mut().despawn(raft));
    cluster.forget_seen();
    cluster.run_for(MS * 200);
    assert_eq!(entity_story(&cluster, 0), ["DespawnEntity(NetEntity(0.0))"]);
    let entities = cluster.client_mut(0).entities_mut();
    assert!(entities.own_entities().next().is_none() && !entities.world().contains(raft));
    assert!(entities.spawn((Health(2),)).is_ok(), "and it may have another");
    cluster.run_for(MS * 200);
    assert_eq!(cluster.server().world().len(), 1);
}

#[test]
fn what_is_taken_over_and_out_of_sight_goes() {
    // In no room with its client.
    let (mut cluster, _, first) = raft();
    assert!(cluster.server_mut().entity_mut(first).unwrap().disown());
    cluster.run_for(MS * 400);
    assert!(
        cluster.server().world().contains(first) && !cluster.client(0).entities().world().contains(first)
    );
    assert!(entity_story(&cluster, 0).contains(&"Authority(NetEntity(0.0), none)".to_owned()));
    // Ended before its client has heard that it was taken over.
    let (mut cluster, _, second) = raft();
    assert!(cluster.server_mut().entity_mut(second).unwrap().disown());
    assert!(cluster.server_mut().despawn(second));
    cluster.run_for(MS * 400);
    assert!(!cluster.client(0).entities().world().contains(second));
}

#[test]
fn nobody_hides_from_a_client_what_is_its_own() {
    let (mut cluster, room, raft) = raft();
    let user = user_of(&cluster, 0);
    cluster.server_mut().room_mut(room).add_entity(raft);
    cluster.server_mut().scope_mut(user).unwrap().clear(raft).include(raft);
    cluster.run_for(MS * 200);
    cluster.server_mut().room_mut(room).remove_entity(raft);
    cluster.server_mut().scope_mut(user).unwrap().exclude(raft);
    cluster.run_for(MS * 200);
    assert!(cluster.client(0).entities().world().contains(raft) && cluster.server().world().contains(raft));
    move_to(&mut cluster, 0, raft, 8.0);
    assert_eq!(x_at(cluster.server().world(), raft), 8.0);
}

#[test]
fn a_client_may_spawn_and_despawn_for_as_long_as_it_likes() {
    let (mut cluster, _, first) = raft();
    assert!(cluster.client_mut(0).entities_mut().despawn(first));
    // Each in another slot: somebody else takes those that are free.
    for _ in 0..300 {
        cluster.run_for(MS * 100);
        cluster.server_mut().spawn((Health(1),)).unwrap();
        let entity = cluster.client_mut(0).entities_mut().spawn((Health(2),)).unwrap();
        cluster.run_for(MS * 100);
        assert!(cluster.server().world().contains(entity));
        assert!(cluster.client_mut(0).entities_mut().despawn(entity));
    }
}

#[test]
fn who_takes_its_question_back_has_asked_for_nothing_and_may_ask_again() {
    let (mut cluster, room) = quiet(1);
    let entity = lent(&mut cluster, room, Approval::Ask);
    let user = user_of(&cluster, 0);
    for _ in 0..3 {
        cluster.forget_seen();
        assert!(cluster.client_mut(0).entities_mut().request_authority(entity));
        cluster.run_for(MS * 200);
        assert_eq!(server_story(&cluster), [format!("{user} asks for {entity}")]);
        assert!(cluster.client_mut(0).entities_mut().release_authority(entity));
        cluster.run_for(MS * 400);
        cluster.forget_seen();
        cluster.server_mut().deny_authority(user, entity);
        cluster.run_for(MS * 200);
        assert_eq!(entity_story(&cluster, 0).len(), 0, "no question, no answer");
    }
}

#[test]
fn an_entity_that_the_server_has_not_heard_of_leaves_its_id_behind() {
    let mut config = ClusterConfig::new(1, 1);
    config.conditions = Conditions::new(20, 0, 0.0);
    config.server.client_entities = 1;
    let (mut cluster, _) = field(config);
    // Before a packet has told of it.
    let first = cluster.client_mut(0).entities_mut().spawn((Health(1),)).unwrap();
    assert!(cluster.client_mut(0).entities_mut().despawn(first));
    cluster.run_for(MS * 100);
    let second = cluster.client_mut(0).entities_mut().spawn((Health(2),)).unwrap();
    // Where all packets that told of it were lost.
    cluster.network().set_conditions(Conditions::new(20, 0, 1.0));
    cluster.run_for(MS * 200);
    assert!(cluster.client_mut(0).entities_mut().despawn(second));
    cluster.network().set_conditions(Conditions::new(20, 0, 0.0));
    cluster.run_for(MS * 2_000);
    let third = cluster.client_mut(0).entities_mut().spawn((Health(3),)).unwrap();
    cluster.run_for(MS * 200);
    assert_eq!(cluster.server().world().component::<Health>(third), Some(&Health(3)));
    assert_eq!(cluster.server().refused_writes(user_of(&cluster, 0)), 0);
}

/// What one side says of an entity reliably: an id, a question, or how authority stands.
fn says(tag: u64, entity: NetEntity, standing: Option<u64>) -> Vec<u8> {
    let mut writer = BitWriter::new();
    writer.write_bits(tag, 8);
    entity.encode(&mut writer).unwrap();
    if let Some(standing) = standing {
        writer.write_bits(standing, 2);
    }
    writer.into_bytes()
}

const REQUEST: u64 = 2;
const RELEASE: u64 = 3;
const RESERVED: u64 = 2;
const AUTHORITY: u64 = 3;
const GONE: u64 = 4;
const YOURS: u64 = 2;
const DENIED: u64 = 3;

/// An engine with a user that sees a delegated entity, and one that does not.
fn engine(approval: Approval) -> (ServerSide<Field>, NetEntity) {
    let mut server = ServerSide::<Field>::new(0);
    let entity = server.spawn((position(1),)).unwrap();
    server.enter_room(0, entity);
    server.delegate(entity, approval);
    [0, 1].iter().for_each(|user| server.connect(*user));
    server.user_enters_room(0, 0);
    server.collect();
    server.control_is_sent(0);
    (server, entity)
}

#[test]
fn who_does_not_see_an_entity_hears_nothing_of_authority_over_it_and_gets_none() {
    let (mut server, entity) = engine(Approval::Automatic);
    for tag in [REQUEST, RELEASE] {
        server.take_in_control(1, &says(tag, entity, None));
        assert_eq!((server.next_control(1), server.authority(entity)), (None, None));
    }
    assert!(server.refused(1) > 0);
    server.take_in_control(0, &says(REQUEST, entity, None));
    assert_eq!(server.authority(entity), Some(0));
    assert!(server.next_control(0).is_some() && server.next_control(1).is_none());
}

#[test]
fn who_comes_in_the_place_of_another_has_asked_for_nothing() {
    let (mut server, entity) = engine(Approval::Ask);
    for _ in 0..2 {
        server.take_in_control(0, &says(REQUEST, entity, None));
        assert_eq!(server.next_asked(), Some((0, entity)));
        server.disconnect(0);
        server.connect(0);
        server.user_enters_room(0, 0);
        server.collect();
    }
}

#[test]
fn an_id_that_is_in_use_is_not_given_again() {
    let mut client = ClientSide::<Field>::new();
    let reserved = says(RESERVED, NetEntity::new(3, 0), None);
    assert!(client.take_in_control(&reserved));
    let entity = client.spawn((Health(1),)).unwrap();
    assert!(client.take_in_control(&reserved));
    assert_eq!(client.spawn((Health(2),)), Err(NoEntityId));
    assert!(client.own_entities().eq([entity]));
    // The server has ended it, and the id with it.
    assert!(client.take_in_control(&says(GONE, entity, None)));
    client.collect();
    assert_eq!(client.spawn((Health(3),)), Err(NoEntityId));
}

/// A packet of the server: that the first entity is there, with its health, or is gone.
fn first_is(generation: Option<u64>) -> Vec<u8> {
    let mut writer = BitWriter::new();
    writer.write_bool(generation.is_none());
    if generation.is_none() {
        writer.write_bool(false);
        writer.write_bool(false);
    }
    writer.write_bool(generation.is_some());
    if let Some(generation) = generation {
        // The next slot, fresh, and one component of the second kind of nine.
        writer.write_bits(0b10, 2);
        writer.write_varint(generation);
        writer.write_bool(false);
        writer.write_varint(1);
        writer.write_bits(1, 4);
        writer.write_bits(100, 8);
        writer.write_bool(false);
    }
    writer.write_bool(false);
    writer.into_bytes()
}

#[test]
fn what_cannot_be_written_to_yet_is_given_back_all_the_same() {
    for is_denied in [false, true] {
        let mut client = ClientSide::<Field>::new();
        let [old, new] = [0, 1].map(|generation| NetEntity::new(0, generation));
        assert!(client.take_in_state(&first_is(Some(0)), 1, 1));
        assert!(client.take_in_control(&says(AUTHORITY, old, Some(YOURS))));
        client.collect();
        // It is gone, and another has its place before the server knows that this client writes to it no more.
        assert!(
            client.take_in_state(&first_is(None), 2, 2) && client.take_in_state(&first_is(Some(1)), 3, 3)
        );
        assert!(client.take_in_control(&says(AUTHORITY, new, Some(YOURS))));
        assert_eq!(client.authority(new), Some(Authority::Granted));
        client.collect();
        assert_eq!(client.next_control(), None);
        if is_denied {
            assert!(client.take_in_control(&says(AUTHORITY, new, Some(DENIED))));
        } else {
            assert!(client.release_authority(new));
        }
        client.collect();
        assert_eq!(client.next_control(), Some(says(RELEASE, new, None).as_slice()));
    }
}
