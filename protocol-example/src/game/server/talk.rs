//! What is said, to the server and by it.

use bowline::SendErrorKind;
use bowline::prelude::*;

use super::{ArenaServer, ServerNews};
use crate::game::printable;
use crate::protocol::{
    Arena, ArenaMessage, AskChart, Census, Chart, Emoted, Flair, Pearl, Player, Position, Room, Said, Talk,
};

impl<T: Transport> ArenaServer<T> {
    /// A player sent something. The compiler sees to it that no message is forgotten here.
    pub(super) fn hear(&mut self, user: UserId, message: ArenaMessage) -> Option<ServerNews> {
        let ship = *self.ships.get(&user)?;
        match message {
            ArenaMessage::Chat(chat) => {
                let text = printable(&chat.text);
                self.broadcast::<Talk>(Audience::all().except(&[user]), Said { ship, text: text.clone() });
                return Some(ServerNews::Said { name: self.name_of(ship), text });
            }
            ArenaMessage::Steer(steer) => {
                self.helms.insert(ship, steer);
            }
            ArenaMessage::Emote(emote) => {
                let room = self.server.world().component::<Position>(ship)?.room;
                let those_who_see_it = Audience::room(self.rooms[&room]);
                self.broadcast::<Flair>(those_who_see_it.except(&[user]), Emoted { ship, kind: emote.kind });
            }
            // These are for clients. One that sends them has been tampered with.
            ArenaMessage::Welcome(_) | ArenaMessage::Said(_) | ArenaMessage::Emoted(_) => {
                self.server.disconnect(user, "that is for the server to say");
            }
        }
        None
    }

    /// Somebody asks what is where. The answer could as well be given later: what was asked can be kept.
    pub(super) fn show_chart(&mut self, asked: Asked<AskChart>) {
        let chart = Chart { rooms: Room::ALL.map(|room| self.census(room)) };
        if let Err(error) = self.server.respond(asked.responder, chart) {
            // Whoever asked is told that there is no answer.
            tracing::warn!(%error, "showing the chart");
        }
    }

    fn census(&self, room: Room) -> Census {
        let world = self.server.world();
        let ships = world.query::<(&Position, &Player)>().filter(|(_, (at, _))| at.room == room).count();
        let pearls = world.query::<(&Position, &Pearl)>().filter(|(_, (at, _))| at.room == room).count();
        Census { room, ships: ships as u8, pearls: pearls as u8 }
    }

    pub(super) fn tell<C>(&mut self, user: UserId, message: impl MessageOf<Arena>)
    where
        C: ChannelOf<Arena> + ToClient,
    {
        match self.server.send_to::<C>(user, message) {
            // It has gone a moment ago; the event that says so is still to be read.
            Err(unsent) if unsent.kind() == SendErrorKind::NotConnected => {}
            // Its queue is full: it has not kept up for a megabyte.
            Err(unsent) => self.end(user, &unsent.error),
            Ok(()) => {}
        }
    }

    fn broadcast<C>(&mut self, audience: Audience<'_>, message: impl MessageOf<Arena>)
    where
        C: ChannelOf<Arena> + ToClient,
    {
        let mut slow = Vec::new();
        let told = self.server.broadcast::<C>(audience, message, |user, error| slow.push((user, error)));
        if let Err(error) = told {
            tracing::error!(%error, "a message is over its limit");
        }
        for (user, error) in slow {
            self.end(user, &error);
        }
    }

    fn end(&mut self, user: UserId, error: &SendError) {
        tracing::warn!(%user, %error, "ending a connection");
        self.server.disconnect(user, "you could not keep up");
    }
}
