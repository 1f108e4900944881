//! The page on which the arena is played in a browser, by a Bevy app: `cargo xtask web` builds it.

fn main() {
    #[cfg(target_family = "wasm")]
    protocol_example::web::start::<protocol_example_bevy::ClientApp<_>>("bevy");
    #[cfg(not(target_family = "wasm"))]
    eprintln!("this program is a page: `cargo xtask web` builds it, and a server with WebRTC shows it");
}
