use std::fmt;
use std::ops::{Deref, DerefMut};

use bevy_ecs::prelude::{Entity, Query, Res, ResMut};
use bevy_ecs::system::SystemParam;
use bowline::transport::{BoxedTransport, PackAddress, Transport};
use bowline::{NetEntity, Protocol, UserId};

use super::{CoreServer, ServerState};
use crate::{DefaultServerTag, EntityMap, NetId, Tag};

/// The server, for systems: `mut server: Server<Arena>`. All that `bowline::Server` can do is there; the plugin calls
/// `receive`, `next_event` and `send`.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use bowline::prelude::{Channel, Message, Protocol};
/// use bowline_bevy::server::{Audience, MessageEvent, Server};
///
/// #[derive(Message, Clone)]
/// pub struct Chat(String);
/// #[derive(Channel)]
/// #[channel(ordered_reliable, bidirectional)]
/// pub struct Talk;
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20, channels(Talk), messages(Chat))]
/// pub struct Arena;
///
/// fn repeat(mut chats: MessageReader<MessageEvent<Chat>>, mut server: Server<Arena>) {
///     for chat in chats.read() {
///         let others = Audience::all().except(std::slice::from_ref(&chat.user));
///         // Who has not read for long misses it.
///         let _ = server.broadcast::<Talk>(others, chat.message.clone(), |_user, _error| ());
///     }
/// }
/// # bevy_ecs::system::assert_is_system(repeat);
/// ```
#[derive(SystemParam)]
pub struct Server<'w, 's, P: Protocol, T: Tag = DefaultServerTag> {
    state: ResMut<'w, ServerState<P, T>>,
    entities: Res<'w, EntityMap<T>>,
    ids: Query<'w, 's, &'static NetId<T>>,
}

impl<P: Protocol, T: Tag> Server<'_, '_, P, T> {
    /// Listens, with a socket of any transport, or a tuple of two. Ticks are counted from here. A socket that was listened on
    /// before is dropped.
    pub fn listen(&mut self, socket: impl Transport<Address: PackAddress> + Send + 'static) {
        self.state.server.listen(BoxedTransport::new(socket));
        self.state.is_listening = true;
    }

    /// Whether it listens.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.state.is_listening
    }

    /// The socket that it listens on, where it is of this type: to change its link conditioner, say.
    pub fn socket_mut<S: 'static>(&mut self) -> Option<&mut S> {
        self.state.server.transport_mut()?.downcast_mut()
    }

    /// The id of an entity that is replicated, for a message or a component that refers to it. `None` until the end of the
    /// commands that have spawned it.
    #[must_use]
    pub fn net_id(&self, entity: Entity) -> Option<NetEntity> {
        self.ids.get(entity).ok().map(NetId::id)
    }

    /// The entity that an id stands for; `None` where it is gone.
    #[must_use]
    pub fn entity(&self, id: NetEntity) -> Option<Entity> {
        self.entities.entity(id)
    }

    /// The [`User`](super::User) entity of a user; `None` where the plugin was not asked for them, or the user is gone.
    #[must_use]
    pub fn user_entity(&self, user: UserId) -> Option<Entity> {
        self.state.users.as_ref()?.get(user.slot()).copied().flatten().filter(|_| self.user(user).is_some())
    }
}

impl<P: Protocol, T: Tag> Deref for Server<'_, '_, P, T> {
    type Target = CoreServer<P>;

    fn deref(&self) -> &CoreServer<P> {
        &self.state.server
    }
}

impl<P: Protocol, T: Tag> DerefMut for Server<'_, '_, P, T> {
    fn deref_mut(&mut self) -> &mut CoreServer<P> {
        &mut self.state.server
    }
}

impl<P: Protocol, T: Tag> fmt::Debug for Server<'_, '_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}
