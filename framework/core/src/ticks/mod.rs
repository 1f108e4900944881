//! The time that both sides share: the server's ticks.

mod history;
mod interpolate;
mod peer_clock;
mod tick_time;

pub use history::{Around, TickHistory};
pub use interpolate::Interpolate;
pub(crate) use peer_clock::PeerClock;
pub use tick_time::TickTime;
pub(crate) use tick_time::Ticking;
