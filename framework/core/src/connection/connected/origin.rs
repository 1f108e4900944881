use std::time::Duration;

use crate::connection::{CompressionState, ConnectionConfig, ProtocolSpec};
use crate::packet::{SessionToken, Side};
use crate::{Instant, Security};

/// Where a connection comes from: what the handshake settled.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) now: Instant,
    pub(crate) side: Side,
    pub(crate) config: ConnectionConfig,
    pub(crate) protocol: ProtocolSpec,
    pub(crate) security: Security,
    pub(crate) local_token: SessionToken,
    pub(crate) peer_token: SessionToken,
    pub(crate) round_trip: Option<Duration>,
    pub(crate) peer_tick: u32,
    /// The id of the compression that the other side reads.
    pub(crate) peer_compression: Option<u64>,
}

impl Origin {
    /// Whether packets will be compressed; where this side would and the other does not, the log says so.
    pub(super) fn compression(&self) -> CompressionState {
        const TARGET: &str = "bowline::compression";
        let (own, peer) = (self.config.compression_id(), self.peer_compression);
        let state = CompressionState::settled(own, peer);
        match (state, own, peer) {
            (CompressionState::PeerHasNone, ..) => {
                tracing::info!(target: TARGET, "none: the other side has none configured, or lacks the feature `zstd`");
            }
            (CompressionState::OtherDictionary, Some(own), Some(peer)) => {
                tracing::warn!(
                    target: TARGET,
                    own = format_args!("{own:#018x}"),
                    peer = format_args!("{peer:#018x}"),
                    "none: the other side has another dictionary"
                );
            }
            _ => {}
        }
        state
    }
}
