//! A small arena game on Bowline, and the program that the README starts.
//!
//! Ships sail in a bay and in a grotto, with a gate between them, and collect pearls. Ships, pearls and gates are
//! entities: a player sees those of the room that its ship is in. The scoreboard is a resource, and all see it.
//!
//! * [`protocol`]: what server and clients agree on. Begin here.
//! * [`game`]: the rules, the loop of a server and the loop of a client, written once for every transport.
//! * [`transport`]: which transports are built in; the only file that asks Cargo features.
//! * [`demo`]: the life of a connection, played as a script.
//! * [`programs`]: `serve`, `join` and `bots`, for two terminals.
//! * [`command_line`]: how a terminal chooses between them.
//! * [`timeline`]: how all of them tell what happens, to people and to programs.
//!
//! Built for the browser it has `protocol` and `game`, and `web`, the page on which the same arena is played.

#[cfg(not(target_family = "wasm"))]
pub mod command_line;
#[cfg(not(target_family = "wasm"))]
pub mod demo;
pub mod game;
#[cfg(not(target_family = "wasm"))]
pub mod programs;
pub mod protocol;
#[cfg(all(not(target_family = "wasm"), feature = "transport_webrtc"))]
pub mod site;
#[cfg(not(target_family = "wasm"))]
pub mod timeline;
#[cfg(not(target_family = "wasm"))]
pub mod transport;
#[cfg(any(target_family = "wasm", feature = "_lint_browser"))]
pub mod web;
