//! Several clients in one app, several servers in one app, and both in one.

use bevy_app::App;
use bevy_ecs::prelude::*;
use bowline::prelude::{ClientConfig, Protocol, ServerConfig};
use bowline_bevy::client::{Client, ClientPlugin, ClientTick};
use bowline_bevy::server::{EntityChange, ReplicationCommands as _, Server, ServerPlugin};
use bowline_bevy::{DefaultServerTag, NetId, Remote, Replicated};
use bowline_sim::{Conditions, SimAddress};

use crate::rig::{
    Chat, Field, Health, Lobby, Log, Login, MS, Position, SERVER, Score, Stage, Talk, at, connect, listen,
    run_once, watch_client, watch_server,
};

const QUIET: Conditions = Conditions::new(20, 0, 0.0);

struct Left;
struct Right;

/// A schedule for the ticks of the second client.
#[derive(bevy_ecs::schedule::ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct RightTick;

#[test]
fn several_clients_live_in_one_app() {
    let mut stage = Stage::new(31, QUIET);
    stage.server(ServerConfig::default());
    let mut app = App::new();
    app.add_plugins((
        ClientPlugin::<Field, Left>::new(ClientConfig::default()).with_host(stage.host(2)),
        ClientPlugin::<Field, Right>::new(ClientConfig::default())
            .with_host(stage.host(3))
            .with_tick_schedule(RightTick),
    ));
    watch_client::<Left>(&mut app);
    #[derive(Resource, Default)]
    struct Ticks(u32, u32);
    app.init_resource::<Ticks>();
    app.add_systems(ClientTick, |mut ticks: ResMut<'_, Ticks>| ticks.0 += 1);
    app.add_systems(RightTick, |mut ticks: ResMut<'_, Ticks>| ticks.1 += 1);
    let sockets = [50, 51].map(|number| stage.socket(SimAddress::new(number), SERVER));
    let node = stage.add(app, SimAddress::new(50));
    let [left, right] = sockets;
    connect::<Left>(stage.world_mut(node), left, Login("left".into()));
    connect::<Right>(stage.world_mut(node), right, Login("right".into()));
    stage.run(MS * 1_000);
    assert_eq!(stage.in_server(0, |server| server.user_count()), 2);
    assert_eq!(stage.log(node), ["connected"], "each client has events of its own");
    let ticks = stage.world_mut(node).resource::<Ticks>();
    assert!(ticks.0 > 10 && ticks.1 > 10, "{} {}", ticks.0, ticks.1);

    let entity = stage.spawn(0, (Health(1), at(1.0)));
    let users: Vec<_> = stage.in_server(0, |server| server.users().collect());
    stage.run(MS * 200);
    let seen = |stage: &mut Stage| {
        let world = stage.world_mut(node);
        let left = world.query_filtered::<&Health, With<Remote<Left>>>().iter(world).count();
        let right = world.query_filtered::<&Health, With<Remote<Right>>>().iter(world).count();
        let both =
            world.query_filtered::<(), (With<Remote<Left>>, With<Remote<Right>>)>().iter(world).count();
        (left, right, both)
    };
    assert_eq!(seen(&mut stage), (1, 1, 0), "each has its own copy");
    let name = |server: &mut Server<'_, '_, Field>, user| server.auth(user).unwrap().0.clone();
    let first = stage.in_server(0, {
        let user = users[0];
        move |server| name(server, user)
    });
    stage.world_mut(0).entity_mut(entity).exclude_for(users[0]);
    stage.run(MS * 200);
    assert_eq!(seen(&mut stage), if first == "left" { (0, 1, 0) } else { (1, 0, 0) });

    // One leaves, the other stays.
    run_once(stage.world_mut(node), |mut client: Client<'_, '_, Field, Right>| client.disconnect());
    stage.run(MS * 300);
    assert_eq!(stage.in_server(0, |server| server.user_count()), 1);
    run_once(stage.world_mut(node), |mut client: Client<'_, '_, Field, Left>| {
        client.send::<Talk>(Chat("still here".into())).unwrap();
    });
    stage.run(MS * 300);
    assert!(stage.log(0).contains(&"chat: still here".to_owned()));
}

/// Another protocol, for another server.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(tick_rate = 10, auth = Login, channels(Talk), messages(Chat), components(Health))]
struct Board;

struct BoardServer;
struct BoardClient;

#[test]
fn two_servers_live_in_one_app() {
    let mut stage = Stage::new(32, QUIET);
    let mut app = App::new();
    app.add_plugins((
        ServerPlugin::<Field>::new(ServerConfig::default()).with_host(stage.host(1)),
        ServerPlugin::<Board, BoardServer>::new(ServerConfig::default()).with_host(stage.host(2)),
    ));
    watch_server(&mut app);
    app.add_systems(
        bevy_app::Update,
        |mut events: MessageReader<'_, '_, bowline_bevy::server::AuthEvent<Board, BoardServer>>| {
            events
                .read()
                .filter_map(bowline_bevy::server::AuthEvent::take)
                .for_each(bowline::AuthTicket::accept);
        },
    );
    let socket = stage.socket(SERVER, SERVER);
    listen(&mut app, socket);
    let other = SimAddress::new(11);
    let mut socket = Some(stage.socket(other, other));
    run_once(app.world_mut(), move |mut server: Server<'_, '_, Board, BoardServer>| {
        server.listen(socket.take().unwrap());
    });
    stage.add(app, SERVER);

    // The network has one address for a node's apps; the second socket hears for itself.
    stage.client(ClientConfig::default());
    stage.connect(1);
    let mut app = App::new();
    app.add_plugins(
        ClientPlugin::<Board, BoardClient>::new(ClientConfig::default()).with_host(stage.host(3)),
    );
    app.init_resource::<Log>();
    let at_board = SimAddress::new(60);
    let mut socket = Some(stage.socket(at_board, other));
    run_once(app.world_mut(), move |mut client: Client<'_, '_, Board, BoardClient>| {
        client.connect(socket.take().unwrap(), Login("board".into())).unwrap();
    });
    let board = stage.add(app, at_board);
    stage.run(MS * 1_000);

    // One entity, two servers, one of which knows less of it and shows it.
    let entity = stage.spawn(0, (Health(4), at(1.0)));
    let user = run_once(stage.world_mut(0), |server: Server<'_, '_, Board, BoardServer>| {
        server.users().next().unwrap()
    });
    stage.run(MS * 300);
    let on_board = |stage: &mut Stage| {
        let world = stage.world_mut(board);
        world
            .query_filtered::<(&Health, Has<Position>), With<Remote<BoardClient>>>()
            .iter(world)
            .map(|(h, p)| (h.0, p))
            .collect::<Vec<_>>()
    };
    assert_eq!((stage.seen::<Health>(1), on_board(&mut stage)), (vec![Health(4)], vec![]));
    stage.world_mut(0).entity_mut(entity).on_server::<BoardServer>(EntityChange::Include(user));
    stage.run(MS * 300);
    assert_eq!(on_board(&mut stage), [(4, false)]);
    let world = stage.world_mut(0);
    assert!(
        world.get::<NetId<DefaultServerTag>>(entity).is_some()
            && world.get::<NetId<BoardServer>>(entity).is_some()
    );
    world.despawn(entity);
    stage.run(MS * 300);
    assert_eq!((stage.count(1), on_board(&mut stage).len()), (0, 0));
}

#[test]
fn a_listen_server_plays_along() {
    let mut stage = Stage::new(33, QUIET);
    let mut app = App::new();
    app.add_plugins((
        ServerPlugin::<Field>::new(ServerConfig::default()).with_host(stage.host(1)),
        ClientPlugin::<Field>::new(ClientConfig::default()).with_host(stage.host(2)),
    ));
    watch_server(&mut app);
    let socket = stage.socket(SERVER, SERVER);
    listen(&mut app, socket);
    app.insert_resource(Score { left: 3, right: 4 });
    let here = SimAddress::new(70);
    let mine = stage.socket(here, SERVER);
    connect::<bowline_bevy::DefaultClientTag>(app.world_mut(), mine, Login("host".into()));
    stage.add(app, SERVER);
    stage.client(ClientConfig::default());
    stage.connect(1);
    stage.run(MS * 1_000);
    assert_eq!(stage.in_server(0, |server| server.user_count()), 2);
    let entity = stage.spawn(0, Health(1));
    stage.run(MS * 300);
    let world = stage.world_mut(0);
    assert_eq!(world.query_filtered::<&Health, With<Remote>>().iter(world).count(), 1);
    assert_eq!(world.query_filtered::<&Health, With<Replicated>>().iter(world).count(), 1);
    assert_eq!(world.query_filtered::<(), (With<Remote>, With<Replicated>)>().iter(world).count(), 0);
    // The resource is the server's own: what it writes is not overwritten by what its own client is late to hear.
    for left in 0..50 {
        stage.world_mut(0).resource_mut::<Score>().left = left;
        stage.run(MS * 10);
        assert_eq!(stage.world_mut(0).resource::<Score>().left, left);
    }
    stage.run(MS * 300);
    assert_eq!(stage.world_mut(1).resource::<Score>().left, 49);
    stage.world_mut(0).despawn(entity);
    stage.run(MS * 300);
    let world = stage.world_mut(0);
    assert_eq!(world.query::<&Health>().iter(world).count(), 0);
    let _ = Lobby;
}
