use crate::{BitReader, BitWriter, DecodeError, EncodeError, EncodeErrorKind, bits_for};

/// Numbers between `min` and `max`, `step` apart: what `#[wire(range = min..=max, step = step)]` makes of a
/// floating-point field.
///
/// A value is rounded to the nearest step. One outside the range is **written as the nearest end of it**: a
/// position a hair beyond the edge of the map is ordinary rounding, and losing the update would be worse.
/// Not-a-number is an error. Decoding and encoding again gives the same bits.
///
/// ```
/// use bowline_wire::Quantizer;
///
/// const TURN: Quantizer = Quantizer::new::<f32>(-1.0, 1.0, 0.01);
/// assert_eq!(TURN.bits(), 8); // 201 values
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantizer {
    min: f64,
    max: f64,
    step: f64,
    /// The number of the greatest value; the least has number 0.
    highest: u64,
    bits: u32,
}

impl Quantizer {
    /// A quantizer for `T`.
    ///
    /// # Panics
    /// In a `const`, which is where derived code calls it, a panic is a compile error: where `min` is not below
    /// `max`, where `step` is not positive, and where there are more steps than `T` can tell apart (2^24 for
    /// `f32`, 2^52 for `f64`).
    #[must_use]
    #[expect(clippy::panic, reason = "evaluated at compile time, where a panic is the compile error")]
    pub const fn new<T: Quantize>(min: f64, max: f64, step: f64) -> Self {
        if !(min < max && min.is_finite() && max.is_finite()) {
            panic!("`range` must ascend and be finite");
        }
        if !(step > 0.0 && step.is_finite()) {
            panic!("`step` must be a positive number");
        }
        // Half a step of tolerance: 2.0 / 0.01 is a little off 200.
        let steps = (max - min) / step + 0.5;
        if steps > (1_u64 << T::PRECISION_BITS) as f64 {
            panic!(
                "`range` and `step` make more values than the type can tell apart; take a larger step or leave them out"
            );
        }
        let highest = if steps < 1.0 { 1 } else { steps as u64 };
        Self { min, max, step, highest, bits: bits_for(highest.saturating_add(1)) }
    }

    /// How many bits one number takes.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// The number of the step nearest to `value`.
    ///
    /// # Errors
    /// [`EncodeErrorKind::NotANumber`].
    #[inline]
    pub fn quantize(&self, value: f64) -> Result<u64, EncodeError> {
        if value.is_nan() {
            return Err(EncodeError::new(EncodeErrorKind::NotANumber));
        }
        // The cast saturates; rounding is by the half that is added. By way of `i64`, because that is one instruction
        // on most machines and `u64` is ten; below `min` is 0, and no number has more than 53 bits.
        Ok((((value - self.min) / self.step + 0.5) as i64).max(0).cast_unsigned().min(self.highest))
    }

    /// The value of a step, never beyond `max`.
    #[inline]
    #[must_use]
    pub fn restore(&self, number: u64) -> f64 {
        (self.min + number as f64 * self.step).min(self.max)
    }

    #[inline]
    fn encode(&self, value: f64, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bits(self.quantize(value)?, self.bits);
        Ok(())
    }

    #[inline]
    fn decode(&self, reader: &mut BitReader<'_>) -> Result<f64, DecodeError> {
        let number = reader.read_bits(self.bits)?;
        if number > self.highest {
            return Err(DecodeError::OutOfRange);
        }
        Ok(self.restore(number))
    }
}

/// Types that `#[wire(range = .., step = ..)]` can stand on: floating-point numbers, and vectors, arrays and
/// options of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be quantized",
    label = "`range` with `step` is for `f32`, `f64`, vectors, and arrays or options of these",
    note = "for an integer give `range` without `step`"
)]
pub trait Quantize: Sized {
    /// How many numbers it always holds: a lower bound for its bits.
    const COMPONENTS: usize;
    /// How many bits of a whole number one component holds exactly.
    const PRECISION_BITS: u32;

    /// Writes every component.
    ///
    /// # Errors
    /// [`EncodeErrorKind::NotANumber`].
    fn encode_quantized(&self, quantizer: &Quantizer, writer: &mut BitWriter) -> Result<(), EncodeError>;

    /// Reads every component.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::OutOfRange`].
    fn decode_quantized(quantizer: &Quantizer, reader: &mut BitReader<'_>) -> Result<Self, DecodeError>;
}

impl Quantize for f32 {
    const COMPONENTS: usize = 1;
    const PRECISION_BITS: u32 = 24;

    #[inline]
    fn encode_quantized(&self, quantizer: &Quantizer, writer: &mut BitWriter) -> Result<(), EncodeError> {
        quantizer.encode(f64::from(*self), writer)
    }

    #[inline]
    fn decode_quantized(quantizer: &Quantizer, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(quantizer.decode(reader)? as Self)
    }
}

impl Quantize for f64 {
    const COMPONENTS: usize = 1;
    const PRECISION_BITS: u32 = 52;

    #[inline]
    fn encode_quantized(&self, quantizer: &Quantizer, writer: &mut BitWriter) -> Result<(), EncodeError> {
        quantizer.encode(*self, writer)
    }

    #[inline]
    fn decode_quantized(quantizer: &Quantizer, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        quantizer.decode(reader)
    }
}

impl<T: Quantize, const N: usize> Quantize for [T; N] {
    const COMPONENTS: usize = T::COMPONENTS.saturating_mul(N);
    const PRECISION_BITS: u32 = T::PRECISION_BITS;

