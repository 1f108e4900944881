//! In a browser: the client, on the browser's own engine, and a timer that goes on in a hidden tab.
//!
//! | file | what it is |
//! |---|---|
//! | `socket.rs` | [`ClientSocket`](crate::ClientSocket): the transport |
//! | `link.rs` | what the socket and the browser's callbacks share: how far the set-up has come, and two queues |
//! | `peer.rs` | the peer connection, its channel, their callbacks, and the end of them all |
//! | `set_up.rs` | offer, signalling, answer |
//! | `fetch.rs` | signalling by `fetch` |
//! | `candidates.rs` | where the server said that it is, and what may be the matter when it is not reached |
//! | `queue.rs` | datagrams that wait, the newest of them |
//! | `ticker.rs` | [`Ticker`] |
//!
//! # Hidden tabs, frozen tabs
//! A tab that is hidden gets no animation frames, and its own timers once a second or once a minute. A [`Ticker`] goes on, so
//! a session lives as long as the browser lets the page run; what arrives meanwhile waits in a queue with limits, of which
//! the oldest goes first. A browser may also **freeze** a page: then nothing of it runs. When it thaws, a client is one of
//! two:
//!
//! * **Still in its session.** It takes in what has waited in one step, and there is no event of the connection at all.
//! * **Silent for longer than the time-out.** There is `Disconnected`, and the reconnect policy follows it with
//!   `Reconnecting` and `Connected`, to a fresh session and a clean world. The reason is `TimedOut`; or `PeerLeft` or
//!   `TransportClosed`, where what the server said when it gave up has waited and is read first.

mod candidates;
mod fetch;
mod link;
mod peer;
mod queue;
mod set_up;
pub(crate) mod socket;
mod ticker;

pub use ticker::Ticker;

// Where this is compiled to be looked at, nothing else uses it.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub use socket::{ClientSocket, ClientStatistics};
