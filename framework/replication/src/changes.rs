use std::collections::VecDeque;
use std::marker::PhantomData;

use bowline_core::{ComponentOf, EncodeError, NetEntity, Protocol, ResourceOf};

use crate::entities::Entities;

/// What a [`WorldSource`](crate::WorldSource) hands its changes to. Each value is encoded field by field and compared with
/// what was sent; what comes out as it was is no change.
#[derive(Debug)]
pub struct Changes<'a, P> {
    pub(crate) entities: &'a mut Entities,
    /// The entity of each resource, by its place in the protocol.
    pub(crate) resources: &'a [Option<NetEntity>],
    pub(crate) failures: &'a mut VecDeque<Unencodable>,
    pub(crate) protocol: PhantomData<fn() -> P>,
}

/// A component or resource whose value cannot travel, because a field is over a limit. Others see that field as it was, until it
/// has a value that can travel; its other fields go on. A component that is new is not seen at all before. It is told once for
/// each time that such a value is taken in.
///
/// Or an entity whose components are too much together for the largest message that may be sent: whoever it was for sees it
/// as it was before, or not at all, until it is smaller.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{item}` of {entity} is not sent as it is now: {error}")]
pub struct Unencodable {
    /// Whose it is.
    pub entity: NetEntity,
    /// The name of the component or resource; `"all of it"` where it is the entity.
    pub item: &'static str,
    /// What is wrong with it.
    pub error: UnencodableError,
}

/// What is wrong with something that cannot travel.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnencodableError {
    /// A field is over its limit.
    #[error(transparent)]
    Field(#[from] EncodeError),
    /// The entity is too large.
    #[error(
        "it takes {len} bytes, and max_message_size is {max}; split it up or raise the limit on both sides"
    )]
    TooLarge {
        /// How many bytes all its components take.
        len: usize,
        /// How many they may.
        max: usize,
    },
}

impl Unencodable {
    pub(crate) const fn too_large(entity: NetEntity, len: usize, max: usize) -> Self {
        Self { entity, item: "all of it", error: UnencodableError::TooLarge { len, max } }
    }
}

impl<P: Protocol> Changes<'_, P> {
    /// A component may have changed, or is new. Nothing happens where the entity is not replicated, or gone, nor to a component
    /// that is [immutable](bowline_core::Replicate::IMMUTABLE) and was sent already. A value over a limit becomes an
    /// [`Unencodable`].
    #[inline]
    pub fn component<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: &C) {
        if let Err(error) = self.entities.write(entity, C::TAG.index() as u16, value) {
            self.failures.push_back(Unencodable { entity, item: C::NAME, error: error.into() });
        }
    }

    /// An entity does not have a component any more. Nothing happens where it had none.
    pub fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) {
        self.entities.reshape(entity, C::TAG.index() as u16, false);
    }

    /// A resource may have changed. Nothing happens where it was not
    /// [inserted](crate::ServerSide::insert_resource).
    pub fn resource<R: ResourceOf<P>>(&mut self, value: &R) {
        let index = R::TAG.index();
        let Some(entity) = self.resources.get(index).copied().flatten() else { return };
        let kind = (P::SCHEMA.components.len() + index) as u16;
        if let Err(error) = self.entities.write(entity, kind, value) {
            self.failures.push_back(Unencodable { entity, item: R::NAME, error: error.into() });
        }
    }
}
