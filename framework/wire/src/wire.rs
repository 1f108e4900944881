use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{BitReader, BitWriter, DecodeError, EncodeError, Schema, bits_for, decode_length, encode_length};

/// A type that travels: how it becomes bits, and how bits become it.
///
/// It is derived, on structs and enums, by `#[derive(Wire)]` and by every derive that makes a protocol's items.
/// Implemented here for booleans, `char`, the integers of fixed size, floats, [`String`], [`Vec`], [`Option`],
/// [`Box`], arrays, tuples of up to eight, [`BTreeMap`] and [`BTreeSet`] (not the hash maps: their order is not
/// the same everywhere), and [`Duration`]; with the feature `glam` for its vectors and quaternions.
///
/// Callers may rely on: `decode` of what `encode` wrote gives an equal value (quantized fields: the nearest one),
/// reads exactly its bits, and writes the same bits again.
///
/// Implementors MUST read exactly what they write, MUST [`charge`](BitReader::charge) what they allocate before
/// they do, MUST keep [`MIN_BITS`](Self::MIN_BITS) a true lower bound, MUST change [`SCHEMA`](Self::SCHEMA) when
/// the bits change, and MUST NOT panic on any input.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel: it does not implement `Wire`",
    label = "not a wire type",
    note = "derive it: `#[derive(Wire)]`; for a foreign type name a module in `#[wire(with = \"..\")]`",
    note = "`usize` and `isize` differ between machines, and hash maps have no order: use `u32`, `BTreeMap`, .."
)]
pub trait Wire: Sized {
    /// The shape of the bits.
    const SCHEMA: Schema;
    /// No value takes fewer bits: it bounds how many can follow a length.
    const MIN_BITS: usize;

    /// Writes the value.
    ///
    /// # Errors
    /// Where a length or a number is over its limit. What was written until then is of no use.
    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError>;

    /// Reads a value.
    ///
    /// # Errors
    /// Where the bits are not a value.
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError>;

    /// Writes many; types whose memory is their encoding write all at once.
    #[doc(hidden)]
    fn encode_all(items: &[Self], writer: &mut BitWriter) -> Result<(), EncodeError> {
        items.iter().try_for_each(|item| item.encode(writer))
    }

    /// Reads many. `len` has been checked and charged.
    #[doc(hidden)]
    fn decode_all(len: usize, reader: &mut BitReader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(Self::decode(reader)?);
        }
        Ok(items)
    }

    /// Reads so many that their number is known to the compiler.
    #[doc(hidden)]
    fn decode_array<const N: usize>(reader: &mut BitReader<'_>) -> Result<[Self; N], DecodeError> {
        array_from_results(|| Self::decode(reader))
    }
}

macro_rules! wire_integers {
    ($($int:ty as $unsigned:ty: $schema:ident, $bits:literal);* $(;)?) => {$(
        impl Wire for $int {
            const SCHEMA: Schema = Schema::$schema($bits);
            const MIN_BITS: usize = $bits;

            #[inline]
            fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
                writer.write_bits(u64::from(*self as $unsigned), $bits);
                Ok(())
            }

            #[inline]
            fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                Ok(reader.read_bits($bits)? as Self)
            }
        }
    )*};
}

wire_integers! {
    u16 as u16: Uint, 16; u32 as u32: Uint, 32; u64 as u64: Uint, 64;
    i8 as u8: Int, 8; i16 as u16: Int, 16; i32 as u32: Int, 32; i64 as u64: Int, 64;
}

impl Wire for u8 {
    const SCHEMA: Schema = Schema::Uint(8);
    const MIN_BITS: usize = 8;

    #[inline]
    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bits(u64::from(*self), 8);
        Ok(())
    }

    #[inline]
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(reader.read_bits(8)? as Self)
    }

    fn encode_all(items: &[Self], writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bytes(items);
        Ok(())
    }

    fn decode_all(len: usize, reader: &mut BitReader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut bytes = alloc::vec![0; len];
        reader.read_bytes(&mut bytes)?;
        Ok(bytes)
    }

    fn decode_array<const N: usize>(reader: &mut BitReader<'_>) -> Result<[Self; N], DecodeError> {
        let mut bytes = [0; N];
        reader.read_bytes(&mut bytes)?;
        Ok(bytes)
    }
}

impl Wire for bool {
    const SCHEMA: Schema = Schema::Bool;
    const MIN_BITS: usize = 1;

    #[inline]
    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bool(*self);
        Ok(())
    }

    #[inline]
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.read_bool()
    }
}

impl Wire for char {
    const SCHEMA: Schema = Schema::Char;
    const MIN_BITS: usize = 21;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bits(u64::from(u32::from(*self)), 21);
        Ok(())
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Self::from_u32(reader.read_bits(21)? as u32).ok_or(DecodeError::InvalidText)
    }
}

