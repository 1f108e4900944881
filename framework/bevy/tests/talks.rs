//! Messages, requests, inputs and ticks.

use std::time::Duration;

use bevy_app::{App, FixedUpdate, Update};
use bevy_ecs::prelude::*;
use bevy_state::prelude::{OnEnter, OnExit, in_state};
use bevy_time::{Fixed, Time, TimePlugin};
use bowline::prelude::{ClientConfig, PendingResponse, Phase, ServerConfig};
use bowline_bevy::DefaultClientTag;
use bowline_bevy::client::{
    self, Client, ClientTick, ConnectionState, TaggedConnectionState, client_connected,
};
use bowline_bevy::server::{self, Server, ServerPlugin, ServerTick, User, server_listening};
use bowline_sim::Conditions;

use crate::rig::{
    Chat, Double, Field, Helm, Log, MS, SERVER, Stage, Steer, Talk, Whisper, listen, watch_server,
};

const QUIET: Conditions = Conditions::new(20, 0, 0.0);

#[test]
fn messages_go_both_ways_and_say_by_which_channel() {
    let mut stage = Stage::connected(21, QUIET, 1);
    stage.app(0).add_systems(
        Update,
        |mut chats: MessageReader<'_, '_, server::MessageEvent<Chat>>,
         mut server: Server<'_, '_, Field>,
         mut log: ResMut<'_, Log>| {
            for chat in chats.read() {
                log.0.push(format!("talk {}", chat.came_by::<Field, Talk>()));
                server.send_to::<Whisper>(chat.user, chat.message.clone()).unwrap();
            }
        },
    );
    stage.app(1).add_systems(
        Update,
        |mut chats: MessageReader<'_, '_, client::MessageEvent<Chat>>, mut log: ResMut<'_, Log>| {
            log.0.extend(chats.read().map(|chat| format!("whisper {}", chat.came_by::<Field, Whisper>())));
        },
    );
    stage.clear_logs();
    stage.in_client(1, |client| {
        client.send::<Talk>(Chat("one".into())).unwrap();
        client.send::<Whisper>(Chat("two".into())).unwrap();
    });
    stage.run(MS * 200);
    let mut log = stage.log(0);
    log.sort();
    assert_eq!(log, ["chat: one", "chat: two", "talk false", "talk true"]);
    let mut log = stage.log(1);
    log.sort();
    assert_eq!(log, ["chat: one", "chat: two", "whisper true", "whisper true"]);
}

#[test]
fn what_is_said_without_a_session_is_an_error_that_says_what_to_do() {
    let mut stage = Stage::new(21, QUIET);
    stage.client(ClientConfig::default());
    let error = stage.in_client(0, |client| client.send::<Talk>(Chat("anybody?".into())).unwrap_err());
    assert!(error.to_string().contains("wait for `ConnectEvent`"), "{error}");
}

#[derive(Resource)]
struct Asked(PendingResponse<Double>);

#[test]
fn requests_are_answered_and_those_that_nobody_takes_are_refused() {
    let mut stage = Stage::connected(22, QUIET, 1);
    let ask = |stage: &mut Stage, number| {
        let pending =
            stage.in_client(1, move |client| client.request::<Talk, Double>(Double(number)).unwrap());
        stage.world_mut(1).insert_resource(Asked(pending));
        stage.run(MS * 300);
        format!("{:?}", stage.world_mut(1).resource_mut::<Asked>().0.try_take())
    };
    let unheard = ask(&mut stage, 1);
    assert!(unheard.contains("Unhandled"), "{unheard}");
    stage.app(0).add_systems(
        Update,
        |mut requests: MessageReader<'_, '_, server::RequestEvent<Double>>,
         mut server: Server<'_, '_, Field>| {
            for event in requests.read() {
                assert!(event.came_by::<Field, Talk>());
                let asked = event.take().unwrap();
                assert!(event.take().is_none(), "once");
                let answer = u64::from(asked.request.0) * 2;
                server.respond(asked.responder, answer).unwrap();
            }
        },
    );
    let heard = ask(&mut stage, 21);
    assert!(heard.contains("42"), "{heard}");
}

#[test]
fn inputs_come_before_their_tick() {
    let mut stage = Stage::connected(23, QUIET, 1);
    stage.app(1).add_systems(ClientTick, |mut client: Client<'_, '_, Field>| {
        let _ = client.send::<Helm>(Steer { turn: 0.5 });
    });
    stage.app(0).add_systems(
        ServerTick,
        |mut inputs: MessageReader<'_, '_, server::InputEvent<Steer>>,
         mut ticks: MessageReader<'_, '_, server::TickEvent>,
         server: Res<'_, server::ServerState<Field>>,
         mut log: ResMut<'_, Log>| {
            let tick = ticks.read().last().expect("one for each run").tick;
            // The core is ahead by the ticks of this turn that are still to come; here there is one.
            assert_eq!(tick, server.server().tick());
            for input in inputs.read() {
                assert_eq!(input.tick, tick, "for this tick");
                log.0.push("input".into());
            }
        },
    );
    stage.run(MS * 2_000);
    stage.clear_logs();
    stage.run(MS * 2_000);
    let heard = stage.log(0).len();
    assert!((38..=42).contains(&heard), "{heard} inputs in 40 ticks");
}

