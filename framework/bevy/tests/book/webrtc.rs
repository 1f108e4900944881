//! WebRTC from where a Bevy user stands.

use std::time::{Duration, Instant};

use bevy_app::{App, Startup};
use bevy_ecs::prelude::*;
use bowline_bevy::Remote;
use bowline_bevy::client::{Client, ClientConfig, ClientPlugin};
use bowline_bevy::server::{Server, ServerConfig, ServerPlugin, transport};

use crate::rig::{Field, Health, Login, run_once, watch_client, watch_server};

mod on_server {
    use super::*;
    // ANCHOR: listen
    use bowline_bevy::server::transport::webrtc;

    #[derive(Resource)]
    struct Addrs(webrtc::ServerAddrs);

    fn listen(addrs: Res<Addrs>, mut server: Server<Field>) -> Result {
        let socket = webrtc::Socket::new(&addrs.0, server.socket_config())?;
        server.listen(socket);
        Ok(())
    }
    // ANCHOR_END: listen

    pub fn add(app: &mut App) {
        let any = "127.0.0.1:0";
        app.insert_resource(Addrs(webrtc::ServerAddrs::new(any, any, any))).add_systems(Startup, listen);
    }
}

mod on_client {
    use super::*;
    // ANCHOR: connect
    use bowline_bevy::client::transport::webrtc;

    #[derive(Resource)]
    pub struct Url(pub String);

    fn connect(url: Res<Url>, mut client: Client<Field>) -> Result {
        let socket = webrtc::Socket::new(url.0.as_str(), client.socket_config())?;
        client.connect(socket, Login("ada".into()))?;
        Ok(())
    }
    // ANCHOR_END: connect

    pub fn add(app: &mut App, url: String) {
        app.insert_resource(Url(url)).add_systems(Startup, connect);
    }
}

#[test]
fn an_app_plays_over_webrtc() {
    let mut server = App::new();
    server.add_plugins(ServerPlugin::<Field>::new(ServerConfig::default()));
    watch_server(&mut server);
    on_server::add(&mut server);
    server.update();
    let url = run_once(server.world_mut(), |mut server: Server<Field>, mut commands: Commands| {
        commands.insert_resource(crate::rig::Lobby(server.create_room()));
        let socket = server.socket_mut::<transport::webrtc::ServerSocket>().expect("it listens");
        format!("http://{}", socket.signaling_address())
    });
    {
        use bowline_bevy::server::ReplicationCommands as _;
        let world = server.world_mut();
        let room = world.resource::<crate::rig::Lobby>().0;
        world.spawn((Health(7), bowline_bevy::Replicated)).enter_room(room);
    }
    let mut client = App::new();
    client.add_plugins(ClientPlugin::<Field>::new(ClientConfig::default()));
    watch_client::<bowline_bevy::DefaultClientTag>(&mut client);
    on_client::add(&mut client, url);
    let start = Instant::now();
    let mut seen = client.world_mut().query_filtered::<&Health, With<Remote>>();
    while seen.single(client.world()).is_err() {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing is seen");
        server.update();
        client.update();
        std::thread::sleep(Duration::from_millis(2));
    }
}
