//! What a client tells the world around the game: the story of its connection to `tracing`, its figures to `metrics`. The
//! names are promises: the guide's page on diagnostics lists them.

#[cfg(feature = "metrics")]
mod figures;

use std::fmt::Display;
use std::time::Duration;

use bowline_core::{ConnectionStats, DisconnectReason, RejectReason};

/// Tells, where somebody is to be told: without the features it does nothing.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    #[cfg(feature = "metrics")]
    pub(crate) figures: figures::Figures,
}

impl Observer {
    pub(crate) fn connecting(&self) {
        if cfg!(feature = "tracing") {
            tracing::debug!(target: "bowline::client", "connecting");
        }
    }

    pub(crate) fn connected(&mut self) {
        if cfg!(feature = "tracing") {
            tracing::info!(target: "bowline::client", "connected");
        }
        #[cfg(feature = "metrics")]
        self.figures.connected();
    }

    pub(crate) fn disconnected(&mut self, reason: &DisconnectReason, stats: &ConnectionStats) {
        if cfg!(feature = "tracing") {
            let (sent, received) = (stats.packets_sent, stats.packets_received);
            tracing::info!(target: "bowline::client", %reason, sent, received, "disconnected");
        }
        #[cfg(feature = "metrics")]
        self.figures.disconnected(reason, stats);
    }

    pub(crate) fn rejected(&self, reason: &RejectReason) {
        if cfg!(feature = "tracing") {
            tracing::info!(target: "bowline::client", %reason, "rejected");
        }
        #[cfg(feature = "metrics")]
        figures::rejected(reason);
    }

    pub(crate) fn reconnecting(&self, attempt: u32, after: Duration) {
        if cfg!(feature = "tracing") {
            tracing::info!(target: "bowline::client", attempt, ?after, "reconnecting");
        }
    }
}

/// A transport could not send. What is reliable is sent again.
pub(crate) fn sending_failed(error: impl Display) {
    if cfg!(feature = "tracing") {
        tracing::debug!(target: "bowline::client", %error, "sending failed");
    }
}

/// A transport could not receive.
pub(crate) fn receiving_failed(error: impl Display) {
    if cfg!(feature = "tracing") {
        tracing::debug!(target: "bowline::client", %error, "receiving failed");
    }
}
