//! A client, or several, in a Bevy app.
//!
//! ```
//! use bevy_app::App;
//! use bowline::prelude::Protocol;
//! use bowline_bevy::client::{ClientConfig, ClientPlugin, ReconnectPolicy};
//!
//! #[derive(Protocol)]
//! #[protocol(tick_rate = 20)]
//! pub struct Arena;
//!
//! let mut config = ClientConfig::default();
//! config.reconnect = Some(ReconnectPolicy::default());
//! let mut app = App::new();
//! app.add_plugins(ClientPlugin::<Arena>::new(config));
//! ```

mod commands;
mod events;
mod items;
mod param;
mod plugin;
mod sink;
mod socket;
mod state;
mod turn;

pub use bowline::transport;
pub use bowline::{Authority, ClientConfig, ReconnectPolicy, StaleEntities};
pub use commands::{ClientChange, ClientCommands, ClientEntityCommands, NotSeen};
pub use events::{
    AuthorityEvent, ConnectEvent, DespawnEntityEvent, DisconnectEvent, InsertComponentEvent,
    InsertResourceEvent, MessageEvent, ReconnectingEvent, RejectEvent, RemoveComponentEvent,
    RemoveResourceEvent, RequestEvent, SpawnEntityEvent, TickEvent, UnencodableEvent, UpdateComponentEvent,
    UpdateResourceEvent,
};
pub use items::ClientItems;
pub use param::{Client, SayError};
pub use plugin::{ClientPlugin, ClientSystems, ClientTick, client_connected, client_connected_with};
pub use socket::AppSocket;
pub use state::{ClientState, ConnectionState, Stale, TaggedConnectionState};

use crate::AnyHost;

/// The client behind [`Client`]: that of `bowline`, over any transport and on any host.
pub type CoreClient<P> = bowline::Client<P, transport::BoxedClientTransport, AnyHost>;
