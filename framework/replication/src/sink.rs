use bowline_core::{ComponentOf, NetEntity, Protocol, ResourceOf};

/// Where replicated state lands: the embedded [`World`](crate::World), or a game's own.
///
/// # For callers
/// An entity comes with all its components, in one go: [`spawn`](Self::spawn), [`insert`](Self::insert) for each,
/// [`spawned`](Self::spawned). A component that is there is changed in place, `component_mut` and then
/// [`updated`](Self::updated). A sink hears of an entity only between its `spawn` and its `despawn`.
///
/// # For implementors
/// * MUST keep entities apart by slot **and** generation.
/// * MUST NOT panic, whatever comes: what calls it reads what a peer has sent.
/// * [`component_mut`](Self::component_mut) and [`resource_mut`](Self::resource_mut) MAY say `None` of something that is
///   there by what was said here: a world that lost it by itself, say. Then the bits are read and dropped, or, where all of
///   it has come, it is inserted again.
///
/// A sink that counts:
///
/// ```
/// use bowline_core::{ComponentOf, NetEntity, Protocol, ResourceOf};
/// use bowline_replication::WorldSink;
///
/// #[derive(Default)]
/// struct Census {
///     entities: usize,
/// }
///
/// impl<P: Protocol> WorldSink<P> for Census {
///     fn spawn(&mut self, _: NetEntity) {
///         self.entities += 1;
///     }
///     fn spawned(&mut self, _: NetEntity) {}
///     fn insert<C: ComponentOf<P>>(&mut self, _: NetEntity, _: C, _tick: u32) {}
///     fn component_mut<C: ComponentOf<P>>(&mut self, _: NetEntity) -> Option<&mut C> {
///         None
///     }
///     fn updated<C: ComponentOf<P>>(&mut self, _: NetEntity, _tick: u32) {}
///     fn remove<C: ComponentOf<P>>(&mut self, _: NetEntity) {}
///     fn despawn(&mut self, _: NetEntity) {
///         self.entities -= 1;
///     }
///     fn insert_resource<R: ResourceOf<P>>(&mut self, _: R, _tick: u32) {}
///     fn resource_mut<R: ResourceOf<P>>(&mut self) -> Option<&mut R> {
///         None
///     }
///     fn updated_resource<R: ResourceOf<P>>(&mut self, _tick: u32) {}
///     fn remove_resource<R: ResourceOf<P>>(&mut self) {}
/// }
/// # let _ = Census::default().entities;
/// ```
pub trait WorldSink<P: Protocol> {
    /// An entity has come into sight. Its components follow.
    fn spawn(&mut self, entity: NetEntity);

    /// All components of a new entity are there.
    fn spawned(&mut self, entity: NetEntity);

    /// An entity has a component that it did not have; `tick` is the sender's when it was sent.
    fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C, tick: u32);

    /// The component, to be changed in place; [`updated`](Self::updated) follows.
    fn component_mut<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<&mut C>;

    /// A component was changed.
    fn updated<C: ComponentOf<P>>(&mut self, entity: NetEntity, tick: u32);

    /// An entity does not have a component any more.
    fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity);

    /// An entity is gone, or out of sight, and its components with it.
    fn despawn(&mut self, entity: NetEntity);

    /// An entity in a slot has come and gone before anything of it arrived here. Of interest where ids are reserved; does nothing
    /// unless it is written.
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
///
/// # For callers
/// [`collect`](Self::collect) once before the packets of a send; on a server
/// [`ServerSide::collect_from`](crate::ServerSide::collect_from) does that.
///
/// # For implementors
/// * MUST hand over what has changed, and MAY hand over what has not: it is compared with what was sent, and costs its
///   encoding alone.
/// * MUST say with [`Changes::remove`](crate::Changes::remove) that a component is gone. That an entity is gone is said to
///   [`ServerSide::despawn`](crate::ServerSide::despawn).
///
/// A world with one kind of component, all of which change all the time:
///
/// ```
/// use bowline_core::{ComponentOf, NetEntity, Protocol};
/// use bowline_replication::{Changes, WorldSource};
///
/// struct Swarm<C>(Vec<(NetEntity, C)>);
///
/// impl<P: Protocol, C: ComponentOf<P>> WorldSource<P> for Swarm<C> {
///     fn collect(&mut self, changes: &mut Changes<'_, P>) {
///         for (entity, component) in &self.0 {
///             changes.component(*entity, component);
///         }
///     }
/// }
/// ```
pub trait WorldSource<P: Protocol> {
    /// Hands over every component and resource that may have changed since the last call. What did not is not sent.
    fn collect(&mut self, changes: &mut crate::Changes<'_, P>);
}
