//! A value for each slot, without a place for all slots before it.

use crate::bits::WORD;

/// Values by slot, in pages of 64 that are made when something is put into them. Who names a slot, the other side of a connection
/// say, has one page made and not a million places.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    pages: Vec<Option<Box<[T; WORD]>>>,
}

impl<T> Paged<T> {
    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new() }
    }

    #[inline]
    pub(crate) fn get(&self, slot: usize) -> Option<&T> {
        self.pages.get(slot / WORD)?.as_ref()?.get(slot % WORD)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.pages.get_mut(slot / WORD)?.as_mut()?.get_mut(slot % WORD)
    }

    /// The value in a slot, whose page is filled with what `empty` gives where it was not there.
    #[inline]
    pub(crate) fn get_or_add(&mut self, slot: usize, empty: fn() -> T) -> &mut T {
        let (page, place) = (slot / WORD, slot % WORD);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        #[expect(clippy::indexing_slicing, reason = "made long enough above, and a remainder is below")]
        &mut self.pages[page].get_or_insert_with(|| Box::new(std::array::from_fn(|_| empty())))[place]
    }

    /// All values of the pages that are there, in the order of their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let pages = (0..).step_by(WORD).zip(&self.pages);
        pages.flat_map(|(first, page)| page.iter().flat_map(move |page| (first..).zip(page.iter())))
    }

    /// The same, to be changed.
    pub(crate) fn for_each_mut(&mut self, mut each: impl FnMut(usize, &mut T)) {
        for (first, page) in (0..).step_by(WORD).zip(&mut self.pages) {
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
        assert_eq!(
            (paged.get(1_000_000), paged.get(3), paged.get(4), paged.get(500)),
            (Some(&7), Some(&5), Some(&0), None)
        );
        assert_eq!(paged.pages.iter().flatten().count(), 2);
        let there: Vec<_> = paged.iter().filter(|(_, value)| **value > 0).collect();
        assert_eq!(there, [(3, &5), (1_000_000, &7)]);
        paged.for_each_mut(|slot, value| *value += i32::from(slot == 3));
        assert_eq!(paged.get(3), Some(&6));
        assert!(paged.get_mut(64).is_none() && paged.get_mut(2_000_000).is_none());
    }
}
