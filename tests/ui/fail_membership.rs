//! Promised: what is not in the protocol is an error that names the list to add it to, and so is the wrong direction.

use bowline::prelude::*;

#[derive(Message)]
struct Chat;

#[derive(Message)]
struct Forgotten;

#[derive(Request)]
#[request(response = ())]
struct Join;

#[derive(Replicate)]
struct Position(f32);

#[derive(Channel)]
#[channel(ordered_reliable, to_client)]
struct News;

#[derive(Channel)]
#[channel(ordered_reliable, to_server)]
struct Input;

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Unlisted;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(News, Input), messages(Chat))]
struct Arena;

struct NoProtocol;

fn client_sends<C: ChannelOf<Arena> + ToServer, M: MessageOf<Arena>>() {}
fn server_sends<C: ChannelOf<Arena> + ToClient, M: MessageOf<Arena>>() {}
fn asks<R: RequestOf<Arena>>() {}
fn inserts<R: ComponentOf<Arena>>() {}
fn shares<R: ResourceOf<Arena>>() {}
fn connects<P: Protocol>() {}

fn main() {
    client_sends::<Input, Chat>();
    server_sends::<News, Chat>();
    client_sends::<Input, Forgotten>();
    client_sends::<Unlisted, Chat>();
    client_sends::<News, Chat>();
    server_sends::<Input, Chat>();
    asks::<Join>();
    inserts::<Position>();
    shares::<Position>();
    connects::<NoProtocol>();
}
