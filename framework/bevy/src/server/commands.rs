//! What a game says about replicated entities, as commands.

use std::marker::PhantomData;

use bevy_ecs::error::Result;
use bevy_ecs::prelude::{Component, Entity, EntityWorldMut, Resource, World};
use bevy_ecs::system::{EntityCommand, EntityCommands};
use bowline::{Approval, EntityMut, NetEntity, Protocol, RoomId, ScopeExit, UserId};

use super::state::Pending;
use super::{CoreServer, ServerState};
use crate::{ClientOwned, DefaultServerTag, EntityMap, NetId, Replicated, Tag};

/// What a game says about an entity that a server replicates: with [`on_server`](ReplicationCommands::on_server), or with a
/// method of [`ReplicationCommands`] for each.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EntityChange {
    /// It goes into a room: those in the room come to see it.
    EnterRoom(RoomId),
    /// It leaves a room.
    LeaveRoom(RoomId),
    /// A user is shown it, whatever rooms say.
    Include(UserId),
    /// It is hidden from a user, whatever rooms say.
    Exclude(UserId),
    /// Rooms say again whether a user sees it.
    ClearScope(UserId),
    /// What becomes of it on a client that does not see it any more.
    OnScopeExit(ScopeExit),
    /// Later changes of its values are not sent: for scenery.
    MakeStatic,
    /// It stays as it is now for all who see it.
    Pause,
    /// Changes are sent again, those since it was paused too.
    Resume,
    /// How soon its changes go out where not all fit. 1 where nothing was said.
    SetGain(f32),
    /// The same for one user; `None` as for all.
    SetGainFor(UserId, Option<f32>),
    /// What the user is told of it next is so many times as urgent, once.
    BoostOnce(UserId, f32),
    /// Clients that see it can ask for authority over it.
    Delegate(Approval),
    /// Nobody can any more, and who has it loses it.
    Undelegate,
    /// A user gets authority, whether it asked or not. The user has to see the entity, since the last send.
    GiveAuthority(UserId),
    /// The server takes it, until it is revoked or given.
    TakeAuthority,
    /// Whoever has authority loses it; it can be asked for.
    RevokeAuthority,
    /// A client's own entity becomes the server's.
    Disown,
}

/// Something was said of an entity that is not replicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entity} is not replicated; insert `Replicated` before, and add `ServerPlugin` with the same tag")]
pub struct NotReplicated {
    /// Which.
    pub entity: Entity,
}

/// What `EntityCommands` can do for replicated entities: `commands.spawn((Position::default(), Replicated)).enter_room(room)`.
/// These are for the server with the default tag; for another there is [`on_server`](Self::on_server).
///
/// # Errors
/// [`NotReplicated`] goes to Bevy's error handler where the entity is not marked [`Replicated`].
pub trait ReplicationCommands {
    /// Says something of an entity to the server with a tag.
    fn on_server<T: Tag>(&mut self, change: EntityChange) -> &mut Self;

    /// Puts it into a room: those in the room come to see it.
    fn enter_room(&mut self, room: RoomId) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::EnterRoom(room))
    }

    /// Takes it out of a room.
    fn leave_room(&mut self, room: RoomId) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::LeaveRoom(room))
    }

    /// Shows it to a user, whatever rooms say.
    fn include_for(&mut self, user: UserId) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Include(user))
    }

    /// Hides it from a user, whatever rooms say.
    fn exclude_for(&mut self, user: UserId) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Exclude(user))
    }

    /// Rooms say again whether a user sees it.
    fn clear_scope_for(&mut self, user: UserId) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::ClearScope(user))
    }

    /// What becomes of it on a client that does not see it any more: it goes, unless this says otherwise.
    fn on_scope_exit(&mut self, exit: ScopeExit) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::OnScopeExit(exit))
    }

    /// What it is at the end of this turn, it stays: later changes of its values are not sent, and not looked at. Components
    /// that come and go still are.
    fn make_static(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::MakeStatic)
    }

    /// It stays as it is at the end of this turn, for all who see it or come to see it.
    fn pause_replication(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Pause)
    }

    /// Changes are sent again, those since it was paused too.
    fn resume_replication(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Resume)
    }

    /// How soon its changes go out where not all fit, next to those of others. 1 where nothing was said.
    fn set_gain(&mut self, gain: f32) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::SetGain(gain))
    }

    /// The same for one user; `None` as for all.
    fn set_gain_for(&mut self, user: UserId, gain: Option<f32>) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::SetGainFor(user, gain))
    }

    /// What the user is told of it next is so many times as urgent, once.
    fn boost_once(&mut self, user: UserId, times: f32) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::BoostOnce(user, times))
    }

    /// Has clients that see it ask for authority over it.
    fn delegate(&mut self, approval: Approval) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Delegate(approval))
    }

    /// Nobody can ask for authority any more, and who has it loses it.
    fn undelegate(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Undelegate)
    }

    /// Gives a user authority, whether it asked or not. The user has to see the entity, since the last send.
    fn give_authority(&mut self, user: UserId) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::GiveAuthority(user))
    }

    /// Takes authority for the server itself.
    fn take_authority(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::TakeAuthority)
    }

    /// Takes authority back from whoever has it; it can be asked for.
    fn revoke_authority(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::RevokeAuthority)
    }

    /// A client's own entity becomes the server's, and outlives that client.
    fn disown(&mut self) -> &mut Self {
        self.on_server::<DefaultServerTag>(EntityChange::Disown)
    }
}

impl ReplicationCommands for EntityCommands<'_> {
    fn on_server<T: Tag>(&mut self, change: EntityChange) -> &mut Self {
        self.queue(OnServer::<T> { change, tag: PhantomData })
    }
}

