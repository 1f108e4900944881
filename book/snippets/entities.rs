//! Entities.

use std::time::Duration;

use bowline::prelude::*;
use bowline::{MAX_ENTITIES, TooManyEntities};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Pair, Seen, SimHost, SimSocket};

// ANCHOR: components
/// Where something is. A step smaller than a centimetre is no change.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Position {
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    pub y: f32,
}

/// What is left of a hull, in percent.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Hull(#[wire(range = 0..=100)] pub u8);

/// It floats, and that is all. A component may have no fields.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Wreck;
// ANCHOR_END: components

// ANCHOR: attributes
/// What a ship is called, for as long as it floats.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(immutable)]
pub struct Name {
    #[wire(max_len = 32)]
    pub name: String,
}

/// Both numbers change with every turn of the wheel: they travel as one.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(atomic)]
pub struct Heading {
    #[wire(range = -1.0..=1.0, step = 0.001)]
    pub cos: f32,
    #[wire(range = -1.0..=1.0, step = 0.001)]
    pub sin: f32,
}

/// Which ships are tied to which.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Ropes {
    pub tug: NetEntity,
    #[wire(max_len = 4)]
    #[replicate(entities)]
    pub tows: Vec<NetEntity>,
}

/// What has happened on board.
#[derive(Replicate, Clone, Debug, Default, PartialEq)]
pub struct Log {
    #[wire(max_len = 20_000)]
    pub text: String,
    /// Known on one side alone.
    #[replicate(skip)]
    pub unread: u32,
}
// ANCHOR_END: attributes

// ANCHOR: resource
/// How the wind blows, for everybody.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Wind {
    #[wire(range = 0..=359)]
    pub from: u16,
    #[wire(range = 0..=12)]
    pub force: u8,
}
// ANCHOR_END: resource

// ANCHOR: protocol
#[derive(Protocol)]
#[protocol(tick_rate = 20, components(Position, Hull, Wreck, Name, Heading, Ropes, Log), resources(Wind))]
pub struct Harbour;
// ANCHOR_END: protocol

pub type HarbourServer = bowline::Server<Harbour, SimSocket, SimHost>;
pub type HarbourClient = bowline::Client<Harbour, SimSocket, SimHost>;

pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// So many clients in one room, on a quiet link.
pub fn harbour(config: ClusterConfig) -> (Cluster<Harbour>, RoomId) {
    let clients = config.clients;
    let mut cluster =
        Cluster::<Harbour>::new(ClusterConfig { conditions: Conditions::new(20, 0, 0.0), ..config }, |_| ());
    cluster.connect_all();
    assert!(cluster.run_until(ms(5_000), |cluster| cluster.server().user_count() == clients));
    cluster.run_for(ms(300));
    let room = cluster.server_mut().create_room();
    for user in cluster.server().users().collect::<Vec<_>>() {
        cluster.server_mut().room_mut(room).add_user(user);
    }
    (cluster, room)
}

/// The user that a client is.
pub fn user_of(cluster: &Cluster<Harbour>, client: usize) -> UserId {
    let address = cluster.client_address(client);
    let is_it = |user: &UserId| cluster.server().user(*user).unwrap().address == address;
    cluster.server().users().find(is_it).unwrap()
}

pub fn entity_events(cluster: &Cluster<Harbour>, client: usize) -> Vec<String> {
    let events = cluster.client_seen(client).iter().filter_map(|(_, event)| match event {
        ClientEvent::Entity(event) => Some(format!("{event:?}")),
        _ => None,
    });
    events.collect()
}

// ANCHOR: spawn
fn launch(server: &mut HarbourServer, room: RoomId, name: &str) -> Result<NetEntity, TooManyEntities> {
    let name = Name { name: name.into() };
    let ship = server.spawn((Position { x: 0.0, y: 0.0 }, Hull(100), name))?;
    server.room_mut(room).add_entity(ship); // before that, nobody sees it
    Ok(ship)
}
// ANCHOR_END: spawn

// ANCHOR: change
fn hit(server: &mut HarbourServer, ship: NetEntity, damage: u8) {
    let Some(mut ship) = server.entity_mut(ship) else { return }; // it has sunk already
    let Some(mut hull) = ship.component_mut::<Hull>() else { return }; // it is a wreck already
    hull.0 = hull.0.saturating_sub(damage);
    if hull.0 == 0 {
        ship.remove::<Hull>();
        ship.insert(Wreck);
    }
}
// ANCHOR_END: change

