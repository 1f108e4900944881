//! `Wire`.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Ident, Member};

use super::{Private, codec, enclosed, local, target, with_bounds};
use crate::model::{Body, Carrier, Field, Variant};

pub(crate) fn wire(model: &Carrier) -> TokenStream {
    enclosed(&wire_impl(model))
}

pub(super) fn wire_impl(model: &Carrier) -> TokenStream {
    let p = Private::new(&model.facade, &model.generics);
    let ident = target(&model.ident);
    let Parts { schema, min_bits, encode, decode } = parts(&p, model);
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = with_bounds(&model.generics, field_bounds(&p, model));
    let specs = model.fields().into_iter().filter_map(|field| codec::spec_item(&p, field));
    let (writer, reader) = (writer(), reader());
    quote! {
        #(#specs)*

        #[automatically_derived]
        impl #impl_generics #p::Wire for #ident #ty_generics #where_clause {
            const SCHEMA: #p::Schema = #schema;
            const MIN_BITS: #p::usize = #min_bits;

            #[inline]
            fn encode(&self, #writer: &mut #p::BitWriter) -> #p::Result<(), #p::EncodeError> {
                #encode
            }

            #[inline]
            fn decode(#reader: &mut #p::BitReader<'_>) -> #p::Result<Self, #p::DecodeError> {
                #decode
            }
        }
    }
}

/// The name of a type, a field or a variant as people and peers see it.
pub(super) fn name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// As `Type.field`, for errors.
pub(super) fn field_name(owner: &str, field: &Field) -> String {
    format!("{owner}.{}", member_name(&field.member))
}

pub(super) fn writer() -> Ident {
    local("writer__")
}

pub(super) fn reader() -> Ident {
    local("reader__")
}

/// What the four items of the trait hold.
struct Parts {
    schema: TokenStream,
    min_bits: TokenStream,
    encode: TokenStream,
    decode: TokenStream,
}

