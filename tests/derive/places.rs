//! Derived code where it is hard to stand: renamed facades, names that the code might want for itself, functions,
//! macros, nested modules.

use std::fmt::Debug;

use bowline::Wire;

use crate::entities::items;
use crate::{comes_back, encoded};

/// Every name that derived code uses or might use belongs to the user here.
#[allow(
    dead_code,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    clippy::upper_case_acronyms
)]
mod taken {
    pub struct Result;
    pub struct Option;
    pub struct Wire;
    pub struct Schema;
    pub struct BitWriter;
    pub struct Default;
    pub struct From;
    pub struct Send;
    pub struct str;
    pub struct u32;
    pub struct usize;
    pub struct f64;
    pub struct i128;
    pub struct core;
    pub struct Clone;
    pub struct Copy;
    pub struct PartialEq;
    pub struct Eq;
    pub struct PartialOrd;
    pub struct Ord;
    pub struct Hash;
    pub struct FnMut;
    pub struct Family;
    pub struct ItemVisitor;
    pub struct Mutable;
    pub struct References;
    pub struct Component;
    pub struct Components;
    pub struct Tag;
    pub const writer: u8 = 0;
    pub const reader: u8 = 0;
    pub const index: u8 = 0;
    pub const item: u8 = 0;
    pub fn Ok() {}
    pub fn Err() {}
    pub fn Some() {}
    pub const None: u8 = 0;

    #[derive(bowline::Wire, Clone, Debug, PartialEq)]
    pub struct Fields<T> {
        pub writer: u8,
        pub reader: T,
        pub value: bool,
        pub r#type: u8,
        pub r#fn: std::string::String,
        #[wire(range = 0..=9)]
        pub this: u8,
    }

    #[derive(bowline::Wire, Clone, Debug, PartialEq)]
    pub enum r#enum {
        r#fn { writer: u8, reader: u8, r#match: u8 },
        Ok(u8),
        Err(u8),
        Some,
        None,
    }

    #[derive(bowline::Replicate, Clone, Debug, PartialEq)]
    #[wire(crate = "bowline")]
    pub struct r#struct {
        pub index: u8,
        pub reader: u8,
        #[replicate(skip)]
        pub writer: u8,
    }

    #[derive(bowline::Replicate, Clone, Debug, PartialEq)]
    #[replicate(atomic)]
    pub struct Atomic(u8, #[replicate(skip)] bool);

    #[derive(bowline::Replicate, Clone, Debug, PartialEq)]
    pub struct F {
        pub visit: bowline::NetEntity,
        #[replicate(entities)]
        pub map: std::vec::Vec<bowline::NetEntity>,
    }

    #[derive(bowline::Replicate, Clone, Debug, PartialEq)]
    pub struct V;

    #[derive(bowline::Request, Clone, Debug, PartialEq)]
    #[request(response = self::Fields<u8>)]
    pub struct T;

    #[derive(bowline::Message, Clone, Debug, PartialEq)]
    pub struct Message;

    #[derive(bowline::Channel)]
    #[channel(ordered_reliable, bidirectional)]
    pub struct Channel;

    #[derive(bowline::Protocol)]
    #[protocol(
        tick_rate = 20,
        channels(Channel),
        messages(Message),
        requests(T),
        components(r#struct, Atomic, F, V),
        resources(self::r#struct, V),
        derive(Clone, Debug, PartialEq)
    )]
    pub struct Protocol;
}

/// Items of the outer module, of an inner one and of a sibling.
mod outer {
    use bowline::prelude::*;

    #[derive(Message)]
    pub(super) struct Outer;

    #[derive(Replicate)]
    pub(super) struct Placed;

    pub(super) mod sibling {
        #[derive(bowline::Message)]
        pub(in crate::places) struct Sibling;

        #[derive(bowline::Replicate)]
        pub(in crate::places) struct Beside;
    }

    pub(super) mod inner {
        use bowline::prelude::*;

        #[derive(Message)]
        pub(in crate::places) struct Inner;

        /// As visible as the protocol: adapters see the types of its components and resources.
        #[derive(Replicate)]
        pub(in crate::places) struct Hidden;

        #[derive(Protocol)]
        #[protocol(
            tick_rate = 20,
            messages(Inner, super::Outer, super::sibling::Sibling),
            components(super::Placed, super::sibling::Beside),
            resources(Hidden)
        )]
        pub(in crate::places) struct Arena;
    }
}

