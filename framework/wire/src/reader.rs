use crate::DecodeError;

/// A decoder may allocate this many times the bytes it was given, plus [`ALLOCATION_ALLOWANCE`].
///
/// Sixty-four covers the widest honest growth (a vector of enums whose variants differ much in size) and keeps
/// the damage of a hostile packet of 1,200 bytes under 81 kB.
pub const ALLOCATION_FACTOR: usize = 64;

/// See [`ALLOCATION_FACTOR`]: room for the small collections of small messages.
pub const ALLOCATION_ALLOWANCE: usize = 4 * 1024;

/// Reads bits out of a slice, least significant bit first, a 64-bit word at a time.
///
/// Every read is checked against what is left. A reader also carries the **allocation budget** of the message
/// it reads: collections [`charge`](Self::charge) what they are about to allocate before they do.
///
/// ```
/// use bowline_wire::{BitReader, DecodeError};
///
/// let mut reader = BitReader::new(&[0b1101]);
/// assert_eq!(reader.read_bits(3)?, 0b101);
/// assert!(reader.read_bool()?);
/// assert_eq!(reader.read_bits(5), Err(DecodeError::Truncated));
/// # Ok::<(), DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    /// What has not been taken into `word` yet.
    rest: &'a [u8],
    /// The next bits; those above `filled` are zero.
    word: u64,
    /// How many bits of `word` are left.
    filled: u32,
    /// How many bytes may still be allocated.
    budget: usize,
}

impl<'a> BitReader<'a> {
    /// A reader at the first bit of `bytes`, with the allocation budget that their number allows.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        let budget = bytes.len().saturating_mul(ALLOCATION_FACTOR).saturating_add(ALLOCATION_ALLOWANCE);
        Self { rest: bytes, word: 0, filled: 0, budget }
    }

    /// Reads `count` bits (at most 64) into the lowest bits of the result.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] where fewer are left; the reader is then unusable for anything but errors.
    #[inline]
    pub fn read_bits(&mut self, count: u32) -> Result<u64, DecodeError> {
        debug_assert!(count <= 64, "a word holds 64 bits");
        if count <= self.filled {
            let value = self.word & low_mask(count);
            self.word = shift_right(self.word, count);
            self.filled = self.filled.wrapping_sub(count);
            return Ok(value);
        }
        let low = self.word;
        let low_bits = self.filled;
        let wanted = count.wrapping_sub(low_bits);
        let (word, available) = self.next_word();
        if wanted > available {
            (self.word, self.filled) = (0, 0);
            return Err(DecodeError::Truncated);
        }
        self.word = shift_right(word, wanted);
        self.filled = available.wrapping_sub(wanted);
        Ok(low | (word & low_mask(wanted)).wrapping_shl(low_bits))
    }

    /// Reads one bit.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    #[inline]
    pub fn read_bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.read_bits(1)? != 0)
    }

    /// Fills `bytes` from the current bit on.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] where fewer are left.
    pub fn read_bytes(&mut self, bytes: &mut [u8]) -> Result<(), DecodeError> {
        let (words, rest) = bytes.as_chunks_mut::<8>();
        for word in words {
            *word = self.read_bits(64)?.to_le_bytes();
        }
        for byte in rest {
            *byte = self.read_bits(8)? as u8;
        }
        Ok(())
    }

    /// Passes over `count` bits.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] where fewer are left.
    pub fn skip_bits(&mut self, count: usize) -> Result<(), DecodeError> {
        let in_word = self.filled as usize;
        let Some(beyond) = count.checked_sub(in_word) else {
            self.read_bits(u32::try_from(count).unwrap_or(u32::MAX).min(64))?;
            return Ok(());
        };
        let (bytes, bits) = (beyond / 8, beyond % 8);
        (self.word, self.filled) = (0, 0);
        self.rest = self.rest.get(bytes..).ok_or(DecodeError::Truncated)?;
        self.read_bits(u32::try_from(bits).unwrap_or(0))?;
        Ok(())
    }

    /// Reads what [`BitWriter::write_varint`](crate::BitWriter::write_varint) wrote.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::NotCanonical`] for a number written longer than it
    /// needs to be, or beyond 64 bits.
    pub fn read_varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        let mut shift = 0_u32;
        loop {
            let group = self.read_bits(8)?;
            let payload = group & 0x7f;
            // The tenth group holds one bit; more would not fit.
            if shift == 63 && payload > 1 {
                return Err(DecodeError::NotCanonical);
            }
            value |= payload.wrapping_shl(shift);
            if group & 0x80 == 0 {
                return if payload == 0 && shift > 0 { Err(DecodeError::NotCanonical) } else { Ok(value) };
            }
            shift = shift.wrapping_add(7);
            if shift > 63 {
                return Err(DecodeError::NotCanonical);
            }
        }
    }

    /// Takes `bytes` out of the allocation budget, before they are allocated.
    ///
    /// # Errors
    /// [`DecodeError::AllocationLimit`] where the budget does not hold them.
    pub fn charge(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.budget = self.budget.checked_sub(bytes).ok_or(DecodeError::AllocationLimit)?;
        Ok(())
    }

    /// How many bits are left, padding included.
    #[must_use]
    pub fn remaining_bits(&self) -> usize {
        self.rest.len().saturating_mul(8).saturating_add(self.filled as usize)
    }

    /// Ends the reading: what is left must be the zero bits that fill the last byte.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBits`] where more, or something else, is left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.remaining_bits() < 8 && self.word == 0 && self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBits)
        }
    }

    /// Takes the next eight bytes, or as many as there are; gives their bits and how many those are.
    #[inline]
    fn next_word(&mut self) -> (u64, u32) {
        if let Some((word, rest)) = self.rest.split_first_chunk::<8>() {
            self.rest = rest;
            return (u64::from_le_bytes(*word), 64);
        }
        let mut word = 0_u64;
        let mut bits = 0_u32;
        for byte in self.rest {
            word |= u64::from(*byte).wrapping_shl(bits);
            bits = bits.wrapping_add(8);
        }
        self.rest = &[];
        (word, bits)
    }
}

