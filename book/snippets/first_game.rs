//! Your first server and client.

// ANCHOR: program
use std::error::Error;
use std::thread;
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Transport, local};

// ANCHOR: protocol
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    #[wire(max_len = 256)]
    pub text: String,
}

#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    #[wire(max_len = 32)]
    pub name: String,
}

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

#[derive(Protocol)]
#[protocol(tick_rate = 20, auth = Login, channels(Talk), messages(Chat))]
pub struct Arena;
// ANCHOR_END: protocol

// ANCHOR: server
fn run_server(socket: impl Transport) -> Result<(), SendError> {
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    server.listen(socket);
    loop {
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => {
                    if ticket.auth().name.is_empty() {
                        ticket.reject(RejectReason::custom("say who you are"));
                    } else {
                        ticket.accept();
                    }
                }
                ServerEvent::Connected(user) => println!("server: {user} is in"),
                ServerEvent::Message(user, ArenaMessage::Chat(chat)) => {
                    println!("server: {user} says {}", chat.text);
                    server.broadcast::<Talk>(Audience::all(), chat, |user, error| {
                        println!("server: {user}: {error}");
                    })?;
                }
                ServerEvent::Tick(_tick) => {} // move the world on by a twentieth of a second
                ServerEvent::Disconnected(gone) => {
                    println!("server: {} is gone: {}", gone.user, gone.reason);
                    return Ok(()); // a real server plays on
                }
                _ => {}
            }
        }
        server.send();
        thread::sleep(Duration::from_millis(5));
    }
}
// ANCHOR_END: server

// ANCHOR: client
fn run_client(socket: impl ClientTransport, name: &str) -> Result<(), Box<dyn Error>> {
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    client.connect(socket, Login { name: name.into() })?;
    loop {
        client.receive();
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Connected => {
                    if let Some(mut connected) = client.connected() {
                        connected.send::<Talk>(Chat { text: "ahoy".into() })?;
                    }
                }
                ClientEvent::Message(ArenaMessage::Chat(chat)) => {
                    println!("{name} hears {}", chat.text);
                    client.disconnect();
                }
                ClientEvent::Rejected(reason) => return Err(reason.into()),
                ClientEvent::Disconnected(reason) => {
                    println!("{name}: {reason}");
                    return Ok(());
                }
                _ => {}
            }
        }
        client.send();
        thread::sleep(Duration::from_millis(5)); // draw a frame
    }
}
// ANCHOR_END: client

// ANCHOR: main
fn main() -> Result<(), Box<dyn Error>> {
    let hub = local::Hub::new();
    let server_socket = hub.server(SocketConfig::default())?;
    let client_socket = hub.client(SocketConfig::default());

    let server = thread::spawn(move || run_server(server_socket));
    run_client(client_socket, "Anna")?;
    server.join().expect("the server's thread")?;
    Ok(())
}
// ANCHOR_END: main
// ANCHOR_END: program

#[test]
fn it_runs() {
    main().unwrap();
}

#[test]
fn nobody_without_a_name_gets_in() {
    let hub = local::Hub::new();
    let server_socket = hub.server(SocketConfig::default()).unwrap();
    let client_socket = hub.client(SocketConfig::default());
    thread::spawn(move || run_server(server_socket));
    assert_eq!(run_client(client_socket, "").unwrap_err().to_string(), "say who you are");
}