impl ReplicationCommands for EntityWorldMut<'_> {
    /// At once. What goes wrong goes to Bevy's error handler, as it would from a command.
    fn on_server<T: Tag>(&mut self, change: EntityChange) -> &mut Self {
        let entity = self.id();
        self.world_scope(|world| {
            world.commands().entity(entity).on_server::<T>(change);
            world.flush();
        });
        self
    }
}

/// Marks an entity that is paused, so that what is taken off it is not told.
#[derive(Component)]
pub(super) struct Paused;

/// How an [`EntityChange`] reaches the server with a tag, whose protocol the caller does not name.
#[derive(Resource)]
pub(super) struct Ops<T: Tag> {
    apply: fn(&mut World, Entity, EntityChange) -> Result<(), NotReplicated>,
    tag: PhantomData<fn() -> T>,
}

impl<T: Tag> Ops<T> {
    pub(super) const fn of<P: Protocol>() -> Self {
        Self { apply: apply::<P, T>, tag: PhantomData }
    }
}

struct OnServer<T> {
    change: EntityChange,
    tag: PhantomData<fn() -> T>,
}

impl<T: Tag> EntityCommand for OnServer<T> {
    type Out = Result<(), NotReplicated>;

    fn apply(self, entity: EntityWorldMut<'_>) -> Self::Out {
        let (id, world) = (entity.id(), entity.into_world_mut());
        let apply =
            world.get_resource::<Ops<T>>().map(|ops| ops.apply).ok_or(NotReplicated { entity: id })?;
        apply(world, id, self.change)
    }
}

/// Gives an entity that is to be replicated its id, if it has none yet.
pub(super) fn adopt<P: Protocol, T: Tag>(world: &mut World, entity: Entity) {
    let is_new =
        |entity: &EntityWorldMut<'_>| entity.contains::<Replicated>() && !entity.contains::<NetId<T>>();
    if !world.get_entity_mut(entity).is_ok_and(|entity| is_new(&entity)) {
        return;
    }
    match world.resource_mut::<ServerState<P, T>>().server.replication_mut().spawn_elsewhere() {
        Ok(id) => {
            world.resource_mut::<EntityMap<T>>().insert(id, entity);
            world.entity_mut(entity).insert(NetId::<T>::new(id, false));
        }
        Err(error) => tracing::error!("{entity} is not replicated: {error}"),
    }
}

fn apply<P: Protocol, T: Tag>(
    world: &mut World,
    entity: Entity,
    change: EntityChange,
) -> Result<(), NotReplicated> {
    adopt::<P, T>(world, entity);
    let (id, is_shared) = match world.get::<NetId<T>>(entity) {
        Some(net_id) => (net_id.id(), net_id.is_shared),
        None => return Err(NotReplicated { entity }),
    };
    let mut state = world.resource_mut::<ServerState<P, T>>();
    let ServerState { server, pending, shared, .. } = &mut *state;
    if is_about_a_user(server, id, change) {
        return Ok(());
    }
    let Some(mut core) = server.entity_mut(id) else { return Ok(()) };
    match change {
        EntityChange::Delegate(approval) => {
            if core.delegate(approval) && !is_shared {
                // Clients write where the embedded world is.
                server.replication_mut().embed(id);
                *shared += 1;
                world.entity_mut(entity).insert(NetId::<T>::new(id, true));
            }
        }
        EntityChange::Disown => {
            if core.disown() {
                world.entity_mut(entity).remove::<ClientOwned<T>>();
            }
        }
        EntityChange::Pause => pending.push(Pending::Pause(id, entity)),
        EntityChange::Resume => {
            core.resume();
            pending.retain(|pending| *pending != Pending::Pause(id, entity));
            pending.push(Pending::Resume(entity));
            world.entity_mut(entity).remove::<Paused>().insert(NetId::<T>::new(id, is_shared));
        }
        change => say(&mut core, change),
    }
    Ok(())
}

/// What is between an entity and a user; `false` where the change is nothing of the kind. To a user that is gone nothing
/// happens.
fn is_about_a_user<P: Protocol>(server: &mut CoreServer<P>, id: NetEntity, change: EntityChange) -> bool {
    let user = match change {
        EntityChange::GiveAuthority(user) => {
            server.give_authority(user, id);
            return true;
        }
        EntityChange::Include(user)
        | EntityChange::Exclude(user)
        | EntityChange::ClearScope(user)
        | EntityChange::SetGainFor(user, _)
        | EntityChange::BoostOnce(user, _) => user,
        _ => return false,
    };
    if let Some(mut scope) = server.scope_mut(user) {
        match change {
            EntityChange::Include(_) => scope.include(id),
            EntityChange::Exclude(_) => scope.exclude(id),
            EntityChange::SetGainFor(_, gain) => scope.set_gain(id, gain),
            EntityChange::BoostOnce(_, times) => scope.boost_once(id, times),
            _ => scope.clear(id),
        };
    }
    true
}

/// What is said to the core as it is. Whether it was news is of no interest to a command.
fn say<P: Protocol>(core: &mut EntityMut<'_, P>, change: EntityChange) {
    match change {
        EntityChange::EnterRoom(room) => {
            core.enter_room(room);
        }
        EntityChange::LeaveRoom(room) => {
            core.leave_room(room);
        }
        EntityChange::OnScopeExit(exit) => {
            core.on_scope_exit(exit);
        }
        EntityChange::MakeStatic => {
            core.make_static();
        }
        EntityChange::SetGain(gain) => {
            core.set_gain(gain);
        }
        EntityChange::Undelegate => core.undelegate(),
        EntityChange::TakeAuthority => core.take_authority(),
        EntityChange::RevokeAuthority => core.revoke_authority(),
        // The caller has seen to all others.
        _ => {}
    }
}
