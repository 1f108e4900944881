//! How many offers an address may make: a bucket for each, that fills again with time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// The buckets that are not full. One that is full again is forgotten, so an address costs memory only while it is busy.
pub(crate) struct Rates {
    at_once: f64,
    per_second: f64,
    buckets: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    since: Instant,
}

/// More busy addresses than this, and all others wait.
const MAX_BUCKETS: usize = 16_384;

impl Rates {
    pub(crate) fn new((at_once, per_second): (u32, u32)) -> Self {
        Self { at_once: at_once.into(), per_second: per_second.into(), buckets: HashMap::new() }
    }

    /// Whether this address may make another offer now; if so, it has made it.
    pub(crate) fn take(&mut self, address: IpAddr, now: Instant) -> bool {
        let whole = self.at_once;
        let per_second = self.per_second;
        let filled = |bucket: Bucket| {
            let passed = now.saturating_duration_since(bucket.since).as_secs_f64();
            (bucket.left + passed * per_second).min(whole)
        };
        if self.buckets.len() >= MAX_BUCKETS {
            self.buckets.retain(|_, bucket| filled(*bucket) < whole);
        }
        let key = household(address);
        let left = self.buckets.get(&key).map_or(whole, |bucket| filled(*bucket));
        if left < 1.0 || (self.buckets.len() >= MAX_BUCKETS && !self.buckets.contains_key(&key)) {
            return false;
        }
        self.buckets.insert(key, Bucket { left: left - 1.0, since: now });
        true
    }
}

/// Who has one address of an IPv6 network of 64 bits has all of them.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_address_has_a_burst_and_a_rate_and_others_are_not_touched() {
        let start = Instant::now();
        let mut rates = Rates::new((3, 2));
        let (anna, ben): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let taken: Vec<_> = (0..5).map(|_| rates.take(anna, start)).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert!(rates.take(ben, start));
        let later = start + Duration::from_millis(600);
        assert_eq!((rates.take(anna, later), rates.take(anna, later)), (true, false));
    }

    #[test]
    fn the_addresses_of_one_v6_network_share() {
        let mut rates = Rates::new((1, 1));
        let now = Instant::now();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(rates.take(address("2001:db8::1"), now));
        assert!(!rates.take(address("2001:db8::2"), now));
        assert!(rates.take(address("2001:db8:0:1::1"), now));
    }

    #[test]
    fn busy_addresses_are_bounded_and_idle_ones_forgotten() {
        let start = Instant::now();
        let mut rates = Rates::new((2, 1));
        for number in 0..2 * MAX_BUCKETS as u32 {
            rates.take(IpAddr::V4(number.into()), start);
        }
        assert_eq!(rates.buckets.len(), MAX_BUCKETS);
        let later = start + Duration::from_secs(2);
        assert!(rates.take(IpAddr::V4(u32::MAX.into()), later));
        assert_eq!(rates.buckets.len(), 1);
    }
}