#[test]
fn ticks_can_be_the_fixed_steps_of_the_app() {
    let mut stage = Stage::new(24, QUIET);
    let mut app = App::new();
    app.add_plugins((
        TimePlugin,
        ServerPlugin::<Field>::new(ServerConfig::default()).with_fixed_update().with_host(stage.host(1)),
    ));
    watch_server(&mut app);
    app.add_systems(
        FixedUpdate,
        |time: Res<'_, Time>, fixed: Res<'_, Time<Fixed>>, mut log: ResMut<'_, Log>| {
            assert_eq!(time.delta(), Duration::from_millis(50));
            log.0.push(format!("{:?}", fixed.elapsed()));
        },
    );
    let socket = stage.socket(SERVER, SERVER);
    listen(&mut app, socket);
    stage.add(app, SERVER);
    stage.run(MS * 1_000);
    let log = stage.log(0);
    // The app's own clock has hardly moved: a second of the network takes it no time.
    assert!((19..=21).contains(&log.len()), "{log:?}");
    assert_eq!((&*log[0], &*log[1]), ("50ms", "100ms"));
    // A stall is caught up with.
    stage.freeze(0, true);
    stage.run(MS * 200);
    stage.freeze(0, false);
    stage.clear_logs();
    stage.run(MS * 10);
    assert!(stage.log(0).len() >= 4);
}

#[test]
fn the_connection_is_a_state_and_a_condition() {
    let mut stage = Stage::new(25, QUIET);
    stage.server(ServerConfig::default());
    stage.client(ClientConfig::default());
    let say = |word: &'static str| move |mut log: ResMut<'_, Log>| log.0.push(word.into());
    stage
        .app(1)
        .add_systems(OnEnter(ConnectionState::Connecting), say("connecting"))
        .add_systems(OnEnter(ConnectionState::Connected), say("enter"))
        .add_systems(OnExit(ConnectionState::Connected), say("exit"))
        .add_systems(
            OnEnter(TaggedConnectionState::<DefaultClientTag>::new(ConnectionState::Connected)),
            say("tagged"),
        );
    stage.run(MS * 100);
    stage.connect(1);
    stage.run(MS * 1_000);
    stage.in_client(1, |client| client.disconnect());
    stage.run(MS * 100);
    let mut log = stage.log(1);
    log.sort();
    assert_eq!(log, ["connected", "connecting", "disconnected: you left", "enter", "exit", "tagged"]);

    #[derive(Resource, Default)]
    struct Runs(usize, usize);
    stage.world_mut(1).init_resource::<Runs>();
    stage.app(1).add_systems(
        Update,
        (
            (|mut runs: ResMut<'_, Runs>| runs.0 += 1).run_if(client_connected::<Field>),
            (|mut runs: ResMut<'_, Runs>| runs.1 += 1).run_if(in_state(ConnectionState::Connected)),
        ),
    );
    stage.run(MS * 100);
    assert_eq!(stage.world_mut(1).resource::<Runs>().0, 0);
    stage.connect(1);
    stage.run(MS * 1_000);
    let runs = stage.world_mut(1).resource::<Runs>();
    assert!(runs.0 > 50 && runs.0 == runs.1, "{} {}", runs.0, runs.1);
    assert_eq!(stage.phase(1), Phase::Connected);
}

#[test]
fn a_server_listens_from_the_moment_it_is_told_to() {
    let stage = Stage::new(26, QUIET);
    let mut app = App::new();
    app.add_plugins(ServerPlugin::<Field>::new(ServerConfig::default()).with_host(stage.host(1)));
    app.init_resource::<Log>();
    app.add_systems(
        Update,
        (|mut log: ResMut<'_, Log>| log.0.push("on".into())).run_if(server_listening::<Field>),
    );
    app.update();
    assert!(app.world().resource::<Log>().0.is_empty());
    let socket = stage.socket(SERVER, SERVER);
    listen(&mut app, socket);
    app.update();
    assert_eq!(app.world().resource::<Log>().0, ["on"]);
}

#[test]
fn users_are_entities_where_that_is_asked_for() {
    let mut stage = Stage::new(27, QUIET);
    let mut app = App::new();
    app.add_plugins(
        ServerPlugin::<Field>::new(ServerConfig::default()).with_user_entities().with_host(stage.host(1)),
    );
    watch_server(&mut app);
    app.add_systems(
        Update,
        |mut events: MessageReader<'_, '_, server::ConnectEvent>, mut commands: Commands<'_, '_>| {
            for event in events.read() {
                commands.entity(event.entity.unwrap()).insert(crate::rig::Health(1));
            }
        },
    );
    let socket = stage.socket(SERVER, SERVER);
    listen(&mut app, socket);
    stage.add(app, SERVER);
    for client in [1, 2] {
        stage.client(ClientConfig::default());
        stage.connect(client);
    }
    stage.run(MS * 1_000);
    let users = |stage: &mut Stage| {
        let world = stage.world_mut(0);
        world
            .query::<(&User, &crate::rig::Health)>()
            .iter(world)
            .map(|(user, _)| user.id())
            .collect::<Vec<_>>()
    };
    let both = users(&mut stage);
    assert_eq!(both.len(), 2);
    let first = both[0];
    assert!(stage.in_server(0, move |server| server.user_entity(first)).is_some());
    stage.in_server(0, move |server| server.disconnect(first, "out"));
    stage.run(MS * 100);
    assert_eq!(users(&mut stage), both[1..]);
    assert!(stage.in_server(0, move |server| server.user_entity(first)).is_none());
}
