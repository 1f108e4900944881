//! The other shapes a field can take by attribute: `bits`, `range` on integers, `max_len`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::wire::{
    decode_map, decode_sequence, decode_set, decode_string, encode_map, encode_sequence, encode_string,
};
use crate::{BitReader, BitWriter, DecodeError, EncodeError, EncodeErrorKind, RangeSpec, Wire, bits_for};

/// Types that `#[wire(bits = ..)]` can stand on: integers, and unit quaternions (bits of each component).
#[diagnostic::on_unimplemented(
    message = "`bits` does not apply to `{Self}`",
    label = "`bits` is for integers and unit quaternions"
)]
pub trait FixedBits: Sized {
    /// How many times `bits` it takes, at least.
    const COMPONENTS: usize;

    /// Writes the value in so many bits.
    ///
    /// # Errors
    /// [`EncodeErrorKind::OutOfRange`] where they do not hold it.
    fn encode_bits(&self, bits: u32, writer: &mut BitWriter) -> Result<(), EncodeError>;

    /// Reads a value of so many bits.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], and what the type adds.
    fn decode_bits(bits: u32, reader: &mut BitReader<'_>) -> Result<Self, DecodeError>;
}

/// Integers, on which `#[wire(range = ..)]` can stand without a `step`, and options of them.
#[diagnostic::on_unimplemented(
    message = "`range` alone does not apply to `{Self}`",
    label = "`range` without `step` is for integers",
    note = "for a floating-point number add `step`, the precision that you need"
)]
pub trait RangedInt: Sized {
    /// 1 for an integer, 0 for an option: a lower bound for its bits.
    const COMPONENTS: usize;

    /// Writes the value as its distance from the least of the range.
    ///
    /// # Errors
    /// [`EncodeErrorKind::OutOfRange`].
    fn encode_ranged(&self, range: &RangeSpec, writer: &mut BitWriter) -> Result<(), EncodeError>;

    /// Reads a value of the range.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::OutOfRange`].
    fn decode_ranged(range: &RangeSpec, reader: &mut BitReader<'_>) -> Result<Self, DecodeError>;
}

macro_rules! integer_codecs {
    ($($int:ty: $signed:literal),* $(,)?) => {$(
        impl FixedBits for $int {
            const COMPONENTS: usize = 1;

            fn encode_bits(&self, bits: u32, writer: &mut BitWriter) -> Result<(), EncodeError> {
                let range = bit_range(bits, $signed);
                let value = i128::from(*self);
                if value < range.0 || value > range.1 {
                    let (min, max) = range;
                    return Err(EncodeError::new(EncodeErrorKind::OutOfRange { value, min, max }));
                }
                writer.write_bits(value as u64, bits);
                Ok(())
            }

            fn decode_bits(bits: u32, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                let raw = i128::from(reader.read_bits(bits)?);
                let (_, max) = bit_range(bits, $signed);
                // Two's complement: beyond the greatest come the negatives.
                let value = if raw > max { raw.wrapping_sub(1_i128.wrapping_shl(bits)) } else { raw };
                Self::try_from(value).map_err(|_| DecodeError::OutOfRange)
            }
        }

        impl RangedInt for $int {
            const COMPONENTS: usize = 1;

            #[inline]
            fn encode_ranged(&self, range: &RangeSpec, writer: &mut BitWriter) -> Result<(), EncodeError> {
                range.encode(i128::from(*self), writer)
            }

            #[inline]
            fn decode_ranged(range: &RangeSpec, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                Self::try_from(range.decode(reader)?).map_err(|_| DecodeError::OutOfRange)
            }
        }
    )*};
}

integer_codecs!(u8: false, u16: false, u32: false, u64: false, i8: true, i16: true, i32: true, i64: true);

/// The least and the greatest integer of so many bits.
fn bit_range(bits: u32, signed: bool) -> (i128, i128) {
    let magnitude = 1_i128.wrapping_shl(if signed { bits.saturating_sub(1) } else { bits });
    (if signed { magnitude.wrapping_neg() } else { 0 }, magnitude.wrapping_sub(1))
}

impl<T: RangedInt> RangedInt for Option<T> {
    const COMPONENTS: usize = 0;

    fn encode_ranged(&self, range: &RangeSpec, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bool(self.is_some());
        self.iter().try_for_each(|value| value.encode_ranged(range, writer))
    }

