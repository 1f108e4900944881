//! The same game on the core API and through Bevy: the same bytes at the same moments.

use bevy_app::{App, PreUpdate};
use bevy_ecs::prelude::*;
use bowline::prelude::{Audience, ClientConfig, ClientEvent, ServerConfig, ServerEvent, UserId};
use bowline::transport::Security;
use bowline::{NetEntity, RoomId};
use bowline_bevy::client::{self, Client, ClientPlugin, ClientTick};
use bowline_bevy::server::{self, ReplicationCommands as _, Server, ServerPlugin, ServerSystems, ServerTick};
use bowline_bevy::{DefaultClientTag, Replicated};
use bowline_sim::{Conditions, SimAddress, SimHost, SimSocket};

use crate::rig::{
    Chat, FRAME, Field, Frozen, Health, Helm, Login, MS, Position, SERVER, Score, Stage, Steer, Talk, at,
    connect, run_once,
};

type CoreServer = bowline::Server<Field, SimSocket, SimHost>;
type CoreClient = bowline::Client<Field, SimSocket, SimHost>;

/// On which API a side plays.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Core,
    Bevy,
}

const CLIENTS: usize = 3;
const SHIPS: usize = 12;

/// What is done to a ship in a tick: the game, whatever it runs on.
enum Deed {
    Nothing,
    Freeze,
    Thaw,
    Hurt,
    Sink,
}

fn deed(tick: u32, ship: usize) -> Deed {
    match (tick as usize + ship) % 13 {
        3 => Deed::Freeze,
        7 => Deed::Thaw,
        9 => Deed::Hurt,
        11 if tick == 60 => Deed::Sink,
        _ => Deed::Nothing,
    }
}

const LAUNCH: u32 = 20;
const OPENING: u32 = 30;
const CLOSING: u32 = 90;

struct CoreGame {
    server: CoreServer,
    room: RoomId,
    ships: Vec<NetEntity>,
}

impl CoreGame {
    fn new(stage: &Stage) -> Self {
        let mut server = CoreServer::with_host(ServerConfig::default(), stage.host(1));
        server.listen(stage.socket(SERVER, SERVER));
        let room = server.create_room();
        Self { server, room, ships: Vec::new() }
    }

    fn turn(&mut self) {
        self.server.receive();
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => drop(self.server.room_mut(self.room).add_user(user)),
                ServerEvent::Message(_, crate::rig::FieldMessage::Chat(chat)) => {
                    self.server.broadcast::<Talk>(Audience::all(), chat, |_, _| ()).unwrap();
                }
                ServerEvent::Tick(tick) => self.tick(tick),
                _ => {}
            }
        }
        self.server.send();
    }

    fn tick(&mut self, tick: u32) {
        let Self { server, room, ships } = self;
        if tick == LAUNCH {
            for number in 0..SHIPS {
                let ship = server.spawn((at(number as f32), Health(100))).unwrap();
                server.entity_mut(ship).unwrap().enter_room(*room);
                ships.push(ship);
            }
        }
        match tick {
            OPENING => drop(server.insert_resource(Score { left: 0, right: 0 }).unwrap()),
            CLOSING => drop(server.remove_resource::<Score>()),
            _ => {}
        }
        if tick.is_multiple_of(5)
            && let Some(mut score) = server.resource_mut::<Score>()
        {
            score.left += 1;
        }
        for (number, ship) in ships.iter().enumerate() {
            let Some(mut ship) = server.entity_mut(*ship) else { continue };
            ship.component_mut::<Position>().unwrap().x += 1.0;
            match deed(tick, number) {
                Deed::Freeze => drop(ship.insert(Frozen)),
                Deed::Thaw => drop(ship.remove::<Frozen>()),
                Deed::Hurt => ship.component_mut::<Health>().unwrap().0 -= 1,
                Deed::Sink => ship.despawn(),
                Deed::Nothing => {}
            }
        }
    }
}

#[derive(Component)]
struct Number(usize);

#[derive(Resource)]
struct Room(RoomId);

