use std::collections::VecDeque;
use std::ops::Range;

/// What went out in packets whose fate is not known yet.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    packets: VecDeque<Packet>,
    /// What they told of, in the same order.
    records: VecDeque<u32>,
    /// How many records have left at the front.
    retired: u64,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    number: u64,
    epoch: u32,
    /// The number of its first record, counted from the first packet of all.
    first: u64,
    count: u32,
    is_decided: bool,
}

/// The bit of a record that says that an entity is gone. There are fewer than 2^31 slots.
const FAREWELL: u32 = 1 << 31;

impl Flight {
    /// Adds to the packet that is being made.
    #[inline]
    pub(crate) fn add(&mut self, slot: usize, is_farewell: bool) {
        self.records.push_back(slot as u32 | if is_farewell { FAREWELL } else { 0 });
    }

    /// How many records are under way.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// The packet is made of all that was added since the last one.
    pub(crate) fn complete(&mut self, number: u64, epoch: u32) {
        let end = self.packets.back().map_or(self.retired, |packet| packet.first + u64::from(packet.count));
        let count = (self.retired + self.records.len() as u64 - end) as u32;
        self.packets.push_back(Packet { number, epoch, first: end, count, is_decided: false });
    }

    /// The epoch of a packet and the place of its records, if its fate was not known. It is now.
    pub(crate) fn begin_decision(&mut self, number: u64) -> Option<(u32, Range<usize>)> {
        let at = self.packets.binary_search_by_key(&number, |packet| packet.number).ok()?;
        let packet = self.packets.get_mut(at).filter(|packet| !packet.is_decided)?;
        packet.is_decided = true;
        let first = (packet.first - self.retired) as usize;
        Some((packet.epoch, first..first + packet.count as usize))
    }

    /// Records of a packet: slots, and whether it was told that the entity there is gone.
    pub(crate) fn records(&self, places: Range<usize>) -> impl Iterator<Item = (usize, bool)> {
        let records = self.records.range(places);
        records.map(|record| ((record & !FAREWELL) as usize, record & FAREWELL != 0))
    }

    /// Forgets decided packets at the front.
    pub(crate) fn retire(&mut self) {
        while let Some(packet) = self.packets.front().filter(|packet| packet.is_decided) {
            self.records.drain(..packet.count as usize);
            self.retired += u64::from(packet.count);
            self.packets.pop_front();
        }
    }

    pub(crate) fn rebase(&mut self, by: u32) {
        self.packets.iter_mut().for_each(|packet| packet.epoch = packet.epoch.saturating_sub(by));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_decided_once_in_any_order_and_then_forgotten() {
        let mut flight = Flight::default();
        for packet in [3, 7, 8_u64] {
            flight.add(packet as usize * 10, false);
            flight.add(packet as usize * 10 + 1, true);
            flight.complete(packet, packet as u32);
        }
        let records = |flight: &Flight, places| flight.records(places).collect::<Vec<_>>();
        let (epoch, places) = flight.begin_decision(7).unwrap();
        assert_eq!((epoch, records(&flight, places)), (7, vec![(70, false), (71, true)]));
        flight.retire();
        assert_eq!(flight.begin_decision(7), None);
        assert_eq!(flight.begin_decision(4), None, "none of ours");
        assert_eq!(flight.begin_decision(3), Some((3, 0..2)));
        flight.retire();
        assert_eq!((flight.packets.len(), flight.records.len(), flight.retired), (1, 2, 4));
        let (epoch, places) = flight.begin_decision(8).unwrap();
        assert_eq!((epoch, records(&flight, places)), (8, vec![(80, false), (81, true)]));
    }
}
