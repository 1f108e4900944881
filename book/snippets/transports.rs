//! Transports.

use bowline::prelude::*;
use bowline::transport::udp::BindError;
use bowline::transport::{ClientTransport, Transport, local, udp};

use crate::readme::{Arena, ArenaMessage, Chat, Talk};

// ANCHOR: udp
fn sockets() -> Result<(udp::Socket, udp::ClientSocket), Box<dyn std::error::Error>> {
    let server = udp::Socket::bind("127.0.0.1:0", SocketConfig::default())?; // port 0: any that is free
    let client = udp::ClientSocket::connect_to(server.local_address(), SocketConfig::default())?;
    Ok((server, client))
}
// ANCHOR_END: udp

// ANCHOR: public
#[test]
fn a_public_address_has_to_be_allowed() {
    let mut config = ServerConfig::default();
    let refused = udp::Socket::bind("0.0.0.0:0", config.socket.clone());
    assert!(matches!(refused, Err(BindError::PlaintextOnPublicAddress { .. })));

    config.socket.allow_plaintext_on_public_address = true; // you have read the page
    assert!(udp::Socket::bind("0.0.0.0:0", config.socket).is_ok());
}
// ANCHOR_END: public

// ANCHOR: tuple
type BothSockets = (local::Socket, udp::Socket);

fn serve_both(hub: &local::Hub) -> Result<Server<Arena, BothSockets>, Box<dyn std::error::Error>> {
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    let here = hub.server(server.socket_config())?;
    let outside = udp::Socket::bind("127.0.0.1:0", server.socket_config())?;
    println!("listening on {}", outside.local_address());
    server.listen((here, outside));
    Ok(server)
}
// ANCHOR_END: tuple

fn play<A: ClientTransport, B: ClientTransport>(
    server: &mut Server<Arena, BothSockets>,
    one: &mut Client<Arena, A>,
    other: &mut Client<Arena, B>,
) -> Vec<&'static str> {
    let mut transports = Vec::new();
    while transports.len() < 2 {
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Message(user, ArenaMessage::Chat(_)) => {
                    transports.extend(server.user(user).map(|user| user.transport));
                }
                _ => {}
            }
        }
        server.send();
        step(one);
        step(other);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    transports.sort_unstable();
    transports
}

fn step<T: ClientTransport>(client: &mut Client<Arena, T>) {
    client.receive();
    while let Some(event) = client.next_event() {
        if let (ClientEvent::Connected, Some(mut connected)) = (event, client.connected()) {
            connected.send::<Talk>(Chat { text: "ahoy".into() }).unwrap();
        }
    }
    client.send();
}

#[test]
fn two_transports_are_one() {
    let hub = local::Hub::new();
    let mut server = serve_both(&hub).unwrap();
    let address = server.transport_mut().unwrap().1.local_address();
    let mut here = Client::<Arena, _>::new(ClientConfig::default());
    here.connect(hub.client(here.socket_config()), ()).unwrap();
    let mut outside = Client::<Arena, _>::new(ClientConfig::default());
    outside.connect(udp::ClientSocket::connect_to(address, outside.socket_config()).unwrap(), ()).unwrap();
    assert_eq!(play(&mut server, &mut here, &mut outside), ["local", "udp"]);
}

#[test]
fn udp_proves_nothing_and_local_everything() {
    let (server, client) = sockets().unwrap();
    let security = server.security(client.local_address());
    assert!(!security.address_proved && !security.secret);
    let hub = local::Hub::new();
    let (server, client) =
        (hub.server(SocketConfig::default()).unwrap(), hub.client(SocketConfig::default()));
    let security = server.security(client.address());
    assert!(security.address_proved && security.secret);
}
