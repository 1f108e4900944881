//! The adapter in depth.

use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use bowline_bevy::server::{ServerConfig, UserId};
use bowline_bevy::{DefaultClientTag, NetEntity};
use bowline_sim::Conditions;

use crate::rig::{Double, Field, Health, Log, MS, Position, Score, Stage, Talk, Target, at, run_once};

mod entities {
    use super::*;
    // ANCHOR: commands
    use bowline_bevy::Replicated;
    use bowline_bevy::server::{Approval, ReplicationCommands, RoomId, ScopeExit};

    fn furnish(mut commands: Commands, room: RoomId, spy: UserId) {
        commands.spawn((Position { x: 3.0, y: 0.0, z: 0.0 }, Replicated)).enter_room(room).make_static();
        commands.spawn((Health(3), Replicated)).enter_room(room).exclude_for(spy);
        commands
            .spawn((Health(9), Replicated))
            .enter_room(room)
            .set_gain(4.0) // four times as urgent, where not all fits
            .on_scope_exit(ScopeExit::Persist)
            .delegate(Approval::Automatic); // whoever asks may write to it
    }
    // ANCHOR_END: commands

    // ANCHOR: change
    fn hurt(mut all: Query<&mut Health>, mut commands: Commands, dead: Query<Entity, With<Dead>>) {
        for mut health in &mut all {
            health.0 = health.0.saturating_sub(1); // is sent
        }
        for entity in &dead {
            commands.entity(entity).despawn(); // goes from all clients
        }
    }
    // ANCHOR_END: change

    #[derive(Component)]
    struct Dead;

    // ANCHOR: resource
    fn score(mut score: ResMut<Score>) {
        score.left += 1; // all users see it
    }
    // ANCHOR_END: resource

    #[test]
    fn what_is_furnished_is_seen() {
        let mut stage = Stage::connected(51, Conditions::new(10, 0, 0.0), 2);
        let users: Vec<_> = stage.in_server(0, |server| server.users().collect());
        let (room, spy) = (stage.world_mut(0).resource::<crate::rig::Lobby>().0, users[0]);
        run_once(stage.world_mut(0), move |commands: Commands| furnish(commands, room, spy));
        stage.world_mut(0).insert_resource(Score { left: 0, right: 0 });
        stage.run(MS * 300);
        let mut counts = [stage.count(1), stage.count(2)];
        counts.sort_unstable();
        assert_eq!(counts, [2, 3]);
        run_once(stage.world_mut(0), hurt);
        run_once(stage.world_mut(0), score);
        stage.run(MS * 300);
        let mut seen = [1, 2].map(|client| stage.seen::<Health>(client).len());
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        assert!(stage.seen::<Health>(1).contains(&Health(8)));
        assert_eq!(stage.world_mut(1).resource::<Score>().left, 1);
    }
}

mod seen {
    use super::*;
    // ANCHOR: events
    use bowline_bevy::Remote;
    use bowline_bevy::client::{DespawnEntityEvent, RemoveComponentEvent, SpawnEntityEvent};

    fn dress(mut events: MessageReader<SpawnEntityEvent>, mut commands: Commands) {
        for event in events.read() {
            commands.entity(event.entity).insert(Sprite); // what else is on it is the game's
        }
    }

    fn blink(changed: Query<Entity, (With<Remote>, Changed<Health>)>) {
        for entity in &changed {
            println!("{entity} was hurt or healed");
        }
    }

    fn mourn(
        mut gone: MessageReader<DespawnEntityEvent>,
        mut removed: MessageReader<RemoveComponentEvent<Health>>,
    ) {
        for event in gone.read() {
            println!("{} is gone, or out of sight", event.id);
        }
        for event in removed.read() {
            println!("{} had {} left", event.entity, event.component.0);
        }
    }
    // ANCHOR_END: events

    #[derive(Component)]
    struct Sprite;

    // ANCHOR: references
    use bowline_bevy::EntityMap;

