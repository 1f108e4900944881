//! Bowline for Bevy: a server and any number of clients as plugins, and the Bevy world replicated as it is.
//!
//! A component that derives `Component` and `Replicate`, and that the protocol lists, is replicated on every entity that is
//! marked [`Replicated`]. Nothing is wrapped: Bevy's own change detection finds what has changed. On a client the entities
//! of the server are Bevy entities with the same components, marked [`Remote`].
//!
//! | on a server | on a client | |
//! |---|---|---|
//! | [`server::ServerPlugin`] | [`client::ClientPlugin`] | what is added to the app |
//! | [`server::Server`] | [`client::Client`] | a system parameter with everything that `bowline` can do |
//! | [`server::ConnectEvent`] and others | [`client::ConnectEvent`] and others | what has happened, as Bevy messages |
//! | [`server::ServerTick`] | [`client::ClientTick`] | the schedule that runs once for each tick |
//! | [`ServerSystems`](server::ServerSystems) | [`ClientSystems`](client::ClientSystems) | the sets, in their order |
//!
//! One `App::update` is one turn: what has arrived is taken in, the game runs, what has changed goes out.
//!
//! ```text
//! PreUpdate           Receive       the datagrams that have arrived
//!                     WorldEvents   entities, components, resources and messages are in the world, their events written
//! StateTransition                   OnEnter(ConnectionState::Connected) and its likes
//! RunFixedMainLoop    TickEvents    for each tick: its inputs, TickEvent, then the schedule of ticks
//! Update              Update        the game
//! PostUpdate          Send          what has changed is found, and packets leave
//! ```
//!
//! The smallest server, here with a client in the same app:
//!
//! ```
//! use bevy_app::{App, Startup, Update};
//! use bevy_ecs::prelude::*;
//! use bowline::prelude::{Channel, Message, Protocol, Replicate};
//! use bowline_bevy::{Replicated, client, server};
//!
//! #[derive(Component, Replicate, Clone, Debug, PartialEq)]
//! pub struct Position {
//!     pub x: f32,
//!     pub y: f32,
//! }
//!
//! #[derive(Protocol)]
//! #[protocol(tick_rate = 20, components(Position))]
//! pub struct Arena;
//!
//! # #[cfg(all(feature = "client", feature = "server", feature = "transport_local"))]
//! # fn main() {
//! use bowline_bevy::client::{Client, ClientConfig, ClientPlugin};
//! use bowline_bevy::server::transport::local;
//! use bowline_bevy::server::{ReplicationCommands as _, Server, ServerConfig, ServerPlugin};
//!
//! let hub = local::Hub::new();
//! let (here, there) = (hub.clone(), hub);
//! let mut app = App::new();
//! app.add_plugins((
//!     ServerPlugin::<Arena>::new(ServerConfig::default()),
//!     ClientPlugin::<Arena>::new(ClientConfig::default()),
//! ));
//! app.add_systems(Startup, move |mut server: Server<Arena>, mut client: Client<Arena>| {
//!     let socket = here.server(server.socket_config()).expect("nobody else listens");
//!     server.listen(socket);
//!     let socket = there.client(client.socket_config());
//!     client.connect(socket, ()).expect("it is not connected yet");
//! });
//! app.add_systems(Update, |mut events: MessageReader<server::AuthEvent<Arena>>| {
//!     for ticket in events.read().filter_map(server::AuthEvent::take) {
//!         ticket.accept();
//!     }
//! });
//! app.add_systems(Update, |
//!     mut events: MessageReader<server::ConnectEvent>,
//!     mut server: Server<Arena>,
//!     mut commands: Commands,
//! | {
//!     for event in events.read() {
//!         let room = server.create_room();
//!         server.room_mut(room).add_user(event.user);
//!         commands.spawn((Position { x: 1.0, y: 2.0 }, Replicated)).enter_room(room);
//!     }
//! });
//!
//! let mut seen = app.world_mut().query_filtered::<&Position, With<bowline_bevy::Remote>>();
//! while seen.single(app.world()).is_err() {
//!     app.update();
//! }
//! # }
//! # #[cfg(not(all(feature = "client", feature = "server", feature = "transport_local")))]
//! # fn main() {}
//! ```

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "client")]
pub mod client;
mod host;
mod ids;
mod items;
#[cfg(any(feature = "client", feature = "server"))]
mod messages;
#[cfg(any(feature = "client", feature = "server"))]
mod once;
#[cfg(feature = "server")]
pub mod server;
#[cfg(any(feature = "client", feature = "server"))]
mod ticks;

pub use bowline;
pub use bowline::NetEntity;
pub use host::AnyHost;
pub(crate) use ids::ServesHere;
pub use ids::{ClientOwned, EntityMap, NetId, Remote, Replicated};
pub use items::{BevyProtocol, ComponentTree, ResourceTree};

/// Tells the servers and clients of one app apart: a type of its own for each. Any type will do.
///
/// ```
/// use bowline_bevy::Tag;
///
/// /// The client of the second player at one screen.
/// struct SecondPlayer;
///
/// fn is_a_tag<T: Tag>() {}
/// is_a_tag::<SecondPlayer>();
/// ```
pub trait Tag: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Tag for T {}

/// The [`Tag`] of a server where none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct DefaultServerTag;

/// The [`Tag`] of a client where none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct DefaultClientTag;
