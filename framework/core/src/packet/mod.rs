//! The datagrams that travel, byte by byte.
//!
//! The first byte tells what follows. All of them lie in 192..=255, which leaves STUN (0–3) and DTLS (20–63) their
//! ranges on a port that is shared (RFC 7983), and what a client sends has other first bytes than what a server
//! sends, so that nothing can be reflected to its sender.

#[cfg(feature = "zstd")]
mod compressed;
mod data;
mod handshake;

#[cfg(feature = "zstd")]
pub(crate) use compressed::{CompressedPacket, body, is_compressed, replace_body};
pub(crate) use data::{DataHeader, EntryHead, Numbering, Previous, channel_bits, header_bytes};
pub(crate) use handshake::{
    Accepted, Attempt, Auth, AuthPiece, Challenge, Cookie, FromClient, FromServer, Goodbye, Hello, PathProbe,
    Refused,
};

use crate::Security;

/// Whether a packet with this first byte is for a connection to read: data, compressed or not.
const fn is_data(first: u8) -> bool {
    #[cfg(feature = "zstd")]
    if is_compressed(first) {
        return true;
    }
    first & data::DATA_MASK == data::DATA
}

/// Which end of a connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end that called `connect`.
    Client,
    /// The end that listens.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The number by which the receiver of packets knows a session. It is chosen by that receiver at random, and the
/// other end writes it into every packet.
///
/// On a transport that keeps packets secret it only tells a session from the one before it at the same address:
/// 16 bits do. On any other it is what an off-path attacker does not know: 64 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionToken(u64);

impl SessionToken {
    pub(crate) const fn new(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    /// How many bits of it travel.
    pub(crate) const fn wire_bits(security: Security) -> u32 {
        if security.secret { 16 } else { 64 }
    }

    /// Whether what a packet carries is this token.
    pub(crate) fn matches(self, carried: u64, security: Security) -> bool {
        // The comparison must not tell by its time how much of a guess was right.
        bool::from(subtle::ConstantTimeEq::ct_eq(&(self.0 & Self::mask(security)), &carried))
    }

    const fn mask(security: Security) -> u64 {
        u64::MAX >> (64 - Self::wire_bits(security))
    }
}

/// Fills in the token of a packet that is whole: the bytes after the first.
///
/// On a path without integrity the token is mixed with a hash of everything else (XXH3), so that a packet that was
/// changed on the way carries a token that nobody has. That is a checksum, and it keeps those out who do not know
/// the token; who sees packets can compute it, as with any plaintext protocol.
pub(crate) fn seal(packet: &mut [u8], token: SessionToken, security: Security) {
    let bits = (token.to_bits() & SessionToken::mask(security)) ^ checksum(packet, security);
    let field = packet.get_mut(1..1 + SessionToken::wire_bits(security) as usize / 8);
    for (byte, value) in field.into_iter().flatten().zip(bits.to_le_bytes()) {
        *byte = value;
    }
}

/// The token that a sealed packet carries; `None` where it is too short for one.
pub(crate) fn sealed_token(packet: &[u8], security: Security) -> Option<u64> {
    let mut bytes = [0; 8];
    let field = packet.get(1..1 + SessionToken::wire_bits(security) as usize / 8)?;
    bytes.iter_mut().zip(field).for_each(|(byte, carried)| *byte = *carried);
    Some(u64::from_le_bytes(bytes) ^ checksum(packet, security))
}

fn checksum(packet: &[u8], security: Security) -> u64 {
    match packet {
        [first, _, _, _, _, _, _, _, _, rest @ ..] if !security.secret => {
            xxhash_rust::xxh3::xxh3_64_with_seed(rest, u64::from(*first))
        }
        _ => 0,
    }
}

/// A secret does not belong into a log.
impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(..)")
    }
}
