//! A server in a Bevy app.
//!
//! ```
//! use bevy_app::App;
//! use bowline::prelude::Protocol;
//! use bowline_bevy::server::{ServerConfig, ServerPlugin};
//!
//! #[derive(Protocol)]
//! #[protocol(tick_rate = 20)]
//! pub struct Arena;
//!
//! let mut app = App::new();
//! app.add_plugins(ServerPlugin::<Arena>::new(ServerConfig::default()));
//! ```

mod commands;
mod events;
mod items;
mod param;
mod plugin;
mod state;
mod turn;

pub use bowline::transport;
pub use bowline::{Approval, Audience, RoomId, ScopeExit, ServerConfig, UserId, WriteRule};
pub use commands::{EntityChange, NotReplicated, ReplicationCommands};
pub use events::{
    AuthEvent, AuthorityEvent, ConnectEvent, DespawnEntityEvent, DisconnectEvent, InputEvent,
    InsertComponentEvent, MessageEvent, RejectEvent, RemoveComponentEvent, RequestEvent, SpawnEntityEvent,
    TickEvent, UnencodableEvent, UpdateComponentEvent,
};
pub use items::ServerItems;
pub use param::Server;
pub use plugin::{ServerPlugin, ServerSystems, ServerTick, server_listening, server_listening_with};
pub use state::{ServerState, User};

use crate::AnyHost;

/// The server behind [`Server`]: that of `bowline`, over any transport and on any host.
pub type CoreServer<P> = bowline::Server<P, transport::BoxedTransport, AnyHost>;