impl Wire for f32 {
    const SCHEMA: Schema = Schema::F32;
    const MIN_BITS: usize = 32;

    #[inline]
    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bits(u64::from(self.to_bits()), 32);
        Ok(())
    }

    #[inline]
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_bits(reader.read_bits(32)? as u32))
    }
}

impl Wire for f64 {
    const SCHEMA: Schema = Schema::F64;
    const MIN_BITS: usize = 64;

    #[inline]
    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bits(self.to_bits(), 64);
        Ok(())
    }

    #[inline]
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_bits(reader.read_bits(64)?))
    }
}

/// Seconds and nanoseconds.
impl Wire for Duration {
    const SCHEMA: Schema = Schema::Custom { name: "duration", version: 1 };
    const MIN_BITS: usize = 64 + 30;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bits(self.as_secs(), 64);
        writer.write_bits(u64::from(self.subsec_nanos()), 30);
        Ok(())
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let secs = reader.read_bits(64)?;
        let nanos = reader.read_bits(30)? as u32;
        if nanos >= 1_000_000_000 { Err(DecodeError::OutOfRange) } else { Ok(Self::new(secs, nanos)) }
    }
}

impl Wire for String {
    const SCHEMA: Schema = Schema::String;
    const MIN_BITS: usize = 8;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_string(self, None, writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_string(None, reader)
    }
}

impl<T: Wire> Wire for Vec<T> {
    const SCHEMA: Schema = Schema::Sequence(&T::SCHEMA);
    const MIN_BITS: usize = 8;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_sequence(self, None, writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_sequence(None, reader)
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    const SCHEMA: Schema = Schema::Map(&K::SCHEMA, &V::SCHEMA);
    const MIN_BITS: usize = 8;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_map(self, None, writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_map(None, reader)
    }
}

impl<T: Wire + Ord> Wire for BTreeSet<T> {
    const SCHEMA: Schema = Schema::Set(&T::SCHEMA);
    const MIN_BITS: usize = 8;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        encode_length(self.len(), None, writer)?;
        self.iter().try_for_each(|item| item.encode(writer))
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        decode_set(None, reader)
    }
}

impl<T: Wire> Wire for Option<T> {
    const SCHEMA: Schema = Schema::Optional(&T::SCHEMA);
    const MIN_BITS: usize = 1;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_bool(self.is_some());
        self.iter().try_for_each(|value| value.encode(writer))
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.read_bool()?.then(|| T::decode(reader)).transpose()
    }
}

impl<T: Wire> Wire for Box<T> {
    const SCHEMA: Schema = T::SCHEMA;
    const MIN_BITS: usize = T::MIN_BITS;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        T::encode(self, writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.charge(size_of::<T>())?;
        T::decode(reader).map(Self::new)
    }
}

impl<T: Wire, const N: usize> Wire for [T; N] {
    const SCHEMA: Schema = Schema::Array(&T::SCHEMA, N);
    const MIN_BITS: usize = T::MIN_BITS.saturating_mul(N);

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        T::encode_all(self, writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        T::decode_array(reader)
    }
}

impl Wire for () {
    const SCHEMA: Schema = Schema::Unit;
    const MIN_BITS: usize = 0;

    fn encode(&self, _: &mut BitWriter) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

macro_rules! wire_tuples {
    ($(($($item:ident $index:tt),+)),* $(,)?) => {$(
        impl<$($item: Wire),+> Wire for ($($item,)+) {
            const SCHEMA: Schema = Schema::Tuple(&[$($item::SCHEMA),+]);
            const MIN_BITS: usize = 0_usize$(.saturating_add($item::MIN_BITS))+;

            fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
                $(self.$index.encode(writer)?;)+
                Ok(())
            }

            fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                Ok(($($item::decode(reader)?,)+))
            }
        }
    )*};
}

wire_tuples! {
    (A 0), (A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3), (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5), (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7),
}

pub(crate) fn encode_string(
    text: &str,
    max_len: Option<usize>,
    writer: &mut BitWriter,
) -> Result<(), EncodeError> {
    encode_length(text.len(), max_len, writer)?;
    writer.write_bytes(text.as_bytes());
    Ok(())
}

pub(crate) fn decode_string(
    max_len: Option<usize>,
    reader: &mut BitReader<'_>,
) -> Result<String, DecodeError> {
    let len = decode_length(max_len, 8, reader)?;
    reader.charge(len)?;
    String::from_utf8(u8::decode_all(len, reader)?).map_err(|_| DecodeError::InvalidText)
}

pub(crate) fn encode_sequence<T: Wire>(
    items: &[T],
    max_len: Option<usize>,
    writer: &mut BitWriter,
) -> Result<(), EncodeError> {
    encode_length(items.len(), max_len, writer)?;
    T::encode_all(items, writer)
}

