//! Bowline's WebRTC transport: native and browser clients on one server and one UDP port.
//!
//! A client that speaks WebRTC first makes one HTTP request, the **signalling**: it posts an offer and gets an answer.
//! After that datagrams travel over one data channel, encrypted by DTLS, unordered, and never sent twice.
//!
//! | | where | engine |
//! |---|---|---|
//! | [`ServerSocket`] | native | `str0m`: one UDP socket and one thread for all peers |
//! | [`ClientSocket`] | native | `webrtc` |
//! | [`ClientSocket`] | `wasm32`, in a browser | the browser's |
//!
//! [`Socket::new`] makes each of them: of [`ServerAddrs`] the socket of a server, of an address as text or of a
//! [`Destination`] the socket of a client.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod address;
#[cfg(any(target_family = "wasm", feature = "_lint_browser"))]
pub mod browser;
mod data_channel;
mod destination;
mod endpoint;
mod error;
#[cfg(not(target_family = "wasm"))]
mod native;
mod signaling;

pub use address::PeerAddress;
#[cfg(target_family = "wasm")]
pub use browser::socket::{ClientSocket, ClientStatistics};
pub use data_channel::MAX_DATAGRAM;
pub use destination::{Destination, IceServer};
pub use endpoint::{Endpoint, Socket};
pub use error::Error;
#[cfg(not(target_family = "wasm"))]
pub use native::client::{ClientSocket, ClientStatistics};
#[cfg(not(target_family = "wasm"))]
pub use native::server::{
    ListenError, PlainSocket, ServerAddrs, ServerSetup, ServerSocket, SharedSockets, Signaler, Statistics,
    WithPlainUdp,
};
pub use signaling::{Answer, Offer, Signaling, SignalingError};
