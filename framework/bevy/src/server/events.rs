//! What has happened to a server, as Bevy messages.

use std::fmt;
use std::marker::PhantomData;

use bevy_ecs::prelude::{Entity, Message};
use bowline::transport::AnyAddress;
use bowline::{
    Asked, AuthTicket, ChannelOf, ConnectionStats, DisconnectReason, NetEntity, Protocol, RejectReason,
    Unencodable, UserId,
};

use crate::messages::messages;
use crate::once::Once;
use crate::{DefaultServerTag, Tag};

/// A client shows its credentials: [take](Self::take) the ticket, look at them and decide, now or later. A ticket that nobody
/// takes is dropped, and so refused, after two turns.
#[derive(Message)]
pub struct AuthEvent<P: Protocol, T: Tag = DefaultServerTag> {
    ticket: Once<AuthTicket<P, AnyAddress>>,
    tag: PhantomData<fn() -> T>,
}

impl<P: Protocol, T: Tag> AuthEvent<P, T> {
    pub(crate) const fn new(ticket: AuthTicket<P, AnyAddress>) -> Self {
        Self { ticket: Once::new(ticket), tag: PhantomData }
    }

    /// The ticket. The first who takes it has it; for all others there is none.
    pub fn take(&self) -> Option<AuthTicket<P, AnyAddress>> {
        self.ticket.take()
    }
}

impl<P: Protocol, T: Tag> fmt::Debug for AuthEvent<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthEvent").finish_non_exhaustive()
    }
}

/// A user asks something: [take](Self::take) the request and answer it with `server.respond`, now or later. One that nobody
/// takes is refused after two turns.
#[derive(Message)]
pub struct RequestEvent<R: Send + Sync + 'static, T: Tag = DefaultServerTag> {
    /// Who asks.
    pub user: UserId,
    /// By which channel it came: the channel's `INDEX`.
    pub channel: usize,
    asked: Once<Asked<R>>,
    tag: PhantomData<fn() -> T>,
}

impl<R: Send + Sync + 'static, T: Tag> RequestEvent<R, T> {
    pub(crate) const fn new(user: UserId, channel: usize, asked: Asked<R>) -> Self {
        Self { user, channel, asked: Once::new(asked), tag: PhantomData }
    }

    /// The request, and the right to answer it. The first who takes it has it; for all others there is none.
    pub fn take(&self) -> Option<Asked<R>> {
        self.asked.take()
    }
}

impl<R: Send + Sync + 'static, T: Tag> fmt::Debug for RequestEvent<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestEvent").field("user", &self.user).finish_non_exhaustive()
    }
}

impl<M: Send + Sync + 'static, T: Tag> MessageEvent<M, T> {
    /// Whether it came by this channel, where a message of one type travels on several: `event.came_by::<Arena, Talk>()`.
    #[must_use]
    pub fn came_by<P: Protocol, C: ChannelOf<P>>(&self) -> bool {
        self.channel == C::INDEX
    }
}

impl<R: Send + Sync + 'static, T: Tag> RequestEvent<R, T> {
    /// Whether it came by this channel.
    #[must_use]
    pub fn came_by<P: Protocol, C: ChannelOf<P>>(&self) -> bool {
        self.channel == C::INDEX
    }
}

messages! { DefaultServerTag;
    /// A user is in. Before this there is no message of it.
    ConnectEvent {
        /// Who.
        user: UserId,
        /// Its [`User`](super::User) entity, where the plugin was asked for them.
        entity: Option<Entity>,
    }

    /// A user is gone, and everything of it: rooms, entities of its own, its [`User`](super::User) entity.
    DisconnectEvent {
        /// Who. The id will never mean another user.
        user: UserId,
        /// Why.
        reason: DisconnectReason,
        /// Where it was last.
        address: AnyAddress,
        /// What its connection did.
        stats: Box<ConnectionStats>,
    }

    /// A client did not get in, for a reason that was not the application's: another protocol, a full server, a decision that
    /// never came.
    RejectEvent {
        /// Why.
        reason: RejectReason,
        /// Where it called from.
        address: AnyAddress,
    }

    /// It is time for this tick. All its inputs have been told.
    TickEvent {
        /// Which.
        tick: u32,
    }

    /// A user has sent a message of this type.
    MessageEvent<M> {
        /// Who.
        user: UserId,
        /// What.
        message: M,
        /// By which channel it came: the channel's `INDEX`.
        channel: usize,
    }

    /// A user has sent a message on a tick-buffered channel, for the tick that comes next.
    InputEvent<M> {
        /// Who.
        user: UserId,
        /// For which tick.
        tick: u32,
        /// What.
        message: M,
    }

    /// A client has spawned an entity of its own; its components are there.
    SpawnEntityEvent {
        /// Whose.
        user: UserId,
        /// The entity, marked [`ClientOwned`](crate::ClientOwned).
        entity: Entity,
        /// Its id.
        id: NetEntity,
    }

    /// A client has despawned an entity of its own. Its components are gone.
    DespawnEntityEvent {
        /// Whose.
        user: UserId,
        /// What it was here.
        entity: Entity,
        /// Its id.
        id: NetEntity,
    }

    /// A client has given an entity of its own a component.
    InsertComponentEvent<C> {
        /// Whose.
        user: UserId,
        /// The entity.
        entity: Entity,
        #[doc(hidden)]
        component: std::marker::PhantomData<fn() -> C>,
    }

    /// A client has changed a component of an entity of its own, or one that it has authority over.
    UpdateComponentEvent<C> {
        /// Whose.
        user: UserId,
        /// The entity.
        entity: Entity,
        /// The client's tick when it was sent.
        tick: u32,
        #[doc(hidden)]
        component: std::marker::PhantomData<fn() -> C>,
    }

    /// A client has taken a component off an entity of its own.
    RemoveComponentEvent<C> {
        /// Whose.
        user: UserId,
        /// The entity.
        entity: Entity,
        #[doc(hidden)]
        component: std::marker::PhantomData<fn() -> C>,
    }

    /// A user asks for authority over an entity that was delegated with `Approval::Ask`: answer with
    /// [`give_authority`](super::ReplicationCommands::give_authority) or `server.deny_authority`, now or later.
    AuthorityEvent {
        /// Who asks.
        user: UserId,
        /// Over which entity.
        entity: Entity,
        /// Its id.
        id: NetEntity,
    }

    /// A component or resource has a value that cannot travel, because a field is over its limit. Others see the one before
    /// it.
    UnencodableEvent {
        /// Which, and why.
        failure: Unencodable,
        /// Whose it is; `None` where it is a resource.
        entity: Option<Entity>,
    }
}
