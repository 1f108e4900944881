//! Types that travel: `Wire`, `Message`, `Request`, `Replicate`.

use syn::spanned::Spanned as _;
use syn::{Expr, ExprRange, GenericParam, Ident, Index, Member, RangeLimits, Type, TypePath, parse_quote};

use super::{Errors, Known, Place, ungrouped};
use crate::model::{Body, Carrier, Codec, Field, Replicate, Request, Variant};
use crate::parse::{self, Data, Input, Value};

/// The bits of a word: `bowline_core::FieldMask::MAX_FIELDS`, which this crate must not depend on.
const MAX_REPLICATED_FIELDS: usize = 64;

const ON_TYPE: &str = "on the type";
const ON_FIELD: &str = "on a field";

const FIELD_KEYS_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("wire", "range", ON_FIELD),
    ("wire", "step", ON_FIELD),
    ("wire", "bits", ON_FIELD),
    ("wire", "max_len", ON_FIELD),
    ("wire", "with", ON_FIELD),
    ("replicate", "skip", ON_FIELD),
    ("replicate", "entities", ON_FIELD),
];
const TYPE_KEYS_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("wire", "crate", ON_TYPE),
    ("replicate", "atomic", ON_TYPE),
    ("replicate", "immutable", ON_TYPE),
    ("request", "response", ON_TYPE),
];

const TYPE: Place = Place {
    name: ON_TYPE,
    keys: &[("wire", "crate"), ("replicate", "atomic"), ("replicate", "immutable"), ("request", "response")],
    elsewhere: FIELD_KEYS_ELSEWHERE,
};
const VARIANT: Place = Place { name: "on a variant", keys: &[], elsewhere: FIELD_KEYS_ELSEWHERE };
const FIELD: Place = Place {
    name: ON_FIELD,
    keys: &[
        ("wire", "range"),
        ("wire", "step"),
        ("wire", "bits"),
        ("wire", "max_len"),
        ("wire", "with"),
        ("replicate", "skip"),
        ("replicate", "entities"),
    ],
    elsewhere: TYPE_KEYS_ELSEWHERE,
};

pub(crate) fn wire(input: Input, errors: &mut Errors) -> Carrier {
    carrier(input, "Wire", errors).0
}

pub(crate) fn message(input: Input, errors: &mut Errors) -> Carrier {
    carrier(input, "Message", errors).0
}

pub(crate) fn request(input: Input, errors: &mut Errors) -> Request {
    let name = input.ident.clone();
    let (carrier, mut known) = carrier(input, "Request", errors);
    let response = match known.take("request", "response") {
        Some(parse::Setting { value: Value::Type(response), .. }) => Some(response),
        Some(setting) => {
            errors.on(setting.key, "`response` needs a type: `response = Joined`");
            None
        }
        None => {
            errors.on(&name, "a request needs to say what answers it: `#[request(response = Joined)]`");
            None
        }
    };
    Request { carrier, response: response.unwrap_or_else(|| parse_quote!(())) }
}

pub(crate) fn replicate(mut input: Input, errors: &mut Errors) -> Replicate {
    let name = input.ident.clone();
    if let Data::Enum(_) = input.data {
        errors.on(
            &name,
            "`Replicate` is for structs, whose fields travel one by one: derive `Wire` for the enum and put it \
             into a field",
        );
        // Its variants are of no interest any more.
        input.data = Data::Enum(Vec::new());
    }
    let (mut carrier, mut known) = carrier(input, "Replicate", errors);
    if let Body::Enum(_) = carrier.body {
        carrier.body = Body::Refused;
    }
    let atomic = known.flag("replicate", "atomic", errors);
    let immutable = known.flag("replicate", "immutable", errors);
    let fields = match &carrier.body {
        Body::Struct(fields) => fields.iter().filter(|field| field.travels()).count(),
        Body::Enum(_) | Body::Refused => 0,
    };
    if fields > MAX_REPLICATED_FIELDS && !atomic {
        errors.on(
            name,
            format!(
                "{fields} fields travel, at most {MAX_REPLICATED_FIELDS} can: group some into a struct that derives \
                 `Wire`, mark what need not travel `#[replicate(skip)]`, or send all as one with \
                 `#[replicate(atomic)]`"
            ),
        );
        carrier.body = Body::Refused;
    }
    Replicate { carrier, atomic, immutable }
}

/// What all have in common, and the settings of the type that are left.
fn carrier(input: Input, derive: &str, errors: &mut Errors) -> (Carrier, Known) {
    let mut known = Known::sort(input.settings, &TYPE, errors);
    let facade = known.facade("wire", errors);
    let mut body = match input.data {
        Data::Struct { fields: found, .. } => Body::Struct(fields(found, 0, errors)),
        Data::Enum(variants) => {
            let mut first = 0;
            Body::Enum(variants.into_iter().map(|found| variant(found, &mut first, errors)).collect())
        }
        Data::Union(span) => {
            errors.at(
                span,
                format!("`{derive}` is for structs and enums: the bits of a union have no one meaning"),
            );
            Body::Refused
        }
    };
    for param in &input.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.on(
                lifetime,
                "what travels owns its data: a type that borrows can be sent, but not received",
            );
            body = Body::Refused;
        }
    }
    (Carrier { facade, ident: input.ident, generics: input.generics, body }, known)
}

