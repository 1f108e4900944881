//! The apps, steered from outside: a game in a window has systems for that.

use std::fmt;
use std::marker::PhantomData;

use bevy_app::App;
use bevy_ecs::system::SystemState;
use bowline::ConnectError;
use bowline::prelude::*;
use bowline::transport::PackAddress;
use bowline_bevy::client::{AppSocket, Client, ClientState, SayError};
use bowline_bevy::server::{Server, ServerState};
use bowline_bevy::{DefaultClientTag, EntityMap};
use protocol_example::game::{ClientNews, ClientSide, NOT_CONNECTED, ServerNews, ServerSide, Sight};
use protocol_example::protocol::{
    Arena, AskChart, Chat, Emote, EmoteKind, Flair, Login, Scoreboard, Steer, Talk,
};

use crate::client::{ArenaClientPlugin, Asked, Course, Sights};
use crate::news::drain;
use crate::server::{ArenaServerPlugin, users_called};

/// The server of the arena as an app that updates once a frame.
pub struct ServerApp<T> {
    app: App,
    server: SystemState<Server<'static, 'static, Arena>>,
    socket: PhantomData<fn() -> T>,
}

/// A player as an app that updates once a frame.
pub struct ClientApp<T> {
    app: App,
    client: SystemState<Client<'static, 'static, Arena>>,
    socket: PhantomData<fn() -> T>,
}

/// What a system parameter is there for, the plugin has put there.
const THERE: &str = "the plugin is in the app";

impl<T> ServerApp<T> {
    fn server(&mut self) -> Server<'_, '_, Arena> {
        self.server.get_mut(self.app.world_mut()).expect(THERE)
    }
}

impl<T: Transport<Address: PackAddress> + Send + 'static> ServerSide for ServerApp<T> {
    type Socket = T;

    fn new(config: ServerConfig) -> Self {
        let mut app = App::new();
        app.add_plugins(ArenaServerPlugin { config });
        let server = SystemState::new(app.world_mut());
        Self { app, server, socket: PhantomData }
    }

    fn socket_config(&self) -> SocketConfig {
        self.app.world().resource::<ServerState<Arena>>().server().socket_config()
    }

    fn listen(&mut self, socket: T) {
        self.server().listen(socket);
    }

    fn frame(&mut self) -> Vec<ServerNews> {
        self.app.update();
        drain(self.app.world_mut())
    }

    fn kick(&mut self, name: &str, reason: &str) {
        for user in users_called(name, self.app.world()) {
            self.server().disconnect(user, reason);
        }
    }

    fn shut_down(&mut self) {
        self.server().shut_down();
    }
}

impl<T> ClientApp<T> {
    fn client(&mut self) -> Client<'_, '_, Arena> {
        self.client.get_mut(self.app.world_mut()).expect(THERE)
    }

    fn state(&self) -> &ClientState<Arena> {
        self.app.world().resource()
    }

    fn course(&self) -> &Course {
        self.app.world().resource()
    }

    fn course_mut(&mut self) -> &mut Course {
        self.app.world_mut().resource_mut::<Course>().into_inner()
    }
}

impl<T: AppSocket> ClientSide for ClientApp<T> {
    type Socket = T;

    fn new(config: ClientConfig) -> Self {
        let mut app = App::new();
        app.add_plugins(ArenaClientPlugin { config });
        let client = SystemState::new(app.world_mut());
        Self { app, client, socket: PhantomData }
    }

    fn socket_config(&self) -> SocketConfig {
        self.state().client().socket_config()
    }

    fn connect(&mut self, socket: T, login: Login) -> Result<(), ConnectError> {
        self.client().connect(socket, login)
    }

    fn frame(&mut self) -> Vec<ClientNews> {
        self.app.update();
        drain(self.app.world_mut())
    }

    fn say(&mut self, text: &str) -> Result<(), SendError> {
        self.client().send::<Talk>(Chat { text: text.to_owned() }).map_err(plain)
    }

    fn ask_chart(&mut self) -> Result<(), SendError> {
        let asked = self.client().request::<Talk, _>(AskChart).map_err(plain)?;
        self.app.world_mut().insert_resource(Asked(Some(asked)));
        Ok(())
    }

    fn emote(&mut self, kind: EmoteKind) -> Result<(), SendError> {
        self.client().send::<Flair>(Emote { kind }).map_err(plain)
    }

    fn sail_to(&mut self, destination: Option<NetEntity>) {
        self.course_mut().destination = destination;
    }

    fn is_under_way(&self) -> bool {
        let entities = self.app.world().resource::<EntityMap<DefaultClientTag>>();
        self.course().destination.is_some_and(|id| entities.entity(id).is_some())
    }

    fn steer_by_hand(&mut self, helm: Option<Steer>) {
        self.course_mut().by_hand = helm;
    }

    fn leave(&mut self) {
        self.client().disconnect();
    }

    fn phase(&self) -> Phase {
        self.state().client().phase()
    }

    fn stats(&self) -> ConnectionStats {
        self.state().client().stats()
    }

    fn transport_failure(&self) -> Option<String> {
        self.state().client().transport_failure().map(ToString::to_string)
    }

    fn with_transport(&mut self, change: impl FnOnce(&mut T)) {
        self.client().socket_mut::<T>().map(change);
    }

    fn ship(&self) -> Option<NetEntity> {
        self.course().ship
    }

    fn sights(&self) -> Vec<Sight> {
        Sights::of(self.app.world())
    }

    fn scores(&self) -> Vec<(String, u16)> {
        self.app.world().get_resource::<Scoreboard>().map(Scoreboard::shown).unwrap_or_default()
    }
}

/// Who is not connected hears it in the words of the core.
fn plain(error: SayError) -> SendError {
    match error {
        SayError::Refused(error) => error,
        _ => NOT_CONNECTED,
    }
}

impl<T> fmt::Debug for ServerApp<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerApp").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ClientApp<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientApp").finish_non_exhaustive()
    }
}
