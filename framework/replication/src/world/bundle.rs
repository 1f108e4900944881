use bowline_core::{ComponentOf, NetEntity, Protocol};

use super::World;

/// The components that an entity begins with: a tuple of up to eight of the protocol's, or `()`. Of two of one type the last
/// counts. More can be inserted before the next send, and come to others together with these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of components of the protocol `{P}`",
    label = "not a tuple of components",
    note = "one component alone is `(Position {{ .. }},)`, with a comma; each must be listed in `components(..)` of `{P}`"
)]
pub trait Bundle<P: Protocol> {
    /// Writes down which components they are.
    #[doc(hidden)]
    fn kinds(kinds: &mut Vec<u16>);

    #[doc(hidden)]
    fn insert_into(self, world: &mut World<P>, entity: NetEntity);
}

macro_rules! bundles {
    ($($name:ident)*) => {
        impl<P: Protocol, $($name: ComponentOf<P>),*> Bundle<P> for ($($name,)*) {
            #[allow(unused_variables)]
            fn kinds(kinds: &mut Vec<u16>) {
                $(kinds.push($name::TAG.index() as u16);)*
            }

            #[allow(unused_variables, non_snake_case)]
            fn insert_into(self, world: &mut World<P>, entity: NetEntity) {
                let ($($name,)*) = self;
                $(world.insert(entity, $name);)*
            }
        }
    };
}

bundles!();
bundles!(A);
bundles!(A B);
bundles!(A B C);
bundles!(A B C D);
bundles!(A B C D E);
bundles!(A B C D E F);
bundles!(A B C D E F G);
bundles!(A B C D E F G H);
