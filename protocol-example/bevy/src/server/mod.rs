//! The server of the arena in a Bevy app.

use std::collections::BTreeMap;

use bevy_app::{App, Plugin, Startup, Update};
use bevy_ecs::prelude::*;
use bowline::prelude::{ServerConfig, UserId};
use bowline_bevy::server::{RoomId, ServerPlugin, ServerSystems, ServerTick};
use protocol_example::game::ServerNews;
use protocol_example::protocol::{
    Arena, Emoted, MAX_PLAYERS, Player, Room, Said, Scoreboard, Steer, Welcome,
};

use crate::Told;

mod door;
mod sea;
mod talk;

/// The arena, for as many players as the configuration lets in. It opens when something listens:
/// [`Server::listen`](bowline_bevy::server::Server::listen).
#[derive(Clone, Debug)]
pub struct ArenaServerPlugin {
    /// The connections' part of it.
    pub config: ServerConfig,
}

/// The rooms of the server: who is in one sees the entities that are in it.
#[derive(Resource, Debug)]
struct Rooms(BTreeMap<Room, RoomId>);

/// How many pearls have grown so far: the next has a place of its own.
#[derive(Resource, Debug, Default)]
struct PearlsGrown(usize);

/// What makes an entity a ship, for the server: whose it is, and how it is steered until it is told otherwise.
#[derive(Component, Debug)]
struct Captain {
    user: UserId,
    helm: Steer,
}

impl Plugin for ArenaServerPlugin {
    fn build(&self, app: &mut App) {
        let mut config = self.config.clone();
        config.max_users = config.max_users.min(MAX_PLAYERS);
        app.add_plugins(ServerPlugin::<Arena>::new(config))
            .add_message::<Told<ServerNews>>()
            .init_resource::<Scoreboard>()
            .init_resource::<PearlsGrown>()
            .add_systems(Startup, (sea::make_rooms, sea::furnish).chain())
            .add_systems(
                Update,
                (
                    door::let_in,
                    door::launch,
                    door::introduce,
                    talk::pass_on,
                    talk::pass_on_gestures,
                    talk::show_chart,
                    (talk::turn_out::<Welcome>, talk::turn_out::<Said>, talk::turn_out::<Emoted>),
                    door::forget,
                    door::tell_whom_it_turned_away,
                )
                    .chain()
                    .in_set(ServerSystems::Update),
            )
            .add_systems(
                ServerTick,
                (sea::take_orders, sea::sail, sea::collect_pearls, sea::go_through_gates).chain(),
            );
    }
}

/// All players of a name.
pub(crate) fn users_called(name: &str, world: &World) -> Vec<UserId> {
    let Some(mut captains) = world.try_query::<(&Captain, &Player)>() else { return Vec::new() };
    let captains = captains.iter(world).filter(|(_, player)| player.name == name);
    captains.map(|(captain, _)| captain.user).collect()
}
