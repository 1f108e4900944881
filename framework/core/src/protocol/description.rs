//! A protocol in words, and the difference between two of them: what a person reads when a client and a server
//! do not fit together.

use std::fmt;

use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, LengthLimited, Schema, Wire};

use super::{ItemSchema, Mode, Protocol, ProtocolSchema, WIRE_VERSION};

/// The most bytes that a description takes in packets. A longer one is cut at an item, and says so.
pub const DESCRIPTION_LIMIT: usize = 32 * 1024;

/// The most bytes of one item's name or shape; longer ones are cut.
const TEXT_LIMIT: usize = 1_000;

/// The name of the item that stands where a description was cut.
const CUT_SHORT: &str = "(cut short)";

/// A protocol as a list of items, each in words. It is made when a mismatch has to be explained, and only then.
///
/// One that came from a peer is bounded, and is never believed: it is shown to people and compared, no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    items: Vec<Item>,
}

/// What kind of item of a protocol it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// The version of the library's own packets, the tick rate, the type of the credentials.
    Setting,
    /// A channel.
    Channel,
    /// A message.
    Message,
    /// A request with its response.
    Request,
    /// A component.
    Component,
    /// A resource.
    Resource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    kind: ItemKind,
    name: String,
    shape: String,
}

impl Description {
    /// The description of a protocol.
    #[must_use]
    pub fn of<P: Protocol>() -> Self {
        Self::of_schema(&P::SCHEMA)
    }

    /// The description of a schema.
    #[must_use]
    pub fn of_schema(schema: &ProtocolSchema) -> Self {
        let mut items = Vec::new();
        let mut add = |kind, name: &str, shape: String| {
            items.push(Item { kind, name: cut(name.into(), TEXT_LIMIT), shape: cut(shape, TEXT_LIMIT) });
        };
        add(ItemKind::Setting, "packet version", WIRE_VERSION.to_string());
        add(ItemKind::Setting, "tick rate", format!("{} Hz", schema.tick_rate));
        add(ItemKind::Setting, "auth", schema.auth.to_string());
        // Those of entities come with the components and resources, and nobody has declared them.
        let declared =
            schema.channels.iter().filter(|c| !matches!(c.mode, Mode::EntityState | Mode::EntityControl));
        for channel in declared {
            add(ItemKind::Channel, channel.name, format!("{}, {}", channel.mode, channel.direction));
        }
        let plain = |item: &ItemSchema| (item.name, item.schema.to_string());
        for (name, shape) in schema.messages.iter().map(plain) {
            add(ItemKind::Message, name, shape);
        }
        for request in schema.requests {
            add(ItemKind::Request, request.name, format!("{} -> {}", request.request, request.response));
        }
        for (name, shape) in schema.components.iter().map(plain) {
            add(ItemKind::Component, name, shape);
        }
        for (name, shape) in schema.resources.iter().map(plain) {
            add(ItemKind::Resource, name, shape);
        }
        Self { items }
    }

    /// In bytes, for packets; at most [`DESCRIPTION_LIMIT`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = BitWriter::new();
        for item in &self.items {
            let mut one = BitWriter::new();
            // Names and shapes were cut to their limit, so this cannot fail; an item that did would be left out.
            if item.encode(&mut one).is_err() {
                continue;
            }
            if writer.byte_len() + one.byte_len() + CUT_SHORT.len() * 2 > DESCRIPTION_LIMIT {
                let mut mark = BitWriter::new();
                let end = Item { kind: ItemKind::Setting, name: CUT_SHORT.into(), shape: String::new() };
                if end.encode(&mut mark).is_ok() {
                    writer.write_bytes(mark.finish());
                }
                break;
            }
            writer.write_bytes(one.finish());
        }
        writer.into_bytes()
    }

    /// From bytes that came in packets.
    ///
    /// # Errors
    /// Where they are no description.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > DESCRIPTION_LIMIT {
            return Err(DecodeError::TooLong);
        }
        let mut reader = BitReader::new(bytes);
        let mut items = Vec::new();
        while reader.remaining_bits() > 0 {
            reader.charge(size_of::<Item>())?;
            let item = Item::decode(&mut reader)?;
            reader.skip_bits(reader.remaining_bits() % 8)?;
            items.push(item);
        }
        Ok(Self { items })
    }

    fn find(&self, kind: ItemKind, name: &str) -> Option<(usize, &Item)> {
        let of_kind = self.items.iter().filter(|item| item.kind == kind).enumerate();
        of_kind.into_iter().find(|(_, item)| item.name == name)
    }
}

impl Wire for Item {
    const SCHEMA: Schema = Schema::Custom { name: "description item", version: 1 };
    const MIN_BITS: usize = 24;

    fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
        self.kind.encode(writer);
        self.name.encode_limited(TEXT_LIMIT, writer)?;
        self.shape.encode_limited(TEXT_LIMIT, writer)
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let kind = ItemKind::decode(reader)?;
        let name = printable(&String::decode_limited(TEXT_LIMIT, reader)?);
        let shape = printable(&String::decode_limited(TEXT_LIMIT, reader)?);
        Ok(Self { kind, name, shape })
    }
}

