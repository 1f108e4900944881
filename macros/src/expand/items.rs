//! `Message`, `Request`, `Channel`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::WhereClause;

use super::wire::{name, wire_impl};
use super::{Private, enclosed, target, with_bounds};
use crate::model::{Carrier, Channel, Direction, Mode, Request};

pub(crate) fn message(model: &Carrier) -> TokenStream {
    let p = Private::new(&model.facade, &model.generics);
    let (ident, name) = (target(&model.ident), name(&model.ident));
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = item_bounds(&p, model, Vec::new());
    let wire = wire_impl(model);
    enclosed(&quote! {
        #wire

        #[automatically_derived]
        impl #impl_generics #p::Message for #ident #ty_generics #where_clause {
            const NAME: &'static #p::str = #name;
        }
    })
}

pub(crate) fn request(model: &Request) -> TokenStream {
    let Request { carrier, response } = model;
    let p = Private::new(&carrier.facade, &carrier.generics);
    let (ident, name) = (target(&carrier.ident), name(&carrier.ident));
    let (impl_generics, ty_generics, _) = carrier.generics.split_for_impl();
    let where_clause = item_bounds(&p, carrier, Vec::new());
    let wire = wire_impl(carrier);
    enclosed(&quote! {
        #wire

        #[automatically_derived]
        impl #impl_generics #p::Request for #ident #ty_generics #where_clause {
            const NAME: &'static #p::str = #name;
            type Response = #response;
        }
    })
}

/// The supertraits of an item, asked of a generic type as a whole: nothing less would do, and nothing more is needed.
/// And what else there is.
pub(super) fn item_bounds(
    p: &Private<'_>,
    model: &Carrier,
    mut bounds: Vec<TokenStream>,
) -> Option<WhereClause> {
    if !model.generics.params.is_empty() {
        bounds.push(quote!(Self: #p::Wire + #p::Send + #p::Sync + 'static));
    }
    with_bounds(&model.generics, bounds)
}

pub(crate) fn channel(model: &Channel) -> TokenStream {
    let p = Private::new(&model.facade, &model.generics);
    let (ident, name) = (target(&model.ident), name(&model.ident));
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let mode = match model.mode {
        Mode::UnorderedUnreliable => quote!(UnorderedUnreliable),
        Mode::SequencedUnreliable => quote!(SequencedUnreliable),
        Mode::UnorderedReliable => quote!(UnorderedReliable),
        Mode::SequencedReliable => quote!(SequencedReliable),
        Mode::OrderedReliable => quote!(OrderedReliable),
        Mode::TickBuffered => quote!(TickBuffered),
    };
    let (direction, markers): (_, &[&str]) = match model.direction {
        Direction::ToServer => (quote!(ToServer), &["ToServer"]),
        Direction::ToClient => (quote!(ToClient), &["ToClient"]),
        Direction::Bidirectional => (quote!(Bidirectional), &["ToServer", "ToClient"]),
    };
    let weight = model.weight.as_ref().map_or_else(|| quote!(1), |weight| quote!(#weight));
    let requests = carries_requests(model).then_some("CarriesRequests");
    let markers = markers.iter().copied().chain(requests).map(|marker| format_ident!("{marker}"));
    enclosed(&quote! {
        #[automatically_derived]
        impl #impl_generics #p::Channel for #ident #ty_generics #where_clause {
            const SPEC: #p::ChannelSpec = #p::ChannelSpec {
                name: #name,
                mode: #p::Mode::#mode,
                direction: #p::Direction::#direction,
                weight: #weight,
            };
        }
        #(
            #[automatically_derived]
            impl #impl_generics #p::#markers for #ident #ty_generics #where_clause {}
        )*
    })
}

fn carries_requests(model: &Channel) -> bool {
    matches!(model.mode, Mode::OrderedReliable | Mode::UnorderedReliable)
        && matches!(model.direction, Direction::Bidirectional)
}
