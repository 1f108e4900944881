//! Who may write.

use bowline::prelude::*;
use bowline::{NoEntityId, WriteRule};
use bowline_sim::{Cluster, ClusterConfig, Seen};

use crate::entities::{
    Harbour, HarbourClient, HarbourServer, Heading, Hull, Position, Wreck, entity_events, harbour, ms,
    user_of,
};

fn x_at(world: &bowline::World<Harbour>, entity: NetEntity) -> Option<f32> {
    world.component::<Position>(entity).map(|at| at.x)
}

// ANCHOR: own
fn build_a_raft(client: &mut HarbourClient) -> Result<NetEntity, NoEntityId> {
    let entities = client.entities_mut();
    let raft = entities.spawn((Position { x: 3.0, y: 4.0 }, Hull(10)))?;
    entities.insert(raft, Heading { cos: 1.0, sin: 0.0 });
    Ok(raft)
}

fn row(client: &mut HarbourClient, raft: NetEntity) {
    if let Some(mut at) = client.entities_mut().world_mut().component_mut::<Position>(raft) {
        at.x += 0.1;
    }
}
// ANCHOR_END: own

// ANCHOR: own_on_the_server
fn on_server_event<A>(server: &mut HarbourServer, room: RoomId, event: &ServerEvent<Harbour, A>) {
    if let ServerEvent::Entity(user, EntityEvent::SpawnEntity(raft)) = event {
        println!("{user} has built {raft}");
        server.room_mut(room).add_entity(*raft); // before that, only its owner has it
    }
}
// ANCHOR_END: own_on_the_server

#[test]
fn a_client_builds_a_raft() {
    let mut config = ClusterConfig::new(1, 2);
    // ANCHOR: client_entities
    config.server.client_entities = 8; // of each client
    // ANCHOR_END: client_entities
    let (mut cluster, room) = harbour(config);
    let raft = build_a_raft(cluster.client_mut(0)).unwrap();
    cluster.run_for(ms(200));
    let user = user_of(&cluster, 0);
    assert_eq!(cluster.server().owner(raft), Some(user));
    assert!(!cluster.client(1).entities().world().contains(raft));
    let event = ServerEvent::<Harbour, ()>::Entity(user, EntityEvent::SpawnEntity(raft));
    on_server_event(cluster.server_mut(), room, &event);
    row(cluster.client_mut(0), raft);
    cluster.run_for(ms(300));
    let x = x_at(cluster.client(1).entities().world(), raft).unwrap();
    assert!((x - 3.1).abs() < 0.02, "{x}");
    // ANCHOR: disown
    assert!(cluster.server_mut().entity_mut(raft).unwrap().disown());
    // ANCHOR_END: disown
    cluster.run_for(ms(300));
    assert_eq!((cluster.server().owner(raft), cluster.client(0).entities().authority(raft)), (None, None));
    let another = build_a_raft(cluster.client_mut(0)).unwrap();
    cluster.run_for(ms(300));
    cluster.server_mut().disconnect(user, "bye");
    let world = cluster.server().world();
    assert!(world.contains(raft) && !world.contains(another), "its own goes with it");
}

#[test]
fn it_has_as_many_as_the_server_says() {
    let (mut cluster, _) = harbour(ClusterConfig::new(1, 1));
    assert_eq!(build_a_raft(cluster.client_mut(0)), Err(NoEntityId));
}

// ANCHOR: delegate
fn put_a_ball_on_the_field(server: &mut HarbourServer, room: RoomId) -> NetEntity {
    let ball = server.spawn((Position { x: 0.0, y: 0.0 }, Hull(100))).expect("there is room for one more");
    let mut at = server.entity_mut(ball).expect("it has just come");
    at.enter_room(room);
    at.delegate(Approval::Automatic); // whoever asks first has it
    ball
}

fn kick(client: &mut HarbourClient, ball: NetEntity) {
    let entities = client.entities_mut();
    match entities.authority(ball) {
        Some(Authority::Available) => {
            entities.request_authority(ball); // an `Authority` event tells the answer
        }
        Some(Authority::Granted) => {
            if let Some(mut at) = entities.world_mut().component_mut::<Position>(ball) {
                at.x += 5.0;
            }
            entities.release_authority(ball); // once that has arrived
        }
        _ => {} // somebody else has it, or it is being asked for or given back
    }
}
// ANCHOR_END: delegate

