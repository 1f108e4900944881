//! The code of the guide's pages on Bevy. All of it runs.

#![allow(
    dead_code,
    elided_lifetimes_in_paths,
    missing_debug_implementations,
    reason = "a page shows what a game writes"
)]

mod depth;
mod lifecycle;
mod quick;
#[cfg(feature = "transport_webrtc")]
mod webrtc;
