//! `Replicate`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::items::item_bounds;
use super::wire::{field_bounds, field_name, name, reader, reference_bounds, wire_impl, writer};
use super::{Private, codec, enclosed, local, target};
use crate::model::{Body, Field, Replicate};

pub(crate) fn replicate(model: &Replicate) -> TokenStream {
    let carrier = &model.carrier;
    let p = Private::new(&carrier.facade, &carrier.generics);
    let (ident, name) = (target(&carrier.ident), name(&carrier.ident));
    let (impl_generics, ty_generics, _) = carrier.generics.split_for_impl();
    let mut bounds = field_bounds(&p, carrier);
    bounds.extend(reference_bounds(&p, carrier));
    let where_clause = item_bounds(&p, carrier, bounds);

    let travelling: Vec<&Field> = match &carrier.body {
        Body::Struct(fields) => fields.iter().filter(|field| field.travels()).collect(),
        Body::Enum(_) | Body::Refused => Vec::new(),
    };
    let Parts { schema, fields, encode, decode, skip } =
        if model.atomic { atomic(&p, &travelling) } else { by_field(&p, &name, &travelling) };

    let immutable = model.immutable.then(|| quote!(const IMMUTABLE: #p::bool = true;));
    let mutable = (!model.immutable).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #p::Mutable for #ident #ty_generics #where_clause {}
        }
    });
    let references = references(&p, &travelling);

    let wire = wire_impl(carrier);
    let (index, writer, reader) = (index(), writer(), reader());
    enclosed(&quote! {
        #wire

        #[automatically_derived]
        impl #impl_generics #p::Replicate for #ident #ty_generics #where_clause {
            const NAME: &'static #p::str = #name;
            const SCHEMA: #p::Schema = #schema;
            const FIELDS: #p::u32 = #fields;
            #immutable

            #[inline]
            fn encode_field(
                &self,
                #index: #p::u32,
                #writer: &mut #p::BitWriter,
            ) -> #p::Result<(), #p::EncodeError> {
                match #index { #encode _ => #p::Ok(()) }
            }

            #[inline]
            fn decode_field(
                &mut self,
                #index: #p::u32,
                #reader: &mut #p::BitReader<'_>,
            ) -> #p::Result<(), #p::DecodeError> {
                match #index { #decode _ => #p::derive::nothing() }
            }

            #[inline]
            fn skip_field(
                #index: #p::u32,
                #reader: &mut #p::BitReader<'_>,
            ) -> #p::Result<(), #p::DecodeError> {
                match #index { #skip _ => #p::derive::nothing() }
            }

            #[inline]
            fn decode_new(#reader: &mut #p::BitReader<'_>) -> #p::Result<Self, #p::DecodeError> {
                <Self as #p::Wire>::decode(#reader)
            }

            #references
        }

        #mutable
    })
}

/// What says which entities the fields refer to; nothing where none does.
fn references(p: &Private<'_>, fields: &[&Field]) -> Option<TokenStream> {
    let fields: Vec<&&Field> = fields.iter().filter(|field| field.entities).collect();
    if fields.is_empty() {
        return None;
    }
    let (visit, map) = (local("visit__"), local("map__"));
    let each = |method: &str, borrow: &TokenStream, argument: &Ident| -> TokenStream {
        let method = format_ident!("{method}");
        let calls = fields.iter().map(|Field { ty, member, .. }| {
            let p = p.at(ty.span());
            quote_spanned!(p.span=> <#ty as #p::References>::#method(#borrow self.#member, #argument);)
        });
        quote!(#(#calls)*)
    };
    let (seen, mapped) =
        (each("references", &quote!(&), &visit), each("map_references", &quote!(&mut), &map));
    Some(quote! {
        const HAS_REFERENCES: #p::bool = true;

        fn references(&self, #visit: &mut dyn #p::FnMut(#p::NetEntity)) {
            #seen
        }

        fn map_references(&mut self, #map: &mut dyn #p::FnMut(#p::NetEntity) -> #p::NetEntity) {
            #mapped
        }
    })
}

struct Parts {
    schema: TokenStream,
    fields: u32,
    /// Arms of a match over the index.
    encode: TokenStream,
    decode: TokenStream,
    skip: TokenStream,
}

fn by_field(p: &Private<'_>, owner: &str, fields: &[&Field]) -> Parts {
    let (writer, reader) = (writer(), reader());
    let encode = (0_u32..).zip(fields).map(|(index, field)| {
        let (member, name) = (&field.member, field_name(owner, field));
        let encode = codec::encode(p, field, &quote!(&self.#member), &writer);
        quote!(#index => #p::derive::in_field(#encode, #name),)
    });
    let decode = (0_u32..).zip(fields).map(|(index, field)| {
        let (member, decode) = (&field.member, codec::decode(p, field, &reader));
        quote!(#index => { self.#member = #decode?; #p::Ok(()) })
    });
    let skip = (0_u32..).zip(fields).map(|(index, field)| {
        let decode = codec::decode(p, field, &reader);
        quote!(#index => { let _ = #decode?; #p::Ok(()) })
    });
    Parts {
        schema: quote!(<Self as #p::Wire>::SCHEMA),
        fields: u32::try_from(fields.len()).unwrap_or(u32::MAX),
        encode: quote!(#(#encode)*),
        decode: quote!(#(#decode)*),
        skip: quote!(#(#skip)*),
    }
}

fn atomic(p: &Private<'_>, fields: &[&Field]) -> Parts {
    let (writer, reader) = (writer(), reader());
    // All is read before the first field is set, and fields that do not travel keep what they hold.
    let bindings: Vec<Ident> = (0..fields.len()).map(|i| local(&format!("field_{i}__"))).collect();
    let members = fields.iter().map(|field| &field.member);
    let decode = fields.iter().map(|field| codec::decode(p, field, &reader));
    let skip = decode.clone();
    Parts {
        // In a tuple of one: a peer that sends field by field is no match.
        schema: quote!(#p::Schema::Tuple(const { &[<Self as #p::Wire>::SCHEMA] })),
        fields: 1,
        encode: quote!(0 => <Self as #p::Wire>::encode(self, #writer),),
        decode: quote!(0 => {
            #(let #bindings = #decode?;)*
            #(self.#members = #bindings;)*
            #p::Ok(())
        }),
        skip: quote!(0 => { #(let _ = #skip?;)* #p::Ok(()) }),
    }
}

fn index() -> Ident {
    local("index__")
}
