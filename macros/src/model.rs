//! What is to be generated, with every question answered: *validate* makes it, *expand* writes it down.

use syn::{Expr, Generics, Ident, Member, Path, Type, Visibility};

/// A type that travels: what all of `Wire`, `Message`, `Request` and `Replicate` have in common.
pub(crate) struct Carrier {
    /// The path of the `bowline` crate.
    pub(crate) facade: Path,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    /// It was refused. A stub takes its place, so that the refusal is the one error that the user sees.
    Refused,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    /// Its place among all fields of the type, those of other variants included.
    pub(crate) number: usize,
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) codec: Codec,
    /// It refers to entities: `#[replicate(entities)]`, or the name of its type says so.
    pub(crate) entities: bool,
}

/// How a field becomes bits.
#[allow(clippy::large_enum_variant, reason = "how large an `Expr` is depends on what others ask of `syn`")]
pub(crate) enum Codec {
    /// As its type says.
    Wire,
    /// `#[wire(range = min..=max, step = step)]`
    Quantized { min: Expr, max: Expr, step: Expr },
    /// `#[wire(range = min..=max)]`
    Ranged { min: Expr, max: Expr },
    /// `#[wire(bits = n)]`
    Bits(Expr),
    /// `#[wire(max_len = n)]`
    Limited(Expr),
    /// `#[wire(with = "module")]`
    With(Path),
    /// `#[replicate(skip)]`: it does not travel.
    Skip,
    /// Its attributes were refused.
    Refused,
}

pub(crate) struct Request {
    pub(crate) carrier: Carrier,
    pub(crate) response: Type,
}

pub(crate) struct Replicate {
    pub(crate) carrier: Carrier,
    /// One field: the value as a whole.
    pub(crate) atomic: bool,
    /// It stays as it was inserted.
    pub(crate) immutable: bool,
}

pub(crate) struct Channel {
    pub(crate) facade: Path,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) mode: Mode,
    pub(crate) direction: Direction,
    /// A constant of type `u16`; 1 where none is given.
    pub(crate) weight: Option<Expr>,
}

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    UnorderedUnreliable,
    SequencedUnreliable,
    UnorderedReliable,
    SequencedReliable,
    OrderedReliable,
    TickBuffered,
}

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
    Bidirectional,
}

pub(crate) struct Protocol {
    pub(crate) facade: Path,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) tick_rate: Expr,
    pub(crate) auth: Type,
    /// The weight of the channel that entities travel on, a constant of type `u16`; the library's where none is given.
    pub(crate) entity_weight: Option<Expr>,
    /// What the generated enums derive.
    pub(crate) derives: Vec<Path>,
    pub(crate) channels: Vec<Path>,
    pub(crate) messages: Vec<Item>,
    pub(crate) requests: Vec<Item>,
    pub(crate) components: Vec<Item>,
    pub(crate) resources: Vec<Item>,
}

/// An item of a protocol: a type, and the variant that it has in the enum of its kind.
pub(crate) struct Item {
    pub(crate) variant: Ident,
    pub(crate) path: Path,
}

impl Carrier {
    /// Those of all variants too.
    pub(crate) fn fields(&self) -> Vec<&Field> {
        match &self.body {
            Body::Struct(fields) => fields.iter().collect(),
            Body::Enum(variants) => variants.iter().flat_map(|variant| &variant.fields).collect(),
            Body::Refused => Vec::new(),
        }
    }
}

impl Field {
    pub(crate) fn travels(&self) -> bool {
        !matches!(self.codec, Codec::Skip)
    }
}

impl Protocol {
    /// Whether there is anything that is replicated, and so the channels for it.
    pub(crate) fn has_entities(&self) -> bool {
        !(self.components.is_empty() && self.resources.is_empty())
    }
}
