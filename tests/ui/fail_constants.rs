//! Attributes with impossible values, found by the compiler as it evaluates them.

use bowline::prelude::*;

#[derive(Wire)]
struct Descending {
    #[wire(range = 10..=1)]
    level: u8,
}

#[derive(Wire)]
struct DescendingFloat {
    #[wire(range = 1.0..=-1.0, step = 0.1)]
    turn: f32,
}

#[derive(Wire)]
struct Standing {
    #[wire(range = -1.0..=1.0, step = 0.0)]
    turn: f32,
}

#[derive(Wire)]
struct TooFine {
    #[wire(range = 0.0..=1.0e9, step = 0.001)]
    turn: f32,
}

#[derive(Wire)]
struct NoBits {
    #[wire(bits = 0)]
    level: u8,
}

const RATE: u16 = 0;

#[derive(Protocol)]
#[protocol(tick_rate = RATE)]
struct Frozen;

#[derive(Replicate)]
struct Hull;

const SHARE: i32 = 5;

#[derive(Protocol)]
#[protocol(tick_rate = 20, components(Hull), entity_weight = SHARE)]
struct OddShare;

fn main() {}
