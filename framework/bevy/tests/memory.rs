//! What stays behind on the heap.

use allocation_counter::measure;
use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use bevy_ecs::system::{RunSystemOnce as _, SystemState};
use bowline::prelude::{ClientConfig, Phase, ServerConfig};
use bowline::transport::local;
use bowline::{ManualClock, SeededEntropy};
use bowline_bevy::client::{self, Client, ClientCommands as _, ClientPlugin};
use bowline_bevy::server::{self, ReplicationCommands as _, RoomId, Server, ServerPlugin};
use bowline_bevy::{DefaultClientTag, Remote, Replicated};

use crate::rig::{Chat, Field, Health, Login, MS, Position, Score, Talk};

const ENTITIES: usize = 50;

#[derive(Resource)]
struct Everywhere(RoomId);

/// A server with some entities and a client, over queues, in a time that only the test moves.
struct Table {
    clock: ManualClock,
    hub: local::Hub,
    server: App,
    client: App,
}

impl Table {
    fn new() -> Self {
        let (clock, hub) = (ManualClock::new(), local::Hub::new());
        let host = |seed| (clock.clone(), SeededEntropy::new(seed));
        let mut server = App::new();
        server
            .add_plugins(ServerPlugin::<Field>::new(ServerConfig::default()).with_host(host(1)))
            .insert_resource(Score { left: 1, right: 2 })
            .add_systems(Update, (let_in, welcome));
        let socket = hub.clone();
        let listen = move |mut server: Server<'_, '_, Field>, mut commands: Commands<'_, '_>| {
            server.listen(socket.server(server.socket_config()).expect("nobody else listens"));
            let room = server.create_room();
            commands.insert_resource(Everywhere(room));
            for number in 0..ENTITIES {
                let at = Position { x: number as f32, y: 0.0, z: 0.0 };
                commands.spawn((at, Health(100), Replicated)).enter_room(room);
            }
        };
        server.world_mut().run_system_once(listen).expect("the plugin is there");
        let mut client = App::new();
        client.add_plugins(ClientPlugin::<Field>::new(ClientConfig::default()).with_host(host(2)));
        Self { clock, hub, server, client }
    }

    fn turn(&mut self) {
        self.server.update();
        self.client.update();
        self.clock.advance(MS * 10);
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let turns = (0..500)
            .take_while(|_| {
                !is_so(self) && {
                    self.turn();
                    true
                }
            })
            .count();
        assert!(turns < 500, "{what} does not happen");
    }

    fn in_client(&mut self, mut act: impl FnMut(&mut Client<'_, '_, Field>)) {
        let mut client = SystemState::<Client<'_, '_, Field>>::new(self.client.world_mut());
        act(&mut client.get_mut(self.client.world_mut()).expect("the plugin is there"));
    }

    fn phase(&self) -> Phase {
        self.client.world().resource::<client::ClientState<Field>>().client().phase()
    }

    fn users(&self) -> usize {
        self.server.world().resource::<server::ServerState<Field>>().server().user_count()
    }

    fn seen(&mut self) -> usize {
        let world = self.client.world_mut();
        world.query_filtered::<(&Position, &Health), With<Remote>>().iter(world).count()
    }

    /// From come to gone, with all that a session has.
    fn cycle(&mut self, number: usize) {
        let mut socket =
            Some(self.hub.client(
                self.client.world().resource::<client::ClientState<Field>>().client().socket_config(),
            ));
        self.in_client(|client| {
            client.connect(socket.take().expect("once"), Login("anna".into())).expect("it is not connected");
        });
        self.until("coming in", |table| table.seen() == ENTITIES && table.users() == 1);
        self.in_client(|client| client.send::<Talk>(Chat("hello".into())).expect("there is room"));
        (0..3).for_each(|_| self.turn());
        if number.is_multiple_of(2) {
            self.in_client(|client| client.disconnect());
        } else {
            let mut state = SystemState::<Server<'_, '_, Field>>::new(self.server.world_mut());
            let mut server = state.get_mut(self.server.world_mut()).expect("the plugin is there");
            let user = server.users().next().expect("a user");
            server.disconnect(user, "out");
        }
        self.until("going", |table| table.phase() == Phase::Disconnected && table.users() == 0);
        self.client.world_mut().commands().despawn_replicated::<DefaultClientTag>();
        self.client.world_mut().flush();
        assert_eq!(self.seen(), 0, "what was replicated has gone");
        // Long enough for both to forget a session that is over.
        self.clock.advance(MS * 11_000);
        (0..2).for_each(|_| self.turn());
    }
}

fn let_in(mut asking: MessageReader<'_, '_, server::AuthEvent<Field>>) {
    asking.read().filter_map(server::AuthEvent::take).for_each(bowline::AuthTicket::accept);
}

fn welcome(
    mut arrivals: MessageReader<'_, '_, server::ConnectEvent>,
    room: Res<'_, Everywhere>,
    mut server: Server<'_, '_, Field>,
) {
    for event in arrivals.read() {
        server.room_mut(room.0).add_user(event.user);
    }
}

#[test]
fn a8_a_thousand_sessions_leave_the_heap_where_it_was() {
    let mut table = Table::new();
    (0..300).for_each(|number| table.cycle(number));
    let seen = measure(|| (0..1_000).for_each(|number| table.cycle(number)));
    println!("{seen:?}");
    assert!(seen.bytes_current <= 0, "{seen:?}");
}
