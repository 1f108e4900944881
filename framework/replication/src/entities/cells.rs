use bowline_core::BitWriter;

/// A field of a component as it goes over the wire, and when it last changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// The bits themselves, or the place of more than a word of them.
    bits: u64,
    len: u32,
    changed: u32,
}

/// The length of what has no value yet.
const NO_VALUE: u32 = u32::MAX;

impl Cell {
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) const fn changed(&self) -> u32 {
        self.changed
    }

    /// Whether it changed after `epoch`.
    pub(crate) const fn is_newer(&self, epoch: u32) -> bool {
        self.changed > epoch
    }

    /// As if all that happened had happened so many epochs earlier.
    pub(crate) fn rebase(&mut self, by: u32) {
        self.changed = self.changed.saturating_sub(by).max(1);
    }

    /// Whether it was ever given a value that could travel.
    pub(crate) const fn has_value(&self) -> bool {
        self.len != NO_VALUE
    }

    const fn without_value(changed: u32) -> Self {
        Self { bits: 0, len: NO_VALUE, changed }
    }

    const fn is_long(&self) -> bool {
        self.len > u64::BITS && self.has_value()
    }
}

/// The cells of all entities, those of one next to each other. Blocks that become free are used again.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    /// Free blocks, by their length.
    free: Vec<Vec<u32>>,
    /// What takes more than a word.
    long: Vec<Vec<u8>>,
    free_long: Vec<u32>,
}

impl Cells {
    /// A block of so many cells that hold nothing and count as changed at `epoch`.
    pub(crate) fn allocate(&mut self, len: u32, epoch: u32) -> u32 {
        let empty = Cell::without_value(epoch);
        if let Some(first) = self.free.get_mut(len as usize).and_then(Vec::pop) {
            self.block_mut(first, len).fill(empty);
            return first;
        }
        let first = self.cells.len() as u32;
        self.cells.resize(self.cells.len() + len as usize, empty);
        first
    }

    pub(crate) fn release(&mut self, first: u32, len: u32) {
        for at in first..first + len {
            if let Some(cell) = self.cells.get(at as usize).filter(|cell| cell.is_long()) {
                self.free_long.push(cell.bits as u32);
            }
        }
        if self.free.len() <= len as usize {
            self.free.resize_with(len as usize + 1, Vec::new);
        }
        if let Some(free) = self.free.get_mut(len as usize) {
            free.push(first);
        }
    }

    /// Moves a cell to where another, empty one is; its own place is then empty.
    pub(crate) fn relocate(&mut self, from: u32, to: u32) {
        let empty = Cell::without_value(0);
        let moved = self.cells.get_mut(from as usize).map(|cell| std::mem::replace(cell, empty));
        if let Some((cell, moved)) = self.cells.get_mut(to as usize).zip(moved) {
            *cell = moved;
        }
    }

    pub(crate) fn block(&self, first: u32, len: u32) -> &[Cell] {
        self.cells.get(first as usize..(first + len) as usize).unwrap_or_default()
    }

    fn block_mut(&mut self, first: u32, len: u32) -> &mut [Cell] {
        self.cells.get_mut(first as usize..(first + len) as usize).unwrap_or_default()
    }

    /// Puts what was written into a cell; whether that is another value than before. A change smaller than the step of a
    /// quantized field is none.
    #[inline]
    pub(crate) fn store(&mut self, at: u32, value: &mut BitWriter, epoch: u32) -> bool {
        let Self { cells, long, free_long, .. } = self;
        let Some(cell) = cells.get_mut(at as usize) else { return false };
        if let Some((bits, len)) = value.as_word() {
            if cell.bits == bits && cell.len == len {
                return false;
            }
            if cell.is_long() {
                free_long.push(cell.bits as u32);
            }
            *cell = Cell { bits, len, changed: epoch };
            return true;
        }
        let len = value.bit_len() as u32;
        let bytes = value.finish();
        if cell.is_long() {
            let Some(stored) = long.get_mut(cell.bits as usize) else { return false };
            if cell.len == len && stored == bytes {
                return false;
            }
            stored.clear();
            stored.extend_from_slice(bytes);
        } else {
            let place = free_long.pop().unwrap_or_else(|| {
                long.push(Vec::new());
                long.len() as u32 - 1
            });
            if let Some(stored) = long.get_mut(place as usize) {
                stored.clear();
                stored.extend_from_slice(bytes);
            }
            cell.bits = u64::from(place);
        }
        (cell.len, cell.changed) = (len, epoch);
        true
    }

