//! A protocol with something of every kind.

#![allow(unreachable_pub, reason = "a protocol's items are public, as a game's are")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bowline::prelude::*;

#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    #[wire(max_len = 64)]
    pub name: String,
    pub token: Option<[u8; 8]>,
}

#[derive(Wire, Clone, Debug, PartialEq)]
pub enum Order {
    Halt,
    Go {
        #[wire(range = -100.0..=100.0, step = 0.25)]
        to: f32,
        fast: bool,
    },
    Build(#[wire(range = 0..=300)] u16, Vec<Option<Part>>),
}

#[derive(Wire, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Roof,
    Wall(u8),
    Door { open: bool },
}

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Sundry {
    pub numbers: (u8, i16, u32, i64, u64),
    pub floats: (f32, f64),
    pub letters: [char; 2],
    pub time: Duration,
    #[wire(max_len = 16)]
    pub text: String,
    pub names: BTreeMap<u16, String>,
    pub few: BTreeSet<i8>,
    pub nested: Option<Box<[Option<bool>; 3]>>,
}

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Orders {
    #[wire(max_len = 1000)]
    pub all: Vec<Order>,
    pub nothing: Vec<()>,
}

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Words(pub String);

#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
}

#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Vec<u32>)]
pub struct Count(pub u32);

#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Place {
    #[wire(range = -500.0..=500.0, step = 0.01)]
    pub x: f32,
    pub y: f64,
    pub facing: Option<i8>,
}

#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Diary {
    #[wire(max_len = 4000)]
    pub text: String,
    pub orders: Vec<Order>,
}

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub at: NetEntity,
    pub beside: Option<NetEntity>,
}

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Frozen;

#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(immutable)]
pub struct Name(#[wire(max_len = 40)] pub String);

#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Weather {
    pub rain: u8,
    pub where_: Vec<NetEntity>,
}

#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Ordered;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(unordered_reliable, bidirectional)]
pub struct Facts;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(sequenced_reliable, bidirectional)]
pub struct Settings;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(unordered_unreliable, bidirectional)]
pub struct Noise;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(sequenced_unreliable, bidirectional)]
pub struct Looks;

#[derive(Channel, Clone, Copy, Debug)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Ordered, Facts, Settings, Noise, Looks, Helm),
    messages(Sundry, Orders, Words, Steer),
    requests(Count),
    components(Place, Diary, Target, Frozen, Name),
    resources(Weather),
    derive(Clone, Debug, PartialEq)
)]
pub struct Everything;

pub fn login(client: usize) -> Login {
    Login { name: format!("client {client}"), token: (client > 0).then_some([7; 8]) }
}

pub fn sundry() -> Sundry {
    Sundry {
        numbers: (1, -2, 3, -4, u64::MAX),
        floats: (f32::NAN, 0.1),
        letters: ['ä', '船'],
        time: Duration::from_millis(1_500),
        text: "sixteen bytes at".to_owned(),
        names: [(1, "one".to_owned()), (500, "more".to_owned())].into(),
        few: [-3, 0, 9].into(),
        nested: Some(Box::new([None, Some(true), Some(false)])),
    }
}

pub fn orders() -> Orders {
    let go = Order::Go { to: 12.25, fast: true };
    Orders {
        all: vec![
            Order::Halt,
            go,
            Order::Build(300, vec![None, Some(Part::Wall(7)), Some(Part::Door { open: true })]),
        ],
        nothing: vec![(); 900],
    }
}
