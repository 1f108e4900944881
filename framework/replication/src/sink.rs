use bowline_core::{ComponentOf, NetEntity, Protocol, ResourceOf};

/// Where replicated state lands: the embedded [`World`](crate::World), or a game's own.
///
/// An entity is spawned with all its components, in one go: `spawn`, `insert` for each, `spawned`. What is known here of
/// components is what the other side has said; a world that lost some of it by itself says `None`, and the bits are read
/// and dropped.
pub trait WorldSink<P: Protocol> {
    /// An entity has come into sight. Its components follow.
    fn spawn(&mut self, entity: NetEntity);

    /// All components of a new entity are there.
    fn spawned(&mut self, entity: NetEntity);

    /// An entity has a component that it did not have.
    fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C, tick: u32);

    /// The component, to be changed in place; [`updated`](Self::updated) follows.
    fn component_mut<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<&mut C>;

    /// A component was changed.
    fn updated<C: ComponentOf<P>>(&mut self, entity: NetEntity, tick: u32);

    /// An entity does not have a component any more.
    fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity);

    /// An entity is gone, or out of sight, and its components with it.
    fn despawn(&mut self, entity: NetEntity);

    /// An entity in a slot has come and gone before anything of it arrived here.
    fn missed(&mut self, slot: usize) {
        let _ = slot;
    }

    /// A resource has come.
    fn insert_resource<R: ResourceOf<P>>(&mut self, value: R, tick: u32);

    /// The resource, to be changed in place; [`updated_resource`](Self::updated_resource) follows.
    fn resource_mut<R: ResourceOf<P>>(&mut self) -> Option<&mut R>;

    /// A resource was changed.
    fn updated_resource<R: ResourceOf<P>>(&mut self, tick: u32);

    /// A resource is gone.
    fn remove_resource<R: ResourceOf<P>>(&mut self);
}

/// Where state to be replicated comes from: the embedded [`World`](crate::World), or a game's own.
pub trait WorldSource<P: Protocol> {
    /// Hands over every component and resource that may have changed since the last call. What did not is not sent.
    fn collect(&mut self, changes: &mut crate::Changes<'_, P>);
}