fn parts(p: &Private<'_>, model: &Carrier) -> Parts {
    match &model.body {
        Body::Struct(fields) => of_struct(p, &name(&model.ident), fields),
        Body::Enum(variants) => of_enum(p, &name(&model.ident), variants),
        Body::Refused => Parts {
            schema: quote!(#p::Schema::Unit),
            min_bits: quote!(0),
            encode: quote!(#p::Ok(())),
            decode: quote!(#p::derive::nothing()),
        },
    }
}

fn of_struct(p: &Private<'_>, owner: &str, fields: &[Field]) -> Parts {
    let (writer, reader) = (writer(), reader());
    let schemas = field_schemas(p, fields);
    let min_bits = fields.iter().map(|field| codec::min_bits(p, field));
    let encode = fields.iter().filter(|field| field.travels()).map(|field| {
        let member = &field.member;
        let encode = codec::encode(p, field, &quote!(&self.#member), &writer);
        let name = field_name(owner, field);
        quote!(#p::derive::in_field(#encode, #name)?;)
    });
    let construct = construct(p, fields, &reader);
    Parts {
        schema: quote!(#p::Schema::Struct(#owner, const { &#schemas })),
        min_bits: quote!(#p::derive::sum(&[#(#min_bits),*])),
        encode: quote!(#(#encode)* #p::Ok(())),
        decode: quote!(#p::Ok(Self #construct)),
    }
}

fn of_enum(p: &Private<'_>, owner: &str, variants: &[Variant]) -> Parts {
    let (writer, reader) = (writer(), reader());
    let count = variants.len() as u64;
    let schemas = variants.iter().map(|variant| {
        let (name, fields) = (name(&variant.ident), field_schemas(p, &variant.fields));
        quote!(#p::Variant { name: #name, fields: &#fields })
    });
    let min_bits = variants.iter().map(|variant| {
        let fields = variant.fields.iter().map(|field| codec::min_bits(p, field));
        quote!(#p::derive::sum(&[#(#fields),*]))
    });
    let encode_arms = (0_u64..).zip(variants).map(|(index, variant)| {
        let ident = &variant.ident;
        let owner = format!("{owner}::{}", name(ident));
        let members = variant.fields.iter().map(|field| &field.member);
        let bindings: Vec<Ident> =
            (0..variant.fields.len()).map(|i| local(&format!("field_{i}__"))).collect();
        let encode = variant.fields.iter().zip(&bindings).map(|(field, binding)| {
            let encode = codec::encode(p, field, &binding.to_token_stream(), &writer);
            let name = field_name(&owner, field);
            quote!(#p::derive::in_field(#encode, #name)?;)
        });
        quote! {
            Self::#ident { #(#members: #bindings),* } => {
                #p::variant::encode(#index, #count, #writer);
                #(#encode)*
            }
        }
    });
    let decode_arms = (0_u64..).zip(variants).map(|(index, variant)| {
        let ident = &variant.ident;
        let construct = construct(p, &variant.fields, &reader);
        quote!(#index => #p::Ok(Self::#ident #construct),)
    });
    let encode = if variants.is_empty() {
        quote!(match *self {})
    } else {
        quote!(match self { #(#encode_arms)* } #p::Ok(()))
    };
    let decode = if variants.is_empty() {
        quote!(#p::derive::nothing())
    } else {
        quote!(match #p::variant::decode(#count, #reader)? { #(#decode_arms)* _ => #p::derive::nothing() })
    };
    Parts {
        schema: quote!(#p::Schema::Enum(#owner, const { &[#(#schemas),*] })),
        min_bits: quote!(#p::derive::sum_of_variants(&[#(#min_bits),*])),
        encode,
        decode,
    }
}

/// `[Field { .. }, ..]` of those that travel.
fn field_schemas(p: &Private<'_>, fields: &[Field]) -> TokenStream {
    let fields = fields.iter().filter(|field| field.travels()).map(|field| {
        let (name, schema) = (member_name(&field.member), codec::schema(p, field));
        quote!(#p::Field { name: #name, schema: #schema })
    });
    quote!([#(#fields),*])
}

/// `{ member: decoded?, .. }`, which fits structs and variants of every style; fields are read in their order.
fn construct(p: &Private<'_>, fields: &[Field], reader: &Ident) -> TokenStream {
    let fields = fields.iter().map(|field| {
        let (member, decode) = (&field.member, codec::decode(p, field, reader));
        quote!(#member: #decode?)
    });
    quote!({ #(#fields),* })
}

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(ident) => name(ident),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// Bounds by field type, for the types that a type parameter has a part in: `Vec<T>: Wire`, not `T: Wire`. So
/// nothing is asked that the fields do not need.
pub(super) fn field_bounds(p: &Private<'_>, model: &Carrier) -> Vec<TokenStream> {
    let bound = |field: &Field| {
        let (ty, bounds) = (&field.ty, codec::bounds(p, field)?);
        Some(quote!(#ty: #bounds))
    };
    generic_fields(model).into_iter().filter_map(bound).collect()
}

/// The same for the fields that refer to entities.
pub(super) fn reference_bounds(p: &Private<'_>, model: &Carrier) -> Vec<TokenStream> {
    let bound = |Field { ty, .. }: &Field| quote!(#ty: #p::References);
    generic_fields(model).into_iter().filter(|field| field.entities).map(bound).collect()
}

fn generic_fields(model: &Carrier) -> Vec<&Field> {
    let params: HashSet<String> = model.generics.type_params().map(|param| param.ident.to_string()).collect();
    let mut fields = model.fields();
    fields.retain(|field| mentions(field.ty.to_token_stream(), &params));
    fields
}

fn mentions(tokens: TokenStream, params: &HashSet<String>) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => params.contains(&ident.to_string()),
        TokenTree::Group(group) => mentions(group.stream(), params),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
