use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use bowline_bevy::client::{
    Client, ConnectEvent, DespawnEntityEvent, DisconnectEvent, InsertResourceEvent, ReconnectingEvent,
    RejectEvent, SpawnEntityEvent, UpdateResourceEvent,
};
use bowline_bevy::{DefaultClientTag, NetId, Remote};
use protocol_example::game::{ClientNews, Comings, Sight, Thing};
use protocol_example::protocol::{Arena, Gate, Pearl, Player, Position, Scoreboard};

use super::Course;
use crate::Told;

/// What has come and gone before the player's eyes.
#[derive(Resource, Debug, Default)]
pub struct Seen(Comings<Entity>);

/// What is before the player's eyes, as a system parameter.
#[derive(SystemParam, Debug)]
pub struct Sights<'w, 's> {
    course: Res<'w, Course>,
    all: Query<'w, 's, (&'static NetId<DefaultClientTag>, &'static Position, Kind), With<Remote>>,
}

/// What tells things apart.
type Kind = (Option<&'static Player>, Option<&'static Gate>, Option<&'static Pearl>);

impl Sights<'_, '_> {
    /// All that is in sight.
    #[must_use]
    pub fn all(&self) -> Vec<Sight> {
        shown(&self.course, self.all.iter())
    }

    /// The same, for whoever has the world instead of a system.
    #[must_use]
    pub fn of(world: &World) -> Vec<Sight> {
        // `None` before there was anything to see.
        let all = world.try_query_filtered::<(&NetId<DefaultClientTag>, &Position, Kind), With<Remote>>();
        let Some(mut all) = all else { return Vec::new() };
        shown(world.resource::<Course>(), all.iter(world))
    }
}

/// An entity that the client was shown, and what it may be.
type Known<'a> =
    (&'a NetId<DefaultClientTag>, &'a Position, (Option<&'a Player>, Option<&'a Gate>, Option<&'a Pearl>));

fn shown<'a>(course: &Course, all: impl Iterator<Item = Known<'a>>) -> Vec<Sight> {
    let all = all.filter_map(|(id, at, (player, gate, pearl))| {
        Some(Sight { entity: id.id(), at: *at, thing: Thing::of(player, gate, pearl)? })
    });
    let mut all: Vec<_> = all.collect();
    course.own.show(course.ship, &mut all);
    all
}

pub(super) fn of_the_connection(
    mut connected: MessageReader<'_, '_, ConnectEvent>,
    mut rejected: MessageReader<'_, '_, RejectEvent>,
    mut disconnected: MessageReader<'_, '_, DisconnectEvent>,
    mut reconnecting: MessageReader<'_, '_, ReconnectingEvent>,
    client: Client<'_, '_, Arena>,
    mut course: ResMut<'_, Course>,
    mut news: MessageWriter<'_, Told<ClientNews>>,
) {
    for _ in connected.read() {
        *course = Course { by_hand: course.by_hand, ..Course::default() };
        news.write(Told(ClientNews::Connected));
    }
    news.write_batch(rejected.read().map(|event| Told(ClientNews::Rejected(event.reason.clone()))));
    news.write_batch(disconnected.read().map(|event| {
        let (reason, stats) = (event.reason.clone(), Box::new(client.stats()));
        Told(ClientNews::Disconnected { reason, stats })
    }));
    news.write_batch(
        reconnecting
            .read()
            .map(|event| Told(ClientNews::Reconnecting { attempt: event.attempt, after: event.after })),
    );
}

pub(super) fn of_sights(
    mut gone: MessageReader<'_, '_, DespawnEntityEvent>,
    mut come: MessageReader<'_, '_, SpawnEntityEvent>,
    kinds: Query<'_, '_, Kind>,
    mut seen: ResMut<'_, Seen>,
    mut news: MessageWriter<'_, Told<ClientNews>>,
) {
    gone.read().for_each(|event| seen.0.go(&event.entity));
    for event in come.read() {
        // One that has come and gone since is no news.
        if let Ok((player, gate, pearl)) = kinds.get(event.entity)
            && let Some(thing) = Thing::of(player, gate, pearl)
        {
            seen.0.come(event.entity, thing);
        }
    }
    news.write_batch(seen.0.news().into_iter().map(Told));
}

pub(super) fn of_scores(
    mut first: MessageReader<'_, '_, InsertResourceEvent<Scoreboard>>,
    mut changed: MessageReader<'_, '_, UpdateResourceEvent<Scoreboard>>,
    scoreboard: Option<Res<'_, Scoreboard>>,
    mut news: MessageWriter<'_, Told<ClientNews>>,
) {
    if first.read().count() + changed.read().count() > 0
        && let Some(scoreboard) = scoreboard
    {
        news.write(Told(ClientNews::Scores(scoreboard.shown())));
    }
}
