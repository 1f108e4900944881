//! A model into code. Nothing fails here.
//!
//! Generated code is thin, names nothing but the facade's `__private` by absolute path, and stands in a `const _`
//! so that it adds no name to the user's module. Local variables have the hygiene of `mixed_site`: they cannot meet
//! the user's.

mod codec;
mod entities;
mod items;
mod protocol;
mod replicate;
mod wire;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Generics, Ident, Path, WhereClause, parse_quote};

pub(crate) use items::{channel, message, request};
pub(crate) use protocol::protocol;
pub(crate) use replicate::replicate;
pub(crate) use wire::wire;

/// `::bowline::__private`, or what `crate = ".."` makes of it, at the place that a compiler's error should show.
struct Private<'a> {
    facade: &'a Path,
    span: Span,
    /// Whether the code is for a type with generic parameters.
    generic: bool,
}

impl<'a> Private<'a> {
    fn new(facade: &'a Path, generics: &Generics) -> Self {
        Self { facade, span: Span::call_site(), generic: !generics.params.is_empty() }
    }

    /// Where an error of the compiler's is about a part of the user's code, its span begins with this path.
    fn at(&self, span: Span) -> Self {
        Self { span: pointing_at(span), ..*self }
    }
}

impl ToTokens for Private<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let facade = self.facade.to_token_stream().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(self.span));
            token
        });
        tokens.extend(facade);
        tokens.extend(quote_spanned!(self.span=> ::__private));
    }
}

/// A local variable of generated code.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A span that points at the user's code, yet belongs to the expansion: for lints, what stands there is not the
/// user's doing.
fn pointing_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The name of a type where code is generated for it: an impl for a deprecated type is no use of it.
fn target(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(pointing_at(ident.span()));
    ident
}

/// Around all impls of one derive.
fn enclosed(impls: &TokenStream) -> TokenStream {
    quote! {
        const _: () = { #impls };
    }
}

/// With bounds added.
fn with_bounds(generics: &Generics, bounds: impl IntoIterator<Item = TokenStream>) -> Option<WhereClause> {
    let mut clause = generics.where_clause.clone().unwrap_or_else(|| parse_quote!(where));
    for bound in bounds {
        clause.predicates.push(parse_quote!(#bound));
    }
    (!clause.predicates.is_empty()).then_some(clause)
}
