use std::fmt;

/// How messages of a channel travel, and which way. Derived by
/// `#[derive(Channel)] #[channel(ordered_reliable, bidirectional)]` on a unit struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel",
    label = "not a channel",
    note = "derive it: `#[derive(Channel)]` with `#[channel(MODE, DIRECTION)]`"
)]
pub trait Channel: 'static {
    /// Name, mode and direction.
    const SPEC: ChannelSpec;
}

/// A channel that clients may send on. Derived where the direction is `to_server` or `bidirectional`.
#[diagnostic::on_unimplemented(
    message = "a client cannot send on the channel `{Self}`",
    label = "this channel goes from the server to the clients",
    note = "declare it `#[channel(.., to_server)]` or `#[channel(.., bidirectional)]`"
)]
pub trait ToServer: Channel {}

/// A channel that servers may send on. Derived where the direction is `to_client` or `bidirectional`.
#[diagnostic::on_unimplemented(
    message = "the server cannot send on the channel `{Self}`",
    label = "this channel goes from the clients to the server",
    note = "declare it `#[channel(.., to_client)]` or `#[channel(.., bidirectional)]`"
)]
pub trait ToClient: Channel {}

/// A channel that requests and their responses may travel on. Derived where the mode is `ordered_reliable` or
/// `unordered_reliable`, and the direction `bidirectional`.
#[diagnostic::on_unimplemented(
    message = "the channel `{Self}` carries no requests",
    label = "requests need a channel that loses nothing and leads both ways",
    note = "declare it `#[channel(ordered_reliable, bidirectional)]` or `#[channel(unordered_reliable, bidirectional)]`"
)]
pub trait CarriesRequests: ToServer + ToClient {}

/// What a connection knows of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// The name of its type.
    pub name: &'static str,
    /// What it promises.
    pub mode: Mode,
    /// Who may send on it.
    pub direction: Direction,
    /// Its share of what the connection may send, next to the weights of the other channels that have something to
    /// send. 1 unless it says otherwise; not part of what both sides must agree on.
    pub weight: u16,
}

impl ChannelSpec {
    /// What entities and resources are, from whoever owns them to whoever sees them. Added to every protocol that has
    /// components or resources, as the last but one channel.
    #[doc(hidden)]
    pub const ENTITY_STATE: Self =
        Self { name: "(entities)", mode: Mode::EntityState, direction: Direction::Bidirectional, weight: 4 };
    /// What is said about entities: ids, authority, and states larger than a packet. The last channel.
    #[doc(hidden)]
    pub const ENTITY_CONTROL: Self = Self {
        name: "(entity control)",
        mode: Mode::EntityControl,
        direction: Direction::Bidirectional,
        weight: 4,
    };

    /// The same with another weight.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_weight(self, weight: u16) -> Self {
        Self { weight, ..self }
    }

    /// Whether requests may travel on it: no message is lost or left out, and a response finds its way back.
    #[must_use]
    pub const fn carries_requests(&self) -> bool {
        matches!(self.mode, Mode::UnorderedReliable | Mode::OrderedReliable)
            && matches!(self.direction, Direction::Bidirectional)
    }
}

/// What a channel promises about the messages on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Each message arrives once or not at all, in any order. For effects that may be missed.
    UnorderedUnreliable,
    /// Each message arrives once or not at all; one that is older than another already delivered is dropped.
    /// For state where only the newest counts.
    SequencedUnreliable,
    /// Each message arrives once, as soon as it can, in any order. For facts that do not build on each other.
    UnorderedReliable,
    /// The newest message arrives for certain; older ones may be dropped. For settings that replace each other.
    SequencedReliable,
    /// Each message arrives once, in the order of sending. For chat, commands, anything that tells a story.
    OrderedReliable,
    /// From clients to the server: each message arrives at the tick that it was made for, in the order of sending, or not
    /// at all. For the players' inputs.
    TickBuffered,
    /// The library's own: see [`ChannelSpec::ENTITY_STATE`].
    #[doc(hidden)]
    EntityState,
    /// The library's own: see [`ChannelSpec::ENTITY_CONTROL`].
    #[doc(hidden)]
    EntityControl,
}

impl Mode {
    /// Whether lost messages are sent again.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        matches!(
            self,
            Self::UnorderedReliable | Self::SequencedReliable | Self::OrderedReliable | Self::EntityControl
        )
    }

    /// Whether a message older than one already delivered is dropped.
    #[must_use]
    pub const fn is_sequenced(self) -> bool {
        matches!(self, Self::SequencedUnreliable | Self::SequencedReliable)
    }

    /// The word of the `#[channel(..)]` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnorderedUnreliable => "unordered_unreliable",
            Self::SequencedUnreliable => "sequenced_unreliable",
            Self::UnorderedReliable => "unordered_reliable",
            Self::SequencedReliable => "sequenced_reliable",
            Self::OrderedReliable => "ordered_reliable",
            Self::TickBuffered => "tick_buffered",
            Self::EntityState => "entity_state",
            Self::EntityControl => "entity_control",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who may send on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Clients to the server.
    ToServer,
    /// The server to its clients.
    ToClient,
    /// Both.
    Bidirectional,
}

impl Direction {
    /// The word of the `#[channel(..)]` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToServer => "to_server",
            Self::ToClient => "to_client",
            Self::Bidirectional => "bidirectional",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
