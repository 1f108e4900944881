//! Which Bevy entity is which replicated one.

use std::fmt;
use std::marker::PhantomData;

use bevy_ecs::prelude::{Component, Entity, Resource};
use bowline::{NetEntity, Protocol};

use crate::{DefaultClientTag, DefaultServerTag, Tag};

/// Marks an entity that the servers of the app replicate: those of its components that their protocols list. It is seen by
/// nobody before it is in a room, or shown to somebody. Take the marker off, or despawn the entity, and it goes from all
/// clients.
///
/// From then on it has a [`NetId`]. Only the game's own server should mark entities: one that a client was shown is
/// [`Remote`].
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect), reflect(Component))]
pub struct Replicated;

/// The id of an entity that a server, or a client, replicates: the same on the server and on all its clients. It is put there
/// by the plugins, and is there for as long as the entity is replicated.
#[derive(Component)]
#[component(immutable)]
pub struct NetId<T: Tag = DefaultServerTag> {
    id: NetEntity,
    /// Whether its components are in the embedded world as well, so that clients can write to them.
    pub(crate) is_shared: bool,
    tag: PhantomData<fn() -> T>,
}

/// Marks an entity that a client was shown by its server. The server's word counts for its components; what else is on it is
/// the game's.
#[derive(Component)]
pub struct Remote<T: Tag = DefaultClientTag>(PhantomData<fn() -> T>);

/// On a client: an entity of the client's own, which it alone writes to and others are shown. Spawn it, and it is replicated
/// as soon as the server gives an id for it; `config.client_entities` of the server says how many there may be. Needs
/// nothing else: not [`Replicated`].
///
/// On a server, with the server's tag: an entity that a client has spawned. Which client says
/// [`Server::owner`](bowline::Server).
#[derive(Component)]
pub struct ClientOwned<T: Tag = DefaultClientTag>(PhantomData<fn() -> T>);

/// Finds the Bevy entity of a [`NetEntity`]: what is in a message or a component that refers to an entity. The other way
/// round look at the entity's [`NetId`].
///
/// ```
/// use bevy_ecs::prelude::*;
/// use bowline_bevy::{DefaultClientTag, EntityMap, NetEntity};
///
/// #[derive(Component)]
/// struct Target {
///     at: NetEntity,
/// }
///
/// fn aim(hunters: Query<&Target>, entities: Res<EntityMap<DefaultClientTag>>) {
///     for hunter in &hunters {
///         // `None` where the target is not in sight.
///         let target: Option<Entity> = entities.entity(hunter.at);
///     }
/// }
/// ```
#[derive(Resource)]
pub struct EntityMap<T: Tag> {
    slots: Vec<Option<(NetEntity, Entity)>>,
    tag: PhantomData<fn() -> T>,
}

/// There is a server of this protocol in the app: its resources are not for a client of it to overwrite.
#[derive(Resource)]
pub(crate) struct ServesHere<P: Protocol>(pub(crate) PhantomData<fn() -> P>);

impl<T: Tag> NetId<T> {
    pub(crate) const fn new(id: NetEntity, is_shared: bool) -> Self {
        Self { id, is_shared, tag: PhantomData }
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> NetEntity {
        self.id
    }
}

impl<T: Tag> Remote<T> {
    #[cfg(feature = "client")]
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Tag> ClientOwned<T> {
    /// The marker.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Tag> Default for ClientOwned<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Tag> EntityMap<T> {
    /// The Bevy entity that it is here; `None` where it is not known here.
    #[must_use]
    pub fn entity(&self, id: NetEntity) -> Option<Entity> {
        self.at(id.slot()).filter(|(there, _)| *there == id).map(|(_, entity)| entity)
    }

    /// All that are known here, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (NetEntity, Entity)> {
        self.slots.iter().flatten().copied()
    }

    pub(crate) fn at(&self, slot: usize) -> Option<(NetEntity, Entity)> {
        self.slots.get(slot).copied().flatten()
    }

    pub(crate) fn insert(&mut self, id: NetEntity, entity: Entity) {
        if self.slots.len() <= id.slot() {
            self.slots.resize(id.slot() + 1, None);
        }
        if let Some(place) = self.slots.get_mut(id.slot()) {
            *place = Some((id, entity));
        }
    }

    pub(crate) fn remove(&mut self, id: NetEntity) -> Option<Entity> {
        let place = self.slots.get_mut(id.slot())?.take_if(|(there, _)| *there == id)?;
        Some(place.1)
    }
}

impl<T: Tag> Default for EntityMap<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), tag: PhantomData }
    }
}

impl<T: Tag> fmt::Debug for NetId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NetId").field(&self.id).finish()
    }
}

impl<T: Tag> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl<T: Tag> fmt::Debug for ClientOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientOwned")
    }
}

impl<T: Tag> fmt::Debug for EntityMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_past_finds_nobody() {
        let mut map = EntityMap::<DefaultClientTag>::default();
        let [old, new] = [0, 1].map(|generation| NetEntity::new(3, generation));
        let [first, second] = [1, 2].map(|index| Entity::from_raw_u32(index).unwrap());
        map.insert(old, first);
        map.insert(new, second);
        assert_eq!((map.entity(old), map.entity(new)), (None, Some(second)));
        assert_eq!(map.remove(old), None);
        assert_eq!(map.remove(new), Some(second));
        assert_eq!(map.iter().count(), 0);
    }
}
