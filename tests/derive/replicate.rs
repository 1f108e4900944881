//! `Replicate`.

use bowline::prelude::*;
use bowline::{BitReader, BitWriter, DecodeError, FieldMask};
use proptest::prelude::*;

use crate::{comes_back, decoded, encoded};

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Body {
    #[wire(range = -10.0..=10.0, step = 0.1)]
    x: f32,
    #[replicate(skip)]
    cache: Option<Vec<u8>>,
    #[wire(max_len = 8)]
    name: String,
    alive: bool,
}

#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(atomic)]
struct Whole {
    a: u8,
    #[replicate(skip)]
    local: u32,
    b: bool,
}

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Apart {
    a: u8,
    b: bool,
}

#[derive(Replicate, Clone, Debug, Default, PartialEq)]
struct Health(#[wire(range = 0..=100)] u8, bool);

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
struct Frozen;

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Slot<T, L>(Option<T>, #[replicate(skip)] L);

fn body() -> Body {
    Body { x: 2.5, cache: Some(vec![1]), name: "bob".into(), alive: true }
}

/// The bits of some fields, as bytes.
fn fields_of<T: Replicate>(value: &T, mask: FieldMask) -> Vec<u8> {
    let mut writer = BitWriter::new();
    value.encode_fields(mask, &mut writer).expect("within the limits");
    writer.into_bytes()
}

#[test]
fn fields_travel_one_by_one() {
    assert_eq!(Body::FIELDS, 3, "`cache` does not travel");
    for field in 0..Body::FIELDS {
        let mask = FieldMask::EMPTY.with(field);
        let mut other = Body { x: 0.0, cache: None, name: String::new(), alive: false };
        other.decode_fields(mask, &mut BitReader::new(&fields_of(&body(), mask))).unwrap();
        assert_eq!((other.x == 2.5, other.name == "bob", other.alive), (field == 0, field == 1, field == 2));
        assert_eq!(other.cache, None);
    }
}

#[test]
fn a_new_value_has_all_fields_and_defaults() {
    let bytes = fields_of(&body(), FieldMask::all(Body::FIELDS));
    let new = Body::decode_new(&mut BitReader::new(&bytes)).unwrap();
    assert_eq!(new, Body { cache: None, ..body() });
    assert_eq!(encoded(&body()).unwrap().1, bytes, "`Wire` and all fields are the same bits");
    assert_eq!(decoded::<Body>(&bytes), Ok(new));
    assert_eq!(<Body as Replicate>::SCHEMA, <Body as Wire>::SCHEMA);
    assert_eq!(Body::MIN_BITS, 8 + 4 + 1);
    assert_eq!(
        <Body as Replicate>::SCHEMA.to_string(),
        "Body{x: f32 in -10..=10 by 0.1, name: string up to 8, alive: bool}"
    );
}

#[test]
fn a_field_that_is_refused_changes_nothing() {
    let mut health = Health(40, true);
    assert_eq!(health.decode_field(0, &mut BitReader::new(&[127])), Err(DecodeError::OutOfRange));
    assert_eq!(health.decode_field(2, &mut BitReader::new(&[0])), Err(DecodeError::UnknownVariant));
    assert_eq!(health, Health(40, true));
    let mut whole = Whole { a: 1, local: 2, b: true };
    assert_eq!(whole.decode_field(0, &mut BitReader::new(&[9])), Err(DecodeError::Truncated));
    assert_eq!(whole, Whole { a: 1, local: 2, b: true });
    assert_eq!(
        Health(101, false).encode_field(0, &mut BitWriter::new()).unwrap_err().field(),
        Some("Health.0")
    );
}

#[test]
fn an_atomic_value_is_one_field() {
    assert_eq!(Whole::FIELDS, 1);
    let bytes = fields_of(&Whole { a: 7, local: 9, b: true }, FieldMask::all(1));
    let mut other = Whole { a: 0, local: 5, b: false };
    other.decode_fields(FieldMask::all(1), &mut BitReader::new(&bytes)).unwrap();
    assert_eq!(other, Whole { a: 7, local: 5, b: true }, "what does not travel stays");
    assert_ne!(
        <Whole as Replicate>::SCHEMA,
        <Whole as Wire>::SCHEMA,
        "a peer that sends field by field is no match"
    );
    assert_eq!(<Apart as Replicate>::SCHEMA, <Apart as Wire>::SCHEMA);
    assert_eq!(Apart::FIELDS, 2);
    comes_back(&Apart { a: 3, b: true });
}

#[test]
fn tuples_units_and_generics_replicate_too() {
    assert_eq!(comes_back(&Health(100, false)), 8);
    assert_eq!((Frozen::FIELDS, comes_back(&Frozen)), (0, 0));
    assert_eq!(comes_back(&Slot::<u8, ()>(Some(1), ())), 9);
    assert_eq!((Slot::<u8, ()>::FIELDS, <Slot<u8, ()> as Replicate>::NAME), (1, "Slot"));
}

proptest! {
    #[test]
    fn any_bytes_for_any_field_do_no_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..24),
        index in 0_u32..70,
    ) {
        let mut body = body();
        if body.decode_field(index, &mut BitReader::new(&bytes)).is_err() {
            prop_assert_eq!(body, self::body());
        }
        let _ = Whole { a: 0, local: 0, b: false }.decode_field(index, &mut BitReader::new(&bytes));
        let _ = Slot::<Vec<String>, u8>::decode_new(&mut BitReader::new(&bytes));
    }
}
