//! What a client shows to be let in.

use bowline::prelude::*;

/// The credentials of a client, sent with its first question and seen by the server before it decides.
///
/// Over UDP they are readable on the way. A real game would show a token here that its account service signed, and that
/// is good for a few minutes; never a password.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    /// How the player wants to be called. The limit is in bytes, and a longer name does not leave the client.
    #[wire(max_len = 24)]
    pub name: String,
    /// What proves that the player may come in.
    #[wire(max_len = 64)]
    pub token: String,
}

/// The token that opens the arena: good enough for an example.
pub const TOKEN: &str = "ahoy";
