//! Real-time multiplayer networking: typed connections over any datagram transport.
//!
//! A game's messages, channels and credentials are a [`Protocol`], derived and checked at compile time. A
//! [`Server`] and its [`Client`]s speak it over a transport that a Cargo feature and one value choose; nothing else in
//! the program changes. The book tells the story from the beginning.
//!
//! | feature | what it adds |
//! |---|---|
//! | `transport_local` (default) | [`transport::local`]: in-process queues |
//! | `transport_udp` | `transport::udp`: one UDP socket |
//! | `transport_webrtc` | `transport::webrtc`: native and browser clients, encrypted |
//! | `tokio` | `driver`: servers and tools that sleep until something happens |
//! | `tracing` | the story of every connection, as events of `tracing` |
//! | `metrics` | figures of servers and clients for the `metrics` facade |
//! | `glam` | vectors, and quaternions in their smallest-three form |
//! | `zstd` | `compression`: smaller packets, with a dictionary trained from recorded ones |
//!
//! ```
//! use bowline::prelude::*;
//! use bowline::transport::local;
//!
//! #[derive(Message, Clone, Debug, PartialEq)]
//! pub struct Chat {
//!     #[wire(max_len = 256)]
//!     pub text: String,
//! }
//!
//! #[derive(Channel)]
//! #[channel(ordered_reliable, bidirectional)]
//! pub struct Talk;
//!
//! #[derive(Protocol)]
//! #[protocol(tick_rate = 20, channels(Talk), messages(Chat))]
//! pub struct Arena;
//!
//! let hub = local::Hub::new();
//! let mut server = Server::<Arena, _>::new(ServerConfig::default());
//! server.listen(hub.server(server.socket_config())?);
//! let mut client = Client::<Arena, _>::new(ClientConfig::default());
//! client.connect(hub.client(client.socket_config()), ())?;
//!
//! let heard = 'game: loop {
//!     server.receive();
//!     while let Some(event) = server.next_event() {
//!         match event {
//!             ServerEvent::AuthRequested(ticket) => ticket.accept(),
//!             ServerEvent::Message(_user, ArenaMessage::Chat(chat)) => break 'game chat.text,
//!             _ => {}
//!         }
//!     }
//!     server.send();
//!
//!     client.receive();
//!     while let Some(event) = client.next_event() {
//!         if let (ClientEvent::Connected, Some(mut connected)) = (event, client.connected()) {
//!             connected.send::<Talk>(Chat { text: "ahoy".into() })?;
//!         }
//!     }
//!     client.send();
//! };
//! assert_eq!(heard, "ahoy");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use bowline_client::{
    ClientConfig, ClientEvent, ConnectFailed, ConnectedClient, Predicted, Progress, Reconciled,
    ReconnectPolicy, Snapshots, TickStats,
};
pub use bowline_core::connection::{ConnectError, Freight, Incoming, encode_auth as credentials};
pub use bowline_core::handshake::DoorwayConfig;
#[doc(hidden)]
pub use bowline_core::protocol::{Both, ItemVisitor, MessageVisitor, One, RequestVisitor};
pub use bowline_core::protocol::{Difference, Direction, Family, ItemKind, Mismatch, Mode};
pub use bowline_core::{
    AppText, Around, Asked, BitReader, BitWriter, CarriesRequests, Channel, ChannelOf, ChannelStats, Clock,
    ComponentOf, CompressionState, Connected, ConnectionConfig, ConnectionStats, DecodeError,
    DisconnectReason, Disconnected, EncodeError, EncodeErrorKind, Entropy, FieldMask, Host, InputReport,
    Instant, Interpolate, ManualClock, Message, MessageOf, Mutable, NetEntity, PendingAuth, PendingResponse,
    Phase, Protocol, ProtocolId, References, RejectReason, Replicate, Request, RequestError, RequestOf,
    ResourceOf, Responder, RoundTrip, Schema, SeededEntropy, SendError, SendErrorKind, SendRate, TickHistory,
    TickTime, ToClient, ToServer, Unanswered, Unsent, Wire,
};
pub use bowline_macros::{Channel, Message, Protocol, Replicate, Request, Wire};
pub use bowline_platform::{OsEntropy, SystemClock};
pub use bowline_replication::{
    Approval, Authority, Bundle, Changes, ClientSide, EntityEvent, MAX_ENTITIES, Mut, NoEntityId, Query,
    ServerSide, StaleEntities, TooManyEntities, Unencodable, UnencodableError, World, WorldSink, WorldSource,
    WriteRule,
};
pub use bowline_server::{
    Audience, AuthRequest, AuthTicket, Authenticate, Departure, EntityMut, Grid, Moment, Past, Rejection,
    RoomId, RoomMut, ScopeExit, ScopeMut, ServerConfig, ServerEvent, UserId, UserInfo, admission,
    async_trait,
};

/// [`bowline_server::Server`] on the clock and the randomness of this machine, unless another host is named.
pub type Server<P, T, H = SystemClock> = bowline_server::Server<P, T, H>;

/// [`bowline_client::Client`] on the clock and the randomness of this machine, unless another host is named.
pub type Client<P, T, H = SystemClock> = bowline_client::Client<P, T, H>;

/// [`bowline_client::Session`] on the clock and the randomness of this machine, unless another host is named.
pub type Session<S, P, T, H = SystemClock> = bowline_client::Session<S, P, T, H>;

