//! State that arrives: read record by record, and put into a world.

mod former;
mod slots;
mod visit;

use std::marker::PhantomData;

use bowline_core::{BitReader, DecodeError, FieldMask, NetEntity, Protocol};
use bowline_wire::bits_for;
use former::Former;
use slots::Slots;

use crate::entities::{BARE, Entities, Part, Shapes};
use crate::limits::MAX_ENTITIES;
use crate::record::read_gap;
use crate::sink::WorldSink;
use visit::{ReadOver, ReadPart, Remove};

/// What the other side has said of its entities.
///
/// Each slot remembers the packet that its state came in. What is in an older one is older, whatever it says, and is read
/// over: so an entity never goes back in time, and what is gone stays gone.
#[derive(Debug)]
pub(crate) struct Inbox<P> {
    slots: Slots,
    shapes: Shapes,
    fields: Vec<u32>,
    first_resource: u16,
    /// The kinds of the shape record before, which the next may share.
    kinds: Vec<u16>,
    former: Former,
    /// The entity that each resource has now, and since which packet: what the one before it says is not about this one.
    resources: Vec<Option<(NetEntity, u64)>>,
    protocol: PhantomData<fn() -> P>,
}

/// Where records come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Packets that were sent later have higher numbers.
    pub(crate) packet: u64,
    /// The sender's tick when it sent that packet.
    pub(crate) tick: u32,
}

impl<P: Protocol> Inbox<P> {
    /// Of a server, which has many entities next to each other and is believed to have so many.
    pub(crate) fn of_server() -> Self {
        Self::with(Slots::of_server())
    }

    /// Of a client, which has few.
    pub(crate) fn of_client() -> Self {
        Self::with(Slots::of_client())
    }

    fn with(slots: Slots) -> Self {
        Self {
            slots,
            shapes: Shapes::new(),
            fields: Entities::field_counts::<P>(),
            first_resource: P::SCHEMA.components.len() as u16,
            kinds: Vec::new(),
            former: Former::default(),
            resources: vec![None; P::SCHEMA.resources.len()],
            protocol: PhantomData,
        }
    }

    /// Takes in what a packet says.
    ///
    /// # Errors
    /// Where it makes no sense. What came before that in the packet has been taken in.
    pub(crate) fn take_in(
        &mut self,
        bytes: &[u8],
        origin: Origin,
        sink: &mut impl WorldSink<P>,
    ) -> Result<(), DecodeError> {
        let mut reader = BitReader::new(bytes);
        let mut cursor = Cursor::default();
        while let Some(slot) = cursor.next(&mut reader)? {
            if !self.begin(slot, origin)? {
                continue;
            }
            if self.slots.get(slot).is_some_and(|place| place.is_alive) {
                self.end(slot, origin, sink);
            } else {
                sink.missed(slot);
            }
        }
        self.former.expire(origin.packet, &mut self.shapes);
        self.kinds.clear();
        cursor = Cursor::default();
        while let Some(slot) = cursor.next(&mut reader)? {
            self.shape(slot, origin, &mut reader, sink)?;
        }
        cursor = Cursor::default();
        while let Some(slot) = cursor.next(&mut reader)? {
            self.update(slot, origin, &mut reader, sink)?;
        }
        reader.finish()
    }

    /// Takes in a state that was too large for a packet: a shape record without its gap.
    ///
    /// # Errors
    /// Where it makes no sense.
    pub(crate) fn take_in_bulky(
        &mut self,
        slot: u32,
        bytes: &[u8],
        origin: Origin,
        sink: &mut impl WorldSink<P>,
    ) -> Result<(), DecodeError> {
        if slot as usize >= MAX_ENTITIES {
            return Err(DecodeError::OutOfRange);
        }
        self.kinds.clear();
        let mut reader = BitReader::new(bytes);
        self.shape(slot as usize, origin, &mut reader, sink)?;
        reader.finish()
    }

    /// Whether an entity is here.
    pub(crate) fn has(&self, entity: NetEntity) -> bool {
        let place = self.slots.get(entity.slot());
        place.is_some_and(|place| place.is_alive && place.generation == entity.generation())
    }

    /// Whether what an entity says of a resource counts.
    fn is_current(&self, kind: u16, entity: NetEntity) -> bool {
        let current = self.resources.get(usize::from(kind - self.first_resource)).copied().flatten();
        current.is_some_and(|(current, _)| current == entity)
    }

    fn set_current(&mut self, kind: u16, to: Option<(NetEntity, u64)>) {
        if let Some(current) = self.resources.get_mut(usize::from(kind - self.first_resource)) {
            *current = to;
        }
    }

    /// An entity has the resource from now on, unless one that came later has it already.
    fn take_place(&mut self, kind: u16, entity: NetEntity, origin: Origin) {
        match self.resources.get(usize::from(kind - self.first_resource)).copied().flatten() {
            Some((current, _)) if current == entity => {}
            Some((_, since)) if since > origin.packet => {}
            _ => self.set_current(kind, Some((entity, origin.packet))),
        }
    }