/// Attributes from fragments of a macro, which come in invisible brackets.
macro_rules! item {
    ($name:ident, $ty:ty, $min:expr, $max:expr, $len:expr, $item:ty, $rate:expr) => {
        #[derive(bowline::Message, Clone, Debug, PartialEq)]
        struct $name {
            #[wire(range = $min..=$max)]
            number: $ty,
            #[wire(max_len = $len)]
            text: String,
        }

        #[derive(bowline::Protocol)]
        #[protocol(tick_rate = $rate, messages($item))]
        struct Arena;
    };
}

fn travels<T: Wire + Debug + PartialEq>(value: &T, bits: usize, schema: &str) {
    assert_eq!(comes_back(value), bits);
    assert_eq!(T::SCHEMA.to_string(), schema);
}

#[test]
fn the_facade_may_have_another_name() {
    use bowline::{NetEntity, Protocol, Replicate};
    use bowline_tests_items::{Crew, Place, Shout, Square, SquareMessage, Tagged, engine::Handed};

    travels(&Shout { text: "abc".into() }, 30, "Shout{text: string up to 40}");
    travels(&Place(1.0), 1, "Place{0: f32 in 0..=1 by 1}");
    travels(&Tagged { tag: 'x' }, 21, "Tagged{tag: char}");
    travels(&Handed { on: true }, 1, "Handed{on: bool}");
    assert_eq!(encoded(&SquareMessage::from(Handed { on: true })).unwrap().0, 2);
    assert_eq!(Square::SCHEMA.requests.len(), 1);
    assert_eq!((Place::IMMUTABLE, Crew::<NetEntity>::HAS_REFERENCES), (true, true));
    assert_eq!(
        items::<Square>(),
        [
            "component 0 Place Place",
            "component 1 Tagged Tagged",
            "component 2 Crew Crew",
            "resource 0 Place Place"
        ]
    );
}

#[test]
fn names_of_the_users_own_do_not_matter() {
    let fields =
        taken::Fields { writer: 1, reader: 2_u16, value: true, r#type: 3, r#fn: "f".into(), this: 9 };
    travels(
        &fields,
        8 + 16 + 1 + 8 + 16 + 4,
        "Fields{writer: u8, reader: u16, value: bool, type: u8, fn: string, this: u8 in 0..=9}",
    );
    let variant = taken::r#enum::r#fn { writer: 1, reader: 2, r#match: 3 };
    travels(
        &variant,
        3 + 24,
        "enum<fn{writer: u8, reader: u8, match: u8} | Ok{0: u8} | Err{0: u8} | Some | None>",
    );
    travels(&taken::r#struct { index: 1, reader: 2, writer: 0 }, 16, "struct{index: u8, reader: u8}");
    let component = taken::ProtocolComponent::from(taken::r#struct { index: 1, reader: 2, writer: 0 });
    assert!(matches!(&component, taken::ProtocolComponent::r#struct(_)));
    assert_eq!(comes_back(&component), 18);
    assert_eq!(
        items::<taken::Protocol>(),
        [
            "component 0 struct struct",
            "component 1 Atomic Atomic",
            "component 2 F F",
            "component 3 V V",
            "resource 0 struct struct",
            "resource 1 V V"
        ]
    );
}

#[test]
fn items_may_stand_in_other_modules() {
    use bowline::{MessageOf, Protocol};
    fn is_message<M: MessageOf<outer::inner::Arena>>() -> &'static str {
        M::NAME
    }
    assert_eq!(is_message::<outer::inner::Inner>(), "Inner");
    assert_eq!(is_message::<outer::Outer>(), "Outer");
    assert_eq!(is_message::<outer::sibling::Sibling>(), "Sibling");
    assert_eq!(outer::inner::Arena::SCHEMA.messages.len(), 3);
    assert_eq!(
        items::<outer::inner::Arena>(),
        ["component 0 Placed Placed", "component 1 Beside Beside", "resource 0 Hidden Hidden"]
    );
}

#[test]
fn a_function_may_hold_a_protocol() {
    use bowline::Protocol;

    const MOST: usize = 4;

    #[derive(bowline::Message, Clone, Debug, PartialEq)]
    struct Local(#[wire(max_len = MOST)] String);

    #[derive(bowline::Protocol)]
    #[protocol(tick_rate = 20, messages(Local), derive(Debug, PartialEq))]
    struct Arena;

    assert_eq!(comes_back(&ArenaMessage::from(Local("four".into()))), 3 + 32);
    assert_eq!(Arena::SCHEMA.messages[0].name, "Local");
}

#[test]
fn a_macro_may_write_the_attributes() {
    item!(Made, u8, 1, 2 + 2, 3, Made, 10 + 20);
    travels(
        &Made { number: 4, text: "abc".into() },
        2 + 26,
        "Made{number: u8 in 1..=4, text: string up to 3}",
    );
    assert_eq!(<Arena as bowline::Protocol>::TICK_RATE, 30);
}
