use std::fmt;

use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, Schema, Wire};

/// A replicated entity. The same id on the server and on every client that sees it, so it can travel in messages and
/// components; the id of one that is gone never means another: it counts generations.
///
/// On the wire it takes two bytes for the first 128 entities, and one more for each factor of 128.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetEntity {
    slot: u32,
    generation: u32,
}

impl NetEntity {
    /// The entity of a slot and a generation: for adapters to another world.
    #[must_use]
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// The place of the entity in arrays of the caller's own: small, and used again after the entity is gone.
    #[must_use]
    pub const fn slot(self) -> usize {
        self.slot as usize
    }

    /// How many entities had the slot before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Display for NetEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entity {}", self.slot)?;
        if self.generation > 0 { write!(f, ".{}", self.generation) } else { Ok(()) }
    }
}

impl fmt::Debug for NetEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetEntity({}.{})", self.slot, self.generation)
    }
}

impl Wire for NetEntity {
    const SCHEMA: Schema = Schema::Custom { name: "NetEntity", version: 1 };
    const MIN_BITS: usize = 16;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        writer.write_varint(u64::from(self.slot));
        writer.write_varint(u64::from(self.generation));
        Ok(())
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let mut number = || u32::try_from(reader.read_varint()?).map_err(|_| DecodeError::OutOfRange);
        Ok(Self { slot: number()?, generation: number()? })
    }
}

/// A field that refers to entities: [`NetEntity`], and options, vectors and arrays of what refers to entities. A component
/// says of such fields `#[replicate(entities)]`; a plain `NetEntity` needs no attribute.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not refer to entities",
    label = "no `NetEntity`, nor an option, vector or array of them",
    note = "implement `References` for it, or leave `#[replicate(entities)]` out"
)]
pub trait References {
    /// Shows every entity that it refers to.
    fn references(&self, visit: &mut dyn FnMut(NetEntity));

    /// Replaces every entity that it refers to.
    fn map_references(&mut self, map: &mut dyn FnMut(NetEntity) -> NetEntity);
}

impl References for NetEntity {
    fn references(&self, visit: &mut dyn FnMut(NetEntity)) {
        visit(*self);
    }

    fn map_references(&mut self, map: &mut dyn FnMut(NetEntity) -> NetEntity) {
        *self = map(*self);
    }
}

macro_rules! references_of_elements {
    ($($collection:ty $(, const $n:ident)?);*) => {$(
        impl<T: References $(, const $n: usize)?> References for $collection {
            fn references(&self, visit: &mut dyn FnMut(NetEntity)) {
                self.iter().for_each(|item| item.references(visit));
            }

            fn map_references(&mut self, map: &mut dyn FnMut(NetEntity) -> NetEntity) {
                self.iter_mut().for_each(|item| item.map_references(map));
            }
        }
    )*};
}

references_of_elements!(Option<T>; Vec<T>; [T; N], const N);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_comes_back_in_few_bytes() {
        for (entity, bytes) in [
            (NetEntity::new(0, 0), 2),
            (NetEntity::new(127, 127), 2),
            (NetEntity::new(10_000, 1), 3),
            (NetEntity::new(u32::MAX, u32::MAX), 10),
        ] {
            let mut writer = BitWriter::new();
            entity.encode(&mut writer).unwrap();
            assert_eq!(writer.byte_len(), bytes);
            assert_eq!(NetEntity::decode(&mut BitReader::new(writer.finish())), Ok(entity));
        }
        let mut writer = BitWriter::new();
        writer.write_varint(1 << 32);
        writer.write_varint(0);
        assert!(NetEntity::decode(&mut BitReader::new(writer.finish())).is_err());
    }

    #[test]
    fn references_are_seen_and_replaced_wherever_they_stand() {
        let [a, b, c] = [1, 2, 3].map(|slot| NetEntity::new(slot, 0));
        let mut all = [Some(vec![a, b]), None, Some(vec![c])];
        all.map_references(&mut |entity| NetEntity::new(entity.slot + 10, 0));
        let mut seen = Vec::new();
        all.references(&mut |entity| seen.push(entity.slot()));
        assert_eq!(seen, [11, 12, 13]);
    }
}
