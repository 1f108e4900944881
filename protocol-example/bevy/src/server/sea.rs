//! What is in the arena, and what becomes of it tick by tick. Systems write to components, and clients see it.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use bowline_bevy::server::{InputEvent, ReplicationCommands as _, Server};
use bowline_bevy::{DefaultServerTag, NetId, Replicated};
use protocol_example::game::{ServerNews, rules};
use protocol_example::protocol::{Arena, Gate, Pearl, Player, Position, Room, Scoreboard, Steer};

use super::{Captain, PearlsGrown, Rooms};
use crate::Told;

pub(super) fn make_rooms(mut server: Server<'_, '_, Arena>, mut commands: Commands<'_, '_>) {
    commands.insert_resource(Rooms(Room::ALL.map(|room| (room, server.create_room())).into()));
}

/// Where pearls grow.
#[derive(SystemParam)]
pub(super) struct PearlBed<'w, 's> {
    rooms: Res<'w, Rooms>,
    grown: ResMut<'w, PearlsGrown>,
    commands: Commands<'w, 's>,
}

impl PearlBed<'_, '_> {
    /// A new pearl. It is static: nobody has to look whether it has changed.
    fn grow(&mut self, room: Room) {
        let pearl = (rules::pearl(room, self.grown.0), Replicated);
        self.commands.spawn(pearl).enter_room(self.rooms.0[&room]).make_static();
        self.grown.0 += 1;
    }
}

/// What is there before anybody comes.
pub(super) fn furnish(mut bed: PearlBed<'_, '_>) {
    for room in Room::ALL {
        let gate = (rules::gate(room), Replicated);
        bed.commands.spawn(gate).enter_room(bed.rooms.0[&room]).make_static();
        (0..rules::PEARLS).for_each(|_| bed.grow(room));
    }
}

/// What players want in this tick.
pub(super) fn take_orders(
    mut orders: MessageReader<'_, '_, InputEvent<Steer>>,
    mut captains: Query<'_, '_, &mut Captain>,
) {
    for order in orders.read() {
        for mut captain in captains.iter_mut().filter(|captain| captain.user == order.user) {
            captain.helm = order.message;
        }
    }
}

pub(super) fn sail(mut ships: Query<'_, '_, (&Captain, &mut Position)>) {
    for (captain, mut position) in &mut ships {
        // A ship that lies still is as it was, and nothing of it is sent.
        let sailed = rules::sail(&position, &captain.helm);
        position.set_if_neq(sailed);
    }
}

/// A pearl is gone, a new one is somewhere else, and whoever has it is richer.
pub(super) fn collect_pearls(
    pearls: Query<'_, '_, (Entity, &Position, &Pearl)>,
    ships: Query<'_, '_, (&Position, &NetId<DefaultServerTag>, &Player), With<Captain>>,
    mut scoreboard: ResMut<'_, Scoreboard>,
    mut bed: PearlBed<'_, '_>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    let places = pearls.iter().map(|(entity, at, pearl)| ((entity, at.room, pearl.worth), *at));
    let captains = ships.iter().map(|(at, id, player)| ((id.id(), &player.name), *at));
    for ((pearl, room, worth), (ship, name)) in rules::reached(places, captains) {
        bed.commands.entity(pearl).despawn();
        bed.grow(room);
        for score in scoreboard.scores.iter_mut().filter(|score| score.ship == ship) {
            score.points = score.points.saturating_add(worth.into());
        }
        news.write(Told(ServerNews::Collected { name: name.clone(), worth }));
    }
}

/// A ship changes rooms, and so does who steers it: it is out of sight for those who stay, and they are for it.
pub(super) fn go_through_gates(
    gates: Query<'_, '_, (&Gate, &Position), Without<Captain>>,
    mut ships: Query<'_, '_, (Entity, &mut Position, &Captain, &Player)>,
    rooms: Res<'_, Rooms>,
    mut server: Server<'_, '_, Arena>,
    mut commands: Commands<'_, '_>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    let places: Vec<_> = ships.iter().map(|(ship, at, ..)| (ship, *at)).collect();
    for (ship, room) in rules::reached(places, gates.iter().map(|(gate, at)| (gate.to, *at))) {
        let Ok((_, mut position, captain, player)) = ships.get_mut(ship) else { continue };
        let left = std::mem::replace(&mut *position, rules::landing(room)).room;
        let (left, entered) = (rooms.0[&left], rooms.0[&room]);
        server.room_mut(left).remove_user(captain.user);
        server.room_mut(entered).add_user(captain.user);
        commands.entity(ship).leave_room(left).enter_room(entered);
        news.write(Told(ServerNews::Passed { name: player.name.clone(), room }));
    }
}
