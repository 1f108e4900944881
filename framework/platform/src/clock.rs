use bowline_core::{Clock, Entropy, Instant};

use crate::OsEntropy;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::time::Instant as SystemInstant;
/// `performance.now()`.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use web_time::Instant as SystemInstant;

/// The machine's monotonic clock, which starts when it is made; and, so that one value is a whole
/// [`Host`](bowline_core::Host), its randomness ([`OsEntropy`]).
///
/// Clones show the same time. What a clock does while a laptop sleeps is the system's choice: it goes on, or
/// it stands still.
///
/// ```
/// use bowline_core::Clock;
/// use bowline_platform::SystemClock;
///
/// let clock = SystemClock::new();
/// let same = clock.clone();
/// assert!(clock.now() <= same.now());
/// ```
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: SystemInstant,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: SystemInstant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }
}

impl Entropy for SystemClock {
    fn fill(&mut self, bytes: &mut [u8]) {
        OsEntropy.fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clock_starts_at_nothing_and_goes() {
        let clock = SystemClock::new();
        let start = clock.now();
        assert!(start - Instant::ZERO < Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(20));
        assert!(clock.now() - start >= Duration::from_millis(20));
    }

    #[test]
    fn clones_show_the_same_time() {
        let clock = SystemClock::new();
        std::thread::sleep(Duration::from_millis(20));
        let clone = clock.clone();
        assert!(clone.now() - Instant::ZERO >= Duration::from_millis(20));
    }

    #[test]
    fn it_is_a_host() {
        fn needs<H: bowline_core::Host + Clone + Default + Send>(mut host: H) -> u64 {
            host.next_u64()
        }
        assert_ne!(needs(SystemClock::new()), needs(SystemClock::default()));
    }
}
