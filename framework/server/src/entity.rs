use std::fmt;

use bowline_core::{ComponentOf, Mutable, NetEntity, Protocol};
use bowline_replication::{Approval, Mut, ServerSide};

use crate::RoomId;
use crate::rooms::Rooms;

/// An entity, to change it: what [`Server::entity_mut`](crate::Server::entity_mut) gives.
pub struct EntityMut<'a, P: Protocol> {
    pub(crate) replication: &'a mut ServerSide<P>,
    pub(crate) rooms: &'a Rooms,
    pub(crate) entity: NetEntity,
}

impl<P: Protocol> EntityMut<'_, P> {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> NetEntity {
        self.entity
    }

    /// A component; `None` where it has none.
    #[must_use]
    pub fn component<C: ComponentOf<P>>(&self) -> Option<&C> {
        self.replication.world().component(self.entity)
    }

    /// A component, to be changed: what is written to is sent, and what comes out as it was is not.
    pub fn component_mut<C: ComponentOf<P> + Mutable>(&mut self) -> Option<Mut<'_, C>> {
        self.replication.world_mut().component_mut(self.entity)
    }

    /// Gives it a component, or another value of one that it has; the old value comes back.
    pub fn insert<C: ComponentOf<P>>(&mut self, component: C) -> Option<C> {
        self.replication.insert(self.entity, component).0
    }

    /// Takes a component away.
    pub fn remove<C: ComponentOf<P>>(&mut self) -> Option<C> {
        self.replication.remove(self.entity)
    }

    /// It is gone.
    pub fn despawn(self) {
        self.replication.despawn(self.entity);
    }

    /// Puts it into a room: those in the room come to see it. `false` where it is in already, or the room is closed.
    pub fn enter_room(&mut self, room: RoomId) -> bool {
        self.rooms.is_open(room) && self.replication.enter_room(room.slot(), self.entity)
    }

    /// Takes it out of a room; `false` where it was not in.
    pub fn leave_room(&mut self, room: RoomId) -> bool {
        self.rooms.is_open(room) && self.replication.leave_room(room.slot(), self.entity)
    }

    /// What it is when it is first sent, it stays: later changes are not sent, and not even looked for. For scenery.
    pub fn make_static(&mut self) -> &mut Self {
        self.replication.make_static(self.entity);
        self
    }

    /// Changes are not sent until it is [resumed](Self::resume). Who comes to see it meanwhile sees it as it is then.
    pub fn pause(&mut self) -> &mut Self {
        self.replication.pause(self.entity);
        self
    }

    /// Changes are sent again, those since it was paused too.
    pub fn resume(&mut self) -> &mut Self {
        self.replication.resume(self.entity);
        self
    }

    /// What becomes of it on a client that does not see it any more.
    pub fn on_scope_exit(&mut self, exit: ScopeExit) -> &mut Self {
        self.replication.set_persists(self.entity, exit == ScopeExit::Persist);
        self
    }

    /// How soon its changes go out where not all fit, next to those of others: 1 where nothing was said, 0 not at all.
    pub fn set_gain(&mut self, gain: f32) -> &mut Self {
        self.replication.set_gain(self.entity, gain);
        self
    }

    /// Has clients that see it ask for authority over it: `false` where it is a client's own.
    pub fn delegate(&mut self, approval: Approval) -> bool {
        self.replication.delegate(self.entity, approval)
    }

    /// Nobody can ask for authority any more, and who has it loses it.
    pub fn undelegate(&mut self) {
        self.replication.undelegate(self.entity);
    }

    /// Takes authority back from whoever has it; it can be asked for.
    pub fn revoke_authority(&mut self) {
        self.replication.revoke_authority(self.entity);
    }

    /// Takes authority for the server itself, until it is revoked or given to somebody.
    pub fn take_authority(&mut self) {
        self.replication.take_authority(self.entity);
    }

    /// A client's own entity becomes the server's; `false` where it is none.
    pub fn disown(&mut self) -> bool {
        self.replication.disown(self.entity)
    }
}

impl<P: Protocol> fmt::Debug for EntityMut<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityMut").field("entity", &self.entity).finish_non_exhaustive()
    }
}

/// What becomes of an entity on a client that does not see it any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeExit {
    /// It goes.
    #[default]
    Despawn,
    /// It stays as it was then; what it misses it is told when it is seen again.
    Persist,
}

/// What a user sees, over rooms: what [`Server::scope_mut`](crate::Server::scope_mut) gives.
pub struct ScopeMut<'a, P: Protocol> {
    pub(crate) replication: &'a mut ServerSide<P>,
    pub(crate) user: usize,
}

impl<P: Protocol> ScopeMut<'_, P> {
    /// Shows an entity to the user, whatever rooms say.
    pub fn include(&mut self, entity: NetEntity) -> &mut Self {
        self.replication.set_scope(self.user, entity, Some(true));
        self
    }

    /// Hides an entity from the user, whatever rooms say.
    pub fn exclude(&mut self, entity: NetEntity) -> &mut Self {
        self.replication.set_scope(self.user, entity, Some(false));
        self
    }

    /// Rooms say again whether the user sees an entity.
    pub fn clear(&mut self, entity: NetEntity) -> &mut Self {
        self.replication.set_scope(self.user, entity, None);
        self
    }

    /// Whether the user has an entity for certain: it was told, and has said so.
    #[must_use]
    pub fn has(&self, entity: NetEntity) -> bool {
        self.replication.has(self.user, entity)
    }

    /// How soon changes of an entity go out to this user; `None` as the entity says.
    pub fn set_gain(&mut self, entity: NetEntity, gain: Option<f32>) -> &mut Self {
        self.replication.set_user_gain(self.user, entity, gain);
        self
    }

    /// What the user is told of an entity next is so many times as urgent, once.
    pub fn boost_once(&mut self, entity: NetEntity, times: f32) -> &mut Self {
        self.replication.boost_once(self.user, entity, times);
        self
    }
}

impl<P: Protocol> fmt::Debug for ScopeMut<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeMut").field("user", &self.user).finish_non_exhaustive()
    }
}
