//! The server's side of the handshake, before there is a connection.
//!
//! ```text
//! client                          server
//!   Hello(attempt), padded  --->            keeps nothing
//!                           <---  Challenge(cookie)         not larger than the hello
//!   Auth(attempt, cookie,   --->            the address is proved: now it may cost something
//!        protocol, credentials)
//!                           <---  Accepted(token, tick)  or  Refused(reason, description)
//! ```
//!
//! Where the transport has proved the address, the first two fall away.

mod cookie;
mod doorway;

pub use doorway::{Caller, Doorway, DoorwayConfig, Knock};
