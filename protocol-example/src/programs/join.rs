use std::io::BufRead;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::{Entropy, OsEntropy};

use super::{ClientSocket, Engine, ProgramError};
use crate::game::{ClientNews, ClientSide, FAREWELL, FRAME};
use crate::protocol::Login;
use crate::timeline::{Audience, Event, Measured, State, Timeline, of_client};
use crate::transport::{Network, Program};

/// A player at a keyboard: a line that is typed is said to all, or is a command, and the end of the input is a goodbye.
pub struct Join<'a, E> {
    /// What the game runs on.
    pub engine: E,
    /// Who comes in.
    pub login: Login,
    /// What the link is made to be like; `None` for as it is.
    pub condition: Option<LinkConditionerConfig>,
    /// Who sees what happens.
    pub audience: &'a mut dyn Audience,
}

/// After so many attempts in a row without an answer the server is taken to be gone.
const ATTEMPTS: u32 = 3;
/// For how long each waits for that answer: somebody sits and watches.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long what was said last may be on its way before the goodbye.
const DRAIN: Duration = Duration::from_secs(2);

/// What may be typed besides words.
const COMMANDS: &str = "/pearl or /gate to sail there, /stop, /chart to be told what is where";

impl<E: Engine> Program for Join<'_, E> {
    type Output = Result<(), ProgramError>;
    const PAGE: &'static str = E::PAGE;

    fn run<N: Network>(self, network: N) -> Self::Output {
        let mut config = ClientConfig::default();
        config.connection.connect_timeout = PATIENCE;
        config.reconnect =
            Some(ReconnectPolicy { max_attempts: Some(ATTEMPTS), ..ReconnectPolicy::default() });
        let socket = network.dial(config.socket.clone())?;
        let address = network.place();
        match self.condition {
            None => self.play(config, socket, address),
            Some(condition) => {
                self.play(config, Conditioned::new(socket, condition, OsEntropy.next_u64()), address)
            }
        }
    }
}

impl<E: Engine> Join<'_, E> {
    fn play<T: ClientSocket>(
        self,
        config: ClientConfig,
        socket: T,
        address: String,
    ) -> Result<(), ProgramError> {
        let name = self.login.name.clone();
        let mut timeline = Timeline::new(self.audience);
        let mut client = E::Client::<T>::new(config);
        client.connect(socket, self.login)?;
        timeline.write(&name, State::PendingAuth, Event::Connecting { address })?;

        let typed = typed_lines();
        while !obey_typed(&typed, &mut client, &mut timeline, &name)? {
            let news = client.frame();
            let end = end_of(&news);
            tell(news, &mut timeline, &name)?;
            if let Some(reason) = end {
                return Err(ProgramError::Ended(reason));
            }
            sleep(FRAME);
        }
        say_goodbye(&mut client, &mut timeline, &name)
    }
}

/// Does what was typed; `true` when there will be no more. What is typed before the connection is up waits for it.
fn obey_typed(
    typed: &Receiver<String>,
    client: &mut impl ClientSide,
    timeline: &mut Timeline<'_>,
    name: &str,
) -> Result<bool, ProgramError> {
    while client.phase() == Phase::Connected {
        match typed.try_recv() {
            Ok(text) => obey(&text, client, timeline, name)?,
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => return Ok(true),
        }
    }
    Ok(false)
}

fn obey(
    text: &str,
    client: &mut impl ClientSide,
    timeline: &mut Timeline<'_>,
    name: &str,
) -> Result<(), ProgramError> {
    match text {
        "" => {}
        "/pearl" => client.sail_to(client.nearest_pearl()),
        "/gate" => client.sail_to(client.gate()),
        "/stop" => client.sail_to(None),
        "/chart" => client.ask_chart()?,
        command if command.starts_with('/') => eprintln!("{COMMANDS}"),
        text => match client.say(text) {
            Ok(()) => timeline.write(name, State::Connected, Event::Said { text: text.to_owned() })?,
            // Too long, or too much at once: the player may try again.
            Err(error) => eprintln!("{error}"),
        },
    }
    Ok(())
}

/// Why there is no session, if a frame's news says so, and no new attempt follows.
fn end_of(news: &[ClientNews]) -> Option<String> {
    if news.iter().any(|news| matches!(news, ClientNews::Reconnecting { .. })) {
        return None;
    }
    news.iter().find_map(|news| match news {
        ClientNews::Rejected(reason) => Some(reason.to_string()),
        ClientNews::Disconnected { reason, .. } => Some(reason.to_string()),
        _ => None,
    })
}

/// Waits until what was said has arrived, leaves, and stays for long enough that the server hears it.
fn say_goodbye(
    client: &mut impl ClientSide,
    timeline: &mut Timeline<'_>,
    name: &str,
) -> Result<(), ProgramError> {
    let drained_by = Instant::now() + DRAIN;
    while client.stats().queued_bytes > 0 && Instant::now() < drained_by {
        tell(client.frame(), timeline, name)?;
        sleep(FRAME);
    }
    client.leave();
    let end = Instant::now() + FAREWELL;
    while Instant::now() < end {
        tell(client.frame(), timeline, name)?;
        sleep(FRAME);
    }
    let measured = Measured::of(1, &client.stats());
    Ok(timeline.write(name, State::Disconnected, Event::Measured(measured))?)
}

fn tell(news: Vec<ClientNews>, timeline: &mut Timeline<'_>, name: &str) -> Result<(), ProgramError> {
    for news in news {
        let (state, event) = of_client(news);
        timeline.write(name, state, event)?;
    }
    Ok(())
}

/// The lines of standard input, which can only be waited for: a thread of its own does that.
fn typed_lines() -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

impl<E> std::fmt::Debug for Join<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join").field("login", &self.login).finish_non_exhaustive()
    }
}
