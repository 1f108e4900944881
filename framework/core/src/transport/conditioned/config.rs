use std::time::Duration;

/// What the conditioner does to the datagrams of a link, each way on its own: see [`Conditioned`].
///
/// Six presets stand for connections that players have; [`new`](Self::new) makes a link that is the same both
/// ways; the `with_` methods add what else happens on links; [`outgoing`](Self::outgoing) and
/// [`incoming`](Self::incoming) make the two ways differ.
///
/// Latency is **one way**: a link of 100 ms shows a round-trip time of 200 ms. If both ends are conditioned,
/// what they do adds up.
///
/// ```
/// use std::time::Duration;
/// use bowline_core::transport::{LinkConditionerConfig, LinkProfile};
///
/// let hotel = LinkConditionerConfig::poor_condition()
///     .with_duplication(0.01)
///     .outgoing(LinkProfile::new(250, 80, 0.05).with_bandwidth(32_000, Duration::from_millis(500)));
/// ```
///
/// [`Conditioned`]: crate::transport::Conditioned
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkConditionerConfig {
    outgoing: LinkProfile,
    incoming: LinkProfile,
}

impl LinkConditionerConfig {
    /// The same both ways: `latency_ms` one way, more or less `jitter_ms`, and `loss` as a **fraction**: 0.02
    /// loses two of a hundred.
    ///
    /// See [`LinkProfile`] for what happens to numbers that make no sense.
    #[must_use]
    pub const fn new(latency_ms: u32, jitter_ms: u32, loss: f64) -> Self {
        let profile = LinkProfile::new(latency_ms, jitter_ms, loss);
        Self { outgoing: profile, incoming: profile }
    }

    /// 1 ms: a local network.
    #[must_use]
    pub const fn perfect_condition() -> Self {
        Self::new(1, 0, 0.0)
    }

    /// 12 ms ± 3, 0.1 % lost: fibre, a server in the same city.
    #[must_use]
    pub const fn very_good_condition() -> Self {
        Self::new(12, 3, 0.001)
    }

    /// 40 ms ± 10, 0.2 % lost: cable, a server in the same country.
    #[must_use]
    pub const fn good_condition() -> Self {
        Self::new(40, 10, 0.002)
    }

    /// 100 ms ± 25, 2 % lost: Wi-Fi, a server on the same continent.
    #[must_use]
    pub const fn average_condition() -> Self {
        Self::new(100, 25, 0.02)
    }

    /// 200 ms ± 50, 4 % lost: mobile, or a server across an ocean.
    #[must_use]
    pub const fn poor_condition() -> Self {
        Self::new(200, 50, 0.04)
    }

    /// 300 ms ± 75, 6 % lost: a train, or a satellite.
    #[must_use]
    pub const fn very_poor_condition() -> Self {
        Self::new(300, 75, 0.06)
    }

    /// Replaces what happens to what we send.
    #[must_use]
    pub const fn outgoing(mut self, profile: LinkProfile) -> Self {
        self.outgoing = profile;
        self
    }

    /// Replaces what happens to what we receive.
    #[must_use]
    pub const fn incoming(mut self, profile: LinkProfile) -> Self {
        self.incoming = profile;
        self
    }

    /// [`LinkProfile::with_duplication`], both ways.
    #[must_use]
    pub const fn with_duplication(self, probability: f64) -> Self {
        Self {
            outgoing: self.outgoing.with_duplication(probability),
            incoming: self.incoming.with_duplication(probability),
        }
    }

    /// [`LinkProfile::with_reordering`], both ways.
    #[must_use]
    pub const fn with_reordering(self, probability: f64, delay: Duration) -> Self {
        Self {
            outgoing: self.outgoing.with_reordering(probability, delay),
            incoming: self.incoming.with_reordering(probability, delay),
        }
    }

    /// [`LinkProfile::with_burst_loss`], both ways.
    #[must_use]
    pub const fn with_burst_loss(self, bursts: BurstLoss) -> Self {
        Self {
            outgoing: self.outgoing.with_burst_loss(bursts),
            incoming: self.incoming.with_burst_loss(bursts),
        }
    }

    /// [`LinkProfile::with_corruption`], both ways.
    #[must_use]
    pub const fn with_corruption(self, probability: f64) -> Self {
        Self {
            outgoing: self.outgoing.with_corruption(probability),
            incoming: self.incoming.with_corruption(probability),
        }
    }

