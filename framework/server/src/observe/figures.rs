use std::time::Duration;

use bowline_core::{ConnectionStats, DisconnectReason, Instant, RejectReason};

/// What `metrics` has been told. Counters grow by what is new, so that several servers of one process add up.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    due_at: Option<Instant>,
    /// Of those who have left.
    gone: ConnectionStats,
    told: ConnectionStats,
    strays_told: u64,
}

/// How often what grows all the time is told.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn connected() {
    metrics::counter!("bowline_server_connected_total").increment(1);
}

pub(super) fn rejected(reason: &RejectReason) {
    metrics::counter!("bowline_server_rejected_total", "reason" => reason.name()).increment(1);
}

pub(super) fn ticked(ticks: u32) {
    metrics::counter!("bowline_server_ticks_total").increment(u64::from(ticks));
}

impl Figures {
    pub(super) fn disconnected(&mut self, reason: &DisconnectReason, stats: &ConnectionStats) {
        metrics::counter!("bowline_server_disconnected_total", "reason" => reason.name()).increment(1);
        self.gone = self.gone.counters_plus(stats);
    }

    /// Tells how things stand, if it is time to.
    pub(crate) fn tell(
        &mut self,
        now: Instant,
        users: impl Iterator<Item = ConnectionStats>,
        pending: usize,
        strays: u64,
    ) {
        if self.due_at.is_some_and(|at| now < at) {
            return;
        }
        self.due_at = Some(now + INTERVAL);
        let (mut total, mut count, mut send_rate) = (self.gone, 0_u32, 0.0);
        for stats in users {
            total = total.counters_plus(&stats);
            count += 1;
            send_rate += f64::from(stats.send_rate);
            if let Some(round_trip) = stats.round_trip_time {
                metrics::histogram!("bowline_server_round_trip_seconds").record(round_trip.as_secs_f64());
            }
            metrics::histogram!("bowline_server_jitter_seconds").record(stats.jitter.as_secs_f64());
            metrics::histogram!("bowline_server_loss_sent_ratio").record(stats.recent_loss_sent);
            metrics::histogram!("bowline_server_loss_received_ratio").record(stats.recent_loss_received);
            metrics::histogram!("bowline_server_queued_bytes").record(stats.queued_bytes as f64);
        }
        metrics::gauge!("bowline_server_users").set(f64::from(count));
        metrics::gauge!("bowline_server_pending").set(pending as f64);
        metrics::gauge!("bowline_server_send_rate_bytes").set(send_rate);
        metrics::counter!("bowline_server_strays_total").increment(strays.saturating_sub(self.strays_told));
        self.strays_told = strays;

        let new = total.counters_minus(&self.told);
        self.told = total;
        metrics::counter!("bowline_server_packets_sent_total").increment(new.packets_sent);
        metrics::counter!("bowline_server_packets_received_total").increment(new.packets_received);
        metrics::counter!("bowline_server_packets_lost_total").increment(new.packets_lost);
        metrics::counter!("bowline_server_packets_malformed_total").increment(new.malformed);
        metrics::counter!("bowline_server_packets_refused_total").increment(new.packets_refused);
        metrics::counter!("bowline_server_bytes_sent_total").increment(new.bytes_sent);
        metrics::counter!("bowline_server_bytes_received_total").increment(new.bytes_received);
        metrics::counter!("bowline_server_messages_sent_total").increment(new.messages_sent);
        metrics::counter!("bowline_server_messages_received_total").increment(new.messages_received);
        metrics::counter!("bowline_server_messages_dropped_total").increment(new.messages_dropped);
        metrics::counter!("bowline_server_inputs_late_total").increment(new.messages_late);
    }
}
