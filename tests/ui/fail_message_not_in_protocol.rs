//! Promised: a message, or a channel, that is not in the protocol is an error that names the list to add it to.

use bowline::prelude::*;
use bowline::transport::local::{ClientSocket, Socket};

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

#[derive(Message)]
struct Forgotten;

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Unlisted;

fn session(session: &mut Session<Connected, Arena, ClientSocket>) {
    let _ = session.send::<Talk>(Forgotten);
    let _ = session.send::<Unlisted>(Chat);
    let _ = session.send::<Talk>("words");
}

fn server(server: &mut Server<Arena, Socket>, user: UserId) {
    let _ = server.send_to::<Talk>(user, Forgotten);
    let _ = server.broadcast::<Unlisted>(Audience::all(), Chat, |_, _| ());
}

fn main() {}
