use std::time::Duration;

/// The round-trip time, smoothed, and how much it varies: RFC 6298, with the initial time-out of its section 2.
///
/// The time that the other side held an acknowledgement back (it answers once a tick) is not part of it.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrip {
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
    latest: Duration,
    least: Duration,
}

impl RoundTrip {
    /// Before the first sample (RFC 6298 section 2.1).
    pub const INITIAL_TIMEOUT: Duration = Duration::from_secs(1);
    /// A game cannot wait for the full second that RFC 6298 section 2.4 asks of TCP: QUIC's granularity does
    /// (RFC 9002 section 6.1.2), with room for a tick at the other end.
    pub const LEAST_TIMEOUT: Duration = Duration::from_millis(20);
    /// However long the path, a probe goes out after this long, so that a healed link is noticed at once.
    pub const GREATEST_TIMEOUT: Duration = Duration::from_secs(2);

    pub(crate) const fn new() -> Self {
        Self { estimate: None }
    }

    /// Takes in a measurement: from sending a packet to its acknowledgement, and how long the other side held that
    /// back.
    pub(crate) fn sample(&mut self, measured: Duration, held_back: Duration) {
        let Some(estimate) = &mut self.estimate else {
            let sample = measured.saturating_sub(held_back);
            self.estimate =
                Some(Estimate { smoothed: sample, variation: sample / 2, latest: sample, least: sample });
            return;
        };
        // The other side's word is not believed beyond what the path has shown (RFC 9002 section 5.3).
        estimate.least = estimate.least.min(measured);
        let sample = measured.saturating_sub(held_back).max(estimate.least);
        let difference = estimate.smoothed.abs_diff(sample);
        estimate.variation = (estimate.variation * 3 + difference) / 4;
        estimate.smoothed = (estimate.smoothed * 7 + sample) / 8;
        estimate.latest = sample;
    }

    /// The smoothed round-trip time; `None` before the first measurement.
    #[must_use]
    pub fn smoothed(&self) -> Option<Duration> {
        self.estimate.map(|e| e.smoothed)
    }

    /// The mean deviation from the smoothed time: jitter. Zero before the first measurement.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.estimate.map_or(Duration::ZERO, |e| e.variation)
    }

    /// The last measurement.
    #[must_use]
    pub fn latest(&self) -> Option<Duration> {
        self.estimate.map(|e| e.latest)
    }

    /// The shortest measurement.
    #[must_use]
    pub fn least(&self) -> Option<Duration> {
        self.estimate.map(|e| e.least)
    }

    /// How long to wait for an acknowledgement, `held_back` by the other side included, before asking again.
    #[must_use]
    pub fn timeout(&self, held_back: Duration) -> Duration {
        self.estimate.map_or(Self::INITIAL_TIMEOUT, |e| {
            (e.smoothed + e.variation * 4 + held_back).clamp(Self::LEAST_TIMEOUT, Self::GREATEST_TIMEOUT)
        })
    }

    /// How old a packet must be, with a later one acknowledged, to count as lost: the time threshold of RFC 9002
    /// section 6.1.2, and the jitter besides, because game packets are reordered by it.
    pub(crate) fn loss_delay(&self) -> Duration {
        self.estimate
            .map_or(Self::INITIAL_TIMEOUT, |e| e.smoothed.max(e.latest) * 9 / 8 + e.variation.min(e.smoothed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn follows_rfc_6298() {
        let mut round_trip = RoundTrip::new();
        assert_eq!(round_trip.timeout(Duration::ZERO), RoundTrip::INITIAL_TIMEOUT);
        round_trip.sample(MS * 100, Duration::ZERO);
        assert_eq!((round_trip.smoothed(), round_trip.jitter()), (Some(MS * 100), MS * 50));
        round_trip.sample(MS * 180, Duration::ZERO);
        // 7/8 of 100 and 1/8 of 180; 3/4 of 50 and 1/4 of 80.
        assert_eq!((round_trip.smoothed(), round_trip.jitter()), (Some(MS * 110), MS * 115 / 2));
        assert_eq!(round_trip.timeout(Duration::ZERO), MS * 340);
    }

    #[test]
    fn a_held_back_acknowledgement_is_not_the_path() {
        let mut round_trip = RoundTrip::new();
        round_trip.sample(MS * 80, MS * 30);
        assert_eq!(round_trip.smoothed(), Some(MS * 50));
        // A claim that would make the path faster than it ever was is cut to what it was.
        for _ in 0..100 {
            round_trip.sample(MS * 80, MS * 79);
        }
        assert!(round_trip.smoothed() >= Some(MS * 50));
    }
}
