//! The program on the first page of the project.

// ANCHOR: program
use bowline::prelude::*;
use bowline::transport::local;

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    #[wire(max_len = 256)]
    pub text: String,
}

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Talk), messages(Chat))]
pub struct Arena;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hub = local::Hub::new();
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    server.listen(hub.server(server.socket_config())?);
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    client.connect(hub.client(client.socket_config()), ())?;

    loop {
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Message(user, ArenaMessage::Chat(chat)) => {
                    let text = format!("{user} says {}", chat.text);
                    server.send_to::<Talk>(user, Chat { text })?;
                }
                _ => {}
            }
        }
        server.send();

        client.receive();
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Connected => {
                    let mut connected = client.connected().expect("it has just said so");
                    connected.send::<Talk>(Chat { text: "ahoy".into() })?;
                }
                ClientEvent::Message(ArenaMessage::Chat(chat)) => {
                    println!("{}", chat.text); // user 0 says ahoy
                    return Ok(());
                }
                ClientEvent::Rejected(reason) => return Err(reason.into()),
                ClientEvent::Disconnected(reason) => return Err(reason.into()),
                _ => {}
            }
        }
        client.send();
    }
}
// ANCHOR_END: program

#[test]
fn it_runs() {
    main().unwrap();
}
