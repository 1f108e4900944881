use std::time::Duration;

use bowline_core::{ConnectionStats, DisconnectReason, Instant, RejectReason};

use crate::TickStats;

/// What `metrics` has been told of the session.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    due_at: Option<Instant>,
    told: ConnectionStats,
}

/// How often what grows all the time is told.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn rejected(reason: &RejectReason) {
    metrics::counter!("bowline_client_rejected_total", "reason" => reason.name()).increment(1);
}

impl Figures {
    pub(super) fn connected(&mut self) {
        *self = Self::default();
        metrics::counter!("bowline_client_connected_total").increment(1);
        metrics::gauge!("bowline_client_connected").set(1.0);
    }

    pub(super) fn disconnected(&mut self, reason: &DisconnectReason, stats: &ConnectionStats) {
        metrics::counter!("bowline_client_disconnected_total", "reason" => reason.name()).increment(1);
        metrics::gauge!("bowline_client_connected").set(0.0);
        self.count(stats);
    }

    /// Tells how things stand, if it is time to.
    pub(crate) fn tell(&mut self, now: Instant, look: impl FnOnce() -> (ConnectionStats, TickStats)) {
        if self.due_at.is_some_and(|at| now < at) {
            return;
        }
        self.due_at = Some(now + INTERVAL);
        let (stats, ticks) = look();
        if let Some(round_trip) = stats.round_trip_time {
            metrics::gauge!("bowline_client_round_trip_seconds").set(round_trip.as_secs_f64());
        }
        metrics::gauge!("bowline_client_jitter_seconds").set(stats.jitter.as_secs_f64());
        metrics::gauge!("bowline_client_loss_sent_ratio").set(stats.recent_loss_sent);
        metrics::gauge!("bowline_client_loss_received_ratio").set(stats.recent_loss_received);
        metrics::gauge!("bowline_client_queued_bytes").set(stats.queued_bytes as f64);
        metrics::gauge!("bowline_client_send_rate_bytes").set(f64::from(stats.send_rate));
        metrics::gauge!("bowline_client_tick_lead_seconds").set(ticks.lead.as_secs_f64());
        self.count(&stats);
    }

    fn count(&mut self, stats: &ConnectionStats) {
        let new = stats.counters_minus(&self.told);
        self.told = *stats;
        metrics::counter!("bowline_client_packets_sent_total").increment(new.packets_sent);
        metrics::counter!("bowline_client_packets_received_total").increment(new.packets_received);
        metrics::counter!("bowline_client_packets_lost_total").increment(new.packets_lost);
        metrics::counter!("bowline_client_packets_malformed_total").increment(new.malformed);
        metrics::counter!("bowline_client_packets_refused_total").increment(new.packets_refused);
        metrics::counter!("bowline_client_bytes_sent_total").increment(new.bytes_sent);
        metrics::counter!("bowline_client_bytes_received_total").increment(new.bytes_received);
        metrics::counter!("bowline_client_messages_sent_total").increment(new.messages_sent);
        metrics::counter!("bowline_client_messages_received_total").increment(new.messages_received);
        metrics::counter!("bowline_client_messages_dropped_total").increment(new.messages_dropped);
        metrics::counter!("bowline_client_inputs_late_total").increment(new.messages_late);
    }
}
