//! Items that are not what their list is of.

use bowline::prelude::*;

struct Plain;

#[derive(Wire)]
struct Bits;

#[derive(Message)]
struct Chat;

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages(Plain))]
struct NotAMessage;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Plain))]
struct NotAChannel;

#[derive(Protocol)]
#[protocol(tick_rate = 20, requests(Chat))]
struct NotARequest;

#[derive(Protocol)]
#[protocol(tick_rate = 20, components(Bits))]
struct NotAComponent;

#[derive(Protocol)]
#[protocol(tick_rate = 20, resources(Plain))]
struct NotAResource;

#[derive(Protocol)]
#[protocol(tick_rate = 20, auth = Plain)]
struct NoCredentials;

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages(Nowhere))]
struct NotThere;

fn main() {}
