//! What a message costs: the codec, a packet's way out and in, the handshake. `cargo bench -p bowline-tests`.
//!
//! Server and client run on one thread over in-process queues and in virtual time, so that only they are measured, and
//! the queues, whose share `queue` shows.

use std::hint::black_box;
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Security, Transport, local};
use bowline::{BitReader, BitWriter, Instant};
use bowline_tests::rig::{Arena, ArenaMessage, Chat, Hundred, Looks, Moves, Steer, Table, Talk};
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

/// Where something is, to a centimetre.
#[derive(Wire, Clone, Copy, Debug, PartialEq)]
struct Position {
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    x: f32,
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    y: f32,
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    z: f32,
}

/// A message as games have them.
#[derive(Wire, Clone, Debug, PartialEq)]
struct Shot {
    at: Position,
    #[wire(range = -3.15..=3.15, step = 0.001)]
    yaw: f32,
    #[wire(range = 0..=100)]
    charge: u8,
    target: Option<u32>,
    is_critical: bool,
    #[wire(max_len = 32)]
    weapon: String,
}

const POSITIONS: usize = 1_000;
const MESSAGES: u64 = 20;
const HUNDRED: Hundred = Hundred { bytes: [7; 100] };
const STEER: Steer = Steer { turn: 0.5 };
/// How many rounds one batch of handshakes has, so that setting up the server does not show.
const USERS: u64 = 64;

fn codec(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec");
    let at = |index: usize| {
        let index = index as f32;
        Position { x: index * 3.7 - 2_000.0, y: index * 0.1, z: 4_000.0 - index * 7.3 }
    };
    let shot = Shot {
        at: at(3),
        yaw: 1.5,
        charge: 80,
        target: Some(77),
        is_critical: true,
        weapon: "crossbow".into(),
    };
    write_and_read(&mut group, "message", &shot);
    group.throughput(Throughput::Elements(POSITIONS as u64));
    let positions: Vec<Position> = (0..POSITIONS).map(at).collect();
    let mut writer = BitWriter::new();
    group.bench_function("1000_positions/write", |b| {
        b.iter(|| {
            writer.clear();
            for position in black_box(&positions) {
                position.encode(&mut writer).unwrap();
            }
            writer.finish().len()
        });
    });
    let bytes = writer.finish().to_vec();
    group.bench_function("1000_positions/read", |b| {
        b.iter(|| {
            let mut reader = BitReader::new(black_box(&bytes));
            (0..POSITIONS).map(|_| Position::decode(&mut reader).unwrap().x).sum::<f32>()
        });
    });
    group.finish();
}

fn write_and_read<T: Wire>(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    value: &T,
) {
    let mut writer = BitWriter::new();
    group.bench_function(format!("{name}/write"), |b| {
        b.iter(|| {
            writer.clear();
            black_box(value).encode(&mut writer).unwrap();
            writer.finish().len()
        });
    });
    let bytes = writer.finish().to_vec();
    group.bench_function(format!("{name}/read"), |b| {
        b.iter(|| T::decode(&mut BitReader::new(black_box(&bytes))).unwrap());
    });
}

/// The share of the queues in what follows.
fn queue(c: &mut Criterion) {
    let hub = local::Hub::new();
    let mut server = hub.server(SocketConfig::default()).unwrap();
    let mut client = hub.client(SocketConfig::default());
    let to = client.server_address();
    c.bench_function("queue/datagram_of_1000_bytes", |b| {
        b.iter(|| {
            client.send(Instant::ZERO, to, black_box(&[0; 1_000])).unwrap();
            server.receive(Instant::ZERO).unwrap().unwrap().bytes.len()
        });
    });
}

/// A tick in which the client sends so many messages and the server takes them in; both ends, their acknowledgements
/// included. The figure is for one message.
fn messages<M: bowline::MessageOf<Arena> + Copy, C: bowline::ChannelOf<Arena> + bowline::ToServer>(
    c: &mut Criterion,
    name: &str,
    message: M,
    per_tick: u64,
) {
    let mut group = c.benchmark_group("messages");
    group.throughput(Throughput::Elements(per_tick));
    let mut table = Table::connected(1, Security::NONE);
    let mut arrived = 0_u64;
    let mut sent = 0_u64;
    group.bench_function(format!("{name}/{per_tick}_a_tick"), |b| {
        b.iter(|| {
            sent += per_tick;
            let mut connected = table.clients[0].connected().unwrap();
            for _ in 0..per_tick {
                connected.send::<C>(black_box(message)).unwrap();
            }
            table.clients[0].send();
            table.turn(
                |_, event| {
                    if let ServerEvent::Message(_, message) = event {
                        black_box(message);
                        arrived += 1;
                    }
                },
                |_, _| (),
            );
        });
    });
    assert_eq!(arrived, sent, "{name}: every message arrives");
    group.finish();
}

fn all_messages(c: &mut Criterion) {
    messages::<_, Moves>(c, "unreliable_100_bytes", HUNDRED, MESSAGES);
    messages::<_, Looks>(c, "sequenced_100_bytes", HUNDRED, MESSAGES);
    messages::<_, Talk>(c, "ordered_reliable_100_bytes", HUNDRED, MESSAGES);
    messages::<_, Moves>(c, "unreliable_3_bytes", STEER, 1);
    messages::<_, Talk>(c, "ordered_reliable_3_bytes", STEER, 1);
}

/// A tick of a server whose users do nothing, and of those users. The figure is for one user.
fn idle(c: &mut Criterion) {
    let mut group = c.benchmark_group("idle");
    group.throughput(Throughput::Elements(USERS));
    let mut table = Table::connected(USERS as usize, Security::NONE);
    group.bench_function("tick_of_server_and_64_clients", |b| {
        b.iter(|| table.turn(|_, _| (), |_, _| ()));
    });
    let mut table = Table::connected(USERS as usize, Security::NONE);
    group.bench_function("tick_of_server_alone", |b| {
        b.iter(|| {
            // The time stands still: no heartbeat is due, and nobody times out.
            table.server_turn(|_, _| ());
            table.server.next_deadline()
        });
    });
    group.finish();
}

/// What it costs to look at a connection each tick.
fn stats(c: &mut Criterion) {
    let mut table = Table::connected(1, Security::NONE);
    for _ in 0..100 {
        table.turn(|_, _| (), |_, _| ());
    }
    let user = table.server.users().next().expect("one is connected");
    let mut group = c.benchmark_group("stats");
    group.bench_function("connection", |b| {
        b.iter(|| table.server.user(black_box(user)).map(|user| user.stats));
    });
    group.bench_function("channel", |b| b.iter(|| table.server.channel_stats::<Talk>(black_box(user))));
}

/// From `connect` to `Connected` on both sides. The figure is for one client.
fn handshake(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake");
    group.throughput(Throughput::Elements(USERS));
    for (name, security) in [("with_cookie", Security::NONE), ("proved_address", Security::FULL)] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || Table::new(USERS as usize, security),
                |mut table| {
                    (0..USERS as usize).for_each(|client| table.connect(client));
                    while table.clients.iter().any(|client| client.phase() != Phase::Connected) {
                        table.turn(|_, _| (), |_, _| ());
                    }
                    assert_eq!(table.server.user_count(), USERS as usize);
                    table
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// A message with words, decoded as the enum that a game matches on.
fn enums(c: &mut Criterion) {
    let message = ArenaMessage::from(Chat { text: "well met, and mind the gap".into() });
    write_and_read(&mut c.benchmark_group("codec"), "enum_with_text", &message);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(1_500));
    targets = codec, enums, queue, all_messages, idle, stats, handshake
}
criterion_main!(benches);
