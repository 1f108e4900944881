//! A whole network in one thread, in virtual time, from one seed.
//!
//! One server and any number of clients run the very code that they run in production, over a [`Network`] whose
//! losses, delays and accidents all follow from a seed: the same seed gives the same datagrams at the same moments on
//! every machine, and [`Cluster::trace_hash`] proves it. A minute of play takes milliseconds, because time jumps
//! from event to event.
//!
//! * [`Cluster`] is the whole: a server, its clients, the network, and what everybody saw.
//! * [`Pair`] is the smallest one: a server and one client.
//! * [`Fault`] is something that goes wrong; a [`Plan`] is a list of them with their times, made from a seed or by hand.
//! * [`check_seeds`] runs a test over many seeds, prints the seed of a failure, and shrinks its plan.
//!
//! ```
//! use std::time::Duration;
//! use bowline::prelude::*;
//! use bowline_sim::{Conditions, Pair};
//!
//! #[derive(Message, Debug, PartialEq)]
//! struct Ping(u32);
//! #[derive(Channel)]
//! #[channel(ordered_reliable, bidirectional)]
//! struct Talk;
//! #[derive(Protocol)]
//! #[protocol(tick_rate = 20, channels(Talk), messages(Ping))]
//! struct Game;
//!
//! let mut pair = Pair::<Game>::connected(7, Conditions::new(100, 25, 0.05), ());
//! pair.client_mut().connected().unwrap().send::<Talk>(Ping(1)).unwrap();
//! pair.run_for(Duration::from_secs(1));
//! assert!(matches!(pair.server_messages()[..], [GameMessage::Ping(Ping(1))]));
//! ```

mod cluster;
mod host;
mod network;
mod pair;
mod plan;
mod seeds;
mod socket;

pub use cluster::{Cluster, ClusterConfig, Door, Seen};
pub use host::SimHost;
pub use network::{Conditions, Network, NetworkStats};
pub use pair::Pair;
pub use plan::{Fault, Plan, PlannedFault};
pub use seeds::{Failure, check_seeds};
pub use socket::{SimAddress, SimSocket};
