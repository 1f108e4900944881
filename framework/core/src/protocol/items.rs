use std::marker::PhantomData;

use super::{ComponentOf, MessageOf, Protocol, Replicate, RequestOf, ResourceOf};
use crate::Asked;

/// Something for each component or resource of a protocol, chosen at compile time: a column of values, say.
///
/// A protocol has [`Protocol::Components`] and [`Protocol::Resources`] of any family; [`ComponentOf::of`] finds the one of a
/// component. There is no map from types at run time.
pub trait Family: 'static {
    /// What there is for `C`.
    type Of<C: Replicate>: Default + Send + Sync + 'static;
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

/// What is done with messages whose type only the protocol knows: [`Protocol::with_message`] finds it.
pub trait MessageVisitor<P: Protocol> {
    /// There is such a message in the protocol.
    fn name<M: MessageOf<P>>(&mut self) {}

    /// The message was of this type.
    fn message<M: MessageOf<P>>(self, message: M);
}

/// What is done with requests whose type only the protocol knows: [`Protocol::with_requested`] finds it.
pub trait RequestVisitor<P: Protocol> {
    /// There is such a request in the protocol.
    fn name<R: RequestOf<P>>(&mut self) {}

    /// The request was of this type.
    fn request<R: RequestOf<P>>(self, asked: Asked<R>);
}

/// A leaf in a tree of types.
#[derive(Debug)]
pub struct One<T>(PhantomData<fn() -> T>);

/// Two trees of types. Trees and not lists, because the compiler refuses what is nested too deep.
#[derive(Debug)]
pub struct Both<A, B>(PhantomData<fn() -> (A, B)>);
