//! Your first protocol.

use std::collections::BTreeMap;

// ANCHOR: messages
use bowline::prelude::*;

/// Said by anybody, heard by everybody.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    #[wire(max_len = 256)]
    pub text: String,
}

/// What a player does with the wheel, sixty times a second.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
    pub gear: Gear,
    pub brake: bool,
}

/// A part of a message derives `Wire`.
#[derive(Wire, Clone, Copy, Debug, PartialEq)]
pub enum Gear {
    Reverse,
    Neutral,
    Forward,
}
// ANCHOR_END: messages

// ANCHOR: channels
#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

#[derive(Channel)]
#[channel(sequenced_unreliable, to_server)]
pub struct Input;
// ANCHOR_END: channels

// ANCHOR: protocol
/// What a player shows to be let in.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    #[wire(max_len = 32)]
    pub name: String,
    pub token: [u8; 16],
}

#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk, Input),
    messages(Chat, Steer),
    derive(Clone, Debug, PartialEq),
)]
pub struct Arena;
// ANCHOR_END: protocol

// ANCHOR: received
fn describe(message: ArenaMessage) -> String {
    match message {
        ArenaMessage::Chat(chat) => chat.text,
        ArenaMessage::Steer(steer) => format!("{:?}, {}", steer.gear, steer.turn),
    }
}
// ANCHOR_END: received

// ANCHOR: id
/// Known at compile time: it can stand in a constant, in a log, or in the name of a build.
const ID: ProtocolId = Arena::ID;

#[test]
fn the_schema_can_be_read() {
    assert_eq!(
        Steer::SCHEMA.to_string(),
        "Steer{turn: f32 in -1..=1 by 0.01, gear: Gear<Reverse | Neutral | Forward>, brake: bool}"
    );
    println!("this build speaks {ID}");
}
// ANCHOR_END: id

#[test]
fn a_received_message_is_matched() {
    assert_eq!(describe(Chat { text: "ahoy".into() }.into()), "ahoy");
    let steer = Steer { turn: 0.5, gear: Gear::Forward, brake: false };
    assert_eq!(describe(steer.into()), "Forward, 0.5");
}

// ANCHOR: bits
fn bits_of(value: &impl Wire) -> usize {
    let mut bits = bowline::BitWriter::new();
    value.encode(&mut bits).expect("within its limits");
    bits.bit_len()
}

#[test]
fn a_steer_takes_eleven_bits() {
    let steer = Steer { turn: -0.25, gear: Gear::Reverse, brake: true };
    assert_eq!(bits_of(&steer), 8 + 2 + 1); // 201 steps, three gears, yes or no
}
// ANCHOR_END: bits

/// Every row of the page's tables.
#[derive(Wire, Default)]
struct Fields {
    #[wire(range = -4096.0..=4096.0, step = 0.01)]
    position: f32,
    #[wire(range = 0..=100)]
    health: u8,
    #[wire(bits = 5)]
    level: u32,
    #[wire(max_len = 16)]
    name: String,
    #[wire(max_len = 7)]
    items: Vec<u16>,
    #[wire(range = -1.0..=1.0, step = 0.01)]
    aim: Option<f32>,
    #[wire(with = "colour")]
    colour: u32,
    free: BTreeMap<u8, u8>,
}

// ANCHOR: with
/// `#[wire(with = "colour")]`: four bits for each of red, green and blue.
mod colour {
    use bowline::{BitReader, BitWriter, DecodeError, EncodeError, Schema};

    pub const SCHEMA: Schema = Schema::Custom { name: "colour", version: 1 };
    pub const MIN_BITS: usize = 12;

    pub fn encode(rgb: &u32, bits: &mut BitWriter) -> Result<(), EncodeError> {
        [20, 12, 4].into_iter().for_each(|shift| bits.write_bits(u64::from(rgb >> shift & 0xf), 4));
        Ok(())
    }

    pub fn decode(bits: &mut BitReader<'_>) -> Result<u32, DecodeError> {
        let mut channel = || bits.read_bits(4).map(|value| value as u32 * 0x11);
        Ok(channel()? << 16 | channel()? << 8 | channel()?)
    }
}
// ANCHOR_END: with

