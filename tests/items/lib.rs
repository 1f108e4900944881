//! Items of protocols that the tests declare: those are in another crate, and know the facade as `bowline`. Here it
//! is `net`, or what an engine hands on.

use net::prelude::*;

pub mod strict;

/// A message.
#[derive(Message, Clone, Debug, PartialEq)]
#[wire(crate = "net")]
pub struct Shout {
    /// What is shouted.
    #[wire(max_len = 40)]
    pub text: String,
}

/// A component with a type parameter.
#[derive(Replicate, Clone, Debug, Default, PartialEq)]
#[wire(crate = "::net")]
pub struct Tagged<T> {
    /// The tag.
    pub tag: T,
}

/// A component that is one field.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[wire(crate = "net")]
#[replicate(atomic, immutable)]
pub struct Place(#[wire(range = 0..=1, step = 1)] pub f32);

/// A component that refers to entities.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[wire(crate = "net")]
pub struct Crew<T> {
    /// One.
    pub captain: NetEntity,
    /// Many, or none.
    #[wire(max_len = 10)]
    #[replicate(entities)]
    pub sailors: Vec<T>,
}

/// A request.
#[derive(Request, Clone, Debug, PartialEq)]
#[wire(crate = "net")]
#[request(response = Shout)]
pub struct Ask;

/// A channel.
#[derive(Channel, Debug)]
#[channel(unordered_reliable, to_client, crate = "net")]
pub struct Megaphone;

/// A protocol.
#[derive(Protocol, Debug)]
#[protocol(
    crate = "net",
    tick_rate = 5,
    channels(Megaphone),
    messages(Shout, engine::Handed),
    requests(Ask),
    components(Place, Tagged<u8>, Crew<NetEntity>),
    resources(Place),
    entity_weight = 7
)]
pub struct Square;

pub mod engine {
    //! An engine that hands the library on.

    pub use net as network;

    /// A message that finds the library through the engine.
    #[derive(network::Message, Clone, Debug, PartialEq)]
    #[wire(crate = "crate::engine::network")]
    pub struct Handed {
        /// A field.
        pub on: bool,
    }
}
