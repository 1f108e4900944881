use bowline_core::{ConnectionConfig, SocketConfig};
use bowline_replication::StaleEntities;

use crate::ReconnectPolicy;

/// How a client behaves.
///
/// ```
/// use bowline_client::{ClientConfig, ReconnectPolicy};
///
/// let mut config = ClientConfig::default();
/// config.reconnect = Some(ReconnectPolicy::default());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Time-outs, heartbeats, limits.
    pub connection: ConnectionConfig,
    /// What the socket should be like.
    pub socket: SocketConfig,
    /// Whether a [`Client`](crate::Client) connects again by itself when a session was lost. Off by default.
    pub reconnect: Option<ReconnectPolicy>,
    /// Whether there are ticks on the client: [`ClientEvent::Tick`](crate::ClientEvent::Tick) events, and a
    /// `next_deadline` at each. On by default; a program that only sends messages sleeps longer without.
    pub ticks: bool,
    /// What becomes of entities and resources of the old session when a new one begins: they go, which is the default, or the game
    /// sees to it. After a session has ended they stay until then.
    pub stale_entities: StaleEntities,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connection: ConnectionConfig::default(),
            socket: SocketConfig::default(),
            reconnect: None,
            ticks: true,
            stale_entities: StaleEntities::default(),
        }
    }
}
