//! What is said and shown.

use bowline::prelude::*;

/// The credentials.
#[derive(Wire, Clone, Debug, PartialEq)]
pub(crate) struct Login {
    #[wire(max_len = 64)]
    pub(crate) name: String,
}

/// A message of 100 bytes.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hundred {
    pub(crate) bytes: [u8; 100],
}

/// Where an entity is.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
}

/// Ordered and reliable.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub(crate) struct Talk;

/// The protocol.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk),
    messages(Hundred),
    components(Position),
    derive(Clone, Debug, PartialEq)
)]
pub(crate) struct Arena;
