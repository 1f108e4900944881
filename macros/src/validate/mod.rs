//! Raw settings into a model. Only this layer says no: it collects every error, each on the guilty token, and gives
//! a model all the same, with what was refused left out.

mod carrier;
mod channel;
mod protocol;

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Expr, ExprLit, Generics, Ident, Lit, LitStr, Path, parse_quote};

use crate::parse::{Setting, Settings, Value};

pub(crate) use carrier::{message, replicate, request, wire};
pub(crate) use channel::channel;
pub(crate) use protocol::protocol;

/// All errors of one derive.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(syn::Error::new(span, message));
    }

    /// On all the tokens of `on`, not on its first alone.
    fn on(&mut self, on: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(on, message));
    }

    fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn into_error(self) -> Option<syn::Error> {
        self.0
    }
}

/// A place where attributes stand, and what may stand there.
struct Place {
    /// "on a field", "on the type", ..
    name: &'static str,
    /// Attribute and key.
    keys: &'static [(&'static str, &'static str)],
    /// What is known, but belongs elsewhere: attribute, key, and where.
    elsewhere: &'static [(&'static str, &'static str, &'static str)],
}

/// The settings of one place that are known there, each at most once.
struct Known {
    settings: Vec<Setting>,
    /// Something was refused: what is left is not all that the user meant.
    refused: bool,
}

impl Known {
    fn sort(settings: Settings, place: &Place, errors: &mut Errors) -> Self {
        let mut known = Self { settings: Vec::new(), refused: !settings.errors.is_empty() };
        settings.errors.into_iter().for_each(|error| errors.add(error));
        for setting in settings.given {
            let (attribute, key) = (setting.attribute, setting.key.to_string());
            if let Some((.., owner)) =
                place.elsewhere.iter().find(|(of, name, _)| *of == attribute && *name == key)
            {
                errors.on(&setting.key, format!("`{key}` belongs {owner}, it has no meaning {}", place.name));
            } else if !place.keys.contains(&(attribute, &key)) {
                errors.on(&setting.key, unknown(&key, attribute, place));
            } else if known.settings.iter().any(|other| other.is(attribute, &key)) {
                errors.on(&setting.key, format!("`{key}` is given twice"));
            } else {
                known.settings.push(setting);
                continue;
            }
            known.refused = true;
        }
        known
    }

    fn take(&mut self, attribute: &str, key: &str) -> Option<Setting> {
        let index = self.settings.iter().position(|setting| setting.is(attribute, key))?;
        Some(self.settings.remove(index))
    }

    /// Where `key` stands, if it is given.
    fn key(&self, attribute: &str, key: &str) -> Option<Ident> {
        self.settings.iter().find(|setting| setting.is(attribute, key)).map(|setting| setting.key.clone())
    }

    /// Whether `key` is given, which takes no value.
    fn flag(&mut self, attribute: &str, key: &str, errors: &mut Errors) -> bool {
        let Some(setting) = self.take(attribute, key) else { return false };
        if !matches!(setting.value, Value::None) {
            errors.on(&setting.key, format!("`{key}` takes no value"));
        }
        true
    }

    fn expr(&mut self, attribute: &str, key: &str, example: &str, errors: &mut Errors) -> Option<Expr> {
        let setting = self.take(attribute, key)?;
        if let Value::Expr(expr) = setting.value {
            return Some(ungrouped(expr));
        }
        errors.on(&setting.key, format!("`{key}` needs a value: `{key} = {example}`"));
        self.refused = true;
        None
    }

    /// A path in a string.
    fn path(&mut self, attribute: &str, key: &str, example: &str, errors: &mut Errors) -> Option<Path> {
        let value = self.expr(attribute, key, &format!("\"{example}\""), errors)?;
        let path = match &value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => path_in(text),
            _ => None,
        };
        if path.is_none() {
            errors.on(&value, format!("`{key}` needs a path in a string: `{key} = \"{example}\"`"));
            self.refused = true;
        }
        path
    }

    /// Where the generated code finds the crate.
    fn facade(&mut self, attribute: &str, errors: &mut Errors) -> Path {
        self.path(attribute, "crate", "path::to::bowline", errors).unwrap_or_else(|| parse_quote!(::bowline))
    }
}

fn path_in(text: &LitStr) -> Option<Path> {
    text.parse_with(Path::parse_mod_style).ok()
}

fn unknown(key: &str, attribute: &str, place: &Place) -> String {
    let choices: Vec<&str> =
        place.keys.iter().filter(|(of, _)| *of == attribute).map(|(_, name)| *name).collect();
    if choices.is_empty() {
        return format!("`#[{attribute}({key})]` has no meaning {}", place.name);
    }
    format!("`#[{attribute}(..)]` {} has no `{key}`; there is {}", place.name, listed(&choices))
}

/// `` `a`, `b` and `c` ``
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Without the invisible brackets around what a `macro_rules!` fragment brought.
fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

/// Channels and protocols are names, not values.
fn refuse_generics(generics: &Generics, what: &str, errors: &mut Errors) {
    if !generics.params.is_empty() {
        errors.on(&generics.params, format!("{what} has no generic parameters"));
    }
}
