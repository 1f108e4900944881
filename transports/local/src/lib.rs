//! Bowline's in-process transport: queues between a server and its clients.
//!
//! For a game's own tests, for a single-player game that is its own server, and for first steps. Nothing is
//! lost, doubled or reordered, and nothing takes time; to make it like a network, wrap it in
//! [`Conditioned`](bowline_core::transport::Conditioned). Sockets may live on different threads.
//!
//! ```
//! use bowline_core::{ClientTransport, Instant, SocketConfig, Transport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = bowline_local::Hub::new();
//! let mut server = hub.server(SocketConfig::default())?;
//! let mut client = hub.client(SocketConfig::default());
//!
//! client.send(Instant::ZERO, client.server_address(), b"ahoy")?;
//! let datagram = server.receive(Instant::ZERO)?.ok_or("nothing there")?;
//! assert_eq!((datagram.from, datagram.bytes), (client.address(), &b"ahoy"[..]));
//! # Ok(())
//! # }
//! ```

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod hub;
mod inbox;
mod socket;

pub use hub::{Address, Hub, ListenError};
pub use socket::{ClientSocket, Error, Socket};