/// Cuts a text to a limit of bytes, at a character.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit - 3).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A peer's text without control characters: it goes to a terminal and to a log.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// How two protocols differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Every item that differs, in the order of the lists. Empty where the other side's description did not arrive.
    pub differences: Vec<Difference>,
}

/// An item that differs between a server and a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The client does not have it.
    OnlyOnServer {
        /// What it is.
        kind: ItemKind,
        /// Its name.
        name: String,
    },
    /// The server does not have it.
    OnlyOnClient {
        /// What it is.
        kind: ItemKind,
        /// Its name.
        name: String,
    },
    /// Both have it, in different shapes.
    Shape {
        /// What it is.
        kind: ItemKind,
        /// Its name.
        name: String,
        /// The server's.
        server: String,
        /// The client's.
        client: String,
    },
    /// Both have it in the same shape, at different places of the list.
    Order {
        /// What it is.
        kind: ItemKind,
        /// Its name.
        name: String,
        /// The server's place, counted from 1.
        server: usize,
        /// The client's place, counted from 1.
        client: usize,
    },
}

impl Mismatch {
    /// The difference between a server's protocol and a client's.
    #[must_use]
    pub fn between(server: &Description, client: &Description) -> Self {
        let mut differences = Vec::new();
        let mut moved = None;
        let is_whole = server.find(ItemKind::Setting, CUT_SHORT).is_none();
        for item in server.items.iter().filter(|item| item.name != CUT_SHORT) {
            let (kind, name) = (item.kind, item.name.clone());
            match client.find(kind, &name) {
                None => differences.push(Difference::OnlyOnServer { kind, name }),
                Some((_, other)) if other.shape != item.shape => {
                    let (server, client) = (item.shape.clone(), other.shape.clone());
                    differences.push(Difference::Shape { kind, name, server, client });
                }
                Some((client, _)) => {
                    let place = server.find(kind, &name).map_or(0, |found| found.0);
                    if place != client && moved.is_none() {
                        moved = Some(Difference::Order { kind, name, server: place + 1, client: client + 1 });
                    }
                }
            }
        }
        // Of what was cut off nothing can be said.
        for item in client.items.iter().filter(|_| is_whole) {
            if server.find(item.kind, &item.name).is_none() {
                differences.push(Difference::OnlyOnClient { kind: item.kind, name: item.name.clone() });
            }
        }
        // A missing item moves all after it: an order is worth a line only where nothing else differs.
        if differences.is_empty() {
            differences.extend(moved);
        }
        Self { differences }
    }
}

impl Mismatch {
    /// As many differences as one packet holds; each name and shape is cut to [`REPORT_TEXT_LIMIT`].
    pub(crate) fn encode(&self, writer: &mut BitWriter) {
        let mut kept = Vec::new();
        let mut bits = 0;
        for difference in &self.differences {
            let mut one = BitWriter::new();
            difference.encode(&mut one);
            if bits + one.bit_len() > REPORT_LIMIT * 8 || kept.len() == usize::from(u8::MAX) {
                break;
            }
            bits += one.bit_len();
            kept.push(difference);
        }
        writer.write_bits(kept.len() as u64, 8);
        kept.iter().for_each(|difference| difference.encode(writer));
    }

    pub(crate) fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let count = reader.read_bits(8)? as usize;
        reader.charge(count * size_of::<Difference>())?;
        let differences = (0..count).map(|_| Difference::decode(reader)).collect::<Result<_, _>>()?;
        Ok(Self { differences })
    }
}

/// Bytes of all the differences that a report carries: a packet, less what stands before them.
const REPORT_LIMIT: usize = 1_100;
/// Bytes of a name or a shape in a report.
const REPORT_TEXT_LIMIT: usize = 250;

impl Difference {
    fn encode(&self, writer: &mut BitWriter) {
        let text = |text: &str, writer: &mut BitWriter| {
            let text = cut(text.into(), REPORT_TEXT_LIMIT);
            let within_limit = text.encode_limited(REPORT_TEXT_LIMIT, writer);
            debug_assert!(within_limit.is_ok(), "it was cut just before");
        };
        match self {
            Self::OnlyOnServer { kind, name } => {
                writer.write_bits(0, 2);
                kind.encode(writer);
                text(name, writer);
            }
            Self::OnlyOnClient { kind, name } => {
                writer.write_bits(1, 2);
                kind.encode(writer);
                text(name, writer);
            }
            Self::Shape { kind, name, server, client } => {
                writer.write_bits(2, 2);
                kind.encode(writer);
                [name, server, client].into_iter().for_each(|each| text(each, writer));
            }
            Self::Order { kind, name, server, client } => {
                writer.write_bits(3, 2);
                kind.encode(writer);
                text(name, writer);
                writer.write_bits(*server as u64, 16);
                writer.write_bits(*client as u64, 16);
            }
        }
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let variant = reader.read_bits(2)?;
        let kind = ItemKind::decode(reader)?;
        let text = |reader: &mut BitReader<'_>| {
            let text = String::decode_limited(REPORT_TEXT_LIMIT, reader)?;
            if printable(&text) == text { Ok(text) } else { Err(DecodeError::NotCanonical) }
        };
        let name = text(reader)?;
        Ok(match variant {
            0 => Self::OnlyOnServer { kind, name },
            1 => Self::OnlyOnClient { kind, name },
            2 => Self::Shape { kind, name, server: text(reader)?, client: text(reader)? },
            _ => {
                let mut place = || reader.read_bits(16).map(|place| place as usize);
                Self::Order { kind, name, server: place()?, client: place()? }
            }
        })
    }
}