    fn aim(
        hunters: Query<&Target, With<Remote>>,
        map: Res<EntityMap<DefaultClientTag>>,
        healths: Query<&Health>,
    ) {
        for hunter in &hunters {
            // None where the prey is not in sight.
            let prey: Option<Entity> = map.entity(hunter.at);
            if let Some(health) = prey.and_then(|prey| healths.get(prey).ok()) {
                println!("its prey has {} left", health.0);
            }
        }
    }
    // ANCHOR_END: references

    #[test]
    fn what_is_seen_is_dressed() {
        let mut stage = Stage::connected(52, Conditions::new(10, 0, 0.0), 1);
        stage.app(1).add_systems(Update, (dress, blink, mourn, aim).chain());
        let prey = stage.spawn(0, Health(2));
        let id: NetEntity = stage.in_server(0, move |server| server.net_id(prey).unwrap());
        stage.spawn(0, Target { at: id });
        stage.run(MS * 300);
        let world = stage.world_mut(1);
        assert_eq!(world.query_filtered::<(), (With<Sprite>, With<Remote>)>().iter(world).count(), 2);
        stage.world_mut(0).despawn(prey);
        stage.run(MS * 300);
        assert_eq!(stage.count(1), 1);
    }
}

mod requests {
    use super::*;
    // ANCHOR: ask
    use bowline::prelude::PendingResponse;
    use bowline_bevy::client::Client;

    #[derive(Resource)]
    struct Question(PendingResponse<Double>);

    fn ask(mut client: Client<Field>, mut commands: Commands) -> Result {
        commands.insert_resource(Question(client.request::<Talk, Double>(Double(21))?));
        Ok(())
    }

    fn listen(mut question: ResMut<Question>, mut log: ResMut<Log>) {
        match question.0.try_take() {
            Some(Ok(answer)) => log.0.push(format!("it is {answer}")),
            Some(Err(error)) => log.0.push(error.to_string()),
            None => {} // not yet
        }
    }
    // ANCHOR_END: ask

    // ANCHOR: answer
    use bowline_bevy::server::{RequestEvent, Server};

    fn answer(mut requests: MessageReader<RequestEvent<Double>>, mut server: Server<Field>) {
        for asked in requests.read().filter_map(RequestEvent::take) {
            let twice = u64::from(asked.request.0) * 2;
            // An error where the user is gone by now.
            let _ = server.respond(asked.responder, twice);
        }
    }
    // ANCHOR_END: answer

    #[test]
    fn what_is_asked_is_answered() {
        let mut stage = Stage::connected(53, Conditions::new(10, 0, 0.0), 1);
        stage.app(0).add_systems(Update, answer);
        stage.app(1).add_systems(Update, listen.run_if(resource_exists::<Question>));
        run_once::<_, Result>(stage.world_mut(1), ask).unwrap();
        stage.run(MS * 300);
        assert!(stage.log(1).contains(&"it is 42".into()));
    }
}

mod authority {
    use super::*;
    // ANCHOR: borrow
    use bowline_bevy::Remote;
    use bowline_bevy::client::{Authority, AuthorityEvent, ClientEntityCommands};

    fn borrow(lent: Query<Entity, (With<Remote>, With<Health>)>, mut commands: Commands) {
        for entity in &lent {
            commands.entity(entity).request_authority();
        }
    }

    fn write(mut events: MessageReader<AuthorityEvent>, mut healths: Query<&mut Health>) {
        for event in events.read().filter(|event| event.authority == Some(Authority::Granted)) {
            if let Ok(mut health) = healths.get_mut(event.entity) {
                health.0 = 100; // the server hears of it, and all others through it
            }
        }
    }
    // ANCHOR_END: borrow

    // ANCHOR: own
    use bowline_bevy::ClientOwned;

    fn mark(mut commands: Commands) {
        // `config.client_entities` of the server says how many each client may have.
        commands.spawn((ClientOwned::<DefaultClientTag>::new(), at(4.0)));
    }
    // ANCHOR_END: own

