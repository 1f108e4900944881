//! From the news of the game to the lines of a timeline.

use super::event::{Refusal, RoomCount};
use super::{Event, State};
use crate::game::{ClientNews, ServerNews, Thing};
use crate::protocol::Census;

/// What a server's news is on a timeline.
#[must_use]
pub fn of_server(news: ServerNews) -> (State, Event) {
    match news {
        ServerNews::Asked { name, address } => {
            (State::PendingAuth, Event::AuthRequested { user: name, address })
        }
        ServerNews::Refused { name, reason } => {
            (State::Disconnected, Event::Rejected(Refusal::new(Some(name), &reason)))
        }
        ServerNews::TurnedAway { address, reason } => {
            (State::Disconnected, Event::Rejected(Refusal::new(Some(address), &reason)))
        }
        ServerNews::Joined { name } => (State::Connected, Event::Connected { user: Some(name) }),
        ServerNews::Said { name, text } => (State::Connected, Event::Relayed { user: name, text }),
        ServerNews::Collected { name, worth } => (State::Connected, Event::Collected { user: name, worth }),
        ServerNews::Passed { name, room } => {
            (State::Connected, Event::Moved { user: name, room: room.to_string() })
        }
        ServerNews::Left { name, reason, .. } => {
            (State::Disconnected, Event::Disconnected { user: Some(name), reason: reason.to_string() })
        }
    }
}

/// What a client's news is on a timeline.
#[must_use]
pub fn of_client(news: ClientNews) -> (State, Event) {
    match news {
        ClientNews::Connected => (State::Connected, Event::Connected { user: None }),
        ClientNews::Rejected(reason) => (State::Disconnected, Event::Rejected(Refusal::new(None, &reason))),
        ClientNews::Disconnected { reason, .. } => {
            (State::Disconnected, Event::Disconnected { user: None, reason: reason.to_string() })
        }
        ClientNews::Reconnecting { attempt, after } => {
            let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            (State::Disconnected, Event::Reconnecting { attempt, after_ms })
        }
        ClientNews::Spawned(things) => (State::Connected, Event::Spawned { things: named(&things) }),
        ClientNews::Despawned(things) => (State::Connected, Event::Despawned { things: named(&things) }),
        ClientNews::Scores(points) => (State::Connected, Event::ReadScores { points }),
        ClientNews::Said { name, text } => (State::Connected, Event::Heard { user: name, text }),
        ClientNews::Emoted { name, kind } => {
            (State::Connected, Event::SawEmote { user: name, emote: format!("{kind:?}") })
        }
        ClientNews::Chart(chart) => (State::Connected, Event::ToldChart { rooms: chart.rooms.map(counted) }),
        ClientNews::NoChart(error) => (State::Connected, Event::NotTold { reason: error.to_string() }),
    }
}

/// The same things have the same names, in the same order.
pub(crate) fn named(things: &[Thing]) -> Vec<String> {
    let mut things: Vec<_> = things.iter().collect();
    things.sort();
    things.iter().map(ToString::to_string).collect()
}

fn counted(census: Census) -> RoomCount {
    RoomCount { room: census.room.to_string(), ships: census.ships, pearls: census.pearls }
}