#[test]
fn the_tables_are_true() {
    let empty = Fields::default();
    let fixed = 20 + 7 + 5 + (5) + (3) + 1 + 12;
    assert_eq!(bits_of(&empty), fixed + 8);
    let full = Fields {
        name: "Anna".into(),
        items: vec![1, 2],
        aim: Some(0.5),
        free: (0..200).map(|key| (key, 0)).collect(),
        ..empty
    };
    assert_eq!(bits_of(&full), fixed + 4 * 8 + 2 * 16 + 8 + 16 + 200 * 16);

    assert_eq!(bits_of(&()), 0);
    assert_eq!(bits_of(&true), 1);
    assert_eq!(bits_of(&7_u8), 8);
    assert_eq!(bits_of(&-7_i64), 64);
    assert_eq!(bits_of(&0.5_f32), 32);
    assert_eq!(bits_of(&'x'), 21);
    assert_eq!(bits_of(&std::time::Duration::ZERO), 94);
    assert_eq!(bits_of(&Some(7_u16)), 17);
    assert_eq!(bits_of(&[1_u8; 3]), 24);
    assert_eq!(bits_of(&(1_u8, true)), 9);
    assert_eq!(bits_of(&"Anna".to_owned()), 8 + 32);
    assert_eq!(bits_of(&vec![1_u8; 127]), 8 + 127 * 8);
    assert_eq!(bits_of(&vec![1_u8; 128]), 16 + 128 * 8);
    assert_eq!(bits_of(&glam::Vec3::ONE), 96);
    assert_eq!(bits_of(&glam::Quat::IDENTITY), 47);
}

// ANCHOR: over_the_limit
#[test]
fn what_is_over_a_limit_is_not_sent() {
    let mut bits = bowline::BitWriter::new();
    let chat = Chat { text: "a".repeat(300) };
    let error = chat.encode(&mut bits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Chat.text`: length 300 is over its max_len of 256; shorten it or raise max_len"
    );
}
// ANCHOR_END: over_the_limit

// ANCHOR: quantized
#[test]
fn a_quantized_number_comes_back_as_the_nearest_step() {
    let through = |turn| {
        let mut bits = bowline::BitWriter::new();
        Steer { turn, gear: Gear::Neutral, brake: false }.encode(&mut bits).unwrap();
        Steer::decode(&mut bowline::BitReader::new(bits.finish())).unwrap().turn
    };
    assert_eq!(through(0.333), 0.33);
    assert_eq!(through(7.0), 1.0); // outside the range: its nearest end
}
// ANCHOR_END: quantized

/// What changes the identity, and what does not.
mod identity {
    use super::*;

    mod renamed_field {
        use bowline::prelude::*;

        #[derive(Message)]
        pub struct Chat {
            #[wire(max_len = 256)]
            pub words: String,
        }
    }
    mod longer {
        use bowline::prelude::*;

        #[derive(Message)]
        pub struct Chat {
            #[wire(max_len = 512)]
            pub text: String,
        }
    }
    mod moved {
        use bowline::prelude::*;

        #[derive(Message, Debug)]
        #[allow(dead_code)]
        pub(super) struct Chat {
            /// Documentation, visibility and other derives are not on the wire.
            #[wire(max_len = 200 + 56)]
            pub(super) text: String,
        }
    }

    macro_rules! id {
        ($rate:literal, ($($channel:ty),*), ($($message:ty),*)) => {{
            #[derive(Protocol)]
            #[protocol(tick_rate = $rate, auth = Login, channels($($channel),*), messages($($message),*))]
            struct Variant;
            Variant::ID
        }};
    }

    #[test]
    fn what_shapes_the_wire_changes_the_id() {
        assert_eq!(id!(20, (Talk, Input), (Chat, Steer)), ID, "the name of the protocol is not part of it");
        assert_eq!(id!(20, (Talk, Input), (moved::Chat, Steer)), ID);
        assert_ne!(id!(30, (Talk, Input), (Chat, Steer)), ID);
        assert_ne!(id!(20, (Input, Talk), (Chat, Steer)), ID);
        assert_ne!(id!(20, (Talk, Input), (Steer, Chat)), ID);
        assert_ne!(id!(20, (Talk, Input), (renamed_field::Chat, Steer)), ID);
        assert_ne!(id!(20, (Talk, Input), (longer::Chat, Steer)), ID);
        assert_ne!(id!(20, (Talk, Input), (Chat)), ID);
    }
}
