//! A small protocol, and a stage on which Bevy apps play in virtual time over a simulated network.

use std::time::Duration;

use bevy_app::{App, PreUpdate};
use bevy_ecs::prelude::*;
use bevy_ecs::system::RunSystemOnce as _;
use bowline::prelude::{Channel, ClientConfig, Phase, Protocol, RejectReason, Replicate, ServerConfig, Wire};
use bowline::transport::Security;
use bowline::{NetEntity, Request};
use bowline_bevy::client::{self, Client, ClientPlugin, ClientSystems};
use bowline_bevy::server::{
    self, ReplicationCommands as _, RoomId, Server, ServerPlugin, ServerSystems, UserId,
};
use bowline_bevy::{DefaultClientTag, Remote, Replicated, Tag};
use bowline_sim::{Cluster, ClusterConfig, Conditions, SimAddress, SimSocket};

/// The credentials.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login(pub String);

#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Position {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Health(pub u8);

#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Frozen;

/// Refers to another entity.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub at: NetEntity,
}

/// Two fields that always change together.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Twins {
    pub one: u32,
    pub other: u32,
}

/// Of Bevy's math: `bevy_math` is `glam`.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Velocity {
    #[wire(range = -10.0..=10.0, step = 0.1)]
    pub value: glam::Vec3,
    pub facing: glam::Quat,
}

/// Never changes, for Bevy neither.
#[derive(Component, Replicate, Clone, Debug, PartialEq)]
#[component(immutable)]
#[replicate(immutable)]
pub struct Name {
    #[wire(max_len = 40)]
    pub name: String,
}

#[derive(Resource, Replicate, Clone, Debug, PartialEq)]
pub struct Score {
    pub left: u32,
    pub right: u32,
}

#[derive(bowline::Message, Clone, Debug, PartialEq)]
pub struct Chat(pub String);

#[derive(bowline::Message, Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
}

#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = u64)]
pub struct Double(pub u32);

#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(unordered_reliable, bidirectional)]
pub struct Whisper;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk, Whisper, Helm),
    messages(Chat, Steer),
    requests(Double),
    components(Position, Health, Frozen, Target, Twins, Velocity, Name),
    resources(Score),
    derive(Clone, Debug, PartialEq)
)]
pub struct Field;

/// The same, but one component is another.
pub mod outdated {
    use bevy_ecs::prelude::Component;
    use bowline::prelude::{Protocol, Replicate};

    use super::{
        Chat, Double, Frozen, Helm, Login, Name, Position, Score, Steer, Talk, Target, Twins, Velocity,
        Whisper,
    };

    #[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
    pub struct Health(pub u16);

    #[derive(Protocol, Clone, Copy, Debug)]
    #[protocol(
        tick_rate = 20,
        auth = Login,
        channels(Talk, Whisper, Helm),
        messages(Chat, Steer),
        requests(Double),
        components(Position, Health, Frozen, Target, Twins, Velocity, Name),
        resources(Score)
    )]
    pub struct OldField;
}

pub const MS: Duration = Duration::from_millis(1);
/// How often an app updates.
pub const FRAME: Duration = Duration::from_millis(10);

/// What an app has been told, one line each.
#[derive(Resource, Default)]
pub struct Log(pub Vec<String>);

/// What a server does with those who want to come in.
#[derive(Resource, Clone, Default)]
pub enum Door {
    #[default]
    Open,
    Closed(RejectReason),
    Drops,
    /// Keeps tickets for so many updates.
    Later(u32),
}

/// The room that everybody is let into.
#[derive(Resource, Clone, Copy)]
pub struct Lobby(pub RoomId);

/// Apps, the network between them and their time.
pub struct Stage {
    /// Nobody plays on it: it has the network and moves the time.
    world: Cluster<Nothing>,
    seed: u64,
    apps: Vec<(App, SimAddress)>,
    gone: Vec<usize>,
}

#[derive(Protocol)]
#[protocol(tick_rate = 1)]
pub struct Nothing;

pub const SERVER: SimAddress = SimAddress::new(10);

