use std::ops::{Deref, DerefMut};

use bowline_core::Replicate;
use bowline_core::protocol::Family;

use crate::bits::BitSet;
use crate::paged::Paged;

/// A column for each component.
#[derive(Debug)]
pub(crate) struct Columns;

impl Family for Columns {
    type Of<C: Replicate> = Column<C>;
}

/// A place for each resource.
#[derive(Debug)]
pub(crate) struct Places;

impl Family for Places {
    type Of<R: Replicate> = Place<R>;
}

/// The components of one type, by slot, and which of them were written to.
#[derive(Debug)]
pub(crate) struct Column<C> {
    values: Paged<Option<C>>,
    changed: BitSet,
    has_changes: bool,
}

/// A resource, and whether it was written to.
#[derive(Debug)]
pub(crate) struct Place<R> {
    pub(crate) value: Option<R>,
    pub(crate) has_changed: bool,
}

/// A component or resource to be changed: what `component_mut` and `resource_mut` give. Reading through it is no change. The
/// first write marks it, and what comes out as it was is not sent all the same.
#[derive(Debug)]
pub struct Mut<'a, C> {
    value: &'a mut C,
    mark: Mark<'a>,
}

#[derive(Debug)]
enum Mark<'a> {
    Slot(&'a mut BitSet, usize, &'a mut bool),
    Flag(&'a mut bool),
}

impl<C> Deref for Mut<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.value
    }
}

impl<C> DerefMut for Mut<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        match &mut self.mark {
            Mark::Slot(changed, slot, has_changes) => {
                changed.insert(*slot);
                **has_changes = true;
            }
            Mark::Flag(flag) => **flag = true,
        }
        self.value
    }
}

impl<C> Column<C> {
    pub(crate) fn get(&self, slot: usize) -> Option<&C> {
        self.values.get(slot)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<Mut<'_, C>> {
        let value = self.values.get_mut(slot)?.as_mut()?;
        Some(Mut { value, mark: Mark::Slot(&mut self.changed, slot, &mut self.has_changes) })
    }

    /// The value, where a change of it is no news.
    pub(crate) fn raw_mut(&mut self, slot: usize) -> Option<&mut C> {
        self.values.get_mut(slot)?.as_mut()
    }

    pub(crate) fn for_each_mut(&mut self, mut each: impl FnMut(usize, Mut<'_, C>)) {
        let Self { values, changed, has_changes } = self;
        values.for_each_mut(|slot, value| {
            if let Some(value) = value {
                each(slot, Mut { value, mark: Mark::Slot(changed, slot, has_changes) });
            }
        });
    }

    /// Gives what was there.
    pub(crate) fn insert(&mut self, slot: usize, value: C) -> Option<C> {
        self.mark(slot);
        self.place(slot, value)
    }

    /// Puts a value in that is no news.
    pub(crate) fn place(&mut self, slot: usize, value: C) -> Option<C> {
        self.values.get_or_add(slot, || None).replace(value)
    }

    pub(crate) fn remove(&mut self, slot: usize) -> Option<C> {
        self.changed.remove(slot);
        self.values.get_mut(slot)?.take()
    }

    /// It counts as written to.
    pub(crate) fn mark(&mut self, slot: usize) {
        self.changed.insert(slot);
        self.has_changes = true;
    }

    /// Hands over what was written to since the last call.
    #[inline]
    pub(crate) fn drain_changes(&mut self, mut each: impl FnMut(usize, Option<&C>)) {
        if !std::mem::take(&mut self.has_changes) {
            return;
        }
        for slot in self.changed.iter() {
            each(slot, self.values.get(slot).and_then(Option::as_ref));
        }
        self.changed.clear();
    }
}

impl<C> Default for Column<C> {
    fn default() -> Self {
        Self { values: Paged::new(), changed: BitSet::new(), has_changes: false }
    }
}

impl<R> Place<R> {
    pub(crate) fn get_mut(&mut self) -> Option<Mut<'_, R>> {
        Some(Mut { value: self.value.as_mut()?, mark: Mark::Flag(&mut self.has_changed) })
    }
}

impl<R> Default for Place<R> {
    fn default() -> Self {
        Self { value: None, has_changed: false }
    }
}
