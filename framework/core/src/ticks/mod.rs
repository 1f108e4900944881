//! The time that both sides share: the server's ticks.

mod peer_clock;
mod tick_time;

pub(crate) use peer_clock::PeerClock;
pub use tick_time::TickTime;
pub(crate) use tick_time::Ticking;
