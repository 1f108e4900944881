//! Fields whose types do not travel, and attributes on types that they are not for.

use std::collections::HashMap;

use bowline::Wire;

#[derive(Wire)]
struct Machine {
    size: usize,
}

#[derive(Wire)]
struct Unordered {
    map: HashMap<u8, u8>,
}

#[derive(Wire)]
struct Precision {
    #[wire(range = -1.0..=1.0)]
    turn: f32,
}

#[derive(Wire)]
struct Step {
    #[wire(range = 0..=10, step = 1)]
    turn: u8,
}

#[derive(Wire)]
struct Length {
    #[wire(max_len = 4)]
    byte: u8,
}

#[derive(Wire)]
struct Bits {
    #[wire(bits = 4)]
    text: String,
}

#[derive(Wire)]
struct Mistyped {
    #[wire(max_len = "four")]
    text: String,
}

fn main() {}
