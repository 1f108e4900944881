use bevy_ecs::prelude::*;
use bowline::prelude::PendingResponse;
use bowline_bevy::client::MessageEvent;
use protocol_example::game::{ClientNews, SOMEBODY, printable};
use protocol_example::protocol::{AskChart, Emoted, Said, Scoreboard, Welcome};

use super::Course;
use crate::Told;

/// A question to the server that has no answer yet.
#[derive(Resource, Debug, Default)]
pub struct Asked(pub Option<PendingResponse<AskChart>>);

/// The server says which ship is ours.
pub(super) fn welcome(
    mut welcomes: MessageReader<'_, '_, MessageEvent<Welcome>>,
    mut course: ResMut<'_, Course>,
) {
    for welcome in welcomes.read() {
        course.ship = Some(welcome.message.ship);
    }
}

/// What other players say and do.
pub(super) fn hear(
    mut sayings: MessageReader<'_, '_, MessageEvent<Said>>,
    mut emotes: MessageReader<'_, '_, MessageEvent<Emoted>>,
    scoreboard: Option<Res<'_, Scoreboard>>,
    mut news: MessageWriter<'_, Told<ClientNews>>,
) {
    // The scoreboard has those who are out of sight too. A message may overtake it.
    let name_of = |ship| {
        scoreboard.as_ref().map_or_else(|| SOMEBODY.to_owned(), |scoreboard| scoreboard.shown_name_of(ship))
    };
    for MessageEvent { message, .. } in sayings.read() {
        let (name, text) = (name_of(message.ship), printable(&message.text));
        news.write(Told(ClientNews::Said { name, text }));
    }
    for MessageEvent { message, .. } in emotes.read() {
        news.write(Told(ClientNews::Emoted { name: name_of(message.ship), kind: message.kind }));
    }
}

/// The answer to what was asked. It comes for sure: if not as a chart, then as the reason why not.
pub(super) fn answer(mut asked: ResMut<'_, Asked>, mut news: MessageWriter<'_, Told<ClientNews>>) {
    let Some(answer) = asked.bypass_change_detection().0.as_mut().and_then(PendingResponse::try_take) else {
        return;
    };
    asked.0 = None;
    news.write(Told(match answer {
        Ok(chart) => ClientNews::Chart(chart),
        Err(error) => ClientNews::NoChart(error),
    }));
}
