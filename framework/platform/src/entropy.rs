use bowline_core::Entropy;

/// Random bytes of the operating system or, in a browser, of `crypto.getRandomValues()`: nobody can predict
/// them.
///
/// ```
/// use bowline_core::Entropy;
/// use bowline_platform::OsEntropy;
///
/// assert_ne!(OsEntropy.next_u64(), OsEntropy.next_u64());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    /// If the system has no randomness to give. Every system that Bowline runs on has some from boot on, so
    /// this is a broken machine, or a sandbox that forbids the system call. To go on would be to make session
    /// tokens and cookie keys that can be guessed, and no peer can bring it about.
    #[expect(
        clippy::expect_used,
        reason = "there is no safe way to go on without randomness, and no peer's doing"
    )]
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes)
            .expect("the operating system gives no random bytes; is the system call forbidden?");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_are_filled_and_differ() {
        let mut bytes = [0; 4_096];
        OsEntropy.fill(&mut bytes);
        let distinct: std::collections::BTreeSet<_> = bytes.iter().collect();
        // 4,096 draws of 256 values miss one with a probability of 3 in 100,000; missing 10 does not happen.
        assert!(distinct.len() > 246, "{}", distinct.len());
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        assert!(zeros < 60, "{zeros} of 4,096 bytes are zero");
        OsEntropy.fill(&mut []);
    }
}
