//! What a server tells the world around the game: the story of its users to `tracing`, their figures to `metrics`. The
//! names are promises: the guide's page on diagnostics lists them.

#[cfg(feature = "metrics")]
mod figures;

use std::fmt::Display;

use bowline_core::{ConnectionStats, DisconnectReason, RejectReason};

use crate::UserId;

/// Tells, where somebody is to be told: without the features it does nothing.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    #[cfg(feature = "metrics")]
    pub(crate) figures: figures::Figures,
}

impl Observer {
    pub(crate) fn connected(&self, user: UserId, address: impl Display, transport: &'static str) {
        if cfg!(feature = "tracing") {
            tracing::info!(target: "bowline::server", %user, %address, transport, "connected");
        }
        #[cfg(feature = "metrics")]
        figures::connected();
    }

    pub(crate) fn disconnected(
        &mut self,
        user: UserId,
        address: impl Display,
        reason: &DisconnectReason,
        stats: &ConnectionStats,
    ) {
        if cfg!(feature = "tracing") {
            let (sent, received) = (stats.packets_sent, stats.packets_received);
            tracing::info!(target: "bowline::server", %user, %address, %reason, sent, received, "disconnected");
        }
        #[cfg(feature = "metrics")]
        self.figures.disconnected(reason, stats);
    }

    pub(crate) fn rejected(&self, address: impl Display, reason: &RejectReason) {
        if cfg!(feature = "tracing") {
            tracing::info!(target: "bowline::server", %address, %reason, "rejected");
        }
        #[cfg(feature = "metrics")]
        figures::rejected(reason);
    }

    pub(crate) fn moved(&self, user: UserId, old: impl Display, new: impl Display) {
        if cfg!(feature = "tracing") {
            tracing::debug!(target: "bowline::server", %user, %old, %new, "moved");
        }
    }

    pub(crate) fn sending_failed(&self, to: impl Display, error: impl Display) {
        if cfg!(feature = "tracing") {
            tracing::debug!(target: "bowline::server", %to, %error, "sending failed");
        }
    }

    pub(crate) fn flushing_failed(&self, error: impl Display) {
        if cfg!(feature = "tracing") {
            tracing::debug!(target: "bowline::server", %error, "flushing failed");
        }
    }

    pub(crate) fn receiving_failed(&self, error: impl Display) {
        if cfg!(feature = "tracing") {
            tracing::debug!(target: "bowline::server", %error, "receiving failed");
        }
    }

    /// The server came to so many ticks at once: more than one means that it stood still for so long.
    pub(crate) fn ticked(&self, ticks: u32) {
        if cfg!(feature = "tracing") && ticks > 1 {
            tracing::debug!(target: "bowline::server", ticks, "caught up");
        }
        #[cfg(feature = "metrics")]
        figures::ticked(ticks);
    }
}
