//! The derive macros of Bowline. Use them through the `bowline` crate.
//!
//! Every derive goes through four layers: `parse` (tokens into raw settings), `validate` (the only one that says no,
//! with all errors at once), `model` (what is to be generated, without open questions) and `expand` (which cannot
//! fail). What was refused is left out of the model, and the rest is generated all the same: the user sees the error
//! and not the thirty that would follow from a missing impl.

mod expand;
mod model;
mod parse;
mod validate;

use proc_macro::TokenStream;

use parse::Input;
use validate::Errors;

#[proc_macro_derive(Wire, attributes(wire))]
pub fn wire(input: TokenStream) -> TokenStream {
    derive(input, &["wire"], validate::wire, |model| expand::wire(&model))
}

#[proc_macro_derive(Message, attributes(wire))]
pub fn message(input: TokenStream) -> TokenStream {
    derive(input, &["wire"], validate::message, |model| expand::message(&model))
}

#[proc_macro_derive(Request, attributes(wire, request))]
pub fn request(input: TokenStream) -> TokenStream {
    derive(input, &["wire", "request"], validate::request, |model| expand::request(&model))
}

#[proc_macro_derive(Channel, attributes(channel))]
pub fn channel(input: TokenStream) -> TokenStream {
    derive(input, &["channel"], validate::channel, |model| expand::channel(&model))
}

#[proc_macro_derive(Replicate, attributes(wire, replicate))]
pub fn replicate(input: TokenStream) -> TokenStream {
    derive(input, &["wire", "replicate"], validate::replicate, |model| expand::replicate(&model))
}

#[proc_macro_derive(Protocol, attributes(protocol))]
pub fn protocol(input: TokenStream) -> TokenStream {
    derive(input, &["protocol"], validate::protocol, |model| expand::protocol(&model))
}

fn derive<Model>(
    input: TokenStream,
    attributes: &[&'static str],
    validate: impl FnOnce(Input, &mut Errors) -> Model,
    expand: impl FnOnce(Model) -> proc_macro2::TokenStream,
) -> TokenStream {
    let input = match syn::parse(input) {
        Ok(input) => Input::parse(input, attributes),
        Err(error) => return error.into_compile_error().into(),
    };
    let mut errors = Errors::default();
    let mut tokens = expand(validate(input, &mut errors));
    if let Some(errors) = errors.into_error() {
        tokens.extend(errors.into_compile_error());
    }
    tokens.into()
}