    #[test]
    fn what_is_lent_can_be_written_to() {
        use bowline_bevy::server::{Approval, ReplicationCommands as _};
        let mut stage = Stage::connected(54, Conditions::new(10, 0, 0.0), 1);
        let entity = stage.spawn(0, Health(1));
        stage.world_mut(0).entity_mut(entity).delegate(Approval::Automatic);
        stage.run(MS * 300);
        stage.app(1).add_systems(Update, write);
        run_once(stage.world_mut(1), borrow);
        stage.run(MS * 300);
        assert_eq!(stage.world_mut(0).get::<Health>(entity), Some(&Health(100)));
    }

    #[test]
    fn what_is_marked_is_owned() {
        let mut stage = Stage::new(55, Conditions::new(10, 0, 0.0));
        let mut config = ServerConfig::default();
        config.client_entities = 1;
        stage.server(config);
        stage.client(bowline_bevy::client::ClientConfig::default());
        stage.connect(1);
        run_once(stage.world_mut(1), mark);
        stage.run(MS * 1_500);
        let world = stage.world_mut(0);
        let mut owned =
            world.query_filtered::<&Position, With<ClientOwned<bowline_bevy::DefaultServerTag>>>();
        assert_eq!(owned.single(world).unwrap(), &at(4.0));
    }
}

mod several {
    use super::*;
    // ANCHOR: tags
    use bowline_bevy::client::{Client, ClientConfig, ClientPlugin, ConnectEvent};

    pub struct SecondPlayer;

    fn two_players(app: &mut App) {
        app.add_plugins((
            ClientPlugin::<Field>::new(ClientConfig::default()),
            ClientPlugin::<Field, SecondPlayer>::new(ClientConfig::default()),
        ))
        .add_systems(Update, welcome);
    }

    fn welcome(mut events: MessageReader<ConnectEvent<SecondPlayer>>, client: Client<Field, SecondPlayer>) {
        for _ in events.read() {
            println!("the second player is in: {:?}", client.phase());
        }
    }
    // ANCHOR_END: tags

    // ANCHOR: listen_server
    fn host(app: &mut App) {
        use bowline_bevy::server::{ServerConfig, ServerPlugin};
        app.add_plugins((
            ServerPlugin::<Field>::new(ServerConfig::default()),
            ClientPlugin::<Field>::new(ClientConfig::default()), // the host plays along
        ));
    }
    // ANCHOR_END: listen_server

    #[test]
    fn they_start() {
        let mut app = App::new();
        two_players(&mut app);
        app.update();
        let mut app = App::new();
        host(&mut app);
        app.update();
    }
}

mod time {
    use super::*;
    // ANCHOR: fixed
    use bevy_app::FixedUpdate;
    use bevy_time::Time;
    use bowline_bevy::server::ServerPlugin;

    fn simulation(app: &mut App) {
        app.add_plugins(ServerPlugin::<Field>::new(ServerConfig::default()).with_fixed_update())
            .add_systems(FixedUpdate, fall);
    }

    fn fall(time: Res<Time>, mut all: Query<&mut Position>) {
        for mut at in &mut all {
            at.y -= 9.81 * time.delta_secs();
        }
    }
    // ANCHOR_END: fixed

    // ANCHOR: simulated
    fn in_virtual_time(network: &bowline_sim::Network) -> App {
        let mut app = App::new();
        let plugin = ServerPlugin::<Field>::new(ServerConfig::default());
        app.add_plugins(plugin.with_host(network.host(1))); // and `SimSocket`s to listen and connect
        app
    }
    // ANCHOR_END: simulated

    #[test]
    fn they_start() {
        let mut app = App::new();
        app.add_plugins(bevy_time::TimePlugin);
        simulation(&mut app);
        app.update();
        let stage = Stage::new(56, Conditions::perfect());
        in_virtual_time(stage.cluster().network()).update();
    }
}
