use std::time::Duration;

use crate::Instant;
use crate::meters::Meter;

/// What a connection has done so far. Counters never go back; cheap enough to read every tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// The smoothed round-trip time; `None` before the first measurement.
    pub round_trip_time: Option<Duration>,
    /// Half of the recent round trips took no longer, to some 6 %; `None` before the first measurement.
    pub round_trip_p50: Option<Duration>,
    /// All but one in a hundred of the recent round trips took no longer, to some 6 %.
    pub round_trip_p99: Option<Duration>,
    /// How much the round-trip time varies (mean deviation, RFC 6298).
    pub jitter: Duration,
    /// How far the server's clock, which stood at zero when its tick 0 began, is ahead of this side's, in microseconds: as
    /// its packets show. `None` on a server, and before the first packet.
    pub clock_offset_micros: Option<i64>,
    /// The share of the last hundred sent packets or so that was lost, from 0 to 1.
    pub recent_loss_sent: f64,
    /// The share of the other side's packets of the last second that has not arrived, from 0 to 1.
    pub recent_loss_received: f64,
    /// How many bytes a second may be sent now.
    pub send_rate: u32,
    /// Packets sent in the last second.
    pub packets_sent_per_second: u64,
    /// Packets taken in in the last second.
    pub packets_received_per_second: u64,
    /// Bytes sent in the last second, in datagrams.
    pub bytes_sent_per_second: u64,
    /// Bytes taken in in the last second, in datagrams.
    pub bytes_received_per_second: u64,
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
    /// Packets that were not taken because the memory for this connection is full. What is reliable in them comes again, and
    /// the other side does not time out for that.
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
    /// Requests of this side that wait for a response.
    pub requests_in_flight: usize,
    /// Requests of the other side that were refused because too many are unanswered.
    pub requests_turned_away: u64,
    /// Responses that nobody waits for any more: they came too late, or their request was dropped.
    pub responses_unclaimed: u64,
    /// Bytes of messages that wait to be sent or acknowledged.
    pub queued_bytes: usize,
    /// Whether packets are compressed, and if not, why.
    pub compression: CompressionState,
    /// By how much compression has made sent packets smaller, in bytes: they are not in `bytes_sent`.
    pub bytes_saved_sent: u64,
    /// By how much compression has made packets smaller that were taken in, in bytes.
    pub bytes_saved_received: u64,
}

/// Whether packets of a connection are compressed, as was settled when it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompressionState {
    /// This side has no compression configured.
    #[default]
    Off,
    /// Both sides compress what becomes smaller by it.
    On,
    /// This side would, the other has no compression configured, or lacks the feature.
    PeerHasNone,
    /// Both sides would, with different dictionaries.
    OtherDictionary,
}

impl CompressionState {
    /// What follows from the ids of both sides' compressions.
    pub(crate) fn settled(own: Option<u64>, peer: Option<u64>) -> Self {
        match (own, peer) {
            (None, _) => Self::Off,
            (Some(_), None) => Self::PeerHasNone,
            (Some(own), Some(peer)) if own == peer => Self::On,
            (Some(_), Some(_)) => Self::OtherDictionary,
        }
    }
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

    /// How large sent packets were on the wire, as a share of what they would be without compression: 1 where nothing was
    /// saved.
    #[must_use]
    pub fn compression_ratio_sent(&self) -> f64 {
        1.0 - share(self.bytes_saved_sent, self.bytes_saved_sent + self.bytes_sent)
    }

    /// The same of the packets that were taken in.
    #[must_use]
    pub fn compression_ratio_received(&self) -> f64 {
        1.0 - share(self.bytes_saved_received, self.bytes_saved_received + self.bytes_received)
    }
}

/// The fields that only grow.
macro_rules! counters {
    ($apply:ident, $one:expr, $other:expr) => {
        counters!($apply, $one, $other, [
            packets_sent, packets_received, bytes_sent, bytes_received, packets_acked, packets_lost,
            packets_missed, packets_duplicate, malformed, packets_refused, messages_sent, messages_received,
            messages_dropped, messages_incomplete, messages_late, messages_early, requests_turned_away,
            responses_unclaimed, bytes_saved_sent, bytes_saved_received,
        ])
    };
    ($apply:ident, $one:expr, $other:expr, [$($field:ident),* $(,)?]) => {
        ConnectionStats { $($field: $one.$field.$apply($other.$field),)* ..*$one }
    };
}

