//! What the behaviour tests share: a small protocol, and how to read what a simulated cluster saw.

use bowline::prelude::*;
use bowline::{DisconnectReason, RejectReason};
use bowline_sim::{Cluster, Conditions, Seen};

pub mod arena;
pub mod measure;
pub mod rig;
pub mod story;

/// The credentials of the test protocol.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    /// Who.
    pub name: String,
}

/// A numbered message of any size.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Numbered {
    /// Which.
    pub number: u32,
    /// What makes it large.
    pub body: Vec<u8>,
}

/// A message without memory of its own.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    /// From left to right.
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
}

/// Ordered and reliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Ordered;

/// Unordered and unreliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(unordered_unreliable, bidirectional)]
pub struct Unordered;

/// Sequenced and unreliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(sequenced_unreliable, bidirectional)]
pub struct Sequenced;

/// The test protocol.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Ordered, Unordered, Sequenced),
    messages(Numbered, Steer),
    derive(Clone, Debug, PartialEq)
)]
pub struct Game;

/// The same, with one field of one message changed.
pub mod outdated {
    use super::{Login, Ordered, Sequenced, Unordered};
    use bowline::prelude::*;

    /// Coarser than the current one.
    #[derive(Message, Clone, Copy, Debug, PartialEq)]
    pub struct Steer {
        /// From left to right.
        #[wire(range = -1.0..=1.0, step = 0.1)]
        pub turn: f32,
    }

    /// A protocol that a client was built with long ago.
    #[derive(Protocol, Clone, Copy, Debug)]
    #[protocol(
        tick_rate = 20,
        auth = Login,
        channels(Ordered, Unordered, Sequenced),
        messages(super::Numbered, Steer),
        derive(Clone, Debug, PartialEq)
    )]
    pub struct OldGame;
}

/// The credentials of client `index`.
#[must_use]
pub fn login(index: usize) -> Login {
    Login { name: format!("client {index}") }
}

/// A message with a number and a body of `len` bytes that belongs to it.
#[must_use]
pub fn numbered(number: u32, len: usize) -> Numbered {
    Numbered {
        number,
        body: (0..len).map(|at| (at as u32).wrapping_mul(31).wrapping_add(number) as u8).collect(),
    }
}

/// 100 ms, 25 ms of jitter, and so much loss.
#[must_use]
pub const fn lossy(loss: f64) -> Conditions {
    Conditions::new(100, 25, loss)
}

/// What the server saw, one word each.
#[must_use]
pub fn server_story(cluster: &Cluster<Game>) -> Vec<String> {
    let word = |seen: &Seen<Game>| match seen {
        Seen::AuthRequested(_) => "auth requested".into(),
        Seen::Connected(_) => "connected".into(),
        Seen::Message(_, message) => format!("{message:?}"),
        Seen::Disconnected(departure) => format!("disconnected: {}", departure.reason),
        Seen::Rejected(rejection) => format!("rejected: {}", rejection.reason),
        Seen::Input(_, tick, message) => format!("{message:?} at {tick}"),
        Seen::Entity(user, event) => format!("{event:?} by {user}"),
        Seen::AuthorityRequested(user, entity) => format!("{user} asks for {entity}"),
        Seen::Unencodable(failure) => failure.to_string(),
        Seen::Tick(_) => "tick".into(),
    };
    cluster.server_seen().iter().map(|(_, seen)| word(seen)).collect()
}

/// What a client saw, one word each.
#[must_use]
pub fn client_story(cluster: &Cluster<Game>, client: usize) -> Vec<String> {
    let word = |event: &ClientEvent<Game>| match event {
        ClientEvent::Connected => "connected".into(),
        ClientEvent::Message(message) => format!("{message:?}"),
        ClientEvent::Rejected(reason) => format!("rejected: {reason}"),
        ClientEvent::Disconnected(reason) => format!("disconnected: {reason}"),
        ClientEvent::Reconnecting { .. } => "reconnecting".into(),
        _ => "something new".into(),
    };
    cluster.client_seen(client).iter().map(|(_, event)| word(event)).collect()
}

/// Why a client was last disconnected, if it was.
#[must_use]
pub fn last_end(cluster: &Cluster<Game>, client: usize) -> Option<DisconnectReason> {
    cluster.client_seen(client).iter().rev().find_map(|(_, event)| match event {
        ClientEvent::Disconnected(reason) => Some(reason.clone()),
        ClientEvent::Rejected(reason) => Some(DisconnectReason::Rejected(reason.clone())),
        _ => None,
    })
}

/// Why the server last let a user go, if it did.
#[must_use]
pub fn last_departure(cluster: &Cluster<Game>) -> Option<DisconnectReason> {
    cluster.server_seen().iter().rev().find_map(|(_, seen)| match seen {
        Seen::Disconnected(departure) => Some(departure.reason.clone()),
        _ => None,
    })
}

/// Why the server last turned a client away by itself, if it did.
#[must_use]
pub fn last_rejection(cluster: &Cluster<Game>) -> Option<RejectReason> {
    cluster.server_seen().iter().rev().find_map(|(_, seen)| match seen {
        Seen::Rejected(rejection) => Some(rejection.reason.clone()),
        _ => None,
    })
}

/// How often nodes look at their sockets, drawn from a seed: at once, or as game loops do.
#[must_use]
pub const fn frame(seed: u64) -> Option<std::time::Duration> {
    match seed % 4 {
        0 => None,
        1 => Some(std::time::Duration::from_millis(16)),
        2 => Some(std::time::Duration::from_millis(50)),
        _ => Some(std::time::Duration::from_millis(300)),
    }
}
