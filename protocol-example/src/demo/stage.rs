use std::collections::{BTreeMap, VecDeque};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bowline::ConnectError;
use bowline::prelude::*;

use super::sights::Sights;
use super::{DEADLINE, DemoError};
use crate::game::{ClientNews, ClientSide as _, FRAME, ServerSide as _, Visitor};
use crate::programs::Engine;
use crate::protocol::outdated::OutdatedArena;
use crate::protocol::{Arena, EmoteKind};
use crate::timeline::{Audience, Event, Measured, State, Timeline, of_client, of_server};
use crate::transport::Network;

pub(super) const SERVER: &str = "server";
pub(super) const ALICE: &str = "alice";
pub(super) const BOB: &str = "bob";
pub(super) const MALLORY: &str = "mallory";
pub(super) const OLGA: &str = "olga";

/// Everybody has a link of their own: 20 ms each way, more or less 5, and one datagram of a hundred is lost.
const LINK: LinkConditionerConfig = LinkConditionerConfig::new(20, 5, 0.01);
/// A cable that is pulled loses everything.
const NO_LINK: LinkConditionerConfig = LinkConditionerConfig::new(20, 5, 1.0);

/// What the links lose and delay is drawn from here, so that it is the same in every run.
const SEED: u64 = 40;

/// Both sides notice a pulled cable, each for itself. So that the story is always told in the same order, and
/// in a short time, the server gives up after one second and a client a little later.
const SERVER_PATIENCE: Duration = Duration::from_millis(1_000);
const CLIENT_PATIENCE: Duration = Duration::from_millis(1_300);
/// Well below both.
const HEARTBEAT: Duration = Duration::from_millis(200);

pub(super) type Link<N> = Conditioned<<N as Network>::Client>;

/// One server and its clients, on one thread: each frame gives everybody a turn.
pub(super) struct Stage<'a, N: Network, E: Engine> {
    network: N,
    pub(super) server: E::Server<N::Server>,
    pub(super) alice: E::Client<Link<N>>,
    pub(super) bob: E::Client<Link<N>>,
    pub(super) mallory: Visitor<Arena, Link<N>>,
    pub(super) olga: Visitor<OutdatedArena, Link<N>>,
    pub(super) gesture_that_alice_saw: Option<EmoteKind>,
    pub(super) sights: BTreeMap<&'static str, Sights>,
    /// That of the youngest link: each has its own.
    last_seed: u64,
    sessions: Vec<(&'static str, Measured)>,
    timeline: Timeline<'a>,
    /// What stands on the timeline and the script has not asked for yet.
    unread: VecDeque<(&'static str, &'static str)>,
}

impl<'a, N: Network, E: Engine> Stage<'a, N, E> {
    pub(super) fn new(network: N, _: E, audience: &'a mut dyn Audience) -> Self {
        let mut server = ServerConfig::default();
        server.connection.disconnection_timeout_duration = SERVER_PATIENCE;
        server.connection.heartbeat_interval = HEARTBEAT;
        let mut client = ClientConfig::default();
        client.connection.disconnection_timeout_duration = CLIENT_PATIENCE;
        client.connection.heartbeat_interval = HEARTBEAT;
        let mut persistent = client.clone();
        persistent.reconnect =
            Some(ReconnectPolicy { base_delay: Duration::from_millis(200), ..ReconnectPolicy::default() });
        Self {
            network,
            server: E::Server::new(server),
            alice: E::Client::new(persistent.clone()),
            bob: E::Client::new(persistent),
            mallory: Visitor::new(client.clone()),
            olga: Visitor::new(client),
            gesture_that_alice_saw: None,
            sights: BTreeMap::new(),
            last_seed: SEED,
            sessions: Vec::new(),
            timeline: Timeline::new(audience),
            unread: VecDeque::new(),
        }
    }

    pub(super) fn begin_scene(&mut self, scene: &'static str) {
        self.timeline.begin_scene(scene);
    }

