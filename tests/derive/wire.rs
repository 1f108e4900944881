//! `Wire`, `Message`, `Request`.

use std::collections::{BTreeMap, HashMap};

use bowline::prelude::*;
use bowline::{BitReader, BitWriter, DecodeError, EncodeError, EncodeErrorKind, Schema};
use proptest::prelude::*;

use crate::{comes_back, decoded, encoded, refused_or_canonical};

const LIMIT: usize = 5;
const TOP: u8 = 10;
const SPEED: f32 = 2.0;

#[derive(Wire, Clone, Debug, PartialEq)]
struct Everything {
    plain: u16,
    #[wire(range = -SPEED..=SPEED, step = 0.5)]
    quantized: [f32; 2],
    #[wire(step = 1, range = 0..=100)]
    whole: Option<f64>,
    #[wire(range = 1..=TOP)]
    ranged: u8,
    #[wire(range = -1..=1)]
    sign: Option<i64>,
    #[wire(bits = 3)]
    bits: i32,
    #[wire(max_len = LIMIT * 2)]
    text: String,
    #[wire(max_len = LIMIT)]
    map: Option<BTreeMap<u8, bool>>,
    #[wire(with = "foreign")]
    foreign: HashMap<u8, u8>,
}

/// `#[wire(with = ..)]` for a type that does not travel by itself: sorted, so that it has one encoding.
mod foreign {
    use super::*;

    pub(super) const SCHEMA: Schema = Schema::Custom { name: "sorted hash map", version: 1 };
    pub(super) const MIN_BITS: usize = BTreeMap::<u8, u8>::MIN_BITS;

    pub(super) fn encode(map: &HashMap<u8, u8>, writer: &mut BitWriter) -> Result<(), EncodeError> {
        map.iter().map(|(key, value)| (*key, *value)).collect::<BTreeMap<_, _>>().encode(writer)
    }

    pub(super) fn decode(reader: &mut BitReader<'_>) -> Result<HashMap<u8, u8>, DecodeError> {
        Ok(BTreeMap::decode(reader)?.into_iter().collect())
    }
}

fn everything() -> Everything {
    Everything {
        plain: 7,
        quantized: [-2.0, 1.5],
        whole: Some(33.0),
        ranged: 10,
        sign: Some(-1),
        bits: -4,
        text: "ten bytes!".into(),
        map: Some(BTreeMap::from([(1, true)])),
        foreign: HashMap::from([(9, 1), (2, 7)]),
    }
}

