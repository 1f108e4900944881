use std::fmt;

use bowline_core::{ComponentOf, Mutable, NetEntity, Protocol};
use bowline_replication::{Approval, Mut, ServerSide};

use crate::RoomId;
use crate::rooms::Rooms;

/// An entity, to change it: what [`Server::entity_mut`](crate::Server::entity_mut) gives. It is there for as long as this value
/// is. All changes go out with the next [`send`](crate::Server::send), to whoever sees the entity by then.
///
/// ```
/// use bowline_core::{ComponentOf, Host, Mutable, NetEntity, Protocol, Transport};
/// use bowline_server::Server;
///
/// fn wound<P, T, H, Health, Dead>(server: &mut Server<P, T, H>, entity: NetEntity)
/// where
///     P: Protocol,
///     T: Transport,
///     H: Host,
///     Health: ComponentOf<P> + Mutable + AsMut<u8>,
///     Dead: ComponentOf<P> + Default,
/// {
///     let Some(mut entity) = server.entity_mut(entity) else { return };
///     let Some(mut health) = entity.component_mut::<Health>() else { return };
///     let left = (*health).as_mut();
///     *left = left.saturating_sub(10);
///     if *left == 0 {
///         entity.insert(Dead::default());
///     }
/// }
/// ```
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

    /// A component, to be changed: what is written to is sent, and what comes out as it was is not. `None` where it has none. One
    /// that is immutable does not compile here: [`remove`](Self::remove) and [`insert`](Self::insert) it.
    pub fn component_mut<C: ComponentOf<P> + Mutable>(&mut self) -> Option<Mut<'_, C>> {
        self.replication.world_mut().component_mut(self.entity)
    }

    /// Gives it a component, or another value of one that it has; the old value comes back. One that is over a
    /// limit is not seen before it is not. Of one that is immutable and was sent already, another value is not sent.
    pub fn insert<C: ComponentOf<P>>(&mut self, component: C) -> Option<C> {
        self.replication.insert(self.entity, component).0
    }

    /// Takes a component away, and gives it back; `None` where it has none.
    pub fn remove<C: ComponentOf<P>>(&mut self) -> Option<C> {
        self.replication.remove(self.entity)
    }

    /// It is gone: from its rooms, and from all clients in time. A client that owns it is not told: leave it to that client.
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

    /// What it is at the next [`send`](crate::Server::send), it stays: later changes of its values are not sent, and not even
    /// looked at. Components that are inserted and removed still are. For scenery.
    pub fn make_static(&mut self) -> &mut Self {
        self.replication.make_static(self.entity);
        self
    }

    /// It stays as it is now, for all who see it or come to see it, until it is [resumed](Self::resume): what is done to it is
    /// not sent.
    pub fn pause(&mut self) -> &mut Self {
        self.replication.pause(self.entity);
        self
    }

    /// Changes are sent again, those since it was paused too.
    pub fn resume(&mut self) -> &mut Self {
        self.replication.resume(self.entity);
        self
    }

    /// What becomes of it on a client that does not see it any more: it goes, unless this says otherwise. On a client that it
    /// left before nothing changes.
    pub fn on_scope_exit(&mut self, exit: ScopeExit) -> &mut Self {
        self.replication.set_persists(self.entity, exit == ScopeExit::Persist);
        self
    }

    /// How soon its changes go out where not all fit, next to those of others: 1 where nothing was said; 0 or less not at all, so
    /// that who has not seen it does not come to. What is no number counts as 1.
    /// [`ScopeMut::set_gain`] says otherwise for one user.
    pub fn set_gain(&mut self, gain: f32) -> &mut Self {
        self.replication.set_gain(self.entity, gain);
        self
    }

    /// Has clients that see it ask for authority over it; again, it changes how they are answered. `false` where it is a client's
    /// own.
    pub fn delegate(&mut self, approval: Approval) -> bool {
        self.replication.delegate(self.entity, approval)
    }

    /// Nobody can ask for authority any more, and who has it loses it.
    pub fn undelegate(&mut self) {
        self.replication.undelegate(self.entity);
    }

    /// Takes authority back from whoever has it, the server included; it can be asked for. What the one who had it wrote and has
    /// not arrived is refused.
    pub fn revoke_authority(&mut self) {
        self.replication.revoke_authority(self.entity);
    }

    /// Takes authority for the server itself, until it is [revoked](Self::revoke_authority) or
    /// [given](crate::Server::give_authority) to somebody: clients that ask are denied. Nothing where it is not delegated.
    pub fn take_authority(&mut self) {
        self.replication.take_authority(self.entity);
    }

    /// A client's own entity becomes the server's, and outlives that client; `false` where it is none. Its client sees it as any
    /// other from now on, where it is in scope, may not write to it, and may spawn another.
    pub fn disown(&mut self) -> bool {
        self.replication.disown(self.entity)
    }
}

impl<P: Protocol> fmt::Debug for EntityMut<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityMut").field("entity", &self.entity).finish_non_exhaustive()
    }
}

/// What becomes of an entity on a client that does not see it any more. One that is despawned goes, whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeExit {
    /// It goes.
    #[default]
    Despawn,
    /// It stays as it was then, without an event; what it misses it is told when it is seen again, as updates.
    Persist,
}

/// What a user sees, over rooms, and how soon: what [`Server::scope_mut`](crate::Server::scope_mut) gives. What is said here lasts
/// until it is taken back, the entity is despawned, or the user leaves. Of an entity that is gone nothing can be said.
///
/// ```
/// use bowline_core::{Host, NetEntity, Protocol, Transport};
/// use bowline_server::{Server, UserId};
///
/// fn dive<P, T, H>(server: &mut Server<P, T, H>, submarine: NetEntity, enemies: &[UserId])
/// where
///     P: Protocol,
///     T: Transport,
///     H: Host,
/// {
///     for enemy in enemies {
///         if let Some(mut scope) = server.scope_mut(*enemy) {
///             scope.exclude(submarine); // though it is in a room that they are in
///         }
///     }
/// }
/// ```
pub struct ScopeMut<'a, P: Protocol> {
    pub(crate) replication: &'a mut ServerSide<P>,
    pub(crate) user: usize,
}

impl<P: Protocol> ScopeMut<'_, P> {
    /// Shows an entity to the user, whatever rooms say. Takes the place of [`exclude`](Self::exclude). Not for an entity that the
    /// user owns: it has that anyway.
    pub fn include(&mut self, entity: NetEntity) -> &mut Self {
        self.replication.set_scope(self.user, entity, Some(true));
        self
    }

    /// Hides an entity from the user, whatever rooms say. Takes the place of [`include`](Self::include).
    pub fn exclude(&mut self, entity: NetEntity) -> &mut Self {
        self.replication.set_scope(self.user, entity, Some(false));
        self
    }

    /// Rooms say again whether the user sees an entity.
    pub fn clear(&mut self, entity: NetEntity) -> &mut Self {
        self.replication.set_scope(self.user, entity, None);
        self
    }

    /// Whether the user has an entity for certain: it was told, and has acknowledged that. A round trip later than the client
    /// shows it.
    #[must_use]
    pub fn has(&self, entity: NetEntity) -> bool {
        self.replication.has(self.user, entity)
    }

    /// How soon changes of an entity go out to this user, in the place of the entity's own gain; `None` as the entity says.
    pub fn set_gain(&mut self, entity: NetEntity, gain: Option<f32>) -> &mut Self {
        self.replication.set_user_gain(self.user, entity, gain);
        self
    }

    /// What the user is told of an entity next is so many times as urgent, until it has gone out once. It makes a difference where
    /// not all fits.
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
