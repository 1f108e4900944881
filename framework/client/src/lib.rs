//! The client: one connection to a server.
//!
//! * [`Session`] is the connection as typestate: what makes no sense in a state is not a method of it.
//! * [`Client`] is the same behind `&mut self`, for a game loop: transitions are events.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod config;
mod observe;
mod prediction;
mod reconnect;
mod session;
mod snapshots;
mod ticks;

pub use client::{Client, ClientEvent, ConnectedClient};
pub use config::ClientConfig;
pub use prediction::{Predicted, Reconciled};
pub use reconnect::ReconnectPolicy;
pub use session::{ConnectFailed, Progress, Session};
pub use snapshots::Snapshots;
pub use ticks::TickStats;
