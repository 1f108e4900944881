//! What `#[derive(Protocol)]` calls. Not part of the public interface.

#![allow(missing_docs, reason = "hidden; named by generated code alone")]

/// The `tick_rate` of `#[protocol(..)]`.
#[must_use]
#[expect(clippy::panic, reason = "evaluated at compile time, where a panic is the compile error")]
pub const fn tick_rate(ticks_per_second: u16) -> u16 {
    if ticks_per_second < 1 || ticks_per_second > 1000 {
        panic!("`tick_rate` is the number of ticks per second, from 1 to 1000");
    }
    ticks_per_second
}
