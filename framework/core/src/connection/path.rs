use std::time::Duration;

use bowline_wire::BitWriter;

use crate::packet::{FromServer, PathProbe, SessionToken};
use crate::transport::Address;
use crate::{Entropy, Instant, Security};

/// Where a peer is, and where it may have moved to.
///
/// A packet of a session that comes from another address than before may mean that a router gave the client a new
/// port, or that the client went from Wi-Fi to mobile. The new address is asked to repeat a random number, and
/// believed when it does; until then everything goes to the old one (RFC 9000 section 9).
/// So a copied packet with a forged sender can move nobody's traffic.
#[derive(Debug)]
pub struct Path<A> {
    current: A,
    candidate: Option<Candidate<A>>,
}

#[derive(Debug)]
struct Candidate<A> {
    address: A,
    data: u64,
    asked: u32,
    ask_at: Instant,
    /// Bytes that came from there and that no question has been spent on: an address that is not proved gets no more
    /// than it sent.
    credit: usize,
}

/// Bytes of a question: its kind, a token, a random number, a checksum.
const QUESTION: usize = 1 + 8 + 8 + 4;

/// What a datagram's sender means for the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathChange<A> {
    /// It came from where the peer is.
    Known,
    /// It came from somewhere else, which is being asked.
    Asked,
    /// The peer has moved from here.
    Moved(A),
}

impl<A: Address> Path<A> {
    /// How often a new address is asked; after that a further packet from it starts over.
    const QUESTIONS: u32 = 5;
    const INTERVAL: Duration = Duration::from_millis(200);

    /// A peer at an address.
    pub const fn new(address: A) -> Self {
        Self { current: address, candidate: None }
    }

    /// Where the peer is.
    pub const fn address(&self) -> A {
        self.current
    }

    /// Whether a new address is being asked.
    pub const fn is_asking(&self) -> bool {
        self.candidate.is_some()
    }

    /// Notes that a packet of the session, of so many bytes, came from `from`. Only the newest packet so far says where
    /// the peer is (RFC 9000 section 9.3).
    pub fn heard_from(
        &mut self,
        now: Instant,
        from: A,
        bytes: usize,
        entropy: &mut impl Entropy,
    ) -> PathChange<A> {
        if from == self.current {
            return PathChange::Known;
        }
        let is_new = self
            .candidate
            .as_ref()
            .is_none_or(|candidate| candidate.address != from || candidate.asked >= Self::QUESTIONS);
        if is_new {
            self.candidate =
                Some(Candidate { address: from, data: entropy.next_u64(), asked: 0, ask_at: now, credit: 0 });
        }
        if let Some(candidate) = &mut self.candidate {
            candidate.credit = candidate.credit.saturating_add(bytes);
        }
        PathChange::Asked
    }

    /// Notes an answer that came from `from`.
    pub fn answered(&mut self, from: A, data: u64) -> PathChange<A> {
        match self.candidate.take_if(|candidate| candidate.address == from && candidate.data == data) {
            Some(_) => {
                let old = std::mem::replace(&mut self.current, from);
                PathChange::Moved(old)
            }
            None => PathChange::Known,
        }
    }

    /// The next question; where to it goes, if `datagram` holds one.
    pub(crate) fn poll_transmit(
        &mut self,
        now: Instant,
        peer_token: SessionToken,
        security: Security,
        datagram: &mut Vec<u8>,
    ) -> Option<A> {
        let may_ask =
            |c: &&mut Candidate<A>| c.asked < Self::QUESTIONS && now >= c.ask_at && c.credit >= QUESTION;
        let candidate = self.candidate.as_mut().filter(may_ask)?;
        candidate.asked += 1;
        candidate.credit -= QUESTION;
        candidate.ask_at = now + Self::INTERVAL;
        datagram.clear();
        let mut writer = BitWriter::append_to(std::mem::take(datagram));
        let probe = PathProbe { token: peer_token, data: candidate.data };
        FromServer::PathChallenge(probe).encode(security, &mut writer);
        *datagram = writer.into_bytes();
        Some(candidate.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    const HOME: u8 = 1;
    const AWAY: u8 = 2;

    #[test]
    fn a_new_address_gets_no_more_than_it_sent() {
        let mut path = Path::new(HOME);
        let (mut entropy, mut datagram) = (SeededEntropy::new(1), Vec::new());
        let (mut heard, mut said) = (0, 0);
        for turn in 0..100_u64 {
            let now = Instant::ZERO + Duration::from_secs(turn);
            // The smallest packet of a session.
            path.heard_from(now, AWAY, 16, &mut entropy);
            heard += 16;
            while path.poll_transmit(now, SessionToken::new(7), Security::NONE, &mut datagram).is_some() {
                assert_eq!(datagram.len(), QUESTION);
                said += datagram.len();
            }
            assert!(said <= heard, "{said} bytes for {heard}");
        }
        assert!(said > 0, "but it is asked");
        assert_eq!(path.address(), HOME);
    }

    #[test]
    fn who_answers_from_the_new_address_has_moved() {
        let mut path = Path::new(HOME);
        let mut datagram = Vec::new();
        path.heard_from(Instant::ZERO, AWAY, 100, &mut SeededEntropy::new(1));
        let asked = path.poll_transmit(Instant::ZERO, SessionToken::new(7), Security::NONE, &mut datagram);
        assert_eq!(asked, Some(AWAY));
        let Ok(FromServer::PathChallenge(probe)) = FromServer::decode(&datagram, Security::NONE) else {
            panic!("a question");
        };
        assert_eq!(path.answered(AWAY, probe.data + 1), PathChange::Known, "a guess");
        assert_eq!(path.answered(3, probe.data), PathChange::Known, "from elsewhere");
        assert_eq!(path.answered(AWAY, probe.data), PathChange::Moved(HOME));
        assert_eq!(path.address(), AWAY);
    }
}
