//! Every replicated entity, as what goes over the wire: fields in bits, and when they changed.

mod cells;
mod shapes;

pub(crate) use cells::{Cell, Cells};
pub(crate) use shapes::{BARE, Part, Shape, Shapes};

use std::collections::BTreeMap;

use bowline_core::protocol::{ItemVisitor, Protocol};
use bowline_core::{BitWriter, ComponentOf, EncodeError, NetEntity, Replicate, ResourceOf};

use crate::bits::BitSet;
use crate::limits::MAX_ENTITIES;

/// The entities of one side: what they are made of, bit by bit, and since when.
///
/// A change is encoded once, here, and compared with the bits from before. Time is counted in epochs: each send that found
/// changes begins one. What a peer is owed is then told from one number.
#[derive(Debug)]
pub(crate) struct Entities {
    records: Vec<Record>,
    free: Vec<u32>,
    /// Gone, and not yet told to the peers.
    departed: Vec<u32>,
    pub(crate) cells: Cells,
    shapes: Shapes,
    /// How many fields a component of each kind has.
    fields: Vec<u32>,
    /// All that happened in it is known. What happens now happens in the next.
    epoch: u32,
    /// What has changed in the epoch that is open.
    changed: BitSet,
    /// What has been changed in it by users, by whom: they know already.
    changed_by: Vec<(usize, BitSet)>,
    /// Whose changes are being taken in, where that is a user's.
    source: Option<usize>,
    /// Whether anything has.
    is_dirty: bool,
    alive: usize,
    /// Which others entities refer to, by slot.
    references: BTreeMap<u32, References>,
    scratch: BitWriter,
    kinds: Vec<u16>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) generation: u32,
    pub(crate) shape: u32,
    pub(crate) cells: u32,
    /// The epoch of the last change of any kind, and of the last change of its components.
    pub(crate) changed: u32,
    pub(crate) shaped: u32,
    /// All fields have changed since then, and so many bits they take; 0 where that is not known.
    pub(crate) all_changed: u32,
    pub(crate) all_bits: u32,
    /// How many peers have it or may have it.
    holders: u32,
    /// How soon it goes out, next to others: 1 unless it says otherwise.
    pub(crate) gain: f32,
    life: Life,
    pub(crate) mode: Mode,
    /// What becomes of it on a client that it is hidden from.
    pub(crate) persists: bool,
    /// Clients may have authority over it.
    pub(crate) is_lent: bool,
    /// It refers to others.
    pub(crate) has_references: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Free,
    /// Somebody else has the right to make an entity there.
    Reserved,
    Alive,
    /// Gone; its slot is kept until no peer has it any more, and no packet that counts names it.
    Gone,
}

/// Which entities one refers to, and which of its components does.
#[derive(Clone, Debug, Default)]
struct References {
    targets: Vec<NetEntity>,
    /// As many as targets.
    kinds: Vec<u16>,
}

/// How changes of an entity are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Live,
    /// It stays as it is, whatever the program does to it, until it is live again.
    Paused,
    /// What it is when it is first sent, it stays.
    Static,
}

impl Entities {
    pub(crate) fn new<P: Protocol>() -> Self {
        Self::with_fields(Self::field_counts::<P>())
    }

    /// For kinds with so many fields.
    fn with_fields(fields: Vec<u32>) -> Self {
        Self {
            records: Vec::new(),
            free: Vec::new(),
            departed: Vec::new(),
            cells: Cells::default(),
            shapes: Shapes::new(),
            fields,
            epoch: 1,
            changed: BitSet::new(),
            changed_by: Vec::new(),
            source: None,
            is_dirty: false,
            alive: 0,
            references: BTreeMap::new(),
            scratch: BitWriter::new(),
            kinds: Vec::new(),
        }
    }

    /// How many fields a component or resource of each kind has.
    pub(crate) fn field_counts<P: Protocol>() -> Vec<u32> {
        let kinds = P::SCHEMA.components.len() + P::SCHEMA.resources.len();
        (0..kinds).map(|kind| P::with_item(kind, Fields).unwrap_or_default()).collect()
    }

