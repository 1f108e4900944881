//! `Protocol`: the trait, an enum for each kind of item, and who belongs to it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Generics, Ident, Index, Member, Type, parse_quote_spanned};

use super::wire::{name, wire_impl};
use super::{Private, local, target};
use crate::model::{Body, Carrier, Codec, Field, Item, Protocol, Variant};

/// The kind whose items belong to the items of another.
const RESPONSE: &str = "Response";

pub(crate) fn protocol(model: &Protocol) -> TokenStream {
    let p = Private::new(&model.facade, &model.generics);
    let ident = target(&model.ident);
    let kinds = [
        Kind::new(&ident, "Message", "messages", &model.messages),
        Kind::new(&ident, "Request", "requests", &model.requests),
        Kind::new(&ident, RESPONSE, "requests", &model.requests),
        Kind::new(&ident, "Component", "components", &model.components),
        Kind::new(&ident, "Resource", "resources", &model.resources),
    ];
    let enums = kinds.iter().map(|kind| kind.declaration(&p, model));
    let wires = kinds.iter().map(|kind| kind.wire(&p, model));
    let conversions = kinds.iter().map(|kind| kind.conversions(&p));
    let memberships = kinds.iter().map(|kind| kind.memberships(&p, model));
    let channels = channels(&p, model);
    let protocol = protocol_impl(&p, model);
    // A protocol lists a deprecated item for as long as the peers know it: the list is no use of it.
    let impls = quote! {
        #protocol
        #channels
        #(#wires)*
        #(#conversions)*
        #(#memberships)*
    };
    quote! {
        #(#enums)*
        #[allow(deprecated)]
        const _: () = { #impls };
    }
}

/// Messages, requests, responses, components or resources.
struct Kind<'a> {
    name: &'static str,
    /// The list in the attribute.
    list: &'static str,
    /// The name of the enum.
    ident: Ident,
    items: &'a [Item],
}

impl<'a> Kind<'a> {
    fn new(protocol: &Ident, name: &'static str, list: &'static str, items: &'a [Item]) -> Self {
        let ident = format_ident!("{protocol}{name}");
        Self { name, list, ident, items }
    }

    fn is_response(&self) -> bool {
        self.name == RESPONSE
    }

