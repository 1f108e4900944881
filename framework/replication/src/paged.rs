//! A value for each slot, without a place for all slots before it.

use crate::bits::WORD;

/// Values by slot. The first few thousand stand in a row, which most worlds never leave; those beyond in pages of 64, which are made
/// when something is put into them. So whoever names a far slot, the other side of a connection say, has one page made and
/// not a million places.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    near: Vec<T>,
    pages: Vec<Option<Box<[T; WORD]>>>,
}

/// So many slots are near.
const NEAR: usize = 4_096;

impl<T> Paged<T> {
    pub(crate) const fn new() -> Self {
        Self { near: Vec::new(), pages: Vec::new() }
    }

    #[inline]
    pub(crate) fn get(&self, slot: usize) -> Option<&T> {
        if slot < NEAR {
            return self.near.get(slot);
        }
        self.pages.get(slot / WORD - NEAR / WORD)?.as_ref()?.get(slot % WORD)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        if slot < NEAR {
            return self.near.get_mut(slot);
        }
        self.pages.get_mut(slot / WORD - NEAR / WORD)?.as_mut()?.get_mut(slot % WORD)
    }

    /// The value in a slot; places that were not there before are filled with what `empty` gives.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "made long enough before, and a remainder is below")]
    pub(crate) fn get_or_add(&mut self, slot: usize, empty: fn() -> T) -> &mut T {
        if slot < NEAR {
            if self.near.len() <= slot {
                self.near.resize_with(slot + 1, empty);
            }
            return &mut self.near[slot];
        }
        let (page, place) = (slot / WORD - NEAR / WORD, slot % WORD);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        &mut self.pages[page].get_or_insert_with(|| Box::new(std::array::from_fn(|_| empty())))[place]
    }

    /// All values that there is a place for, in the order of their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let far = (NEAR..).step_by(WORD).zip(&self.pages);
        let far = far.flat_map(|(first, page)| page.iter().flat_map(move |page| (first..).zip(page.iter())));
        self.near.iter().enumerate().chain(far)
    }

    /// The same, to be changed.
    pub(crate) fn for_each_mut(&mut self, mut each: impl FnMut(usize, &mut T)) {
        for (slot, value) in self.near.iter_mut().enumerate() {
            each(slot, value);
        }
        for (first, page) in (NEAR..).step_by(WORD).zip(&mut self.pages) {
            for (slot, value) in (first..).zip(page.iter_mut().flat_map(|page| page.iter_mut())) {
                each(slot, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_slot_costs_a_page() {
        let mut paged = Paged::new();
        *paged.get_or_add(1_000_000, || 0) = 7;
        *paged.get_or_add(3, || 0) = 5;
        assert_eq!((paged.get(1_000_000), paged.get(3), paged.get(2)), (Some(&7), Some(&5), Some(&0)));
        assert_eq!((paged.get(4), paged.get(NEAR), paged.get(2_000_000)), (None, None, None));
        assert_eq!((paged.near.len(), paged.pages.iter().flatten().count()), (4, 1));
        let there: Vec<_> = paged.iter().filter(|(_, value)| **value > 0).collect();
        assert_eq!(there, [(3, &5), (1_000_000, &7)]);
        paged.for_each_mut(|slot, value| *value += i32::from(slot > 3));
        assert_eq!((paged.get(3), paged.get(1_000_000)), (Some(&5), Some(&8)));
    }

    #[test]
    fn near_and_far_meet() {
        let mut paged = Paged::new();
        for slot in NEAR - 2..NEAR + 2 {
            *paged.get_or_add(slot, || 0) = slot;
        }
        let there: Vec<_> = paged.iter().filter(|(_, value)| **value > 0).map(|(slot, _)| slot).collect();
        assert_eq!(there, [NEAR - 2, NEAR - 1, NEAR, NEAR + 1]);
        assert!((NEAR - 2..NEAR + 2).all(|slot| paged.get_mut(slot) == Some(&mut { slot })));
    }
}
