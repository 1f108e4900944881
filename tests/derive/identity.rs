//! The identity of a protocol changes with everything that shapes the wire, and with nothing else.

use bowline::prelude::*;

/// One protocol, and a place to change each thing.
macro_rules! arena {
    ($module:ident {
        $(#[$chat_attribute:meta])* chat $chat:tt
        turn $turn:tt
        talk $talk:tt
        body { $(#[$body_attribute:meta])* $($field:ident: $ty:ty),* }
        response $response:ty,
        protocol $protocol:tt
    }) => {
        mod $module {
            #![allow(dead_code, reason = "its identity is all that counts")]
            use bowline::prelude::*;

            #[derive(Message)] $(#[$chat_attribute])* pub(super) struct Chat $chat
            #[derive(Message)] pub(super) struct Steer { #[wire $turn] turn: f32 }
            #[derive(Channel)] #[channel $talk] pub(super) struct Talk;
            #[derive(Channel)] #[channel(unordered_unreliable, to_client)] pub(super) struct Noise;
            #[derive(Request)] #[request(response = $response)] pub(super) struct Join;
            #[derive(Replicate)] $(#[$body_attribute])* pub(super) struct Body { $($field: $ty),* }
            #[derive(Protocol)] #[protocol $protocol] pub(super) struct Arena;
        }
    };
}

macro_rules! arenas {
    ($($module:ident $arena:tt)*) => {
        $(arena!($module $arena);)*
        const IDS: &[(&str, ProtocolId)] = &[$((stringify!($module), <$module::Arena as Protocol>::ID)),*];
    };
}

arenas! {
    base {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    field_name {
        chat { #[wire(max_len = 256)] line: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    field_type {
        chat { #[wire(max_len = 256)] text: String, to: i16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    field_order {
        chat { to: u16, #[wire(max_len = 256)] text: String }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    max_len {
        chat { #[wire(max_len = 255)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    range {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.005, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    step {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.011)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    mode {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (unordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    direction {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, to_server)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    component {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f64, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    atomic {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { #[replicate(atomic)] x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    response {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u16,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    tick_rate {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 21, channels(Talk, Noise), messages(Chat, Steer), requests(Join), components(Body))
    }
    auth {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (
            tick_rate = 20, auth = String, channels(Talk, Noise), messages(Chat, Steer), requests(Join),
            components(Body),
        )
    }
    message_order {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Steer, Chat), requests(Join), components(Body))
    }
    channel_order {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Noise, Talk), messages(Chat, Steer), requests(Join), components(Body))
    }
    resource_not_component {
        chat { #[wire(max_len = 256)] text: String, to: u16 }
        turn (range = -1.0..=1.0, step = 0.01)
        talk (ordered_reliable, bidirectional)
        body { x: f32, y: u8 }
        response u8,
        protocol (tick_rate = 20, channels(Talk, Noise), messages(Chat, Steer), requests(Join), resources(Body))
    }
}

/// The base again, with all that does not travel changed.
mod dressed {
    #![allow(dead_code, reason = "its identity is all that counts")]
    use bowline::prelude::*;

    const LONGEST: usize = 256;

    /// Documented.
    #[derive(Message, Clone, Debug)]
    pub(super) struct Chat {
        /// What is said.
        #[wire(max_len = LONGEST)]
        pub text: String,
        #[deprecated]
        to: u16,
    }
    #[derive(Clone, Message)]
    pub(super) struct Steer {
        #[wire(step = 1.0 / 100.0, range = -1..=1)]
        turn: f32,
    }
    #[derive(Channel, Clone, Copy)]
    #[channel(bidirectional, ordered_reliable)]
    pub(super) struct Talk;
    #[derive(Channel)]
    #[channel(unordered_unreliable, to_client)]
    pub(super) struct Noise;
    #[derive(Request, Clone)]
    #[request(response = u8)]
    pub(super) struct Join {}
    #[derive(Replicate, Clone)]
    #[replicate(immutable)]
    pub(super) struct Body {
        pub x: f32,
        #[replicate(skip)]
        cache: Vec<u8>,
        pub y: u8,
    }
    #[derive(Protocol)]
    #[protocol(tick_rate = 20, derive(Clone), requests(Join), components(Body), entity_weight = 100)]
    #[protocol(messages(Chat, Steer), channels(Talk, Noise), auth = ())]
    pub(super) struct Renamed;
}

#[test]
fn all_that_shapes_the_wire_shapes_the_identity() {
    for (index, (name, id)) in IDS.iter().enumerate() {
        for (other, same) in &IDS[..index] {
            assert_ne!(id, same, "`{name}` and `{other}` have one identity");
        }
    }
    assert_eq!(IDS.len(), 17);
}

#[test]
fn nothing_else_shapes_the_identity() {
    const ID: ProtocolId = dressed::Renamed::ID;
    assert_eq!(ID, base::Arena::ID);
}

/// Written down: a change of it is a change of the wire, and raises `WIRE_VERSION`.
#[test]
fn the_identity_is_the_same_on_every_machine() {
    assert_eq!(base::Arena::ID.to_string(), "3894fc37dc84bf7b");
}
