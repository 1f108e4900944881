//! What the server and its clients agree on.

#![allow(unreachable_pub, dead_code, reason = "a protocol's items are public, and a program may not use all")]

use bevy_ecs::prelude::Component;
use bowline::prelude::{Channel, Message, Protocol, Replicate};

#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Position {
    #[wire(range = -100.0..=100.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -100.0..=100.0, step = 0.01)]
    pub y: f32,
}

#[derive(Message, Clone, Copy, Debug)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub y: f32,
}

#[derive(Channel)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Helm), messages(Steer), components(Position))]
pub struct Arena;
