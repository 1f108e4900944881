//! What a protocol has for its components and resources besides their enums: names without values, a family of
//! anything for each, and the way from a number to the type.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, Index};

use super::wire::name;
use super::{Private, local, target};
use crate::model::{Item, Protocol};

/// Components or resources.
#[derive(Clone, Copy)]
pub(super) struct Replicated<'a> {
    /// `Component` or `Resource`.
    name: &'static str,
    protocol: &'a Ident,
    items: &'a [Item],
}

impl<'a> Replicated<'a> {
    /// Components before resources, as their numbers have it.
    pub(super) fn both(model: &'a Protocol) -> [Self; 2] {
        let kind = |name, items| Self { name, protocol: &model.ident, items };
        [kind("Component", &model.components), kind("Resource", &model.resources)]
    }

    /// The enum of names.
    pub(super) fn kinds(&self, p: &Private<'_>, model: &Protocol) -> TokenStream {
        let (vis, ident, kind) = (&model.vis, self.kind(), self.name.to_lowercase());
        let doc = format!("Which {kind} of `{}`: a name for each of its `{kind}s`.", name(self.protocol));
        let variants = self.items.iter().map(|Item { variant, .. }| {
            let doc = format!("The {kind} `{}`.", name(variant));
            quote!(#[doc = #doc] #variant,)
        });
        quote! {
            #[doc = #doc]
            #[derive(
                #p::Clone, #p::Copy, #p::Debug, #p::PartialEq, #p::Eq, #p::PartialOrd, #p::Ord, #p::Hash
            )]
            #vis enum #ident { #(#variants)* }
        }
    }

    /// A struct and not nested tuples: what the compiler asks of two hundred fields it asks of each, and of tuples in
    /// tuples to a depth that it refuses.
    pub(super) fn family(&self, p: &Private<'_>, model: &Protocol) -> Option<TokenStream> {
        if self.items.is_empty() {
            return None;
        }
        let (vis, ident, family) = (&model.vis, self.family_ident(), family_param());
        let fields = self.items.iter().map(|Item { path, .. }| {
            let p = p.at(path.span());
            quote_spanned!(p.span=> <#family as #p::Family>::Of<#path>)
        });
        let defaults = self.items.iter().map(|Item { path, .. }| {
            let p = p.at(path.span());
            quote_spanned!(p.span=> #p::Default::default())
        });
        Some(quote! {
            #[doc(hidden)]
            #[allow(missing_debug_implementations, unreachable_pub, unnameable_types)]
            #vis struct #ident<#family: #p::Family>(#(#fields),*);

            #[automatically_derived]
            impl<#family: #p::Family> #p::Default for #ident<#family> {
                fn default() -> Self {
                    Self(#(#defaults),*)
                }
            }
        })
    }

    /// What the impl of `Protocol` says of them.
    pub(super) fn types(&self, p: &Private<'_>) -> TokenStream {
        let (kind, kinds) = (format_ident!("{}Kind", self.name), self.kind());
        let (all, family) = (format_ident!("{}s", self.name), family_param());
        let ty = self.family_type();
        quote! {
            type #kind = #kinds;
            type #all<#family: #p::Family> = #ty;
        }
    }

    /// The types as a tree.
    pub(super) fn tree(&self, p: &Private<'_>) -> TokenStream {
        let (types, tree) = (format_ident!("{}Types", self.name), tree(p, self.items));
        quote!(type #types = #tree;)
    }

    /// What the impl of `ComponentOf` or `ResourceOf` says of one, besides its tag.
    pub(super) fn place(&self, p: &Private<'_>, index: usize, Item { variant, .. }: &Item) -> TokenStream {
        let (kinds, family, all, ty) = (self.kind(), family_param(), local("all__"), self.family_type());
        let field = Index { index: u32::try_from(index).unwrap_or(u32::MAX), span: p.span };
        let of_self = quote_spanned!(p.span=> <#family as #p::Family>::Of<Self>);
        quote_spanned! {p.span=>
            const KIND: #kinds = #kinds::#variant;

            #[inline]
            fn of<#family: #p::Family>(#all: &#ty) -> &#of_self {
                &#all.#field
            }

            #[inline]
            fn of_mut<#family: #p::Family>(#all: &mut #ty) -> &mut #of_self {
                &mut #all.#field
            }
        }
    }

    fn kind(&self) -> Ident {
        format_ident!("{}{}Kind", target(self.protocol), self.name)
    }

    fn family_ident(&self) -> Ident {
        format_ident!("{}s__", self.name)
    }

    fn family_type(&self) -> TokenStream {
        let (ident, family) = (self.family_ident(), family_param());
        if self.items.is_empty() { quote!(()) } else { quote!(#ident<#family>) }
    }
}

/// The method of `Protocol` that finds the type of a number.
pub(super) fn with_item(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let (number, visitor, generic) = (local("number__"), local("visitor__"), format_ident!("Visitor__"));
    let visits = Replicated::both(model).into_iter().flat_map(|kind| {
        let method = format_ident!("{}", kind.name.to_lowercase());
        kind.items.iter().map(move |item| (method.clone(), &item.path))
    });
    let arms = visits.enumerate().map(|(index, (method, path))| {
        let p = p.at(path.span());
        quote_spanned! {p.span=>
            #index => #p::Some(<#generic as #p::ItemVisitor<Self>>::#method::<#path>(#visitor)),
        }
    });
    quote! {
        #[allow(unused_variables)]
        fn with_item<#generic: #p::ItemVisitor<Self>>(
            #number: #p::usize,
            #visitor: #generic,
        ) -> #p::Option<#generic::Output> {
            match #number { #(#arms)* _ => #p::None }
        }
    }
}

/// Half of the types on each side: the depth is what the compiler counts.
fn tree(p: &Private<'_>, items: &[Item]) -> TokenStream {
    match items {
        [] => quote!(()),
        [Item { path, .. }] => {
            let p = p.at(path.span());
            quote_spanned!(p.span=> #p::One<#path>)
        }
        _ => {
            let (left, right) = items.split_at(items.len() / 2);
            let (left, right) = (tree(p, left), tree(p, right));
            quote!(#p::Both<#left, #right>)
        }
    }
}

/// A type parameter has no hygiene: a user's type of the same name would be hidden by it.
fn family_param() -> Ident {
    format_ident!("Family__")
}