    /// [`LinkProfile::with_bandwidth`], each way so much.
    #[must_use]
    pub const fn with_bandwidth(self, bytes_per_second: u64, backlog: Duration) -> Self {
        Self {
            outgoing: self.outgoing.with_bandwidth(bytes_per_second, backlog),
            incoming: self.incoming.with_bandwidth(bytes_per_second, backlog),
        }
    }

    /// What happens to what we send.
    #[must_use]
    pub const fn outgoing_profile(&self) -> LinkProfile {
        self.outgoing
    }

    /// What happens to what we receive.
    #[must_use]
    pub const fn incoming_profile(&self) -> LinkProfile {
        self.incoming
    }
}

/// What a link does to the datagrams that go one way.
///
/// A datagram meets the effects in this order: it waits for the bandwidth, it is lost (in a burst or alone),
/// a bit of it flips, it takes its latency more or less the jitter, it is held back, and a copy of it goes
/// its own way.
///
/// Probabilities are fractions from 0 to 1. Numbers that make no sense never stop a program that only wanted
/// to be tested: at the moment a profile is put to use they are moved to the nearest that do (a loss of 2
/// becomes 1, not-a-number becomes 0, a bandwidth of 0 becomes 1 byte per second) and a `tracing` warning
/// says so.
///
/// ```
/// use std::time::Duration;
/// use bowline_core::transport::LinkProfile;
///
/// let uplink = LinkProfile::new(30, 5, 0.01).with_bandwidth(125_000, Duration::from_millis(200));
/// assert_eq!(uplink.latency, Duration::from_millis(30));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LinkProfile {
    /// How long a datagram is on the way.
    pub latency: Duration,
    /// How much longer or shorter: evenly spread over `latency - jitter ..= latency + jitter`, but never less
    /// than no time. Each datagram draws for itself, so **jitter alone reorders** what was sent closer
    /// together than twice the jitter, as `tc netem` does. That is harder on a protocol than most links are,
    /// on purpose.
    pub jitter: Duration,
    /// The share of datagrams that are lost, each for itself.
    pub loss: f64,
    /// Losses that come together, on top of `loss`.
    pub burst_loss: Option<BurstLoss>,
    /// The share of datagrams that arrive twice. The copy draws its own jitter.
    pub duplication: f64,
    /// The share of datagrams that are held back by `reordering_delay`, so that later ones overtake them.
    pub reordering: f64,
    /// By how much.
    pub reordering_delay: Duration,
    /// The share of datagrams of which one bit is flipped. Off in every preset: transports promise that
    /// datagrams are not changed, and checksums hold that promise on nearly every link.
    pub corruption: f64,
    /// How much fits through, if that is limited.
    pub bandwidth: Option<Bandwidth>,
}

impl LinkProfile {
    /// `latency_ms` one way, more or less `jitter_ms`, and `loss` as a fraction.
    #[must_use]
    pub const fn new(latency_ms: u32, jitter_ms: u32, loss: f64) -> Self {
        Self {
            latency: Duration::from_millis(latency_ms as u64),
            jitter: Duration::from_millis(jitter_ms as u64),
            loss,
            burst_loss: None,
            duplication: 0.0,
            reordering: 0.0,
            reordering_delay: Duration::ZERO,
            corruption: 0.0,
            bandwidth: None,
        }
    }

    /// This share of the datagrams arrives twice.
    #[must_use]
    pub const fn with_duplication(mut self, probability: f64) -> Self {
        self.duplication = probability;
        self
    }

    /// This share of the datagrams is held back by `delay`.
    #[must_use]
    pub const fn with_reordering(mut self, probability: f64, delay: Duration) -> Self {
        self.reordering = probability;
        self.reordering_delay = delay;
        self
    }

    /// Losses that come together.
    #[must_use]
    pub const fn with_burst_loss(mut self, bursts: BurstLoss) -> Self {
        self.burst_loss = Some(bursts);
        self
    }

    /// Of this share of the datagrams one bit is flipped.
    #[must_use]
    pub const fn with_corruption(mut self, probability: f64) -> Self {
        self.corruption = probability;
        self
    }

    /// One datagram after another, at this pace. What would wait longer than `backlog` is lost.
    #[must_use]
    pub const fn with_bandwidth(mut self, bytes_per_second: u64, backlog: Duration) -> Self {
        self.bandwidth = Some(Bandwidth { bytes_per_second, backlog });
        self
    }

