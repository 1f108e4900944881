use bowline::{Channel, ToClient, ToServer};

#[derive(Channel)]
struct Bare;

#[derive(Channel)]
#[channel(ordered_reliable)]
struct NoDirection;

#[derive(Channel)]
#[channel(to_server)]
struct NoMode;

#[derive(Channel)]
#[channel(ordered_relyable, upwards)]
struct Unknown;

#[derive(Channel)]
#[channel(tick_buffered, bidirectional)]
struct Input;

#[derive(Channel)]
#[channel(ordered_reliable, unordered_reliable, to_server, to_client)]
struct Undecided;

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional, priority = 3)]
struct Weighted;

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Filled {
    field: u8,
}

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
enum Choice {}

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Generic<const N: usize>;

fn goes_both_ways<T: Channel + ToServer + ToClient>() {}

fn main() {
    goes_both_ways::<Bare>();
    goes_both_ways::<NoDirection>();
    goes_both_ways::<Unknown>();
    goes_both_ways::<Weighted>();
    goes_both_ways::<Filled>();
    goes_both_ways::<Choice>();
    goes_both_ways::<Generic<1>>();
}
