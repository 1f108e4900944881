//! What a game says about entities that a client sees, as commands.

use std::marker::PhantomData;

use bevy_ecs::error::Result;
use bevy_ecs::prelude::{Commands, Entity, EntityWorldMut, Resource, World};
use bevy_ecs::system::{EntityCommand, EntityCommands};
use bowline::Protocol;

use super::events::DespawnEntityEvent;
use super::items::Items;
use super::{ClientState, Stale};
use crate::{DefaultClientTag, EntityMap, NetId, Tag};

/// What a game asks of an entity that a client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientChange {
    /// Authority over it; an `AuthorityEvent` tells the answer.
    RequestAuthority,
    /// To give authority back, once what was written has arrived.
    ReleaseAuthority,
}

/// Something was asked of an entity that the client does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{entity} is no entity that the client's server has shown; add `ClientPlugin` with the same tag, and wait for `SpawnEntityEvent`"
)]
pub struct NotSeen {
    /// Which.
    pub entity: Entity,
}

/// What `EntityCommands` can do for entities of the server. These are for the client with the default tag; for another there
/// is [`on_client`](Self::on_client).
///
/// # Errors
/// [`NotSeen`] goes to Bevy's error handler where the entity is none of the server's.
pub trait ClientEntityCommands {
    /// Asks something of an entity that the client with a tag sees.
    fn on_client<T: Tag>(&mut self, change: ClientChange) -> &mut Self;

    /// Asks for authority over it; an `AuthorityEvent` tells the answer.
    fn request_authority(&mut self) -> &mut Self {
        self.on_client::<DefaultClientTag>(ClientChange::RequestAuthority)
    }

    /// Gives authority back, once what was written has arrived.
    fn release_authority(&mut self) -> &mut Self {
        self.on_client::<DefaultClientTag>(ClientChange::ReleaseAuthority)
    }
}

impl ClientEntityCommands for EntityCommands<'_> {
    fn on_client<T: Tag>(&mut self, change: ClientChange) -> &mut Self {
        self.queue(OnClient::<T> { change, tag: PhantomData })
    }
}

/// What `Commands` can do for all that a client with a tag was shown.
pub trait ClientCommands {
    /// All that the server has shown goes, entities and resources, and the client's own entities too: after a
    /// `DisconnectEvent`, say. Without it everything stays until the next session begins.
    fn despawn_replicated<T: Tag>(&mut self);

    /// What an old session has left behind goes, with `StaleEntities::Keep`: once the game has seen what has come again.
    fn despawn_stale<T: Tag>(&mut self);
}

impl ClientCommands for Commands<'_, '_> {
    fn despawn_replicated<T: Tag>(&mut self) {
        self.queue(|world: &mut World| {
            let clear = world.get_resource::<Ops<T>>().map(|ops| ops.clear);
            clear.into_iter().for_each(|clear| clear(world, false));
        });
    }

    fn despawn_stale<T: Tag>(&mut self) {
        self.queue(|world: &mut World| {
            let clear = world.get_resource::<Ops<T>>().map(|ops| ops.clear);
            clear.into_iter().for_each(|clear| clear(world, true));
        });
    }
}

/// How commands reach the client with a tag, whose protocol the caller does not name.
#[derive(Resource)]
pub(super) struct Ops<T: Tag> {
    apply: fn(&mut World, Entity, ClientChange) -> Result<(), NotSeen>,
    clear: fn(&mut World, bool),
    tag: PhantomData<fn() -> T>,
}

impl<T: Tag> Ops<T> {
    pub(super) const fn of<P: Protocol>() -> Self {
        Self { apply: apply::<P, T>, clear: clear::<P, T>, tag: PhantomData }
    }
}

struct OnClient<T> {
    change: ClientChange,
    tag: PhantomData<fn() -> T>,
}

impl<T: Tag> EntityCommand for OnClient<T> {
    type Out = Result<(), NotSeen>;

    fn apply(self, entity: EntityWorldMut<'_>) -> Self::Out {
        let (id, world) = (entity.id(), entity.into_world_mut());
        let apply = world.get_resource::<Ops<T>>().map(|ops| ops.apply).ok_or(NotSeen { entity: id })?;
        apply(world, id, self.change)
    }
}

fn apply<P: Protocol, T: Tag>(
    world: &mut World,
    entity: Entity,
    change: ClientChange,
) -> Result<(), NotSeen> {
    let id = world.get::<NetId<T>>(entity).map(NetId::id).ok_or(NotSeen { entity })?;
    let entities = world.resource_mut::<ClientState<P, T>>().into_inner().client.entities_mut();
    match change {
        ClientChange::RequestAuthority => entities.request_authority(id),
        ClientChange::ReleaseAuthority => entities.release_authority(id),
    };
    Ok(())
}

/// Despawns what the server has shown, or of that what is stale.
pub(super) fn clear<P: Protocol, T: Tag>(world: &mut World, stale_alone: bool) {
    let all: Vec<_> = world.resource::<EntityMap<T>>().iter().collect();
    for (id, entity) in all {
        let is_stale = world.get_entity(entity).is_ok_and(|entity| entity.contains::<Stale<T>>());
        if is_stale || !stale_alone {
            world.write_message(DespawnEntityEvent::<T>::new(entity, id));
            // With its id it goes from the map too.
            world.despawn(entity);
        }
    }
    world.resource_scope(|world, mut items: bevy_ecs::prelude::Mut<'_, Items<P, T>>| {
        for resource in &mut items.resources {
            if !stale_alone {
                resource.set_stale();
            }
            resource.remove_stale(world);
        }
    });
}
