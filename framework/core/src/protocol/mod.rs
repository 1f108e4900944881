//! What a server and a client agree on: the traits behind `#[derive(Message)]`, `#[derive(Channel)]`,
//! `#[derive(Request)]`, `#[derive(Replicate)]` and `#[derive(Protocol)]`.

use std::fmt;

use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, Schema, Wire, bits_for};

use crate::requests::AnyResponder;

mod channel;
#[doc(hidden)]
pub mod derive;
mod description;
mod entity;
mod items;
mod replicate;

pub use channel::{CarriesRequests, Channel, ChannelSpec, Direction, Mode, ToClient, ToServer};
pub use description::{DESCRIPTION_LIMIT, Description, Difference, ItemKind, Mismatch};
pub use entity::{NetEntity, References};
pub use items::{Both, Family, ItemVisitor, MessageVisitor, One, RequestVisitor};
pub use replicate::{FieldMask, Mutable, Replicate};

/// A message: something one side says to the other. Derived by `#[derive(Message)]`, which derives
/// [`Wire`] too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "not a message",
    note = "derive it: `#[derive(Message)]`"
)]
pub trait Message: Wire + Send + Sync + 'static {
    /// The name of the type, as a mismatch report shows it.
    const NAME: &'static str;
}

/// A question with an answer. Derived by `#[derive(Request)] #[request(response = ..)]`, which derives
/// [`Wire`] too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "not a request",
    note = "derive it: `#[derive(Request)]` with `#[request(response = ..)]`"
)]
pub trait Request: Wire + Send + Sync + 'static {
    /// The name of the type, as a mismatch report shows it.
    const NAME: &'static str;
    /// What answers it.
    type Response: Wire + Send + Sync + 'static;
}

/// Everything a server and its clients must agree on. Derived by `#[derive(Protocol)]`.
///
/// Both sides are built with a protocol; they connect only if its [`ID`](Self::ID) is the same. It is a constant over
/// all that shapes the wire: names, order, field types, quantization, limits, channel modes and directions, tick
/// rate, and the version of this library's own packets.
///
/// Not meant to be implemented by hand: the derive also writes which items belong to it ([`MessageOf`] and the
/// like), and checks them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol",
    label = "not a protocol",
    note = "derive it: `#[derive(Protocol)]` with `#[protocol(tick_rate = .., channels(..), messages(..))]`"
)]
pub trait Protocol: Sized + 'static {
    /// The name of the type.
    const NAME: &'static str;
    /// All that shapes the wire.
    const SCHEMA: ProtocolSchema;
    /// The identity that both sides compare before anything else.
    const ID: ProtocolId = ProtocolId::of(&Self::SCHEMA);
    /// Ticks per second.
    const TICK_RATE: u16 = Self::SCHEMA.tick_rate;

    /// What a client shows to be let in.
    type Auth: Wire + Send + Sync + 'static;
    /// Any message: an enum with a variant for each.
    type Message: Wire + Send + Sync + 'static;
    /// Any request.
    type Request: Wire + Send + Sync + 'static;
    /// Any component.
    type Component: Wire + Send + Sync + 'static;
    /// Any resource.
    type Resource: Wire + Send + Sync + 'static;
    /// Which component: an enum without values.
    type ComponentKind: fmt::Debug + Copy + Eq + Send + Sync + 'static;
    /// Which resource: an enum without values.
    type ResourceKind: fmt::Debug + Copy + Eq + Send + Sync + 'static;
    /// Something for each component.
    type Components<F: Family>: Default + Send + Sync + 'static;
    /// Something for each resource.
    type Resources<F: Family>: Default + Send + Sync + 'static;
    /// Any request that arrived, with the right to answer it: an enum with an [`Asked`](crate::Asked) for each.
    type Requested: fmt::Debug + Send + Sync + 'static;
    /// The types of the components as a tree of [`One`] and [`Both`], `()` where there are none: for adapters, which ask
    /// more of each than this library does.
    #[doc(hidden)]
    type ComponentTypes;
    /// The types of the resources, likewise.
    #[doc(hidden)]
    type ResourceTypes;

    /// Does something with a component or resource that is known by its number: components come first, in the order of the
    /// lists. `None` where there is no such number.
    #[doc(hidden)]
    fn with_item<V: ItemVisitor<Self>>(number: usize, visitor: V) -> Option<V::Output>;

    /// Does something with a message whose type is not known.
    #[doc(hidden)]
    fn with_message<V: MessageVisitor<Self>>(message: Self::Message, visitor: V);

    /// Names every message's type once.
    #[doc(hidden)]
    fn each_message<V: MessageVisitor<Self>>(visitor: &mut V);

    /// Does something with a request that arrived and whose type is not known.
    #[doc(hidden)]
    fn with_requested<V: RequestVisitor<Self>>(requested: Self::Requested, visitor: V);

    /// Names every request's type once.
    #[doc(hidden)]
    fn each_request<V: RequestVisitor<Self>>(visitor: &mut V);

    /// A request that arrived.
    #[doc(hidden)]
    fn requested(request: Self::Request, responder: AnyResponder) -> Self::Requested;
}

