//! `Channel` and `Protocol`.

use bowline::prelude::*;
use bowline::{BitWriter, DecodeError};
use bowline_tests_items::{self as items, Shout};
use proptest::prelude::*;

use crate::{comes_back, decoded, encoded, refused_or_canonical};

#[derive(Wire, Clone, Debug, PartialEq)]
pub(crate) struct Login {
    #[wire(max_len = 32)]
    token: Vec<u8>,
}

mod chat {
    use bowline::prelude::*;

    #[derive(Message, Clone, Debug, PartialEq)]
    pub(crate) struct Chat {
        #[wire(max_len = 256)]
        pub(crate) text: String,
    }

    #[derive(Channel)]
    #[channel(ordered_reliable, bidirectional)]
    pub(crate) struct Talk;
}

#[derive(Message, Clone, Debug, PartialEq)]
pub(crate) struct Steer(#[wire(range = -1.0..=1.0, step = 0.01)] f32);

#[derive(Channel)]
#[channel(sequenced_unreliable, to_server)]
pub(crate) struct Input;

#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Option<u8>)]
pub(crate) struct Join;

#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Option<u8>)]
pub(crate) struct Leave(u8);

#[derive(Replicate, Clone, Debug, PartialEq)]
pub(crate) struct Position {
    x: f32,
    y: f32,
}

#[derive(Replicate, Clone, Debug, PartialEq)]
pub(crate) struct Scoreboard {
    best: Vec<u16>,
}

const RATE: u16 = 30;

#[derive(Protocol, Debug)]
#[protocol(
    tick_rate = RATE,
    auth = Login,
    channels(chat::Talk, Input, items::Megaphone),
    messages(chat::Chat, Steer, Shout),
    requests(Join, Leave),
    components(Position, items::Tagged<u8>),
    resources(Scoreboard, Position),
    derive(Clone, Debug, PartialEq),
)]
pub(crate) struct Arena;

#[derive(Protocol, Debug)]
#[protocol(tick_rate = 1)]
struct Empty;

#[test]
fn the_schema_lists_the_items_in_order() {
    let schema = Arena::SCHEMA;
    assert_eq!((Arena::NAME, Arena::TICK_RATE), ("Arena", 30));
    assert_eq!(schema.auth.to_string(), "Login{token: [u8] up to 32}");
    let channels = schema.channels.iter().map(|c| format!("{} {} {}", c.name, c.mode, c.direction));
    assert_eq!(
        channels.collect::<Vec<_>>(),
        [
            "Talk ordered_reliable bidirectional",
            "Input sequenced_unreliable to_server",
            "Megaphone unordered_reliable to_client",
            "(entities) entity_state bidirectional",
            "(entity control) entity_control bidirectional"
        ]
    );
    let names = |items: &[bowline::__private::ItemSchema]| items.iter().map(|i| i.name).collect::<Vec<_>>();
    assert_eq!(names(schema.messages), ["Chat", "Steer", "Shout"]);
    assert_eq!(names(schema.components), ["Position", "Tagged"]);
    assert_eq!(names(schema.resources), ["Scoreboard", "Position"]);
    assert_eq!(schema.messages[0].schema.to_string(), "Chat{text: string up to 256}");
    assert_eq!(schema.components[1].schema.to_string(), "Tagged{tag: u8}");
    let requests = schema.requests.iter().map(|r| format!("{} {} {}", r.name, r.request, r.response));
    assert_eq!(requests.collect::<Vec<_>>(), ["Join Join{} u8?", "Leave Leave{0: u8} u8?"]);
}

#[test]
fn a_protocol_without_entities_has_no_channels_but_its_own() {
    #[derive(Protocol)]
    #[protocol(tick_rate = 20, channels(Input), messages(Steer), components(), resources())]
    struct Plain;

    assert_eq!(Plain::SCHEMA.channels, [Input::SPEC]);
}

