use std::fmt;

use bowline_core::{NetEntity, Protocol};

use crate::Authority;

/// What has happened to entities and resources that the other side replicates. Components and resources are named by the
/// enums that the protocol's derive writes: `ArenaComponentKind`, `ArenaComponent` and their likes.
///
/// The world shows all that has arrived by the time an event is read, so it may be ahead of the event: a component that was
/// updated and then removed is not there any more. Of several changes that arrive together, each has its event.
///
/// ```
/// use bowline_core::Protocol;
/// use bowline_replication::EntityEvent;
///
/// fn tell<P: Protocol>(event: &EntityEvent<P>) -> String {
///     match event {
///         EntityEvent::SpawnEntity(entity) => format!("{entity} comes into sight"),
///         EntityEvent::DespawnEntity(entity) => format!("{entity} is gone, or out of sight"),
///         EntityEvent::UpdateComponent { entity, tick, .. } => format!("{entity} was other by tick {tick}"),
///         EntityEvent::Authority { entity, authority: Some(authority) } => {
///             format!("authority over {entity} is {authority}")
///         }
///         other => format!("{other:?}"),
///     }
/// }
/// ```
#[non_exhaustive]
pub enum EntityEvent<P: Protocol> {
    /// An entity has come into sight, with all its components. An [`InsertComponent`](Self::InsertComponent) for each follows.
    SpawnEntity(NetEntity),
    /// An entity has a component that it did not have.
    InsertComponent {
        /// Whose.
        entity: NetEntity,
        /// Which.
        kind: P::ComponentKind,
    },
    /// A component has changed.
    UpdateComponent {
        /// Whose.
        entity: NetEntity,
        /// Which.
        kind: P::ComponentKind,
        /// The sender's tick when it was sent. The change is of that tick or, where a packet was lost, of one before.
        tick: u32,
    },
    /// An entity does not have a component any more.
    RemoveComponent {
        /// Whose.
        entity: NetEntity,
        /// What it was.
        component: P::Component,
    },
    /// An entity is gone, or out of sight. Its components are gone with it, without events of their own; so is authority over
    /// it.
    DespawnEntity(NetEntity),
    /// There is a resource that was not there.
    InsertResource(P::ResourceKind),
    /// A resource has changed.
    UpdateResource {
        /// Which.
        kind: P::ResourceKind,
        /// The sender's tick when it was sent.
        tick: u32,
    },
    /// A resource is gone.
    RemoveResource(P::Resource),
    /// Authority over an entity stands otherwise than before, for this client. There is none for an entity that is not lent any
    /// more: [`ClientSide::authority`](crate::ClientSide::authority) is `None` then.
    Authority {
        /// Over which.
        entity: NetEntity,
        /// How it stands now; `None` where there is none to be had any more.
        authority: Option<Authority>,
    },
}

impl<P: Protocol> EntityEvent<P> {
    /// The entity that it is about; `None` where it is a resource.
    #[must_use]
    pub const fn entity(&self) -> Option<NetEntity> {
        match self {
            Self::SpawnEntity(entity)
            | Self::InsertComponent { entity, .. }
            | Self::UpdateComponent { entity, .. }
            | Self::RemoveComponent { entity, .. }
            | Self::DespawnEntity(entity)
            | Self::Authority { entity, .. } => Some(*entity),
            Self::InsertResource(_) | Self::UpdateResource { .. } | Self::RemoveResource(_) => None,
        }
    }
}

impl<P: Protocol> fmt::Debug for EntityEvent<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpawnEntity(entity) => write!(f, "SpawnEntity({entity:?})"),
            Self::InsertComponent { entity, kind } => write!(f, "InsertComponent({entity:?}, {kind:?})"),
            Self::UpdateComponent { entity, kind, tick } => {
                write!(f, "UpdateComponent({entity:?}, {kind:?}, {tick})")
            }
            Self::RemoveComponent { entity, .. } => write!(f, "RemoveComponent({entity:?}, ..)"),
            Self::DespawnEntity(entity) => write!(f, "DespawnEntity({entity:?})"),
            Self::InsertResource(kind) => write!(f, "InsertResource({kind:?})"),
            Self::UpdateResource { kind, tick } => write!(f, "UpdateResource({kind:?}, {tick})"),
            Self::RemoveResource(_) => f.write_str("RemoveResource(..)"),
            Self::Authority { entity, authority: Some(authority) } => {
                write!(f, "Authority({entity:?}, {authority:?})")
            }
            Self::Authority { entity, authority: None } => write!(f, "Authority({entity:?}, none)"),
        }
    }
}
