use bowline_core::{ComponentOf, Protocol};

use super::World;

/// What [`World::query`] looks for: a reference to a component, or an option of one where entities without it are meant too,
/// alone or in a tuple of up to six.
pub trait Query<P: Protocol> {
    /// What there is for an entity.
    type Item<'w>;

    #[doc(hidden)]
    fn fetch(world: &World<P>, slot: usize) -> Option<Self::Item<'_>>;
}

impl<P: Protocol, C: ComponentOf<P>> Query<P> for &C {
    type Item<'w> = &'w C;

    fn fetch(world: &World<P>, slot: usize) -> Option<&C> {
        world.column::<C>().get(slot)
    }
}

impl<P: Protocol, C: ComponentOf<P>> Query<P> for Option<&C> {
    type Item<'w> = Option<&'w C>;

    fn fetch(world: &World<P>, slot: usize) -> Option<Option<&C>> {
        Some(world.column::<C>().get(slot))
    }
}

macro_rules! query_of_tuples {
    ($($name:ident)+) => {
        impl<P: Protocol, $($name: Query<P>),+> Query<P> for ($($name,)+) {
            type Item<'w> = ($($name::Item<'w>,)+);

            fn fetch(world: &World<P>, slot: usize) -> Option<Self::Item<'_>> {
                Some(($($name::fetch(world, slot)?,)+))
            }
        }
    };
}

query_of_tuples!(A);
query_of_tuples!(A B);
query_of_tuples!(A B C);
query_of_tuples!(A B C D);
query_of_tuples!(A B C D E);
query_of_tuples!(A B C D E F);
