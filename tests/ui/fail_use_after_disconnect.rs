//! Promised: what has ended is gone: a session after its goodbye, a ticket after its decision.

use bowline::AuthTicket;
use bowline::prelude::*;
use bowline::transport::local::{Address, ClientSocket};

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

fn session(mut session: Session<Connected, Arena, ClientSocket>) {
    let _ended = session.disconnect();
    let _ = session.send::<Talk>(Chat);
}

fn what_is_left_of_it(session: Session<Connected, Arena, ClientSocket>) {
    let mut ended = session.disconnect();
    let _ = ended.send::<Talk>(Chat);
}

fn twice(ticket: AuthTicket<Arena, Address>) {
    ticket.accept();
    ticket.reject(RejectReason::Unauthorized);
}

fn copied(ticket: AuthTicket<Arena, Address>) {
    ticket.clone().accept();
}

fn view(client: &mut Client<Arena, ClientSocket>) {
    let mut connected = client.connected().unwrap();
    client.disconnect();
    let _ = connected.send::<Talk>(Chat);
}

fn main() {}
