use bowline_core::BitWriter;
use bowline_core::connection::Freight;

use super::{Peer, Plan};
use crate::bits::{WORD, ones};
use crate::entities::{Entities, Record, Shape};
use crate::limits::MAX_BULKY;
use crate::record::{Body, Update, gap_bits, gap_to, write_gap};

/// What goes out to one peer in one send: [`Freight`] for its packets.
#[derive(Debug)]
pub struct Load<'a> {
    peer: &'a mut Peer,
    entities: &'a Entities,
    plan: &'a mut Plan,
    /// What a packet with nothing else in it has room for.
    packet_bits: usize,
    /// States that are larger than that: they go by themselves.
    bulky: &'a mut Vec<Bulky>,
    written: (usize, usize),
}

/// A state that is larger than a packet.
#[derive(Debug)]
pub(crate) struct Bulky {
    pub(crate) slot: u32,
    pub(crate) id: u32,
    /// It is newer than what came in packets before this one, and older than what comes in those after it.
    pub(crate) packet: u64,
    /// A shape record, without its gap.
    pub(crate) bytes: Vec<u8>,
}

/// Why the updates of a word are not all loaded, or that they are.
enum Stop {
    Word,
    /// The packet is full.
    Full,
    /// The update of this slot fits into no packet.
    TooLarge(usize),
}

/// Three sections end.
const ENDS: usize = 3;

impl<'a> Load<'a> {
    /// What `peer` is owed, as far as it fits into `budget` bytes in packets of at most `packet_bits` bits.
    pub(crate) fn new(
        peer: &'a mut Peer,
        entities: &'a Entities,
        plan: &'a mut Plan,
        budget: usize,
        packet_bits: usize,
        bulky: &'a mut Vec<Bulky>,
    ) -> Self {
        plan.make(peer, entities, budget);
        Self { peer, entities, plan, packet_bits, bulky, written: (0, 0) }
    }

    fn load_farewells(&mut self, room: &mut usize, writer: &mut BitWriter) {
        let mut before = 0;
        while let Some(slot) = self.plan.farewells.peek() {
            let gap = gap_to(slot, before);
            if 1 + gap_bits(gap) > *room {
                break;
            }
            *room -= 1 + gap_bits(gap);
            writer.write_bool(true);
            write_gap(gap, writer);
            before = slot + 1;
            self.plan.farewells.advance();
            self.peer.flight.add(slot, true);
            self.peer.owed.remove(slot);
        }
        writer.write_bool(false);
    }

    fn load_shapes(&mut self, room: &mut usize, writer: &mut BitWriter) {
        let (mut before, kinds) = (0, self.entities.kinds());
        let mut shape_before: Option<&Shape> = None;
        while let Some(slot) = self.plan.shapes.peek() {
            let Some(record) = self.entities.record(slot) else {
                self.plan.shapes.advance();
                continue;
            };
            let (body, fresh) = self.shape_of(slot, record);
            let gap = gap_to(slot, before);
            let bits = 1 + gap_bits(gap) + body.shape_bits(fresh, shape_before, kinds);
            if bits > *room {
                if bits > self.packet_bits {
                    self.send_by_itself(slot, record);
                    continue;
                }
                break;
            }
            *room -= bits;
            writer.write_bool(true);
            write_gap(gap, writer);
            body.write_shape(fresh, shape_before, kinds, writer);
            shape_before = Some(self.entities.shape(record));
            before = slot + 1;
            self.plan.shapes.advance();
            self.loaded(slot);
        }
        writer.write_bool(false);
    }

    fn load_updates(&mut self, room: &mut usize, writer: &mut BitWriter) {
        let mut before = 0;
        while let Some(slot) = self.plan.updates.peek() {
            match self.load_neighbours(slot, &mut before, room, writer) {
                Stop::Word => {}
                Stop::Full => break,
                Stop::TooLarge(slot) => match self.entities.record(slot) {
                    Some(record) => self.send_by_itself(slot, record),
                    None => self.plan.updates.advance(),
                },
            }
        }
        writer.write_bool(false);
    }

