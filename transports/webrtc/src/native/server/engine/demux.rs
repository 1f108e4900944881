//! Whose a datagram is, on a port that all share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use str0m::ice::StunMessage;

/// What the first byte of a datagram says (RFC 7983 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connectivity check: it names its peer.
    Stun,
    /// What is encrypted: its peer is known by where it comes from.
    Dtls,
    /// Bowline's own, of a client that speaks plain UDP.
    Plain,
    /// Nothing that belongs here.
    Unknown,
}

impl Kind {
    pub(crate) fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(20..=63) => Self::Dtls,
            Some(192..=255) => Self::Plain,
            _ => Self::Unknown,
        }
    }
}

/// The user fragment of a peer: where it is kept, and what nobody can guess.
///
/// A connectivity check carries the fragment in the clear, and is looked up without a table: the first eight characters are the
/// slot. The rest makes that nobody finds the peers of others by counting.
pub(crate) fn user_fragment(slot: u32, secret: u64) -> String {
    format!("{slot:08x}{secret:016x}")
}

/// The slot that a connectivity check is meant for, if it is one of ours. Whether it is that peer's the engine says, which
/// checks its integrity.
pub(crate) fn slot_of_check(datagram: &[u8]) -> Option<u32> {
    let message = StunMessage::parse(datagram).ok()?;
    let (ours, _theirs) = message.split_username()?;
    u32::from_str_radix(ours.get(..8)?, 16).ok()
}

/// Where peers send from: what of them is encrypted says nothing else.
#[derive(Default)]
pub(crate) struct Paths {
    slots: HashMap<SocketAddr, u32>,
}

/// A path of one peer, that a valid check has come by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) address: SocketAddr,
    /// When the last datagram came by it.
    pub(crate) heard: Option<Instant>,
}

/// A peer that moves from one network to another has two addresses for a while; more than a few are nobody's need.
pub(crate) const MAX_PATHS: usize = 4;

impl Paths {
    pub(crate) fn slot(&self, from: SocketAddr) -> Option<u32> {
        self.slots.get(&from).copied()
    }

    /// A valid check of the peer in `slot` came from here: what comes from here is this peer's from now on.
    pub(crate) fn learn(&mut self, from: SocketAddr, slot: u32, known: &mut Vec<Path>) {
        self.slots.insert(from, slot);
        if known.iter().any(|path| path.address == from) {
            return;
        }
        if known.len() >= MAX_PATHS {
            let stalest = (0..known.len()).min_by_key(|index| known.get(*index).map(|path| path.heard));
            let stalest = known.remove(stalest.unwrap_or(0));
            self.forget(stalest.address, slot);
        }
        known.push(Path { address: from, heard: None });
    }

    /// The peer has gone; another may have the address by now.
    pub(crate) fn forget(&mut self, path: SocketAddr, slot: u32) {
        if self.slots.get(&path) == Some(&slot) {
            self.slots.remove(&path);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_first_byte_says_what_it_is() {
        let kinds = [0, 3, 4, 19, 20, 63, 64, 128, 191, 192, 255].map(|first| Kind::of(&[first, 1]));
        use Kind::{Dtls, Plain, Stun, Unknown};
        assert_eq!(
            kinds,
            [Stun, Stun, Unknown, Unknown, Dtls, Dtls, Unknown, Unknown, Unknown, Plain, Plain]
        );
        assert_eq!(Kind::of(&[]), Unknown);
    }

    #[test]
    fn a_user_fragment_is_one_by_the_letter_of_the_rfc() {
        // RFC 8839 section 5.4: 4 to 256 of ALPHA, DIGIT, "+" and "/".
        let fragment = user_fragment(u32::MAX, u64::MAX);
        assert!((4..=256).contains(&fragment.len()));
        assert!(fragment.chars().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(u32::from_str_radix(&fragment[..8], 16), Ok(u32::MAX));
    }

    #[test]
    fn a_peer_has_few_paths_and_the_last_to_prove_one_has_it() {
        let mut paths = Paths::default();
        let (mut anna, mut ben) = (Vec::new(), Vec::new());
        let at = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        let start = Instant::now();
        for port in 1..=6 {
            paths.learn(at(port), 7, &mut anna);
            paths.learn(at(port), 7, &mut anna);
            // The longer ago, the higher the port: the first is the freshest.
            anna.last_mut().unwrap().heard = Some(start - Duration::from_secs(port.into()));
        }
        assert_eq!((paths.len(), anna.len()), (MAX_PATHS, MAX_PATHS));
        assert_eq!((paths.slot(at(1)), paths.slot(at(5))), (Some(7), None), "the stalest goes");
        paths.learn(at(6), 8, &mut ben);
        paths.forget(at(6), 7);
        assert_eq!(paths.slot(at(6)), Some(8), "it is another's by now");
    }
}
