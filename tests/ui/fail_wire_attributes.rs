//! Every refusal of `#[wire(..)]`, all at once, each on what is wrong.

use std::collections::HashMap;

use bowline::Wire;

struct Foreign;

#[derive(Wire)]
#[wire(range = 0..=1)]
struct Fields {
    #[wire(ranges = 0..=1)]
    unknown: u8,
    #[wire(with = "nowhere", colour = "red")]
    unknown_beside_others: Foreign,
    #[wire(range = 0..=1, range = 0..=2)]
    twice: u8,
    #[wire(range = 0..=1)]
    #[wire(range = 0..=2)]
    twice_apart: u8,
    #[wire(range)]
    no_value: u8,
    #[wire(bits(3))]
    a_list: u8,
    #[wire(step = 0.1)]
    step_alone: f32,
    #[wire(range = 0..=1, bits = 3)]
    range_and_bits: u8,
    #[wire(bits = 3, max_len = 3)]
    bits_and_max_len: u8,
    #[wire(bits = 3, step = 0.1)]
    bits_and_step: u8,
    #[wire(step = 0.1, with = "module")]
    step_and_with: f32,
    #[wire(range = 0..10)]
    exclusive: u8,
    #[wire(range = 0..)]
    endless: u8,
    #[wire(range = 10)]
    no_range: u8,
    #[wire(with = Foreign)]
    no_string: HashMap<u8, u8>,
    #[wire(with = "not a path")]
    no_path: HashMap<u8, u8>,
    #[wire(crate = "bowline")]
    of_the_type: u8,
    #[wire(range = )]
    no_syntax: u8,
    #[wire]
    no_list: u8,
    #[wire(max_len = 3 bits = 2)]
    no_comma: u8,
}

#[derive(Wire)]
enum Variants {
    #[wire(bits = 3)]
    Known,
    #[wire(colour = "red")]
    Unknown,
    Field(#[wire(step = 0.1)] f32),
}

#[derive(Wire)]
#[wire(crate = bowline)]
struct Facade;

// The types have their impls all the same: no error follows from those above.
fn travels<T: Wire>() {}

fn main() {
    travels::<Fields>();
    travels::<Variants>();
    travels::<Facade>();
}
