//! The steps, one file per concern.

pub(crate) mod book;
mod clippy;
mod deny;
mod docs;
mod features;
mod format;
pub(crate) mod testing;
mod wasm;

use crate::runner::Step;

/// Everything, the quickest verdicts first and the tests last, where their lines stay in sight.
pub(crate) const TEST: &[Step] = &[
    format::FORMAT,
    clippy::CLIPPY,
    docs::DOCS,
    features::FEATURES,
    deny::DENY,
    book::BOOK,
    wasm::WASM,
    testing::RELEASE,
    testing::TESTS,
];

/// What is worth running every few minutes.
pub(crate) const QUICK: &[Step] = &[format::FORMAT, clippy::CLIPPY, testing::SHORT_TESTS];