/// The identity of a protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtocolId(u64);

impl ProtocolId {
    /// The identity that belongs to a schema.
    #[must_use]
    pub const fn of(schema: &ProtocolSchema) -> Self {
        Self(schema.fingerprint())
    }

    /// An identity from its number: what arrived in a packet.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its number.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for ProtocolId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::fmt::Debug for ProtocolId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProtocolId({self})")
    }
}

/// The version of this library's own packets; part of every protocol's identity.
pub const WIRE_VERSION: u16 = 1;

/// All that shapes the wire of a protocol, as a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProtocolSchema {
    /// Ticks per second.
    pub tick_rate: u16,
    /// What a client shows to be let in.
    pub auth: Schema,
    /// The channels, in the order that gives them their numbers.
    pub channels: &'static [ChannelSpec],
    /// The messages, in the order that gives them their numbers.
    pub messages: &'static [ItemSchema],
    /// The requests, in the order that gives them their numbers.
    pub requests: &'static [RequestSchema],
    /// The components, in the order that gives them their numbers.
    pub components: &'static [ItemSchema],
    /// The resources, in the order that gives them their numbers.
    pub resources: &'static [ItemSchema],
}

/// A message, component or resource of a protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ItemSchema {
    /// The name of the type.
    pub name: &'static str,
    /// Its bits.
    pub schema: Schema,
}

/// A request of a protocol, with its response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestSchema {
    /// The name of the request's type.
    pub name: &'static str,
    /// Its bits.
    pub request: Schema,
    /// The response's bits.
    pub response: Schema,
}

impl ProtocolSchema {
    /// Whether any of the channels is of this mode.
    #[must_use]
    pub const fn has_mode(&self, mode: Mode) -> bool {
        let mut channels = self.channels;
        while let Some((channel, rest)) = channels.split_first() {
            if channel.mode as u8 == mode as u8 {
                return true;
            }
            channels = rest;
        }
        false
    }

    /// Whether there are components or resources to replicate.
    #[must_use]
    pub const fn has_entities(&self) -> bool {
        !self.components.is_empty() || !self.resources.is_empty()
    }

    /// The places of the channels for [the state of entities](ChannelSpec::ENTITY_STATE) and for [what is said about
    /// them](ChannelSpec::ENTITY_CONTROL); beyond all channels where there are no entities.
    #[doc(hidden)]
    #[must_use]
    pub const fn entity_channels(&self) -> (usize, usize) {
        let len = self.channels.len();
        if self.has_entities() && len >= 2 { (len - 2, len - 1) } else { (len, len) }
    }

    /// Whether messages and requests travel side by side on a channel, so that each has to say which it is.
    pub(crate) const fn mixes_requests(&self, channel: &ChannelSpec) -> bool {
        !self.requests.is_empty() && channel.carries_requests()
    }

    const fn fingerprint(&self) -> u64 {
        let mut hash = bowline_wire::Fingerprint::new()
            .number(WIRE_VERSION as u64)
            .number(self.tick_rate as u64)
            .schema(&self.auth)
            .number(self.channels.len() as u64);
        let mut channels = self.channels;
        while let Some((channel, rest)) = channels.split_first() {
            hash = hash.text(channel.name).text(channel.mode.as_str()).text(channel.direction.as_str());
            channels = rest;
        }
        hash = Self::items(hash, self.messages);
        hash = hash.number(self.requests.len() as u64);
        let mut requests = self.requests;
        while let Some((request, rest)) = requests.split_first() {
            hash = hash.text(request.name).schema(&request.request).schema(&request.response);
            requests = rest;
        }
        Self::items(Self::items(hash, self.components), self.resources).finish()
    }

