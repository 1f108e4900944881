//! What is said and shown, as naia's documentation has it: default channels, a `Property` for each value.

use naia_shared::{Message, Property, Protocol, Replicate};

use crate::stage::TICK;

/// The credentials; naia asks for some by default.
#[derive(Message)]
pub(super) struct Login {
    pub(super) name: String,
}

/// A message of 100 bytes.
#[derive(Message)]
pub(super) struct Hundred {
    pub(super) bytes: [u8; 100],
}

/// Where an entity is.
#[derive(Replicate)]
pub(super) struct Position {
    pub(super) x: Property<f32>,
    pub(super) y: Property<f32>,
    pub(super) z: Property<f32>,
}

impl Position {
    pub(super) fn new(x: f32, y: f32, z: f32) -> Self {
        Self::new_complete(x, y, z)
    }
}

pub(super) fn protocol() -> Protocol {
    Protocol::builder()
        .tick_interval(TICK)
        .add_default_channels()
        .add_message::<Login>()
        .add_message::<Hundred>()
        .add_component::<Position>()
        .build()
}
