//! WebRTC.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Transport, udp, webrtc};
use bowline::{AuthRequest, Authenticate, DisconnectReason, async_trait};

use crate::readme::{Arena, ArenaMessage, Chat, Talk};

// ANCHOR: server
fn listen(addrs: &webrtc::ServerAddrs) -> Result<Server<Arena, webrtc::ServerSocket>, webrtc::ListenError> {
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    server.listen(webrtc::Socket::new(addrs, server.socket_config())?);
    Ok(server)
}
// ANCHOR_END: server

// ANCHOR: client
fn join(url: &str) -> Result<Client<Arena, webrtc::ClientSocket>, Box<dyn std::error::Error>> {
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    client.connect(webrtc::Socket::new(url, client.socket_config())?, ())?;
    Ok(client)
}
// ANCHOR_END: client

// ANCHOR: addrs
fn for_everybody() -> webrtc::ServerAddrs {
    webrtc::ServerAddrs::new(
        "0.0.0.0:14191",                  // signalling: HTTP, over TCP
        "0.0.0.0:14192",                  // the data of all clients, over UDP
        "https://game.example.com:14192", // where clients send the data
    )
}
// ANCHOR_END: addrs

// ANCHOR: failure
fn why(client: &Client<Arena, webrtc::ClientSocket>, reason: &DisconnectReason) -> String {
    match (reason, client.transport_failure()) {
        (DisconnectReason::TransportClosed, Some(failure)) => failure.to_string(),
        (reason, _) => reason.to_string(),
    }
}
// ANCHOR_END: failure

// ANCHOR: admission
struct Members;

#[async_trait]
impl Authenticate<Arena> for Members {
    async fn authenticate(&self, _: &AuthRequest<Arena>) -> Result<(), RejectReason> {
        Err(RejectReason::custom("members only")) // ask your database here
    }
}

fn listen_for_members(
    addrs: &webrtc::ServerAddrs,
) -> Result<Server<Arena, webrtc::ServerSocket>, webrtc::ListenError> {
    let members: Arc<dyn Authenticate<Arena>> = Arc::new(Members);
    let setup = webrtc::ServerSetup::new(addrs).with_admission(bowline::admission(Arc::clone(&members)));
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    server.listen(webrtc::Socket::new(setup, server.socket_config())?);
    server.authenticate_with(members);
    Ok(server)
}

fn show_credentials(url: &str) -> webrtc::Destination {
    let login = (); // the credentials of your protocol: its `auth`
    let credentials = bowline::credentials::<Arena>(&login).expect("no field is over its limit");
    webrtc::Destination::new(url).with_authorization(credentials)
}
// ANCHOR_END: admission

// ANCHOR: one_port
fn listen_to_all(
    addrs: &webrtc::ServerAddrs,
) -> Result<Server<Arena, webrtc::SharedSockets>, webrtc::ListenError> {
    let setup = webrtc::ServerSetup::new(addrs).with_plain_udp();
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    let (webrtc, udp) = webrtc::Socket::new(setup, server.socket_config())?;
    server.listen((webrtc, udp));
    Ok(server)
}
// ANCHOR_END: one_port

// ANCHOR: page
fn with_a_page(addrs: &webrtc::ServerAddrs, wasm: Vec<u8>) -> webrtc::ServerSetup {
    webrtc::ServerSetup::new(addrs)
        .with_file("/", "text/html; charset=utf-8", "<script type=module src=game.js></script>")
        .with_file("/game.js", "text/javascript", "import init from './bindings.js'; init();")
        .with_file("/game_bg.wasm", "application/wasm", wasm)
}
// ANCHOR_END: page

// ANCHOR: turn
fn through_a_relay(url: &str) -> webrtc::Destination {
    let relay = webrtc::IceServer::new("turn:turn.example.com:3478").with_credentials("player", "secret");
    webrtc::Destination::new(url).with_ice_server(relay)
}
// ANCHOR_END: turn

fn any_ports() -> webrtc::ServerAddrs {
    webrtc::ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")
}

fn url<S>(server: &mut Server<Arena, S>, of: fn(&S) -> &webrtc::ServerSocket) -> String
where
    S: Transport,
{
    format!("http://{}", of(server.transport_mut().unwrap()).signaling_address())
}

/// Plays until the server has heard from so many users, or until the client is out; by what they came.
fn play<S: Transport, C: ClientTransport>(
    server: &mut Server<Arena, S>,
    client: &mut Client<Arena, C>,
) -> Result<&'static str, DisconnectReason> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Message(user, ArenaMessage::Chat(_)) => {
                    return Ok(server.user(user).unwrap().transport);
                }
                _ => {}
            }
        }
        server.send();
        client.receive();
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Connected => {
                    client.connected().unwrap().send::<Talk>(Chat { text: "ahoy".into() }).unwrap();
                }
                ClientEvent::Disconnected(reason) => return Err(reason),
                _ => {}
            }
        }
        client.send();
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("nothing has happened");
}

#[test]
fn a_client_plays_over_webrtc() {
    let mut server = listen(&any_ports()).unwrap();
    let url = url(&mut server, |socket| socket);
    assert_eq!(play(&mut server, &mut join(&url).unwrap()), Ok("webrtc"));
}

#[test]
fn a_client_without_a_server_says_why() {
    let mut server = listen(&any_ports()).unwrap();
    let url = url(&mut server, |socket| socket);
    drop(server);
    let mut elsewhere = listen(&any_ports()).unwrap();
    let mut client = join(&url).unwrap();
    let reason = play(&mut elsewhere, &mut client).unwrap_err();
    let why = why(&client, &reason);
    assert!(why.contains("cannot be reached") && why.contains(&url), "{why}");
}

#[test]
fn who_is_no_member_is_turned_away_at_the_door() {
    let mut server = listen_for_members(&any_ports()).unwrap();
    let url = url(&mut server, |socket| socket);
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    let socket = webrtc::Socket::new(show_credentials(&url), client.socket_config()).unwrap();
    client.connect(socket, ()).unwrap();
    let reason = play(&mut server, &mut client).unwrap_err();
    assert!(why(&client, &reason).contains("members only"), "{}", why(&client, &reason));
}

#[test]
fn both_kinds_of_client_come_by_one_port() {
    let mut server = listen_to_all(&any_ports()).unwrap();
    let url = url(&mut server, |(webrtc, _)| webrtc);
    assert_eq!(play(&mut server, &mut join(&url).unwrap()), Ok("webrtc"));
    let port = server.transport_mut().unwrap().1.local_address();
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    let socket = udp::ClientSocket::connect_to(port, client.socket_config()).unwrap();
    client.connect(socket, ()).unwrap();
    assert_eq!(play(&mut server, &mut client), Ok("udp"));
}
