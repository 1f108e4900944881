//! How datagrams come and go: the [`Transport`] trait, and transports around transports.

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::task::{Context, Poll};

use crate::Instant;

mod admission;
mod boxed;
mod conditioned;
pub mod conformance;
mod pair;

pub use admission::{Admission, Applicant};
pub use boxed::{AddressBytes, AnyAddress, BoxedClientTransport, BoxedError, BoxedTransport, PackAddress};
pub use conditioned::{
    Bandwidth, BurstLoss, Conditioned, Held, Lane, LaneStatistics, LinkConditionerConfig, LinkProfile,
    LinkStatistics, Load,
};
pub use pair::{Either, EitherError};

/// The largest datagram that a connection makes unless it is told otherwise, in bytes.
///
/// 1,200 bytes pass every path that IPv6 allows (RFC 8200 section 5: 1,280 bytes, less 40 of IPv6, 8 of UDP, and
/// room for a tunnel), which is also QUIC's reasoning (RFC 9000 section 14).
pub const DEFAULT_MAX_DATAGRAM: usize = 1_200;

/// Where datagrams come from and go to.
///
/// Implemented for every type that qualifies.
pub trait Address: Copy + Eq + Ord + Hash + Debug + Display + Send + Sync + 'static {}

impl<A: Copy + Eq + Ord + Hash + Debug + Display + Send + Sync + 'static> Address for A {}

/// A datagram that arrived. The bytes stay in the transport's memory.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a, A> {
    /// Who sent it, as far as the transport can tell.
    pub from: A,
    /// What was sent.
    pub bytes: &'a [u8],
}

/// What a transport vouches for, about one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// Whoever answers at this address has shown that datagrams sent to it arrive there. Where that is so, the
    /// handshake needs no cookie.
    pub address_proved: bool,
    /// Nobody on or off the path can read or forge datagrams. Where that is not so, every packet carries a
    /// session token.
    pub secret: bool,
}

impl Security {
    /// Plain datagrams: anybody may have written any of them.
    pub const NONE: Self = Self { address_proved: false, secret: false };
    /// Encrypted, or within one process.
    pub const FULL: Self = Self { address_proved: true, secret: true };
}

/// Non-blocking datagrams to and from addresses.
///
/// Datagrams may be lost, doubled and reordered; they are not cut, joined or changed.
///
/// **Callers** call [`receive`](Self::receive) until it gives `None`, [`send`](Self::send) as often as they like
/// and [`flush`](Self::flush) afterwards. They look at an error's [`kind`](TransportError::kind): after
/// [`TransportErrorKind::Closed`] the transport is of no more use, after any other it is as good as before. They MUST
/// NOT give a datagram larger than [`max_datagram_size`](Self::max_datagram_size).
///
/// **Implementors** MUST NOT block, MUST NOT panic whatever arrives, MUST bound what they hold, MUST NOT let the
/// trouble of one address become the trouble of another (an ICMP error is not the end of a socket), and MUST pass
/// the suite of [`transport_conformance!`](crate::transport_conformance).
pub trait Transport {
    /// What tells peers apart.
    type Address: Address;
    /// What can go wrong.
    type Error: TransportError;

    /// The next datagram that has arrived, or `None`.
    ///
    /// # Errors
    /// Call again unless the kind is [`TransportErrorKind::Closed`]: others may still have sent something.
    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, Self::Address>>, Self::Error>;

    /// Takes a datagram to send. It may wait for the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// The datagram is gone, as any datagram may be.
    fn send(&mut self, now: Instant, to: Self::Address, datagram: &[u8]) -> Result<(), Self::Error>;

    /// Sends what waits.
    ///
    /// # Errors
    /// Some of what waited is gone.
    fn flush(&mut self, now: Instant) -> Result<(), Self::Error>;

    /// The largest datagram that can be sent, in bytes. It does not change.
    fn max_datagram_size(&self) -> usize;

    /// What is known about an address. It does not change while a connection over that address lives.
    fn security(&self, address: Self::Address) -> Security;

    /// The name of the transport behind an address, for people: `"udp"`, `"webrtc"`.
    fn name(&self, address: Self::Address) -> &'static str;

    /// The connection with this address has ended: what is held for it can go.
    fn close(&mut self, address: Self::Address);

    /// When the transport wants to be called again though nothing arrives: a delayed datagram is due, a timer
    /// of its own runs out. `None` if never.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
}

/// A transport that leads to one server: what a client connects with.
pub trait ClientTransport: Transport {
    /// The address of the server. Datagrams from any other are not of its doing.
    fn server_address(&self) -> Self::Address;

    /// Whether datagrams can travel yet. A transport with a set-up of its own (WebRTC) says `false` until that is
    /// done; a connection attempt waits for it without using up its retries. If the set-up fails,
    /// [`receive`](Transport::receive) gives the error.
    fn is_open(&self) -> bool {
        true
    }

    /// A new session begins over this transport, after one that has ended: a set-up of its own begins anew. What
    /// still arrives of the old one is dropped. Nothing to do for a transport without a set-up.
    fn reopen(&mut self) {}

    /// Whether [`reopen`](Self::reopen) may help after [`TransportErrorKind::Closed`]. If not, no policy tries to
    /// reconnect.
    fn can_reopen(&self) -> bool {
        false
    }

    /// Why the transport has closed, or its last set-up has failed; `None` where neither is so, or it cannot tell.
    fn failure(&self) -> Option<&Self::Error> {
        None
    }
}

/// A transport that can wake a task when a datagram arrives, so that an idle program sleeps.
pub trait Readiness: Transport {
    /// Ready when [`receive`](Transport::receive) would probably give something (or an error). Spurious wake-ups are
    /// allowed, missed ones are not: the waker of `cx` is called when that changes.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// An error of a transport, that says what it means to its caller.
pub trait TransportError: std::error::Error + Send + Sync + 'static {
    /// What the caller can do about it.
    fn kind(&self) -> TransportErrorKind;
}

/// What an error of a transport means to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// Nobody answers at an address (ICMP unreachable, a closed data channel). Others are not affected.
    Unreachable,
    /// The datagram is larger than the path or the transport takes.
    TooLarge,
    /// There was no room just now: a full queue or socket buffer. The datagram is lost; later ones may not be.
    Busy,
    /// The operating system, or the other end of a set-up, said no; it may be worth trying again.
    Refused,
    /// The transport has ended. Nothing will come or go any more.
    Closed,
}

/// For transports that cannot fail.
impl TransportError for std::convert::Infallible {
    fn kind(&self) -> TransportErrorKind {
        match *self {}
    }
}

/// What a server or a client wants of a socket: `server.socket_config()`, `client.socket_config()`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketConfig {
    /// The largest datagram that will be sent, in bytes ([`DEFAULT_MAX_DATAGRAM`]).
    pub max_datagram_size: usize,
    /// The kernel's receive buffer to ask for, in bytes. The system may give less. 4 MiB: a second of 1,000 clients.
    pub receive_buffer_size: usize,
    /// The kernel's send buffer to ask for, in bytes. The system may give less. 4 MiB.
    pub send_buffer_size: usize,
    /// Lets a transport without encryption listen on an address that others can reach. Off: what players type
    /// and who they are would be readable on the way.
    pub allow_plaintext_on_public_address: bool,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            max_datagram_size: DEFAULT_MAX_DATAGRAM,
            receive_buffer_size: 4 << 20,
            send_buffer_size: 4 << 20,
            allow_plaintext_on_public_address: false,
        }
    }
}
