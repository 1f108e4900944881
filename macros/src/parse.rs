//! Tokens into raw settings. Nothing is judged here: what is no syntax at all is kept as an error for *validate*.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Fields, Generics, Ident, Token, Type, Visibility, parenthesized, token};

/// Keys whose value is a type; every other value is an expression.
const TYPE_KEYS: [&str; 2] = ["auth", "response"];

/// Keys that are lists of types, or of paths, which read the same.
const LIST_KEYS: [&str; 6] = ["channels", "messages", "requests", "components", "resources", "derive"];

/// What stands under a `#[derive(..)]`.
pub(crate) struct Input {
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) settings: Settings,
    pub(crate) data: Data,
}

pub(crate) enum Data {
    Struct { unit: bool, fields: Vec<Field> },
    Enum(Vec<Variant>),
    Union(Span),
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) settings: Settings,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    /// None in a tuple.
    pub(crate) ident: Option<Ident>,
    pub(crate) ty: Type,
    pub(crate) settings: Settings,
}

/// All that the derive's own attributes say in one place.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) given: Vec<Setting>,
    pub(crate) errors: Vec<syn::Error>,
}

/// `key`, `key = value` or `key(..)`.
pub(crate) struct Setting {
    /// The attribute it stands in: `wire`, `channel`, ..
    pub(crate) attribute: &'static str,
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    None,
    Expr(Expr),
    Type(Type),
    List(Vec<Type>),
    /// `key(..)` where the key is no list.
    Brackets,
}

impl Setting {
    pub(crate) fn is(&self, attribute: &str, key: &str) -> bool {
        self.attribute == attribute && self.key == key
    }
}

impl Input {
    /// Reads the attributes named in `attributes` and leaves all others alone.
    pub(crate) fn parse(input: syn::DeriveInput, attributes: &[&'static str]) -> Self {
        let fields = |fields: Fields| -> Vec<Field> {
            fields.into_iter().map(|field| Field::parse(field, attributes)).collect()
        };
        let data = match input.data {
            syn::Data::Struct(data) => {
                Data::Struct { unit: matches!(data.fields, Fields::Unit), fields: fields(data.fields) }
            }
            syn::Data::Enum(data) => Data::Enum(
                data.variants
                    .into_iter()
                    .map(|variant| Variant {
                        ident: variant.ident,
                        settings: Settings::parse(&variant.attrs, attributes),
                        fields: fields(variant.fields),
                    })
                    .collect(),
            ),
            syn::Data::Union(data) => Data::Union(data.union_token.span),
        };
        let settings = Settings::parse(&input.attrs, attributes);
        Self { vis: input.vis, ident: input.ident, generics: input.generics, settings, data }
    }
}

impl Field {
    fn parse(field: syn::Field, attributes: &[&'static str]) -> Self {
        let settings = Settings::parse(&field.attrs, attributes);
        Self { ident: field.ident, ty: field.ty, settings }
    }
}

impl Settings {
    fn parse(attrs: &[Attribute], attributes: &[&'static str]) -> Self {
        let mut settings = Self::default();
        for attr in attrs {
            if let Some(name) = attributes.iter().find(|name| attr.path().is_ident(name)) {
                settings.read(attr, name);
            }
        }
        settings
    }

    /// What stands before a syntax error is kept: its own errors are worth showing too.
    fn read(&mut self, attr: &Attribute, attribute: &'static str) {
        let given = &mut self.given;
        let parsed = attr.parse_args_with(|stream: ParseStream<'_>| {
            while !stream.is_empty() {
                given.push(Setting::parse(stream, attribute)?);
                if !stream.is_empty() {
                    stream.parse::<Token![,]>()?;
                }
            }
            Ok(())
        });
        self.errors.extend(parsed.err());
    }
}

impl Setting {
    fn parse(stream: ParseStream<'_>, attribute: &'static str) -> syn::Result<Self> {
        // `crate` is a keyword, and a key here.
        let key = Ident::parse_any(stream)?;
        let value = if stream.peek(Token![=]) {
            stream.parse::<Token![=]>()?;
            if TYPE_KEYS.iter().any(|type_key| key == type_key) {
                Value::Type(stream.parse()?)
            } else {
                Value::Expr(stream.parse()?)
            }
        } else if stream.peek(token::Paren) {
            let list;
            parenthesized!(list in stream);
            if LIST_KEYS.iter().any(|list_key| key == list_key) {
                Value::List(Punctuated::<Type, Token![,]>::parse_terminated(&list)?.into_iter().collect())
            } else {
                list.parse::<TokenStream>()?;
                Value::Brackets
            }
        } else {
            Value::None
        };
        Ok(Self { attribute, key, value })
    }
}
