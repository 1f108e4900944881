use std::fmt;

use bowline::{Clock, Entropy, Host, Instant, SystemClock};

/// The clock and the randomness of a server or a client: those of the machine, unless the plugin was given others.
///
/// ```
/// use bowline::{ManualClock, SeededEntropy};
/// use bowline_bevy::AnyHost;
///
/// let clock = ManualClock::new();
/// let standing_still = AnyHost::new((clock.clone(), SeededEntropy::new(7)));
/// ```
pub struct AnyHost(Box<dyn Host + Send + Sync>);

impl AnyHost {
    /// Any host: a simulated one, say.
    pub fn new(host: impl Host + Send + Sync + 'static) -> Self {
        Self(Box::new(host))
    }
}

impl Default for AnyHost {
    fn default() -> Self {
        Self::new(SystemClock::default())
    }
}

impl Clock for AnyHost {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Entropy for AnyHost {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

impl fmt::Debug for AnyHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyHost")
    }
}
