use bevy_ecs::prelude::*;
use bowline_bevy::client::Client;
use protocol_example::game::course;
use protocol_example::protocol::{Arena, Helm, Position};

use super::Course;

/// In each tick we say where to sail; the server hears it right before it comes to that tick.
pub(super) fn steer(
    course: Res<'_, Course>,
    places: Query<'_, '_, &Position>,
    mut client: Client<'_, '_, Arena>,
) {
    let place = |id| client.entity(id).and_then(|entity| places.get(entity).ok());
    let steer = match (course.by_hand, course.ship.and_then(place), course.destination.and_then(place)) {
        (Some(by_hand), ..) => by_hand,
        (None, Some(ship), Some(destination)) => course::towards(ship, destination),
        _ => Default::default(),
    };
    // A tick-buffered channel that is full drops its oldest, and the course is within its range.
    if let Err(error) = client.send::<Helm>(steer) {
        tracing::error!(%error, "steering");
    }
}
