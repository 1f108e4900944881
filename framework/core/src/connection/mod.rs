//! The connection: a state machine without input and output of its own.

mod config;
mod connected;
mod disconnected;
mod path;
mod pending;
mod reason;
mod stats;
mod transition;

pub use config::ConnectionConfig;
pub(crate) use connected::Origin;
pub use connected::{
    Connected, Freight, Incoming, Intake, MessageEncoder, Received, SendError, SendErrorKind, Unsent,
    decode_received, encode_auth, encode_error,
};
pub use disconnected::{Disconnected, Parting};
pub use path::{Path, PathChange};
pub use pending::{ConnectError, PendingAuth, Step};
pub(crate) use reason::Farewell;
pub use reason::{AppText, DisconnectReason, RejectReason};
pub(crate) use stats::{ChannelCounters, Flow};
pub use stats::{ChannelStats, CompressionState, ConnectionStats};
pub use transition::{Input, Transition, transition};

use crate::protocol::{ChannelSpec, Description, Protocol, ProtocolId, ProtocolSchema};

/// A connection in one of its states: [`Disconnected`], [`PendingAuth`] or [`Connected`].
///
/// The type is the state. What makes no sense in a state is not a method of it; a method that ends a state takes the
/// connection and gives it back in another.
///
/// * **Look:** `phase`, `stats`, `next_deadline`.
/// * **Feed:** `handle_datagram`, then `handle_timeout`.
/// * **Act:** `connect`, `send`, `disconnect`.
/// * **Drain:** `next_message`, then `poll_transmit` until it has nothing more.
///
/// One law: after a feed or an act, drain. A server holds the connected state only; the two before it are its
/// doorway's.
#[derive(Debug)]
pub struct Connection<S> {
    pub(crate) state: S,
}

/// The phase of a connection, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not connected, and not trying to be.
    Disconnected,
    /// `connect` was called; the server has not decided.
    PendingAuth,
    /// Messages can travel.
    Connected,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Disconnected => "Disconnected",
            Self::PendingAuth => "PendingAuth",
            Self::Connected => "Connected",
        })
    }
}

// A connection moves between threads, is cheap to move, and is one: nobody copies a session.
static_assertions::assert_impl_all!(Connection<Disconnected>: Send, Sync);
static_assertions::assert_impl_all!(Connection<PendingAuth>: Send, Sync);
static_assertions::assert_impl_all!(Connection<Connected>: Send, Sync);
static_assertions::assert_not_impl_any!(Connection<Connected>: Clone, Default);
static_assertions::assert_eq_size!(Connection<Disconnected>, usize);
static_assertions::assert_eq_size!(Connection<PendingAuth>, usize);
static_assertions::assert_eq_size!(Connection<Connected>, usize);
static_assertions::assert_impl_all!(ConnectionStats: Copy, Send, Sync);

mod sealed {
    pub trait Sealed {}
}

/// The states of a [`Connection`]. Nobody can add one.
pub trait State: sealed::Sealed {
    /// The state as a value.
    const PHASE: Phase;
}

macro_rules! states {
    ($($state:ident),*) => {$(
        impl sealed::Sealed for $state {}
        impl State for $state {
            const PHASE: Phase = Phase::$state;
        }
    )*};
}

states!(Disconnected, PendingAuth, Connected);

impl<S: State> Connection<S> {
    /// The phase it is in.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        S::PHASE
    }
}

/// What a connection must know of a protocol; the types stay outside.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolSpec {
    schema: &'static ProtocolSchema,
    id: ProtocolId,
}

impl ProtocolSpec {
    /// That of a protocol.
    #[must_use]
    pub const fn of<P: Protocol>() -> Self {
        Self { schema: &P::SCHEMA, id: P::ID }
    }

    /// The protocol's identity.
    #[must_use]
    pub const fn id(&self) -> ProtocolId {
        self.id
    }

    /// Its channels.
    #[must_use]
    pub const fn channels(&self) -> &'static [ChannelSpec] {
        self.schema.channels
    }

    /// Whether requests are part of it.
    #[must_use]
    pub const fn has_requests(&self) -> bool {
        !self.schema.requests.is_empty()
    }

    /// How long a tick is.
    #[must_use]
    pub fn tick_interval(&self) -> std::time::Duration {
        std::time::Duration::from_secs(1) / u32::from(self.schema.tick_rate.max(1))
    }

    /// The protocol in words.
    #[must_use]
    pub fn describe(&self) -> Description {
        Description::of_schema(self.schema)
    }
}