impl ItemKind {
    fn encode(self, writer: &mut BitWriter) {
        writer.write_bits(self as u64, 8);
    }

    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.read_bits(8)? {
            0 => Self::Setting,
            1 => Self::Channel,
            2 => Self::Message,
            3 => Self::Request,
            4 => Self::Component,
            5 => Self::Resource,
            _ => return Err(DecodeError::UnknownVariant),
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.differences.is_empty() {
            return f.write_str("the other side did not say how");
        }
        for (index, difference) in self.differences.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{difference}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyOnServer { kind, name } => write!(f, "{kind} `{name}` exists on the server only"),
            Self::OnlyOnClient { kind, name } => write!(f, "{kind} `{name}` exists on the client only"),
            Self::Shape { kind, name, server, client } => {
                write!(f, "{kind} `{name}` is {server} on the server and {client} on the client")
            }
            Self::Order { kind, name, server, client } => {
                write!(
                    f,
                    "{kind} `{name}` is number {server} on the server and number {client} on the client"
                )
            }
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setting => "setting",
            Self::Channel => "channel",
            Self::Message => "message",
            Self::Request => "request",
            Self::Component => "component",
            Self::Resource => "resource",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ChannelSpec, Direction};

    const CHAT: ItemSchema = ItemSchema { name: "Chat", schema: Schema::String };
    const STEER: ItemSchema = ItemSchema { name: "Steer", schema: Schema::F32 };
    const BASE: ProtocolSchema = ProtocolSchema {
        tick_rate: 20,
        auth: Schema::Unit,
        channels: &[ChannelSpec {
            name: "Talk",
            mode: Mode::OrderedReliable,
            direction: Direction::Bidirectional,
            weight: 1,
        }],
        messages: &[CHAT, STEER],
        requests: &[],
        components: &[],
        resources: &[],
    };

    fn difference(client: &ProtocolSchema) -> String {
        assert_ne!(crate::ProtocolId::of(&BASE), crate::ProtocolId::of(client), "the ids must differ too");
        Mismatch::between(&Description::of_schema(&BASE), &Description::of_schema(client)).to_string()
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let same = Mismatch::between(&Description::of_schema(&BASE), &Description::of_schema(&BASE));
        assert_eq!(same.differences, []);
        assert_eq!(
            difference(&ProtocolSchema { tick_rate: 30, ..BASE }),
            "setting `tick rate` is 20 Hz on the server and 30 Hz on the client"
        );
        assert_eq!(
            difference(&ProtocolSchema { messages: &[CHAT], ..BASE }),
            "message `Steer` exists on the server only"
        );
        assert_eq!(
            difference(&ProtocolSchema {
                channels: const { &[BASE.channels[0], ChannelSpec::ENTITY_STATE, ChannelSpec::ENTITY_CONTROL] },
                components: &[ItemSchema { name: "Health", schema: Schema::Bool }],
                ..BASE
            }),
            "component `Health` exists on the client only",
            "of the channels that come with it, nothing is said"
        );
        assert_eq!(
            difference(&ProtocolSchema { messages: &[STEER, CHAT], ..BASE }),
            "message `Chat` is number 1 on the server and number 2 on the client"
        );
        let to_client = ChannelSpec { direction: Direction::ToClient, ..BASE.channels[0] };
        let channels: &'static [ChannelSpec] = Box::leak(Box::new([to_client]));
        assert_eq!(
            difference(&ProtocolSchema { channels, ..BASE }),
            "channel `Talk` is ordered_reliable, bidirectional on the server \
             and ordered_reliable, to_client on the client"
        );
    }

    #[test]
    fn a_description_travels_and_is_bounded() {
        let description = Description::of_schema(&BASE);
        assert_eq!(Description::from_bytes(&description.to_bytes()), Ok(description.clone()));
        let many = Description { items: vec![description.items[3].clone(); 10_000] };
        assert!(many.to_bytes().len() <= DESCRIPTION_LIMIT);
        assert!(Description::from_bytes(&many.to_bytes()).is_ok());
        assert!(Description::from_bytes(&vec![0; DESCRIPTION_LIMIT + 1]).is_err());
    }

    #[test]
    fn a_peers_text_cannot_steer_a_terminal() {
        let item = Item { kind: ItemKind::Message, name: "\u{1b}[2J".into(), shape: "a\nb".into() };
        let read = Description::from_bytes(&Description { items: vec![item] }.to_bytes()).unwrap();
        assert_eq!(read.items[0].name, "\u{fffd}[2J");
        assert_eq!(read.items[0].shape, "a\u{fffd}b");
    }
}