    pub(super) fn scene(&self) -> &'static str {
        self.timeline.scene()
    }

    /// Writes what the script itself has done.
    pub(super) fn note(&mut self, who: &'static str, state: State, event: Event) -> Result<(), DemoError> {
        Ok(self.timeline.write(who, state, event)?)
    }

    /// Lets time pass until just this has happened, in this order.
    pub(super) fn expect<const COUNT: usize>(
        &mut self,
        story: [(&'static str, &'static str); COUNT],
    ) -> Result<(), DemoError> {
        for expected in story {
            let wanted = || format!("`{}` of {}", expected.1, expected.0);
            let deadline = Instant::now() + DEADLINE;
            let happened = loop {
                if let Some(happened) = self.unread.pop_front() {
                    break happened;
                }
                if Instant::now() >= deadline {
                    return Err(DemoError::Missing { scene: self.scene(), expected: wanted() });
                }
                self.frame()?;
            };
            if happened != expected {
                return Err(self.unexpected(wanted(), happened));
            }
        }
        Ok(())
    }

    /// Lets time pass until `look` finds what it looks for. Nothing else may happen meanwhile.
    pub(super) fn until<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>, DemoError>,
    ) -> Result<T, DemoError> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if let Some(happened) = self.unread.pop_front() {
                return Err(self.unexpected(what.to_owned(), happened));
            }
            if Instant::now() >= deadline {
                return Err(DemoError::Missing { scene: self.scene(), expected: what.to_owned() });
            }
            self.frame()?;
        }
    }

    /// Lets some time pass, in which nothing may happen that stands on the timeline.
    pub(super) fn play_on(&mut self, duration: Duration) -> Result<(), DemoError> {
        let end = Instant::now() + duration;
        self.until("nothing else", |_| Ok((Instant::now() >= end).then_some(())))
    }

    pub(super) fn open(&mut self) -> Result<(), DemoError> {
        let socket = self.network.listen(self.server.socket_config())?;
        self.server.listen(socket);
        let (transport, address) = (self.network.name().to_owned(), self.network.place());
        self.note(SERVER, State::Listening, Event::Listening { transport, address })
    }

    /// Has a client ask to come in, over a link of its own.
    pub(super) fn call(
        &mut self,
        who: &'static str,
        connect: impl FnOnce(&mut Self, Link<N>) -> Result<(), ConnectError>,
    ) -> Result<(), DemoError> {
        let socket = self.network.dial(self.alice.socket_config())?;
        self.last_seed += 1;
        let link = Conditioned::new(socket, LINK, self.last_seed);
        connect(self, link)?;
        let address = self.network.place();
        self.note(who, State::PendingAuth, Event::Connecting { address })
    }

    pub(super) fn pull_the_cable_of_bob(&mut self) -> Result<(), DemoError> {
        self.bob.with_transport(|link| link.set_config(NO_LINK));
        self.note(BOB, State::Connected, Event::CablePulled)
    }

    pub(super) fn plug_in_the_cable_of_bob(&mut self) -> Result<(), DemoError> {
        self.bob.with_transport(|link| link.set_config(LINK));
        self.note(BOB, State::Disconnected, Event::CablePlugged)
    }

    /// What the sessions of alice and bob came to, in the order in which they began.
    pub(super) fn sessions(&self) -> Vec<(&'static str, Measured)> {
        let mut sessions = self.sessions.clone();
        sessions.sort_by_key(|(who, measured)| (*who, measured.session));
        sessions
    }

    /// Everybody takes a turn; then they sleep.
    pub(super) fn frame(&mut self) -> Result<(), DemoError> {
        for news in self.server.frame() {
            let (state, event) = of_server(news);
            self.happened(SERVER, state, event)?;
        }
        for news in self.alice.frame() {
            self.client_news(ALICE, news)?;
        }
        for news in self.bob.frame() {
            self.client_news(BOB, news)?;
        }
        for news in self.mallory.frame() {
            self.client_news(MALLORY, news)?;
        }
        for news in self.olga.frame() {
            self.client_news(OLGA, news)?;
        }
        sleep(FRAME);
        Ok(())
    }

    fn client_news(&mut self, who: &'static str, news: ClientNews) -> Result<(), DemoError> {
        match news {
            // These come whenever the link lets them, between other things: the script asks for what it needs.
            ClientNews::Spawned(things) => self.sights.entry(who).or_default().came.extend(things),
            ClientNews::Despawned(things) => self.sights.entry(who).or_default().went.extend(things),
            ClientNews::Emoted { kind, .. } if who == ALICE => self.gesture_that_alice_saw = Some(kind),
            ClientNews::Emoted { .. } | ClientNews::Scores(_) => {}
            news => {
                if let ClientNews::Disconnected { stats, .. } = &news {
                    let earlier = self.sessions.iter().filter(|(other, _)| *other == who).count();
                    let session = u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1);
                    self.sessions.push((who, Measured::of(session, stats)));
                }
                let (state, event) = of_client(news);
                self.happened(who, state, event)?;
            }
        }
        Ok(())
    }

    fn happened(&mut self, who: &'static str, state: State, event: Event) -> Result<(), DemoError> {
        self.unread.push_back((who, event.name()));
        self.note(who, state, event)
    }

    fn unexpected(&self, expected: String, (who, event): (&str, &str)) -> DemoError {
        DemoError::Unexpected { scene: self.scene(), expected, happened: format!("`{event}` of {who}") }
    }
}