    /// Loads updates of slots in the same word as `first`, whose books are looked up once.
    fn load_neighbours(
        &mut self,
        first: usize,
        before: &mut usize,
        room: &mut usize,
        writer: &mut BitWriter,
    ) -> Stop {
        let Self { peer, entities, plan, packet_bits, .. } = self;
        let (index, epoch) = (first / WORD, entities.epoch() as u16);
        let Some(page) = peer.pages.get_mut(index).and_then(Option::as_mut) else {
            plan.updates.advance();
            return Stop::Word;
        };
        let watches = !peer.boosted.is_empty() || !peer.waits.is_empty();
        let mut done = 0_u64;
        let stop = loop {
            let Some(slot) = plan.updates.peek().filter(|slot| slot / WORD == index) else {
                break Stop::Word;
            };
            let bit = slot % WORD;
            let places = page.acked.get(bit).zip(page.sent.get_mut(bit));
            if let (Some(record), Some((since, sent))) = (entities.record(slot), places) {
                let update = Update::of(entities, record, *since);
                // Otherwise it has arrived meanwhile.
                if let Some(bits) = update.bits() {
                    let gap = gap_to(slot, *before);
                    let bits = 1 + gap_bits(gap) + bits;
                    if bits > *room {
                        break if bits > *packet_bits { Stop::TooLarge(slot) } else { Stop::Full };
                    }
                    *room -= bits;
                    update.write(gap, writer);
                    *sent = epoch;
                    *before = slot + 1;
                    peer.flight.add(slot, false);
                }
            }
            done |= 1 << bit;
            plan.updates.advance();
        };
        *peer.owed.word_mut(index) &= !done;
        if watches {
            ones(done).for_each(|bit| peer.no_more_of(index * WORD + bit));
        }
        stop
    }

    fn shape_of(&self, slot: usize, record: &Record) -> (Body<'a>, Option<u32>) {
        let fresh = self.peer.pending.contains(slot).then_some(record.generation);
        let body = Body {
            cells: &self.entities.cells,
            block: self.entities.cells_of(record),
            shape: self.entities.shape(record),
            since: if fresh.is_some() { 0 } else { self.peer.acked(slot) },
        };
        (body, fresh)
    }

    fn loaded(&mut self, slot: usize) {
        self.peer.flight.add(slot, false);
        self.sent(slot);
    }

    fn sent(&mut self, slot: usize) {
        self.peer.owed.remove(slot);
        let epoch = self.entities.epoch() as u16;
        if let Some(sent) = self.peer.page_mut(slot).sent.get_mut(slot % WORD) {
            *sent = epoch;
        }
        self.peer.no_more_of(slot);
    }

    /// What is larger than a packet goes in a message. Until that has arrived nothing else of the entity goes out.
    fn send_by_itself(&mut self, slot: usize, record: &Record) {
        let queue = [&mut self.plan.shapes, &mut self.plan.updates];
        queue.into_iter().filter(|queue| queue.peek() == Some(slot)).for_each(super::plan::Queue::advance);
        if self.peer.bulky.len() >= MAX_BULKY {
            self.plan.is_partial = true;
            return;
        }
        let (body, fresh) = self.shape_of(slot, record);
        let mut writer = BitWriter::new();
        body.write_shape(fresh, None, self.entities.kinds(), &mut writer);
        let id = self.peer.next_bulky;
        self.peer.next_bulky = id.wrapping_add(1);
        self.bulky.push(Bulky { slot: slot as u32, id, packet: 0, bytes: writer.into_bytes() });
        self.peer.bulky.insert(slot as u32, (id, self.entities.epoch()));
        self.sent(slot);
    }
}

/// All packets of this send are made.
impl Drop for Load<'_> {
    fn drop(&mut self) {
        let (records, bits) = self.written;
        // What had no room in this send is first in the next, and stays so while there is none at all.
        match self.plan.first_left() {
            Some(left) => self.peer.resume_at = left,
            None if records > 0 => self.peer.resume_at = 0,
            None => {}
        }
        // What is left besides waits for something else to happen.
        self.peer.has_debts = !self.plan.is_done() || self.plan.is_partial;
        if records > 0 {
            let usual = bits as f32 / records as f32;
            self.peer.usual_bits += (usual - self.peer.usual_bits) / 4.0;
        }
    }
}

impl Freight for Load<'_> {
    fn is_waiting(&self) -> bool {
        !self.plan.is_done()
    }

    fn load(&mut self, packet: u64, room_bits: usize, writer: &mut BitWriter) -> bool {
        let Some(mut room) = room_bits.checked_sub(ENDS) else { return false };
        let before = self.peer.flight.len();
        let bulky = self.bulky.len();
        self.load_farewells(&mut room, writer);
        self.load_shapes(&mut room, writer);
        self.load_updates(&mut room, writer);
        for state in self.bulky.iter_mut().skip(bulky) {
            state.packet = packet;
        }
        let records = self.peer.flight.len() - before;
        if records == 0 {
            return false;
        }
        self.peer.flight.complete(packet, self.entities.epoch());
        self.written.0 += records;
        self.written.1 += room_bits - room;
        true
    }
}