#[test]
fn a_ball_is_kicked() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 2));
    let ball = put_a_ball_on_the_field(cluster.server_mut(), room);
    cluster.run_for(ms(200));
    kick(cluster.client_mut(0), ball);
    cluster.run_for(ms(200));
    assert_eq!(cluster.client(1).entities().authority(ball), Some(Authority::Denied));
    kick(cluster.client_mut(0), ball);
    assert_eq!(cluster.client(0).entities().authority(ball), Some(Authority::Releasing));
    cluster.run_for(ms(400));
    for client in 0..2 {
        assert_eq!(cluster.client(client).entities().authority(ball), Some(Authority::Available));
        assert_eq!(x_at(cluster.client(client).entities().world(), ball), Some(5.0));
    }
    let told: Vec<_> =
        entity_events(&cluster, 0).into_iter().filter(|event| event.starts_with("Authority")).collect();
    let states = ["Available", "Requested", "Granted", "Releasing", "Available"];
    assert_eq!(told, states.map(|state| format!("Authority({ball:?}, {state})")));
}

// ANCHOR: ask
fn on_request(server: &mut HarbourServer, user: UserId, entity: NetEntity) {
    let is_afloat = server.world().component::<Hull>(entity).is_some_and(|hull| hull.0 > 0);
    if is_afloat {
        server.grant_authority(user, entity);
    } else {
        server.deny_authority(user, entity);
    }
}
// ANCHOR_END: ask

#[test]
fn the_game_is_asked() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let ship = put_a_ball_on_the_field(cluster.server_mut(), room);
    cluster.server_mut().entity_mut(ship).unwrap().delegate(Approval::Ask);
    cluster.run_for(ms(200));
    cluster.set_app(|server, seen| {
        if let Seen::AuthorityRequested(user, entity) = seen {
            on_request(server, *user, *entity);
        }
    });
    kick(cluster.client_mut(0), ship);
    cluster.run_for(ms(200));
    assert_eq!(cluster.client(0).entities().authority(ship), Some(Authority::Granted));
    assert_eq!(cluster.server().authority(ship), Some(user_of(&cluster, 0)));
    cluster.server_mut().entity_mut(ship).unwrap().revoke_authority();
    cluster.server_mut().entity_mut(ship).unwrap().component_mut::<Hull>().unwrap().0 = 0;
    cluster.run_for(ms(300));
    kick(cluster.client_mut(0), ship);
    cluster.run_for(ms(200));
    assert_eq!(cluster.client(0).entities().authority(ship), Some(Authority::Available));
    assert_eq!(cluster.server().authority(ship), None);
}

#[test]
fn a_rule_holds() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let ship = put_a_ball_on_the_field(cluster.server_mut(), room);
    cluster.run_for(ms(200));
    let user = user_of(&cluster, 0);
    cluster.server_mut().give_authority(user, ship);
    cluster.run_for(ms(200));
    let server = cluster.server_mut();
    // ANCHOR: rules
    server.set_write_rule::<Hull>(WriteRule::Never);
    server.set_write_rule::<Position>(WriteRule::when(|_slot, _ship, at: &Position| {
        at.x.hypot(at.y) < 1_000.0
    }));
    // ANCHOR_END: rules
    let write = |cluster: &mut Cluster<Harbour>, x: f32, hull: u8| {
        let world = cluster.client_mut(0).entities_mut().world_mut();
        world.component_mut::<Position>(ship).unwrap().x = x;
        world.component_mut::<Hull>(ship).unwrap().0 = hull;
        cluster.run_for(ms(200));
        let world = cluster.server().world();
        (x_at(world, ship), world.component::<Hull>(ship).copied())
    };
    assert_eq!(write(&mut cluster, 5.0, 7), (Some(5.0), Some(Hull(100))));
    assert_eq!(write(&mut cluster, 2_000.0, 8), (Some(5.0), Some(Hull(100))));
    assert!(cluster.server().refused_writes(user) >= 2);
    // It is told how things are when it gives authority back.
    assert_eq!(cluster.client(0).entities().world().component::<Hull>(ship), Some(&Hull(8)));
    cluster.client_mut(0).entities_mut().release_authority(ship);
    cluster.run_for(ms(500));
    let world = cluster.client(0).entities().world();
    assert_eq!((x_at(world, ship), world.component::<Hull>(ship)), (Some(5.0), Some(&Hull(100))));
    assert!(!world.has::<Wreck>(ship));
}
