use std::fmt;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::{Clock, Instant};

/// Where random bytes come from.
///
/// Callers draw from it for two purposes: secrets (cookie keys, session tokens) and spreading (retry jitter).
///
/// Implementors for production MUST give bytes that nobody can predict (`bowline_platform::OsEntropy`); those for
/// tests MUST give the same bytes for the same seed ([`SeededEntropy`]).
///
/// ```
/// use bowline_core::{Entropy, SeededEntropy};
///
/// let (mut a, mut b) = (SeededEntropy::new(7), SeededEntropy::new(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// ```
pub trait Entropy {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);

    /// Eight random bytes as a number.
    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number from 0 up to but not including 1, evenly spread.
    fn next_unit(&mut self) -> f64 {
        // The 53 bits that an f64 holds.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// Random bytes from a seed, the same on every machine: `ChaCha12`. For simulations and tests; and, from a seed of 32 bytes
/// that the machine drew, as unpredictable as those.
pub struct SeededEntropy(ChaCha12Rng);

impl SeededEntropy {
    /// The bytes that belong to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// The bytes that belong to a seed of full length.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy")
    }
}

/// The machine that a session runs on: a clock and a source of randomness in one value.
///
/// Any pair `(clock, entropy)` is one. `bowline_platform::SystemClock` is the one of a real machine.
pub trait Host: Clock + Entropy {}

impl<H: Clock + Entropy> Host for H {}

impl<C: Clock, E> Clock for (C, E) {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl<C, E: Entropy> Entropy for (C, E) {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.1.fill(bytes);
    }
}