    const fn items(hash: bowline_wire::Fingerprint, items: &[ItemSchema]) -> bowline_wire::Fingerprint {
        let mut hash = hash.number(items.len() as u64);
        let mut items = items;
        while let Some((item, rest)) = items.split_first() {
            hash = hash.text(item.name).schema(&item.schema);
            items = rest;
        }
        hash
    }
}

/// The number of an item among those of its kind in a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    index: u64,
    count: u64,
}

impl Tag {
    /// The item at `index` of `count`.
    #[must_use]
    pub const fn new(index: usize, count: usize) -> Self {
        Self { index: index as u64, count: count as u64 }
    }

    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// Writes the number in the fewest bits, just as the enum of all items of the kind does.
    pub fn encode(self, writer: &mut BitWriter) {
        writer.write_bits(self.index, bits_for(self.count));
    }
}

/// A message that belongs to protocol `P`: it is listed in `messages(..)`. The enum of all messages is one too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message of the protocol `{P}`",
    label = "not listed in `messages(..)`",
    note = "add it to `messages(..)` in the `#[protocol(..)]` of `{P}`"
)]
pub trait MessageOf<P: Protocol>: Message + Into<P::Message> {
    /// Its number; of no bits in the enum, which writes it itself.
    const TAG: Tag;
}

/// A channel that belongs to protocol `P`: it is listed in `channels(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel of the protocol `{P}`",
    label = "not listed in `channels(..)`",
    note = "add it to `channels(..)` in the `#[protocol(..)]` of `{P}`"
)]
pub trait ChannelOf<P: Protocol>: Channel {
    /// Its place in [`ProtocolSchema::channels`].
    const INDEX: usize;
}

/// A request that belongs to protocol `P`: it is listed in `requests(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request of the protocol `{P}`",
    label = "not listed in `requests(..)`",
    note = "add it to `requests(..)` in the `#[protocol(..)]` of `{P}`"
)]
pub trait RequestOf<P: Protocol>: Request {
    /// Its number.
    const TAG: Tag;
}

/// A component that belongs to protocol `P`: it is listed in `components(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a component of the protocol `{P}`",
    label = "not listed in `components(..)`",
    note = "add it to `components(..)` in the `#[protocol(..)]` of `{P}`"
)]
pub trait ComponentOf<P: Protocol>: Replicate + Into<P::Component> {
    /// Its number.
    const TAG: Tag;
    /// Its name among the components.
    const KIND: P::ComponentKind;

    /// That of this component.
    fn of<F: Family>(all: &P::Components<F>) -> &F::Of<Self>;

    /// That of this component.
    fn of_mut<F: Family>(all: &mut P::Components<F>) -> &mut F::Of<Self>;
}

/// A resource that belongs to protocol `P`: it is listed in `resources(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource of the protocol `{P}`",
    label = "not listed in `resources(..)`",
    note = "add it to `resources(..)` in the `#[protocol(..)]` of `{P}`"
)]
pub trait ResourceOf<P: Protocol>: Replicate + Into<P::Resource> {
    /// Its number.
    const TAG: Tag;
    /// Its name among the resources.
    const KIND: P::ResourceKind;

    /// That of this resource.
    fn of<F: Family>(all: &P::Resources<F>) -> &F::Of<Self>;

    /// That of this resource.
    fn of_mut<F: Family>(all: &mut P::Resources<F>) -> &mut F::Of<Self>;
}

/// Writes a message as its protocol's enum of all messages would, without building the enum.
///
/// # Errors
/// Where a field is over its limit; the writer then holds bits of no use.
pub fn encode_message<P: Protocol, M: MessageOf<P>>(
    message: &M,
    writer: &mut BitWriter,
) -> Result<(), EncodeError> {
    M::TAG.encode(writer);
    message.encode(writer)
}

/// Writes a request as its protocol's enum of all requests would, without building the enum.
///
/// # Errors
/// Where a field is over its limit; the writer then holds bits of no use.
pub(crate) fn encode_request<P: Protocol, R: RequestOf<P>>(
    request: &R,
    writer: &mut BitWriter,
) -> Result<(), EncodeError> {
    R::TAG.encode(writer);
    request.encode(writer)
}

/// Reads a value that must fill `bytes`.
///
/// # Errors
/// Where the bytes are not exactly one value.
pub fn decode_exactly<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = BitReader::new(bytes);
    let value = T::decode(&mut reader)?;
    reader.finish()?;
    Ok(value)
}
