//! Connections begin and end.

use bevy_ecs::prelude::*;
use bowline::DisconnectReason;
use bowline::prelude::{ClientConfig, Phase, ReconnectPolicy, RejectReason, ServerConfig, StaleEntities};
use bowline_bevy::client::{ClientPlugin, Stale};
use bowline_bevy::{DefaultClientTag, Remote};
use bowline_sim::{Conditions, SimAddress};

use crate::rig::{Door, Field, Health, Log, MS, Score, Stage, at, outdated};

const QUIET: Conditions = Conditions::new(20, 0, 0.0);

/// A server and a client that is not connected.
fn two(seed: u64, conditions: Conditions) -> Stage {
    let mut stage = Stage::new(seed, conditions);
    stage.server(ServerConfig::default());
    stage.client(ClientConfig::default());
    stage
}

#[test]
fn a1_connect_is_told_once_on_both_sides_in_order() {
    let mut stage = two(1, QUIET);
    stage.connect(1);
    stage.run(MS * 1_000);
    assert_eq!(stage.log(0), ["auth requested", "connected"]);
    assert_eq!(stage.log(1), ["connected"]);
    assert_eq!(stage.phase(1), Phase::Connected);
}

#[test]
fn a2_who_is_refused_learns_why() {
    let mut stage = two(2, QUIET);
    stage.world_mut(0).insert_resource(Door::Closed(RejectReason::Custom("no pirates".into())));
    stage.connect(1);
    stage.run(MS * 1_000);
    assert_eq!(stage.log(1), ["rejected: no pirates"]);
    assert_eq!(stage.log(0), ["auth requested"]);
    // The answer is kept for as long as the question may come again.
    stage.run(MS * 11_000);
    assert_eq!(stage.in_server(0, |server| (server.user_count(), server.pending())), (0, 0));

    // Dropped is refused; accepted after three seconds is accepted.
    stage.clear_logs();
    stage.world_mut(0).insert_resource(Door::Drops);
    stage.connect(1);
    stage.run(MS * 1_000);
    assert_eq!(stage.log(1), [format!("rejected: {}", RejectReason::Undecided)]);
    stage.clear_logs();
    stage.world_mut(0).insert_resource(Door::Later(300));
    stage.connect(1);
    stage.run(MS * 2_900);
    assert_eq!(stage.log(1), [""; 0]);
    stage.run(MS * 500);
    assert_eq!(stage.log(1), ["connected"]);
}

#[test]
fn a2_a_ticket_that_nobody_takes_is_refused() {
    let mut stage = Stage::new(2, QUIET);
    let mut app = bevy_app::App::new();
    app.add_plugins(
        bowline_bevy::server::ServerPlugin::<Field>::new(ServerConfig::default()).with_host(stage.host(1)),
    );
    app.init_resource::<Log>();
    let socket = stage.socket(crate::rig::SERVER, crate::rig::SERVER);
    crate::rig::listen(&mut app, socket);
    stage.add(app, crate::rig::SERVER);
    stage.client(ClientConfig::default());
    stage.connect(1);
    stage.run(MS * 1_000);
    assert_eq!(stage.log(1), [format!("rejected: {}", RejectReason::Undecided)]);
}

#[test]
fn a3_another_protocol_is_refused_and_both_sides_name_what_differs() {
    let mut stage = Stage::new(3, QUIET);
    stage.server(ServerConfig::default());
    let mut app = bevy_app::App::new();
    app.add_plugins(
        ClientPlugin::<outdated::OldField>::new(ClientConfig::default()).with_host(stage.host(2)),
    );
    app.init_resource::<Log>();
    app.add_systems(
        bevy_app::Update,
        |mut events: MessageReader<'_, '_, bowline_bevy::client::RejectEvent>, mut log: ResMut<'_, Log>| {
            log.0.extend(events.read().map(|event| event.reason.to_string()));
        },
    );
    let socket = stage.socket(SimAddress::new(99), crate::rig::SERVER);
    let client = stage.add(app, SimAddress::new(99));
    let mut socket = Some(socket);
    crate::rig::run_once(
        stage.world_mut(client),
        move |mut client: bowline_bevy::client::Client<'_, '_, outdated::OldField>| {
            client.connect(socket.take().unwrap(), crate::rig::Login("me".into())).unwrap();
        },
    );
    // Two round trips prove the address; one more at most for the answer.
    stage.run(MS * 40 * 3 + MS * 50);
    for node in [0, client] {
        let log = stage.log(node).join("\n");
        assert!(log.contains("Health"), "it is named: {log}");
    }
}

