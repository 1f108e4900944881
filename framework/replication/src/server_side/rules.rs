use std::fmt;

use bowline_core::protocol::Family;
use bowline_core::{NetEntity, Replicate};

/// What clients may write to a component of the entities that they own or have authority over. It is asked for each value that
/// arrives, inserted or changed; what it does not allow is dropped and counted, and nobody else sees it. The writer goes on
/// seeing what it wrote, until it gives authority back or loses it.
///
/// ```
/// use bowline_core::{ComponentOf, Protocol};
/// use bowline_replication::{ServerSide, WriteRule};
///
/// fn only_small<P: Protocol, Size: ComponentOf<P> + AsRef<u32>>(server: &mut ServerSide<P>) {
///     server.set_write_rule::<Size>(WriteRule::when(|_user, _entity, size: &Size| *size.as_ref() < 100));
/// }
/// ```
#[derive(Default)]
pub enum WriteRule<C> {
    /// Whatever they like. The default.
    #[default]
    Always,
    /// Nothing: it is the server's, on their entities too.
    Never,
    /// What this allows, of a value that the user in this slot would give the entity's component: see
    /// [`when`](Self::when).
    If(Allows<C>),
}

/// Whether the user in a slot may give an entity a value.
type Allows<C> = Box<dyn Fn(usize, NetEntity, &C) -> bool + Send + Sync>;

impl<C> WriteRule<C> {
    /// What this allows: it is given the slot of the user (that of its id), the entity, and the value that the component
    /// would have.
    #[must_use]
    pub fn when(allows: impl Fn(usize, NetEntity, &C) -> bool + Send + Sync + 'static) -> Self {
        Self::If(Box::new(allows))
    }
}

impl<C> fmt::Debug for WriteRule<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "Always",
            Self::Never => "Never",
            Self::If(_) => "If(..)",
        })
    }
}

/// A rule for each component.
#[derive(Debug)]
pub(super) struct Rules;

impl Family for Rules {
    type Of<C: Replicate> = WriteRule<C>;
}
