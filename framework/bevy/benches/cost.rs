//! What a tick of a server costs through Bevy, over what it costs on the core API: 1,000 entities that all move, in sight of
//! 64 clients. `cargo bench -p bowline-bevy`; the ratio is printed at the end.

#![allow(missing_docs, unreachable_pub, reason = "a bench")]

use std::time::{Duration, Instant};

use bevy_app::App;
use bevy_ecs::prelude::*;
use bevy_ecs::system::RunSystemOnce as _;
use bowline::prelude::{ClientConfig, Protocol, Replicate, ServerConfig, ServerEvent};
use bowline::transport::local;
use bowline::{ManualClock, SeededEntropy};
use bowline_bevy::Replicated;
use bowline_bevy::server::{
    AuthEvent, ConnectEvent, ReplicationCommands as _, RoomId, Server, ServerPlugin, ServerTick,
};
use criterion::Criterion;

const CLIENTS: usize = 64;
const ENTITIES: usize = 1_000;
const TICK: Duration = Duration::from_millis(50);

#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(tick_rate = 20, components(Place))]
pub struct Arena;

type Host = (ManualClock, SeededEntropy);
type Client = bowline::Client<Arena, local::ClientSocket, Host>;

/// Either server, with its clients around it.
trait Game {
    fn clock(&self) -> &ManualClock;
    fn hub(&self) -> local::Hub;
    /// A turn of the server, with a tick in it.
    fn turn(&mut self);
    fn user_count(&mut self) -> usize;
}

struct Core {
    clock: ManualClock,
    hub: local::Hub,
    server: bowline::Server<Arena, local::Socket, Host>,
    room: RoomId,
}

impl Core {
    fn new() -> Self {
        let (clock, hub) = (ManualClock::new(), local::Hub::new());
        let mut server =
            bowline::Server::with_host(ServerConfig::default(), (clock.clone(), SeededEntropy::new(1)));
        server.listen(hub.server(server.socket_config()).unwrap());
        let room = server.create_room();
        for number in 0..ENTITIES {
            let entity = server.spawn((place(number),)).unwrap();
            server.entity_mut(entity).unwrap().enter_room(room);
        }
        Self { clock, hub, server, room }
    }
}

impl Game for Core {
    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn hub(&self) -> local::Hub {
        self.hub.clone()
    }

    fn turn(&mut self) {
        let Self { server, room, .. } = self;
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => drop(server.room_mut(*room).add_user(user)),
                ServerEvent::Tick(_) => {
                    server.world_mut().for_each_mut::<Place>(|_, mut place| place.x += 1.0);
                }
                _ => {}
            }
        }
        server.send();
    }

    fn user_count(&mut self) -> usize {
        self.server.user_count()
    }
}

struct Bevy {
    clock: ManualClock,
    hub: local::Hub,
    app: App,
}

#[derive(Resource)]
struct Room(RoomId);

impl Bevy {
    fn new() -> Self {
        let (clock, hub) = (ManualClock::new(), local::Hub::new());
        let host = (clock.clone(), SeededEntropy::new(1));
        let mut app = App::new();
        app.add_plugins(ServerPlugin::<Arena>::new(ServerConfig::default()).with_host(host));
        let here = hub.clone();
        let start = move |mut server: Server<'_, '_, Arena>, mut commands: Commands<'_, '_>| {
            let socket = here.server(server.socket_config()).unwrap();
            server.listen(socket);
            let room = server.create_room();
            commands.insert_resource(Room(room));
            for number in 0..ENTITIES {
                commands.spawn((place(number), Replicated)).enter_room(room);
            }
        };
        app.world_mut().run_system_once(start).unwrap();
        app.add_systems(bevy_app::PreUpdate, let_in.after(bowline_bevy::server::ServerSystems::WorldEvents));
        app.add_systems(ServerTick, |mut places: Query<'_, '_, &mut Place>| {
            places.iter_mut().for_each(|mut place| place.x += 1.0);
        });
        Self { clock, hub, app }
    }
}

fn let_in(
    mut tickets: MessageReader<'_, '_, AuthEvent<Arena>>,
    mut users: MessageReader<'_, '_, ConnectEvent>,
    room: Res<'_, Room>,
    mut server: Server<'_, '_, Arena>,
) {
    tickets.read().filter_map(AuthEvent::take).for_each(bowline::AuthTicket::accept);
    for event in users.read() {
        server.room_mut(room.0).add_user(event.user);
    }
}

impl Game for Bevy {
    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn hub(&self) -> local::Hub {
        self.hub.clone()
    }

    fn turn(&mut self) {
        self.app.update();
    }

    fn user_count(&mut self) -> usize {
        self.app.world_mut().run_system_once(|server: Server<'_, '_, Arena>| server.user_count()).unwrap()
    }
}

fn place(number: usize) -> Place {
    Place { x: number as f32, y: 1.0, z: 2.0 }
}

/// A game with its clients connected.
struct Table<G> {
    game: G,
    clients: Vec<Client>,
}

impl<G: Game> Table<G> {
    fn new(game: G) -> Self {
        let connect = |number| {
            let host = (game.clock().clone(), SeededEntropy::new(100 + number as u64));
            let mut client = Client::with_host(ClientConfig::default(), host);
            client.connect(game.hub().client(client.socket_config()), ()).unwrap();
            client
        };
        let clients = (0..CLIENTS).map(connect).collect();
        let mut table = Self { game, clients };
        while table.game.user_count() < CLIENTS
            || table.clients.iter().any(|client| client.world().len() < ENTITIES)
        {
            table.tick();
        }
        table
    }

    /// A tick passes. How long the server took; the clients' time does not count.
    fn tick(&mut self) -> Duration {
        self.game.clock().advance(TICK);
        let start = Instant::now();
        self.game.turn();
        let took = start.elapsed();
        for client in &mut self.clients {
            client.receive();
            while client.next_event().is_some() {}
            client.send();
        }
        took
    }

    fn ticks(&mut self, ticks: u64) -> Duration {
        (0..ticks).map(|_| self.tick()).sum()
    }
}

fn main() {
    let (mut core, mut bevy) = (Table::new(Core::new()), Table::new(Bevy::new()));
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    criterion.bench_function("tick on the core", |bencher| bencher.iter_custom(|ticks| core.ticks(ticks)));
    criterion.bench_function("tick through bevy", |bencher| bencher.iter_custom(|ticks| bevy.ticks(ticks)));
    criterion.final_summary();

    // Turn by turn, so that what else the machine does hits both alike; it only ever makes a tick longer, so the shorter
    // ones tell more.
    let turns = (0..600).map(|_| [core.tick(), bevy.tick()].map(|took| took.as_secs_f64() * 1e3));
    let (mut on_core, mut through_bevy): (Vec<_>, Vec<_>) = turns.map(|[core, bevy]| (core, bevy)).unzip();
    on_core.sort_by(f64::total_cmp);
    through_bevy.sort_by(f64::total_cmp);
    for percent in [5, 25, 50] {
        let [core, bevy] = [&on_core, &through_bevy].map(|ticks| ticks[ticks.len() * percent / 100]);
        let ratio = bevy / core;
        println!(
            "{percent} % of ticks take less than {core:.3} ms on the core, {bevy:.3} ms through bevy: {ratio:.3}"
        );
    }
}
