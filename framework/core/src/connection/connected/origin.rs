use std::time::Duration;

use crate::connection::{ConnectionConfig, ProtocolSpec};
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
}