pub mod transport {
    //! Where datagrams come from and go to: the traits, the middleware, and the transports that features choose.

    pub use bowline_core::transport::{
        Address, AddressBytes, Admission, AnyAddress, Applicant, Bandwidth, BoxedClientTransport, BoxedError,
        BoxedTransport, BurstLoss, ClientTransport, Conditioned, DEFAULT_MAX_DATAGRAM, Datagram, Either,
        EitherError, LaneStatistics, LinkConditionerConfig, LinkProfile, LinkStatistics, PackAddress,
        Readiness, Security, SocketConfig, Transport, TransportError, TransportErrorKind, conformance,
    };

    #[cfg(feature = "transport_local")]
    pub use bowline_local as local;
    #[cfg(feature = "transport_udp")]
    pub use bowline_udp as udp;
    #[cfg(feature = "transport_webrtc")]
    pub use bowline_webrtc as webrtc;
}

#[cfg(feature = "zstd")]
pub use bowline_core::compression;

#[cfg(feature = "tokio")]
pub mod driver {
    //! The async driver: `server.run(handler).await` on a Tokio runtime, which sleeps until something happens.
    //!
    //! ```
    //! use std::ops::ControlFlow;
    //! use bowline::prelude::*;
    //!
    //! #[derive(Message)]
    //! struct Ping;
    //! #[derive(Channel)]
    //! #[channel(ordered_reliable, bidirectional)]
    //! struct Talk;
    //! #[derive(Protocol)]
    //! #[protocol(tick_rate = 20, channels(Talk), messages(Ping))]
    //! struct Game;
    //!
    //! # #[cfg(feature = "transport_local")]
    //! async fn answer_one(hub: bowline::transport::local::Hub) -> ControlFlow<UserId> {
    //!     let mut server = Server::<Game, _>::new(ServerConfig::default());
    //!     server.listen(hub.server(server.socket_config()).expect("nobody else listens"));
    //!     server.run(|server, event| match event {
    //!         ServerEvent::AuthRequested(ticket) => {
    //!             ticket.accept();
    //!             ControlFlow::Continue(())
    //!         }
    //!         ServerEvent::Message(user, GameMessage::Ping(ping)) => {
    //!             server.send_to::<Talk>(user, ping).expect("the queue has room");
    //!             ControlFlow::Break(user)
    //!         }
    //!         _ => ControlFlow::Continue(()),
    //!     }).await
    //! }
    //! ```

    pub use bowline_platform::{Drive, Flow, readable_or_deadline};
}

pub use bowline_core::transport_conformance;

pub mod prelude {
    //! What most files of a game need: `use bowline::prelude::*;`.

    #[cfg(feature = "tokio")]
    pub use crate::driver::Drive as _;
    pub use crate::transport::{
        ClientTransport, Conditioned, LinkConditionerConfig, SocketConfig, Transport,
    };
    pub use crate::{
        Approval, Asked, Audience, AuthTicket, Authority, Bundle, Client, ClientConfig, ClientEvent,
        Connected, ConnectionStats, DisconnectReason, Disconnected, EntityEvent, Grid, NoEntityId,
        PendingAuth, PendingResponse, Phase, Progress, ReconnectPolicy, RejectReason, RequestError,
        Responder, RoomId, ScopeExit, SendError, Server, ServerConfig, ServerEvent, Session, StaleEntities,
        SystemClock, TooManyEntities, Unsent, UserId, World, WriteRule,
    };
    pub use crate::{
        CarriesRequests, ChannelOf, ComponentOf, MessageOf, Mutable, NetEntity, ProtocolId, RequestOf,
        ResourceOf, ToClient, ToServer,
    };
    pub use crate::{Channel, Message, Protocol, Replicate, Request, Wire};
}

/// What generated code names. Not part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    // Under these names a user may have types of their own.
    pub use core::clone::Clone;
    pub use core::cmp::{Eq, Ord, PartialEq, PartialOrd};
    pub use core::convert::From;
    pub use core::default::Default;
    pub use core::fmt::{self, Debug, Formatter};
    pub use core::hash::Hash;
    pub use core::marker::{Copy, Send, Sync};
    pub use core::ops::FnMut;
    pub use core::option::Option::{self, None, Some};
    pub use core::primitive::{bool, f64, i128, str, u16, u32, usize};
    pub use core::result::Result::{self, Ok};

    pub use bowline_core::protocol::{
        Both, CarriesRequests, Channel, ChannelOf, ChannelSpec, ComponentOf, Direction, Family, FieldMask,
        ItemSchema, ItemVisitor, Message, MessageOf, MessageVisitor, Mode, Mutable, NetEntity, One, Protocol,
        ProtocolSchema, References, Replicate, Request, RequestOf, RequestSchema, RequestVisitor, ResourceOf,
        Tag, ToClient, ToServer,
    };
    pub use bowline_core::{AnyResponder, Asked};
    pub use bowline_wire::{
        BitReader, BitWriter, DecodeError, EncodeError, Field, FixedBits, LengthLimited, Quantize, Quantizer,
        RangeSpec, RangedInt, Schema, Variant, Wire, length_bits, variant,
    };

    /// Thin functions that keep generated code short.
    pub mod derive {
        pub use bowline_core::protocol::derive::*;
        pub use bowline_wire::derive::*;
    }
}
