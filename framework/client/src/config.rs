use bowline_core::{ConnectionConfig, SocketConfig};

use crate::ReconnectPolicy;

/// How a client behaves.
///
/// ```
/// use bowline_client::{ClientConfig, ReconnectPolicy};
///
/// let mut config = ClientConfig::default();
/// config.reconnect = Some(ReconnectPolicy::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Time-outs, heartbeats, limits.
    pub connection: ConnectionConfig,
    /// What the socket should be like.
    pub socket: SocketConfig,
    /// Whether a [`Client`](crate::Client) connects again by itself when a session was lost. Off by default.
    pub reconnect: Option<ReconnectPolicy>,
}
