use core::fmt;

/// What a type looks like on the wire, as a constant.
///
/// Two types whose schemas are equal can read each other's bits. A protocol's identity is a [`Fingerprint`] over
/// the schemas of all its items, and its `Display` form is what a mismatch report shows to a person:
///
/// ```
/// use bowline_wire::{Schema, Wire};
///
/// assert_eq!(<Vec<(u8, f32)>>::SCHEMA.to_string(), "[(u8, f32)]");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schema {
    /// No bits at all.
    Unit,
    /// One bit.
    Bool,
    /// An unsigned integer of so many bits.
    Uint(u32),
    /// A signed integer of so many bits, two's complement.
    Int(u32),
    /// 32 bits, IEEE 754.
    F32,
    /// 64 bits, IEEE 754.
    F64,
    /// 21 bits, a Unicode scalar value.
    Char,
    /// A length and UTF-8.
    String,
    /// A unit quaternion: which component is largest, and so many bits for each of the other three.
    Rotation(u32),
    /// A length and that many elements.
    Sequence(&'static Schema),
    /// A length and that many elements, strictly ascending.
    Set(&'static Schema),
    /// A length and that many pairs, strictly ascending by key.
    Map(&'static Schema, &'static Schema),
    /// So many elements.
    Array(&'static Schema, usize),
    /// One bit, and the value if it is set.
    Optional(&'static Schema),
    /// One after the other.
    Tuple(&'static [Schema]),
    /// A named struct.
    Struct(&'static str, &'static [Field]),
    /// A named enum: the variant's number in the fewest bits, then its fields.
    Enum(&'static str, &'static [Variant]),
    /// `#[wire(range = .., step = ..)]`.
    Quantized {
        /// The type that is quantized.
        of: &'static Schema,
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
        /// The distance between two neighbouring values.
        step: f64,
    },
    /// `#[wire(range = ..)]` on an integer.
    Ranged {
        /// The integer type.
        of: &'static Schema,
        /// The least value.
        min: i128,
        /// The greatest value.
        max: i128,
    },
    /// `#[wire(bits = ..)]`.
    Bits {
        /// The type in which the bits end up.
        of: &'static Schema,
        /// How many there are.
        bits: u32,
    },
    /// `#[wire(max_len = ..)]`: the length takes the fewest bits that hold the limit.
    Limited {
        /// The string or collection.
        of: &'static Schema,
        /// The most bytes (of a string) or elements.
        max_len: usize,
    },
    /// `#[wire(with = ..)]` and hand-written implementations: equal where name and version are.
    Custom {
        /// A name that says what it is.
        name: &'static str,
        /// Raised by its author when the bits change.
        version: u32,
    },
}

/// A field of a struct or of an enum's variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name, or its number in a tuple.
    pub name: &'static str,
    /// Its bits.
    pub schema: Schema,
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// Its fields in order.
    pub fields: &'static [Field],
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("()"),
            Self::Bool => f.write_str("bool"),
            Self::Uint(bits) => write!(f, "u{bits}"),
            Self::Int(bits) => write!(f, "i{bits}"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::Rotation(bits) => write!(f, "rotation(3 x {bits} bits)"),
            Self::Sequence(of) => write!(f, "[{of}]"),
            Self::Set(of) => write!(f, "set[{of}]"),
            Self::Map(key, value) => write!(f, "map[{key} => {value}]"),
            Self::Array(of, len) => write!(f, "[{of}; {len}]"),
            Self::Optional(of) => write!(f, "{of}?"),
            Self::Tuple(items) => {
                f.write_str("(")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str(")")
            }
            Self::Struct(name, fields) => write!(f, "{name}{}", Fields(fields)),
            Self::Enum(name, variants) => {
                write!(f, "{name}<")?;
                for (index, variant) in variants.iter().enumerate() {
                    let bar = if index == 0 { "" } else { " | " };
                    write!(f, "{bar}{}", variant.name)?;
                    if !variant.fields.is_empty() {
                        write!(f, "{}", Fields(variant.fields))?;
                    }
                }
                f.write_str(">")
            }
            Self::Quantized { of, min, max, step } => write!(f, "{of} in {min}..={max} by {step}"),
            Self::Ranged { of, min, max } => write!(f, "{of} in {min}..={max}"),
            Self::Bits { of, bits } => write!(f, "{of} in {bits} bits"),
            Self::Limited { of, max_len } => write!(f, "{of} up to {max_len}"),
            Self::Custom { name, version } => write!(f, "{name} v{version}"),
        }
    }
}

struct Fields(&'static [Field]);

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, field) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}: {}", field.name, field.schema)?;
        }
        f.write_str("}")
    }
}

