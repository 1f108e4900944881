use std::time::Duration;

/// What a connection has done so far. Counters never go back; cheap enough to read every tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// The smoothed round-trip time; `None` before the first measurement.
    pub round_trip_time: Option<Duration>,
    /// How much the round-trip time varies (mean deviation, RFC 6298).
    pub jitter: Duration,
    /// Packets sent.
    pub packets_sent: u64,
    /// Packets taken in.
    pub packets_received: u64,
    /// Bytes sent, in datagrams without the headers of UDP and IP.
    pub bytes_sent: u64,
    /// Bytes taken in, in datagrams without the headers of UDP and IP.
    pub bytes_received: u64,
    /// Sent packets that the other side acknowledged.
    pub packets_acked: u64,
    /// Sent packets that were given up.
    pub packets_lost: u64,
    /// Packets that the other side numbered and that have not arrived (some may still).
    pub packets_missed: u64,
    /// Packets that came twice, or too late to matter.
    pub packets_duplicate: u64,
    /// Packets, or messages in them, that made no sense and were dropped.
    pub malformed: u64,
    /// Packets that were not taken because the memory for this connection is full.
    pub packets_refused: u64,
    /// Messages handed to `send`.
    pub messages_sent: u64,
    /// Messages that arrived whole.
    pub messages_received: u64,
    /// Unreliable messages that were dropped before they were sent, because their queue was full.
    pub messages_dropped: u64,
    /// Unreliable messages of which some pieces came and the rest did not.
    pub messages_incomplete: u64,
    /// Messages on tick-buffered channels that came after their tick had begun. On a client: as the server has reported.
    pub messages_late: u64,
    /// Messages on tick-buffered channels that came too long before their tick. On a client: as the server has reported.
    pub messages_early: u64,
    /// Bytes of messages that wait to be sent or acknowledged.
    pub queued_bytes: usize,
}

impl ConnectionStats {
    /// The share of sent packets that were lost, from 0 to 1.
    #[must_use]
    pub fn loss_sent(&self) -> f64 {
        share(self.packets_lost, self.packets_lost + self.packets_acked)
    }

    /// The share of the other side's packets that did not arrive, from 0 to 1.
    #[must_use]
    pub fn loss_received(&self) -> f64 {
        share(self.packets_missed, self.packets_missed + self.packets_received)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
