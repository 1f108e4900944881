//! The codec: messages and components from bits.

use allocation_counter::measure;
use bowline::{BitReader, BitWriter, DecodeError, EncodeError, FieldMask, NetEntity, Replicate, Wire};

use crate::protocol::{
    Diary, Frozen, Login, Name, Order, Orders, Place, Steer, Sundry, Target, Weather, Words, orders, sundry,
};

/// The first byte says which type, the others are to be one.
pub(crate) fn messages(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 6 {
        0 => wire::<Sundry>(bytes),
        1 => wire::<Orders>(bytes),
        2 => wire::<Words>(bytes),
        3 => wire::<Steer>(bytes),
        4 => wire::<Login>(bytes),
        _ => wire::<Order>(bytes),
    }
}

pub(crate) fn message_seeds() -> Vec<Vec<u8>> {
    let login = Login { name: "ann".to_owned(), token: Some([1; 8]) };
    vec![
        seed(0, |writer| sundry().encode(writer)),
        seed(1, |writer| orders().encode(writer)),
        seed(2, |writer| Words("ahoy".repeat(50)).encode(writer)),
        seed(3, |writer| Steer { turn: -0.5 }.encode(writer)),
        seed(4, |writer| login.encode(writer)),
        seed(5, |writer| orders().all[2].encode(writer)),
    ]
}

pub(crate) fn components(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 6 {
        0 => replicate::<Place>(bytes),
        1 => replicate::<Diary>(bytes),
        2 => replicate::<Target>(bytes),
        3 => replicate::<Frozen>(bytes),
        4 => replicate::<Name>(bytes),
        _ => replicate::<Weather>(bytes),
    }
}

pub(crate) fn component_seeds() -> Vec<Vec<u8>> {
    let entity = NetEntity::new(70_000, 3);
    let all = |component: &dyn Fn(&mut BitWriter) -> Result<(), EncodeError>, which| seed(which, component);
    vec![
        all(&|writer| whole(&Place { x: 1.5, y: -2.0, facing: Some(-1) }, writer), 0),
        all(&|writer| whole(&Diary { text: "day one".repeat(9), orders: orders().all }, writer), 1),
        all(&|writer| whole(&Target { at: entity, beside: Some(entity) }, writer), 2),
        all(&|writer| whole(&Frozen, writer), 3),
        all(&|writer| whole(&Name("Ann".to_owned()), writer), 4),
        all(&|writer| whole(&Weather { rain: 3, where_: vec![entity; 4] }, writer), 5),
    ]
}

fn whole<C: Replicate>(component: &C, writer: &mut BitWriter) -> Result<(), EncodeError> {
    component.encode_fields(FieldMask::all(C::FIELDS), writer)
}

fn seed(which: u8, encode: impl Fn(&mut BitWriter) -> Result<(), EncodeError>) -> Vec<u8> {
    let mut writer = BitWriter::new();
    encode(&mut writer).expect("it is within its limits");
    [vec![which], writer.into_bytes()].concat()
}

fn wire<T: Wire>(bytes: &[u8]) {
    round_trip(bytes, T::decode, T::encode);
}

fn replicate<C: Replicate>(bytes: &[u8]) {
    round_trip(bytes, C::decode_new, whole::<C>);
}

/// What decodes has one form, the one that it came in; and what it takes to find out is bounded.
fn round_trip<T>(
    bytes: &[u8],
    decode: impl Fn(&mut BitReader<'_>) -> Result<T, DecodeError>,
    encode: impl Fn(&T, &mut BitWriter) -> Result<(), EncodeError>,
) {
    let mut value = None;
    let mut used = 0;
    let seen = measure(|| {
        let mut reader = BitReader::new(bytes);
        value = decode(&mut reader).ok();
        used = bytes.len() * 8 - reader.remaining_bits();
    });
    assert!(seen.bytes_max <= 64 * bytes.len() as u64 + (4 << 10), "{seen:?} for {} bytes", bytes.len());
    let Some(value) = value else { return };
    let mut writer = BitWriter::new();
    encode(&value, &mut writer).expect("what was decoded is within its limits");
    assert_eq!(writer.bit_len(), used, "it has another length when it is written again");
    let mut first = BitReader::new(bytes);
    let mut second = BitReader::new(writer.finish());
    for bit in 0..used {
        assert_eq!(first.read_bits(1), second.read_bits(1), "bit {bit} is another when it is written again");
    }
}