    /// What the variant of an item holds.
    fn content(&self, p: &Private<'_>, item: &Item) -> Type {
        let path = &item.path;
        let p = p.at(path.span());
        if self.is_response() {
            parse_quote_spanned!(p.span=> <#path as #p::Request>::Response)
        } else {
            parse_quote_spanned!(p.span=> #path)
        }
    }

    fn declaration(&self, p: &Private<'_>, model: &Protocol) -> TokenStream {
        let Self { ident, items, list, .. } = self;
        let vis = &model.vis;
        let derives = (!model.derives.is_empty()).then(|| {
            let derives = &model.derives;
            quote!(#[derive(#(#derives),*)])
        });
        let protocol = name(&model.ident);
        let kind = self.name.to_lowercase();
        let doc = if self.is_response() {
            format!(
                "A response to any of the requests of `{protocol}`: named as the request that it answers."
            )
        } else {
            format!("Any {kind} of `{protocol}`: a variant for each of its `{list}`.")
        };
        let variants = items.iter().map(|item| {
            let (variant, content) = (&item.variant, self.content(p, item));
            let doc = if self.is_response() {
                format!("The answer to a `{}`.", name(variant))
            } else {
                format!("The {kind} `{}`.", name(variant))
            };
            quote!(#[doc = #doc] #variant(#content),)
        });
        quote! {
            #[doc = #doc]
            #derives
            #[allow(deprecated, missing_debug_implementations, missing_copy_implementations)]
            #vis enum #ident { #(#variants)* }
        }
    }

    fn wire(&self, p: &Private<'_>, model: &Protocol) -> TokenStream {
        let variant = |item: &Item| Variant {
            ident: item.variant.clone(),
            fields: vec![Field {
                number: 0,
                member: Member::Unnamed(Index { index: 0, span: item.path.span() }),
                ty: self.content(p, item),
                codec: Codec::Wire,
            }],
        };
        wire_impl(&Carrier {
            facade: model.facade.clone(),
            ident: self.ident.clone(),
            generics: Generics::default(),
            body: Body::Enum(self.items.iter().map(variant).collect()),
        })
    }

    /// Not for responses: two requests may have the same.
    fn conversions(&self, p: &Private<'_>) -> TokenStream {
        if self.is_response() {
            return TokenStream::new();
        }
        let (ident, content) = (&self.ident, local("item__"));
        let impls = self.items.iter().map(|Item { variant, path }| {
            quote! {
                #[automatically_derived]
                impl #p::From<#path> for #ident {
                    #[inline]
                    fn from(#content: #path) -> Self {
                        Self::#variant(#content)
                    }
                }
            }
        });
        quote!(#(#impls)*)
    }

    fn memberships(&self, p: &Private<'_>, model: &Protocol) -> TokenStream {
        if self.is_response() {
            return TokenStream::new();
        }
        let protocol = target(&model.ident);
        let membership = format_ident!("{}Of", self.name);
        let count = self.items.len();
        let impls = self.items.iter().enumerate().map(|(index, Item { path, .. })| {
            let p = p.at(path.span());
            quote_spanned! {p.span=>
                #[automatically_derived]
                impl #p::#membership<#protocol> for #path {
                    const TAG: #p::Tag = #p::Tag::new(#index, #count);
                }
            }
        });
        quote!(#(#impls)*)
    }
}

fn protocol_impl(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let Protocol { tick_rate, auth, .. } = model;
    let (ident, name) = (target(&model.ident), name(&model.ident));
    let tick_rate = {
        let p = p.at(tick_rate.span());
        quote_spanned!(p.span=> #p::derive::tick_rate(#tick_rate))
    };
    let auth_schema = {
        let p = p.at(auth.span());
        quote_spanned!(p.span=> <#auth as #p::Wire>::SCHEMA)
    };
    let channels = model.channels.iter().map(|path| {
        let p = p.at(path.span());
        quote_spanned!(p.span=> <#path as #p::Channel>::SPEC)
    });
    let messages = item_schemas(p, "Message", "Wire", &model.messages);
    let components = item_schemas(p, "Replicate", "Replicate", &model.components);
    let resources = item_schemas(p, "Replicate", "Replicate", &model.resources);
    let requests = model.requests.iter().map(|Item { path, .. }| {
        let p = p.at(path.span());
        quote_spanned! {p.span=>
            #p::RequestSchema {
                name: <#path as #p::Request>::NAME,
                request: <#path as #p::Wire>::SCHEMA,
                response: <<#path as #p::Request>::Response as #p::Wire>::SCHEMA,
            }
        }
    });
    let types = ["Message", "Request", RESPONSE, "Component", "Resource"].map(|kind| {
        let (kind, of_protocol) = (format_ident!("{kind}"), format_ident!("{ident}{kind}"));
        quote!(type #kind = #of_protocol;)
    });
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let rate = local("TICK_RATE__");
    quote! {
        // An item of its own: the compiler evaluates it even where nothing asks for the schema yet.
        const #rate: #p::u16 = #tick_rate;

        #[automatically_derived]
        impl #impl_generics #p::Protocol for #ident #ty_generics #where_clause {
            const NAME: &'static #p::str = #name;
            const SCHEMA: #p::ProtocolSchema = #p::ProtocolSchema {
                tick_rate: #rate,
                auth: #auth_schema,
                channels: const { &[#(#channels),*] },
                messages: const { &#messages },
                requests: const { &[#(#requests),*] },
                components: const { &#components },
                resources: const { &#resources },
            };
            type Auth = #auth;
            #(#types)*
        }
    }
}

/// `[ItemSchema { .. }, ..]`
fn item_schemas(p: &Private<'_>, name: &str, schema: &str, items: &[Item]) -> TokenStream {
    let (name, schema) = (format_ident!("{name}"), format_ident!("{schema}"));
    let schemas = items.iter().map(|Item { path, .. }| {
        let p = p.at(path.span());
        quote_spanned! {p.span=>
            #p::ItemSchema { name: <#path as #p::#name>::NAME, schema: <#path as #p::#schema>::SCHEMA }
        }
    });
    quote!([#(#schemas),*])
}

fn channels(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let protocol = target(&model.ident);
    let impls = model.channels.iter().enumerate().map(|(index, path)| {
        let p = p.at(path.span());
        quote_spanned! {p.span=>
            #[automatically_derived]
            impl #p::ChannelOf<#protocol> for #path {
                const INDEX: #p::usize = #index;
            }
        }
    });
    quote!(#(#impls)*)
}