/// A word whose lowest `count` bits are ones.
#[inline]
pub(crate) const fn low_mask(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { 1_u64.wrapping_shl(count).wrapping_sub(1) }
}

/// A shift that may be by the whole word.
#[inline]
const fn shift_right(word: u64, count: u32) -> u64 {
    if count >= 64 { 0 } else { word.wrapping_shr(count) }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::BitWriter;

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..200)) {
            let mut writer = BitWriter::new();
            for &(value, count) in &fields {
                writer.write_bits(value, count);
            }
            let bits: usize = fields.iter().map(|f| f.1 as usize).sum();
            prop_assert_eq!(writer.bit_len(), bits);
            let bytes = writer.into_bytes();
            prop_assert_eq!(bytes.len(), bits.div_ceil(8));
            let mut reader = BitReader::new(&bytes);
            for &(value, count) in &fields {
                prop_assert_eq!(reader.read_bits(count), Ok(value & low_mask(count)));
            }
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn bytes_travel_at_any_bit(offset in 0_u32..64, bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut writer = BitWriter::new();
            writer.write_bits(u64::MAX, offset);
            writer.write_bytes(&bytes);
            writer.write_bits(0b11, 2);
            let written = writer.into_bytes();
            let mut reader = BitReader::new(&written);
            reader.read_bits(offset).unwrap();
            let mut read = alloc::vec![0; bytes.len()];
            reader.read_bytes(&mut read).unwrap();
            prop_assert_eq!(read, bytes);
            prop_assert_eq!(reader.read_bits(2), Ok(0b11));
        }

        #[test]
        fn skipping_is_reading(bytes in prop::collection::vec(any::<u8>(), 0..40), first in 0_u32..=64, skip in 0_usize..400) {
            let mut skipped = BitReader::new(&bytes);
            let mut read = skipped.clone();
            if skipped.read_bits(first).is_err() { return Ok(()); }
            read.read_bits(first).unwrap();
            let outcome = (0..skip).try_for_each(|_| read.read_bits(1).map(drop));
            prop_assert_eq!(skipped.skip_bits(skip), outcome);
            if outcome.is_ok() {
                prop_assert_eq!(skipped.remaining_bits(), read.remaining_bits());
                prop_assert_eq!(skipped.read_bits(8), read.read_bits(8));
            }
        }

        #[test]
        fn varints_have_one_form(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            let mut writer = BitWriter::new();
            writer.write_varint(value);
            let bytes = writer.into_bytes();
            prop_assert_eq!(BitReader::new(&bytes).read_varint(), Ok(value));
        }

        #[test]
        fn any_bytes_as_varint_are_canonical_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = BitReader::new(&bytes);
            if let Ok(value) = reader.read_varint() {
                let used = bytes.len() - reader.remaining_bits() / 8;
                let mut writer = BitWriter::new();
                writer.write_varint(value);
                prop_assert_eq!(writer.into_bytes(), bytes.get(..used).unwrap());
            }
        }
    }

    #[test]
    fn a_padded_varint_is_refused() {
        assert_eq!(BitReader::new(&[0x80, 0x00]).read_varint(), Err(DecodeError::NotCanonical));
        let eleven: Vec<u8> = [0xff; 11].into();
        assert_eq!(BitReader::new(&eleven).read_varint(), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn trailing_bits_are_refused() {
        let mut reader = BitReader::new(&[0b0001_0001]);
        reader.read_bits(4).unwrap();
        assert_eq!(reader.finish(), Err(DecodeError::TrailingBits));
        assert_eq!(
            BitReader::new(&[0]).finish(),
            Err(DecodeError::TrailingBits),
            "a whole byte is no padding"
        );
    }

    #[test]
    fn the_budget_is_named_when_it_is_spent() {
        let mut reader = BitReader::new(&[0; 2]);
        assert_eq!(reader.charge(2 * ALLOCATION_FACTOR + ALLOCATION_ALLOWANCE), Ok(()));
        assert_eq!(reader.charge(1), Err(DecodeError::AllocationLimit));
    }
}
