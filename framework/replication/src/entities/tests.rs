use bowline_core::{BitReader, DecodeError, Schema, Wire};

use super::*;

/// A component of two numbers, that refers to the entity whose slot is the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Two(pub(crate) u8, pub(crate) u8);

impl Replicate for Two {
    const NAME: &'static str = "Two";
    const SCHEMA: Schema = Schema::Unit;
    const FIELDS: u32 = 2;
    const HAS_REFERENCES: bool = true;

    fn encode_field(&self, index: u32, writer: &mut BitWriter) -> Result<(), EncodeError> {
        if index == 0 { self.0.encode(writer) } else { self.1.encode(writer) }
    }

    fn decode_field(&mut self, index: u32, reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
        *if index == 0 { &mut self.0 } else { &mut self.1 } = u8::decode(reader)?;
        Ok(())
    }

    fn skip_field(_: u32, reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
        u8::decode(reader).map(|_| ())
    }

    fn decode_new(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(u8::decode(reader)?, u8::decode(reader)?))
    }

    fn references(&self, visit: &mut dyn FnMut(NetEntity)) {
        visit(NetEntity::new(self.0.into(), 0));
    }
}

/// One that never changes.
struct Fixed(u8);

impl Replicate for Fixed {
    const NAME: &'static str = "Fixed";
    const SCHEMA: Schema = Schema::Unit;
    const FIELDS: u32 = 1;
    const IMMUTABLE: bool = true;

    fn encode_field(&self, _: u32, writer: &mut BitWriter) -> Result<(), EncodeError> {
        self.0.encode(writer)
    }

    fn decode_field(&mut self, _: u32, _: &mut BitReader<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn skip_field(_: u32, _: &mut BitReader<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn decode_new(_: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(0))
    }
}

/// Kinds with so many fields.
pub(crate) fn entities(fields: &[u32]) -> Entities {
    Entities::with_fields(fields.to_vec())
}

#[test]
fn a_slot_is_free_when_nobody_has_it_and_all_have_heard() {
    let mut entities = entities(&[2]);
    let entity = entities.spawn(&[]).unwrap();
    entities.hold(entity.slot());
    entities.hold(entity.slot());
    assert!(entities.despawn(entity));
    entities.let_go(entity.slot());
    entities.let_go(entity.slot());
    let other = entities.spawn(&[]).unwrap();
    assert_ne!(other.slot(), entity.slot(), "not all have heard that the first is gone");
    let departed = entities.take_departed();
    entities.departed_are_known(departed);
    assert_eq!(entities.spawn(&[]), Some(NetEntity::new(entity.slot() as u32, 1)));

    entities.hold(other.slot());
    assert!(entities.despawn(other));
    let departed = entities.take_departed();
    entities.departed_are_known(departed);
    assert!(!entities.is_free(other), "somebody has it");
    entities.let_go(other.slot());
    assert!(entities.is_free(other));
}

#[test]
fn what_comes_back_on_its_way_out_is_as_held_as_before_and_does_not_depart() {
    let mut entities = entities(&[2]);
    let entity = NetEntity::new(3, 5);
    assert!(entities.adopt(entity, &[]));
    entities.hold(3);
    assert!(entities.despawn(entity) && !entities.adopt(NetEntity::new(3, 6), &[]));
    assert!(entities.adopt(entity, &[]) && entities.is_alive(entity));
    assert!(entities.take_departed().is_empty());
    assert!(entities.despawn(entity));
    let departed = entities.take_departed();
    entities.departed_are_known(departed);
    assert!(!entities.is_free(entity), "who had it before has it still");
    entities.let_go(3);
    assert!(entities.is_free(entity));
}

#[test]
fn what_a_user_has_changed_is_news_to_all_others() {
    let mut entities = entities(&[2]);
    let [one, other] = [0, 1].map(|_| entities.spawn(&[]).unwrap());
    entities.forget_changes();
    entities.set_source(Some(7));
    for entity in [one, other] {
        entities.write(entity, 0, &Two(1, 2)).unwrap();
    }
    entities.set_source(None);
    let is_news = |entities: &Entities, user, entity: NetEntity| {
        entities.changes_for(user).any(|changes| changes.contains(entity.slot()))
    };
    assert!(is_news(&entities, 3, one) && !is_news(&entities, 7, one));
    entities.despawn(other);
    assert!(!is_news(&entities, 3, other), "it is gone");
    // The user is gone, and another has its place.
    entities.forget_source(7);
    assert!(is_news(&entities, 3, one) && is_news(&entities, 7, one));
}

#[test]
fn since_when_all_has_changed_is_told_until_the_components_are_others() {
    let mut entities = entities(&[2, 1]);
    let entity = entities.spawn(&[0]).unwrap();
    let all_changed = |entities: &Entities| entities.get(entity).unwrap().all_changed;
    assert!(entities.write(entity, 0, &Two(1, 2)).unwrap());
    assert_eq!(all_changed(&entities), 2);
    entities.close_epoch();
    assert!(entities.write(entity, 0, &Two(1, 3)).unwrap());
    assert_eq!(all_changed(&entities), 2, "one field of two");
    entities.close_epoch();
    entities.reshape(entity, 1, true);
    assert_eq!(all_changed(&entities), 0, "the value is still to come");
}

#[test]
fn counting_back_keeps_what_is_newer_than_what() {
    let mut entities = entities(&[2]);
    entities.start_at(1_000);
    let [old, new] = [0, 1].map(|_| entities.spawn(&[0]).unwrap());
    entities.write(old, 0, &Two(1, 2)).unwrap();
    entities.close_epoch();
    entities.write(new, 0, &Two(1, 2)).unwrap();
    entities.close_epoch();
    entities.rebase(900);
    let times = |entity| {
        let record = entities.get(entity).unwrap();
        let cells = entities.cells_of(record).iter().map(Cell::changed).collect::<Vec<_>>();
        (record.changed, record.shaped, record.all_changed, cells)
    };
    assert_eq!(entities.epoch(), 102);
    assert_eq!((times(old), times(new)), ((101, 101, 101, vec![101; 2]), (102, 101, 102, vec![102; 2])));
}

#[test]
fn what_is_immutable_stays_as_it_was_sent() {
    let mut entities = entities(&[1]);
    let entity = entities.spawn(&[0]).unwrap();
    assert!(entities.write(entity, 0, &Fixed(1)).unwrap());
    assert!(entities.write(entity, 0, &Fixed(2)).unwrap(), "nobody has seen the first");
    entities.close_epoch();
    assert!(!entities.write(entity, 0, &Fixed(3)).unwrap());
}

#[test]
fn references_are_those_of_the_newest_value_of_each_component() {
    let mut entities = entities(&[2, 2]);
    let entity = entities.spawn(&[]).unwrap();
    for (kind, at) in [(0, 1), (1, 2), (0, 3)] {
        entities.write(entity, kind, &Two(at, 0)).unwrap();
    }
    assert_eq!(entities.references(entity.slot()), [NetEntity::new(2, 0), NetEntity::new(3, 0)]);
}
