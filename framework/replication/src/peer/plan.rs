use super::Peer;
use crate::bits::{WORD, ones};
use crate::entities::Entities;

/// What goes out to one peer in one send, by slot. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) farewells: Queue,
    pub(super) shapes: Queue,
    pub(super) updates: Queue,
    /// Where not all fits: how urgent each is.
    candidates: Vec<(f32, u32)>,
    /// Something has to wait for another send.
    pub(super) is_partial: bool,
}

/// Slots in ascending order, and how many of them are done.
#[derive(Debug, Default)]
pub(super) struct Queue {
    slots: Vec<u32>,
    done: usize,
}

impl Queue {
    pub(super) fn peek(&self) -> Option<usize> {
        self.slots.get(self.done).map(|slot| *slot as usize)
    }

    pub(super) const fn advance(&mut self) {
        self.done += 1;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.done >= self.slots.len()
    }

    fn begin(&mut self) {
        self.slots.clear();
        self.done = 0;
    }

    /// Begins with a slot, and comes to those before it after the last.
    fn begin_at(&mut self, slot: u32) {
        let at = self.slots.partition_point(|other| *other < slot);
        self.slots.rotate_left(at);
    }
}

impl Plan {
    /// Nothing is left to do.
    pub(super) const fn is_done(&self) -> bool {
        self.farewells.is_empty() && self.shapes.is_empty() && self.updates.is_empty()
    }

    /// What `peer` is owed, as far as it fits into `budget` bytes.
    pub(super) fn make(&mut self, peer: &mut Peer, entities: &Entities, budget: usize) {
        self.farewells.begin();
        self.shapes.begin();
        self.updates.begin();
        self.is_partial = peer.has_debts && budget == 0;
        if !peer.has_debts || budget == 0 {
            return;
        }
        let bits = budget.saturating_mul(8) as f32;
        if peer.owed.len() as f32 * peer.usual_bits <= bits {
            // All of it, and so in any order.
            for index in peer.owed.word_range() {
                self.add_all(peer, entities, index);
            }
        } else {
            self.choose(peer, entities, bits);
        }
        if peer.resume_at > 0 {
            self.shapes.begin_at(peer.resume_at);
            self.updates.begin_at(peer.resume_at);
        }
    }

    /// The first that is still to do.
    pub(super) fn first_left(&self) -> Option<u32> {
        let left = self.shapes.peek().or_else(|| self.updates.peek())?;
        Some(left as u32)
    }

    /// The most urgent, as many as fit. How urgent something is, is its gain times how long it was not sent: whatever has a
    /// gain is most urgent one day.
    fn choose(&mut self, peer: &mut Peer, entities: &Entities, bits: f32) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        for index in peer.owed.word_range() {
            let word = peer.owed.word(index);
            for bit in ones(word) {
                let slot = index * WORD + bit;
                if !self.can_go(peer, entities, slot) {
                    continue;
                }
                let gain = match entities.record(slot) {
                    Some(record) => peer.gain(slot, record.gain),
                    None => FAREWELL_GAIN,
                };
                let sent = peer.sent(slot);
                let waited = (entities.epoch() as u16).wrapping_sub(sent);
                let boost = peer.boosted.get(&(slot as u32)).copied().unwrap_or(1.0);
                candidates.push((gain * boost * (f32::from(waited) + 1.0), slot as u32));
            }
        }
        let fitting = (bits / peer.usual_bits) as usize + 1;
        if fitting < candidates.len() {
            candidates.select_nth_unstable_by(fitting, |a, b| b.0.total_cmp(&a.0));
            candidates.truncate(fitting);
            self.is_partial = true;
        }
        candidates.sort_unstable_by_key(|(_, slot)| *slot);
        for (_, slot) in &candidates {
            self.sort_in(peer, entities, *slot as usize);
        }
        self.candidates = candidates;
    }

    /// All that is owed of the slots of one word.
    fn add_all(&mut self, peer: &mut Peer, entities: &Entities, index: usize) {
        let (owed, pending) = (peer.owed.word(index), peer.pending.word(index));
        let leaving = owed & peer.leaving.word(index);
        self.farewells.slots.extend(ones(leaving).map(|bit| (index * WORD + bit) as u32));
        for bit in ones(owed & !leaving) {
            let slot = index * WORD + bit;
            let Some(record) = entities.record(slot) else { continue };
            let is_plain = record.gain > 0.0 && !record.has_references;
            if !(is_plain && peer.gains.is_empty() && peer.bulky.is_empty()
                || self.can_go(peer, entities, slot))
            {
                continue;
            }
            let queue = if pending >> bit & 1 != 0 || record.shaped > peer.acked(slot) {
                &mut self.shapes
            } else {
                &mut self.updates
            };
            queue.slots.push(slot as u32);
        }
    }

    /// Whether something that is owed can be sent now.
    fn can_go(&mut self, peer: &mut Peer, entities: &Entities, slot: usize) -> bool {
        if peer.leaving.contains(slot) {
            return true;
        }
        let Some(record) = entities.record(slot) else { return false };
        if peer.gain(slot, record.gain) <= 0.0 || peer.bulky.contains_key(&(slot as u32)) {
            return false;
        }
        let must_wait = record.has_references && peer.must_wait(entities, slot);
        self.is_partial |= must_wait;
        !must_wait
    }

    fn sort_in(&mut self, peer: &Peer, entities: &Entities, slot: usize) {
        let queue = match entities.record(slot) {
            _ if peer.leaving.contains(slot) => &mut self.farewells,
            Some(record) if peer.pending.contains(slot) || record.shaped > peer.acked(slot) => {
                &mut self.shapes
            }
            _ => &mut self.updates,
        };
        queue.slots.push(slot as u32);
    }
}

/// That an entity is gone takes few bits, and is worth more than most.
const FAREWELL_GAIN: f32 = 16.0;
