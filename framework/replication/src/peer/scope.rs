use std::collections::BTreeMap;

use crate::bits::BitSet;

/// Which entities a peer is to see: those in its rooms, less what is hidden from it and more what is shown to it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    rooms: Vec<u32>,
    /// Over rooms: an entity is shown or hidden whatever they say.
    overrides: BTreeMap<u32, Override>,
    visible: BitSet,
    /// What it was before it was looked at last.
    before: BitSet,
    is_stale: bool,
}

/// What is said of an entity and a peer, over rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    Include,
    Exclude,
}

impl Scope {
    /// What it has come to, the last time it was looked at.
    pub(crate) const fn visible(&self) -> &BitSet {
        &self.visible
    }

    /// Those of a word that came into it the last time it was looked at.
    pub(crate) fn news(&self, word: usize) -> u64 {
        self.visible.word(word) & !self.before.word(word)
    }

    pub(crate) const fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Something that it depends on has changed.
    pub(crate) const fn look_again(&mut self) {
        self.is_stale = true;
    }

    pub(crate) fn enter_room(&mut self, room: u32) {
        if !self.rooms.contains(&room) {
            self.rooms.push(room);
            self.is_stale = true;
        }
    }

    pub(crate) fn leave_room(&mut self, room: u32) {
        self.rooms.retain(|other| *other != room);
        self.is_stale = true;
    }

    pub(crate) fn is_in(&self, room: u32) -> bool {
        self.rooms.contains(&room)
    }

    pub(crate) fn set_override(&mut self, slot: usize, to: Option<Override>) {
        match to {
            Some(to) => self.overrides.insert(slot as u32, to),
            None => self.overrides.remove(&(slot as u32)),
        };
        self.is_stale = true;
    }

    /// An entity is gone; another may have its slot one day.
    pub(crate) fn forget(&mut self, slot: usize) {
        self.overrides.remove(&(slot as u32));
        self.visible.remove(slot);
    }

    /// Makes it anew where that is due; whether it was.
    pub(crate) fn refresh(&mut self, rooms: &[BitSet], always: &BitSet) -> bool {
        if !std::mem::take(&mut self.is_stale) {
            return false;
        }
        std::mem::swap(&mut self.visible, &mut self.before);
        self.visible.clear();
        self.visible.join(always);
        for room in &self.rooms {
            if let Some(entities) = rooms.get(*room as usize) {
                self.visible.join(entities);
            }
        }
        for (slot, over) in &self.overrides {
            self.visible.set(*slot as usize, *over == Override::Include);
        }
        true
    }
}