    /// The nearest profile that makes sense; a warning if that is another.
    pub(super) fn sane(self, direction: &'static str) -> Self {
        let sane = Self {
            loss: probability(self.loss),
            burst_loss: self.burst_loss.map(|bursts| BurstLoss {
                enter: probability(bursts.enter),
                leave: probability(bursts.leave),
                loss: probability(bursts.loss),
            }),
            duplication: probability(self.duplication),
            reordering: probability(self.reordering),
            corruption: probability(self.corruption),
            bandwidth: self
                .bandwidth
                .map(|limit| Bandwidth { bytes_per_second: limit.bytes_per_second.max(1), ..limit }),
            ..self
        };
        if sane != self {
            tracing::warn!(
                direction,
                asked = ?self,
                used = ?sane,
                "this link profile makes no sense; probabilities are fractions from 0 to 1 (2 % is 0.02)"
            );
        }
        sane
    }
}

/// Losses that come together: the two-state model of Gilbert and Elliott.
///
/// Before each datagram the link may change between a good state, in which the burst loses nothing, and a bad
/// one, in which it loses [`loss`](Self::loss) of them. A burst is `1 / leave` datagrams long on average, and
/// `enter / (enter + leave)` of all datagrams fall into one.
///
/// Sources: E. N. Gilbert, "Capacity of a Burst-Noise Channel", Bell System Technical Journal 39 (1960); E.
/// O. Elliott, "Estimates of Error Rates for Codes on Burst-Noise Channels", Bell System Technical Journal 42
/// (1963).
///
/// ```
/// use bowline_core::transport::BurstLoss;
///
/// // One datagram in 200 begins a burst, which is 5 long on average and loses 80 %.
/// let microwave_oven = BurstLoss::new(0.005, 0.2).with_loss(0.8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BurstLoss {
    /// The probability, before each datagram, that a burst begins.
    pub enter: f64,
    /// The probability, before each datagram, that a burst ends. At 0 the first burst never does.
    pub leave: f64,
    /// The share of datagrams lost within a burst.
    pub loss: f64,
}

impl BurstLoss {
    /// Bursts in which everything is lost (Gilbert's model with nothing lost between them).
    #[must_use]
    pub const fn new(enter: f64, leave: f64) -> Self {
        Self { enter, leave, loss: 1.0 }
    }

    /// Bursts in which this share is lost (Elliott's).
    #[must_use]
    pub const fn with_loss(mut self, loss: f64) -> Self {
        self.loss = loss;
        self
    }
}

/// How much fits through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bandwidth {
    /// Bytes of datagrams in a second, headers of lower layers not counted.
    pub bytes_per_second: u64,
    /// How long a datagram may wait for those before it; one that would wait longer is lost. A home router's
    /// is some 100 to 500 ms.
    pub backlog: Duration,
}

fn probability(value: f64) -> f64 {
    // `clamp` would hand a not-a-number on.
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_what_they_are_called() {
        let presets = [
            (LinkConditionerConfig::perfect_condition(), 1, 0, 0.0),
            (LinkConditionerConfig::very_good_condition(), 12, 3, 0.001),
            (LinkConditionerConfig::good_condition(), 40, 10, 0.002),
            (LinkConditionerConfig::average_condition(), 100, 25, 0.02),
            (LinkConditionerConfig::poor_condition(), 200, 50, 0.04),
            (LinkConditionerConfig::very_poor_condition(), 300, 75, 0.06),
        ];
        for (preset, latency, jitter, loss) in presets {
            assert_eq!(preset.outgoing_profile(), LinkProfile::new(latency, jitter, loss));
            assert_eq!(preset.incoming_profile(), preset.outgoing_profile());
        }
    }

    #[test]
    fn nonsense_becomes_the_nearest_sense() {
        let nonsense = LinkProfile::new(1, 0, 2.0)
            .with_duplication(-0.5)
            .with_corruption(f64::NAN)
            .with_burst_loss(BurstLoss::new(7.0, f64::INFINITY).with_loss(-1.0))
            .with_bandwidth(0, Duration::ZERO);
        let expected = LinkProfile::new(1, 0, 1.0)
            .with_burst_loss(BurstLoss::new(1.0, 1.0).with_loss(0.0))
            .with_bandwidth(1, Duration::ZERO);
        assert_eq!(nonsense.sane("outgoing"), expected);
        assert_eq!(expected.sane("outgoing"), expected);
    }

    #[test]
    fn directions_are_their_own() {
        let config = LinkConditionerConfig::new(5, 0, 0.0).outgoing(LinkProfile::new(9, 1, 0.5));
        assert_eq!(config.outgoing_profile().latency, Duration::from_millis(9));
        assert_eq!(config.incoming_profile().latency, Duration::from_millis(5));
    }
}
