//! How fast a connection may send: an allowance in bytes, at a rate that follows the path.

mod allowance;
mod delivery;
mod rate;
mod turns;

pub(crate) use allowance::Allowance;
pub(crate) use delivery::{DeliveryRate, RateSample, Snapshot};
pub(crate) use rate::RateControl;
pub use rate::SendRate;
pub(crate) use turns::Turns;
