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

/// Derives [`Wire`](trait.Wire.html): how a struct or an enum becomes bits, and how bits become it.
///
/// Fields follow each other in their order. An enum begins with the number of its variant, by place and not by
/// discriminant, in the fewest bits. Type parameters are bound by the fields that they are part of.
///
/// | on a field | for | bits |
/// |---|---|---|
/// | `#[wire(range = a..=b, step = s)]` | `f32`, `f64`; vectors, arrays, options of them | as many as count the steps |
/// | `#[wire(range = a..=b)]` | integers and options of them | as many as count the range |
/// | `#[wire(bits = n)]` | integers: `n` bits; unit quaternions: `n` bits for each of three components | |
/// | `#[wire(max_len = n)]` | `String` (bytes), `Vec`, `BTreeMap`, `BTreeSet` (elements), options of them | as many as count to `n`, for the length |
/// | `#[wire(with = "path::to::module")]` | any type: the module has `SCHEMA`, `MIN_BITS`, `encode`, `decode` | what it writes |
///
/// A field has at most one of these rows. The values are constant expressions: `range = -SPEED..=SPEED`.
///
/// | on the type | |
/// |---|---|
/// | `#[wire(crate = "path::to::bowline")]` | where the facade is, if it is not `::bowline` |
///
/// # Limits
/// No unions, no lifetime parameters (what arrives owns its data), no type that contains itself (its schema would have
/// no end). The range of a number is checked at compile time; whether a value lies in it, when it is written.
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Wire)]
/// enum Shape {
///     Point,
///     Circle { #[wire(range = 0.0..=10.0, step = 0.1)] radius: f32 },
/// }
///
/// assert_eq!(Shape::SCHEMA.to_string(), "Shape<Point | Circle{radius: f32 in 0..=10 by 0.1}>");
/// ```
#[proc_macro_derive(Wire, attributes(wire))]
pub fn wire(input: TokenStream) -> TokenStream {
    derive(input, &["wire"], validate::wire, |model| expand::wire(&model))
}

/// Derives [`Message`](trait.Message.html), and [`Wire`](derive.Wire.html) with it: do not derive both.
///
/// | on a field | for | bits |
/// |---|---|---|
/// | `#[wire(range = a..=b, step = s)]` | `f32`, `f64`; vectors, arrays, options of them | as many as count the steps |
/// | `#[wire(range = a..=b)]` | integers and options of them | as many as count the range |
/// | `#[wire(bits = n)]` | integers: `n` bits; unit quaternions: `n` bits for each of three components | |
/// | `#[wire(max_len = n)]` | `String` (bytes), `Vec`, `BTreeMap`, `BTreeSet` (elements), options of them | as many as count to `n`, for the length |
/// | `#[wire(with = "path::to::module")]` | any type: the module has `SCHEMA`, `MIN_BITS`, `encode`, `decode` | what it writes |
///
/// A field has at most one of these rows. The values are constant expressions: `range = -SPEED..=SPEED`.
///
/// | on the type | |
/// |---|---|
/// | `#[wire(crate = "path::to::bowline")]` | where the facade is, if it is not `::bowline` |
///
/// # Limits
/// Those of [`Wire`](derive.Wire.html). A type cannot be a message and a component or a request at once: wrap it.
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Message)]
/// struct Chat {
///     #[wire(max_len = 256)]
///     text: String,
/// }
///
/// assert_eq!(Chat::NAME, "Chat");
/// ```
#[proc_macro_derive(Message, attributes(wire))]
pub fn message(input: TokenStream) -> TokenStream {
    derive(input, &["wire"], validate::message, |model| expand::message(&model))
}

/// Derives [`Request`](trait.Request.html), and [`Wire`](derive.Wire.html) with it: do not derive both.
///
/// | on the type | |
/// |---|---|
/// | `#[request(response = Type)]` | what answers it: any type that derives `Wire`. Needed |
/// | `#[wire(crate = "path::to::bowline")]` | where the facade is, if it is not `::bowline` |
///
/// On fields stand the attributes of [`Wire`](derive.Wire.html), whose limits hold too.
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Wire)]
/// struct Joined {
///     players: u8,
/// }
///
/// #[derive(Request)]
/// #[request(response = Joined)]
/// struct Join;
/// # let _ = (Join, Joined { players: 1 }.players);
/// ```
#[proc_macro_derive(Request, attributes(wire, request))]
pub fn request(input: TokenStream) -> TokenStream {
    derive(input, &["wire", "request"], validate::request, |model| expand::request(&model))
}

/// Derives [`Channel`](trait.Channel.html) for a unit struct, and `ToServer` and `ToClient` as its direction says.
///
/// `#[channel(MODE, DIRECTION)]`, and in it
/// * `weight = 4`, a `u16`: its share of what the connection may send, next to the weights of the other channels that
///   have something to send; 1 where none is given. Both sides need not agree on it.
/// * `crate = "path::to::bowline"` if the facade is not `::bowline`.
///
/// | mode | each message |
/// |---|---|
/// | `unordered_unreliable` | arrives once or not at all |
/// | `sequenced_unreliable` | the same, and never after a newer one |
/// | `unordered_reliable` | arrives once, as soon as it can |
/// | `sequenced_reliable` | the newest arrives, older ones may be dropped |
/// | `ordered_reliable` | arrives once, in the order of sending |
/// | `tick_buffered` | arrives at the tick that it was made for, or not at all; `to_server` alone |
///
/// | direction | who sends |
/// |---|---|
/// | `to_server` | clients |
/// | `to_client` | the server |
/// | `bidirectional` | both |
///
/// # Limits
/// No fields and no generic parameters.
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Channel)]
/// #[channel(ordered_reliable, bidirectional)]
/// struct Talk;
///
/// assert!(Talk::SPEC.mode.is_reliable());
/// ```
#[proc_macro_derive(Channel, attributes(channel))]
pub fn channel(input: TokenStream) -> TokenStream {
    derive(input, &["channel"], validate::channel, |model| expand::channel(&model))
}

