//! Bevy apps on a simulated network, in virtual time.

#![allow(unreachable_pub, reason = "a protocol's items are public, as a game's are")]

mod book;
mod bytes;
mod connections;
mod many;
mod memory;
mod replicates;
mod rig;
mod talks;