#[test]
fn a4_nobody_there_ends_the_attempt_in_time_and_another_works() {
    let mut stage = Stage::new(4, QUIET);
    stage.server(ServerConfig::default());
    let mut config = ClientConfig::default();
    config.connection.connect_timeout = MS * 3_000;
    stage.client(config);
    stage.freeze(0, true);
    stage.connect(1);
    stage.run(MS * 2_900);
    assert_eq!(stage.log(1), [""; 0]);
    stage.run(MS * 200);
    assert_eq!(stage.log(1), [format!("disconnected: {}", DisconnectReason::NoAnswer)]);
    stage.freeze(0, false);
    stage.clear_logs();
    stage.run(MS * 1_000);
    stage.connect(1);
    stage.run(MS * 1_000);
    assert_eq!(stage.log(1), ["connected"]);
}

#[test]
fn a5_who_vanishes_is_gone_after_the_timeout_with_all_that_was_its_own() {
    for (timeout, is_server) in [(10_000, true), (3_000, true), (10_000, false), (3_000, false)] {
        let mut stage = Stage::new(5, QUIET);
        let (mut server, mut client) = (ServerConfig::default(), ClientConfig::default());
        server.connection.disconnection_timeout_duration = MS * timeout;
        client.connection.disconnection_timeout_duration = MS * timeout;
        stage.server(server);
        stage.client(client);
        stage.connect(1);
        stage.run(MS * 1_000);
        stage.clear_logs();
        let (who, other) = if is_server { (1, 0) } else { (0, 1) };
        stage.freeze(who, true);
        stage.run(MS * (timeout - 1_000));
        assert_eq!(stage.log(other), [""; 0]);
        stage.run(MS * 2_000);
        assert_eq!(stage.log(other), [format!("disconnected: {}", DisconnectReason::TimedOut)]);
        if is_server {
            let room = stage.world_mut(0).resource::<crate::rig::Lobby>().0;
            assert_eq!(
                stage.in_server(0, move |server| (server.user_count(), server.user_count_in(room))),
                (0, 0)
            );
        }
    }
}

#[test]
fn a6_who_is_idle_stays_connected() {
    let mut stage = Stage::connected(6, QUIET, 1);
    stage.clear_logs();
    let before = stage.cluster().network().stats().sent;
    stage.run(MS * 600_000);
    assert_eq!((stage.log(0), stage.log(1)), (vec![], vec![]));
    let sent = stage.cluster().network().stats().sent - before;
    // A heartbeat a second from each, and what answers it.
    assert!((1_000..3_000).contains(&sent), "{sent} datagrams in ten minutes");
}

#[test]
fn a7_each_end_has_its_own_reason() {
    // Goodbye.
    let mut stage = Stage::connected(7, QUIET, 1);
    stage.clear_logs();
    stage.in_client(1, |client| client.disconnect());
    stage.run(MS * 300);
    assert_eq!(stage.log(0), [format!("disconnected: {}", DisconnectReason::PeerLeft)]);
    assert_eq!(stage.log(1), [format!("disconnected: {}", DisconnectReason::Requested)]);
    // Kick.
    let mut stage = Stage::connected(7, QUIET, 1);
    stage.clear_logs();
    let user = stage.user(0);
    stage.in_server(0, move |server| server.disconnect(user, "enough"));
    stage.run(MS * 300);
    let kicked = format!("disconnected: {}", DisconnectReason::Kicked("enough".into()));
    assert_eq!((stage.log(0), stage.log(1)), (vec![kicked.clone()], vec![kicked]));
    // Shutdown.
    let mut stage = Stage::connected(7, QUIET, 1);
    stage.clear_logs();
    stage.in_server(0, |server| server.shut_down());
    stage.run(MS * 300);
    assert_eq!(stage.log(1), [format!("disconnected: {}", DisconnectReason::ServerShutdown)]);
}

/// Many seeds, which take their time.
mod long {
    use super::*;

    #[test]
    fn a7_a_goodbye_is_heard_through_heavy_loss() {
        let mut unheard = Vec::new();
        for seed in 0..1_000 {
            let mut stage = Stage::connected(seed, QUIET, 1);
            stage.cluster().network().set_conditions(Conditions::new(20, 0, 0.5));
            stage.in_client(1, |client| client.disconnect());
            stage.run(MS * 1_000);
            if stage.in_server(0, |server| server.user_count()) > 0 {
                unheard.push(seed);
            }
        }
        println!("unheard with seeds {unheard:?} of 1,000");
        assert!(unheard.len() <= 10, "{unheard:?}");
    }
}

#[test]
fn a8_after_any_end_a_session_is_fresh() {
    let mut stage = Stage::connected(8, QUIET, 1);
    for round in 0..4 {
        let user = stage.user(0);
        stage.in_client(1, move |client| {
            client.send::<crate::rig::Talk>(crate::rig::Chat(format!("{round}"))).unwrap();
        });
        match round {
            0 => stage.in_client(1, |client| client.disconnect()),
            1 => stage.in_server(0, move |server| server.disconnect(user, "out")),
            2 => {
                stage.freeze(1, true);
                stage.run(MS * 12_000);
                stage.freeze(1, false);
            }
            _ => stage.in_client(1, |client| client.disconnect()),
        }
        stage.run(MS * 2_000);
        assert_eq!(stage.phase(1), Phase::Disconnected, "round {round}");
        stage.clear_logs();
        stage.connect(1);
        stage.run(MS * 1_000);
        assert_eq!(
            stage.log(0),
            ["auth requested", "connected"],
            "nothing of the old session, round {round}"
        );
        assert_eq!(stage.log(1), ["connected"]);
        assert_ne!(stage.user(0), user);
    }
}

