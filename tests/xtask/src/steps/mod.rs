//! The steps, one file per concern.

pub(crate) mod book;
mod browser;
mod clippy;
mod deny;
mod docs;
mod features;
mod format;
pub(crate) mod fuzz;
pub(crate) mod testing;
mod wasm;
pub(crate) mod web;

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
    web::WEB,
    testing::RELEASE,
    testing::TESTS,
    browser::BROWSER,
];

/// What is worth running every few minutes.
pub(crate) const QUICK: &[Step] = &[format::FORMAT, clippy::CLIPPY, testing::SHORT_TESTS];
