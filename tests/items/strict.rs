//! Derived code under the strictest lints that a user may have: it warns about nothing.

#![deny(warnings)]
#![deny(
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    deprecated,
    non_local_definitions,
    unused_qualifications,
    unused_results,
    unused_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences,
    single_use_lifetimes,
    rust_2018_idioms,
    private_bounds,
    private_interfaces,
    unnameable_types
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::missing_inline_in_public_items,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::shadow_reuse,
    clippy::shadow_unrelated
)]
#![expect(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "the user's own, not the derive's")]

use net::prelude::*;

/// A bound of the user's.
const LOW: f32 = -1.0;

/// A weight of the user's.
const WEIGHT: u16 = 9;

/// Private, and part of a public type.
#[derive(Wire, Debug, Clone, Copy)]
#[wire(crate = "net")]
struct Private<T>(T);

/// Fields of every kind.
#[derive(Wire, Debug, Clone)]
#[wire(crate = "net")]
pub struct Everything<T> {
    /// Quantized.
    #[wire(range = LOW..=1.0, step = 0.1)]
    pub quantized: f32,
    /// Quantized.
    #[wire(range = 0..=1, step = 1)]
    pub whole: f64,
    /// Ranged.
    #[wire(range = 0_u8..=10)]
    pub ranged: u8,
    /// Ranged.
    #[wire(range = 0_i128..=10)]
    pub wide: u64,
    /// Bits.
    #[wire(bits = 3)]
    pub bits: u8,
    /// Limited.
    #[wire(max_len = 10)]
    pub limited: String,
    /// Deprecated.
    #[deprecated]
    pub old: u8,
    /// Unused.
    _unused: u8,
    /// Of a private type.
    private: Private<T>,
}

/// Variants of every kind.
#[derive(Message, Debug, Clone, Copy)]
#[wire(crate = "net")]
pub enum Variants {
    /// Unit.
    Unit,
    /// Tuple.
    Tuple(u8, #[wire(range = 0..=1)] u8),
    /// Named.
    Named {
        /// A field.
        field: u8,
    },
    /// Deprecated.
    #[deprecated]
    Old,
}

/// Much larger than the others.
#[derive(Message, Debug, Clone, Copy)]
#[wire(crate = "net")]
pub struct VariantsLarge {
    /// Large.
    pub large: [u64; 64],
}

/// A request.
#[derive(Request, Debug, Clone, Copy)]
#[wire(crate = "net")]
#[request(response = ())]
pub struct VariantsRequest;

/// Deprecated as a whole.
#[deprecated]
#[derive(Message, Debug, Clone, Copy)]
#[wire(crate = "net")]
pub struct VariantsMessage {
    /// A field.
    pub field: u8,
}

/// A component.
#[derive(Replicate, Debug, Clone)]
#[wire(crate = "net")]
pub struct Component {
    /// Limited.
    #[wire(max_len = 10)]
    pub limited: String,
    /// Deprecated.
    #[deprecated]
    pub old: u8,
    /// Skipped.
    #[replicate(skip)]
    pub local: u8,
}

/// A component that is one field.
#[derive(Replicate, Debug, Clone, Copy)]
#[wire(crate = "net")]
#[replicate(atomic)]
pub struct ComponentAtomic {
    /// Deprecated.
    #[deprecated]
    pub old: u8,
    /// A field.
    pub new: u8,
}

/// A marker.
#[derive(Replicate, Debug, Clone, Copy)]
#[wire(crate = "net")]
pub struct ComponentMarker;

/// A component that never changes and refers to entities.
#[derive(Replicate, Debug, Clone)]
#[wire(crate = "net")]
#[replicate(immutable)]
pub struct ComponentReferences<T> {
    /// Deprecated.
    #[deprecated]
    pub old: NetEntity,
    /// A field.
    #[replicate(entities)]
    pub new: Option<T>,
}

/// Deprecated, and still on some clients.
#[deprecated]
#[derive(Replicate, Debug, Clone, Copy)]
#[wire(crate = "net")]
pub struct ComponentOld(pub NetEntity);

/// A channel.
#[derive(Channel, Debug, Clone, Copy)]
#[channel(ordered_reliable, bidirectional, crate = "net")]
pub struct Talk;

/// A protocol.
#[derive(Protocol, Debug, Clone, Copy)]
#[protocol(
    crate = "net",
    tick_rate = 20,
    auth = Everything<u8>,
    channels(Talk),
    messages(Variants, VariantsMessage, VariantsLarge),
    requests(VariantsRequest),
    components(Component, ComponentAtomic, ComponentMarker, ComponentReferences<NetEntity>, ComponentOld),
    resources(Component, ComponentOld),
    entity_weight = WEIGHT
)]
pub struct Arena;

/// A protocol without anything.
#[derive(Protocol, Debug, Clone, Copy)]
#[protocol(crate = "net", tick_rate = 20, derive(Clone, Copy, PartialEq, Eq, Hash))]
pub struct Nothing;

/// Private, and named alone.
mod quiet {
    use net::prelude::*;

    #[derive(Protocol)]
    #[protocol(
        crate = "net",
        tick_rate = 20,
        messages(super::Variants),
        components(super::Component),
        resources(super::Component)
    )]
    pub(super) struct Quiet;
}

/// The identity of a private protocol.
#[inline]
#[must_use]
pub const fn quiet() -> ProtocolId {
    let quiet::Quiet = quiet::Quiet;
    quiet::Quiet::ID
}
