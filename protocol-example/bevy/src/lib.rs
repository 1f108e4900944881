//! The arena of `protocol-example` as Bevy apps.
//!
//! The protocol is the same crate: its components derive Bevy's `Component` beside `Replicate`, behind a feature. So are the
//! rules, the demo, the programs for a terminal and the page; here is what a game on Bevy writes itself.
//!
//! * [`server::ArenaServerPlugin`]: the server. Ships, pearls and gates are entities of the Bevy world, the scoreboard is a
//!   resource, and what happens follows in systems.
//! * [`client::ArenaClientPlugin`]: a player. What it sees are entities of the Bevy world.
//! * [`OnBevy`]: both as apps that somebody else steers, so that the demo and the programs play on them.
//!
//! A Bevy app and a game without Bevy meet on one server: the wire is the same.

mod apps;
pub mod client;
mod news;
pub mod server;

pub use apps::{ClientApp, ServerApp};
#[cfg(not(target_family = "wasm"))]
pub use engine::OnBevy;
pub use news::Told;

#[cfg(not(target_family = "wasm"))]
mod engine {
    use protocol_example::programs::{ClientSocket, Engine, ServerSocket};

    use crate::{ClientApp, ServerApp};

    /// Apps: a [`ServerApp`], and a [`ClientApp`] for each player.
    #[derive(Clone, Copy, Debug)]
    pub struct OnBevy;

    impl Engine for OnBevy {
        const PAGE: &'static str = "web-bevy";
        type Server<T: ServerSocket> = ServerApp<T>;
        type Client<T: ClientSocket> = ClientApp<T>;
    }
}
