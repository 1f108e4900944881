//! Promised: a response of the wrong type cannot be written, and requests travel where they can be answered.

use bowline::prelude::*;
use bowline::transport::local::Socket;

#[derive(Message)]
struct Chat;

#[derive(Request)]
#[request(response = u8)]
struct Ask;

#[derive(Request)]
#[request(response = u8)]
struct Unlisted;

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Talk;

#[derive(Channel)]
#[channel(sequenced_unreliable, bidirectional)]
struct Look;

#[derive(Channel)]
#[channel(ordered_reliable, to_server)]
struct Tell;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Talk, Look, Tell), messages(Chat), requests(Ask))]
struct Arena;

fn asks(server: &mut Server<Arena, Socket>, user: UserId) {
    let _ = server.request_from::<Talk, _>(user, Ask);
    let _ = server.request_from::<Look, _>(user, Ask);
    let _ = server.request_from::<Tell, _>(user, Ask);
    let _ = server.request_from::<Talk, _>(user, Unlisted);
    let _ = server.request_from::<Talk, _>(user, Chat);
}

fn answers(server: &mut Server<Arena, Socket>, asked: Asked<Ask>) {
    let _ = server.respond(asked.responder, "seven");
}

fn answers_twice(server: &mut Server<Arena, Socket>, asked: Asked<Ask>) {
    let _ = server.respond(asked.responder, 7);
    let _ = server.respond(asked.responder, 7);
}

fn main() {}
