//! The rules of the house, each a test, each named in `ARCHITECTURE.md`.
//!
//! * `arrows`: which crate may depend on which, over `cargo metadata`.
//! * `sources`: what a crate's code may name, over its tokens.
//! * `house`: files, manifests and documents.
//!
//! `planted` breaks the rules on purpose and watches the checks notice.

mod arrows;
mod house;
mod planted;
mod sources;
mod tokens;
mod workspace;
