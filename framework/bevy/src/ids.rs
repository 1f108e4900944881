//! Which Bevy entity is which replicated one.

use std::fmt;
use std::marker::PhantomData;

use bevy_ecs::prelude::{Component, Entity, Resource};
#[cfg(feature = "bevy_reflect")]
use bevy_ecs::reflect::ReflectComponent;
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
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(type_path = false, from_reflect = false, where T: Tag),
    reflect(Component)
)]
pub struct NetId<T: Tag = DefaultServerTag> {
    slot: u32,
    generation: u32,
    /// Whether a client can write to it: on the server any, on a client this one.
    pub(crate) is_shared: bool,
    #[cfg_attr(feature = "bevy_reflect", reflect(ignore))]
    tag: PhantomData<fn() -> T>,
}

/// Marks an entity that a client was shown by its server. The server's word counts for its components; what else is on it is
/// the game's.
#[derive(Component)]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(type_path = false, from_reflect = false, where T: Tag),
    reflect(Component)
)]
pub struct Remote<T: Tag = DefaultClientTag>(
    #[cfg_attr(feature = "bevy_reflect", reflect(ignore))] PhantomData<fn() -> T>,
);

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
    pages: Vec<Option<Box<Page>>>,
    tag: PhantomData<fn() -> T>,
}

/// Of 64 slots. A server that names a far one has a page made here, and not a million places.
type Page = [Option<(NetEntity, Entity)>; PAGE];

const PAGE: usize = 64;

/// There is a server of this protocol in the app: its resources are not for a client of it to overwrite.
#[derive(Resource)]
pub(crate) struct ServesHere<P: Protocol>(pub(crate) PhantomData<fn() -> P>);

impl<T: Tag> NetId<T> {
    pub(crate) const fn new(id: NetEntity, is_shared: bool) -> Self {
        // No entity has a slot beyond 32 bits.
        Self { slot: id.slot() as u32, generation: id.generation(), is_shared, tag: PhantomData }
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> NetEntity {
        NetEntity::new(self.slot, self.generation)
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
        self.pages.iter().flatten().flat_map(|page| page.iter().flatten()).copied()
    }

    pub(crate) fn at(&self, slot: usize) -> Option<(NetEntity, Entity)> {
        *self.pages.get(slot / PAGE)?.as_ref()?.get(slot % PAGE)?
    }

    pub(crate) fn insert(&mut self, id: NetEntity, entity: Entity) {
        let (page, place) = (id.slot() / PAGE, id.slot() % PAGE);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages.get_mut(page).map(|page| page.get_or_insert_with(|| Box::new([None; PAGE])));
        if let Some(place) = page.and_then(|page| page.get_mut(place)) {
            *place = Some((id, entity));
        }
    }

    pub(crate) fn remove(&mut self, id: NetEntity) -> Option<Entity> {
        let page = self.pages.get_mut(id.slot() / PAGE)?.as_mut()?;
        Some(page.get_mut(id.slot() % PAGE)?.take_if(|(there, _)| *there == id)?.1)
    }
}

impl<T: Tag> Default for EntityMap<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), tag: PhantomData }
    }
}

impl<T: Tag> fmt::Debug for NetId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NetId").field(&self.id()).finish()
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

/// The tag need not have a path for inspectors: the type's name will do.
#[cfg(feature = "bevy_reflect")]
mod reflect {
    use bevy_reflect::TypePath;
    use bevy_reflect::utility::GenericTypePathCell;

    use super::{NetId, Remote};
    use crate::Tag;

    macro_rules! type_path {
        ($($name:ident)*) => {$(
            impl<T: Tag> TypePath for $name<T> {
                fn type_path() -> &'static str {
                    static CELL: GenericTypePathCell = GenericTypePathCell::new();
                    CELL.get_or_insert::<Self, _>(|| {
                        format!(concat!("bowline_bevy::", stringify!($name), "<{}>"), std::any::type_name::<T>())
                    })
                }

                fn short_type_path() -> &'static str {
                    stringify!($name)
                }
            }
        )*};
    }

    type_path!(NetId Remote);
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
