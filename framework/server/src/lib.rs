//! The server: many connections behind one transport.
//!
//! [`Server`] is driven by its caller: `receive`, then events, then `send`, once a turn of the game loop.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod auth;
mod config;
mod entity;
mod event;
mod grid;
mod observe;
mod past;
mod rooms;
mod server;
mod ticks;
mod users;

pub use async_trait::async_trait;
pub use auth::{AuthRequest, AuthTicket, Authenticate, admission};
pub use config::ServerConfig;
pub use entity::{EntityMut, ScopeExit, ScopeMut};
pub use event::{Departure, Rejection, ServerEvent};
pub use grid::Grid;
pub use past::{Moment, Past};
pub use rooms::{Audience, RoomId, RoomMut};
pub use server::Server;
pub use users::{UserId, UserInfo};
