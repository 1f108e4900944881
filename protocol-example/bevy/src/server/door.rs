//! Who comes, and who goes.

use bevy_ecs::prelude::*;
use bowline_bevy::server::{
    AuthEvent, ConnectEvent, DisconnectEvent, RejectEvent, ReplicationCommands as _, Server,
};
use bowline_bevy::{DefaultServerTag, NetId, Replicated};
use protocol_example::game::{ServerNews, door, rules};
use protocol_example::protocol::{Arena, Player, Score, Scoreboard, Steer, Talk, Welcome};

use super::{Captain, Rooms};
use crate::Told;

pub(super) fn let_in(
    mut asking: MessageReader<'_, '_, AuthEvent<Arena>>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    for ticket in asking.read().filter_map(AuthEvent::take) {
        news.write_batch(door::decide(ticket).into_iter().map(Told));
    }
}

/// A player is in: it gets a ship, and sees what is in the room where that sets out.
pub(super) fn launch(
    mut arrivals: MessageReader<'_, '_, ConnectEvent>,
    rooms: Res<'_, Rooms>,
    mut server: Server<'_, '_, Arena>,
    mut commands: Commands<'_, '_>,
) {
    for &ConnectEvent { user, .. } in arrivals.read() {
        let Some(name) = server.auth(user).map(|login| login.name.clone()) else { continue };
        let start = rules::start(user.slot());
        let room = rooms.0[&start.room];
        server.room_mut(room).add_user(user);
        let captain = Captain { user, helm: Steer::default() };
        commands.spawn((start, Player { name }, captain, Replicated)).enter_room(room);
    }
}

/// Ships that have just been launched have an id now, by which they are known to all: to their captains first.
pub(super) fn introduce(
    ships: Query<'_, '_, (&NetId<DefaultServerTag>, &Captain, &Player), Added<Captain>>,
    mut server: Server<'_, '_, Arena>,
    mut scoreboard: ResMut<'_, Scoreboard>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    for (id, captain, player) in &ships {
        let (ship, name) = (id.id(), player.name.clone());
        scoreboard.scores.push(Score { ship, name: name.clone(), points: 0 });
        // Where it has gone a moment ago, the event that says so is still to be read.
        if let Err(unsent) = server.send_to::<Talk>(captain.user, Welcome { ship }) {
            tracing::debug!(error = %unsent.error, "a welcome");
        }
        news.write(Told(ServerNews::Joined { name }));
    }
}

/// A player is gone, and with it goes its ship.
pub(super) fn forget(
    mut departures: MessageReader<'_, '_, DisconnectEvent>,
    ships: Query<'_, '_, (Entity, &NetId<DefaultServerTag>, &Captain, &Player)>,
    mut scoreboard: ResMut<'_, Scoreboard>,
    mut commands: Commands<'_, '_>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    for gone in departures.read() {
        let Some((entity, id, _, player)) = ships.iter().find(|(_, _, captain, _)| captain.user == gone.user)
        else {
            continue;
        };
        commands.entity(entity).despawn();
        scoreboard.scores.retain(|score| score.ship != id.id());
        let (name, reason, stats) = (player.name.clone(), gone.reason.clone(), gone.stats.clone());
        news.write(Told(ServerNews::Left { name, reason, stats }));
    }
}

pub(super) fn tell_whom_it_turned_away(
    mut rejections: MessageReader<'_, '_, RejectEvent>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    news.write_batch(rejections.read().map(|rejection| {
        let (address, reason) = (rejection.address.to_string(), rejection.reason.clone());
        Told(ServerNews::TurnedAway { address, reason })
    }));
}