// ANCHOR: query
fn simulate(server: &mut HarbourServer) {
    // All components of a type.
    server.world_mut().for_each_mut::<Position>(|_ship, mut at| {
        if at.x < 100.0 {
            at.x += 0.5; // only those that are written to are looked at
        }
    });
    // All entities that have both, and a third component or not.
    for (ship, (at, hull, name)) in server.world().query::<(&Position, &Hull, Option<&Name>)>() {
        println!("{ship} {name:?} is at {}, {} % of it are left", at.x, hull.0);
    }
}
// ANCHOR_END: query

// ANCHOR: events
fn on_entity_event(client: &HarbourClient, event: &EntityEvent<Harbour>) {
    let world = client.entities().world(); // it shows what the event tells of already
    match event {
        EntityEvent::SpawnEntity(ship) => {
            println!("{ship} comes into sight at {:?}", world.component::<Position>(*ship));
        }
        EntityEvent::UpdateComponent { entity, kind: HarbourComponentKind::Hull, tick } => {
            println!("{entity} was hit before tick {tick}: {:?}", world.component::<Hull>(*entity));
        }
        EntityEvent::RemoveComponent { entity, component: HarbourComponent::Hull(hull) } => {
            println!("{entity} is a wreck; it had {} % left", hull.0);
        }
        EntityEvent::DespawnEntity(ship) => println!("{ship} is gone, or out of sight"),
        _ => {}
    }
}
// ANCHOR_END: events

// ANCHOR: draw
fn draw(client: &HarbourClient) {
    for (ship, (at, hull)) in client.entities().world().query::<(&Position, Option<&Hull>)>() {
        println!("{ship} at {}, {}: {hull:?}", at.x, at.y);
    }
}
// ANCHOR_END: draw

#[test]
fn a_ship_is_launched_hit_and_sunk() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let ship = launch(cluster.server_mut(), room, "Anna").unwrap();
    cluster.run_for(ms(200));
    simulate(cluster.server_mut());
    hit(cluster.server_mut(), ship, 40);
    cluster.run_for(ms(200));
    hit(cluster.server_mut(), ship, 60);
    cluster.run_for(ms(200));
    let world = cluster.client(0).entities().world();
    assert_eq!(world.component::<Position>(ship), Some(&Position { x: 0.5, y: 0.0 }));
    assert!(world.has::<Wreck>(ship) && !world.has::<Hull>(ship));
    cluster.server_mut().despawn(ship);
    cluster.run_for(ms(200));
    for (_, event) in cluster.client_seen(0) {
        if let ClientEvent::Entity(event) = event {
            on_entity_event(cluster.client(0), event);
        }
    }
    draw(cluster.client(0));
    let events = entity_events(&cluster, 0);
    let starts = |word: &str| events.iter().filter(|event| event.starts_with(word)).count();
    assert_eq!(["Spawn", "Insert", "Update", "Remove", "Despawn"].map(starts), [1, 4, 2, 1, 1], "{events:?}");
    assert_eq!(MAX_ENTITIES, 1_048_576);
}

#[test]
fn what_is_over_a_limit_stays_as_it_was() {
    let mut pair = Pair::<Harbour>::connected(1, Conditions::new(20, 0, 0.0), ());
    let user = pair.user();
    let ship = pair.server_mut().spawn((Log::default(),)).unwrap();
    pair.server_mut().scope_mut(user).unwrap().include(ship);
    pair.run_for(ms(200));
    // ANCHOR: over_a_limit
    let mut log = pair.server_mut().entity_mut(ship).unwrap();
    log.component_mut::<Log>().unwrap().text = "fog ".repeat(6_000); // 24,000 bytes of 20,000
    pair.run_for(ms(200));
    let says = pair.server_seen().iter().find_map(|(_, event)| match event {
        Seen::Unencodable(failure) => Some(failure.to_string()), // ServerEvent::Unencodable(failure)
        _ => None,
    });
    assert_eq!(
        says.as_deref(),
        Some(
            "`Log` of entity 0 is not sent as it is now: \
             `Log.text`: length 24000 is over its max_len of 20000; shorten it or raise max_len"
        )
    );
    assert_eq!(pair.client(0).entities().world().component::<Log>(ship).unwrap().text, "");
    // ANCHOR_END: over_a_limit
}

