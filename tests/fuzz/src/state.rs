//! The engine of replication, without connections around it: state and control messages from the other side.

use allocation_counter::measure;
use bowline::{Approval, BitWriter, ClientSide, Freight, ServerSide};

use crate::datagrams::{Sender, parse, write};
use crate::protocol::{Diary, Everything, Frozen, Name, Place, Target, Weather, orders};

/// More than this nobody can make an engine hold with a packet or two.
const MOST_BYTES: u64 = 4 << 20;

/// A server with entities of each kind and one user, who sees all of them and may own some.
fn a_server() -> ServerSide<Everything> {
    let mut server = ServerSide::<Everything>::new(8);
    for number in 0..20 {
        let place = Place { x: number as f32, y: 2.0, facing: None };
        let entity = server.spawn((place, Frozen)).expect("there is room");
        if number % 2 == 0 {
            server.insert(entity, Target { at: entity, beside: None });
            server.delegate(entity, if number % 4 == 0 { Approval::Automatic } else { Approval::Ask });
        }
        if number == 3 {
            server.insert(entity, Diary { text: "dear diary".repeat(300), orders: orders().all });
            server.insert(entity, Name("Ann".to_owned()));
        }
        server.enter_room(0, entity);
    }
    let _ = server.insert_resource(Weather { rain: 1, where_: Vec::new() });
    server.connect(0);
    server.user_enters_room(0, 0);
    server.collect();
    server
}

/// What the fuzzer says as a client. A datagram of a [`Sender::Server`] is a control message, any other is state.
pub(crate) fn server(bytes: &[u8]) {
    let mut server = a_server();
    let seen = measure(|| {
        for (number, forged) in parse(bytes).iter().enumerate() {
            if forged.from == Sender::Server {
                server.take_in_control(0, forged.bytes);
            } else {
                server.take_in_state(0, forged.bytes, number as u64, 7);
            }
            while server.next_event().is_some() || server.next_asked().is_some() {}
        }
        server.collect();
    });
    assert!(seen.bytes_max < MOST_BYTES, "{seen:?}");
    let world = server.world();
    for entity in world.entities() {
        let is_ours = server.owner(entity).is_none();
        assert!(!is_ours || world.has::<Place>(entity), "{entity} is the server's, and has lost a component");
    }
}

/// What the fuzzer says as a server.
pub(crate) fn client(bytes: &[u8]) {
    let mut client = ClientSide::<Everything>::new();
    let seen = measure(|| {
        for (number, forged) in parse(bytes).iter().enumerate() {
            let made_sense = if forged.from == Sender::Server {
                client.take_in_control(forged.bytes)
            } else {
                client.take_in_state(forged.bytes, number as u64, 7)
            };
            while client.next_event().is_some() {}
            if !made_sense {
                // That ends a session.
                break;
            }
        }
        client.collect();
    });
    assert!(seen.bytes_max < MOST_BYTES, "{seen:?}");
}

/// What a server says to a client that has just come and borrows an entity.
pub(crate) fn client_seeds() -> Vec<Vec<u8>> {
    one_by_one_and_together(&conversation().0)
}

/// What that client says.
pub(crate) fn server_seeds() -> Vec<Vec<u8>> {
    one_by_one_and_together(&conversation().1)
}

fn one_by_one_and_together(said: &[(Sender, Vec<u8>)]) -> Vec<Vec<u8>> {
    let each = said.iter().map(|one| write(std::slice::from_ref(one)));
    each.chain([write(said)]).collect()
}

/// What one side says.
type Said = Vec<(Sender, Vec<u8>)>;

/// A packet as it is when nothing else is in it.
const PACKET_BITS: usize = 1_100 * 8;

/// What a server and a client say, each in packets and in control messages.
fn conversation() -> (Said, Said) {
    let (mut server, mut client) = (a_server(), ClientSide::<Everything>::new());
    let (mut by_server, mut by_client) = (Vec::new(), Vec::new());
    for tick in 0..12_u32 {
        let packet = u64::from(tick);
        while let Some(control) = server.next_control(0).map(<[u8]>::to_vec) {
            assert!(client.take_in_control(&control), "an honest server makes sense");
            by_server.push((Sender::Server, control));
            server.control_is_sent(0);
        }
        if let Some(bytes) =
            server.load(0, PACKET_BITS / 8, PACKET_BITS).and_then(|load| loaded(load, packet))
        {
            assert!(client.take_in_state(&bytes, packet, tick), "an honest server makes sense");
            by_server.push((Sender::Client, bytes));
        }
        server.finish(0, tick, 256 << 10);
        server.decided(0, packet, true);

        let lent = client.world().entities().find(|entity| client.authority(*entity).is_some());
        match (tick, lent) {
            (3, Some(entity)) => drop(client.request_authority(entity)),
            (6, Some(entity)) => {
                if let Some(mut place) = client.world_mut().component_mut::<Place>(entity) {
                    place.x = 4.5;
                }
            }
            (7, _) => drop(client.spawn((Name("mine".to_owned()), Frozen))),
            (10, Some(entity)) => drop(client.release_authority(entity)),
            _ => {}
        }
        client.collect();
        while let Some(control) = client.next_control().map(<[u8]>::to_vec) {
            server.take_in_control(0, &control);
            by_client.push((Sender::Server, control));
            client.control_is_sent();
        }
        if let Some(bytes) = client.load(PACKET_BITS / 8, PACKET_BITS).and_then(|load| loaded(load, packet)) {
            server.take_in_state(0, &bytes, packet, tick);
            by_client.push((Sender::Client, bytes));
        }
        client.finish(tick, 256 << 10);
        client.decided(packet, true);
        server.collect();
    }
    (by_server, by_client)
}

fn loaded(mut load: impl Freight, packet: u64) -> Option<Vec<u8>> {
    let mut writer = BitWriter::new();
    load.load(packet, PACKET_BITS, &mut writer).then(|| writer.into_bytes())
}