    /// A new entity with components of these kinds, whose values follow. `None` where there are [`MAX_ENTITIES`] already.
    pub(crate) fn spawn(&mut self, kinds: &[u16]) -> Option<NetEntity> {
        let entity = self.take_slot()?;
        self.begin(entity, kinds);
        Some(entity)
    }

    /// An id that nothing else will have until it is [activated](Self::activate) or [given back](Self::give_back).
    pub(crate) fn reserve(&mut self) -> Option<NetEntity> {
        let entity = self.take_slot()?;
        if let Some(record) = self.records.get_mut(entity.slot()) {
            record.life = Life::Reserved;
        }
        Some(entity)
    }

    /// Makes an entity without components of a reserved id; `false` where it is not reserved.
    pub(crate) fn activate(&mut self, entity: NetEntity) -> bool {
        let is_reserved = self.is_reserved(entity);
        if is_reserved {
            self.begin(entity, &[]);
        }
        is_reserved
    }

    /// A reserved id that is not needed.
    pub(crate) fn give_back(&mut self, entity: NetEntity) {
        if self.is_reserved(entity)
            && let Some(record) = self.records.get_mut(entity.slot())
        {
            *record = Record { generation: record.generation.wrapping_add(1), ..Record::free() };
            self.free.push(entity.slot() as u32);
        }
    }

    /// Whether [`adopt`](Self::adopt) would take it.
    pub(crate) fn is_free(&self, entity: NetEntity) -> bool {
        entity.slot() < MAX_ENTITIES && self.records.get(entity.slot()).is_none_or(|r| r.life == Life::Free)
    }

    fn is_reserved(&self, entity: NetEntity) -> bool {
        let record = self.records.get(entity.slot());
        record.is_some_and(|r| r.life == Life::Reserved && r.generation == entity.generation())
    }