/// A 64-bit hash that is computed at compile time: FNV-1a (Fowler, Noll, Vo), with the finalizer of
/// MurmurHash3 so that every input bit reaches every output bit.
///
/// It tells versions of a protocol apart. It is not a defence against somebody who looks for collisions, and
/// does not need to be: who speaks a protocol wrongly on purpose gains nothing by claiming to speak it rightly.
///
/// ```
/// use bowline_wire::{Fingerprint, Wire};
///
/// const ID: u64 = Fingerprint::new().text("Chat").schema(&String::SCHEMA).finish();
/// assert_ne!(ID, Fingerprint::new().text("Chat").schema(&u8::SCHEMA).finish());
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The hash of nothing.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in a number.
    pub const fn number(mut self, value: u64) -> Self {
        let bytes = value.to_le_bytes();
        let mut rest: &[u8] = &bytes;
        while let Some((byte, tail)) = rest.split_first() {
            self = self.byte(*byte);
            rest = tail;
        }
        self
    }

    /// Takes in a text, so that `"ab", "c"` and `"a", "bc"` differ.
    pub const fn text(mut self, text: &str) -> Self {
        self = self.number(text.len() as u64);
        let mut rest = text.as_bytes();
        while let Some((byte, tail)) = rest.split_first() {
            self = self.byte(*byte);
            rest = tail;
        }
        self
    }

    /// Takes in all that shapes the bits: names, types, order, limits, quantization.
    pub const fn schema(self, schema: &Schema) -> Self {
        match schema {
            Schema::Unit => self.byte(0),
            Schema::Bool => self.byte(1),
            Schema::Uint(bits) => self.byte(2).number(*bits as u64),
            Schema::Int(bits) => self.byte(3).number(*bits as u64),
            Schema::F32 => self.byte(4),
            Schema::F64 => self.byte(5),
            Schema::Char => self.byte(6),
            Schema::String => self.byte(7),
            Schema::Rotation(bits) => self.byte(8).number(*bits as u64),
            Schema::Sequence(of) => self.byte(9).schema(of),
            Schema::Set(of) => self.byte(10).schema(of),
            Schema::Map(key, value) => self.byte(11).schema(key).schema(value),
            Schema::Array(of, len) => self.byte(12).number(*len as u64).schema(of),
            Schema::Optional(of) => self.byte(13).schema(of),
            Schema::Tuple(items) => {
                let mut hash = self.byte(14).number(items.len() as u64);
                let mut rest = *items;
                while let Some((item, tail)) = rest.split_first() {
                    hash = hash.schema(item);
                    rest = tail;
                }
                hash
            }
            Schema::Struct(name, fields) => self.byte(15).text(name).fields(fields),
            Schema::Enum(name, variants) => {
                let mut hash = self.byte(16).text(name).number(variants.len() as u64);
                let mut rest = *variants;
                while let Some((variant, tail)) = rest.split_first() {
                    hash = hash.text(variant.name).fields(variant.fields);
                    rest = tail;
                }
                hash
            }
            Schema::Quantized { of, min, max, step } => {
                self.byte(17).schema(of).number(min.to_bits()).number(max.to_bits()).number(step.to_bits())
            }
            Schema::Ranged { of, min, max } => self.byte(18).schema(of).wide(*min).wide(*max),
            Schema::Bits { of, bits } => self.byte(19).schema(of).number(*bits as u64),
            Schema::Limited { of, max_len } => self.byte(20).schema(of).number(*max_len as u64),
            Schema::Custom { name, version } => self.byte(21).text(name).number(*version as u64),
        }
    }

    /// The hash of all that was taken in.
    #[must_use]
    pub const fn finish(self) -> u64 {
        let mut hash = self.0;
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }

    const fn fields(mut self, fields: &[Field]) -> Self {
        self = self.number(fields.len() as u64);
        let mut rest = fields;
        while let Some((field, tail)) = rest.split_first() {
            self = self.text(field.name).schema(&field.schema);
            rest = tail;
        }
        self
    }

    const fn wide(self, value: i128) -> Self {
        self.number(value as u64).number((value >> 64) as u64)
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use std::collections::BTreeSet;

    use super::*;
    use crate::Wire;

    const SHAPES: &[Schema] = &[
        Schema::Unit,
        Schema::Bool,
        Schema::Uint(8),
        Schema::Uint(16),
        Schema::Int(8),
        Schema::F32,
        Schema::F64,
        Schema::Char,
        Schema::String,
        Schema::Rotation(10),
        Schema::Rotation(11),
        Schema::Sequence(&Schema::Bool),
        Schema::Set(&Schema::Bool),
        Schema::Map(&Schema::Bool, &Schema::F32),
        Schema::Map(&Schema::F32, &Schema::Bool),
        Schema::Array(&Schema::Bool, 2),
        Schema::Array(&Schema::Bool, 3),
        Schema::Optional(&Schema::Bool),
        Schema::Tuple(&[Schema::Bool, Schema::F32]),
        Schema::Tuple(&[Schema::F32, Schema::Bool]),
        Schema::Struct("A", &[Field { name: "x", schema: Schema::F32 }]),
        Schema::Struct("B", &[Field { name: "x", schema: Schema::F32 }]),
        Schema::Struct("A", &[Field { name: "y", schema: Schema::F32 }]),
        Schema::Enum("A", &[Variant { name: "x", fields: &[] }]),
        Schema::Enum("A", &[Variant { name: "x", fields: &[] }, Variant { name: "y", fields: &[] }]),
        Schema::Quantized { of: &Schema::F32, min: 0.0, max: 1.0, step: 0.1 },
        Schema::Quantized { of: &Schema::F32, min: 0.0, max: 1.0, step: 0.2 },
        Schema::Ranged { of: &Schema::Uint(8), min: 0, max: 9 },
        Schema::Ranged { of: &Schema::Uint(8), min: 0, max: 10 },
        Schema::Bits { of: &Schema::Uint(8), bits: 3 },
        Schema::Limited { of: &Schema::String, max_len: 3 },
        Schema::Limited { of: &Schema::String, max_len: 4 },
        Schema::Custom { name: "a", version: 1 },
        Schema::Custom { name: "a", version: 2 },
    ];

    #[test]
    fn different_shapes_have_different_fingerprints_and_texts() {
        let hashes: BTreeSet<u64> = SHAPES.iter().map(|s| Fingerprint::new().schema(s).finish()).collect();
        assert_eq!(hashes.len(), SHAPES.len());
        let texts: BTreeSet<String> = SHAPES.iter().map(Schema::to_string).collect();
        assert_eq!(texts.len(), SHAPES.len());
    }

    #[test]
    fn a_person_can_read_a_schema() {
        let shape = Schema::Struct(
            "Chat",
            &[
                Field { name: "text", schema: Schema::Limited { of: &Schema::String, max_len: 256 } },
                Field { name: "to", schema: <Option<Vec<u16>>>::SCHEMA },
            ],
        );
        assert_eq!(shape.to_string(), "Chat{text: string up to 256, to: [u16]?}");
    }
}
