//! Rooms and scope.

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig};

use crate::entities::{Harbour, HarbourServer, Hull, Position, harbour, ms, user_of};

// ANCHOR: rooms
fn enter_the_bay(server: &mut HarbourServer, bay: RoomId, user: UserId, ship: NetEntity) {
    server.room_mut(bay).add_user(user); // sees all that is in the bay
    server.room_mut(bay).add_entity(ship); // is seen by all who are in the bay
}
// ANCHOR_END: rooms

fn sees(cluster: &Cluster<Harbour>, client: usize, entity: NetEntity) -> bool {
    cluster.client(client).entities().world().contains(entity)
}

#[test]
fn a_room_is_a_scope() {
    let (mut cluster, _) = harbour(ClusterConfig::new(1, 2));
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    let (bay, ship) = (server.create_room(), server.spawn((Hull(100),)).unwrap());
    enter_the_bay(server, bay, user, ship);
    cluster.run_for(ms(200));
    assert!(sees(&cluster, 0, ship) && !sees(&cluster, 1, ship));
    cluster.server_mut().destroy_room(bay);
    cluster.run_for(ms(200));
    assert!(!sees(&cluster, 0, ship) && cluster.server().world().contains(ship));
}

#[test]
fn a_user_sees_more_and_less() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 2));
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    let [submarine, signal] = [1, 2].map(|hull| server.spawn((Hull(hull),)).unwrap());
    server.room_mut(room).add_entity(submarine);
    // ANCHOR: over_rooms
    let mut scope = server.scope_mut(user).unwrap();
    scope.exclude(submarine); // though it is in the room
    scope.include(signal); // though it is in none
    // ANCHOR_END: over_rooms
    cluster.run_for(ms(200));
    assert!(!sees(&cluster, 0, submarine) && sees(&cluster, 1, submarine));
    assert!(sees(&cluster, 0, signal) && !sees(&cluster, 1, signal));
    let server = cluster.server_mut();
    // ANCHOR: clear
    server.scope_mut(user).unwrap().clear(submarine).clear(signal); // as rooms say
    // ANCHOR_END: clear
    cluster.run_for(ms(200));
    assert!(sees(&cluster, 0, submarine) && !sees(&cluster, 0, signal));
    assert!(cluster.server_mut().scope_mut(user).unwrap().has(submarine));
}

#[test]
fn what_was_seen_may_stay() {
    let (mut cluster, room) = harbour(ClusterConfig::new(1, 1));
    let server = cluster.server_mut();
    let island = server.spawn((Position { x: 1.0, y: 1.0 },)).unwrap();
    server.room_mut(room).add_entity(island);
    // ANCHOR: persist
    server.entity_mut(island).unwrap().on_scope_exit(ScopeExit::Persist);
    // ANCHOR_END: persist
    cluster.run_for(ms(200));
    cluster.server_mut().room_mut(room).remove_entity(island);
    cluster.run_for(ms(200));
    cluster.server_mut().entity_mut(island).unwrap().component_mut::<Position>().unwrap().x = 7.0;
    cluster.run_for(ms(200));
    let x = |cluster: &Cluster<Harbour>| {
        cluster.client(0).entities().world().component::<Position>(island).unwrap().x
    };
    assert_eq!(x(&cluster), 1.0);
    cluster.server_mut().room_mut(room).add_entity(island);
    cluster.run_for(ms(200));
    assert_eq!(x(&cluster), 7.0);
    // Gone from the server is gone everywhere.
    cluster.server_mut().room_mut(room).remove_entity(island);
    cluster.run_for(ms(200));
    assert!(sees(&cluster, 0, island));
    cluster.server_mut().despawn(island);
    cluster.run_for(ms(200));
    assert!(!sees(&cluster, 0, island));
}

// ANCHOR: grid
/// Once a tick: every ship is where it is, and every captain looks at what is around the own ship.
fn look_around(grid: &mut Grid, server: &mut HarbourServer, captains: &[(UserId, NetEntity)]) {
    let ships: Vec<_> = server.world().query::<&Position>().map(|(ship, at)| (ship, at.x, at.y)).collect();
    for (ship, x, y) in ships {
        grid.place(server, ship, x, y);
    }
    for (captain, ship) in captains {
        if let Some(at) = server.world().component::<Position>(*ship) {
            let (x, y) = (at.x, at.y);
            grid.look(server, *captain, x, y);
        }
    }
}
// ANCHOR_END: grid

#[test]
fn captains_see_what_is_near() {
    let (mut cluster, _) = harbour(ClusterConfig::new(1, 1));
    let captain = user_of(&cluster, 0);
    let server = cluster.server_mut();
    // Squares of 50 m; what is in the own one and in the two around it is seen.
    let mut grid = Grid::new(50.0, 2);
    let [own, near, far] = [0.0, 90.0, 900.0].map(|x| server.spawn((Position { x, y: 0.0 },)).unwrap());
    look_around(&mut grid, server, &[(captain, own)]);
    cluster.run_for(ms(200));
    assert!(sees(&cluster, 0, own) && sees(&cluster, 0, near) && !sees(&cluster, 0, far));
    cluster.server_mut().entity_mut(far).unwrap().component_mut::<Position>().unwrap().x = -60.0;
    look_around(&mut grid, cluster.server_mut(), &[(captain, own)]);
    cluster.run_for(ms(200));
    assert!(sees(&cluster, 0, far));
}