#[derive(Wire, Clone, Debug, PartialEq)]
enum Shape {
    Point,
    Circle(#[wire(range = 0.0..=1.0, step = 0.1)] f32),
    Named { name: String, r#type: u8 },
    Never,
}

#[derive(Wire, Clone, Copy, Debug, PartialEq)]
struct Pair(u8, #[wire(bits = 4)] u8);

#[derive(Wire, Clone, Copy, Debug, PartialEq)]
struct Nothing;

#[derive(Wire, Clone, Copy, Debug, PartialEq)]
struct Hollow {}

#[derive(Wire, Clone, Copy, Debug, PartialEq)]
enum Only {
    One(bool),
}

#[derive(Wire, Clone, Copy, Debug, PartialEq)]
enum Impossible {}

#[derive(Message, Clone, Debug, PartialEq)]
struct Boxed<T> {
    inner: Box<T>,
}

#[derive(Wire, Clone, Debug, PartialEq)]
struct Grid<T, const N: usize>
where
    T: Copy,
{
    #[wire(max_len = N)]
    cells: Vec<T>,
    corners: [T; N],
}

#[derive(Wire, Clone, Debug, PartialEq)]
struct Measured<T> {
    #[wire(range = 0.0..=1.0, step = 0.25)]
    value: Option<T>,
}

#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Result2<u8, Option<String>>)]
struct Join {
    #[wire(max_len = 16)]
    name: String,
}

#[derive(Wire, Clone, Debug, PartialEq)]
enum Result2<T, E> {
    Yes(T),
    No(E),
}

#[test]
fn structs_come_back_in_the_bits_their_attributes_say() {
    let quantized = 2 * 4;
    let whole = 1 + 7;
    let text = 4 + 10 * 8;
    let map = 1 + 3 + 9;
    let foreign = 8 + 2 * 16;
    assert_eq!(comes_back(&everything()), 16 + quantized + whole + 4 + (1 + 2) + 3 + text + map + foreign);
    let optional = 1 + 1 + 1;
    assert_eq!(
        Everything::MIN_BITS,
        16 + quantized + 4 + 3 + 4 + 8,
        "options count from nothing: {optional} less"
    );
    assert_eq!(comes_back(&Pair(255, 15)), 12);
    assert_eq!(comes_back(&Nothing), 0);
    assert_eq!(comes_back(&Hollow {}), 0);
}

#[test]
fn enums_come_back_behind_the_number_of_their_variant() {
    assert_eq!(comes_back(&Shape::Point), 2);
    assert_eq!(comes_back(&Shape::Circle(0.5)), 2 + 4);
    assert_eq!(comes_back(&Shape::Named { name: "x".into(), r#type: 3 }), 2 + 16 + 8);
    assert_eq!(comes_back(&Shape::Never), 2);
    assert_eq!(Shape::MIN_BITS, 2);
    assert_eq!(comes_back(&Only::One(true)), 1);
    assert_eq!(Only::MIN_BITS, 1);
    assert_eq!(decoded::<Impossible>(&[]), Err(DecodeError::UnknownVariant));
    assert_eq!(decoded::<Result2<u8, u8>>(&[]), Err(DecodeError::Truncated));
}

#[test]
fn a_number_without_variant_is_refused() {
    #[derive(Wire, Debug, PartialEq)]
    enum Three {
        A,
        B,
        C,
    }
    assert_eq!(decoded::<Three>(&[2]), Ok(Three::C));
    assert_eq!(decoded::<Three>(&[3]), Err(DecodeError::UnknownVariant));
    assert_eq!([Three::A, Three::B].map(|three| comes_back(&three)), [2, 2]);
}

#[test]
fn generic_types_ask_of_their_fields_what_those_need() {
    assert_eq!(comes_back(&Boxed { inner: Box::new(3_u8) }), 8);
    assert_eq!(comes_back(&Grid { cells: vec![true], corners: [false; 3] }), 2 + 1 + 3);
    assert_eq!(comes_back(&Measured { value: Some(0.75_f64) }), 1 + 3);
    assert_eq!(comes_back(&Result2::<u8, Option<String>>::No(None)), 2);
    assert_eq!(<Boxed<u8> as Message>::NAME, "Boxed");
    assert_eq!(Boxed::<u8>::SCHEMA.to_string(), "Boxed{inner: u8}");
}

#[test]
fn schemas_say_what_travels() {
    assert_eq!(
        Everything::SCHEMA.to_string(),
        "Everything{plain: u16, quantized: [f32; 2] in -2..=2 by 0.5, whole: f64? in 0..=100 by 1, \
         ranged: u8 in 1..=10, sign: i64? in -1..=1, bits: i32 in 3 bits, text: string up to 10, \
         map: map[u8 => bool]? up to 5, foreign: sorted hash map v1}"
    );
    assert_eq!(
        Shape::SCHEMA.to_string(),
        "Shape<Point | Circle{0: f32 in 0..=1 by 0.1} | Named{name: string, type: u8} | Never>"
    );
    assert_eq!(Pair::SCHEMA.to_string(), "Pair{0: u8, 1: u8 in 4 bits}");
    assert_eq!(Nothing::SCHEMA, Schema::Struct("Nothing", &[]));
    assert_eq!(Impossible::SCHEMA, Schema::Enum("Impossible", &[]));
    assert_eq!(<Join as Request>::Response::SCHEMA.to_string(), "Result2<Yes{0: u8} | No{0: string?}>");
    assert_eq!(<Join as Request>::NAME, "Join");
    assert_eq!(comes_back(&Join { name: "me".into() }), 5 + 16);
}

#[test]
fn an_encode_error_names_the_innermost_field() {
    #[derive(Wire)]
    struct Outer {
        inner: Option<Box<Join>>,
    }
    let name = "x".repeat(17);
    let error = encoded(&Outer { inner: Some(Box::new(Join { name })) }).unwrap_err();
    assert_eq!(error.field(), Some("Join.name"));
    assert_eq!(error.kind(), EncodeErrorKind::TooLong { len: 17, max_len: 16 });

    let error = encoded(&Shape::Circle(f32::NAN)).unwrap_err();
    assert_eq!(error.field(), Some("Shape::Circle.0"));
    let error = encoded(&Everything { ranged: 0, ..everything() }).unwrap_err();
    assert_eq!(error.to_string(), "`Everything.ranged`: 0 is outside 1..=10; clamp it or widen the range");
    assert_eq!(encoded(&Pair(0, 16)).unwrap_err().field(), Some("Pair.1"));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..48)) {
        refused_or_canonical::<Everything>(&bytes);
        refused_or_canonical::<Shape>(&bytes);
        refused_or_canonical::<Vec<Pair>>(&bytes);
        refused_or_canonical::<Vec<Nothing>>(&bytes);
        refused_or_canonical::<Vec<Impossible>>(&bytes);
        refused_or_canonical::<Grid<u16, 7>>(&bytes);
        refused_or_canonical::<Measured<f32>>(&bytes);
        refused_or_canonical::<Result2<Only, Join>>(&bytes);
    }

    #[test]
    fn any_value_comes_back(plain: u16, ranged in 1_u8..=10, bits in -4..4, sign in -1_i64..=1) {
        comes_back(&Everything { plain, ranged, bits, sign: Some(sign), ..everything() });
    }
}
