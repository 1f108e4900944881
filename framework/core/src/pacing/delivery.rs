use std::time::Duration;

use crate::Instant;

/// How fast the path delivers, measured at each acknowledgement: *Delivery Rate Estimation* by Cheng, Cardwell,
/// Hassas Yeganeh and Jacobson (draft-cheng-iccrg-delivery-rate-estimation).
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveryRate {
    /// Bytes acknowledged so far.
    delivered: u64,
    delivered_at: Instant,
    /// When the first packet of the current flight was sent.
    first_sent_at: Instant,
    /// Until so many bytes are delivered, samples speak of the application, which had no more to send.
    app_limited_until: u64,
    in_flight: u64,
}

/// What a packet remembers of the moment it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) bytes: u32,
    delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    sent_at: Instant,
    app_limited: bool,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateSample {
    pub(crate) bytes_per_second: f64,
    /// Whether there was no more to send, so that the path may be faster than this.
    pub(crate) app_limited: bool,
    /// Bytes delivered when the newest acknowledged packet was sent: a round trip ends when it passes the
    /// `delivered` of the round's begin.
    pub(crate) prior_delivered: u64,
}

impl DeliveryRate {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { delivered: 0, delivered_at: now, first_sent_at: now, app_limited_until: 0, in_flight: 0 }
    }

    pub(crate) const fn delivered(&self) -> u64 {
        self.delivered
    }

    pub(crate) const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// A packet goes out.
    pub(crate) fn sent(&mut self, now: Instant, bytes: usize) -> Snapshot {
        if self.in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        self.in_flight += bytes as u64;
        Snapshot {
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            sent_at: now,
            // What was under way when there was no more to send may all have arrived by now: then the path has been idle
            // since, and this packet's round says nothing of it either.
            app_limited: self.app_limited_until > 0 && self.delivered <= self.app_limited_until,
        }
    }

    /// There is no more to send though there may be.
    pub(crate) fn application_is_idle(&mut self) {
        self.app_limited_until = (self.delivered + self.in_flight).max(1);
    }

    /// A packet was given up.
    pub(crate) fn lost(&mut self, packet: &Snapshot) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(packet.bytes));
    }

    /// A packet was acknowledged; of those in one header, `newest` is the one that was sent last.
    pub(crate) fn acked(&mut self, now: Instant, packet: &Snapshot, newest: &mut Option<Snapshot>) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(packet.bytes));
        self.delivered += u64::from(packet.bytes);
        self.delivered_at = now;
        if newest.is_none_or(|newest| packet.sent_at >= newest.sent_at) {
            *newest = Some(*packet);
        }
    }

    /// The rate that the acknowledgements of one header show.
    pub(crate) fn sample(&mut self, newest: &Snapshot, least_round_trip: Duration) -> Option<RateSample> {
        let sending = newest.sent_at - newest.first_sent_at;
        let acking = self.delivered_at - newest.delivered_at;
        self.first_sent_at = newest.sent_at;
        let interval = sending.max(acking);
        // Shorter than a round trip, it says how acknowledgements bunch up, not how fast the path is.
        if interval < least_round_trip {
            return None;
        }
        // Within one process everything may happen at one moment.
        let interval = interval.max(Duration::from_millis(1));
        Some(RateSample {
            bytes_per_second: (self.delivered - newest.delivered) as f64 / interval.as_secs_f64(),
            app_limited: newest.app_limited,
            prior_delivered: newest.delivered,
        })
    }
}
