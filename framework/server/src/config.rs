use bowline_core::handshake::DoorwayConfig;
use bowline_core::{ConnectionConfig, SocketConfig};

/// How a server behaves.
///
/// ```
/// use std::time::Duration;
/// use bowline_server::ServerConfig;
///
/// let mut config = ServerConfig::default();
/// config.connection.disconnection_timeout_duration = Duration::from_secs(3);
/// config.max_users = 16;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Time-outs, heartbeats, limits of each connection.
    pub connection: ConnectionConfig,
    /// What the socket should be like.
    pub socket: SocketConfig,
    /// How those are treated who are not in yet.
    pub doorway: DoorwayConfig,
    /// How many users may be connected at once; one more is refused as
    /// [`ServerFull`](bowline_core::RejectReason::ServerFull). 1,024.
    pub max_users: usize,
    /// How many entities of its own each client may have. 0, the default: none, and a client's `spawn` says so. Each takes an id
    /// from the moment the client connects, of [`MAX_ENTITIES`](bowline_replication::MAX_ENTITIES) for all.
    pub client_entities: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            connection: ConnectionConfig::default(),
            socket: SocketConfig::default(),
            doorway: DoorwayConfig::default(),
            max_users: 1_024,
            client_entities: 0,
        }
    }
}
