//! What derived code calls, so that there is little of it. Not part of the public interface.

#![allow(missing_docs, reason = "hidden; named by generated code alone")]

use crate::{DecodeError, EncodeError};

/// Names the field that could not be written.
#[inline]
pub fn in_field(result: Result<(), EncodeError>, field: &'static str) -> Result<(), EncodeError> {
    result.map_err(|error| error.in_field(field))
}

/// The bits of fields that follow each other, at least.
#[must_use]
pub const fn sum(mut bits: &[usize]) -> usize {
    let mut sum = 0_usize;
    while let Some((first, rest)) = bits.split_first() {
        sum = sum.saturating_add(*first);
        bits = rest;
    }
    sum
}

/// The bits of a variant's number and of the shortest variant.
#[must_use]
pub const fn sum_of_variants(mut variants: &[usize]) -> usize {
    let number = crate::bits_for(variants.len() as u64) as usize;
    let mut least: Option<usize> = None;
    while let Some((first, rest)) = variants.split_first() {
        least = match least {
            Some(least) if least <= *first => Some(least),
            _ => Some(*first),
        };
        variants = rest;
    }
    match least {
        Some(least) => number.saturating_add(least),
        None => number,
    }
}

/// So many components of so many bits.
#[must_use]
pub const fn product(components: usize, bits: u32) -> usize {
    components.saturating_mul(bits as usize)
}

/// The `n` of `#[wire(bits = n)]`.
#[must_use]
#[expect(clippy::panic, reason = "evaluated at compile time, where a panic is the compile error")]
pub const fn checked_bits(bits: u32) -> u32 {
    if bits < 1 || bits > 64 {
        panic!("`bits` must be from 1 to 64");
    }
    bits
}

/// Reads no value: what stands in for code that was refused, and for enums without variants.
pub const fn nothing<T>() -> Result<T, DecodeError> {
    Err(DecodeError::UnknownVariant)
}
