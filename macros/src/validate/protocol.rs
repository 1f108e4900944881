//! `Protocol`.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Expr, ExprLit, Ident, Lit, Path, Type, TypePath, parse_quote};

use super::{Errors, Known, Place, refuse_generics};
use crate::model::{Item, Protocol};
use crate::parse::{Data, Input, Setting, Value};

/// `bowline_core` numbers channels in six bits.
const MAX_CHANNELS: usize = 64;

/// The library's own channels, which come with components and resources: `bowline_core::ChannelSpec::ENTITY_STATE` and
/// `ENTITY_CONTROL`.
const ENTITY_CHANNELS: usize = 2;

/// A tick is at least a millisecond long: `bowline_core::protocol::derive::tick_rate` says the same of constants.
const TICK_RATES: std::ops::RangeInclusive<u64> = 1..=1000;

const TYPE: Place = Place {
    name: "on the type",
    keys: &[
        ("protocol", "tick_rate"),
        ("protocol", "auth"),
        ("protocol", "channels"),
        ("protocol", "messages"),
        ("protocol", "requests"),
        ("protocol", "components"),
        ("protocol", "resources"),
        ("protocol", "entity_weight"),
        ("protocol", "derive"),
        ("protocol", "crate"),
    ],
    elsewhere: &[],
};

pub(crate) fn protocol(input: Input, errors: &mut Errors) -> Protocol {
    if !matches!(input.data, Data::Struct { unit: true, .. }) {
        let example = format!("struct {};", input.ident);
        errors.on(&input.ident, format!("a protocol is a name, without fields: `{example}`"));
    }
    refuse_generics(&input.generics, "a protocol", errors);

    let mut known = Known::sort(input.settings, &TYPE, errors);
    let generic = !input.generics.params.is_empty();
    let has_entities = lists_entities(&known);
    let mut protocol = Protocol {
        facade: known.facade("protocol", errors),
        tick_rate: tick_rate(&mut known, &input.ident, errors),
        auth: auth(&mut known, errors),
        derives: paths(&mut known, "derive", errors),
        entity_weight: entity_weight(&mut known, has_entities, errors),
        channels: channels(&mut known, has_entities, errors),
        messages: items(&mut known, "messages", errors),
        requests: items(&mut known, "requests", errors),
        components: items(&mut known, "components", errors),
        resources: items(&mut known, "resources", errors),
        vis: input.vis,
        ident: input.ident,
        generics: input.generics,
    };
    if generic {
        // Who belongs to which of its many types cannot be said.
        protocol.channels.clear();
        [&mut protocol.messages, &mut protocol.requests, &mut protocol.components, &mut protocol.resources]
            .into_iter()
            .for_each(Vec::clear);
    }
    protocol
}

fn tick_rate(known: &mut Known, ident: &Ident, errors: &mut Errors) -> Expr {
    if known.key("protocol", "tick_rate").is_none() && !known.refused {
        errors
            .on(ident, "the protocol needs a tick rate: `#[protocol(tick_rate = 20)]`, in ticks per second");
    }
    let rate = known.expr("protocol", "tick_rate", "20", errors);
    match rate {
        // A constant expression is checked where it is evaluated, by the compiler.
        Some(rate) if literal(&rate).is_none_or(|value| TICK_RATES.contains(&value)) => rate,
        Some(rate) => {
            errors.on(rate, "`tick_rate` is the number of ticks per second, from 1 to 1000");
            parse_quote!(1)
        }
        None => parse_quote!(1),
    }
}

fn literal(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    }
}

fn auth(known: &mut Known, errors: &mut Errors) -> Type {
    match known.take("protocol", "auth") {
        None => parse_quote!(()),
        Some(Setting { value: Value::Type(auth), .. }) => auth,
        Some(setting) => {
            errors.on(setting.key, "`auth` needs a type: `auth = Login`");
            parse_quote!(())
        }
    }
}

/// Whether the user means the protocol to have components or resources, be they right or wrong.
fn lists_entities(known: &Known) -> bool {
    known.settings.iter().any(|setting| {
        let entities = setting.is("protocol", "components") || setting.is("protocol", "resources");
        entities && !matches!(&setting.value, Value::List(types) if types.is_empty())
    })
}

fn entity_weight(known: &mut Known, has_entities: bool, errors: &mut Errors) -> Option<Expr> {
    let key = known.key("protocol", "entity_weight")?;
    // What was refused may have been a list of them.
    if !has_entities && !known.refused {
        errors.on(
            key,
            "`entity_weight` is for protocols with entities: list `components(..)` or `resources(..)`",
        );
    }
    known.expr("protocol", "entity_weight", "4", errors)
}

fn channels(known: &mut Known, has_entities: bool, errors: &mut Errors) -> Vec<Path> {
    let mut channels: Vec<Path> =
        items(known, "channels", errors).into_iter().map(|item| item.path).collect();
    let (max, why) = if has_entities {
        (MAX_CHANNELS - ENTITY_CHANNELS, " beside the two that its components and resources need")
    } else {
        (MAX_CHANNELS, "")
    };
    if let Some(beyond) = channels.get(max) {
        let count = channels.len();
        errors.on(beyond, format!("{count} channels; a protocol has at most {max}{why}"));
        channels.truncate(max);
    }
    channels
}

/// The items of one list, each with a variant name of its own.
fn items(known: &mut Known, key: &str, errors: &mut Errors) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for path in paths(known, key, errors) {
        let Some(last) = path.segments.last() else { continue };
        let variant = last.ident.clone();
        match items.iter().find(|item| item.variant.unraw() == variant.unraw()) {
            None => items.push(Item { variant, path }),
            Some(other) if same(&other.path, &path) => errors.on(&path, format!("`{variant}` is listed twice in `{key}`")),
            Some(_) => errors.on(
                &path,
                format!(
                    "two items of `{key}` are named `{variant}`, and the last name of the path is what tells items \
                     apart: rename one, or wrap it into a type of its own"
                ),
            ),
        }
    }
    items
}

fn paths(known: &mut Known, key: &str, errors: &mut Errors) -> Vec<Path> {
    let Some(setting) = known.take("protocol", key) else { return Vec::new() };
    let Value::List(types) = setting.value else {
        errors.on(&setting.key, format!("`{key}` needs a list: `{key}(..)`"));
        return Vec::new();
    };
    types.into_iter().filter_map(|found| path(found, key, errors)).collect()
}

fn path(mut found: Type, key: &str, errors: &mut Errors) -> Option<Path> {
    while let Type::Group(group) = found {
        found = *group.elem;
    }
    match found {
        Type::Path(TypePath { qself: None, path, .. }) => Some(path),
        _ => {
            errors.on(found, format!("`{key}` lists names and paths of types: `Name`, `module::Name`"));
            None
        }
    }
}

fn same(one: &Path, other: &Path) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}
