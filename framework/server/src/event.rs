use std::fmt;

use bowline_core::{ConnectionStats, DisconnectReason, NetEntity, Protocol, RejectReason};
use bowline_replication::{EntityEvent, Unencodable};

use crate::{AuthTicket, UserId};

/// What has happened to a server. `A` is the address type of its transport.
#[non_exhaustive]
pub enum ServerEvent<P: Protocol, A> {
    /// A client whose address is proved and whose protocol is ours shows its credentials. Decide now or later, at
    /// most `doorway.decision_timeout` later; a ticket that is dropped is refused.
    AuthRequested(AuthTicket<P, A>),
    /// A user is in. Before this there is no [`Message`](Self::Message) of it, and no
    /// [`Disconnected`](Self::Disconnected).
    Connected(UserId),
    /// A message of a user.
    Message(UserId, P::Message),
    /// A request of a user, to be answered now or later: see [`Responder`](bowline_core::Responder).
    Request(UserId, P::Requested),
    /// A message of a user on a tick-buffered channel, made for the tick whose [`Tick`](Self::Tick) comes next. Those of one
    /// user come in the order of sending; those of several in a stable order of the users.
    Input {
        /// Whose.
        user: UserId,
        /// For which tick.
        tick: u32,
        /// The message.
        message: P::Message,
    },
    /// A user has done something to an entity that it owns or has authority over. The server's
    /// [`world`](crate::Server::world) shows it already. What goes with a user that disconnects has no events.
    Entity(UserId, EntityEvent<P>),
    /// A user asks for authority over an entity that was delegated with
    /// [`Approval::Ask`](bowline_replication::Approval::Ask): answer with
    /// [`grant_authority`](crate::Server::grant_authority) or [`deny_authority`](crate::Server::deny_authority), now or later.
    AuthorityRequested {
        /// Who asks.
        user: UserId,
        /// Over which entity.
        entity: NetEntity,
    },
    /// A component or resource was given a value that cannot travel, because a field is over its limit. Others see the one
    /// before it. Found by [`send`](crate::Server::send), told by the next [`receive`](crate::Server::receive).
    Unencodable(Unencodable),
    /// It is time for this tick: simulate. All inputs for it have come, or will not.
    Tick(u32),
    /// A user is gone, and everything of it. The id will never mean another user.
    Disconnected(Departure<A>),
    /// A client did not get in, for a reason that was not the application's: another protocol, a full server, a
    /// decision that never came.
    Rejected(Rejection<A>),
}

/// A user that is gone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Departure<A> {
    /// Who.
    pub user: UserId,
    /// Where it was last.
    pub address: A,
    /// Why.
    pub reason: DisconnectReason,
    /// What its connection did.
    pub stats: Box<ConnectionStats>,
}

/// A client that did not get in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rejection<A> {
    /// Where it called from.
    pub address: A,
    /// Why.
    pub reason: RejectReason,
}

impl<P: Protocol, A: fmt::Debug> fmt::Debug for ServerEvent<P, A>
where
    P::Message: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthRequested(ticket) => f.debug_tuple("AuthRequested").field(ticket).finish(),
            Self::Connected(user) => f.debug_tuple("Connected").field(user).finish(),
            Self::Message(user, message) => f.debug_tuple("Message").field(user).field(message).finish(),
            Self::Request(user, requested) => f.debug_tuple("Request").field(user).field(requested).finish(),
            Self::Input { user, tick, message } => f
                .debug_struct("Input")
                .field("user", user)
                .field("tick", tick)
                .field("message", message)
                .finish(),
            Self::Entity(user, event) => write!(f, "{event:?} by {user}"),
            Self::AuthorityRequested { user, entity } => {
                f.debug_struct("AuthorityRequested").field("user", user).field("entity", entity).finish()
            }
            Self::Unencodable(failure) => f.debug_tuple("Unencodable").field(failure).finish(),
            Self::Tick(tick) => f.debug_tuple("Tick").field(tick).finish(),
            Self::Disconnected(departure) => f.debug_tuple("Disconnected").field(departure).finish(),
            Self::Rejected(rejection) => f.debug_tuple("Rejected").field(rejection).finish(),
        }
    }
}
