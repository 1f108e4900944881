//! `Protocol`: the trait, an enum for each kind of item, and who belongs to it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Generics, Ident, Index, Member, parse_quote};

use super::entities::{self, Replicated};
use super::wire::{name, wire_impl};
use super::{Private, local, target};
use crate::model::{Body, Carrier, Codec, Field, Item, Protocol, Variant};

pub(crate) fn protocol(model: &Protocol) -> TokenStream {
    let p = Private::new(&model.facade, &model.generics);
    let ident = target(&model.ident);
    let [components, resources] = Replicated::both(model);
    let kinds = [
        Kind::new(&ident, "Message", "messages", &model.messages, None),
        Kind::new(&ident, "Request", "requests", &model.requests, None),
        Kind::new(&ident, "Component", "components", &model.components, Some(components)),
        Kind::new(&ident, "Resource", "resources", &model.resources, Some(resources)),
    ];
    let enums = kinds.iter().map(|kind| kind.declaration(model));
    let wires = kinds.iter().map(|kind| kind.wire(model));
    let conversions = kinds.iter().map(|kind| kind.conversions(&p));
    let memberships = kinds.iter().map(|kind| kind.memberships(&p, model));
    let names = [components, resources].map(|kind| kind.kinds(&p, model));
    let families = [components, resources].map(|kind| kind.family(&p, model));
    let requested = requested(&p, model);
    let requested_impls = requested_impls(&p, model);
    // Parameters are refused; there is no need for the compiler to complain of them too.
    let sendable = model.generics.params.is_empty().then(|| any_message(&p, model));
    let channels = channels(&p, model);
    let protocol = protocol_impl(&p, model);
    // A protocol lists a deprecated item for as long as the peers know it: the list is no use of it.
    let impls = quote! {
        #protocol
        #channels
        #(#families)*
        #(#wires)*
        #(#conversions)*
        #(#memberships)*
        #sendable
        #requested_impls
    };
    quote! {
        #(#enums)*
        #(#names)*
        #requested
        #[allow(deprecated)]
        const _: () = { #impls };
    }
}

/// Messages, requests, components or resources.
struct Kind<'a> {
    name: &'static str,
    /// The list in the attribute.
    list: &'static str,
    /// The name of the enum.
    ident: Ident,
    items: &'a [Item],
    /// What there is for components and resources alone.
    replicated: Option<Replicated<'a>>,
}

impl<'a> Kind<'a> {
    fn new(
        protocol: &Ident,
        name: &'static str,
        list: &'static str,
        items: &'a [Item],
        replicated: Option<Replicated<'a>>,
    ) -> Self {
        let ident = format_ident!("{protocol}{name}");
        Self { name, list, ident, items, replicated }
    }

