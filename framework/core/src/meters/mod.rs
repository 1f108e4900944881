//! Figures over the recent past, in a few bytes and a few nanoseconds.

mod histogram;
mod meter;

pub(crate) use histogram::Histogram;
pub(crate) use meter::{Meter, SLICE};
