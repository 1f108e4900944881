use bevy_ecs::prelude::*;
use bowline_bevy::client::{Client, TickEvent, UpdateComponentEvent};
use protocol_example::game::course;
use protocol_example::protocol::{Arena, Helm, Position};

use super::Course;

/// The server says where our ship is.
pub(super) fn follow(
    mut updates: MessageReader<'_, '_, UpdateComponentEvent<Position>>,
    places: Query<'_, '_, &Position>,
    client: Client<'_, '_, Arena>,
    mut course: ResMut<'_, Course>,
) {
    let ship = course.ship.and_then(|ship| client.entity(ship));
    // Where several have come at once, the world has the newest.
    if let Some(update) = updates.read().filter(|update| Some(update.entity) == ship).last()
        && let Ok(truth) = places.get(update.entity)
    {
        course.own.hear(update.tick, *truth);
    }
}

/// In each tick we say where to sail; the server hears it right before it comes to that tick. Here the ship sails at once.
pub(super) fn steer(
    mut ticks: MessageReader<'_, '_, TickEvent>,
    places: Query<'_, '_, &Position>,
    mut client: Client<'_, '_, Arena>,
    mut course: ResMut<'_, Course>,
) {
    let place = |id| client.entity(id).and_then(|entity| places.get(entity).ok()).copied();
    let (known, destination) = (course.ship.and_then(place), course.destination.and_then(place));
    let steer = match (course.by_hand, course.own.place().or(known), destination) {
        (Some(by_hand), ..) => by_hand,
        (None, Some(ship), Some(destination)) => course::towards(&ship, &destination),
        _ => Default::default(),
    };
    let (Some(event), Some(server_tick)) =
        (ticks.read().last(), client.connected().map(|connected| connected.server_tick()))
    else {
        return;
    };
    let steer = steer.as_sent();
    if let Some(known) =
        known.filter(|_| course.own.place().is_none() || course.own.is_unheard_of(server_tick))
    {
        course.own.hear(server_tick, known);
    }
    course.own.sail(event.tick, steer);
    // A tick-buffered channel that is full drops its oldest, and the course is within its range.
    if let Err(error) = client.send::<Helm>(steer) {
        tracing::error!(%error, "steering");
    }
}
