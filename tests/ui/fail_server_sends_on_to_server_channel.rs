//! Promised: a server cannot send on a channel that leads to it.

use bowline::prelude::*;
use bowline::transport::local::Socket;

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

fn server(server: &mut Server<Arena, Socket>, user: UserId) {
    let _ = server.send_to::<Talk>(user, Chat);
    let _ = server.send_to::<News>(user, Chat);
    let _ = server.send_to::<Input>(user, Chat);
    let _ = server.broadcast::<Input>(Audience::all(), Chat, |_, _| ());
}

fn main() {}
