//! What entities cost, server and clients together: `cargo bench -p bowline-tests --bench replication`.
//!
//! All on one thread, over in-process queues and in virtual time. How the parts compare with another library is shown
//! by `tests/versus`, which measures server and clients apart.

use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::Security;
use bowline_tests::rig::{Place, Table};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// A table whose clients are all in one room, still empty.
fn table(clients: usize) -> (Table, RoomId) {
    let mut table = Table::connected(clients, Security::NONE);
    let room = table.server.create_room();
    for user in table.server.users().collect::<Vec<_>>() {
        table.server.room_mut(room).add_user(user);
    }
    (table, room)
}

fn spawn(table: &mut Table, room: RoomId, entities: u32) {
    for number in 0..entities {
        let number = number as f32;
        let place = Place { x: number, y: number + 0.25, z: number + 0.5 };
        let entity = table.server.spawn((place,)).expect("a place has a wire form");
        table.server.room_mut(room).add_entity(entity);
    }
}

/// Ticks until every client sees so many entities.
fn settle(table: &mut Table, entities: u32) {
    let seen = |table: &Table| {
        table.clients.iter().all(|client| client.entities().world().len() == entities as usize)
    };
    while !seen(table) {
        table.turn(|_, _| (), |_, _| ());
    }
}

fn move_all(table: &mut Table) {
    table.server.world_mut().for_each_mut::<Place>(|_, mut place| {
        place.x += 1.0;
        place.y -= 1.0;
        place.z += 0.5;
    });
}

/// Every entity moves in every tick. The figure is for one update of one entity on one client, both ends.
fn moving(c: &mut Criterion) {
    let mut group = c.benchmark_group("moving");
    for (clients, entities) in [(1, 100), (16, 1_000)] {
        let (mut table, room) = table(clients);
        spawn(&mut table, room, entities);
        settle(&mut table, entities);
        group.throughput(Throughput::Elements(clients as u64 * u64::from(entities)));
        group.bench_function(format!("{clients}_clients_x_{entities}"), |b| {
            b.iter(|| {
                move_all(&mut table);
                table.turn(|_, _| (), |_, _| ());
            });
        });
    }
    group.finish();
}

/// Nothing changes: what a thousand entities in sight cost a server in a tick. The figure is for one user.
fn idle(c: &mut Criterion) {
    let mut group = c.benchmark_group("idle");
    const USERS: usize = 64;
    group.throughput(Throughput::Elements(USERS as u64));
    for entities in [0, 1_000] {
        let (mut table, room) = table(USERS);
        spawn(&mut table, room, entities);
        settle(&mut table, entities);
        // Until the last acknowledgement of the spawns is in.
        (0..100).for_each(|_| table.turn(|_, _| (), |_, _| ()));
        // The time stands still: no heartbeat is due, and nobody times out.
        group.bench_function(format!("server_with_{entities}_entities"), |b| {
            b.iter(|| table.server_turn(|_, _| ()));
        });
    }
    group.finish();
}

/// From `spawn` until a client sees them all. The figure is for one entity.
fn burst(c: &mut Criterion) {
    const ENTITIES: u32 = 10_000;
    let mut group = c.benchmark_group("spawn");
    group.throughput(Throughput::Elements(u64::from(ENTITIES)));
    group.bench_function("10000_to_one_client", |b| {
        b.iter_batched(
            || table(1),
            |(mut table, room)| {
                spawn(&mut table, room, ENTITIES);
                settle(&mut table, ENTITIES);
                table
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(1_500));
    targets = moving, idle, burst
}
criterion_main!(benches);
