//! What entities cost: memory for each user that sees one, bits on the wire, allocations.

use allocation_counter::measure;
use bowline::prelude::*;
use bowline::transport::Security;
use bowline_tests::rig::{Armour, Clockwork, Place, Table};

const fn place(number: u32) -> Place {
    let number = number as f32;
    Place { x: number, y: number + 0.25, z: number + 0.5 }
}

/// A table with clients that all see so many entities.
fn table(clients: usize, entities: u32) -> (Table, Vec<NetEntity>) {
    let mut table = Table::connected(clients, Security::FULL);
    let room = table.server.create_room();
    for user in table.server.users().collect::<Vec<_>>() {
        table.server.room_mut(room).add_user(user);
    }
    let spawned = (0..entities).map(|number| {
        let entity = table.server.spawn((place(number),)).unwrap();
        table.server.room_mut(room).add_entity(entity);
        entity
    });
    let spawned = spawned.collect();
    quiet(&mut table, 100);
    for client in &table.clients {
        assert_eq!(client.entities().world().len(), entities as usize, "all are seen");
    }
    (table, spawned)
}

fn quiet(table: &mut Table, ticks: usize) {
    (0..ticks).for_each(|_| table.turn(|_, _| (), |_, _| ()));
}

/// Everything moves; gives how many updates the clients have seen.
fn moving_tick(table: &mut Table) -> usize {
    table.server.world_mut().for_each_mut::<Place>(|_, mut place| {
        place.x += 1.0;
        place.y -= 1.0;
        place.z += 0.5;
    });
    if let Some(mut clockwork) = table.server.resource_mut::<Clockwork>() {
        clockwork.ticks += 1;
    }
    let mut updates = 0;
    table.turn(
        |_, _| (),
        |_, event| {
            updates += usize::from(matches!(event, ClientEvent::Entity(EntityEvent::UpdateComponent { .. })));
        },
    );
    updates
}

#[test]
fn a_steady_tick_with_entities_allocates_nothing() {
    const CLIENTS: usize = 16;
    const ENTITIES: u32 = 300;
    let (mut table, entities) = table(CLIENTS, ENTITIES);
    table.server.insert_resource(Clockwork { ticks: 0 }).unwrap();
    table.server.entity_mut(entities[7]).unwrap().insert(Armour(3));
    (0..300).for_each(|_| {
        moving_tick(&mut table);
    });
    let mut updates = 0;
    let seen = measure(|| (0..100).for_each(|_| updates += moving_tick(&mut table)));
    assert_eq!(updates, 100 * CLIENTS * ENTITIES as usize);
    assert_eq!((seen.count_total, seen.bytes_total), (0, 0), "{seen:?}");
}

/// What is allocated and kept while `run` makes something, which is not dropped.
fn kept<T>(run: impl FnOnce() -> T) -> (i64, T) {
    let mut made = None;
    let seen = measure(|| made = Some(run()));
    (seen.bytes_current, made.unwrap())
}

#[test]
fn what_a_user_and_an_entity_in_its_sight_cost() {
    const ENTITIES: u32 = 8_192;
    // Who sees it and who does not, the same otherwise.
    let cost = |sees: bool| {
        let mut engine = bowline::ServerSide::<bowline_tests::rig::Arena>::new(0);
        for number in 0..ENTITIES {
            let entity = engine.spawn((place(number),)).unwrap();
            engine.enter_room(0, entity);
        }
        engine.connect(0);
        engine.collect();
        let (bytes, ()) = kept(|| {
            engine.connect(1);
            if sees {
                engine.user_enters_room(1, 0);
            }
            engine.collect();
        });
        bytes
    };
    let (alone, seeing) = (cost(false), cost(true));
    let each = (seeing - alone) as f64 / f64::from(ENTITIES);
    println!("a user: {alone} bytes; for each entity in its sight: {each:.2} bytes");
    assert!(each <= 8.0, "{each}");
    assert!(alone <= 64 * 1_024, "{alone}");
}

#[test]
fn bits_on_the_wire_for_each_update() {
    const ENTITIES: u32 = 1_000;
    let (mut table, _) = table(1, ENTITIES);
    (0..40).for_each(|_| {
        moving_tick(&mut table);
    });
    let user = table.server.users().next().unwrap();
    let before = table.server.user(user).unwrap().stats.bytes_sent;
    let updates: usize = (0..100).map(|_| moving_tick(&mut table)).sum();
    let bytes = table.server.user(user).unwrap().stats.bytes_sent - before;
    let bits = bytes as f64 * 8.0 / updates as f64;
    println!("{bits:.2} bits an update of 96, packets and all: {:.2} more", bits - 96.0);
    assert!(bits - 96.0 <= 6.0, "{bits}");
}

#[test]
fn a8_a_thousand_reconnects_with_entities_leave_the_heap_where_it_was() {
    let (mut table, _) = table(1, 100);
    let room = table.server.rooms().next().unwrap();
    let round = |table: &mut Table| {
        table.clients[0].disconnect();
        quiet(table, 3);
        table.connect(0);
        while table.server.user_count() == 0 || table.clients[0].phase() != Phase::Connected {
            quiet(table, 1);
        }
        let user = table.server.users().next().unwrap();
        table.server.room_mut(room).add_user(user);
        quiet(table, 4);
        assert_eq!(table.clients[0].entities().world().len(), 100);
    };
    // Sessions that are over are remembered for ten seconds.
    let rounds = |table: &mut Table, count: usize| {
        (0..count).for_each(|_| round(table));
        quiet(table, 250);
    };
    rounds(&mut table, 300);
    let seen = measure(|| rounds(&mut table, 1_000));
    assert!(seen.bytes_current <= 0, "{seen:?}");
}
