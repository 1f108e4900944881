//! What cannot travel as a whole.

use bowline::{Message, Wire};

#[derive(Wire)]
union Bits {
    number: f32,
    bits: u32,
}

#[derive(Message)]
union Untold {
    number: f32,
    bits: u32,
}

#[derive(Wire)]
struct Borrowed<'a, T> {
    text: &'a str,
    item: T,
}

#[derive(Message)]
enum Lent<'a> {
    Text(&'a str),
}

fn travels<T: Wire>() {}

fn main() {
    travels::<Bits>();
    travels::<Untold>();
    travels::<Borrowed<u8>>();
    travels::<Lent>();
}
