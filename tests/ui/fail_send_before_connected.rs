//! Promised: a session can send once it is connected, and not before; so it is for the other things that only then make
//! sense.

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

fn not_yet(mut session: Session<Disconnected, Arena, ClientSocket>) {
    session.send::<Talk>(Chat);
    session.flush();
    session.round_trip();
}

fn nor_while_the_server_decides(mut session: Session<PendingAuth, Arena, ClientSocket>) {
    session.send::<Talk>(Chat);
    session.next_incoming();
    session.server_tick();
}

fn main() {}
