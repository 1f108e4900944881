//! A protocol with a channel of every mode.

use bowline::prelude::*;

/// The credentials.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    /// Who.
    #[wire(max_len = 32)]
    pub name: String,
}

/// Words, on whichever channel.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Note {
    /// On which: an index into [`MODES`].
    #[wire(range = 0..=7)]
    pub mode: u8,
    /// The words.
    #[wire(max_len = 100_000)]
    pub text: String,
}

/// What a question is about.
#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Answer)]
pub struct Question {
    /// To be doubled.
    pub number: u16,
}

/// The answer to a [`Question`].
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Answer {
    /// The double.
    pub number: u32,
}

/// Where something is.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Eastwards.
    #[wire(range = -100.0..=100.0, step = 0.01)]
    pub x: f32,
}

/// What something is called.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(immutable)]
pub struct Name {
    /// So.
    #[wire(max_len = 32)]
    pub name: String,
}

/// How many are in.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// So many.
    pub users: u16,
}

macro_rules! channels {
    ($($name:ident: $mode:ident, $direction:ident;)*) => {
        $(
            /// A channel of the mode that its name says.
            #[derive(Channel, Debug)]
            #[channel($mode, $direction)]
            pub struct $name;
        )*
    };
}

channels! {
    UnorderedUnreliable: unordered_unreliable, bidirectional;
    SequencedUnreliable: sequenced_unreliable, bidirectional;
    UnorderedReliable: unordered_reliable, bidirectional;
    SequencedReliable: sequenced_reliable, bidirectional;
    OrderedReliable: ordered_reliable, bidirectional;
    TickBuffered: tick_buffered, to_server;
}

/// The names of the modes, in the order of the channels.
pub const MODES: [&str; 6] = [
    "unordered_unreliable",
    "sequenced_unreliable",
    "unordered_reliable",
    "sequenced_reliable",
    "ordered_reliable",
    "tick_buffered",
];

/// The protocol.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(
        UnorderedUnreliable, SequencedUnreliable, UnorderedReliable, SequencedReliable, OrderedReliable, TickBuffered
    ),
    messages(Note),
    requests(Question),
    components(Place, Name),
    resources(Crowd),
    derive(Clone, Debug, PartialEq)
)]
pub struct Harbour;

/// The protocol of a client that missed an update.
pub mod old {
    use bowline::prelude::*;

    use super::{Login, Name, OrderedReliable};

    /// It was coarser then.
    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub struct Place {
        /// Eastwards.
        #[wire(range = -100.0..=100.0, step = 0.5)]
        pub x: f32,
    }

    /// Words.
    #[derive(Message, Clone, Debug, PartialEq)]
    pub struct Note {
        /// The words.
        #[wire(max_len = 100_000)]
        pub text: String,
    }

    /// As it was before the update.
    #[derive(Protocol, Clone, Copy, Debug)]
    #[protocol(
        tick_rate = 20,
        auth = Login,
        channels(OrderedReliable),
        messages(Note),
        components(Place, Name),
        derive(Clone, Debug, PartialEq)
    )]
    pub struct OldHarbour;
}