    fn declaration(&self, model: &Protocol) -> TokenStream {
        let Self { ident, items, list, .. } = self;
        let vis = &model.vis;
        let derives = (!model.derives.is_empty()).then(|| {
            let derives = &model.derives;
            quote!(#[derive(#(#derives),*)])
        });
        let protocol = name(&model.ident);
        let kind = self.name.to_lowercase();
        let doc = format!("Any {kind} of `{protocol}`: a variant for each of its `{list}`.");
        let variants = items.iter().map(|Item { variant, path }| {
            let doc = format!("The {kind} `{}`.", name(variant));
            quote!(#[doc = #doc] #variant(#path),)
        });
        quote! {
            #[doc = #doc]
            #derives
            #[allow(deprecated, missing_debug_implementations, missing_copy_implementations)]
            #vis enum #ident { #(#variants)* }
        }
    }

    fn wire(&self, model: &Protocol) -> TokenStream {
        let variant = |Item { variant, path }: &Item| Variant {
            ident: variant.clone(),
            fields: vec![Field {
                number: 0,
                member: Member::Unnamed(Index { index: 0, span: path.span() }),
                ty: parse_quote!(#path),
                codec: Codec::Wire,
                entities: false,
            }],
        };
        wire_impl(&Carrier {
            facade: model.facade.clone(),
            ident: self.ident.clone(),
            generics: Generics::default(),
            body: Body::Enum(self.items.iter().map(variant).collect()),
        })
    }

    fn conversions(&self, p: &Private<'_>) -> TokenStream {
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
        let protocol = target(&model.ident);
        let membership = format_ident!("{}Of", self.name);
        let count = self.items.len();
        let impls = self.items.iter().enumerate().map(|(index, item)| {
            let path = &item.path;
            let p = p.at(path.span());
            let place = self.replicated.map(|kind| kind.place(&p, index, item));
            quote_spanned! {p.span=>
                #[automatically_derived]
                impl #p::#membership<#protocol> for #path {
                    const TAG: #p::Tag = #p::Tag::new(#index, #count);
                    #place
                }
            }
        });
        quote!(#(#impls)*)
    }
}

/// The enum of all messages can be sent like any of them: a message that came back, say.
fn any_message(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let protocol = target(&model.ident);
    let any = format_ident!("{protocol}Message");
    let any_name = any.to_string();
    quote! {
        #[automatically_derived]
        impl #p::Message for #any {
            const NAME: &'static #p::str = #any_name;
        }
        #[automatically_derived]
        impl #p::MessageOf<#protocol> for #any {
            const TAG: #p::Tag = #p::Tag::new(0, 1);
        }
    }
}

/// The enum of requests that arrived.
fn requested(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let (vis, protocol) = (&model.vis, target(&model.ident));
    let ident = format_ident!("{protocol}Requested");
    let doc = format!(
        "A request to this side of `{}`, with the right to answer it: a variant for each of its `requests`.",
        name(&model.ident)
    );
    let variants = model.requests.iter().map(|Item { variant, path }| {
        let doc = format!("Somebody asks `{}`.", name(variant));
        quote!(#[doc = #doc] #variant(#p::Asked<#path>),)
    });
    quote! {
        #[doc = #doc]
        #[allow(deprecated, missing_copy_implementations)]
        #vis enum #ident { #(#variants)* }
    }
}

fn requested_impls(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let protocol = target(&model.ident);
    let ident = format_ident!("{protocol}Requested");
    let (f, asked) = (local("f__"), local("asked__"));
    let arms = model.requests.iter().map(|Item { variant, .. }| {
        let name = name(variant);
        quote!(Self::#variant(ref #asked) => #f.debug_tuple(#name).field(#asked).finish(),)
    });
    quote! {
        #[automatically_derived]
        impl #p::Debug for #ident {
            #[allow(unused_variables)]
            fn fmt(&self, #f: &mut #p::Formatter<'_>) -> #p::fmt::Result {
                match *self { #(#arms)* }
            }
        }
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
    let channels = channels.chain(entity_channels(p, model));
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
    let types = ["Message", "Request", "Component", "Resource"].map(|kind| {
        let (kind, of_protocol) = (format_ident!("{kind}"), format_ident!("{ident}{kind}"));
        quote!(type #kind = #of_protocol;)
    });
    let replicated = Replicated::both(model).map(|kind| kind.types(p));
    let with_item = entities::with_item(p, model);
    let trees = Replicated::both(model).map(|kind| kind.tree(p));
    let visits = visits(p, model);
    let (any_request, requested) = (format_ident!("{ident}Request"), format_ident!("{ident}Requested"));
    let (request, responder) = (local("request__"), local("responder__"));
    let arms = model.requests.iter().map(|Item { variant, .. }| {
        let asked = quote!(#p::Asked::new(#request, #responder));
        quote!(#any_request::#variant(#request) => #requested::#variant(#asked),)
    });
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let rate = local("TICK_RATE__");
    let weight = model.entity_weight.as_ref().filter(|_| model.has_entities()).map(|weight| {
        let (p, name) = (p.at(weight.span()), entity_weight());
        quote_spanned!(p.span=> const #name: #p::u16 = #weight;)
    });
    quote! {
        // Items of their own: the compiler evaluates them even where nothing asks for the schema yet.
        const #rate: #p::u16 = #tick_rate;
        #weight

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
            #(#replicated)*
            #(#trees)*
            type Requested = #requested;

            #with_item
            #visits

            #[allow(unused_variables)]
            fn requested(#request: Self::Request, #responder: #p::AnyResponder) -> Self::Requested {
                match #request { #(#arms)* }
            }
        }
    }
}

/// The methods of `Protocol` that find the type of a message or request, and that name all.
fn visits(p: &Private<'_>, model: &Protocol) -> TokenStream {
    let (visitor, value, generic) = (local("visitor__"), local("value__"), format_ident!("Visitor__"));
    let kinds = [("Message", &model.messages, "Message"), ("Request", &model.requests, "Requested")];
    let methods = kinds.map(|(kind, items, any)| {
        let lower = kind.to_lowercase();
        let of_protocol = format_ident!("{}{any}", target(&model.ident));
        let (visits, method) = (format_ident!("{kind}Visitor"), format_ident!("{lower}"));
        let with = format_ident!("with_{}", any.to_lowercase());
        let each = format_ident!("each_{lower}");
        let any = format_ident!("{any}");
        let arms = items.iter().map(|Item { variant, path }| {
            let p = p.at(path.span());
            quote_spanned! {p.span=>
                #of_protocol::#variant(#value) => #p::#visits::<Self>::#method::<#path>(#visitor, #value),
            }
        });
        let names = items.iter().map(|Item { path, .. }| {
            let p = p.at(path.span());
            quote_spanned!(p.span=> #p::#visits::<Self>::name::<#path>(#visitor);)
        });
        quote! {
            #[allow(unused_variables)]
            fn #with<#generic: #p::#visits<Self>>(#value: Self::#any, #visitor: #generic) {
                match #value { #(#arms)* }
            }

            #[allow(unused_variables)]
            fn #each<#generic: #p::#visits<Self>>(#visitor: &mut #generic) {
                #(#names)*
            }
        }
    });
    quote!(#(#methods)*)
}

fn entity_weight() -> Ident {
    local("ENTITY_WEIGHT__")
}

/// The library's own channels, which stand behind those of the protocol.
fn entity_channels(p: &Private<'_>, model: &Protocol) -> Vec<TokenStream> {
    if !model.has_entities() {
        return Vec::new();
    }
    let mut state = quote!(#p::ChannelSpec::ENTITY_STATE);
    if model.entity_weight.is_some() {
        let weight = entity_weight();
        state.extend(quote!(.with_weight(#weight)));
    }
    vec![state, quote!(#p::ChannelSpec::ENTITY_CONTROL)]
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