fn bevy_game(stage: &Stage) -> App {
    let mut app = App::new();
    app.add_plugins(ServerPlugin::<Field>::new(ServerConfig::default()).with_host(stage.host(1)));
    let mut socket = Some(stage.socket(SERVER, SERVER));
    run_once(app.world_mut(), move |mut server: Server<'_, '_, Field>, mut commands: Commands<'_, '_>| {
        server.listen(socket.take().unwrap());
        commands.insert_resource(Room(server.create_room()));
    });
    app.add_systems(PreUpdate, (let_in, welcome, repeat).chain().after(ServerSystems::WorldEvents));
    app.add_systems(ServerTick, (launch, keep_score, sail).chain());
    app
}

fn let_in(mut events: MessageReader<'_, '_, server::AuthEvent<Field>>) {
    events.read().filter_map(server::AuthEvent::take).for_each(bowline::AuthTicket::accept);
}

fn welcome(
    mut events: MessageReader<'_, '_, server::ConnectEvent>,
    mut server: Server<'_, '_, Field>,
    room: Res<'_, Room>,
) {
    for event in events.read() {
        let user: UserId = event.user;
        server.room_mut(room.0).add_user(user);
    }
}

fn repeat(mut chats: MessageReader<'_, '_, server::MessageEvent<Chat>>, mut server: Server<'_, '_, Field>) {
    for chat in chats.read() {
        server.broadcast::<Talk>(Audience::all(), chat.message.clone(), |_, _| ()).unwrap();
    }
}

fn launch(
    mut ticks: MessageReader<'_, '_, server::TickEvent>,
    room: Res<'_, Room>,
    mut commands: Commands<'_, '_>,
) {
    if ticks.read().any(|event| event.tick == LAUNCH) {
        for number in 0..SHIPS {
            let ship = (at(number as f32), Health(100), Number(number), Replicated);
            commands.spawn(ship).enter_room(room.0);
        }
    }
}

fn keep_score(
    mut ticks: MessageReader<'_, '_, server::TickEvent>,
    score: Option<ResMut<'_, Score>>,
    mut commands: Commands<'_, '_>,
) {
    let tick = ticks.read().last().unwrap().tick;
    // Opened in this tick it counts in this tick.
    let opened = u32::from(tick == OPENING && tick.is_multiple_of(5));
    match tick {
        OPENING => commands.insert_resource(Score { left: opened, right: 0 }),
        CLOSING => commands.remove_resource::<Score>(),
        _ => {}
    }
    if tick.is_multiple_of(5)
        && let Some(mut score) = score
    {
        score.left += 1;
    }
}

fn sail(
    mut ticks: MessageReader<'_, '_, server::TickEvent>,
    mut ships: Query<'_, '_, (Entity, &Number, &mut Position, &mut Health)>,
    mut commands: Commands<'_, '_>,
) {
    let tick = ticks.read().last().unwrap().tick;
    for (entity, number, mut position, mut health) in &mut ships {
        position.x += 1.0;
        match deed(tick, number.0) {
            Deed::Freeze => drop(commands.entity(entity).insert(Frozen)),
            Deed::Thaw => drop(commands.entity(entity).remove::<Frozen>()),
            Deed::Hurt => health.0 -= 1,
            Deed::Sink => commands.entity(entity).despawn(),
            Deed::Nothing => {}
        }
    }
}

fn says(tick: u32) -> (Steer, Option<Chat>) {
    (
        Steer { turn: (tick % 20) as f32 / 20.0 },
        (tick.is_multiple_of(10)).then(|| Chat(format!("tick {tick}"))),
    )
}

fn core_client(stage: &Stage, address: SimAddress, login: Login) -> CoreClient {
    let mut client = CoreClient::with_host(ClientConfig::default(), stage.host(address_number(address)));
    client.connect(stage.socket(address, SERVER), login).unwrap();
    client
}

fn core_client_turn(client: &mut CoreClient, heard: &mut Vec<String>) {
    client.receive();
    while let Some(event) = client.next_event() {
        match event {
            ClientEvent::Tick(tick) => {
                let (steer, chat) = says(tick);
                let mut connected = client.connected().unwrap();
                connected.send::<Helm>(steer).unwrap();
                chat.into_iter().for_each(|chat| connected.send::<Talk>(chat).unwrap());
            }
            ClientEvent::Message(crate::rig::FieldMessage::Chat(chat)) => heard.push(chat.0),
            _ => {}
        }
    }
    client.send();
}

#[derive(Resource, Default)]
struct Heard(Vec<String>);