    fn decode_ranged(range: &RangeSpec, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.read_bool()?.then(|| T::decode_ranged(range, reader)).transpose()
    }
}

/// Types that `#[wire(max_len = ..)]` can stand on: strings, collections, and options of them.
#[diagnostic::on_unimplemented(
    message = "`max_len` does not apply to `{Self}`",
    label = "`max_len` is for `String`, `Vec`, `BTreeMap`, `BTreeSet`, and options of these"
)]
pub trait LengthLimited: Sized {
    /// 1 where a length is always written, 0 for an option: a lower bound for its bits.
    const COMPONENTS: usize;

    /// Writes the length in [`length_bits`]`(max_len)`, and the content.
    ///
    /// # Errors
    /// [`EncodeErrorKind::TooLong`], and those of the elements.
    fn encode_limited(&self, max_len: usize, writer: &mut BitWriter) -> Result<(), EncodeError>;

    /// Reads at most `max_len` bytes of text, or elements.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`], and those of the elements.
    fn decode_limited(max_len: usize, reader: &mut BitReader<'_>) -> Result<Self, DecodeError>;
}

impl LengthLimited for String {
    const COMPONENTS: usize = 1;

    fn encode_limited(&self, max_len: usize, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_string(self, Some(max_len), writer)
    }

    fn decode_limited(max_len: usize, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_string(Some(max_len), reader)
    }
}

impl<T: Wire> LengthLimited for Vec<T> {
    const COMPONENTS: usize = 1;

    fn encode_limited(&self, max_len: usize, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_sequence(self, Some(max_len), writer)
    }

    fn decode_limited(max_len: usize, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_sequence(Some(max_len), reader)
    }
}

impl<K: Wire + Ord, V: Wire> LengthLimited for BTreeMap<K, V> {
    const COMPONENTS: usize = 1;

    fn encode_limited(&self, max_len: usize, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_map(self, Some(max_len), writer)
    }

    fn decode_limited(max_len: usize, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_map(Some(max_len), reader)
    }
}

impl<T: Wire + Ord> LengthLimited for BTreeSet<T> {
    const COMPONENTS: usize = 1;

    fn encode_limited(&self, max_len: usize, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_length(self.len(), Some(max_len), writer)?;
        self.iter().try_for_each(|item| item.encode(writer))
    }

    fn decode_limited(max_len: usize, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_set(Some(max_len), reader)
    }
}

impl<T: LengthLimited> LengthLimited for Option<T> {
    const COMPONENTS: usize = 0;

    fn encode_limited(&self, max_len: usize, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bool(self.is_some());
        self.iter().try_for_each(|value| value.encode_limited(max_len, writer))
    }

    fn decode_limited(max_len: usize, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.read_bool()?.then(|| T::decode_limited(max_len, reader)).transpose()
    }
}

/// How many bits the length of something with a `max_len` takes.
#[must_use]
pub const fn length_bits(max_len: usize) -> u32 {
    bits_for((max_len as u64).saturating_add(1))
}

/// Writes a length: in [`length_bits`] where there is a limit, as a varint where there is none.
///
/// # Errors
/// [`EncodeErrorKind::TooLong`].
pub fn encode_length(len: usize, max_len: Option<usize>, writer: &mut BitWriter) -> Result<(), EncodeError> {
    match max_len {
        Some(max_len) if len > max_len => {
            return Err(EncodeError::new(EncodeErrorKind::TooLong { len, max_len }));
        }
        Some(max_len) => writer.write_bits(len as u64, length_bits(max_len)),
        None => writer.write_varint(len as u64),
    }
    Ok(())
}

/// Reads a length, and checks it against the limit and against the bits that are left: `least_bits` is what one
/// element takes at least. Where elements may take none, [`BitReader::charge`] is what bounds them.
///
/// # Errors
/// [`DecodeError::TooLong`], [`DecodeError::Truncated`], [`DecodeError::NotCanonical`].
pub fn decode_length(
    max_len: Option<usize>,
    least_bits: usize,
    reader: &mut BitReader<'_>,
) -> Result<usize, DecodeError> {
    let len = match max_len {
        Some(max_len) => reader.read_bits(length_bits(max_len))?,
        None => reader.read_varint()?,
    };
    let len = usize::try_from(len).map_err(|_| DecodeError::TooLong)?;
    if max_len.is_some_and(|max_len| len > max_len)
        || len.checked_mul(least_bits).is_none_or(|bits| bits > reader.remaining_bits())
    {
        return Err(DecodeError::TooLong);
    }
    Ok(len)
}
