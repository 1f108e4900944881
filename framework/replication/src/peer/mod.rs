//! What one peer has, may have, and is owed.

mod flight;
mod load;
mod plan;
mod scope;

use std::collections::BTreeMap;

use flight::Flight;
pub(crate) use load::Bulky;
pub use load::Load;
pub(crate) use plan::Plan;
pub(crate) use scope::{Override, Scope};

use crate::bits::{BitSet, WORD, ones};
use bowline_core::NetEntity;

use crate::entities::Entities;

/// What a peer has of each entity, as one number: the epoch of a state that it has for certain. All that has changed after
/// it is owed.
///
/// An entity is on its way through four sets, and in none of them before and after:
///
/// ```text
///            enters scope            a packet with it           leaves scope          a packet that says so
///   [absent] ----------> `pending` ----- arrived -----> known ----------> `leaving` ------ arrived -----> [absent]
/// ```
///
/// `known` holds all but the absent. What is sent again and again until a packet arrives is the whole state; after that it is
/// all that has changed since the newest state that has arrived. So a state that a peer shows is always one that was, and a
/// lost packet costs nothing but its own resending.
#[derive(Debug)]
pub(crate) struct Peer {
    pages: Vec<Option<Box<Page>>>,
    scope: Scope,
    known: BitSet,
    pending: BitSet,
    leaving: BitSet,
    /// What it should be told and was not, or not in a packet that arrived: states of `known`, and that of `leaving` they
    /// are gone.
    owed: BitSet,
    /// There may be something in `owed`.
    has_debts: bool,
    flight: Flight,
    /// Those that have come into sight, of those that can be lent, until somebody asks.
    entered: Vec<u32>,
    /// What waits for entities that it refers to, and for how many more sends.
    waits: BTreeMap<u32, u8>,
    /// How soon entities go out to this peer, where that is not their own gain.
    gains: BTreeMap<u32, f32>,
    /// To go out before all others, once.
    boosted: BTreeMap<u32, f32>,
    /// States larger than a packet that are under way by themselves: their slots, ids and epochs.
    bulky: BTreeMap<u32, (u32, u32)>,
    next_bulky: u32,
    /// How many bits a record took lately.
    usual_bits: f32,
    /// The slot that the next send begins with.
    resume_at: u32,
}

/// What is remembered of the slots of one word.
#[derive(Debug)]
struct Page {
    /// The epoch of the newest state that arrived; in `pending` and `leaving`, that in which it got there.
    acked: [u32; WORD],
    /// The last bits of the epoch in which it was sent last.
    sent: [u16; WORD],
}

/// What became of a packet's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrived,
    Lost,
}

impl Peer {
    pub(crate) fn new() -> Self {
        Self {
            pages: Vec::new(),
            scope: Scope::default(),
            known: BitSet::new(),
            pending: BitSet::new(),
            leaving: BitSet::new(),
            owed: BitSet::new(),
            has_debts: false,
            flight: Flight::default(),
            entered: Vec::new(),
            waits: BTreeMap::new(),
            gains: BTreeMap::new(),
            boosted: BTreeMap::new(),
            bulky: BTreeMap::new(),
            next_bulky: 0,
            usual_bits: USUAL_BITS,
            resume_at: 0,
        }
    }

    pub(crate) const fn scope_mut(&mut self) -> &mut Scope {
        &mut self.scope
    }