fn bevy_client(stage: &Stage, address: SimAddress, login: Login) -> App {
    let mut app = App::new();
    let host = stage.host(address_number(address));
    app.add_plugins(ClientPlugin::<Field>::new(ClientConfig::default()).with_host(host));
    app.init_resource::<Heard>();
    app.add_systems(
        ClientTick,
        |mut ticks: MessageReader<'_, '_, client::TickEvent>, mut client: Client<'_, '_, Field>| {
            let (steer, chat) = says(ticks.read().last().unwrap().tick);
            client.send::<Helm>(steer).unwrap();
            chat.into_iter().for_each(|chat| client.send::<Talk>(chat).unwrap());
        },
    );
    app.add_systems(
        PreUpdate,
        |mut chats: MessageReader<'_, '_, client::MessageEvent<Chat>>, mut heard: ResMut<'_, Heard>| {
            heard.0.extend(chats.read().map(|chat| chat.message.0.clone()));
        },
    );
    connect::<DefaultClientTag>(app.world_mut(), stage.socket(address, SERVER), login);
    app
}

fn address_number(address: SimAddress) -> u64 {
    address.to_string().trim_start_matches("sim:").parse().unwrap()
}

/// What is left of a game: a hash over every datagram and its time, how many there were, and what the clients have seen.
#[derive(Debug, PartialEq)]
struct Trace {
    hash: u64,
    datagrams: u64,
    seen: Vec<String>,
}

fn play(seed: u64, security: Security, server: On, clients: On) -> Trace {
    let conditions = Conditions::new(40, 15, 0.05);
    let mut stage = Stage::with_security(seed, conditions, security);
    let mut core_server = (server == On::Core).then(|| CoreGame::new(&stage));
    let mut bevy_server = (server == On::Bevy).then(|| bevy_game(&stage));
    let mut core_clients = Vec::new();
    let mut bevy_clients = Vec::new();
    for number in 0..CLIENTS {
        let (address, login) = (SimAddress::new(100 + number as u16), Login(format!("{number}")));
        match clients {
            On::Core => core_clients.push((core_client(&stage, address, login), Vec::new())),
            On::Bevy => bevy_clients.push(bevy_client(&stage, address, login)),
        }
    }
    for _ in 0..(MS * 8_000).as_millis() / FRAME.as_millis() {
        stage.run(FRAME);
        core_server.iter_mut().for_each(CoreGame::turn);
        bevy_server.iter_mut().for_each(App::update);
        core_clients.iter_mut().for_each(|(client, heard)| core_client_turn(client, heard));
        bevy_clients.iter_mut().for_each(App::update);
    }
    let mut seen: Vec<_> = core_clients
        .iter()
        .map(|(client, heard)| {
            let world = client.world();
            let mut ships: Vec<_> = world
                .entities()
                .map(|ship| {
                    format!("{:?} {:?}", world.component::<Position>(ship), world.component::<Health>(ship))
                })
                .collect();
            ships.sort();
            format!("{ships:?} {heard:?}")
        })
        .collect();
    for app in &mut bevy_clients {
        let world = app.world_mut();
        let mut query =
            world.query_filtered::<(Option<&Position>, Option<&Health>), With<bowline_bevy::Remote>>();
        let mut ships: Vec<_> = query.iter(world).map(|(at, health)| format!("{at:?} {health:?}")).collect();
        ships.sort();
        seen.push(format!("{ships:?} {:?}", world.resource::<Heard>().0));
    }
    let network = stage.cluster().network();
    Trace { hash: network.trace_hash(), datagrams: network.stats().delivered, seen }
}

#[test]
fn the_same_game_gives_the_same_bytes_on_the_core_and_through_bevy() {
    for (seed, security) in [(1, Security::FULL), (2, Security::NONE), (3, Security::NONE)] {
        let core = play(seed, security, On::Core, On::Core);
        assert!(core.datagrams > 1_000, "{}", core.datagrams);
        assert!(
            core.seen
                .iter()
                .all(|seen| seen.matches("Health").count() == SHIPS - 1 && seen.contains("tick "))
        );
        for (server, clients) in [(On::Bevy, On::Bevy), (On::Bevy, On::Core), (On::Core, On::Bevy)] {
            let bevy = play(seed, security, server, clients);
            assert_eq!(bevy, core, "seed {seed}, server on {server:?}, clients on {clients:?}");
        }
        assert_ne!(
            play(seed + 100, security, On::Core, On::Core).hash,
            core.hash,
            "another seed, other accidents"
        );
    }
}
