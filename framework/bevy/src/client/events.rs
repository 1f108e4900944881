//! What has happened to a client, as Bevy messages. The last type parameter of each is the client's tag.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bevy_ecs::prelude::{Entity, Message};
use bowline::{
    Asked, Authority, ChannelOf, DisconnectReason, NetEntity, Protocol, RejectReason, Unencodable,
};

use crate::messages::messages;
use crate::once::Once;
use crate::{DefaultClientTag, Tag};

/// The server asks something: [take](Self::take) the request and answer it with `client.connected()`, now or later. One that
/// nobody takes is refused after two turns.
#[derive(Message)]
pub struct RequestEvent<R: Send + Sync + 'static, T: Tag = DefaultClientTag> {
    /// By which channel it came: the channel's `INDEX`.
    pub channel: usize,
    asked: Once<Asked<R>>,
    tag: PhantomData<fn() -> T>,
}

impl<R: Send + Sync + 'static, T: Tag> RequestEvent<R, T> {
    pub(crate) const fn new(channel: usize, asked: Asked<R>) -> Self {
        Self { channel, asked: Once::new(asked), tag: PhantomData }
    }

    /// The request, and the right to answer it. The first who takes it has it; for all others there is none.
    pub fn take(&self) -> Option<Asked<R>> {
        self.asked.take()
    }

    /// Whether it came by this channel.
    #[must_use]
    pub fn came_by<P: Protocol, C: ChannelOf<P>>(&self) -> bool {
        self.channel == C::INDEX
    }
}

impl<R: Send + Sync + 'static, T: Tag> fmt::Debug for RequestEvent<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestEvent").finish_non_exhaustive()
    }
}

impl<M: Send + Sync + 'static, T: Tag> MessageEvent<M, T> {
    /// Whether it came by this channel, where a message of one type travels on several: `event.came_by::<Arena, Talk>()`.
    #[must_use]
    pub fn came_by<P: Protocol, C: ChannelOf<P>>(&self) -> bool {
        self.channel == C::INDEX
    }
}

messages! { DefaultClientTag;
    /// The server let the client in: messages can travel. What an old session has left behind is gone, or
    /// [`Stale`](super::Stale), by now.
    ConnectEvent {}

    /// The session has ended. What the server had shown stays until the next one begins, or until
    /// [`despawn_replicated`](super::ClientCommands::despawn_replicated).
    DisconnectEvent {
        /// Why, in words that a player could read.
        reason: DisconnectReason,
    }

    /// The server did not let the client in.
    RejectEvent {
        /// Why, in words that a player could read.
        reason: RejectReason,
    }

    /// The reconnect policy will try again.
    ReconnectingEvent {
        /// How many attempts have failed since there was a session.
        attempt: u32,
        /// How long until the next.
        after: Duration,
    }

    /// It is time for this tick of the client: send the inputs for it. It is ahead of the server's.
    TickEvent {
        /// Which.
        tick: u32,
    }

    /// The server has sent a message of this type.
    MessageEvent<M> {
        /// What.
        message: M,
        /// By which channel it came: the channel's `INDEX`.
        channel: usize,
    }

    /// An entity of the server has come into sight, with all its components.
    SpawnEntityEvent {
        /// The entity, marked [`Remote`](crate::Remote).
        entity: Entity,
        /// Its id.
        id: NetEntity,
    }

    /// An entity of the server is gone, or out of sight, and has been despawned.
    DespawnEntityEvent {
        /// What it was here.
        entity: Entity,
        /// Its id.
        id: NetEntity,
    }

    /// An entity has a component that it did not have.
    InsertComponentEvent<C> {
        /// Whose.
        entity: Entity,
        #[doc(hidden)]
        component: std::marker::PhantomData<fn() -> C>,
    }

    /// The server has changed a component.
    UpdateComponentEvent<C> {
        /// Whose.
        entity: Entity,
        /// The server's tick when it was sent. The change is of that tick or, where a packet was lost, of one before.
        tick: u32,
        #[doc(hidden)]
        component: std::marker::PhantomData<fn() -> C>,
    }

    /// The server has taken a component off.
    RemoveComponentEvent<C> {
        /// Whose.
        entity: Entity,
        /// What it was.
        component: C,
    }

    /// There is a resource of the server that was not there.
    InsertResourceEvent<R> {
        #[doc(hidden)]
        resource: std::marker::PhantomData<fn() -> R>,
    }

    /// The server has changed a resource.
    UpdateResourceEvent<R> {
        /// The server's tick when it was sent.
        tick: u32,
        #[doc(hidden)]
        resource: std::marker::PhantomData<fn() -> R>,
    }

    /// A resource of the server is gone.
    RemoveResourceEvent<R> {
        /// What it was.
        resource: R,
    }

    /// Authority over an entity stands otherwise than before, for this client.
    AuthorityEvent {
        /// Over which.
        entity: Entity,
        /// Its id.
        id: NetEntity,
        /// How it stands now; `None` where there is none to be had any more.
        authority: Option<Authority>,
    }

    /// A component that this client writes to has a value that cannot travel. The server sees the one before it.
    UnencodableEvent {
        /// Which, and why.
        failure: Unencodable,
        /// Whose it is.
        entity: Option<Entity>,
    }
}