pub(crate) fn decode_sequence<T: Wire>(
    max_len: Option<usize>,
    reader: &mut BitReader<'_>,
) -> Result<Vec<T>, DecodeError> {
    let len = decode_length(max_len, T::MIN_BITS, reader)?;
    // An element without size is charged a byte, so that a length cannot cost time without end.
    reader.charge(len.saturating_mul(size_of::<T>().max(1)))?;
    T::decode_all(len, reader)
}

pub(crate) fn encode_map<K: Wire, V: Wire>(
    map: &BTreeMap<K, V>,
    max_len: Option<usize>,
    writer: &mut BitWriter,
) -> Result<(), EncodeError> {
    encode_length(map.len(), max_len, writer)?;
    map.iter().try_for_each(|(key, value)| {
        key.encode(writer)?;
        value.encode(writer)
    })
}

pub(crate) fn decode_map<K: Wire + Ord, V: Wire>(
    max_len: Option<usize>,
    reader: &mut BitReader<'_>,
) -> Result<BTreeMap<K, V>, DecodeError> {
    let len = decode_length(max_len, K::MIN_BITS.saturating_add(V::MIN_BITS), reader)?;
    reader.charge(tree_bytes(len, size_of::<(K, V)>()))?;
    let mut map = BTreeMap::new();
    for _ in 0..len {
        let key = K::decode(reader)?;
        if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(DecodeError::NotCanonical);
        }
        map.insert(key, V::decode(reader)?);
    }
    Ok(map)
}

pub(crate) fn decode_set<T: Wire + Ord>(
    max_len: Option<usize>,
    reader: &mut BitReader<'_>,
) -> Result<BTreeSet<T>, DecodeError> {
    let len = decode_length(max_len, T::MIN_BITS, reader)?;
    reader.charge(tree_bytes(len, size_of::<T>()))?;
    let mut set = BTreeSet::new();
    for _ in 0..len {
        let item = T::decode(reader)?;
        if set.last().is_some_and(|last| *last >= item) {
            return Err(DecodeError::NotCanonical);
        }
        set.insert(item);
    }
    Ok(set)
}

/// What a B-tree of so many entries may allocate: nodes of eleven entries that are at least half full, each with
/// some 112 bytes of links.
fn tree_bytes(entries: usize, entry_bytes: usize) -> usize {
    let nodes = if entries == 0 { 0 } else { (entries / 5).saturating_add(1) };
    nodes.saturating_mul(entry_bytes.saturating_mul(11).saturating_add(112))
}

