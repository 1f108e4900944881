//! The protocol of a client that missed an update: [`Steer`] is coarser than the server's by now.
//!
//! One step of one field is enough to tell the two apart, and both sides say which.

use bowline::prelude::*;

use super::{
    AskChart, Chat, Emote, Emoted, Flair, Gate, Helm, Login, Pearl, Player, Position, Said, Scoreboard, Talk,
    Welcome,
};

/// As it was before the update.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Steer {
    /// From -1, westwards, to 1, eastwards.
    #[wire(range = -1.0..=1.0, step = 0.1)]
    pub east: f32,
    /// From -1, southwards, to 1, northwards.
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub north: f32,
}

/// As it was before the update. The name of the protocol itself does not travel: only what shapes the wire counts.
#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk, Helm, Flair),
    messages(Chat, Steer, Emote, Welcome, Said, Emoted),
    requests(AskChart),
    components(Position, Player, Pearl, Gate),
    resources(Scoreboard),
    derive(Clone, Debug, PartialEq),
)]
#[derive(Debug)]
pub struct OutdatedArena;
