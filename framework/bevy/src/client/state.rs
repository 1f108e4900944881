use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use bevy_ecs::change_detection::Tick;
use bevy_ecs::prelude::{Component, Resource};
use bevy_state::state::{FreelyMutableState, States};
use bowline::{Phase, Protocol, StaleEntities};

use super::CoreClient;
use crate::{DefaultClientTag, Tag};

/// Where the app keeps a client. Systems ask for [`Client`](super::Client) instead; with this as `Res<ClientState<Arena>>`
/// several can look at the same time.
#[derive(Resource)]
pub struct ClientState<P: Protocol, T: Tag = DefaultClientTag> {
    pub(super) client: Box<CoreClient<P>>,
    pub(super) stale: StaleEntities,
    /// How many entities this client may write to.
    pub(super) writable: usize,
    /// When the server's word was last taken in: what changed then was no change of the game's.
    pub(super) applied: Option<Tick>,
    /// A tick that has been told by the client, and not yet to the game.
    pub(super) tick: Option<u32>,
    pub(super) phase: ConnectionState,
    tag: PhantomData<fn() -> T>,
}

/// Whether the client with the default tag is connected, as a state of the app: `OnEnter(ConnectionState::Connected)`,
/// `.run_if(in_state(ConnectionState::Connected))`. It changes in the turn in which the event is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub enum ConnectionState {
    /// There is no session, and none is being made; one may be made later by a `ReconnectPolicy`.
    #[default]
    Disconnected,
    /// The server has not decided yet.
    Connecting,
    /// Messages can travel.
    Connected,
}

/// [`ConnectionState`] of the client with any tag:
/// `in_state(TaggedConnectionState::<SecondPlayer>::new(ConnectionState::Connected))`.
pub struct TaggedConnectionState<T: Tag> {
    state: ConnectionState,
    tag: PhantomData<fn() -> T>,
}

/// Marks an entity that an old session has left behind, with `StaleEntities::Keep`: it is as it was then, and goes when its
/// place is taken, or with [`despawn_stale`](super::ClientCommands::despawn_stale).
#[derive(Component)]
pub struct Stale<T: Tag = DefaultClientTag>(PhantomData<fn() -> T>);

impl<P: Protocol, T: Tag> ClientState<P, T> {
    pub(super) fn new(client: CoreClient<P>, stale: StaleEntities) -> Self {
        Self {
            client: Box::new(client),
            stale,
            writable: 0,
            applied: None,
            tick: None,
            phase: ConnectionState::default(),
            tag: PhantomData,
        }
    }

    /// The client, to look at.
    #[must_use]
    pub fn client(&self) -> &CoreClient<P> {
        &self.client
    }

    /// Whether it is connected, by what has been told so far.
    #[must_use]
    pub const fn connection(&self) -> ConnectionState {
        self.phase
    }
}

impl From<Phase> for ConnectionState {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Disconnected => Self::Disconnected,
            Phase::PendingAuth => Self::Connecting,
            Phase::Connected => Self::Connected,
        }
    }
}

impl States for ConnectionState {}

impl FreelyMutableState for ConnectionState {}

impl<T: Tag> TaggedConnectionState<T> {
    /// This state of the client with the tag.
    #[must_use]
    pub const fn new(state: ConnectionState) -> Self {
        Self { state, tag: PhantomData }
    }

    /// The state, whoever's.
    #[must_use]
    pub const fn state(&self) -> ConnectionState {
        self.state
    }
}

impl<T: Tag> States for TaggedConnectionState<T> {}

impl<T: Tag> FreelyMutableState for TaggedConnectionState<T> {}

impl<T: Tag> Default for TaggedConnectionState<T> {
    fn default() -> Self {
        Self::new(ConnectionState::default())
    }
}

impl<T: Tag> Clone for TaggedConnectionState<T> {
    fn clone(&self) -> Self {
        Self::new(self.state)
    }
}

impl<T: Tag> PartialEq for TaggedConnectionState<T> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl<T: Tag> Eq for TaggedConnectionState<T> {}

impl<T: Tag> Hash for TaggedConnectionState<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}

impl<T: Tag> fmt::Debug for TaggedConnectionState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

impl<T: Tag> Stale<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Tag> fmt::Debug for Stale<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stale")
    }
}

impl<P: Protocol, T: Tag> fmt::Debug for ClientState<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientState").field("connection", &self.phase).finish_non_exhaustive()
    }
}