    fn take_slot(&mut self) -> Option<NetEntity> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.records.len() >= MAX_ENTITIES => return None,
            None => {
                self.records.push(Record::free());
                self.records.len() as u32 - 1
            }
        };
        Some(NetEntity::new(slot, self.records.get(slot as usize)?.generation))
    }

    /// An entity that was given its id elsewhere. One that is on its way out comes back. `false` where the slot is taken or
    /// beyond all limits.
    pub(crate) fn adopt(&mut self, entity: NetEntity, kinds: &[u16]) -> bool {
        let slot = entity.slot();
        if slot >= MAX_ENTITIES {
            return false;
        }
        while self.records.len() <= slot {
            self.free.push(self.records.len() as u32);
            self.records.push(Record::free());
        }
        let Some(record) = self.records.get(slot).copied() else { return false };
        match record.life {
            Life::Free => self.free.retain(|free| *free as usize != slot),
            Life::Gone if record.generation == entity.generation() => {
                self.departed.retain(|departed| *departed as usize != slot);
            }
            _ => return false,
        }
        self.begin(entity, kinds);
        if let Some(new) = self.records.get_mut(slot) {
            new.holders = record.holders;
        }
        true
    }

    fn begin(&mut self, entity: NetEntity, kinds: &[u16]) {
        let (open, fields) = (self.epoch + 1, &self.fields);
        let shape = self.shapes.enter(kinds, |kind| fields_of(fields, kind));
        let cells = self.cells.allocate(self.shapes.get(shape).cells, open);
        if let Some(record) = self.records.get_mut(entity.slot()) {
            *record = Record {
                generation: entity.generation(),
                shape,
                cells,
                changed: open,
                shaped: open,
                life: Life::Alive,
                ..Record::free()
            };
        }
        self.alive += 1;
        self.touch(entity.slot());
    }

    /// `false` where it is gone already.
    pub(crate) fn despawn(&mut self, entity: NetEntity) -> bool {
        let Some(record) = self.get_mut(entity) else { return false };
        record.life = Life::Gone;
        let (shape, cells) = (record.shape, record.cells);
        (record.shape, record.cells) = (BARE, 0);
        self.cells.release(cells, self.shapes.get(shape).cells);
        self.shapes.leave(shape);
        self.references.remove(&(entity.slot() as u32));
        self.changed.remove(entity.slot());
        self.changed_by.iter_mut().for_each(|(_, changed)| {
            changed.remove(entity.slot());
        });
        self.departed.push(entity.slot() as u32);
        self.is_dirty = true;
        self.alive -= 1;
        true
    }

    /// Adds a component without a value yet, or takes one away.
    pub(crate) fn reshape(&mut self, entity: NetEntity, kind: u16, is_in: bool) {
        let Some(record) = self.get(entity).copied() else { return };
        let old = self.shapes.get(record.shape);
        if old.part(kind).is_some() == is_in {
            return;
        }
        let (old_len, mut kinds) = (old.cells, std::mem::take(&mut self.kinds));
        kinds.clear();
        kinds.extend(old.parts.iter().map(|part| part.kind).filter(|other| *other != kind));
        if is_in {
            kinds.insert(kinds.partition_point(|other| *other < kind), kind);
        }
        let (open, fields) = (self.epoch + 1, &self.fields);
        let shape = self.shapes.enter(&kinds, |kind| fields_of(fields, kind));
        let first = self.cells.allocate(self.shapes.get(shape).cells, open);
        for part in &self.shapes.get(record.shape).parts {
            if let Some(new) = self.shapes.get(shape).part(part.kind) {
                for field in 0..part.fields {
                    self.cells.relocate(record.cells + part.first + field, first + new.first + field);
                }
            }
        }
        self.cells.release(record.cells, old_len);
        self.shapes.leave(record.shape);
        self.kinds = kinds;
        if let Some(record) = self.get_mut(entity) {
            (record.shape, record.cells, record.shaped, record.all_changed) = (shape, first, open, 0);
        }
        self.touch(entity.slot());
    }

    /// Takes the value of a component in; whether any field of it is another than before. The component is added where
    /// the entity does not have it.
    pub(crate) fn write<C: Replicate>(
        &mut self,
        entity: NetEntity,
        kind: u16,
        value: &C,
    ) -> Result<bool, EncodeError> {
        let Some(mut record) = self.get(entity).copied() else { return Ok(false) };
        if record.mode == Mode::Paused || record.mode == Mode::Static && record.shaped <= self.epoch {
            return Ok(false);
        }
        if self.shapes.get(record.shape).part(kind).is_none() {
            self.reshape(entity, kind, true);
            let Some(reshaped) = self.get(entity) else { return Ok(false) };
            record = *reshaped;
        }
        let Some(part) = self.shapes.get(record.shape).part(kind).copied() else { return Ok(false) };
        let (open, first) = (self.epoch + 1, record.cells + part.first);
        let has_values = |cells: &Cells| cells.block(first, part.fields).iter().all(Cell::has_value);
        let was_sent = |cell: &Cell| !cell.is_newer(self.epoch);
        if C::IMMUTABLE && self.cells.block(first, part.fields).iter().any(was_sent) {
            return Ok(false);
        }
        let mut has_changed = false;
        let mut result = Ok(());
        for field in 0..part.fields {
            self.scratch.clear();
            match value.encode_field(field, &mut self.scratch) {
                Ok(()) => has_changed |= self.cells.store(first + field, &mut self.scratch, open),
                // The others go on; of this one the last value that could travel is kept.
                Err(error) => result = Err(error),
            }
        }
        if result.is_err() && !has_values(&self.cells) {
            // There is nothing to be seen of it yet; others have not heard of it, and will when all of it can travel.
            self.reshape(entity, kind, false);
            return result.map(|()| false);
        }
        if has_changed {
            self.sum_up(entity);
            self.touch(entity.slot());
        }
        if C::HAS_REFERENCES {
            self.note_references(entity, kind, value);
        }
        result.map(|()| has_changed)
    }

    /// Notes since when all fields of an entity have changed: most of those that move change all at once.
    fn sum_up(&mut self, entity: NetEntity) {
        let Some(record) = self.get(entity) else { return };
        let sum = self.cells_of(record).iter().try_fold((u32::MAX, 0), |(since, bits), cell| {
            cell.has_value().then(|| (since.min(cell.changed()), bits + cell.len() as u32))
        });
        if let Some(record) = self.get_mut(entity) {
            // The values of other components may still be to come.
            (record.all_changed, record.all_bits) = sum.unwrap_or_default();
        }
    }

    /// The entities that the components of the one in a slot refer to.
    pub(crate) fn references(&self, slot: usize) -> &[NetEntity] {
        self.references.get(&(slot as u32)).map_or(&[], |references| &references.targets)
    }

    fn note_references<C: Replicate>(&mut self, entity: NetEntity, kind: u16, value: &C) {
        let references = self.references.entry(entity.slot() as u32).or_default();
        // Of other components of the entity they are kept.
        let mut at = 0;
        references.kinds.retain(|of| {
            let is_other = *of != kind;
            if !is_other {
                references.targets.remove(at);
            }
            at += usize::from(is_other);
            is_other
        });
        value.references(&mut |target| {
            references.kinds.push(kind);
            references.targets.push(target);
        });
        let has_references = !references.targets.is_empty();
        if !has_references {
            self.references.remove(&(entity.slot() as u32));
        }
        if let Some(record) = self.get_mut(entity) {
            record.has_references = has_references;
        }
    }

    pub(crate) fn set_mode(&mut self, entity: NetEntity, mode: Mode) {
        if let Some(record) = self.get_mut(entity).filter(|record| record.mode != Mode::Static) {
            record.mode = mode;
        }
    }

    /// The open epoch counts, whether an entity changed in it or not: who sees what has.
    pub(crate) const fn mark_dirty(&mut self) {
        self.is_dirty = true;
    }

    /// What happened in the open epoch is complete: it becomes the newest. Gives whether anything happened.
    pub(crate) fn close_epoch(&mut self) -> bool {
        let happened = std::mem::take(&mut self.is_dirty);
        if happened {
            self.epoch += 1;
        }
        happened
    }

    /// What has changed in the epoch that was closed last, as far as it is news to a user; forgotten with
    /// [`forget_changes`](Self::forget_changes).
    pub(crate) fn changes_for(&self, user: usize) -> impl Iterator<Item = &BitSet> {
        let others = self.changed_by.iter().filter(move |(by, _)| *by != user).map(|(_, changed)| changed);
        std::iter::once(&self.changed).chain(others)
    }

    pub(crate) fn forget_changes(&mut self) {
        self.changed.clear();
        self.changed_by.iter_mut().for_each(|(_, changed)| changed.clear());
    }

    /// What is taken in from now on is a user's doing, or the program's own.
    pub(crate) const fn set_source(&mut self, user: Option<usize>) {
        self.source = user;
    }

    /// A user is gone, and nobody knows what it did.
    pub(crate) fn forget_source(&mut self, user: usize) {
        if let Some(at) = self.changed_by.iter().position(|(by, _)| *by == user) {
            let (_, changed) = self.changed_by.swap_remove(at);
            self.changed.join(&changed);
        }
    }

    /// The entities that have gone since the last call, oldest first.
    pub(crate) fn take_departed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.departed)
    }

    /// Gives the memory of [`take_departed`](Self::take_departed) back, after every peer has heard: slots that nobody has
    /// are free.
    pub(crate) fn departed_are_known(&mut self, mut departed: Vec<u32>) {
        for slot in departed.drain(..) {
            self.free_if_nobody_has_it(slot as usize);
        }
        if self.departed.is_empty() {
            self.departed = departed;
        }
    }

    /// A peer has it, or will.
    pub(crate) fn hold(&mut self, slot: usize) {
        if let Some(record) = self.records.get_mut(slot) {
            record.holders += 1;
        }
    }

    /// A peer does not have it any more, for certain.
    pub(crate) fn let_go(&mut self, slot: usize) {
        if let Some(record) = self.records.get_mut(slot) {
            record.holders = record.holders.saturating_sub(1);
        }
        if !self.departed.contains(&(slot as u32)) {
            self.free_if_nobody_has_it(slot);
        }
    }

    fn free_if_nobody_has_it(&mut self, slot: usize) {
        let Some(record) = self.records.get_mut(slot) else { return };
        if record.life == Life::Gone && record.holders == 0 {
            let generation = record.generation.wrapping_add(1);
            *record = Record { generation, ..Record::free() };
            self.free.push(slot as u32);
        }
    }

    pub(crate) const fn epoch(&self) -> u32 {
        self.epoch
    }

    pub(crate) const fn len(&self) -> usize {
        self.alive
    }

    pub(crate) fn is_alive(&self, entity: NetEntity) -> bool {
        self.get(entity).is_some()
    }

    pub(crate) fn get(&self, entity: NetEntity) -> Option<&Record> {
        let record = self.records.get(entity.slot())?;
        (record.life == Life::Alive && record.generation == entity.generation()).then_some(record)
    }

    pub(crate) fn get_mut(&mut self, entity: NetEntity) -> Option<&mut Record> {
        let record = self.records.get_mut(entity.slot())?;
        (record.life == Life::Alive && record.generation == entity.generation()).then_some(record)
    }

    /// The entity that has a slot now.
    pub(crate) fn at(&self, slot: usize) -> Option<NetEntity> {
        let record = self.records.get(slot).filter(|record| record.life == Life::Alive)?;
        Some(NetEntity::new(slot as u32, record.generation))
    }

    /// What has a slot now, alive.
    pub(crate) fn record(&self, slot: usize) -> Option<&Record> {
        self.records.get(slot).filter(|record| record.life == Life::Alive)
    }

    pub(crate) fn shape(&self, record: &Record) -> &Shape {
        self.shapes.get(record.shape)
    }

    pub(crate) fn cells_of(&self, record: &Record) -> &[Cell] {
        self.cells.block(record.cells, self.shapes.get(record.shape).cells)
    }

    /// The kinds of the components of an entity.
    pub(crate) fn kinds_of(&self, entity: NetEntity) -> impl Iterator<Item = u16> {
        let parts = self.get(entity).map(|record| self.shape(record).parts.iter());
        parts.into_iter().flatten().map(|part| part.kind)
    }

    pub(crate) fn is_paused(&self, entity: NetEntity) -> bool {
        self.get(entity).is_some_and(|record| record.mode == Mode::Paused)
    }

    /// Whether an entity has a component of a kind.
    pub(crate) fn has_kind(&self, entity: NetEntity, kind: u16) -> bool {
        self.get(entity).is_some_and(|record| self.shape(record).part(kind).is_some())
    }

    /// How many kinds there are.
    pub(crate) const fn kinds(&self) -> usize {
        self.fields.len()
    }

    fn touch(&mut self, slot: usize) {
        let open = self.epoch + 1;
        self.is_dirty = true;
        let Some(record) = self.records.get_mut(slot) else { return };
        record.changed = open;
        match self.source {
            None => {
                self.changed.insert(slot);
            }
            Some(user) => {
                let at = self.changed_by.iter().position(|(by, _)| *by == user).unwrap_or_else(|| {
                    self.changed_by.push((user, BitSet::new()));
                    self.changed_by.len() - 1
                });
                if let Some((_, changed)) = self.changed_by.get_mut(at) {
                    changed.insert(slot);
                }
            }
        }
    }

    /// As if all that happened had happened so many epochs earlier: before the count of epochs would wrap.
    pub(crate) fn rebase(&mut self, by: u32) {
        self.cells.rebase(by);
        for record in &mut self.records {
            record.changed = record.changed.saturating_sub(by).max(1);
            record.shaped = record.shaped.saturating_sub(by).max(1);
            record.all_changed = record.all_changed.saturating_sub(by);
        }
        self.epoch -= by;
    }

    /// As if so many epochs had passed.
    pub(crate) const fn start_at(&mut self, epoch: u32) {
        self.epoch = epoch;
    }
}

impl Record {
    const fn free() -> Self {
        Self {
            generation: 0,
            shape: BARE,
            cells: 0,
            changed: 1,
            shaped: 1,
            all_changed: 0,
            all_bits: 0,
            holders: 0,
            gain: 1.0,
            life: Life::Free,
            mode: Mode::Live,
            persists: false,
            is_lent: false,
            has_references: false,
        }
    }
}

fn fields_of(fields: &[u32], kind: u16) -> u32 {
    fields.get(usize::from(kind)).copied().unwrap_or(0)
}

/// How many fields a kind has.
struct Fields;

impl<P: Protocol> ItemVisitor<P> for Fields {
    type Output = u32;

    fn component<C: ComponentOf<P>>(self) -> u32 {
        C::FIELDS
    }

    fn resource<R: ResourceOf<P>>(self) -> u32 {
        R::FIELDS
    }
}

#[cfg(test)]
pub(crate) mod tests;