impl Stage {
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self::with_security(seed, conditions, Security::NONE)
    }

    pub fn with_security(seed: u64, conditions: Conditions, security: Security) -> Self {
        let config = ClusterConfig { conditions, security, ..ClusterConfig::new(seed, 0) };
        Self { world: Cluster::new(config, |_| ()), seed, apps: Vec::new(), gone: Vec::new() }
    }

    pub const fn cluster(&self) -> &Cluster<Nothing> {
        &self.world
    }

    pub fn host(&self, number: u64) -> bowline_sim::SimHost {
        self.world.network().host(self.seed << 16 | number)
    }

    pub fn socket(&self, at: SimAddress, server: SimAddress) -> SimSocket {
        SimSocket::new(self.world.network(), at, server)
    }

    /// Adds an app at an address.
    pub fn add(&mut self, app: App, at: SimAddress) -> usize {
        self.apps.push((app, at));
        self.apps.len() - 1
    }

    /// A server that listens, lets everybody in and into its lobby.
    pub fn server(&mut self, config: ServerConfig) -> usize {
        let mut app = App::new();
        app.add_plugins(ServerPlugin::<Field>::new(config).with_host(self.host(1)));
        watch_server(&mut app);
        let socket = self.socket(SERVER, SERVER);
        listen(&mut app, socket);
        self.add(app, SERVER)
    }

    /// A client that is not connected.
    pub fn client(&mut self, config: ClientConfig) -> usize {
        let number = self.apps.len() as u64 + 100;
        let mut app = App::new();
        app.add_plugins(ClientPlugin::<Field>::new(config).with_host(self.host(number)));
        watch_client::<DefaultClientTag>(&mut app);
        self.add(app, SimAddress::new(number as u16))
    }

    /// A server with its lobby, and so many clients, all connected.
    pub fn connected(seed: u64, conditions: Conditions, clients: usize) -> Self {
        let mut stage = Self::new(seed, conditions);
        let server = stage.server(ServerConfig::default());
        for _ in 0..clients {
            let client = stage.client(ClientConfig::default());
            stage.connect(client);
        }
        let all_in = |stage: &mut Self| stage.in_server(server, |server| server.user_count()) == clients;
        assert!(stage.run_until(MS * 10_000, all_in), "all connect");
        stage.run(MS * 500);
        stage
    }

    pub fn connect(&mut self, client: usize) {
        let socket = self.socket(self.apps[client].1, SERVER);
        let login = Login(format!("client {client}"));
        connect::<DefaultClientTag>(self.world_mut(client), socket, login);
    }

    pub fn app(&mut self, node: usize) -> &mut App {
        &mut self.apps[node].0
    }

    pub fn world_mut(&mut self, node: usize) -> &mut World {
        self.apps[node].0.world_mut()
    }

    pub fn address(&self, node: usize) -> SimAddress {
        self.apps[node].1
    }

    /// An app does nothing any more, or again.
    pub fn freeze(&mut self, node: usize, is_frozen: bool) {
        self.gone.retain(|gone| *gone != node);
        self.gone.extend(is_frozen.then_some(node));
    }

    pub fn in_server<R: 'static>(
        &mut self,
        node: usize,
        f: impl FnOnce(&mut Server<'_, '_, Field>) -> R + Send + Sync + 'static,
    ) -> R {
        let mut f = Some(f);
        let run = move |mut server: Server<'_, '_, Field>| (f.take().unwrap())(&mut server);
        self.world_mut(node).run_system_once(run).unwrap()
    }

    pub fn in_client<R: 'static>(
        &mut self,
        node: usize,
        f: impl FnOnce(&mut Client<'_, '_, Field>) -> R + Send + Sync + 'static,
    ) -> R {
        let mut f = Some(f);
        let run = move |mut client: Client<'_, '_, Field>| (f.take().unwrap())(&mut client);
        self.world_mut(node).run_system_once(run).unwrap()
    }

    /// Lets time pass: all apps update once a frame.
    pub fn run(&mut self, duration: Duration) {
        self.run_until(duration, |_| false);
    }

    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.world.now() + limit;
        while self.world.now() < end {
            if done(self) {
                return true;
            }
            self.world.run_for(FRAME);
            for node in 0..self.apps.len() {
                if !self.gone.contains(&node) {
                    self.apps[node].0.update();
                }
            }
        }
        done(self)
    }

    pub fn log(&mut self, node: usize) -> Vec<String> {
        self.world_mut(node).resource::<Log>().0.clone()
    }

    pub fn clear_logs(&mut self) {
        for (app, _) in &mut self.apps {
            app.world_mut().resource_mut::<Log>().0.clear();
        }
    }

    /// Spawns an entity in the server's lobby.
    pub fn spawn(&mut self, server: usize, bundle: impl Bundle) -> Entity {
        let world = self.world_mut(server);
        let room = world.resource::<Lobby>().0;
        let mut entity = world.spawn((bundle, Replicated));
        entity.enter_room(room);
        entity.id()
    }

    /// The only user.
    pub fn user(&mut self, server: usize) -> UserId {
        self.in_server(server, |server| server.users().next().expect("a user"))
    }

    /// All values of a component that a client sees.
    pub fn seen<C: Component + Clone>(&mut self, client: usize) -> Vec<C> {
        let world = self.world_mut(client);
        let mut query = world.query_filtered::<&C, With<Remote>>();
        query.iter(world).cloned().collect()
    }

    /// How many entities a client sees.
    pub fn count(&mut self, client: usize) -> usize {
        let world = self.world_mut(client);
        world.query_filtered::<(), With<Remote>>().iter(world).count()
    }

    pub fn phase(&mut self, client: usize) -> Phase {
        self.in_client(client, |client| client.phase())
    }
}

pub fn listen(app: &mut App, socket: SimSocket) {
    let mut socket = Some(socket);
    let listen = move |mut server: Server<'_, '_, Field>, mut commands: Commands<'_, '_>| {
        server.listen(socket.take().unwrap());
        commands.insert_resource(Lobby(server.create_room()));
    };
    app.world_mut().run_system_once(listen).unwrap();
}

