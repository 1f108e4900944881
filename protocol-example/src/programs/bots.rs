use std::thread::sleep;
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::{Entropy, SeededEntropy};

use super::{Engine, ProgramError, SERVER, listening};
use crate::game::{ClientNews, ClientSide, FAREWELL, FRAME, ServerSide};
use crate::protocol::{EmoteKind, Login, TOKEN};
use crate::timeline::{Audience, Event, Measured, State, Timeline, of_client, of_server};
use crate::transport::{Network, Program};

/// A crowd of clients that chat and collect pearls, and a table of what their sessions came to.
pub struct Bots<'a, E> {
    /// What the game runs on.
    pub engine: E,
    /// How many.
    pub count: u8,
    /// For how long.
    pub duration: Duration,
    /// Whether to run a server for them too, in this process.
    pub with_server: bool,
    /// Who sees what happens.
    pub audience: &'a mut dyn Audience,
}

/// One of the crowd.
struct Bot<C> {
    name: String,
    client: C,
    mood: SeededEntropy,
    acts_at: Instant,
    stats: Option<ConnectionStats>,
}

const SAYINGS: [&str; 4] = ["Ahoy!", "Make way!", "Which way is the wind?", "Is that your anchor?"];

impl<E: Engine> Program for Bots<'_, E> {
    type Output = Result<(), ProgramError>;
    const PAGE: &'static str = E::PAGE;

    fn run<N: Network>(self, mut network: N) -> Self::Output {
        let mut timeline = Timeline::new(self.audience);
        let mut server = None;
        if self.with_server {
            let mut listener = E::Server::<N::Server>::new(ServerConfig::default());
            listener.listen(network.listen(listener.socket_config())?);
            let (state, event) = listening(network.name(), network.place());
            timeline.write(SERVER, state, event)?;
            server = Some(listener);
        }
        let bots = (1..=self.count).map(|number| Bot::<E::Client<N::Client>>::new(number, &network));
        let mut bots: Vec<_> = bots.collect::<Result<_, _>>()?;

        let end = Instant::now() + self.duration;
        while Instant::now() < end {
            frame(&mut server, &mut bots, &mut timeline)?;
        }
        if let Some(bot) = bots.first() {
            let points = bot.client.scores();
            timeline.write(&bot.name, State::Connected, Event::ReadScores { points })?;
        }
        for bot in &mut bots {
            bot.client.leave();
        }
        let end = Instant::now() + FAREWELL;
        while Instant::now() < end {
            frame(&mut server, &mut bots, &mut timeline)?;
        }
        table(&bots, &mut timeline)
    }
}

/// Everybody takes a turn. All that the bots do and see would fill the screen: only comings and goings are told.
fn frame<C: ClientSide>(
    server: &mut Option<impl ServerSide>,
    bots: &mut [Bot<C>],
    timeline: &mut Timeline<'_>,
) -> Result<(), ProgramError> {
    for news in server.as_mut().map(ServerSide::frame).unwrap_or_default() {
        let (state, event) = of_server(news);
        if matches!(event, Event::Connected { .. } | Event::Rejected(_) | Event::Disconnected { .. }) {
            timeline.write(SERVER, state, event)?;
        }
    }
    for bot in bots {
        bot.act();
        for news in bot.client.frame() {
            if let ClientNews::Disconnected { stats, .. } = &news {
                bot.stats = Some(**stats);
            }
            let (state, event) = of_client(news);
            if matches!(event, Event::Connected { .. } | Event::Rejected(_) | Event::Disconnected { .. }) {
                timeline.write(&bot.name, state, event)?;
            }
        }
    }
    sleep(FRAME);
    Ok(())
}

fn table<C>(bots: &[Bot<C>], timeline: &mut Timeline<'_>) -> Result<(), ProgramError> {
    timeline.begin_scene("What each session came to");
    for bot in bots {
        if let Some(stats) = &bot.stats {
            timeline.write(&bot.name, State::Disconnected, Event::Measured(Measured::of(1, stats)))?;
        }
    }
    match bots.iter().filter(|bot| bot.stats.is_none_or(|stats| stats.packets_received == 0)).count() {
        0 => Ok(()),
        absent => Err(ProgramError::Ended(format!(
            "{absent} of {} bots did not come in; is a server running there?",
            bots.len()
        ))),
    }
}

impl<C: ClientSide> Bot<C> {
    fn new<N: Network<Client = C::Socket>>(number: u8, network: &N) -> Result<Self, ProgramError> {
        let name = format!("bot{number}");
        let mut client = C::new(ClientConfig::default());
        let socket = network.dial(client.socket_config())?;
        client.connect(socket, Login { name: name.clone(), token: TOKEN.to_owned() })?;
        let mood = SeededEntropy::new(number.into());
        Ok(Self { name, client, mood, acts_at: Instant::now(), stats: None })
    }

    /// Now and then it sets sail, for a pearl or for the other room, and more rarely it speaks.
    fn act(&mut self) {
        if Instant::now() < self.acts_at || self.client.phase() != Phase::Connected {
            return;
        }
        self.acts_at = Instant::now() + Duration::from_millis(200 + self.mood.next_u64() % 800);
        if !self.client.is_under_way() {
            let wants_another_room = self.mood.next_u64().is_multiple_of(4);
            let gate = wants_another_room.then(|| self.client.gate()).flatten();
            self.client.sail_to(gate.or_else(|| self.client.nearest_pearl()));
        }
        let said = match self.mood.next_u64() % 8 {
            choice @ 0..4 => self.client.say(SAYINGS[choice as usize]),
            4 => self.client.emote(EmoteKind::Cheer),
            _ => Ok(()),
        };
        if let Err(error) = said {
            tracing::warn!(bot = self.name, %error, "lost for words");
        }
    }
}

impl<E> std::fmt::Debug for Bots<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bots").field("count", &self.count).finish_non_exhaustive()
    }
}
