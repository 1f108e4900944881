//! The ways that messages take, each with its promise. Entities and resources need none.

use bowline::prelude::*;

/// What must arrive, in order: chat, and questions with their answers.
#[derive(Channel, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

/// Where players steer, tick by tick: each word arrives at the tick that it is for, or not at all.
#[derive(Channel, Debug)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

/// What is nice to have: it arrives, or it does not.
#[derive(Channel, Debug)]
#[channel(unordered_unreliable, bidirectional)]
pub struct Flair;
