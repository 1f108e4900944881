use std::hash::Hasher;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::packet::{Attempt, Cookie};
use crate::transport::Address;
use crate::{Entropy, Instant};

/// For how long a cookie is good. A client answers within one round-trip time; repeated questions take a little more.
const LIFETIME: Duration = Duration::from_secs(10);

/// Makes cookies and knows its own again: HMAC-SHA-256 (RFC 2104), cut to 128 bits, over the address, the attempt and
/// the time. With it a server can forget a caller until the cookie comes back (RFC 6013 tells the idea's history).
pub(super) struct CookieJar {
    key: [u8; 32],
}

impl CookieJar {
    pub(super) fn new(entropy: &mut impl Entropy) -> Self {
        let mut key = [0; 32];
        entropy.fill(&mut key);
        Self { key }
    }

    pub(super) fn make<A: Address>(&self, now: Instant, address: A, attempt: Attempt) -> Cookie {
        let made_at = now.as_nanos();
        Cookie { made_at, mac: self.mac(made_at, address, attempt) }
    }

    /// Whether this jar made the cookie for this address and attempt, and not too long ago; gives its age.
    pub(super) fn check<A: Address>(
        &self,
        now: Instant,
        address: A,
        attempt: Attempt,
        cookie: &Cookie,
    ) -> Option<Duration> {
        let mac = self.mac(cookie.made_at, address, attempt);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&mac[..], &cookie.mac[..])) {
            return None;
        }
        let age = now - Instant::from_nanos(cookie.made_at);
        (age <= LIFETIME).then_some(age)
    }

    fn mac<A: Address>(&self, made_at: u64, address: A, attempt: Attempt) -> [u8; 16] {
        let mut mac = Hmac::<Sha256>::new(&self.key_block().into());
        mac.update(&made_at.to_le_bytes());
        mac.update(&attempt.client_token.to_bits().to_le_bytes());
        mac.update(&attempt.nonce.to_le_bytes());
        address.hash(&mut IntoMac(&mut mac));
        let whole = mac.finalize().into_bytes();
        let mut cut = [0; 16];
        cut.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        cut
    }

    /// The key as HMAC takes it: filled up to a block with zeros.
    fn key_block(&self) -> [u8; 64] {
        let mut block = [0; 64];
        block.iter_mut().zip(self.key).for_each(|(to, from)| *to = from);
        block
    }
}

impl std::fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieJar(..)")
    }
}

/// Feeds whatever an address hashes into the MAC. The bytes need to be the same within one process only.
struct IntoMac<'a>(&'a mut Hmac<Sha256>);

impl Hasher for IntoMac<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;
    use crate::packet::SessionToken;

    #[test]
    fn a_cookie_is_good_for_its_address_its_attempt_and_its_time() {
        let jar = CookieJar::new(&mut SeededEntropy::new(1));
        let attempt = Attempt { client_token: SessionToken::new(3), nonce: 4 };
        let now = Instant::ZERO + Duration::from_secs(100);
        let cookie = jar.make(now, 7_u8, attempt);
        assert_eq!(
            jar.check(now + Duration::from_millis(80), 7_u8, attempt, &cookie),
            Some(Duration::from_millis(80))
        );
        assert_eq!(jar.check(now, 8_u8, attempt, &cookie), None, "another address");
        assert_eq!(jar.check(now, 7_u8, Attempt { nonce: 5, ..attempt }, &cookie), None, "another attempt");
        assert_eq!(jar.check(now + Duration::from_secs(11), 7_u8, attempt, &cookie), None, "too late");
        assert_eq!(jar.check(now, 7_u8, attempt, &Cookie { made_at: cookie.made_at + 1, ..cookie }), None);
        let other = CookieJar::new(&mut SeededEntropy::new(2));
        assert_eq!(other.check(now, 7_u8, attempt, &cookie), None, "another server");
    }
}