    pub(crate) const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether the peer has the entity in this slot for certain, and is to have it.
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.known.contains(slot) && !self.pending.contains(slot) && !self.leaving.contains(slot)
    }

    /// Whether the peer has it or may have it, and is to have it.
    pub(crate) fn may_have(&self, slot: usize) -> bool {
        self.known.contains(slot) && !self.leaving.contains(slot)
    }

    /// Whether the peer may have heard of it.
    pub(crate) fn knows(&self, slot: usize) -> bool {
        self.known.contains(slot)
    }

    /// Whether all that has happened to it has arrived.
    pub(crate) fn is_settled(&self, entities: &Entities, slot: usize) -> bool {
        self.has(slot) && entities.record(slot).is_some_and(|record| record.changed <= self.acked(slot))
    }

    /// Whether [`Load`] may have anything to do.
    pub(crate) const fn has_debts(&self) -> bool {
        self.has_debts
    }

    /// There may be something to do that was held back.
    pub(crate) const fn look_for_debts(&mut self) {
        self.has_debts = true;
    }

    /// The peer wrote to it and does so no more: it is told all that it is. What is under way does not count, for it may have
    /// passed over that.
    pub(crate) fn tell_all_of(&mut self, entities: &mut Entities, slot: usize) {
        if self.may_have(slot) {
            entities.mark_dirty();
            self.pending.insert(slot);
            self.set_acked(slot, entities.epoch() + 1);
            self.owed.insert(slot);
            self.has_debts = true;
        }
    }

    /// The peer has it already, though it was never sent: it was its own.
    pub(crate) fn takes_over(&mut self, entities: &mut Entities, slot: usize) {
        if !self.known.contains(slot) {
            self.enter(entities, slot);
        }
        self.tell_all_of(entities, slot);
    }

    /// Those that can be lent and have come into sight since the last call.
    pub(crate) fn take_entered(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.entered)
    }

    /// Whether it refers to an entity that the peer is to see and does not have yet: then it waits, for a while. Those that
    /// wait for each other do not.
    fn must_wait(&mut self, entities: &Entities, slot: usize) -> bool {
        let is_missing = |target: &NetEntity| {
            let at = target.slot();
            entities.at(at) == Some(*target)
                && at != slot
                && self.scope.visible().contains(at)
                && !self.has(at)
                && !self.waits.contains_key(&(at as u32))
                && entities.record(at).is_some_and(|record| self.gain(at, record.gain) > 0.0)
        };
        let waits_for_one = entities.references(slot).iter().any(is_missing);
        let patience = self.waits.get(&(slot as u32)).copied().unwrap_or(PATIENCE);
        if waits_for_one && patience > 0 {
            self.waits.insert(slot as u32, patience - 1);
            return true;
        }
        self.waits.remove(&(slot as u32));
        false
    }

    /// What the entities have changed in the epoch that was closed is owed to those who see them.
    pub(crate) fn owe(&mut self, changes: &BitSet) {
        for index in changes.word_range() {
            let word = changes.word(index);
            if word == 0 {
                continue;
            }
            let owed = word & self.known.word(index) & self.scope.visible().word(index);
            if owed != 0 {
                *self.owed.word_mut(index) |= owed;
                self.has_debts = true;
            }
        }
    }

    /// An entity that is gone is gone from here too.
    pub(crate) fn depart(&mut self, entities: &mut Entities, slot: usize) {
        self.scope.forget(slot);
        self.gains.remove(&(slot as u32));
        self.boosted.remove(&(slot as u32));
        self.waits.remove(&(slot as u32));
        self.leave(entities, slot);
    }

    /// Follows what has changed in the scope since the last time.
    pub(crate) fn follow_scope(&mut self, entities: &mut Entities, rooms: &[BitSet], always: &BitSet) {
        if !self.scope.refresh(rooms, always) {
            return;
        }
        let words = self.scope.visible().word_range().end.max(self.known.word_range().end);
        for index in 0..words {
            let (visible, known) = (self.scope.visible().word(index), self.known.word(index));
            for bit in ones(visible & !known) {
                self.enter(entities, index * WORD + bit);
            }
            // It was hidden for a while: what it has missed. One that is leaving comes back when it has left.
            for bit in ones(self.scope.news(index) & known & !self.leaving.word(index)) {
                self.owe_what_was_missed(entities, index * WORD + bit);
            }
            for bit in ones(known & !visible & !self.leaving.word(index)) {
                let slot = index * WORD + bit;
                if entities.record(slot).is_some_and(|record| record.persists) && !self.pending.contains(slot)
                {
                    // It stays there as it is.
                    self.owed.remove(slot);
                } else {
                    self.leave(entities, slot);
                }
            }
        }
    }

    /// A packet's fate is known.
    pub(crate) fn decided(&mut self, entities: &mut Entities, packet: u64, fate: Fate) {
        let Some((epoch, places)) = self.flight.begin_decision(packet) else { return };
        let mut flight = std::mem::take(&mut self.flight);
        let mut records = flight.records(places);
        while let Some((slot, is_farewell)) = records.next() {
            match fate {
                Fate::Arrived => self.arrived(entities, slot, epoch, is_farewell),
                Fate::Lost => self.lost(entities, slot),
            }
            // Most are neighbours, and known for long.
            if fate == Fate::Arrived && !is_farewell {
                self.neighbours_arrived(slot, epoch, &mut records, entities);
            }
        }
        drop(records);
        flight.retire();
        self.flight = flight;
    }

    /// Goes on with the records of slots in the same word as `before`.
    fn neighbours_arrived(
        &mut self,
        before: usize,
        epoch: u32,
        records: &mut impl Iterator<Item = (usize, bool)>,
        entities: &mut Entities,
    ) {
        let index = before / WORD;
        let settled = self.known.word(index) & !self.leaving.word(index) & !self.pending.word(index);
        let Some(page) = self.pages.get_mut(index).and_then(Option::as_mut) else { return };
        for (slot, is_farewell) in records {
            let bit = slot % WORD;
            let acked = page.acked.get_mut(bit).filter(|_| slot / WORD == index && settled >> bit & 1 != 0);
            match acked {
                Some(acked) if !is_farewell => *acked = epoch.max(*acked),
                _ => return self.arrived(entities, slot, epoch, is_farewell),
            }
        }
    }

    /// A state that went by itself has arrived.
    pub(crate) fn bulky_arrived(&mut self, entities: &mut Entities, slot: usize, id: u32) {
        if let Some((_, epoch)) = self.bulky.get(&(slot as u32)).copied().filter(|(of, _)| *of == id) {
            self.bulky.remove(&(slot as u32));
            self.arrived(entities, slot, epoch, false);
            if self.known.contains(slot) {
                self.owe_what_was_missed(entities, slot);
            }
        }
    }

    /// A state that was to go by itself is too large for that. It goes when it has changed.
    pub(crate) fn bulky_failed(&mut self, slot: u32) {
        self.bulky.remove(&slot);
    }

    fn arrived(&mut self, entities: &mut Entities, slot: usize, epoch: u32, is_farewell: bool) {
        if !self.known.contains(slot) {
            return;
        }
        let since = self.acked(slot);
        if self.leaving.contains(slot) {
            if is_farewell && epoch >= since {
                self.forget(entities, slot);
            }
        } else if !is_farewell && epoch >= since {
            if self.pending.remove(slot) && !self.waits.is_empty() {
                // Somebody may have waited for it.
                self.has_debts = true;
            }
            self.set_acked(slot, epoch);
        }
    }

    fn lost(&mut self, entities: &Entities, slot: usize) {
        if self.known.contains(slot) {
            self.owe_what_was_missed(entities, slot);
        }
    }

    /// What has changed since the newest state that arrived goes out, if anything has.
    fn owe_what_was_missed(&mut self, entities: &Entities, slot: usize) {
        let is_owed = self.leaving.contains(slot)
            || self.scope.visible().contains(slot)
                && (self.pending.contains(slot)
                    || entities.record(slot).is_some_and(|record| record.changed > self.acked(slot)));
        if is_owed {
            self.owed.insert(slot);
            self.has_debts = true;
        }
    }

    fn enter(&mut self, entities: &mut Entities, slot: usize) {
        let Some(record) = entities.record(slot) else { return };
        if record.is_lent {
            self.entered.push(slot as u32);
        }
        entities.hold(slot);
        self.known.insert(slot);
        self.pending.insert(slot);
        self.owed.insert(slot);
        self.has_debts = true;
        self.set_acked(slot, entities.epoch());
    }

    fn leave(&mut self, entities: &Entities, slot: usize) {
        self.bulky.remove(&(slot as u32));
        if self.known.contains(slot) && self.leaving.insert(slot) {
            self.pending.remove(slot);
            self.owed.insert(slot);
            self.has_debts = true;
            self.set_acked(slot, entities.epoch());
        }
    }

    /// The peer does not have it any more.
    fn forget(&mut self, entities: &mut Entities, slot: usize) {
        self.known.remove(slot);
        self.leaving.remove(slot);
        self.owed.remove(slot);
        if self.known.word(slot / WORD) == 0
            && let Some(page) = self.pages.get_mut(slot / WORD)
        {
            *page = None;
        }
        // It may have come back into scope meanwhile.
        if self.scope.visible().contains(slot) {
            self.scope.look_again();
        }
        entities.let_go(slot);
    }

    /// The peer is gone: nobody waits for it any more.
    pub(crate) fn close(self, entities: &mut Entities) {
        self.known.iter().for_each(|slot| entities.let_go(slot));
    }

    fn acked(&self, slot: usize) -> u32 {
        let page = self.pages.get(slot / WORD).and_then(Option::as_ref);
        page.and_then(|page| page.acked.get(slot % WORD)).copied().unwrap_or(0)
    }

    /// The last bits of the epoch in which it was sent last.
    fn sent(&self, slot: usize) -> u16 {
        let page = self.pages.get(slot / WORD).and_then(Option::as_ref);
        page.and_then(|page| page.sent.get(slot % WORD)).copied().unwrap_or(0)
    }

    fn set_acked(&mut self, slot: usize, epoch: u32) {
        if let Some(acked) = self.page_mut(slot).acked.get_mut(slot % WORD) {
            *acked = epoch;
        }
    }

    fn page_mut(&mut self, slot: usize) -> &mut Page {
        let index = slot / WORD;
        if self.pages.len() <= index {
            self.pages.resize_with(index + 1, || None);
        }
        #[expect(clippy::indexing_slicing, reason = "made long enough the line before")]
        self.pages[index].get_or_insert_with(|| Box::new(Page { acked: [0; WORD], sent: [0; WORD] }))
    }

    /// How soon the entity in a slot goes out, before the time that it has waited is counted in.
    fn gain(&self, slot: usize, own: f32) -> f32 {
        if self.gains.is_empty() { own } else { self.gains.get(&(slot as u32)).copied().unwrap_or(own) }
    }

    /// Has an entity go out sooner or later to this peer; `None` as the entity's own gain says.
    pub(crate) fn set_gain(&mut self, slot: usize, gain: Option<f32>) {
        match gain {
            Some(gain) => self.gains.insert(slot as u32, gain),
            None => self.gains.remove(&(slot as u32)),
        };
        // One that was held back by a gain of zero may be owed.
        self.has_debts = true;
    }

    /// An entity has gone out: what was to happen once has.
    #[inline]
    fn no_more_of(&mut self, slot: usize) {
        if !self.boosted.is_empty() {
            self.boosted.remove(&(slot as u32));
        }
        if !self.waits.is_empty() {
            self.waits.remove(&(slot as u32));
        }
    }

    /// Has an entity go out before others, next time it does.
    pub(crate) fn boost_once(&mut self, slot: usize, by: f32) {
        self.boosted.insert(slot as u32, by);
    }

    /// See [`Entities::rebase`].
    pub(crate) fn rebase(&mut self, by: u32) {
        for page in self.pages.iter_mut().flatten() {
            page.acked.iter_mut().for_each(|acked| *acked = acked.saturating_sub(by));
        }
        self.bulky.values_mut().for_each(|(_, epoch)| *epoch = epoch.saturating_sub(by));
        self.flight.rebase(by);
    }
}

/// For how many sends something waits for what it refers to.
const PATIENCE: u8 = 60;

/// What a record is taken to need before one was sent.
const USUAL_BITS: f32 = 64.0;

#[cfg(test)]
mod tests;
