//! Which session a datagram belongs to.

use crate::Security;
use crate::packet::{FromClient, sealed_token};
use crate::transport::Address;

/// How a server finds the session of a datagram: by the token it carries where the path proves nothing, so that a
/// client may move; by address and token where it proves both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionKey<A> {
    /// By token alone.
    Token(u64),
    /// By address, and the part of the token that travels.
    Address(A, u64),
}

impl<A: Address> SessionKey<A> {
    /// The key of a session whose packets from the client carry `token`.
    #[must_use]
    pub fn of(token: u64, address: A, security: Security) -> Self {
        if security.secret { Self::Address(address, token & 0xffff) } else { Self::Token(token) }
    }
}

/// What a datagram is to a server, before any session has looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demux<A> {
    /// A data packet of the session with this key, if there is one.
    Data(SessionKey<A>),
    /// A goodbye of the session with this key, if there is one.
    Goodbye(SessionKey<A>),
    /// An answer to a path challenge of the session with this key, if there is one.
    PathResponse(SessionKey<A>, u64),
    /// For the doorway.
    Handshake,
}

impl<A: Address> Demux<A> {
    /// Looks at a datagram that came from `from`.
    #[must_use]
    pub fn of(bytes: &[u8], from: A, security: Security) -> Self {
        let sealed = || sealed_token(bytes, security).map(|token| SessionKey::of(token, from, security));
        match FromClient::decode(bytes, security) {
            Ok(FromClient::Data) => sealed().map_or(Self::Handshake, Self::Data),
            Ok(FromClient::Goodbye(_)) => sealed().map_or(Self::Handshake, Self::Goodbye),
            Ok(FromClient::PathResponse(probe)) => {
                Self::PathResponse(SessionKey::of(probe.token.to_bits(), from, security), probe.data)
            }
            _ => Self::Handshake,
        }
    }
}
