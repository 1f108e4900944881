//! The records of a packet: which entities are gone, which have other components now, which have other values.
//!
//! ```text
//! packet   := farewells shapes updates
//! each     := (1 gap body)* 0                 sorted by slot, from any slot on, and around once
//! gap      := 0 | 1 class(2) number           to the next slot, or further
//! farewell := nothing
//! shape    := fresh [generation] (1 | 0 count kind*) part*      1: the kinds of the shape before it
//! part     := (whole | changed mask) field*   fresh ones are whole, and do not say so
//! update   := ([is_in] [all | mask] field*)*  for each component; one that is alone, or has one field, need not say so
//! ```

use bowline_core::{BitReader, BitWriter, DecodeError};
use bowline_wire::bits_for;

use crate::entities::{Cell, Cells, Entities, Part, Record, Shape};
use crate::limits::MAX_ENTITIES;

/// How many bits the distance to the next slot takes, by its size: as many as follow, and the first that takes so many.
const GAPS: [(u32, u64); 4] = [(4, 2), (8, 18), (13, 274), (32, 8_466)];

pub(crate) const fn gap_bits(gap: u64) -> usize {
    match gap {
        0..=1 => 1,
        2..18 => 7,
        18..274 => 11,
        274..8_466 => 16,
        _ => 35,
    }
}

/// How far it is from the slot after the last record's (0 at first) to a slot and past it: around, where that lies before.
#[inline]
pub(crate) const fn gap_to(slot: usize, after: usize) -> u64 {
    let gap = slot as u64 + 1;
    if slot >= after { gap - after as u64 } else { gap + MAX_ENTITIES as u64 - after as u64 }
}

#[inline]
pub(crate) fn write_gap(gap: u64, writer: &mut BitWriter) {
    if gap <= 1 {
        writer.write_bool(false);
        return;
    }
    let class = GAPS.iter().rposition(|(_, first)| gap >= *first).unwrap_or(0);
    let (bits, first) = GAPS.get(class).copied().unwrap_or_default();
    writer.write_bits(1 | (class as u64) << 1, 3);
    writer.write_bits(gap - first, bits);
}

#[inline]
pub(crate) fn read_gap(reader: &mut BitReader<'_>) -> Result<u64, DecodeError> {
    if !reader.read_bool()? {
        return Ok(1);
    }
    let class = reader.read_bits(2)? as usize;
    let (bits, first) = GAPS.get(class).copied().unwrap_or_default();
    let gap = first + reader.read_bits(bits)?;
    // One that would have taken fewer bits.
    if GAPS.get(class + 1).is_some_and(|(_, next)| gap >= *next) {
        return Err(DecodeError::NotCanonical);
    }
    Ok(gap)
}

/// An entity as it goes into a packet for a peer that has its state of an epoch.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a> {
    pub(crate) cells: &'a Cells,
    pub(crate) block: &'a [Cell],
    pub(crate) shape: &'a Shape,
    pub(crate) since: u32,
}

