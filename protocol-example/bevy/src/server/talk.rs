//! What is said, to the server and by it.

use bevy_ecs::prelude::*;
use bowline::prelude::{Audience, ChannelOf, MessageOf, ToClient};
use bowline_bevy::server::{MessageEvent, RequestEvent, Server};
use bowline_bevy::{DefaultServerTag, NetId};
use protocol_example::game::{ServerNews, printable};
use protocol_example::protocol::{
    Arena, AskChart, Census, Chart, Chat, Emote, Emoted, Flair, Pearl, Player, Position, Room, Said, Talk,
};

use super::{Captain, Rooms};
use crate::Told;

type Ships<'w, 's> =
    Query<'w, 's, (&'static Captain, &'static NetId<DefaultServerTag>, &'static Player, &'static Position)>;

/// A player says something to all others.
pub(super) fn pass_on(
    mut chats: MessageReader<'_, '_, MessageEvent<Chat>>,
    ships: Ships<'_, '_>,
    mut server: Server<'_, '_, Arena>,
    mut news: MessageWriter<'_, Told<ServerNews>>,
) {
    for chat in chats.read() {
        let Some((captain, id, player, _)) = ships.iter().find(|(captain, ..)| captain.user == chat.user)
        else {
            continue;
        };
        let text = printable(&chat.message.text);
        let said = Said { ship: id.id(), text: text.clone() };
        broadcast::<Talk>(&mut server, Audience::all().except(&[captain.user]), said);
        news.write(Told(ServerNews::Said { name: player.name.clone(), text }));
    }
}

/// A gesture is for those who see it.
pub(super) fn pass_on_gestures(
    mut emotes: MessageReader<'_, '_, MessageEvent<Emote>>,
    ships: Ships<'_, '_>,
    rooms: Res<'_, Rooms>,
    mut server: Server<'_, '_, Arena>,
) {
    for emote in emotes.read() {
        let Some((captain, id, _, at)) = ships.iter().find(|(captain, ..)| captain.user == emote.user) else {
            continue;
        };
        let audience = Audience::room(rooms.0[&at.room]);
        let emoted = Emoted { ship: id.id(), kind: emote.message.kind };
        broadcast::<Flair>(&mut server, audience.except(&[captain.user]), emoted);
    }
}

/// Somebody asks what is where.
pub(super) fn show_chart(
    mut questions: MessageReader<'_, '_, RequestEvent<AskChart>>,
    ships: Query<'_, '_, &Position, With<Player>>,
    pearls: Query<'_, '_, &Position, With<Pearl>>,
    mut server: Server<'_, '_, Arena>,
) {
    for asked in questions.read().filter_map(RequestEvent::take) {
        let rooms = Room::ALL.map(|room| Census {
            room,
            ships: ships.iter().filter(|at| at.room == room).count() as u8,
            pearls: pearls.iter().filter(|at| at.room == room).count() as u8,
        });
        // Where there is no room for the answer, whoever asked is told that there is none.
        if let Err(error) = server.respond(asked.responder, Chart { rooms }) {
            tracing::warn!(%error, "showing the chart");
        }
    }
}

/// What is for clients to hear no client says, but one that has been tampered with.
pub(super) fn turn_out<M: Send + Sync + 'static>(
    mut said: MessageReader<'_, '_, MessageEvent<M>>,
    mut server: Server<'_, '_, Arena>,
) {
    for event in said.read() {
        server.disconnect(event.user, "that is for the server to say");
    }
}

fn broadcast<C: ChannelOf<Arena> + ToClient>(
    server: &mut Server<'_, '_, Arena>,
    audience: Audience<'_>,
    message: impl MessageOf<Arena>,
) {
    let mut slow = Vec::new();
    let told = server.broadcast::<C>(audience, message, |user, _| slow.push(user));
    if let Err(error) = told {
        tracing::error!(%error, "a message is over its limit");
    }
    for user in slow {
        server.disconnect(user, "you could not keep up");
    }
}