    #[inline]
    pub(crate) fn write(&self, cell: &Cell, writer: &mut BitWriter) {
        if cell.is_long() {
            writer.write_prefix(self.long.get(cell.bits as usize).map_or(&[], Vec::as_slice), cell.len());
        } else {
            writer.write_bits(cell.bits, cell.len);
        }
    }

    /// Writes a head of a few bits and then cells, as many at once as fit into a word.
    #[inline]
    pub(crate) fn write_all(&self, head: u64, head_bits: u32, block: &[Cell], writer: &mut BitWriter) {
        let (mut word, mut filled) = (head, head_bits);
        for cell in block {
            if filled + cell.len > u64::BITS {
                writer.write_bits(word, filled);
                (word, filled) = (0, 0);
            }
            if cell.is_long() {
                self.write(cell, writer);
            } else {
                // Of a whole word nothing is in `word` yet.
                word |= cell.bits.wrapping_shl(filled);
                filled += cell.len;
            }
        }
        writer.write_bits(word, filled);
    }

    pub(crate) fn rebase(&mut self, by: u32) {
        self.cells.iter_mut().for_each(|cell| cell.rebase(by));
    }
}

#[cfg(test)]
mod tests {
    use bowline_core::{BitReader, Wire};

    use super::*;

    fn encoded(value: &impl Wire) -> BitWriter {
        let mut writer = BitWriter::new();
        value.encode(&mut writer).unwrap();
        writer
    }

    #[test]
    fn short_and_long_values_come_back_and_tell_whether_they_changed() {
        let mut cells = Cells::default();
        let first = cells.allocate(2, 1);
        let long = "a long string, longer than a word".to_owned();
        assert!(cells.store(first, &mut encoded(&7_u32), 2));
        assert!(!cells.store(first, &mut encoded(&7_u32), 3));
        assert!(cells.store(first + 1, &mut encoded(&long), 3));
        assert!(!cells.store(first + 1, &mut encoded(&long), 4));
        let mut writer = BitWriter::new();
        writer.write_bool(true);
        cells.block(first, 2).iter().for_each(|cell| cells.write(cell, &mut writer));
        let mut reader = BitReader::new(writer.finish());
        assert!(reader.read_bool().unwrap());
        assert_eq!((u32::decode(&mut reader), String::decode(&mut reader)), (Ok(7), Ok(long)));
        assert!(cells.block(first, 2).iter().map(|cell| cell.changed).eq([2, 3]));
        // Short and long again, in the place that is free now.
        assert!(cells.store(first + 1, &mut encoded(&1_u64), 5));
        assert!(cells.store(first, &mut encoded(&[1_u64; 3]), 5));
        assert_eq!(cells.long.len(), 1);
        cells.release(first, 2);
        assert_eq!(cells.allocate(2, 6), first, "memory that is used again");
        assert!(!cells.block(first, 2)[0].has_value());
        assert_eq!(cells.free_long.len(), 1);
    }

    #[test]
    fn what_has_the_same_bits_and_more_zeros_is_another_value() {
        let mut cells = Cells::default();
        let first = cells.allocate(1, 1);
        assert!(cells.store(first, &mut encoded(&0_u8), 2));
        assert!(cells.store(first, &mut encoded(&0_u16), 3));
        assert!(!cells.store(first, &mut encoded(&0_u16), 4));
    }

    #[test]
    fn what_was_moved_keeps_its_memory_to_itself() {
        let mut cells = Cells::default();
        let (from, to) = (cells.allocate(1, 1), cells.allocate(1, 1));
        cells.store(from, &mut encoded(&[1_u64; 3]), 2);
        cells.relocate(from, to);
        cells.release(from, 1);
        assert!(cells.free_long.is_empty());
        cells.release(to, 1);
        assert_eq!(cells.free_long.len(), 1);
    }
}
