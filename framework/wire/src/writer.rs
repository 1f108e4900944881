use alloc::vec::Vec;

use crate::reader::low_mask;

/// Writes bits into a growing buffer, least significant bit first, a 64-bit word at a time.
///
/// Writing cannot fail. Limits are checked by those who know them: [`Wire`](crate::Wire) implementations check
/// lengths and ranges, a connection checks sizes. A cleared writer keeps its memory, so a writer that is
/// reused stops allocating.
///
/// ```
/// use bowline_wire::BitWriter;
///
/// let mut writer = BitWriter::new();
/// writer.write_bits(0b101, 3);
/// writer.write_bool(true);
/// assert_eq!(writer.finish(), [0b1101]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not yet in `bytes`; those above `filled` are zero.
    word: u64,
    /// How many bits of `word` are in use: always fewer than 64.
    filled: u32,
}

impl BitWriter {
    /// An empty writer that has not allocated.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), word: 0, filled: 0 }
    }

    /// An empty writer with room for `bytes` bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), word: 0, filled: 0 }
    }

    /// A writer that goes on at the end of `bytes`, and uses their memory.
    #[must_use]
    pub const fn append_to(bytes: Vec<u8>) -> Self {
        Self { bytes, word: 0, filled: 0 }
    }

    /// Writes the lowest `count` bits of `value`; higher bits of it are ignored. `count` is at most 64.
    #[inline]
    pub fn write_bits(&mut self, value: u64, count: u32) {
        debug_assert!(count <= 64, "a word holds 64 bits");
        let value = value & low_mask(count);
        self.word |= value.wrapping_shl(self.filled);
        let total = self.filled.wrapping_add(count);
        if total < 64 {
            self.filled = total;
            return;
        }
        self.bytes.extend_from_slice(&self.word.to_le_bytes());
        // What did not fit is the upper part of `value`; with an empty word all of it fitted.
        self.word = if self.filled == 0 { 0 } else { value.wrapping_shr(64_u32.wrapping_sub(self.filled)) };
        self.filled = total.wrapping_sub(64);
    }

    /// Writes one bit.
    #[inline]
    pub fn write_bool(&mut self, value: bool) {
        self.write_bits(u64::from(value), 1);
    }

    /// Writes whole bytes at the current bit, eight at a time where that is not a byte boundary.
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        if self.filled.is_multiple_of(8) {
            self.flush_word();
            self.bytes.extend_from_slice(bytes);
            return;
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_bits(u64::from_le_bytes(*word), 64);
        }
        for byte in rest {
            self.write_bits(u64::from(*byte), 8);
        }
    }

    /// Writes the first `bits` bits of `bytes`; all of them where there are fewer.
    pub fn write_prefix(&mut self, bytes: &[u8], bits: usize) {
        let whole = bits / 8;
        let (bytes, rest) = bytes.split_at(whole.min(bytes.len()));
        self.write_bytes(bytes);
        if let Some(last) = rest.first() {
            self.write_bits(u64::from(*last), (bits % 8) as u32);
        }
    }

    /// All that was written and how many bits that is, where it fits into a word.
    #[inline]
    #[must_use]
    pub fn as_word(&self) -> Option<(u64, u32)> {
        if self.bytes.is_empty() {
            return Some((self.word, self.filled));
        }
        // Bytes that were written at once are not in the word.
        let whole = self.bytes.len().saturating_mul(8);
        if whole.saturating_add(self.filled as usize) > 64 {
            return None;
        }
        let mut bytes = [0; 8];
        bytes.get_mut(..self.bytes.len())?.copy_from_slice(&self.bytes);
        let whole = whole as u32;
        let word = if whole == 64 { 0 } else { self.word.wrapping_shl(whole) };
        Some((u64::from_le_bytes(bytes) | word, whole.wrapping_add(self.filled)))
    }

    /// Writes `value` in groups of seven bits, each behind a bit that says whether another follows (LEB128).
    pub fn write_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.write_bits((value & 0x7f) | 0x80, 8);
            value >>= 7;
        }
        self.write_bits(value, 8);
    }

    /// Fills the last byte with zero bits. What is written next begins on a byte boundary.
    pub fn align(&mut self) {
        self.flush_word();
    }

    /// Aligns, and shows all bytes written so far.
    pub fn finish(&mut self) -> &[u8] {
        self.align();
        &self.bytes
    }

    /// Aligns, and gives all bytes written so far.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.word = 0;
        self.filled = 0;
    }

    /// How many bits have been written, those of [`align`](Self::align) included.
    #[must_use]
    pub fn bit_len(&self) -> usize {
        self.bytes.len().saturating_mul(8).saturating_add(self.filled as usize)
    }

    /// How many bytes [`finish`](Self::finish) would show.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len().saturating_add(self.filled.div_ceil(8) as usize)
    }

    fn flush_word(&mut self) {
        let used = self.filled.div_ceil(8) as usize;
        self.bytes.extend(self.word.to_le_bytes().iter().take(used));
        self.word = 0;
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BitReader;

    #[test]
    fn what_fits_into_a_word_is_one_however_it_was_written() {
        for bytes in 0..10_usize {
            for bits in 0..10 {
                let mut writer = BitWriter::new();
                writer.write_bytes(&[0xa5; 10][..bytes]);
                writer.write_bits(0x3ff, bits);
                let len = bytes * 8 + bits as usize;
                let word = writer.as_word();
                assert_eq!(word.is_some(), len <= 64, "{bytes} bytes and {bits} bits");
                let Some((word, taken)) = word else { continue };
                assert_eq!(taken as usize, len);
                assert_eq!(BitReader::new(writer.finish()).read_bits(taken), Ok(word));
            }
        }
    }

    #[test]
    fn a_prefix_is_as_long_as_it_says() {
        let mut writer = BitWriter::new();
        writer.write_bool(true);
        writer.write_prefix(&[0xff, 0xff], 11);
        assert_eq!((writer.bit_len(), writer.finish()), (12, &[0xff, 0x0f][..]));
    }
}
