use std::fmt;
use std::ops::{Deref, DerefMut};

use bevy_ecs::prelude::{Entity, Query, Res, ResMut};
use bevy_ecs::system::SystemParam;
use bowline::{
    Authority, CarriesRequests, ChannelOf, ConnectError, MessageOf, NetEntity, PendingResponse, Protocol,
    RequestOf, SendError, ToServer,
};

use super::socket::{AppSocket, boxed, inside};
use super::{ClientState, CoreClient};
use crate::{DefaultClientTag, EntityMap, NetId, Tag};

/// The client, for systems: `mut client: Client<Arena>`, or `Client<Arena, SecondPlayer>` of several. All that
/// `bowline::Client` can do is there; the plugin calls `receive`, `next_event` and `send`.
///
/// Observers that run because something of the server's lands in the world cannot have it: the plugin needs it then. Read
/// messages instead, or queue a command.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use bowline::prelude::{Channel, Message, Protocol};
/// use bowline_bevy::client::{Client, ConnectEvent};
///
/// #[derive(Message)]
/// pub struct Chat(String);
/// #[derive(Channel)]
/// #[channel(ordered_reliable, bidirectional)]
/// pub struct Talk;
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20, channels(Talk), messages(Chat))]
/// pub struct Arena;
///
/// fn greet(mut events: MessageReader<ConnectEvent>, mut client: Client<Arena>) -> Result {
///     for _ in events.read() {
///         client.send::<Talk>(Chat("ahoy".into()))?;
///     }
///     Ok(())
/// }
/// # bevy_app::App::new().add_systems(bevy_app::Update, greet);
/// ```
#[derive(SystemParam)]
pub struct Client<'w, 's, P: Protocol, T: Tag = DefaultClientTag> {
    state: ResMut<'w, ClientState<P, T>>,
    entities: Res<'w, EntityMap<T>>,
    ids: Query<'w, 's, &'static NetId<T>>,
}

/// Nothing can be said to the server: the client is not connected, or the message was refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SayError {
    /// There is no session.
    #[error(
        "the client is not connected; wait for `ConnectEvent`, or run the system `.run_if(client_connected::<P>)`"
    )]
    NotConnected,
    /// The message or request was not queued.
    #[error(transparent)]
    Refused(#[from] SendError),
}

impl<P: Protocol, T: Tag> Client<'_, '_, P, T> {
    /// Begins a fresh session over a socket of any transport, showing `auth` to the server. Events tell how it goes on.
    ///
    /// # Errors
    /// Where there is a session already, or the credentials are over a limit. Nothing has changed then.
    pub fn connect(&mut self, socket: impl AppSocket, auth: P::Auth) -> Result<(), ConnectError> {
        self.state.client.connect(boxed(socket), auth)
    }

    /// Queues a message for the server; it goes out at the end of this turn. To have a message back that was not sent, use
    /// `client.connected()`.
    ///
    /// # Errors
    /// Where the client is not connected, a field is over its limit, the message too large, or the channel's queue full.
    pub fn send<C: ChannelOf<P> + ToServer>(&mut self, message: impl MessageOf<P>) -> Result<(), SayError> {
        let mut connected = self.state.client.connected().ok_or(SayError::NotConnected)?;
        connected.send::<C>(message).map_err(|unsent| unsent.error.into())
    }

    /// Asks the server; the request goes out at the end of this turn. Keep what comes back, in a resource say, and poll it.
    ///
    /// # Errors
    /// As [`send`](Self::send), and where too many requests wait for an answer already.
    pub fn request<C: ChannelOf<P> + CarriesRequests, R: RequestOf<P>>(
        &mut self,
        request: R,
    ) -> Result<PendingResponse<R>, SayError> {
        let mut connected = self.state.client.connected().ok_or(SayError::NotConnected)?;
        connected.request::<C, R>(request).map_err(|unsent| unsent.error.into())
    }

    /// Whether it is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.client.phase() == bowline::Phase::Connected
    }

    /// The socket of the session, or of the last one, where it is of this type: to change its link conditioner, say.
    pub fn socket_mut<S: 'static>(&mut self) -> Option<&mut S> {
        inside(self.state.client.transport_mut()?)
    }

    /// The id of an entity of the server, or of this client's own: for a message that refers to it.
    #[must_use]
    pub fn net_id(&self, entity: Entity) -> Option<NetEntity> {
        self.ids.get(entity).ok().map(NetId::id)
    }

    /// The entity that an id stands for; `None` where it is not in sight.
    #[must_use]
    pub fn entity(&self, id: NetEntity) -> Option<Entity> {
        self.entities.entity(id)
    }

    /// How authority over an entity stands; `None` where there is none to be had.
    #[must_use]
    pub fn authority(&self, entity: Entity) -> Option<Authority> {
        self.state.client.entities().authority(self.net_id(entity)?)
    }
}

impl<P: Protocol, T: Tag> Deref for Client<'_, '_, P, T> {
    type Target = CoreClient<P>;

    fn deref(&self) -> &CoreClient<P> {
        &self.state.client
    }
}

impl<P: Protocol, T: Tag> DerefMut for Client<'_, '_, P, T> {
    fn deref_mut(&mut self) -> &mut CoreClient<P> {
        &mut self.state.client
    }
}

impl<P: Protocol, T: Tag> fmt::Debug for Client<'_, '_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}
