//! Bits in and out: the codec under Bowline's messages, components and packets.
//!
//! * [`BitWriter`] and [`BitReader`] move bits in 64-bit words, least significant bit first.
//! * [`Wire`] says how a type becomes bits. It is derived (`#[derive(Wire)]`, or any derive that includes it).
//! * [`Schema`] is the constant description of a type's bits; a protocol's identity is a hash over it.
//!
//! Decoding is **checked** (every error is a [`DecodeError`], nothing panics), **canonical** (a value has one
//! encoding, any other is refused) and **bounded** (a decoder allocates at most [`ALLOCATION_FACTOR`] times
//! what it was given plus [`ALLOCATION_ALLOWANCE`] bytes).
//!
//! ```
//! use bowline_wire::{BitReader, BitWriter, Wire};
//!
//! let mut writer = BitWriter::new();
//! (7u8, Some(true)).encode(&mut writer)?;
//! assert_eq!(writer.bit_len(), 8 + 1 + 1);
//!
//! let bytes = writer.into_bytes();
//! let mut reader = BitReader::new(&bytes);
//! assert_eq!(<(u8, Option<bool>)>::decode(&mut reader)?, (7, Some(true)));
//! reader.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

extern crate alloc;
#[cfg(any(test, feature = "glam"))]
extern crate std;

mod codec;
#[doc(hidden)]
pub mod derive;
mod error;
#[cfg(feature = "glam")]
mod glam;
mod quantize;
mod reader;
mod schema;
mod wire;
mod writer;

pub use codec::{FixedBits, LengthLimited, RangedInt, decode_length, encode_length, length_bits};
pub use error::{DecodeError, EncodeError, EncodeErrorKind};
pub use quantize::{Quantize, Quantizer, RangeSpec};
pub use reader::{ALLOCATION_ALLOWANCE, ALLOCATION_FACTOR, BitReader};
pub use schema::{Field, Fingerprint, Schema, Variant};
pub use wire::{Wire, variant};
pub use writer::BitWriter;

/// How many bits tell `count` things apart: 0 for none or one, 1 for two, 2 for three or four, and so on.
///
/// ```
/// assert_eq!(bowline_wire::bits_for(1), 0);
/// assert_eq!(bowline_wire::bits_for(5), 3);
/// ```
#[must_use]
pub const fn bits_for(count: u64) -> u32 {
    match count.checked_sub(1) {
        None | Some(0) => 0,
        Some(highest) => u64::BITS.saturating_sub(highest.leading_zeros()),
    }
}
