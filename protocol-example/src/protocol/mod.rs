//! What the server and the clients of the arena agree on.
//!
//! This is all that a game writes to speak over the network: plain structs, and one list of them.

use bowline::prelude::*;

pub mod auth;
pub mod channels;
pub mod components;
pub mod messages;
pub mod outdated;

pub use auth::{Login, TOKEN};
pub use channels::{Flair, Helm, Sight, Talk};
pub use components::{Hull, Position};
pub use messages::{
    AskScores, Chat, Emote, EmoteKind, Emoted, Joined, Left, PlayerId, Positions, Said, Scores, Spot, Steer,
    Welcome,
};

/// The protocol of the arena.
///
/// Its [`ID`](Protocol::ID) is a constant over everything listed here, down to the step of a quantized float. Client
/// and server compare it before anything else, and where it differs they say which item does: see [`outdated`].
///
/// The order of a list gives its items their numbers on the wire, so new items go to the end.
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
pub struct Arena;

/// As many may play at once: a [`PlayerId`] has six bits.
pub const MAX_PLAYERS: usize = 64;

/// The arena is a square. Its middle is the origin, and this is how far it is from there to each side, in metres.
pub const ARENA_REACH: f32 = 100.0;
