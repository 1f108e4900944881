//! The game: the loop of a server and the loop of a client, written once for every transport.
//!
//! [`ArenaServer`] and [`ArenaClient`] are what a game's own networking code looks like on Bowline. Each has a `frame`,
//! to be called some hundred times a second, that receives, answers, sends, and tells what is new.
//!
//! What they have in common with the same game as Bevy apps (the package `protocol-example-bevy`, in the folder `bevy`) is
//! beside them: [`rules`] says what follows from where things are, [`door`] who may come in, [`course`] how to get somewhere,
//! and [`ServerSide`] and [`ClientSide`] what the programs want of either.

mod client;
pub mod course;
pub mod door;
mod glide;
mod news;
mod own_ship;
pub mod rules;
mod server;
mod sides;
mod sight;
mod visitor;

pub use client::ArenaClient;
pub use glide::Glide;
pub use news::{ClientNews, ServerNews};
pub use own_ship::OwnShip;
pub use server::ArenaServer;
pub use sides::{ClientSide, NOT_CONNECTED, ServerSide};
pub use sight::{Comings, SOMEBODY, Sight, Thing};
pub use visitor::Visitor;

use std::time::Duration;

use bowline::AppText;

/// How long a program sleeps between two frames: short beside a tick (50 ms), long beside what a frame takes.
pub const FRAME: Duration = Duration::from_millis(5);

/// For how long a program goes on with its frames after an end: a goodbye is said several times.
pub const FAREWELL: Duration = Duration::from_millis(500);

/// What a peer wrote, made fit to be shown: control characters could steer a terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    AppText::new(text).as_str().to_owned()
}
