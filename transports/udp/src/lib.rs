//! Bowline's UDP transport: batched datagrams over one socket.
//!
//! **UDP is plaintext**: whoever is on the way reads and writes. Each socket says so in the log, and a
//! server's refuses an address that others can reach unless [`SocketConfig`] allows it.
//!
//! ```
//! use bowline_core::{ClientTransport, Instant, SocketConfig, Transport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut server = bowline_udp::Socket::bind("127.0.0.1:0", SocketConfig::default())?;
//! let mut client = bowline_udp::ClientSocket::connect_to(server.local_address(), SocketConfig::default())?;
//!
//! client.send(Instant::ZERO, client.server_address(), b"ahoy")?;
//! client.flush(Instant::ZERO)?;
//! # for _ in 0..1000 { std::thread::sleep(std::time::Duration::from_millis(1));
//! if let Some(datagram) = server.receive(Instant::ZERO)? {
//!     assert_eq!((datagram.from, datagram.bytes), (client.local_address(), &b"ahoy"[..]));
//! #   return Ok(());
//! }
//! # }
//! # Err("nothing arrived".into())
//! # }
//! ```
//!
//! IPv4, IPv6 and, on `[::]`, both on one socket. Addresses are shown and compared the same however they
//! came: `::ffff:192.0.2.1` is `192.0.2.1`. On Linux a system call receives up to 32 batches of 64 datagrams,
//! and sends up to 64 to one address.
//!
//! Replies leave by the route that the system picks. On a host with several addresses of one family, bind to
//! the one that players connect to.
//!
//! In a browser, where there is no UDP, this crate is empty.
//!
//! [`SocketConfig`]: bowline_core::SocketConfig

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(not(target_family = "wasm"))]

mod address;
mod bind;
mod error;
mod io;
mod port;
mod receive;
mod send;
mod socket;

pub use bind::{BindError, ConnectError};
pub use error::Error;
pub use port::Statistics;
pub use socket::{ClientSocket, Socket};