impl Body<'_> {
    /// How many bits [`write_update`](Self::write_update) will write, if anything has changed.
    fn update_bits(&self) -> Option<usize> {
        let heads = if self.shape.parts.len() == 1 { 0 } else { self.shape.parts.len() };
        let changes = self.shape.parts.iter().map(|part| (part, self.changes(part)));
        changes.fold(None, |bits, (part, (changed, len))| match changed {
            0 => bits,
            _ if changed == part.fields => Some(bits.unwrap_or(heads) + usize::from(changed > 1) + len),
            _ => Some(bits.unwrap_or(heads) + 1 + part.fields as usize + len),
        })
    }

    fn write_update(&self, writer: &mut BitWriter) {
        let is_alone = self.shape.parts.len() == 1;
        for part in &self.shape.parts {
            let (changed, _) = self.changes(part);
            if !is_alone {
                writer.write_bool(changed > 0);
            }
            if changed == 0 {
                continue;
            }
            if part.fields > 1 {
                writer.write_bool(changed == part.fields);
            }
            if changed < part.fields {
                self.write_mask(part, writer);
            }
            self.write_newer(part, writer);
        }
    }

    /// How many bits [`write_shape`](Self::write_shape) will write. `kinds` is how many kinds there are.
    pub(crate) fn shape_bits(&self, fresh: Option<u32>, before: Option<&Shape>, kinds: usize) -> usize {
        let mut bits = 2;
        if let Some(generation) = fresh {
            bits += varint_bits(u64::from(generation));
        }
        if !self.has_kinds_of(before) {
            bits += varint_bits(self.shape.parts.len() as u64);
            bits += self.shape.parts.len() * bits_for(kinds as u64) as usize;
        }
        for part in &self.shape.parts {
            let (changed, len) = self.changes(part);
            bits += match fresh {
                Some(_) => self.part(part).iter().map(Cell::len).sum(),
                None if changed == part.fields => 1 + len,
                None if changed == 0 => 2,
                None => 2 + part.fields as usize + len,
            };
        }
        bits
    }

    pub(crate) fn write_shape(
        &self,
        fresh: Option<u32>,
        before: Option<&Shape>,
        kinds: usize,
        writer: &mut BitWriter,
    ) {
        writer.write_bool(fresh.is_some());
        if let Some(generation) = fresh {
            writer.write_varint(u64::from(generation));
        }
        let is_same = self.has_kinds_of(before);
        writer.write_bool(is_same);
        if !is_same {
            writer.write_varint(self.shape.parts.len() as u64);
            for part in &self.shape.parts {
                writer.write_bits(u64::from(part.kind), bits_for(kinds as u64));
            }
        }
        for part in &self.shape.parts {
            let (changed, _) = self.changes(part);
            let is_whole = fresh.is_some() || changed == part.fields;
            if fresh.is_none() {
                writer.write_bool(is_whole);
            }
            if is_whole {
                self.part(part).iter().for_each(|cell| self.cells.write(cell, writer));
                continue;
            }
            writer.write_bool(changed > 0);
            if changed > 0 {
                self.write_mask(part, writer);
                self.write_newer(part, writer);
            }
        }
    }

    fn has_kinds_of(&self, before: Option<&Shape>) -> bool {
        before.is_some_and(|before| {
            std::ptr::eq(before, self.shape)
                || before.parts.iter().map(|part| part.kind).eq(self.shape.parts.iter().map(|part| part.kind))
        })
    }

    #[inline]
    fn part(&self, part: &Part) -> &[Cell] {
        self.block.get(part.first as usize..(part.first + part.fields) as usize).unwrap_or_default()
    }

    /// How many fields have changed, and how many bits they take.
    #[inline]
    fn changes(&self, part: &Part) -> (u32, usize) {
        self.part(part).iter().fold((0, 0), |(changed, bits), cell| {
            if cell.is_newer(self.since) { (changed + 1, bits + cell.len()) } else { (changed, bits) }
        })
    }

    fn write_mask(&self, part: &Part, writer: &mut BitWriter) {
        self.part(part).iter().for_each(|cell| writer.write_bool(cell.is_newer(self.since)));
    }

    fn write_newer(&self, part: &Part, writer: &mut BitWriter) {
        let newer = self.part(part).iter().filter(|cell| cell.is_newer(self.since));
        newer.for_each(|cell| self.cells.write(cell, writer));
    }
}

/// An update of an entity for a peer: what has changed of it since an epoch, looked at once.
pub(crate) enum Update<'a> {
    /// All fields of an entity with one component, in so many bits.
    All {
        cells: &'a Cells,
        block: &'a [Cell],
        bits: usize,
    },
    Some {
        body: Body<'a>,
        bits: Option<usize>,
    },
}

