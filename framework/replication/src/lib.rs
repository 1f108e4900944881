//! Replication: entities of one side, seen by the other.
//!
//! What changes is encoded once, field by field, whatever the number of those who see it; what each is owed is told from
//! one number for each entity. Nothing here knows of sockets or connections: state goes into packets as
//! [`Freight`](bowline_core::connection::Freight), and comes out of them as bytes.
//!
//! * [`ServerSide`] and [`ClientSide`] are the two halves. Games meet them through `Server` and `Client`, which drive them.
//! * [`World`] is the embedded world. For a game with one of its own there are [`WorldSource`], where state comes from, and
//!   [`WorldSink`], where it lands.
//! * [`EntityEvent`] tells what has happened; [`Authority`], [`Approval`] and [`WriteRule`] are about who may write.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod authority;
mod bits;
mod changes;
mod client_side;
mod control;
mod entities;
mod event;
mod inbox;
mod limits;
mod paged;
mod peer;
mod record;
mod server_side;
mod sink;
mod world;

pub use authority::Authority;
pub use changes::{Changes, Unencodable, UnencodableError};
pub use client_side::{ClientSide, NoEntityId, StaleEntities};
pub use event::EntityEvent;
pub use limits::MAX_ENTITIES;
pub use peer::Load;
pub use server_side::{Approval, ServerSide, TooManyEntities, WriteRule};
pub use sink::{WorldSink, WorldSource};
pub use world::{Bundle, Mut, Query, World};