#[test]
fn the_enums_hold_every_item() {
    let chat = ArenaMessage::from(chat::Chat { text: "hi".into() });
    assert_eq!(chat, ArenaMessage::Chat(chat::Chat { text: "hi".into() }));
    assert_eq!(comes_back(&chat), 2 + 9 + 16);
    assert_eq!(comes_back(&ArenaMessage::from(Steer(0.5))), 2 + 8);
    assert_eq!(comes_back(&ArenaRequest::from(Leave(3))), 1 + 8);
    assert_eq!(comes_back(&ArenaComponent::from(items::Tagged { tag: 1 })), 1 + 8);
    assert_eq!(comes_back(&ArenaResource::from(Scoreboard { best: vec![5] })), 1 + 8 + 16);
    assert_eq!(decoded::<ArenaMessage>(&[3]), Err(DecodeError::UnknownVariant));
    // Checked for completeness: a message more would be an error here.
    match chat {
        ArenaMessage::Chat(_) | ArenaMessage::Steer(_) | ArenaMessage::Shout(_) => {}
    }
}

#[test]
fn a_tag_and_the_enum_write_the_same_bits() {
    fn tagged<M: MessageOf<Arena>>(message: &M) -> Vec<u8> {
        let mut writer = BitWriter::new();
        M::TAG.encode(&mut writer);
        message.encode(&mut writer).unwrap();
        writer.into_bytes()
    }
    let shout = Shout { text: "hey".into() };
    assert_eq!(tagged(&shout), encoded(&ArenaMessage::from(shout.clone())).unwrap().1);
    assert_eq!(tagged(&Steer(1.0)), encoded(&ArenaMessage::from(Steer(1.0))).unwrap().1);
    let bits = |tag: bowline::__private::Tag| {
        let mut writer = BitWriter::new();
        tag.encode(&mut writer);
        (writer.bit_len(), writer.into_bytes())
    };
    assert_eq!(bits(<Leave as RequestOf<Arena>>::TAG), (1, vec![1]));
    assert_eq!(bits(<Position as ComponentOf<Arena>>::TAG), (1, vec![0]));
    assert_eq!(bits(<Position as ResourceOf<Arena>>::TAG), (1, vec![1]));
}

#[test]
fn channels_have_places_and_directions() {
    fn from_client<C: ChannelOf<Arena> + ToServer>() -> usize {
        C::INDEX
    }
    fn from_server<C: ChannelOf<Arena> + ToClient>() -> usize {
        C::INDEX
    }
    assert_eq!((from_client::<chat::Talk>(), from_server::<chat::Talk>()), (0, 0));
    assert_eq!((from_client::<Input>(), from_server::<items::Megaphone>()), (1, 2));
}

#[test]
fn every_mode_and_direction_has_its_word() {
    macro_rules! words {
        ($($mode:ident $direction:ident),*) => {[$({
            #[derive(Channel)]
            #[channel($mode, $direction)]
            struct Any;
            let words = (Any::SPEC.mode.to_string(), Any::SPEC.direction.to_string());
            assert_eq!(words, (stringify!($mode).to_string(), stringify!($direction).to_string()));
            words
        }),*]}
    }
    let all = words![
        unordered_unreliable to_server,
        sequenced_unreliable to_client,
        unordered_reliable bidirectional,
        sequenced_reliable to_server,
        ordered_reliable to_client
    ];
    assert_eq!(all.len(), 5);
}

#[test]
fn a_protocol_may_be_empty() {
    assert_eq!(Empty::SCHEMA.channels, []);
    assert_eq!(Empty::SCHEMA.auth, bowline::Schema::Unit);
    assert!(decoded::<EmptyMessage>(&[]).is_err());
    assert!(decoded::<EmptyRequest>(&[0]).is_err());
    assert!(decoded::<EmptyComponent>(&[]).is_err());
    assert!(decoded::<EmptyResource>(&[]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..48)) {
        refused_or_canonical::<ArenaMessage>(&bytes);
        refused_or_canonical::<ArenaRequest>(&bytes);
        refused_or_canonical::<ArenaComponent>(&bytes);
        refused_or_canonical::<ArenaResource>(&bytes);
        refused_or_canonical::<Login>(&bytes);
    }
}
