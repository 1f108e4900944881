use std::fmt;
use std::net::SocketAddr;

use bowline_core::transport::{AddressBytes, PackAddress};

/// A peer: on a server a client, on a client its server.
///
/// It is made when the data channel opens and stays the same while that lives, wherever the peer's packets come from.
/// No two peers of a socket have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddress {
    number: u64,
    remote: Option<SocketAddr>,
}

impl PeerAddress {
    /// What every client calls its server.
    pub const SERVER: Self = Self { number: 0, remote: None };

    #[cfg(not(target_family = "wasm"))]
    pub(crate) const fn of_peer(number: u64, remote: SocketAddr) -> Self {
        Self { number, remote: Some(remote) }
    }

    /// Tells peers of one socket apart: 1 for the first.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Where the peer was when its data channel opened: for a log, or a list of who may not come in. `None` on a
    /// client.
    #[must_use]
    pub const fn remote(self) -> Option<SocketAddr> {
        self.remote
    }
}

/// `203.0.113.7:50412`, or `server` on a client.
impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remote {
            Some(remote) => remote.fmt(f),
            None => f.write_str("server"),
        }
    }
}

impl PackAddress for PeerAddress {
    fn pack(&self, bytes: &mut AddressBytes) {
        self.number.pack(bytes);
        self.remote.pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self { number: u64::unpack(bytes)?, remote: Option::unpack(bytes)? })
    }
}