// ANCHOR: references
#[test]
fn what_is_tied_to_a_ship_comes_after_it() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let server = cluster.server_mut();
    let barge = server.spawn(()).unwrap();
    let tug = server.spawn((Log { text: "a long story. ".repeat(400), unread: 0 },)).unwrap();
    server.entity_mut(barge).unwrap().insert(Ropes { tug, tows: vec![barge] });
    for entity in [barge, tug] {
        server.room_mut(room).add_entity(entity);
    }
    cluster.run_for(ms(2_000));
    // The tug takes five packets, and the barge one; but the barge refers to the tug, and waits for it.
    let spawned = |event: &String| event.starts_with("SpawnEntity");
    let order: Vec<_> = entity_events(&cluster, 0).into_iter().filter(spawned).collect();
    assert_eq!(order, [format!("SpawnEntity({tug:?})"), format!("SpawnEntity({barge:?})")]);
}
// ANCHOR_END: references

// ANCHOR: consistent
#[test]
fn nobody_sees_half_a_change() {
    let mut config = ClusterConfig::new(7, 1);
    config.conditions = Conditions::new(80, 40, 0.3); // three packets in ten are lost
    let mut cluster = Cluster::<Harbour>::new(config, |_| ());
    cluster.connect_all();
    cluster.run_until(ms(10_000), |cluster| cluster.server().user_count() == 1);
    let user = cluster.server().users().next().unwrap();
    let ship = cluster.server_mut().spawn((Position { x: 0.0, y: 0.0 }, Hull(100))).unwrap();
    cluster.server_mut().scope_mut(user).unwrap().include(ship);
    for turn in 0..200 {
        // First it goes a step along x; in the next tick a step along y, and loses something on the way.
        let mut ship = cluster.server_mut().entity_mut(ship).unwrap();
        if turn % 2 == 0 {
            ship.component_mut::<Position>().unwrap().x += 1.0;
        } else {
            ship.component_mut::<Position>().unwrap().y += 1.0;
            ship.component_mut::<Hull>().unwrap().0 -= 1;
        }
        cluster.run_for(ms(50));
        for (_, (at, hull)) in cluster.client(0).entities().world().query::<(&Position, &Hull)>() {
            assert!((0.0..=1.0).contains(&(at.x - at.y).round())); // never y before x
            assert_eq!(at.y.round() as u8, 100 - hull.0); // never one without the other
        }
    }
    assert!(entity_events(&cluster, 0).len() > 50);
}
// ANCHOR_END: consistent

#[test]
fn scenery_is_not_looked_at_and_what_is_paused_catches_up() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let server = cluster.server_mut();
    let [rock, ship] = [1.0, 2.0].map(|x| server.spawn((Position { x, y: 0.0 },)).unwrap());
    // ANCHOR: static
    server.entity_mut(rock).unwrap().make_static().enter_room(room);
    // ANCHOR_END: static
    server.room_mut(room).add_entity(ship);
    cluster.run_for(ms(200));
    let x_of = |cluster: &Cluster<Harbour>, entity| {
        cluster.client(0).entities().world().component::<Position>(entity).unwrap().x
    };
    cluster.server_mut().entity_mut(rock).unwrap().component_mut::<Position>().unwrap().x = 9.0;
    // ANCHOR: pause
    cluster.server_mut().entity_mut(ship).unwrap().pause();
    cluster.server_mut().entity_mut(ship).unwrap().component_mut::<Position>().unwrap().x = 9.0;
    cluster.run_for(ms(200));
    assert_eq!(x_of(&cluster, ship), 2.0);

    cluster.server_mut().entity_mut(ship).unwrap().resume();
    cluster.run_for(ms(200));
    assert_eq!(x_of(&cluster, ship), 9.0);
    // ANCHOR_END: pause
    assert_eq!(x_of(&cluster, rock), 1.0);
}

#[test]
fn the_sizes_on_the_page() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let server = cluster.server_mut();
    let ships: Vec<_> = (0..100).map(|_| launch(server, room, "Anna").unwrap()).collect();
    cluster.run_for(ms(1_000));
    let sent =
        |cluster: &Cluster<Harbour>| cluster.server().user(user_of(cluster, 0)).unwrap().stats.bytes_sent;
    let mut ten_ticks = |count: usize| {
        let before = sent(&cluster);
        for _ in 0..10 {
            for ship in &ships[..count] {
                let mut ship = cluster.server_mut().entity_mut(*ship).unwrap();
                let mut at = ship.component_mut::<Position>().unwrap();
                at.x += 1.0;
                at.y += 1.0;
            }
            cluster.run_for(ms(50));
        }
        sent(&cluster) - before
    };
    let (idle, ten, hundred) = (ten_ticks(0), ten_ticks(10), ten_ticks(100));
    let each = (hundred - ten) as f64 / 900.0;
    println!("idle: {idle}, ten: {ten}, hundred: {hundred}, each: {each}");
    assert_eq!(idle, 0);
    assert_eq!((each * 8.0).round(), 46.0); // 40 for the fields, 3, and 1 for each of three components
}
