//! The sans-IO heart of Bowline.
//!
//! Nothing in this crate opens a socket, reads a clock of the machine or draws from a global random source: time,
//! bytes and randomness come in as values. See `ARCHITECTURE.md` for where it stands, and the `bowline` crate for
//! the face that games use.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod entropy;
pub mod protocol;
mod time;
pub mod transport;

pub use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, EncodeErrorKind, Schema, Wire};
pub use entropy::{Entropy, Host, SeededEntropy};
pub use protocol::{
    Channel, ChannelOf, ComponentOf, FieldMask, Message, MessageOf, Protocol, ProtocolId, Replicate, Request,
    RequestOf, ResourceOf, ToClient, ToServer,
};
pub use time::{Clock, Instant, ManualClock};
pub use transport::{
    Address, ClientTransport, Datagram, Readiness, Security, SocketConfig, Transport, TransportError,
    TransportErrorKind,
};
