//! A model into code. Nothing fails here.
//!
//! Generated code is thin, names nothing but the facade's `__private` by absolute path, and stands in a `const _`
//! so that it adds no name to the user's module. Local variables have the hygiene of `mixed_site`: they cannot meet
//! the user's.

mod codec;
mod items;
mod protocol;
mod replicate;
mod wire;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Generics, Ident, Path, WhereClause, parse_quote};

pub(crate) use items::{channel, message, request};
pub(crate) use protocol::protocol;
pub(crate) use replicate::replicate;
pub(crate) use wire::wire;

/// `::bowline::__private`, or what `crate = ".."` makes of it.
struct Private<'a>(&'a Path);

impl ToTokens for Private<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let facade = self.0;
        tokens.extend(quote!(#facade::__private));
    }
}

/// A local variable of generated code.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A span that points at the user's code, yet belongs to the expansion: for lints, what stands there is not the
/// user's doing.
pub(crate) fn pointing_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Around all impls of one derive.
fn enclosed(impls: &TokenStream) -> TokenStream {
    quote! {
        const _: () = { #impls };
    }
}

/// With bounds added.
fn with_bounds(generics: &Generics, bounds: impl IntoIterator<Item = TokenStream>) -> Option<WhereClause> {
    let mut clause =
        generics.where_clause.clone().unwrap_or_else(|| parse_quote!(where));
    for bound in bounds {
        clause.predicates.push(parse_quote!(#bound));
    }
    (!clause.predicates.is_empty()).then_some(clause)
}
