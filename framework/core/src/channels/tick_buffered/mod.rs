//! Tick-buffered channels: messages made for a tick, handed out when the server comes to it.
//!
//! Each goes out in the packet of its own tick and in those of the next ones, until it is acknowledged or has gone
//! out often enough: a single lost packet loses none. The other way the server reports how early they come.

mod receiver;
mod report;
mod sender;

pub(crate) use receiver::{TickArrival, TickReceiver};
pub use report::InputReport;
pub(crate) use report::{ReportReceiver, ReportSender};
pub(crate) use sender::{MAX_TICKS_BACK, TickSender};
