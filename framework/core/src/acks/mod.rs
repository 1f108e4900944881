//! Which packets arrived, there and here, and how long they took.

mod received;
mod rtt;
mod sent;
mod sequence;

pub(crate) use received::{AckField, Arrival, ReceivedPackets};
pub use rtt::RoundTrip;
pub(crate) use sent::{Outcome, SentPackets};
pub(crate) use sequence::expand;
