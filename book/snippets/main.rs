//! The code of the guide and of the README, one module for each page. All of it runs.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "a page shows what a game writes, and a game's items are public"
)]

mod authority;
mod bandwidth;
mod channels;
mod compression;
mod conditioner;
mod diagnostics;
mod entities;
mod first_game;
mod first_game_udp;
mod lifecycle;
mod own_transport;
mod pages;
mod prediction;
mod protocol;
mod readme;
mod readme_entities;
mod requests;
mod resources;
mod scope;
mod simulator;
mod ticks;
mod transports;
mod webrtc;
