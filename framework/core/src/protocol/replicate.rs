use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, Schema};

use super::NetEntity;

/// A component or resource whose fields travel one by one. Derived by `#[derive(Replicate)]` on a plain struct of at
/// most [`FieldMask::MAX_FIELDS`] fields that travel; a field with `#[replicate(skip)]` does not, and is made by
/// [`Default`] on the other side.
///
/// ```
/// use bowline_core::{BitReader, BitWriter, FieldMask, Replicate};
/// # use bowline_core::{DecodeError, EncodeError, Schema, Wire};
/// # struct Health(u8);
/// # impl Replicate for Health {
/// #     const NAME: &'static str = "Health";
/// #     const SCHEMA: Schema = Schema::Uint(8);
/// #     const FIELDS: u32 = 1;
/// #     fn encode_field(&self, _: u32, w: &mut BitWriter) -> Result<(), EncodeError> { self.0.encode(w) }
/// #     fn decode_field(&mut self, _: u32, r: &mut BitReader<'_>) -> Result<(), DecodeError> { self.0 = u8::decode(r)?; Ok(()) }
/// #     fn skip_field(_: u32, r: &mut BitReader<'_>) -> Result<(), DecodeError> { u8::decode(r).map(drop) }
/// #     fn decode_new(r: &mut BitReader<'_>) -> Result<Self, DecodeError> { u8::decode(r).map(Self) }
/// # }
/// let mut bits = BitWriter::new();
/// Health(40).encode_fields(FieldMask::all(Health::FIELDS), &mut bits)?;
///
/// let mut health = Health(100);
/// health.decode_fields(FieldMask::all(Health::FIELDS), &mut BitReader::new(bits.finish()))?;
/// assert_eq!(health.0, 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be replicated",
    label = "not a component or resource",
    note = "derive it: `#[derive(Replicate)]`"
)]
pub trait Replicate: Sized + Send + Sync + 'static {
    /// The name of the type, as a mismatch report shows it.
    const NAME: &'static str;
    /// The shape of all fields that travel.
    const SCHEMA: Schema;
    /// How many fields travel.
    const FIELDS: u32;
    /// Whether it stays as it was inserted: `#[replicate(immutable)]`.
    const IMMUTABLE: bool = false;
    /// Whether it refers to other entities.
    const HAS_REFERENCES: bool = false;

    /// Writes one field. `index` is below [`FIELDS`](Self::FIELDS).
    ///
    /// # Errors
    /// Where the value is over a limit of the field.
    fn encode_field(&self, index: u32, writer: &mut BitWriter) -> Result<(), EncodeError>;

    /// Reads one field into the value.
    ///
    /// # Errors
    /// Where the bits are no value of the field, or there is no such field; the value is then unchanged.
    fn decode_field(&mut self, index: u32, reader: &mut BitReader<'_>) -> Result<(), DecodeError>;

    /// Reads one field and forgets it: where the value that it belongs to is gone.
    ///
    /// # Errors
    /// Where the bits are no value of the field, or there is no such field.
    fn skip_field(index: u32, reader: &mut BitReader<'_>) -> Result<(), DecodeError>;

    /// Reads all fields into a new value.
    ///
    /// # Errors
    /// Where the bits are no value.
    fn decode_new(reader: &mut BitReader<'_>) -> Result<Self, DecodeError>;

    /// Shows every entity that it refers to.
    fn references(&self, visit: &mut dyn FnMut(NetEntity)) {
        let _ = visit;
    }

    /// Replaces every entity that it refers to: for adapters to a world with ids of its own.
    fn map_references(&mut self, map: &mut dyn FnMut(NetEntity) -> NetEntity) {
        let _ = map;
    }

    /// Writes the fields of `mask` in order.
    ///
    /// # Errors
    /// Where a value is over a limit of its field.
    fn encode_fields(&self, mask: FieldMask, writer: &mut BitWriter) -> Result<(), EncodeError> {
        mask.iter().try_for_each(|index| self.encode_field(index, writer))
    }

    /// Reads the fields of `mask` in order.
    ///
    /// # Errors
    /// Where the bits are no value of a field; fields before it have then been read.
    fn decode_fields(&mut self, mask: FieldMask, reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
        mask.iter().try_for_each(|index| self.decode_field(index, reader))
    }
}

/// A component or resource that may change after it was inserted. Derived with [`Replicate`], unless that says
/// `#[replicate(immutable)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` never changes once it is inserted",
    label = "this component is immutable",
    note = "remove it and insert another, or take `#[replicate(immutable)]` away"
)]
pub trait Mutable: Replicate {}

/// Some of the fields of a component, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldMask(u64);

impl FieldMask {
    /// No component has more fields that travel: the bits of a word.
    pub const MAX_FIELDS: u32 = 64;

    /// No field.
    pub const EMPTY: Self = Self(0);

    /// The first `fields` fields, all of a component that has so many.
    #[must_use]
    pub const fn all(fields: u32) -> Self {
        Self(if fields >= u64::BITS { u64::MAX } else { (1 << fields) - 1 })
    }

    /// With the field at `index` added.
    #[must_use]
    pub const fn with(self, index: u32) -> Self {
        Self(self.0 | 1_u64.wrapping_shl(index))
    }

    /// Whether it holds the field at `index`.
    #[must_use]
    pub const fn contains(self, index: u32) -> bool {
        index < u64::BITS && self.0 & 1_u64.wrapping_shl(index) != 0
    }

    /// Whether it holds no field.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its fields, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let index = (rest != 0).then(|| rest.trailing_zeros())?;
            rest &= rest.wrapping_sub(1);
            Some(index)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_hold_what_was_put_in() {
        let mask = FieldMask::EMPTY.with(0).with(5).with(63);
        assert_eq!(mask.iter().collect::<Vec<_>>(), [0, 5, 63]);
        assert!(mask.contains(5) && !mask.contains(6) && !mask.contains(64));
        assert_eq!(FieldMask::all(64).iter().count(), 64);
        assert_eq!(FieldMask::all(3).iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert!(FieldMask::all(0).is_empty());
    }
}
