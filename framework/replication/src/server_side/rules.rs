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
///     server.set_write_rule::<Size>(WriteRule::If(|_user, _entity, size| *size.as_ref() < 100));
/// }
/// ```
pub enum WriteRule<C> {
    /// Whatever they like. The default.
    Always,
    /// Nothing: it is the server's, on their entities too.
    Never,
    /// What this allows, of a value that the user in this slot would give the entity's component. It captures nothing; what it
    /// has to know is in the value, or in a static.
    If(fn(usize, NetEntity, &C) -> bool),
}

impl<C> Default for WriteRule<C> {
    fn default() -> Self {
        Self::Always
    }
}

impl<C> Clone for WriteRule<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for WriteRule<C> {}

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
