//! One field: its schema, the fewest bits it takes, how it is written and how it is read.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Ident};

use super::{Private, local};
use crate::model::{Codec, Field};

/// `Schema`
pub(super) fn schema(p: &Private<'_>, field: &Field) -> TokenStream {
    let (p, ty) = (&p.at(field.ty.span()), &field.ty);
    let of = quote_spanned!(p.span=> <#ty as #p::Wire>::SCHEMA);
    let spec = spec(p, field);
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
        Codec::Bits(_) => quote!(#p::Schema::Bits { of: &#of, bits: #spec }),
        Codec::Limited(_) => quote!(#p::Schema::Limited { of: &#of, max_len: #spec }),
        Codec::With(module) => quote!(#module::SCHEMA),
        Codec::Skip | Codec::Refused => quote!(#p::Schema::Unit),
    }
}

/// `usize`
pub(super) fn min_bits(p: &Private<'_>, field: &Field) -> TokenStream {
    let (p, ty) = (&p.at(field.ty.span()), &field.ty);
    let (codec, spec) = (codec_trait(p, field), spec(p, field));
    let bits = match &field.codec {
        Codec::Wire => return quote_spanned!(p.span=> <#ty as #p::Wire>::MIN_BITS),
        Codec::With(module) => return quote!(#module::MIN_BITS),
        Codec::Skip | Codec::Refused => return quote!(0),
        Codec::Quantized { .. } | Codec::Ranged { .. } => quote!(#spec.bits()),
        Codec::Bits(_) => spec,
        Codec::Limited(_) => quote_spanned!(p.span=> #p::length_bits(#spec)),
    };
    quote_spanned!(p.span=> #p::derive::product(<#ty as #codec>::COMPONENTS, #bits))
}

/// `Result<(), EncodeError>`; `place` is a reference to the field.
pub(super) fn encode(p: &Private<'_>, field: &Field, place: &TokenStream, writer: &Ident) -> TokenStream {
    let (p, ty) = (&p.at(field.ty.span()), &field.ty);
    let (codec, spec) = (codec_trait(p, field), spec(p, field));
    match &field.codec {
        Codec::Wire => quote_spanned!(p.span=> <#ty as #codec>::encode(#place, #writer)),
        Codec::Quantized { .. } => {
            quote_spanned!(p.span=> <#ty as #codec>::encode_quantized(#place, &#spec, #writer))
        }
        Codec::Ranged { .. } => {
            quote_spanned!(p.span=> <#ty as #codec>::encode_ranged(#place, &#spec, #writer))
        }
        Codec::Bits(_) => quote_spanned!(p.span=> <#ty as #codec>::encode_bits(#place, #spec, #writer)),
        Codec::Limited(_) => {
            quote_spanned!(p.span=> <#ty as #codec>::encode_limited(#place, #spec, #writer))
        }
        Codec::With(module) => quote_spanned!(p.span=> #module::encode(#place, #writer)),
        Codec::Skip | Codec::Refused => quote!(#p::Ok(())),
    }
}

/// `Result<T, DecodeError>`
pub(super) fn decode(p: &Private<'_>, field: &Field, reader: &Ident) -> TokenStream {
    let (p, ty) = (&p.at(field.ty.span()), &field.ty);
    let (codec, spec) = (codec_trait(p, field), spec(p, field));
    match &field.codec {
        Codec::Wire => quote_spanned!(p.span=> <#ty as #codec>::decode(#reader)),
        Codec::Quantized { .. } => {
            quote_spanned!(p.span=> <#ty as #codec>::decode_quantized(&#spec, #reader))
        }
        Codec::Ranged { .. } => quote_spanned!(p.span=> <#ty as #codec>::decode_ranged(&#spec, #reader)),
        Codec::Bits(_) => quote_spanned!(p.span=> <#ty as #codec>::decode_bits(#spec, #reader)),
        Codec::Limited(_) => quote_spanned!(p.span=> <#ty as #codec>::decode_limited(#spec, #reader)),
        Codec::With(module) => quote_spanned!(p.span=> #module::decode(#reader)),
        Codec::Skip => quote_spanned!(p.span=> #p::Ok(<#ty as #p::Default>::default())),
        Codec::Refused => quote!(#p::derive::nothing()),
    }
}

/// What the type of the field must implement.
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

/// The constant that the field's codec works with, as an item: evaluated once, its failure is one error. Where the
/// type is generic there is no such item, since it could not name the parameters.
pub(super) fn spec_item(p: &Private<'_>, field: &Field) -> Option<TokenStream> {
    let (ty, value) = checked_spec(p, field)?;
    let name = spec_name(field);
    (!p.generic).then(|| quote!(const #name: #ty = #value;))
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

fn spec(p: &Private<'_>, field: &Field) -> TokenStream {
    let name = spec_name(field);
    match checked_spec(p, field) {
        Some((_, value)) if p.generic => quote!(const { #value }),
        Some(_) => quote!(#name),
        None => TokenStream::new(),
    }
}

fn spec_name(field: &Field) -> Ident {
    local(&format!("SPEC_{}__", field.number))
}

/// Type and value. The value checks itself, and its panic is a compile error on the attribute.
fn checked_spec(p: &Private<'_>, field: &Field) -> Option<(TokenStream, TokenStream)> {
    let ty = &field.ty;
    let spec = match &field.codec {
        Codec::Quantized { min, max, step } => {
            let p = &p.at(min.span());
            let (min, max, step) = (number(p, min), number(p, max), number(p, step));
            (quote!(#p::Quantizer), quote_spanned!(p.span=> #p::Quantizer::new::<#ty>(#min, #max, #step)))
        }
        Codec::Ranged { min, max } => {
            let p = &p.at(min.span());
            let (min, max) = (integer(p, min), integer(p, max));
            (quote!(#p::RangeSpec), quote_spanned!(p.span=> #p::RangeSpec::new(#min, #max)))
        }
        Codec::Bits(bits) => {
            let p = &p.at(bits.span());
            (quote!(#p::u32), quote_spanned!(p.span=> #p::derive::checked_bits(#bits)))
        }
        Codec::Limited(max_len) => (quote!(#p::usize), quote!(#max_len)),
        Codec::Wire | Codec::With(_) | Codec::Skip | Codec::Refused => return None,
    };
    Some(spec)
}

/// Attributes may give a constant of any numeric type: `MAX_SPEED` of `f32`, a plain `0` for `0.0`.
fn number(p: &Private<'_>, expr: &Expr) -> TokenStream {
    let p = &p.at(expr.span());
    quote_spanned!(p.span=> (#expr) as #p::f64)
}

fn integer(p: &Private<'_>, expr: &Expr) -> TokenStream {
    let p = &p.at(expr.span());
    quote_spanned!(p.span=> (#expr) as #p::i128)
}
