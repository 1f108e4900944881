//! A protocol's components and resources as Bevy knows them.

use bevy_ecs::component::{Component, Immutable, Mutable};
use bevy_ecs::prelude::{EntityWorldMut, Resource};
use bowline::{Both, ComponentOf, One, Protocol, ResourceOf};

#[cfg(any(feature = "client", feature = "server"))]
use crate::Tag;
#[cfg(feature = "client")]
use crate::client::ClientItems;
#[cfg(feature = "server")]
use crate::server::ServerItems;

/// A protocol whose components are components of Bevy, and whose resources are resources of Bevy. It is one where each of
/// them derives `Component` or `Resource` beside `Replicate`; nothing has to be registered.
///
/// ```compile_fail
/// use bowline::prelude::{Protocol, Replicate};
/// use bowline_bevy::BevyProtocol;
///
/// #[derive(Replicate)] // and no `Component`
/// pub struct Position {
///     pub x: f32,
/// }
///
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20, components(Position))]
/// pub struct Arena;
///
/// fn goes_into_a_plugin<P: BevyProtocol>() {}
/// goes_into_a_plugin::<Arena>();
/// ```
#[diagnostic::on_unimplemented(
    message = "the components and resources of `{Self}` are not all known to Bevy",
    note = "each of `components(..)` derives `Component` beside `Replicate`, each of `resources(..)` derives `Resource`"
)]
pub trait BevyProtocol:
    Protocol<ComponentTypes: ComponentTree<Self>, ResourceTypes: ResourceTree<Self>>
{
}

impl<P> BevyProtocol for P
where
    P: Protocol,
    P::ComponentTypes: ComponentTree<P>,
    P::ResourceTypes: ResourceTree<P>,
{
}

/// The components of a protocol, all of them Bevy's. Part of [`BevyProtocol`]; not for others to implement.
pub trait ComponentTree<P: Protocol> {
    #[doc(hidden)]
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(to: &mut ServerItems<'_, P, T>);

    #[doc(hidden)]
    #[cfg(feature = "client")]
    fn on_client<T: Tag>(to: &mut ClientItems<'_, P, T>);
}

/// The resources of a protocol, all of them Bevy's. Part of [`BevyProtocol`]; not for others to implement.
pub trait ResourceTree<P: Protocol> {
    #[doc(hidden)]
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(to: &mut ServerItems<'_, P, T>);

    #[doc(hidden)]
    #[cfg(feature = "client")]
    fn on_client<T: Tag>(to: &mut ClientItems<'_, P, T>);
}

/// A way into a component, where Bevy lets one: `#[component(immutable)]` ones are replaced, not changed.
pub trait Access<C: Component> {
    #[doc(hidden)]
    fn get_mut(entity: EntityWorldMut<'_>) -> Option<&mut C>;
}

impl<C: Component<Mutability = Self>> Access<C> for Mutable {
    fn get_mut(entity: EntityWorldMut<'_>) -> Option<&mut C> {
        Some(entity.into_mut::<C>()?.into_inner())
    }
}

impl<C: Component<Mutability = Self>> Access<C> for Immutable {
    fn get_mut(_: EntityWorldMut<'_>) -> Option<&mut C> {
        None
    }
}

impl<P: Protocol> ComponentTree<P> for () {
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(_: &mut ServerItems<'_, P, T>) {}

    #[cfg(feature = "client")]
    fn on_client<T: Tag>(_: &mut ClientItems<'_, P, T>) {}
}

impl<P: Protocol, C> ComponentTree<P> for One<C>
where
    C: ComponentOf<P> + Component<Mutability: Access<C>>,
{
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(to: &mut ServerItems<'_, P, T>) {
        to.component::<C>();
    }

    #[cfg(feature = "client")]
    fn on_client<T: Tag>(to: &mut ClientItems<'_, P, T>) {
        to.component::<C>();
    }
}

impl<P: Protocol, A: ComponentTree<P>, B: ComponentTree<P>> ComponentTree<P> for Both<A, B> {
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(to: &mut ServerItems<'_, P, T>) {
        A::on_server(to);
        B::on_server(to);
    }

    #[cfg(feature = "client")]
    fn on_client<T: Tag>(to: &mut ClientItems<'_, P, T>) {
        A::on_client(to);
        B::on_client(to);
    }
}

impl<P: Protocol> ResourceTree<P> for () {
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(_: &mut ServerItems<'_, P, T>) {}

    #[cfg(feature = "client")]
    fn on_client<T: Tag>(_: &mut ClientItems<'_, P, T>) {}
}

impl<P: Protocol, R: ResourceOf<P> + Resource<Mutability: Access<R>>> ResourceTree<P> for One<R> {
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(to: &mut ServerItems<'_, P, T>) {
        to.resource::<R>();
    }

    #[cfg(feature = "client")]
    fn on_client<T: Tag>(to: &mut ClientItems<'_, P, T>) {
        to.resource::<R>();
    }
}

impl<P: Protocol, A: ResourceTree<P>, B: ResourceTree<P>> ResourceTree<P> for Both<A, B> {
    #[cfg(feature = "server")]
    fn on_server<T: Tag>(to: &mut ServerItems<'_, P, T>) {
        A::on_server(to);
        B::on_server(to);
    }

    #[cfg(feature = "client")]
    fn on_client<T: Tag>(to: &mut ClientItems<'_, P, T>) {
        A::on_client(to);
        B::on_client(to);
    }
}
