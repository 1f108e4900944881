//! The server: signalling over HTTP, one UDP socket for all peers, one thread for both.

mod addrs;
mod driver;
mod engine;
mod mailbox;
mod plain;
mod port;
mod setup;
mod signaling;
mod socket;
mod thread;

pub use addrs::{ListenError, ServerAddrs};
pub use engine::Statistics;
pub use plain::PlainSocket;
pub use setup::{ServerSetup, WithPlainUdp};
pub use signaling::Signaler;
pub use socket::{ServerSocket, SharedSockets};
