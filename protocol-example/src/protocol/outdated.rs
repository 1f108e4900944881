//! The protocol of a client that missed an update: [`Steer`] is coarser than the server's by now.
//!
//! One step of one field is enough to tell the two apart, and both sides say which.

use bowline::prelude::*;

use super::{
    AskScores, Chat, Emote, Emoted, Flair, Helm, Hull, Joined, Left, Login, Position, Positions, Said, Sight,
    Talk, Welcome,
};

/// As it was before the update.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Steer {
    /// From -1, hard to port, to 1, hard to starboard.
    #[wire(range = -1.0..=1.0, step = 0.1)]
    pub turn: f32,
}

/// As it was before the update. The name of the protocol itself does not travel: only what shapes the wire counts.
#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk, Helm, Sight, Flair),
    messages(Chat, Steer, Emote, Welcome, Joined, Left, Said, Positions, Emoted),
    requests(AskScores),
    components(Position, Hull),
    derive(Clone, Debug, PartialEq),
)]
#[derive(Debug)]
pub struct OutdatedArena;
