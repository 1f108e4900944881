//! What a game writes, with nothing but the prelude.

#![deny(warnings, missing_docs, unreachable_pub)]

use bowline::prelude::*;

/// Who comes.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    /// What they show.
    #[wire(max_len = 64)]
    pub token: String,
}

/// What is said.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    /// The words.
    #[wire(max_len = 256)]
    pub text: String,
}

/// Where a player stands.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Position {
    /// To the right.
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    pub x: f32,
    /// Upwards.
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    pub y: f32,
}

/// What is said goes here.
#[derive(Channel, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

/// The game.
#[derive(Protocol, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk),
    messages(Chat),
    components(Position),
    derive(Clone, Debug, PartialEq),
)]
pub struct Arena;

fn main() {
    const ID: ProtocolId = Arena::ID;
    assert_eq!(ID, <Arena as Protocol>::ID);
    assert_eq!(Arena::TICK_RATE, 20);
    match ArenaMessage::from(Chat { text: "hi".into() }) {
        ArenaMessage::Chat(chat) => assert_eq!(chat.text, "hi"),
    }
}
