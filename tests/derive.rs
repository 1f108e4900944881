//! What the derives make: round trips, schemas, identities, and code that compiles in awkward places.

use std::fmt::Debug;

use bowline::{BitReader, BitWriter, DecodeError, EncodeError, Wire};

#[path = "derive/entities.rs"]
mod entities;
#[path = "derive/identity.rs"]
mod identity;
#[path = "derive/long.rs"]
mod long;
#[path = "derive/places.rs"]
mod places;
#[path = "derive/protocol.rs"]
mod protocol;
#[path = "derive/replicate.rs"]
mod replicate;
#[path = "derive/wire.rs"]
mod wire;

/// How many bits the value takes, and its bytes.
fn encoded<T: Wire>(value: &T) -> Result<(usize, Vec<u8>), EncodeError> {
    let mut writer = BitWriter::new();
    value.encode(&mut writer)?;
    let bits = writer.bit_len();
    assert!(bits >= T::MIN_BITS, "{bits} bits, but MIN_BITS is {}", T::MIN_BITS);
    Ok((bits, writer.into_bytes()))
}

fn decoded<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = BitReader::new(bytes);
    let value = T::decode(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Asserts that the value comes back, and gives its bits.
fn comes_back<T: Wire + Debug + PartialEq>(value: &T) -> usize {
    let (bits, bytes) = encoded(value).expect("the value is within its limits");
    assert_eq!(decoded::<T>(&bytes).as_ref(), Ok(value));
    bits
}

/// Whatever the bytes are, the decoder says no or gives the value whose one encoding they are.
fn refused_or_canonical<T: Wire + Debug>(bytes: &[u8]) {
    if let Ok(value) = decoded::<T>(bytes) {
        assert_eq!(encoded(&value).expect("it was decoded").1, bytes, "{value:?} has another encoding");
    }
}
