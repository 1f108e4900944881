use std::collections::BTreeMap;

use bowline_core::DecodeError;

use super::former::MEMORY;
use crate::entities::BARE;
use crate::paged::Paged;

/// What is known of an entity of the other side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) shape: u32,
    pub(super) is_alive: bool,
    /// Older packets than this say nothing new of it.
    pub(super) oldest: u64,
    /// The packet since which it has this shape, or is gone.
    pub(super) shaped: u64,
}

/// The slots of the other side. A client can name any: those of clients are kept one by one, and not too many.
#[derive(Debug)]
pub(super) enum Slots {
    OfServer(Paged<Slot>),
    OfClient(BTreeMap<usize, Slot>),
}

/// How many slots a client may name at a time: what it owns and has authority over is a small part of it. Some 600 kB.
const MAX_OF_CLIENT: usize = 8_192;

impl Slots {
    pub(super) const fn of_server() -> Self {
        Self::OfServer(Paged::new())
    }

    pub(super) const fn of_client() -> Self {
        Self::OfClient(BTreeMap::new())
    }

    #[inline]
    pub(super) fn get(&self, slot: usize) -> Option<&Slot> {
        match self {
            Self::OfServer(slots) => slots.get(slot),
            Self::OfClient(slots) => slots.get(&slot),
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Slot> {
        match self {
            Self::OfServer(slots) => slots.get_mut(slot),
            Self::OfClient(slots) => slots.get_mut(&slot),
        }
    }

    /// A place for a slot that the packet `packet` names.
    pub(super) fn get_or_add(&mut self, slot: usize, packet: u64) -> Result<&mut Slot, DecodeError> {
        match self {
            Self::OfServer(slots) => Ok(slots.get_or_add(slot, || Slot::EMPTY)),
            Self::OfClient(slots) => {
                if slots.len() >= MAX_OF_CLIENT && !slots.contains_key(&slot) {
                    // What is gone for so long that no packet can speak of it any more needs no place.
                    slots.retain(|_, slot| slot.is_alive || slot.oldest + MEMORY >= packet);
                    if slots.len() >= MAX_OF_CLIENT {
                        return Err(DecodeError::AllocationLimit);
                    }
                }
                Ok(slots.entry(slot).or_insert(Slot::EMPTY))
            }
        }
    }
}

impl Slot {
    const EMPTY: Self = Self { generation: 0, shape: BARE, is_alive: false, oldest: 0, shaped: 0 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_name_others_when_those_before_are_long_gone() {
        let mut slots = Slots::of_client();
        for slot in 0..MAX_OF_CLIENT {
            slots.get_or_add(slot, 1).unwrap().oldest = 1;
        }
        slots.get_mut(5).unwrap().is_alive = true;
        assert!(slots.get_or_add(MAX_OF_CLIENT, 1 + MEMORY).is_err(), "an old packet may name them");
        assert!(slots.get_or_add(MAX_OF_CLIENT, 2 + MEMORY).is_ok());
        assert!(slots.get(5).is_some() && slots.get(6).is_none());
    }
}