    fn encode_quantized(&self, quantizer: &Quantizer, writer: &mut BitWriter) -> Result<(), EncodeError> {
        self.iter().try_for_each(|item| item.encode_quantized(quantizer, writer))
    }

    fn decode_quantized(quantizer: &Quantizer, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        crate::wire::array_from_results(|| T::decode_quantized(quantizer, reader))
    }
}

impl<T: Quantize> Quantize for Option<T> {
    const COMPONENTS: usize = 0;
    const PRECISION_BITS: u32 = T::PRECISION_BITS;

    fn encode_quantized(&self, quantizer: &Quantizer, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bool(self.is_some());
        self.iter().try_for_each(|item| item.encode_quantized(quantizer, writer))
    }

    fn decode_quantized(quantizer: &Quantizer, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.read_bool()?.then(|| T::decode_quantized(quantizer, reader)).transpose()
    }
}

/// Integers from `min` to `max`: what `#[wire(range = min..=max)]` makes of an integer field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeSpec {
    min: i128,
    max: i128,
    bits: u32,
}

impl RangeSpec {
    /// A range that takes the fewest bits.
    ///
    /// # Panics
    /// In a `const` a compile error: where `min` is over `max`, or the range spans more than 64 bits.
    #[must_use]
    #[expect(clippy::panic, reason = "evaluated at compile time, where a panic is the compile error")]
    pub const fn new(min: i128, max: i128) -> Self {
        if min > max {
            panic!("`range` must ascend");
        }
        let span = max.wrapping_sub(min);
        if span < 0 || span > u64::MAX as i128 {
            panic!("`range` spans more than 64 bits");
        }
        let bits = if span == u64::MAX as i128 { 64 } else { bits_for((span as u64).saturating_add(1)) };
        Self { min, max, bits }
    }

    /// How many bits an integer of the range takes.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// Writes `value`.
    ///
    /// # Errors
    /// [`EncodeErrorKind::OutOfRange`].
    #[inline]
    pub fn encode(&self, value: i128, writer: &mut BitWriter) -> Result<(), EncodeError> {
        if value < self.min || value > self.max {
            let (min, max) = (self.min, self.max);
            return Err(EncodeError::new(EncodeErrorKind::OutOfRange { value, min, max }));
        }
        writer.write_bits(value.wrapping_sub(self.min) as u64, self.bits);
        Ok(())
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::OutOfRange`].
    #[inline]
    pub fn decode(&self, reader: &mut BitReader<'_>) -> Result<i128, DecodeError> {
        let value = self.min.wrapping_add(i128::from(reader.read_bits(self.bits)?));
        if value > self.max { Err(DecodeError::OutOfRange) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CENTIMETRES: Quantizer = Quantizer::new::<f32>(-4096.0, 4096.0, 0.01);

    proptest! {
        #[test]
        fn a_quantized_value_is_within_half_a_step(value in -4096.0_f32..4096.0) {
            let mut writer = BitWriter::new();
            value.encode_quantized(&CENTIMETRES, &mut writer).unwrap();
            let bytes = writer.into_bytes();
            let back = f32::decode_quantized(&CENTIMETRES, &mut BitReader::new(&bytes)).unwrap();
            prop_assert!((back - value).abs() <= 0.0055, "{value} came back as {back}");
        }

        #[test]
        fn decoding_and_encoding_again_changes_nothing(number in 0..=CENTIMETRES.highest) {
            let value = CENTIMETRES.restore(number) as f32;
            prop_assert_eq!(CENTIMETRES.quantize(f64::from(value)).unwrap(), number);
        }
    }

    #[test]
    fn beyond_the_range_is_the_end_of_it() {
        assert_eq!(CENTIMETRES.bits(), 20);
        assert_eq!(CENTIMETRES.quantize(f64::NEG_INFINITY).unwrap(), 0);
        assert_eq!(CENTIMETRES.quantize(1e9).unwrap(), CENTIMETRES.highest);
        assert_eq!(CENTIMETRES.restore(CENTIMETRES.highest), 4096.0);
        assert!(CENTIMETRES.quantize(f64::NAN).is_err());
    }

    #[test]
    fn a_number_over_the_highest_is_refused() {
        let mut writer = BitWriter::new();
        writer.write_bits(CENTIMETRES.highest + 1, CENTIMETRES.bits());
        let bytes = writer.into_bytes();
        assert_eq!(CENTIMETRES.decode(&mut BitReader::new(&bytes)), Err(DecodeError::OutOfRange));
    }

    #[test]
    fn integer_ranges_take_the_fewest_bits() {
        for (min, max, bits) in [(0, 0, 0), (0, 1, 1), (-5, 5, 4), (0, 255, 8), (0, 256, 9)] {
            assert_eq!(RangeSpec::new(min, max).bits(), bits, "{min}..={max}");
        }
        assert_eq!(RangeSpec::new(0, i128::from(u64::MAX)).bits(), 64);
        let range = RangeSpec::new(-5, 5);
        let mut writer = BitWriter::new();
        assert!(range.encode(6, &mut writer).is_err());
        range.encode(-5, &mut writer).unwrap();
        writer.write_bits(11, 4);
        let bytes = writer.into_bytes();
        let mut reader = BitReader::new(&bytes);
        assert_eq!(range.decode(&mut reader), Ok(-5));
        assert_eq!(range.decode(&mut reader), Err(DecodeError::OutOfRange));
    }
}