/// Derives [`Replicate`](trait.Replicate.html) for a plain struct, and [`Wire`](derive.Wire.html) with it: do not
/// derive both.
///
/// | where | attribute | |
/// |---|---|---|
/// | field | `#[wire(..)]` | as in [`Wire`](derive.Wire.html) |
/// | field | `#[replicate(skip)]` | does not travel; `Default` makes it on the other side, and updates leave it alone |
/// | field | `#[replicate(entities)]` | it refers to entities: an option, a vector or an array of `NetEntity`, or what else implements [`References`](trait.References.html). A field of type `NetEntity` needs no attribute |
/// | type | `#[replicate(atomic)]` | one field: the value always travels as a whole |
/// | type | `#[replicate(immutable)]` | it stays as it was inserted; all others are [`Mutable`](trait.Mutable.html) |
/// | type | `#[wire(crate = "path::to::bowline")]` | where the facade is, if it is not `::bowline` |
///
/// # Limits
/// At most 64 fields that travel, unless it is atomic. No enums: put one into a field. Those of
/// [`Wire`](derive.Wire.html).
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Replicate)]
/// struct Position {
///     #[wire(range = -4096.0..=4096.0, step = 0.01)]
///     x: f32,
///     #[wire(range = -4096.0..=4096.0, step = 0.01)]
///     y: f32,
///     #[replicate(skip)]
///     last_seen: Option<std::time::Instant>,
/// }
///
/// assert_eq!(Position::FIELDS, 2);
/// ```
///
/// A component that never changes, and so costs nothing but its insertion:
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Replicate)]
/// #[replicate(immutable)]
/// struct Class(u8);
///
/// assert!(Class::IMMUTABLE);
/// # let _ = Class(1).0;
/// ```
///
/// One that refers to other entities:
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Replicate)]
/// struct Turret {
///     mounted_on: NetEntity,
///     #[replicate(entities)]
///     target: Option<NetEntity>,
/// }
///
/// let turret = Turret { mounted_on: NetEntity::new(1, 0), target: Some(NetEntity::new(7, 0)) };
/// let mut slots = Vec::new();
/// turret.references(&mut |entity| slots.push(entity.slot()));
/// assert_eq!(slots, [1, 7]);
/// ```
#[proc_macro_derive(Replicate, attributes(wire, replicate))]
pub fn replicate(input: TokenStream) -> TokenStream {
    derive(input, &["wire", "replicate"], validate::replicate, |model| expand::replicate(&model))
}

/// Derives [`Protocol`](trait.Protocol.html) for a unit struct: all that a server and its clients agree on.
///
/// | in `#[protocol(..)]` | |
/// |---|---|
/// | `tick_rate = 20` | ticks per second, from 1 to 1000. Needed |
/// | `auth = Login` | what a client shows to be let in, any type that derives `Wire`; `()` if not given |
/// | `channels(..)` | types that derive `Channel`, at most 64; 62 beside components and resources, which need two |
/// | `messages(..)` | types that derive `Message` |
/// | `requests(..)` | types that derive `Request` |
/// | `components(..)`, `resources(..)` | types that derive `Replicate` |
/// | `entity_weight = 8`, a `u16` | the share of components and resources in what a connection may send, next to the weights of the channels; 4 if not given. Both sides need not agree on it |
/// | `derive(Clone, Debug, ..)` | what the enums derive; every item must have it |
/// | `crate = "path::to::bowline"` | where the facade is, if it is not `::bowline` |
///
/// For `Arena` it makes the enums `ArenaMessage`, `ArenaRequest`, `ArenaComponent` and `ArenaResource`, as public as
/// `Arena`, beside it. A variant is named as the last part of its item's path, and each has `From` of its item. The
/// enum `ArenaRequested` is what a request is to the side that is asked: its variants hold an `Asked<..>`, which is
/// the request and the right to answer it. The enums `ArenaComponentKind` and `ArenaResourceKind` are names without
/// values; their variants are called alike.
///
/// The order of a list gives its items their numbers: a change of it is a change of the protocol's identity.
///
/// # Limits
/// No fields and no generic parameters. Within one list the items have different names.
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Message, Debug, PartialEq)]
/// struct Chat(#[wire(max_len = 256)] String);
///
/// #[derive(Channel)]
/// #[channel(ordered_reliable, bidirectional)]
/// struct Talk;
///
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20, channels(Talk), messages(Chat), derive(Debug, PartialEq))]
/// struct Arena;
///
/// const ID: ProtocolId = Arena::ID; // at compile time
/// assert_eq!(ArenaMessage::from(Chat("hi".into())), ArenaMessage::Chat(Chat("hi".into())));
/// ```
///
/// With entities, which here get twice the share that they would have:
///
/// ```
/// use bowline::prelude::*;
///
/// #[derive(Replicate)]
/// struct Health(u8);
///
/// #[derive(Replicate)]
/// struct Score(u32);
///
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20, components(Health), resources(Score), entity_weight = 8)]
/// struct Arena;
///
/// assert_eq!(<Health as ComponentOf<Arena>>::KIND, ArenaComponentKind::Health);
/// assert_eq!(<Score as ResourceOf<Arena>>::KIND, ArenaResourceKind::Score);
/// # let _ = (Health(1).0, Score(1).0);
/// ```
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
