//! Promised: a client cannot send on a channel that leads to clients.

use bowline::prelude::*;
use bowline::transport::local::ClientSocket;

#[derive(Message)]
struct Chat;

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Talk;

#[derive(Channel)]
#[channel(ordered_reliable, to_client)]
struct News;

#[derive(Channel)]
#[channel(sequenced_unreliable, to_server)]
struct Input;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Talk, News, Input), messages(Chat))]
struct Arena;

fn session(session: &mut Session<Connected, Arena, ClientSocket>) {
    let _ = session.send::<Talk>(Chat);
    let _ = session.send::<Input>(Chat);
    let _ = session.send::<News>(Chat);
}

fn client(client: &mut Client<Arena, ClientSocket>) {
    let _ = client.connected().unwrap().send::<News>(Chat);
}

fn main() {}
