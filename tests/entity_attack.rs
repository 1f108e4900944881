//! What a peer says of entities that makes no sense, or too much of it.

use allocation_counter::measure;
use bowline::prelude::*;
use bowline::{BitWriter, ClientSide, ServerSide};
use bowline_sim::{ClusterConfig, Conditions};
use bowline_tests::arena::{Field, Frozen, Health, MS, Position, field, position, user_of};
use proptest::prelude::*;

fn server() -> ServerSide<Field> {
    let mut server = ServerSide::<Field>::new(4);
    for number in 0..50 {
        let entity = server.spawn((position(number), Health(1))).unwrap();
        server.enter_room(0, entity);
        server.delegate(entity, Approval::Automatic);
    }
    server.connect(0);
    server.user_enters_room(0, 0);
    server.collect();
    server
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn b3_any_bytes_from_a_client(packets in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..120)), 1..20)) {
        let mut server = server();
        for (number, (is_control, bytes)) in packets.iter().enumerate() {
            if *is_control {
                server.take_in_control(0, bytes);
            } else {
                server.take_in_state(0, bytes, number as u64, 7);
            }
        }
        server.collect();
        prop_assert!(server.world().entities().all(|entity| server.world().has::<Position>(entity) || server.owner(entity).is_some()));
    }

    #[test]
    fn b3_any_bytes_from_a_server(packets in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..120)), 1..20)) {
        let mut client = ClientSide::<Field>::new();
        for (number, (is_control, bytes)) in packets.iter().enumerate() {
            let _ = if *is_control {
                client.take_in_control(bytes)
            } else {
                client.take_in_state(bytes, number as u64, 7)
            };
        }
        client.collect();
    }
}

/// A packet of a client that says of each of some slots that there is an entity without components.
fn fresh(slots: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut writer = BitWriter::new();
    // No farewells.
    writer.write_bool(false);
    let mut after = 0;
    for slot in slots {
        writer.write_bool(true);
        let gap = slot + 1 - after;
        after = slot + 1;
        if gap == 1 {
            writer.write_bool(false);
        } else {
            // The widest class.
            writer.write_bits(0b111, 3);
            writer.write_bits(gap - 8_466, 32);
        }
        writer.write_bool(true);
        writer.write_varint(0);
        // No kinds.
        writer.write_bool(false);
        writer.write_varint(0);
    }
    writer.write_bool(false);
    writer.write_bool(false);
    writer.into_bytes()
}

#[test]
fn b5_a_client_that_names_a_million_slots_is_bounded_and_counted() {
    let mut server = server();
    let far = fresh((0..100_u64).map(|n| n * 10_000 + 10_000));
    assert!(far.len() < 1_200);
    let seen = measure(|| server.take_in_state(0, &far, 1, 1));
    assert!(seen.bytes_max < 64 * far.len() as u64 + 4_096, "{seen:?} for {} bytes", far.len());
    let seen = measure(|| {
        for packet in 2..5_000_u64 {
            let first = packet * 200 % 1_000_000;
            server.take_in_state(
                0,
                &fresh((first..first + 40).filter(|slot| *slot > 10_000 || *slot < 40)),
                packet,
                1,
            );
        }
    });
    assert!(seen.bytes_current < 1 << 20, "{seen:?}");
    assert!(server.refused(0) > 1_000);
    assert_eq!(server.entity_count(), 50, "and nothing has come of it");
}

/// A packet of a client that says of the first entity that it has components of these kinds.
fn shape(is_fresh: bool, kinds: &[u64], values: impl FnOnce(&mut BitWriter)) -> Vec<u8> {
    let mut writer = BitWriter::new();
    // No farewells; one shape, of the next slot.
    writer.write_bits(0b010, 3);
    writer.write_bool(is_fresh);
    if is_fresh {
        writer.write_varint(0);
    }
    writer.write_bool(false);
    writer.write_varint(kinds.len() as u64);
    kinds.iter().for_each(|kind| writer.write_bits(*kind, 4));
    values(&mut writer);
    writer.write_bits(0, 2);
    writer.into_bytes()
}

#[test]
fn who_has_authority_writes_values_and_neither_adds_nor_takes_components() {
    let mut server = server();
    let entity = server.world().entities().next().unwrap();
    assert!(server.give_authority(0, entity));
    // A position, a health, and something that it does not have.
    let more = shape(true, &[0, 1, 2], |writer| {
        (0..3).for_each(|_| writer.write_bits(1.5_f32.to_bits().into(), 32));
        writer.write_bits(9, 8);
    });
    server.take_in_state(0, &more, 1, 1);
    let world = server.world();
    assert_eq!(world.component::<Health>(entity), Some(&Health(9)));
    assert_eq!(world.component::<Position>(entity), Some(&Position { x: 1.5, y: 1.5, z: 1.5 }));
    assert_eq!((world.has::<Frozen>(entity), server.refused(0)), (false, 1));
    // Its position, of which nothing is new, and nothing else.
    server.take_in_state(0, &shape(false, &[0], |writer| writer.write_bits(0, 2)), 2, 2);
    assert!(server.world().has::<Health>(entity));
    assert_eq!(server.refused(0), 1);
    // An id that is no client's to spawn with.
    server.take_in_state(0, &fresh(std::iter::once(20_000)), 3, 3);
    assert_eq!((server.refused(0), server.entity_count()), (2, 50));
}

#[test]
fn b6_a_client_that_asks_and_asks_has_itself_to_wait_for() {
    let mut config = ClusterConfig::new(5, 2);
    config.conditions = Conditions::new(20, 0, 0.0);
    let (mut cluster, room) = field(config);
    let server = cluster.server_mut();
    let entity = server.spawn((position(1),)).unwrap();
    server.room_mut(room).add_entity(entity);
    server.entity_mut(entity).unwrap().delegate(Approval::Ask);
    cluster.run_for(MS * 200);
    for _ in 0..2_000 {
        let entities = cluster.client_mut(0).entities_mut();
        entities.request_authority(entity);
        entities.release_authority(entity);
        cluster.run_for(MS * 10);
    }
    cluster.run_for(MS * 1_000);
    assert_eq!(cluster.server().user_count(), 2);
    let user = user_of(&cluster, 0);
    assert!(cluster.server_mut().grant_authority(user, entity), "and it may have it all the same");
}