    /// Whether this packet is the newest that tells of the slot. It is from now on.
    fn begin(&mut self, slot: usize, origin: Origin) -> Result<bool, DecodeError> {
        let place = self.slots.get_or_add(slot, origin.packet)?;
        let is_newest = origin.packet >= place.oldest;
        place.oldest = place.oldest.max(origin.packet);
        Ok(is_newest)
    }

    /// Nothing is there any more.
    fn end(&mut self, slot: usize, origin: Origin, sink: &mut impl WorldSink<P>) {
        let Some(place) = self.slots.get_mut(slot).filter(|place| place.is_alive) else { return };
        let (entity, shape) = (NetEntity::new(slot as u32, place.generation), place.shape);
        (place.is_alive, place.shape, place.shaped) = (false, BARE, origin.packet);
        match self.shapes.get(shape).parts.first().map(|part| part.kind) {
            Some(kind) if kind >= self.first_resource => {
                if self.is_current(kind, entity) {
                    self.set_current(kind, None);
                    P::with_item(usize::from(kind), Remove { entity, sink });
                }
            }
            _ => sink.despawn(entity),
        }
        self.former.keep(slot, origin.packet, shape, &mut self.shapes);
    }

    /// A shape record; see [`crate::record`].
    fn shape(
        &mut self,
        slot: usize,
        origin: Origin,
        reader: &mut BitReader<'_>,
        sink: &mut impl WorldSink<P>,
    ) -> Result<(), DecodeError> {
        let fresh = match reader.read_bool()? {
            true => Some(u32::try_from(reader.read_varint()?).map_err(|_| DecodeError::OutOfRange)?),
            false => None,
        };
        self.read_kinds(reader)?;
        let is_news = self.begin(slot, origin)?;
        let place = *self.slots.get(slot).ok_or(DecodeError::OutOfRange)?;
        if !is_news {
            return self.read_shape_over(fresh.is_some(), reader);
        }
        if fresh.is_none() && !place.is_alive {
            return Err(DecodeError::OutOfRange);
        }
        let is_another = fresh.is_some_and(|generation| !place.is_alive || generation != place.generation);
        if is_another {
            self.end(slot, origin, sink);
        }
        let entity = NetEntity::new(slot as u32, fresh.unwrap_or(place.generation));
        let is_resource = self.kinds.iter().any(|kind| *kind >= self.first_resource);
        if is_another && !is_resource {
            sink.spawn(entity);
        }
        if is_resource && let Some(kind) = self.kinds.first().copied() {
            self.take_place(kind, entity, origin);
        }
        let (old, new) = self.change_shape(slot, entity, is_another, origin, sink);
        for part in &self.shapes.get(new).parts {
            let change = read_shape_change(part, fresh.is_some(), reader)?;
            let is_new = self.shapes.get(old).part(part.kind).is_none();
            let counts = !is_resource || self.is_current(part.kind, entity);
            let target = counts.then_some((entity, is_new));
            read_part(
                part,
                ReadPart { target, change, tick: origin.tick, reader: &mut *reader, sink: &mut *sink },
            )?;
        }
        if is_another && !is_resource {
            sink.spawned(entity);
        }
        Ok(())
    }

    /// The entity has the components of `self.kinds` now, those that it had not without a value yet. Gives the shape that it
    /// had and that it has.
    fn change_shape(
        &mut self,
        slot: usize,
        entity: NetEntity,
        is_another: bool,
        origin: Origin,
        sink: &mut impl WorldSink<P>,
    ) -> (u32, u32) {
        let fields = &self.fields;
        let new = self.shapes.enter(&self.kinds, |kind| fields.get(usize::from(kind)).copied().unwrap_or(0));
        let Some(place) = self.slots.get_mut(slot) else { return (BARE, new) };
        let old = std::mem::replace(&mut place.shape, new);
        (place.generation, place.is_alive) = (entity.generation(), true);
        if old == new && !is_another {
            self.shapes.leave(old);
            return (old, new);
        }
        place.shaped = origin.packet;
        for part in &self.shapes.get(old).parts {
            if !self.kinds.contains(&part.kind) {
                P::with_item(usize::from(part.kind), Remove { entity, sink: &mut *sink });
            }
        }
        self.former.keep(slot, origin.packet, old, &mut self.shapes);
        (old, new)
    }

    /// An update record. How it is to be read depends on the components that the entity had when it was sent.
    fn update(
        &mut self,
        slot: usize,
        origin: Origin,
        reader: &mut BitReader<'_>,
        sink: &mut impl WorldSink<P>,
    ) -> Result<(), DecodeError> {
        let place = self.slots.get_mut(slot).ok_or(DecodeError::OutOfRange)?;
        let is_news = place.is_alive && origin.packet >= place.oldest;
        place.oldest = place.oldest.max(origin.packet);
        let entity = NetEntity::new(slot as u32, place.generation);
        let shape = if origin.packet >= place.shaped {
            Some(place.shape).filter(|_| place.is_alive)
        } else {
            self.former.at(slot, origin.packet)
        };
        let parts = &self.shapes.get(shape.ok_or(DecodeError::OutOfRange)?).parts;
        for part in parts {
            if parts.len() > 1 && !reader.read_bool()? {
                continue;
            }
            let is_whole = part.fields <= 1 || reader.read_bool()?;
            let change = if is_whole { Change::Whole } else { read_mask(part, reader)? };
            let counts = is_news && (part.kind < self.first_resource || self.is_current(part.kind, entity));
            let target = counts.then_some((entity, false));
            read_part(
                part,
                ReadPart { target, change, tick: origin.tick, reader: &mut *reader, sink: &mut *sink },
            )?;
        }
        Ok(())
    }

