use std::thread::sleep;
use std::time::{Duration, Instant};

use bowline::prelude::*;

use super::{Engine, ProgramError, SERVER, listening};
use crate::game::{FAREWELL, FRAME, ServerSide};
use crate::timeline::{Audience, Timeline, of_server};
use crate::transport::{Network, Program};

/// A server that others can join.
pub struct Serve<'a, E> {
    /// What the game runs on.
    pub engine: E,
    /// For how long; `None` for until it is stopped.
    pub duration: Option<Duration>,
    /// How many may be in at once.
    pub max_users: usize,
    /// Whether to listen where others can read along.
    pub allow_plaintext: bool,
    /// Who sees what happens.
    pub audience: &'a mut dyn Audience,
}

impl<E: Engine> Program for Serve<'_, E> {
    type Output = Result<(), ProgramError>;
    const PAGE: &'static str = E::PAGE;

    fn run<N: Network>(self, mut network: N) -> Self::Output {
        let mut config = ServerConfig::default();
        config.max_users = self.max_users;
        config.socket.allow_plaintext_on_public_address = self.allow_plaintext;
        let mut server = E::Server::<N::Server>::new(config);
        let mut timeline = Timeline::new(self.audience);
        server.listen(network.listen(server.socket_config())?);
        let (state, event) = listening(network.name(), network.place());
        timeline.write(SERVER, state, event)?;

        let end = self.duration.map(|duration| Instant::now() + duration);
        frames(&mut server, &mut timeline, end)?;
        server.shut_down();
        frames(&mut server, &mut timeline, Some(Instant::now() + FAREWELL))
    }
}

/// The loop of a server: a frame, its news, a short sleep.
fn frames(
    server: &mut impl ServerSide,
    timeline: &mut Timeline<'_>,
    end: Option<Instant>,
) -> Result<(), ProgramError> {
    while end.is_none_or(|end| Instant::now() < end) {
        for news in server.frame() {
            let (state, event) = of_server(news);
            timeline.write(SERVER, state, event)?;
        }
        sleep(FRAME);
    }
    Ok(())
}

impl<E> std::fmt::Debug for Serve<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").field("duration", &self.duration).finish_non_exhaustive()
    }
}