impl<'a> Update<'a> {
    #[inline]
    pub(crate) fn of(entities: &'a Entities, record: &Record, since: u32) -> Self {
        let (cells, shape) = (&entities.cells, entities.shape(record));
        let block = cells.block(record.cells, shape.cells);
        if since < record.all_changed && shape.parts.len() == 1 {
            return Self::All { cells, block, bits: record.all_bits as usize + usize::from(block.len() > 1) };
        }
        let body = Body { cells, block, shape, since };
        Self::Some { bits: body.update_bits(), body }
    }

    /// How many bits it takes besides the gap; `None` where nothing has changed.
    #[inline]
    pub(crate) fn bits(&self) -> Option<usize> {
        match self {
            Self::All { bits, .. } => Some(*bits),
            Self::Some { bits, .. } => *bits,
        }
    }

    /// Writes it, behind the bit that says that there is one more and the gap from the one before.
    #[inline]
    pub(crate) fn write(&self, gap: u64, writer: &mut BitWriter) {
        match self {
            Self::All { cells, block, .. } if gap == 1 => {
                // One more, at the next slot, and where there are several fields: all.
                let head_bits = if block.len() > 1 { 3 } else { 2 };
                cells.write_all(0b101 & !(!0 << head_bits), head_bits, block, writer);
            }
            Self::All { cells, block, .. } => {
                writer.write_bool(true);
                write_gap(gap, writer);
                if block.len() > 1 {
                    writer.write_bool(true);
                }
                block.iter().for_each(|cell| cells.write(cell, writer));
            }
            Self::Some { body, .. } => {
                writer.write_bool(true);
                write_gap(gap, writer);
                body.write_update(writer);
            }
        }
    }
}

const fn varint_bits(value: u64) -> usize {
    let bits = u64::BITS - value.leading_zeros();
    let groups = if bits == 0 { 1 } else { bits.div_ceil(7) };
    groups as usize * 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gaps_come_back_and_take_the_bits_they_say(gap in prop_oneof![1_u64..40, 200_u64..9_000, 1_u64..(1 << 32)]) {
            let mut writer = BitWriter::new();
            write_gap(gap, &mut writer);
            prop_assert_eq!(writer.bit_len(), gap_bits(gap));
            prop_assert_eq!(read_gap(&mut BitReader::new(writer.finish())), Ok(gap));
        }

        #[test]
        fn records_take_the_bits_they_say(
            changed in prop::collection::vec(prop::collection::vec(1_u32..4, 0..4), 1..4),
            since in 0_u32..5,
            fresh: Option<u32>,
        ) {
            let (mut cells, mut shape) = (Cells::default(), Shape::default());
            for (kind, fields) in changed.iter().enumerate() {
                let part = Part { kind: kind as u16, first: shape.cells, fields: fields.len() as u32 };
                shape.cells += part.fields;
                shape.parts.push(part);
            }
            let first = cells.allocate(shape.cells, 1);
            for (at, epoch) in changed.iter().flatten().enumerate() {
                let mut value = BitWriter::new();
                value.write_bits(5, 3 + at as u32);
                cells.store(first + at as u32, &mut value, *epoch);
            }
            let since = if fresh.is_some() { 0 } else { since };
            let body = Body { cells: &cells, block: cells.block(first, shape.cells), shape: &shape, since };
            let mut writer = BitWriter::new();
            match body.update_bits() {
                Some(bits) => {
                    body.write_update(&mut writer);
                    prop_assert_eq!(writer.bit_len(), bits);
                }
                None => prop_assert!(changed.iter().flatten().all(|epoch| *epoch <= since)),
            }
            for before in [None, Some(&shape)] {
                let mut writer = BitWriter::new();
                body.write_shape(fresh, before, 9, &mut writer);
                prop_assert_eq!(writer.bit_len(), body.shape_bits(fresh, before, 9));
            }
        }

        #[test]
        fn varints_take_the_bits_they_say(value: u64, shift in 0_u32..64) {
            let mut writer = BitWriter::new();
            writer.write_varint(value >> shift);
            prop_assert_eq!(writer.bit_len(), varint_bits(value >> shift));
        }
    }
}
