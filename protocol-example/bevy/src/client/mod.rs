//! A player of the arena in a Bevy app.

use bevy_app::{App, Plugin, PreUpdate, Update};
use bevy_ecs::prelude::*;
use bowline::prelude::{ClientConfig, NetEntity};
use bowline_bevy::client::{ClientPlugin, ClientSystems, ClientTick};
use protocol_example::game::{ClientNews, OwnShip};
use protocol_example::protocol::{Arena, Steer};

use crate::Told;

mod helm;
mod news;
mod talk;

pub use news::{Seen, Sights};
pub use talk::Asked;

/// A player. It comes in when somebody connects: [`Client::connect`](bowline_bevy::client::Client::connect).
#[derive(Clone, Debug)]
pub struct ArenaClientPlugin {
    /// The connection's part of it.
    pub config: ClientConfig,
}

/// What only this player knows. Systems write to it, and in each tick the ship is steered so.
#[derive(Resource, Clone, Debug, Default)]
pub struct Course {
    /// Our ship, once the server has said which it is. It may come into sight a little later.
    pub ship: Option<NetEntity>,
    /// The same before the server has heard of what we do with it.
    pub own: OwnShip,
    /// What to sail to, until that is no longer there.
    pub destination: Option<NetEntity>,
    /// How the ship is steered by hand, wherever it was sailing to.
    pub by_hand: Option<Steer>,
}

impl Plugin for ArenaClientPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(ClientPlugin::<Arena>::new(self.config.clone()))
            .add_message::<Told<ClientNews>>()
            .init_resource::<Course>()
            .init_resource::<Asked>()
            .init_resource::<Seen>()
            .add_systems(ClientTick, helm::steer)
            .add_systems(PreUpdate, helm::follow.after(ClientSystems::WorldEvents))
            .add_systems(
                Update,
                (
                    news::of_the_connection,
                    talk::welcome,
                    talk::hear,
                    news::of_sights,
                    news::of_scores,
                    talk::answer,
                )
                    .chain()
                    .in_set(ClientSystems::Update),
            );
    }
}