/// An array of what `next` gives, or the first error.
pub(crate) fn array_from_results<T, const N: usize>(
    mut next: impl FnMut() -> Result<T, DecodeError>,
) -> Result<[T; N], DecodeError> {
    let mut failure = None;
    let items: [Option<T>; N] = core::array::from_fn(|_| {
        if failure.is_some() {
            return None;
        }
        next().map_err(|error| failure = Some(error)).ok()
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(items.map(|item| match item {
            Some(item) => item,
            None => unreachable!("an item is missing only where there was a failure"),
        })),
    }
}

/// What enums share: the number of a variant, in the fewest bits.
#[doc(hidden)]
pub mod variant {
    use super::{BitReader, BitWriter, DecodeError, bits_for};

    #[inline]
    pub fn encode(index: u64, count: u64, writer: &mut BitWriter) {
        writer.write_bits(index, bits_for(count));
    }

    #[inline]
    pub fn decode(count: u64, reader: &mut BitReader<'_>) -> Result<u64, DecodeError> {
        reader.read_bits(bits_for(count))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;
    use core::fmt::Debug;

    use proptest::prelude::*;

    use super::*;
    use crate::{FixedBits, LengthLimited};

    type Everything = (
        (bool, char, u8, u16, u32, u64),
        (i8, i16, i32, i64, f32, f64),
        String,
        Vec<Option<u16>>,
        BTreeMap<String, [u8; 3]>,
        BTreeSet<i16>,
        Box<(u8, Duration)>,
    );

    fn everything() -> impl Strategy<Value = Everything> {
        (
            any::<(bool, char, u8, u16, u32, u64)>(),
            any::<(i8, i16, i32, i64, f32, f64)>(),
            ".{0,20}",
            any::<Vec<Option<u16>>>(),
            any::<BTreeMap<String, [u8; 3]>>(),
            any::<BTreeSet<i16>>(),
            any::<(u8, u32)>().prop_map(|(a, b)| Box::new((a, Duration::from_micros(b.into())))),
        )
    }

    fn encoded<T: Wire>(value: &T) -> Vec<u8> {
        let mut writer = BitWriter::new();
        value.encode(&mut writer).unwrap();
        assert!(writer.bit_len() >= T::MIN_BITS);
        writer.into_bytes()
    }

    fn decoded<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
        let mut reader = BitReader::new(bytes);
        let value = T::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    proptest! {
        #[test]
        fn everything_comes_back(value in everything()) {
            prop_assert_eq!(decoded::<Everything>(&encoded(&value)).unwrap(), value);
        }

        #[test]
        fn truncated_anywhere_is_an_error(value in everything(), cut in 0_usize..1000) {
            let bytes = encoded(&value);
            let cut = cut % bytes.len();
            prop_assert!(decoded::<Everything>(bytes.get(..cut).unwrap()).is_err());
        }

        #[test]
        fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            canonical::<(u8, bool, char)>(&bytes);
            canonical::<Vec<String>>(&bytes);
            canonical::<BTreeMap<u8, bool>>(&bytes);
            canonical::<BTreeSet<u16>>(&bytes);
            canonical::<[Option<i8>; 4]>(&bytes);
            canonical::<Duration>(&bytes);
        }

        #[test]
        fn integers_fit_their_bits(value in any::<i32>(), bits in 1_u32..=32) {
            let mut writer = BitWriter::new();
            let fits = i64::from(value) >= -(1 << (bits - 1)) && i64::from(value) < 1 << (bits - 1);
            prop_assert_eq!(value.encode_bits(bits, &mut writer).is_ok(), fits);
            if fits {
                let bytes = writer.into_bytes();
                prop_assert_eq!(i32::decode_bits(bits, &mut BitReader::new(&bytes)), Ok(value));
            }
        }
    }

    fn canonical<T: Wire + Debug>(bytes: &[u8]) {
        if let Ok(value) = decoded::<T>(bytes) {
            assert_eq!(encoded(&value), bytes, "{value:?} has another encoding");
        }
    }

    #[test]
    fn b5_lengths_that_lie_are_errors() {
        let huge = encoded(&u64::MAX);
        assert!(decoded::<Vec<u8>>(&huge).is_err());
        let mut writer = BitWriter::new();
        writer.write_varint(1 << 40);
        let lie = writer.into_bytes();
        assert_eq!(decoded::<Vec<u8>>(&lie), Err(DecodeError::TooLong));
        assert_eq!(decoded::<String>(&lie), Err(DecodeError::TooLong));
        assert_eq!(decoded::<Vec<()>>(&lie), Err(DecodeError::AllocationLimit), "nothing, a trillion times");
        assert_eq!(decoded::<Vec<[u64; 0]>>(&lie), Err(DecodeError::AllocationLimit));
    }

    #[test]
    fn b5_nested_empties_stay_within_the_budget() {
        // A thousand empty vectors of 24 bytes each, from a thousand bytes: honest, and allowed.
        let honest = encoded(&vec![Vec::<u8>::new(); 1_000]);
        assert!(decoded::<Vec<Vec<u8>>>(&honest).is_ok());
        // Maps of one entry each allocate a whole node: beyond the budget, refused before they are built.
        let maps = encoded(&vec![BTreeMap::from([(1_u8, [0_u64; 4])]); 100]);
        assert!(decoded::<Vec<BTreeMap<u8, [u64; 4]>>>(&maps).is_ok());
        let hostile = encoded(&vec![BTreeSet::from([()]); 10_000]);
        assert_eq!(decoded::<Vec<BTreeSet<()>>>(&hostile), Err(DecodeError::AllocationLimit));
    }

    #[test]
    fn a_map_out_of_order_is_refused() {
        let mut writer = BitWriter::new();
        for byte in [2_u64, 9, 5] {
            writer.write_bits(byte, 8);
        }
        let bytes = writer.into_bytes();
        assert_eq!(decoded::<BTreeSet<u8>>(&bytes), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let mut writer = BitWriter::new();
        let error = "four!".to_string().encode_limited(4, &mut writer).unwrap_err().in_field("Chat.text");
        assert_eq!(
            error.to_string(),
            "`Chat.text`: length 5 is over its max_len of 4; shorten it or raise max_len"
        );
        writer.clear();
        writer.write_bits(5, 3);
        writer.write_bytes(b"four!");
        let bytes = writer.into_bytes();
        assert_eq!(String::decode_limited(4, &mut BitReader::new(&bytes)), Err(DecodeError::TooLong));
    }

    #[test]
    fn text_that_is_not_text_is_refused() {
        assert_eq!(decoded::<String>(&[1, 0xff]), Err(DecodeError::InvalidText));
        let mut writer = BitWriter::new();
        writer.write_bits(0xd800, 21);
        assert_eq!(decoded::<char>(&writer.into_bytes()), Err(DecodeError::InvalidText));
    }
}
