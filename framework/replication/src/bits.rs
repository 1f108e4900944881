use std::ops::Range;

/// A set of slots, a bit for each. Whole words are joined and compared at once, so that what concerns ten thousand entities
/// takes some hundred operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BitSet {
    words: Vec<u64>,
}

/// How many slots a word has.
pub(crate) const WORD: usize = u64::BITS as usize;

impl BitSet {
    pub(crate) const fn new() -> Self {
        Self { words: Vec::new() }
    }

    pub(crate) fn contains(&self, slot: usize) -> bool {
        self.word(slot / WORD) >> (slot % WORD) & 1 != 0
    }

    /// Gives whether it is news.
    pub(crate) fn insert(&mut self, slot: usize) -> bool {
        let word = self.word_mut(slot / WORD);
        let bit = 1 << (slot % WORD);
        let is_news = *word & bit == 0;
        *word |= bit;
        is_news
    }

    /// Gives whether it was there.
    pub(crate) fn remove(&mut self, slot: usize) -> bool {
        let Some(word) = self.words.get_mut(slot / WORD) else { return false };
        let bit = 1 << (slot % WORD);
        let was_there = *word & bit != 0;
        *word &= !bit;
        was_there
    }

    pub(crate) fn set(&mut self, slot: usize, is_in: bool) {
        if is_in {
            self.insert(slot);
        } else {
            self.remove(slot);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(crate) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Zero beyond the end.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "made long enough the line before")]
    pub(crate) fn word_mut(&mut self, index: usize) -> &mut u64 {
        if self.words.len() <= index {
            self.words.resize(index + 1, 0);
        }
        &mut self.words[index]
    }

    /// The indexes of its words.
    pub(crate) const fn word_range(&self) -> Range<usize> {
        0..self.words.len()
    }

    /// Its slots, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, word)| ones(*word).map(move |bit| index * WORD + bit))
    }

    /// Takes all of `other` in.
    pub(crate) fn join(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }
}

/// The bits of a word, ascending.
pub(crate) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some(bit as usize)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_does_what_a_set_does(steps in prop::collection::vec((0_usize..300, any::<bool>()), 0..200), other in prop::collection::btree_set(0_usize..400, 0..50)) {
            let (mut bits, mut set) = (BitSet::new(), BTreeSet::new());
            for (slot, insert) in steps {
                if insert {
                    prop_assert_eq!(bits.insert(slot), set.insert(slot));
                } else {
                    prop_assert_eq!(bits.remove(slot), set.remove(&slot));
                }
                prop_assert_eq!(bits.contains(slot), set.contains(&slot));
            }
            prop_assert_eq!(bits.iter().collect::<BTreeSet<_>>(), set.clone());
            prop_assert_eq!(bits.len(), set.len());
            let mut others = BitSet::new();
            other.iter().for_each(|slot| { others.insert(*slot); });
            bits.join(&others);
            prop_assert_eq!(bits.iter().collect::<BTreeSet<_>>(), &set | &other);
        }
    }
}
