use std::fmt;
use std::marker::PhantomData;

use bevy_ecs::prelude::{Component, Entity, Resource};
use bowline::{NetEntity, Protocol, UserId};

use super::CoreServer;
use crate::{DefaultServerTag, Tag};

/// Where the app keeps a server. Systems ask for [`Server`](super::Server) instead; with this as `Res<ServerState<Arena>>`
/// several can look at the same time.
#[derive(Resource)]
pub struct ServerState<P: Protocol, T: Tag = DefaultServerTag> {
    pub(crate) server: Box<CoreServer<P>>,
    pub(crate) is_listening: bool,
    /// The entities of users, by the users' slots, where the plugin was asked for them.
    pub(crate) users: Option<Vec<Option<Entity>>>,
    /// How many entities clients can write to: none, in most games.
    pub(crate) shared: usize,
    /// What is done by the next send.
    pub(super) pending: Vec<Pending>,
    /// A tick that has been told by the server, and not yet to the game.
    pub(super) tick: Option<u32>,
    tag: PhantomData<fn() -> T>,
}

/// What is done by the next send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    Pause(NetEntity, Entity),
    Resume(Entity),
}

/// A connected user as an entity, where the plugin was asked for them with
/// [`with_user_entities`](super::ServerPlugin::with_user_entities). It is there from `ConnectEvent` to `DisconnectEvent`; hang
/// on it what belongs to the user.
#[derive(Component)]
#[component(immutable)]
pub struct User<T: Tag = DefaultServerTag> {
    id: UserId,
    tag: PhantomData<fn() -> T>,
}

impl<P: Protocol, T: Tag> ServerState<P, T> {
    pub(super) fn new(server: CoreServer<P>, has_user_entities: bool) -> Self {
        Self {
            server: Box::new(server),
            is_listening: false,
            users: has_user_entities.then(Vec::new),
            shared: 0,
            pending: Vec::new(),
            tick: None,
            tag: PhantomData,
        }
    }

    /// The server, to look at.
    #[must_use]
    pub fn server(&self) -> &CoreServer<P> {
        &self.server
    }

    /// Whether it listens.
    #[must_use]
    pub const fn is_listening(&self) -> bool {
        self.is_listening
    }
}

impl<T: Tag> User<T> {
    pub(crate) const fn new(id: UserId) -> Self {
        Self { id, tag: PhantomData }
    }

    /// The user.
    #[must_use]
    pub const fn id(&self) -> UserId {
        self.id
    }
}

impl<P: Protocol, T: Tag> fmt::Debug for ServerState<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerState").field("is_listening", &self.is_listening).finish_non_exhaustive()
    }
}

impl<T: Tag> fmt::Debug for User<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("User").field(&self.id).finish()
    }
}