    fn read_kinds(&mut self, reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
        if reader.read_bool()? {
            return Ok(());
        }
        let count = reader.read_varint()?;
        self.kinds.clear();
        for _ in 0..count {
            let kind = reader.read_bits(bits_for(self.fields.len() as u64))? as u16;
            let is_known = usize::from(kind) < self.fields.len();
            // Ascending, so none comes twice.
            if !is_known || self.kinds.last().is_some_and(|last| *last >= kind) {
                return Err(DecodeError::NotCanonical);
            }
            self.kinds.push(kind);
        }
        // A resource stands alone.
        if self.kinds.len() > 1 && self.kinds.iter().any(|kind| *kind >= self.first_resource) {
            return Err(DecodeError::OutOfRange);
        }
        Ok(())
    }

    /// Reads the rest of a shape record that says nothing new.
    fn read_shape_over(&self, is_fresh: bool, reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
        for kind in &self.kinds {
            let fields = self.fields.get(usize::from(*kind)).copied().unwrap_or(0);
            let part = Part { kind: *kind, first: 0, fields };
            let change = read_shape_change(&part, is_fresh, reader)?;
            P::with_item(usize::from(*kind), ReadOver { change, reader: &mut *reader })
                .unwrap_or(Err(DecodeError::UnknownVariant))?;
        }
        Ok(())
    }
}

/// What a record has of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Whole,
    Fields(FieldMask),
}

impl Change {
    const NONE: Self = Self::Fields(FieldMask::EMPTY);
}

fn read_mask(part: &Part, reader: &mut BitReader<'_>) -> Result<Change, DecodeError> {
    let mut mask = FieldMask::EMPTY;
    for field in 0..part.fields {
        if reader.read_bool()? {
            mask = mask.with(field);
        }
    }
    Ok(Change::Fields(mask))
}

/// What a shape record has of a component.
fn read_shape_change(part: &Part, is_fresh: bool, reader: &mut BitReader<'_>) -> Result<Change, DecodeError> {
    if is_fresh || reader.read_bool()? {
        return Ok(Change::Whole);
    }
    if reader.read_bool()? { read_mask(part, reader) } else { Ok(Change::NONE) }
}

fn read_part<P: Protocol, S: WorldSink<P>>(
    part: &Part,
    read: ReadPart<'_, '_, S>,
) -> Result<(), DecodeError> {
    if read.change == Change::NONE {
        // A component of which nothing is told is one that the peer has; it cannot be new.
        let is_new = read.target.is_some_and(|(_, is_new)| is_new);
        return if is_new { Err(DecodeError::OutOfRange) } else { Ok(()) };
    }
    P::with_item(usize::from(part.kind), read).unwrap_or(Err(DecodeError::UnknownVariant))
}

/// Walks the slots of a section.
#[derive(Default)]
struct Cursor {
    /// The slot before, and one more.
    after: u64,
    has_been_around: bool,
}

impl Cursor {
    fn next(&mut self, reader: &mut BitReader<'_>) -> Result<Option<usize>, DecodeError> {
        if !reader.read_bool()? {
            return Ok(None);
        }
        self.after += read_gap(reader)?;
        if self.after > MAX_ENTITIES as u64 {
            if self.has_been_around {
                return Err(DecodeError::OutOfRange);
            }
            self.has_been_around = true;
            self.after -= MAX_ENTITIES as u64;
        }
        let slot = self.after.saturating_sub(1) as usize;
        if slot < MAX_ENTITIES { Ok(Some(slot)) } else { Err(DecodeError::OutOfRange) }
    }
}

#[cfg(test)]
mod tests {
    use bowline_core::BitWriter;

    use super::*;
    use crate::record::{gap_to, write_gap};

    #[test]
    fn slots_are_walked_around_once() {
        let walk = |slots: &[usize]| {
            let (mut writer, mut before) = (BitWriter::new(), 0);
            for slot in slots {
                writer.write_bool(true);
                write_gap(gap_to(*slot, before), &mut writer);
                before = slot + 1;
            }
            writer.write_bool(false);
            let (mut reader, mut cursor) = (BitReader::new(writer.finish()), Cursor::default());
            let mut walked = Vec::new();
            while let Some(slot) = cursor.next(&mut reader)? {
                walked.push(slot);
            }
            Ok(walked)
        };
        let once = [7, 900, MAX_ENTITIES - 1, 0, 6];
        assert_eq!(walk(&once), Ok(once.to_vec()));
        assert_eq!(walk(&[7, 900, 6, 5]), Err(DecodeError::OutOfRange));
    }
}
