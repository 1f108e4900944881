//! The machine under Bowline: clock, randomness, and the async driver.
//!
//! Together with the transports this is all that touches the machine. It works natively and in a browser.
//!
//! ```
//! use bowline_core::{Clock, Entropy};
//! use bowline_platform::SystemClock;
//!
//! let mut host = SystemClock::new(); // a clock and a source of randomness: a `bowline_core::Host`
//! let before = host.now();
//! assert!(host.now() >= before);
//! assert_ne!(host.next_u64(), host.next_u64());
//! ```

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clock;
#[cfg(feature = "tokio")]
mod driver;
mod entropy;
#[cfg(feature = "tokio")]
mod wait;

pub use clock::SystemClock;
#[cfg(feature = "tokio")]
pub use driver::{Drive, Flow};
pub use entropy::OsEntropy;
#[cfg(feature = "tokio")]
pub use wait::readable_or_deadline;
