//! One field: its schema, the fewest bits it takes, how it is written and how it is read.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Ident};

use super::{Private, pointing_at};
use crate::model::{Codec, Field};

/// `Schema`
pub(super) fn schema(p: &Private<'_>, field: &Field) -> TokenStream {
    let ty = &field.ty;
    let of = quote_spanned!(pointing_at(ty.span())=> <#ty as #p::Wire>::SCHEMA);
    match &field.codec {
        Codec::Wire => of,
        Codec::Quantized { min, max, step } => {
            let (min, max, step) = (number(p, min), number(p, max), number(p, step));
            quote!(#p::Schema::Quantized { of: &#of, min: #min, max: #max, step: #step })
        }
        Codec::Ranged { min, max } => {
            let (min, max) = (integer(p, min), integer(p, max));
            quote!(#p::Schema::Ranged { of: &#of, min: #min, max: #max })
        }
        Codec::Bits(bits) => quote!(#p::Schema::Bits { of: &#of, bits: #bits }),
        Codec::Limited(max_len) => quote!(#p::Schema::Limited { of: &#of, max_len: #max_len }),
        Codec::With(module) => quote!(#module::SCHEMA),
        Codec::Skip | Codec::Refused => quote!(#p::Schema::Unit),
    }
}

/// `usize`
pub(super) fn min_bits(p: &Private<'_>, field: &Field) -> TokenStream {
    let ty = &field.ty;
    let at = pointing_at(ty.span());
    match &field.codec {
        Codec::Wire => quote_spanned!(at=> <#ty as #p::Wire>::MIN_BITS),
        Codec::Quantized { .. } | Codec::Ranged { .. } => {
            let (codec, spec) = (codec_trait(p, field), spec(p, field));
            quote_spanned!(at=> #p::derive::product(<#ty as #codec>::COMPONENTS, #spec.bits()))
        }
        Codec::Bits(_) => {
            let (codec, spec) = (codec_trait(p, field), spec(p, field));
            quote_spanned!(at=> #p::derive::product(<#ty as #codec>::COMPONENTS, #spec))
        }
        Codec::Limited(max_len) => {
            let codec = codec_trait(p, field);
            quote_spanned! {at=>
                #p::derive::product(<#ty as #codec>::COMPONENTS, #p::length_bits(#max_len))
            }
        }
        Codec::With(module) => quote!(#module::MIN_BITS),
        Codec::Skip | Codec::Refused => quote!(0),
    }
}

/// `Result<(), EncodeError>`; `place` is a reference to the field.
pub(super) fn encode(p: &Private<'_>, field: &Field, place: &TokenStream, writer: &Ident) -> TokenStream {
    let ty = &field.ty;
    let at = pointing_at(ty.span());
    let (codec, spec) = (codec_trait(p, field), spec(p, field));
    match &field.codec {
        Codec::Wire => quote_spanned!(at=> <#ty as #codec>::encode(#place, #writer)),
        Codec::Quantized { .. } => {
            quote_spanned!(at=> <#ty as #codec>::encode_quantized(#place, &const { #spec }, #writer))
        }
        Codec::Ranged { .. } => {
            quote_spanned!(at=> <#ty as #codec>::encode_ranged(#place, &const { #spec }, #writer))
        }
        Codec::Bits(_) => quote_spanned!(at=> <#ty as #codec>::encode_bits(#place, const { #spec }, #writer)),
        Codec::Limited(_) => {
            quote_spanned!(at=> <#ty as #codec>::encode_limited(#place, const { #spec }, #writer))
        }
        Codec::With(module) => quote_spanned!(at=> #module::encode(#place, #writer)),
        Codec::Skip | Codec::Refused => quote!(#p::Ok(())),
    }
}

/// `Result<T, DecodeError>`
pub(super) fn decode(p: &Private<'_>, field: &Field, reader: &Ident) -> TokenStream {
    let ty = &field.ty;
    let at = pointing_at(ty.span());
    let (codec, spec) = (codec_trait(p, field), spec(p, field));
    match &field.codec {
        Codec::Wire => quote_spanned!(at=> <#ty as #codec>::decode(#reader)),
        Codec::Quantized { .. } => {
            quote_spanned!(at=> <#ty as #codec>::decode_quantized(&const { #spec }, #reader))
        }
        Codec::Ranged { .. } => quote_spanned!(at=> <#ty as #codec>::decode_ranged(&const { #spec }, #reader)),
        Codec::Bits(_) => quote_spanned!(at=> <#ty as #codec>::decode_bits(const { #spec }, #reader)),
        Codec::Limited(_) => quote_spanned!(at=> <#ty as #codec>::decode_limited(const { #spec }, #reader)),
        Codec::With(module) => quote_spanned!(at=> #module::decode(#reader)),
        Codec::Skip => quote_spanned!(at=> #p::Ok(<#ty as #p::Default>::default())),
        Codec::Refused => quote!(#p::derive::nothing()),
    }
}

/// What the type of the field must implement, besides nothing.
pub(super) fn bounds(p: &Private<'_>, field: &Field) -> Option<TokenStream> {
    match &field.codec {
        Codec::Wire => Some(quote!(#p::Wire)),
        // The schema names the type that is quantized, ranged, ..
        Codec::Quantized { .. } | Codec::Ranged { .. } | Codec::Bits(_) | Codec::Limited(_) => {
            let codec = codec_trait(p, field);
            Some(quote!(#p::Wire + #codec))
        }
        Codec::Skip => Some(quote!(#p::Default)),
        Codec::With(_) | Codec::Refused => None,
    }
}

fn codec_trait(p: &Private<'_>, field: &Field) -> TokenStream {
    match &field.codec {
        Codec::Quantized { .. } => quote!(#p::Quantize),
        Codec::Ranged { .. } => quote!(#p::RangedInt),
        Codec::Bits(_) => quote!(#p::FixedBits),
        Codec::Limited(_) => quote!(#p::LengthLimited),
        Codec::Wire | Codec::With(_) | Codec::Skip | Codec::Refused => quote!(#p::Wire),
    }
}

/// The constant that the codec works with; it checks itself, and its panic is a compile error on the attribute.
fn spec(p: &Private<'_>, field: &Field) -> TokenStream {
    let ty = &field.ty;
    match &field.codec {
        Codec::Quantized { min, max, step } => {
            let at = pointing_at(min.span().join(max.span()).unwrap_or(min.span()));
            let (min, max, step) = (number(p, min), number(p, max), number(p, step));
            quote_spanned!(at=> #p::Quantizer::new::<#ty>(#min, #max, #step))
        }
        Codec::Ranged { min, max } => {
            let at = pointing_at(min.span().join(max.span()).unwrap_or(min.span()));
            let (min, max) = (integer(p, min), integer(p, max));
            quote_spanned!(at=> #p::RangeSpec::new(#min, #max))
        }
        Codec::Bits(bits) => quote_spanned!(pointing_at(bits.span())=> #p::derive::checked_bits(#bits)),
        Codec::Limited(max_len) => max_len.to_token_stream(),
        Codec::Wire | Codec::With(_) | Codec::Skip | Codec::Refused => TokenStream::new(),
    }
}

/// Attributes may give a constant of any numeric type: `MAX_SPEED` of `f32`, a plain `0` for `0.0`.
fn number(p: &Private<'_>, expr: &Expr) -> TokenStream {
    quote_spanned!(pointing_at(expr.span())=> (#expr) as #p::f64)
}

fn integer(p: &Private<'_>, expr: &Expr) -> TokenStream {
    quote_spanned!(pointing_at(expr.span())=> (#expr) as #p::i128)
}
