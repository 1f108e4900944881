use std::fmt;

use bowline_core::protocol::Family;
use bowline_core::{NetEntity, Replicate};

/// What clients may write to a component of the entities that they own or have authority over.
pub enum WriteRule<C> {
    /// Whatever they like.
    Always,
    /// Nothing. It is dropped and counted, and the client is told what the component is.
    Never,
    /// What this allows, of a value that the user in this slot would give the entity's component.
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