/// `first` is the number of its first field, and then of the next variant's.
fn variant(found: parse::Variant, first: &mut usize, errors: &mut Errors) -> Variant {
    Known::sort(found.settings, &VARIANT, errors);
    let fields = fields(found.fields, *first, errors);
    *first += fields.len();
    Variant { ident: found.ident, fields }
}

fn fields(found: Vec<parse::Field>, first: usize, errors: &mut Errors) -> Vec<Field> {
    found.into_iter().enumerate().map(|(index, found)| field(first, index, found, errors)).collect()
}

fn field(first: usize, index: usize, found: parse::Field, errors: &mut Errors) -> Field {
    let mut known = Known::sort(found.settings, &FIELD, errors);
    // Not a form on the wire: it goes with all of them but `skip`.
    let entities_key = known.key("replicate", "entities");
    let marked = known.flag("replicate", "entities", errors);
    let codec = codec(known, errors);
    if let (Some(key), Codec::Skip) = (entities_key, &codec) {
        errors.on(key, "a field that does not travel refers to nothing: `skip` or `entities`, not both");
    }
    let entities = (marked || is_entity(&found.ty)) && !matches!(codec, Codec::Skip | Codec::Refused);
    let member = member(index, found.ident, &found.ty);
    Field { number: first + index, member, ty: found.ty, codec, entities }
}

/// Whether the type is called as `bowline_core::NetEntity` is: a macro knows no more of it than its name.
fn is_entity(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_entity(&group.elem),
        Type::Path(TypePath { qself: None, path, .. }) => {
            path.segments.last().is_some_and(|last| last.ident == "NetEntity" && last.arguments.is_none())
        }
        _ => false,
    }
}

fn member(index: usize, ident: Option<Ident>, ty: &Type) -> Member {
    match ident {
        Some(ident) => Member::Named(ident),
        None => {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            Member::Unnamed(Index { index, span: ty.span() })
        }
    }
}

fn codec(mut known: Known, errors: &mut Errors) -> Codec {
    refuse_contradictions(&mut known, errors);

    let skip = known.flag("replicate", "skip", errors);
    let step_key = known.key("wire", "step");
    let range =
        known.expr("wire", "range", "0..=100", errors).and_then(|range| ends(range, &mut known, errors));
    let step = known.expr("wire", "step", "0.01", errors);
    let bits = known.expr("wire", "bits", "5", errors);
    let max_len = known.expr("wire", "max_len", "256", errors);
    let with = known.path("wire", "with", "path::to::module", errors);

    if known.refused {
        return Codec::Refused;
    }
    match (range, step) {
        (Some((min, max)), Some(step)) => return Codec::Quantized { min, max, step },
        (Some((min, max)), None) => return Codec::Ranged { min, max },
        (None, Some(_)) => {
            errors.on(step_key, "`step` needs a range to divide: add `range = min..=max`");
            return Codec::Refused;
        }
        (None, None) => {}
    }
    None.or(bits.map(Codec::Bits))
        .or(max_len.map(Codec::Limited))
        .or(with.map(Codec::With))
        .or(skip.then_some(Codec::Skip))
        .unwrap_or(Codec::Wire)
}

/// A field has one form on the wire.
fn refuse_contradictions(known: &mut Known, errors: &mut Errors) {
    let mut first: Option<&Ident> = None;
    for setting in &known.settings {
        // `range` and `step` are two halves of one.
        if setting.key == "step" && first.is_none_or(|first| first == "range" || first == "step") {
            first.get_or_insert(&setting.key);
            continue;
        }
        match first {
            None => first = Some(&setting.key),
            Some(step) if step == "step" && setting.key == "range" => first = Some(&setting.key),
            Some(other) => {
                errors.on(
                    &setting.key,
                    format!("`{other}` and `{}` contradict each other: a field has one form", setting.key),
                );
                known.refused = true;
            }
        }
    }
}

/// The two ends of `min..=max`.
fn ends(range: Expr, known: &mut Known, errors: &mut Errors) -> Option<(Expr, Expr)> {
    let message = match range {
        Expr::Range(ExprRange {
            start: Some(min), limits: RangeLimits::Closed(_), end: Some(max), ..
        }) => {
            return Some((ungrouped(*min), ungrouped(*max)));
        }
        Expr::Range(ExprRange { start: Some(_), limits: RangeLimits::HalfOpen(_), end: Some(_), .. }) => {
            "a `range` includes its end: write `min..=max`"
        }
        Expr::Range(_) => "a `range` needs both its ends: write `min..=max`",
        _ => "a `range` has two ends: write `min..=max`",
    };
    errors.on(range, message);
    known.refused = true;
    None
}