/// Sums over many connections, for whoever exports them.
#[doc(hidden)]
impl ConnectionStats {
    #[must_use]
    pub fn counters_plus(&self, other: &Self) -> Self {
        counters!(saturating_add, self, other)
    }

    #[must_use]
    pub fn counters_minus(&self, earlier: &Self) -> Self {
        counters!(saturating_sub, self, earlier)
    }
}

/// What one channel of a connection has done so far.
///
/// Bytes are those of messages, without what packets add; the ones that were sent twice count twice in the figures of the
/// last second and in `bytes_sent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStats {
    /// Messages handed to `send`.
    pub messages_sent: u64,
    /// Messages that arrived whole.
    pub messages_received: u64,
    /// Messages that were dropped before they were sent, because the queue was full.
    pub messages_dropped: u64,
    /// Bytes put into packets.
    pub bytes_sent: u64,
    /// Bytes of the messages that arrived whole.
    pub bytes_received: u64,
    /// Bytes put into packets in the last second.
    pub bytes_sent_per_second: u64,
    /// Bytes of the messages that arrived whole in the last second.
    pub bytes_received_per_second: u64,
    /// Bytes that wait to be sent or acknowledged, as [`send_queue_size`](crate::ConnectionConfig::send_queue_size) counts.
    pub queued_bytes: usize,
}

/// What a connection counts for a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelCounters {
    totals: ChannelStats,
    sent: Meter,
    received: Meter,
}

impl ChannelCounters {
    pub(crate) fn new(now: Instant) -> Self {
        Self { totals: ChannelStats::default(), sent: Meter::new(now), received: Meter::new(now) }
    }

    pub(crate) const fn queued(&mut self, dropped: usize) {
        self.totals.messages_sent += 1;
        self.totals.messages_dropped += dropped as u64;
    }

    pub(crate) fn sent(&mut self, now: Instant, bytes: usize) {
        self.totals.bytes_sent += bytes as u64;
        self.sent.add(now, bytes as u64);
    }

    pub(crate) fn received(&mut self, now: Instant, bytes: usize) {
        self.totals.messages_received += 1;
        self.totals.bytes_received += bytes as u64;
        self.received.add(now, bytes as u64);
    }

    pub(crate) fn roll(&mut self, now: Instant) {
        self.sent.roll(now);
        self.received.roll(now);
    }

    pub(crate) fn stats(&self, queued_bytes: usize) -> ChannelStats {
        ChannelStats {
            bytes_sent_per_second: self.sent.per_second(),
            bytes_received_per_second: self.received.per_second(),
            queued_bytes,
            ..self.totals
        }
    }
}

/// What a connection counts in the last second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) packets_sent: Meter,
    pub(crate) packets_received: Meter,
    pub(crate) bytes_sent: Meter,
    pub(crate) bytes_received: Meter,
    /// By how much the number of the newest packet from there has grown.
    pub(crate) packets_numbered: Meter,
}

impl Flow {
    pub(crate) const fn new(now: Instant) -> Self {
        let meter = Meter::new(now);
        Self {
            packets_sent: meter,
            packets_received: meter,
            bytes_sent: meter,
            bytes_received: meter,
            packets_numbered: meter,
        }
    }

    pub(crate) fn roll(&mut self, now: Instant) {
        let Self { packets_sent, packets_received, bytes_sent, bytes_received, packets_numbered } = self;
        for meter in [packets_sent, packets_received, bytes_sent, bytes_received, packets_numbered] {
            meter.roll(now);
        }
    }

    pub(crate) fn loss_received(&self) -> f64 {
        let (numbered, received) = (self.packets_numbered.per_second(), self.packets_received.per_second());
        share(numbered.saturating_sub(received), numbered)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