pub fn connect<T: Tag>(world: &mut World, socket: SimSocket, login: Login) {
    let mut what = Some((socket, login));
    let connect = move |mut client: Client<'_, '_, Field, T>| {
        let (socket, login) = what.take().unwrap();
        client.connect(socket, login).expect("it is not connected");
    };
    world.run_system_once(connect).unwrap();
}

pub fn watch_server(app: &mut App) {
    app.init_resource::<Log>().init_resource::<Door>();
    app.add_systems(PreUpdate, (open_door, log_server).chain().after(ServerSystems::WorldEvents));
}

fn open_door(
    door: Res<'_, Door>,
    mut events: MessageReader<'_, '_, server::AuthEvent<Field>>,
    mut kept: Local<'_, Vec<(u32, bowline::AuthTicket<Field, bowline::transport::AnyAddress>)>>,
    mut log: ResMut<'_, Log>,
) {
    for ticket in events.read().filter_map(server::AuthEvent::take) {
        log.0.push("auth requested".into());
        match &*door {
            Door::Open => ticket.accept(),
            Door::Closed(reason) => ticket.reject(reason.clone()),
            Door::Drops => drop(ticket),
            Door::Later(updates) => kept.push((*updates, ticket)),
        }
    }
    kept.iter_mut().for_each(|(left, _)| *left = left.saturating_sub(1));
    while let Some(at) = kept.iter().position(|(left, _)| *left == 0) {
        kept.remove(at).1.accept();
    }
}

fn log_server(
    mut connected: MessageReader<'_, '_, server::ConnectEvent>,
    mut disconnected: MessageReader<'_, '_, server::DisconnectEvent>,
    mut rejected: MessageReader<'_, '_, server::RejectEvent>,
    mut chats: MessageReader<'_, '_, server::MessageEvent<Chat>>,
    lobby: Option<Res<'_, Lobby>>,
    mut server: Server<'_, '_, Field>,
    mut log: ResMut<'_, Log>,
) {
    for event in connected.read() {
        log.0.push("connected".into());
        if let Some(lobby) = &lobby {
            server.room_mut(lobby.0).add_user(event.user);
        }
    }
    log.0.extend(chats.read().map(|event| format!("chat: {}", event.message.0)));
    log.0.extend(disconnected.read().map(|event| format!("disconnected: {}", event.reason)));
    log.0.extend(rejected.read().map(|event| format!("rejected: {}", event.reason)));
}

pub fn watch_client<T: Tag>(app: &mut App) {
    app.init_resource::<Log>();
    app.add_systems(
        PreUpdate,
        (
            log_connection::<T>,
            log_entities::<T>,
            log_component::<Position, T>,
            log_component::<Health, T>,
            log_component::<Name, T>,
        )
            .chain()
            .after(ClientSystems::WorldEvents),
    );
}

fn log_connection<T: Tag>(
    mut connected: MessageReader<'_, '_, client::ConnectEvent<T>>,
    mut disconnected: MessageReader<'_, '_, client::DisconnectEvent<T>>,
    mut rejected: MessageReader<'_, '_, client::RejectEvent<T>>,
    mut again: MessageReader<'_, '_, client::ReconnectingEvent<T>>,
    mut chats: MessageReader<'_, '_, client::MessageEvent<Chat, T>>,
    mut log: ResMut<'_, Log>,
) {
    log.0.extend(connected.read().map(|_| "connected".into()));
    log.0.extend(chats.read().map(|event| format!("chat: {}", event.message.0)));
    log.0.extend(disconnected.read().map(|event| format!("disconnected: {}", event.reason)));
    log.0.extend(rejected.read().map(|event| format!("rejected: {}", event.reason)));
    log.0.extend(again.read().map(|_| "reconnecting".into()));
}

fn log_entities<T: Tag>(
    mut gone: MessageReader<'_, '_, client::DespawnEntityEvent<T>>,
    mut come: MessageReader<'_, '_, client::SpawnEntityEvent<T>>,
    mut log: ResMut<'_, Log>,
) {
    log.0.extend(gone.read().map(|event| format!("despawn {}", event.id)));
    log.0.extend(come.read().map(|event| format!("spawn {}", event.id)));
}

fn log_component<C: Component + Replicate, T: Tag>(
    mut inserted: MessageReader<'_, '_, client::InsertComponentEvent<C, T>>,
    mut updated: MessageReader<'_, '_, client::UpdateComponentEvent<C, T>>,
    mut removed: MessageReader<'_, '_, client::RemoveComponentEvent<C, T>>,
    mut log: ResMut<'_, Log>,
) {
    log.0.extend(inserted.read().map(|_| format!("insert {}", C::NAME)));
    log.0.extend(updated.read().map(|_| format!("update {}", C::NAME)));
    log.0.extend(removed.read().map(|_| format!("remove {}", C::NAME)));
}

/// Runs a system once in an app.
pub fn run_once<M, R: 'static>(world: &mut World, system: impl IntoSystem<(), R, M>) -> R {
    world.run_system_once(system).unwrap()
}

pub const fn at(x: f32) -> Position {
    Position { x, y: x + 0.25, z: x + 0.5 }
}
