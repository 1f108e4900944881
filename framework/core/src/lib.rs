//! The sans-IO heart of Bowline.
//!
//! Nothing in this crate opens a socket, reads a clock of the machine or draws from a global random source: time,
//! bytes and randomness come in as values. See `ARCHITECTURE.md` for where it stands, and the `bowline` crate for
//! the face that games use.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod acks;
mod channels;
#[cfg(feature = "zstd")]
pub mod compression;
pub mod connection;
mod entropy;
pub mod handshake;
mod meters;
mod pacing;
mod packet;
pub mod protocol;
mod requests;
mod session;
mod ticks;
mod time;
pub mod transport;

pub use acks::RoundTrip;
pub use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, EncodeErrorKind, Schema, Wire};
pub use channels::InputReport;
pub use connection::{
    AppText, ChannelStats, CompressionState, Connected, Connection, ConnectionConfig, ConnectionStats,
    DisconnectReason, Disconnected, PendingAuth, Phase, ProtocolSpec, RejectReason, SendError, SendErrorKind,
    Unsent,
};
pub use entropy::{Entropy, Host, SeededEntropy};
pub use pacing::SendRate;
pub use packet::Side;
pub use protocol::{
    CarriesRequests, Channel, ChannelOf, ComponentOf, Family, FieldMask, ItemVisitor, Message, MessageOf,
    Mutable, NetEntity, Protocol, ProtocolId, References, Replicate, Request, RequestOf, ResourceOf,
    ToClient, ToServer,
};
pub use requests::{AnyResponder, Asked, PendingResponse, RequestError, Responder, Unanswered};
pub use session::{Demux, SessionKey};
pub use ticks::{Around, Interpolate, TickHistory, TickTime};
pub use time::{Clock, Instant, ManualClock};
pub use transport::{
    Address, Admission, ClientTransport, Datagram, Readiness, Security, SocketConfig, Transport,
    TransportError, TransportErrorKind,
};
