use std::collections::BTreeMap;

use crate::entities::{BARE, Shapes};

/// The shapes that entities had before those they have. A packet that was overtaken by the one that changed a shape is read by
/// the old one; what it says of others may be news.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// By slot, and the packet that ended it.
    shapes: BTreeMap<(u32, u64), u32>,
    looked_at: u64,
}

/// No packet is taken in that is so much older than the newest: it is the memory of a connection for packets.
pub(super) const MEMORY: u64 = 1_024;
/// Some 2 MB.
const MAX_FORMER: usize = 1 << 16;

impl Former {
    /// The packet `until` ended a shape. It counts as in use until it is forgotten.
    /// Where there are too many, the oldest go: a peer that changes so many so fast has itself to thank.
    pub(super) fn keep(&mut self, slot: usize, until: u64, shape: u32, shapes: &mut Shapes) {
        if shape == BARE {
            return;
        }
        if let Some(before) = self.shapes.insert((slot as u32, until), shape) {
            shapes.leave(before);
        }
        if self.shapes.len() > MAX_FORMER
            && let Some((_, shape)) = self.shapes.pop_first()
        {
            shapes.leave(shape);
        }
    }

    /// The shape that the entity in a slot had when a packet was sent that is older than its shape now.
    pub(super) fn at(&self, slot: usize, packet: u64) -> Option<u32> {
        let after = (slot as u32, packet + 1)..=(slot as u32, u64::MAX);
        self.shapes.range(after).next().map(|(_, shape)| *shape)
    }

    /// Forgets what no packet can need any more, now that `newest` has come.
    pub(super) fn expire(&mut self, newest: u64, shapes: &mut Shapes) {
        if self.shapes.is_empty() || newest < self.looked_at + MEMORY / 4 {
            return;
        }
        self.looked_at = newest;
        self.shapes.retain(|(_, until), shape| {
            let is_needed = *until + MEMORY >= newest;
            if !is_needed {
                shapes.leave(*shape);
            }
            is_needed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_remembered_for_as_long_as_packets_are() {
        let (mut former, mut shapes) = (Former::default(), Shapes::new());
        let shape = shapes.enter(&[1], |_| 1);
        former.keep(4, 10, shape, &mut shapes);
        former.expire(10 + MEMORY, &mut shapes);
        assert_eq!((former.at(4, 9), former.at(4, 10), former.at(5, 9)), (Some(shape), None, None));
        former.expire(10 + MEMORY * 2, &mut shapes);
        assert_eq!(former.at(4, 9), None);
        assert_eq!(shapes.enter(&[2], |_| 1), shape, "nothing is of that shape any more");
    }
}
