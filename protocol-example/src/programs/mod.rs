//! The programs for two terminals: a server, a player at a keyboard, and a crowd of bots.

use std::io;

use bowline::{ConnectError, SendError};

use crate::timeline::{Event, State};
use crate::transport::NetworkError;

mod bots;
mod engine;
mod join;
mod serve;

pub use bots::Bots;
pub use engine::{ClientSocket, Engine, OnCore, ServerSocket};
pub use join::Join;
pub use serve::Serve;

/// Why a program ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no socket.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// An attempt to connect could not begin.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A message could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The connection ended, and not because we wanted it to.
    #[error("there is no connection: {0}")]
    Ended(String),
    /// Nobody can see what happens.
    #[error("could not write to standard output")]
    Output(#[from] io::Error),
}

/// How a server is called on a timeline.
const SERVER: &str = "server";

/// What a server's first line says.
fn listening(transport: &str, address: String) -> (State, Event) {
    (State::Listening, Event::Listening { transport: transport.to_owned(), address })
}