#[test]
fn a9_everything_comes_again_after_a_reconnect_and_nothing_twice() {
    for policy in [None, Some(ReconnectPolicy::default())] {
        let mut stage = Stage::new(9, QUIET);
        stage.server(ServerConfig::default());
        let mut config = ClientConfig::default();
        config.reconnect = policy;
        stage.client(config);
        stage.connect(1);
        stage.run(MS * 1_000);
        stage.world_mut(0).insert_resource(Score { left: 1, right: 2 });
        for number in 0..5 {
            stage.spawn(0, (at(number as f32), Health(number)));
        }
        stage.run(MS * 500);
        assert_eq!(stage.count(1), 5);
        stage.clear_logs();

        stage.cluster().network().cut(stage.address(1));
        stage.run(MS * 12_000);
        assert_eq!(stage.count(1), 5, "what was shown stays until a new session begins");
        stage.cluster().network().join(stage.address(1));
        if policy.is_none() {
            stage.in_client(1, |client| client.reconnect().unwrap());
        }
        // Something goes while the client is away.
        let (world, mut first) = (stage.world_mut(0), None);
        first.get_or_insert(world.query_filtered::<Entity, With<Health>>().iter(world).next().unwrap());
        world.despawn(first.unwrap());
        stage.run(MS * 8_000);
        assert_eq!(stage.count(1), 4);
        let log = stage.log(1);
        let words = |start: &str| log.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!((words("despawn"), words("spawn"), words("insert Health")), (5, 4, 4), "{log:?}");
        let connected = log.iter().position(|line| line == "connected").unwrap();
        let first_spawn = log.iter().position(|line| line.starts_with("spawn")).unwrap();
        assert!(connected < first_spawn);
        assert_eq!(stage.world_mut(1).resource::<Score>(), &Score { left: 1, right: 2 });
    }
}

#[test]
fn a9_with_keep_the_application_sees_what_is_stale() {
    let mut stage = Stage::new(9, QUIET);
    stage.server(ServerConfig::default());
    let mut config = ClientConfig::default();
    config.stale_entities = StaleEntities::Keep;
    stage.client(config);
    stage.connect(1);
    stage.run(MS * 1_000);
    let [stays, goes] = [1, 2].map(|number| stage.spawn(0, Health(number)));
    stage.run(MS * 500);
    stage.in_client(1, |client| client.disconnect());
    stage.run(MS * 500);
    stage.world_mut(0).despawn(goes);
    stage.run(MS * 100);
    let _ = stays;
    stage.connect(1);
    stage.run(MS * 1_000);
    let stale = |stage: &mut Stage| {
        let world = stage.world_mut(1);
        world.query_filtered::<&Health, With<Stale>>().iter(world).copied().collect::<Vec<_>>()
    };
    assert_eq!(stage.count(1), 2);
    assert_eq!(stale(&mut stage), [Health(2)], "the other has come again");
    crate::rig::run_once(stage.world_mut(1), |mut commands: Commands<'_, '_>| {
        use bowline_bevy::client::ClientCommands as _;
        commands.despawn_stale::<DefaultClientTag>();
    });
    assert_eq!(stage.seen::<Health>(1), [Health(1)]);
}

#[test]
fn what_the_server_has_shown_can_be_cleared_at_once() {
    let mut stage = Stage::connected(10, QUIET, 1);
    stage.world_mut(0).insert_resource(Score { left: 1, right: 2 });
    stage.spawn(0, Health(1));
    stage.run(MS * 300);
    stage.world_mut(1).spawn(Health(7));
    stage.in_client(1, |client| client.disconnect());
    crate::rig::run_once(stage.world_mut(1), |mut commands: Commands<'_, '_>| {
        use bowline_bevy::client::ClientCommands as _;
        commands.despawn_replicated::<DefaultClientTag>();
    });
    assert_eq!(stage.count(1), 0);
    let world = stage.world_mut(1);
    assert!(!world.contains_resource::<Score>());
    assert_eq!(world.query::<&Health>().iter(world).count(), 1, "the game's own stays");
    assert_eq!(world.query_filtered::<(), With<Remote>>().iter(world).count(), 0);
}

#[test]
fn a_second_plugin_with_one_tag_says_what_to_do() {
    let twice = std::panic::catch_unwind(|| {
        let mut app = bevy_app::App::new();
        app.add_plugins(ClientPlugin::<Field>::new(ClientConfig::default()));
        app.add_plugins(ClientPlugin::<outdated::OldField>::new(ClientConfig::default()));
    });
    let words = twice.unwrap_err().downcast::<String>().unwrap();
    assert!(words.contains("another tag"), "{words}");
}
