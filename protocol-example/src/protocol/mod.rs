//! What the server and the clients of the arena agree on.
//!
//! This is all that a game writes to speak over the network: plain structs, and one list of them.

use bowline::prelude::*;

pub mod auth;
pub mod channels;
pub mod components;
pub mod messages;
pub mod outdated;
pub mod resources;

pub use auth::{Login, TOKEN};
pub use channels::{Flair, Helm, Talk};
pub use components::{Gate, Pearl, Player, Position, Room};
pub use messages::{AskChart, Census, Chart, Chat, Emote, EmoteKind, Emoted, Said, Steer, Welcome};
pub use resources::{Score, Scoreboard};

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
    channels(Talk, Helm, Flair),
    messages(Chat, Steer, Emote, Welcome, Said, Emoted),
    requests(AskChart),
    components(Position, Player, Pearl, Gate),
    resources(Scoreboard),
    derive(Clone, Debug, PartialEq),
)]
#[derive(Debug)]
pub struct Arena;

/// As many may play at once.
pub const MAX_PLAYERS: usize = 64;

/// Each room is a square. Its middle is the origin, and this is how far it is from there to each side, in metres.
pub const ROOM_REACH: f32 = 50.0;
