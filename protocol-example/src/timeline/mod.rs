//! How the programs tell what happens: one [`Line`] after the other, to people or to programs.

use std::io;
use std::time::Instant;

use serde::Serialize;

mod event;
mod narrate;
mod print;

pub use event::{Event, Measured, RoomCount};
pub(crate) use narrate::named;
pub use narrate::{of_client, of_server};
pub use print::{JsonLines, Terminal};

/// Something that happened, where and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Milliseconds since the program began.
    pub at_ms: u64,
    /// The part of the story that it belongs to; empty where there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub scene: &'static str,
    /// Whose side it is told from: `server`, or the name of a client.
    pub who: String,
    /// Where the connection stands now that it happened, seen from that side.
    pub state: State,
    /// What it was, and all that belongs to it. In JSON its name is in `event` and its fields stand beside.
    #[serde(flatten)]
    pub event: Event,
}

/// Where a connection stands: the states of the typestate, and one for the server's own socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    /// The server takes connections.
    Listening,
    /// The server has not decided.
    PendingAuth,
    /// Messages can travel.
    Connected,
    /// There is no session.
    Disconnected,
}

/// Whoever follows a timeline.
pub trait Audience {
    /// Sees a line, the moment it is written.
    ///
    /// # Errors
    /// Where it cannot see any more: a pipe is closed.
    fn see(&mut self, line: &Line) -> io::Result<()>;
}

/// For tests, and for whoever wants the whole of it.
impl Audience for Vec<Line> {
    fn see(&mut self, line: &Line) -> io::Result<()> {
        self.push(line.clone());
        Ok(())
    }
}

/// Writes the lines, for an audience.
pub struct Timeline<'a> {
    audience: &'a mut dyn Audience,
    began: Instant,
    scene: &'static str,
}

impl<'a> Timeline<'a> {
    /// It begins now.
    pub fn new(audience: &'a mut dyn Audience) -> Self {
        Self { audience, began: Instant::now(), scene: "" }
    }

    /// What follows belongs to this part of the story.
    pub fn begin_scene(&mut self, scene: &'static str) {
        self.scene = scene;
    }

    /// The part of the story that is on.
    #[must_use]
    pub fn scene(&self) -> &'static str {
        self.scene
    }

    /// Writes that something happened just now.
    ///
    /// # Errors
    /// Where the audience cannot see it.
    pub fn write(&mut self, who: &str, state: State, event: Event) -> io::Result<()> {
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.audience.see(&Line { at_ms, scene: self.scene, who: who.to_owned(), state, event })
    }
}

impl std::fmt::Debug for Timeline<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timeline").field("scene", &self.scene).finish_non_exhaustive()
    }
}
