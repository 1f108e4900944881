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
    pub(crate) failures: &'a mut Vec<Unencodable>,
    pub(crate) protocol: PhantomData<fn() -> P>,
}

/// A component or resource whose value cannot travel, because a field is over a limit. Others see that field as it was, until it
/// has a value that can travel; its other fields go on. It is told once for each time that such a value is taken in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{item}` of {entity} is not sent as it is now: {error}")]
pub struct Unencodable {
    /// Whose it is.
    pub entity: NetEntity,
    /// The name of the component or resource.
    pub item: &'static str,
    /// What is wrong with it.
    pub error: EncodeError,
}

impl<P: Protocol> Changes<'_, P> {
    /// A component may have changed, or is new. Nothing happens where the entity is not replicated, or gone, nor to a component
    /// that is [immutable](bowline_core::Replicate::IMMUTABLE) and was sent already. A value over a limit becomes an
    /// [`Unencodable`].
    #[inline]
    pub fn component<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: &C) {
        if let Err(error) = self.entities.write(entity, C::TAG.index() as u16, value) {
            self.failures.push(Unencodable { entity, item: C::NAME, error });
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
            self.failures.push(Unencodable { entity, item: R::NAME, error });
        }
    }
}
