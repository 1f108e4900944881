use super::{ComponentOf, Protocol, Replicate, ResourceOf};

/// Something for each component or resource of a protocol, chosen at compile time: a column of values, say.
///
/// A protocol has [`Protocol::Components`] and [`Protocol::Resources`] of any family; [`ComponentOf::of`] finds the one of a
/// component. There is no map from types at run time.
pub trait Family: 'static {
    /// What there is for `C`.
    type Of<C: Replicate>: Default + Send + 'static;
}

/// What is done with a component or resource that is known by its number alone: [`Protocol::with_item`] finds its type.
pub trait ItemVisitor<P: Protocol>: Sized {
    /// What comes of it.
    type Output;

    /// The number was a component's.
    fn component<C: ComponentOf<P>>(self) -> Self::Output;

    /// The number was a resource's.
    fn resource<R: ResourceOf<P>>(self) -> Self::Output;
}
