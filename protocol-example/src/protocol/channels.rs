//! The ways that messages take, each with its promise.

use bowline::prelude::*;

/// What must arrive, in order: chat, who comes and who goes.
#[derive(Channel, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

/// Where players steer, tick by tick: each word arrives at the tick that it is for, or not at all.
#[derive(Channel, Debug)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

/// What players see of the arena, every tick anew. Only the newest counts.
#[derive(Channel, Debug)]
#[channel(sequenced_unreliable, to_client)]
pub struct Sight;

/// What is nice to have: it arrives, or it does not.
#[derive(Channel, Debug)]
#[channel(unordered_unreliable, bidirectional)]
pub struct Flair;
