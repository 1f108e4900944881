use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::{AuthTicket, ConnectError, Departure, Mismatch};
use bowline_tests::rig::{Arena, ArenaMessage, Chat, Login, Talk, login};

use crate::nets::Net;

pub(crate) const MS: Duration = Duration::from_millis(1);
/// For tests that wait until something times out.
pub(crate) const SHORT: Duration = Duration::from_millis(600);
/// No test waits for so long unless something is wrong.
const LONG: Duration = Duration::from_secs(30);

/// A server and clients, each on a socket of its own, and what they have seen.
pub(crate) struct World<N: Net, P: Protocol<Auth = Login> = Arena> {
    pub(crate) server: Option<Server<Arena, N::Server>>,
    /// Where the client will look for the server.
    pub(crate) net: N,
    pub(crate) client: Client<P, N::Client>,
    pub(crate) decide: fn(&mut World<N, P>, Ticket<N>),
    pub(crate) tickets: Vec<Ticket<N>>,
    /// What the server has seen, ticks left out; what the client has seen.
    pub(crate) server_story: Vec<String>,
    pub(crate) client_story: Vec<String>,
    pub(crate) users: Vec<UserId>,
    pub(crate) departures: Vec<Departure<AddressOf<N>>>,
    pub(crate) mismatches: Vec<Mismatch>,
}

type AddressOf<N> = <<N as Net>::Server as Transport>::Address;
pub(crate) type Ticket<N> = AuthTicket<Arena, AddressOf<N>>;

impl<N: Net> World<N> {
    pub(crate) fn new() -> Self {
        Self::of(ServerConfig::default(), ClientConfig::default())
    }

    /// A world whose client is in.
    pub(crate) fn connected(server: ServerConfig, client: ClientConfig) -> Self {
        let mut world = Self::of(server, client);
        world.connect().unwrap();
        world.until_in();
        world
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.client.connected().unwrap().send::<Talk>(Chat { text: text.into() }).unwrap();
    }
}

impl<N: Net, P: Protocol<Auth = Login>> World<N, P>
where
    P::Message: std::fmt::Debug,
{
    pub(crate) fn of(server: ServerConfig, client: ClientConfig) -> Self {
        let mut server = Server::new(server);
        let (socket, net) = N::listen(server.socket_config());
        server.listen(socket);
        Self {
            server: Some(server),
            net,
            client: Client::new(client),
            decide: |_, ticket| ticket.accept(),
            tickets: Vec::new(),
            server_story: Vec::new(),
            client_story: Vec::new(),
            users: Vec::new(),
            departures: Vec::new(),
            mismatches: Vec::new(),
        }
    }

    pub(crate) fn server(&mut self) -> &mut Server<Arena, N::Server> {
        self.server.as_mut().expect("the server has not been switched off")
    }

    /// Has the client connect by a socket of its own.
    pub(crate) fn connect(&mut self) -> Result<(), ConnectError> {
        let socket = self.net.dial(self.client.socket_config());
        self.client.connect(socket, login("anna"))
    }

    /// A turn of everybody's loop.
    fn turn(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.receive();
            while let Some(event) = server.next_event() {
                self.see(&server, event);
            }
            server.send();
            self.server = Some(server);
        }
        self.client.receive();
        while let Some(event) = self.client.next_event() {
            if let ClientEvent::Rejected(RejectReason::ProtocolMismatch(mismatch)) = &event {
                self.mismatches.push(mismatch.as_ref().clone());
            }
            self.client_story.push(match event {
                ClientEvent::Tick(_) => continue,
                ClientEvent::Disconnected(reason) => format!("disconnected: {reason}"),
                ClientEvent::Rejected(reason) => format!("rejected: {reason}"),
                event => format!("{event:?}"),
            });
        }
        self.client.send();
    }

    fn see(&mut self, server: &Server<Arena, N::Server>, event: ServerEvent<Arena, AddressOf<N>>) {
        let word = match event {
            ServerEvent::Tick(_) => return,
            ServerEvent::AuthRequested(ticket) => {
                (self.decide)(self, ticket);
                "auth requested".into()
            }
            ServerEvent::Connected(user) => {
                self.users.push(user);
                "connected".into()
            }
            ServerEvent::Message(_, ArenaMessage::Chat(chat)) => chat.text,
            ServerEvent::Disconnected(departure) => {
                assert!(server.user(departure.user).is_none(), "nothing of a user outlives the event");
                let word = format!("disconnected: {}", departure.reason);
                self.departures.push(departure);
                word
            }
            ServerEvent::Rejected(rejection) => {
                if let RejectReason::ProtocolMismatch(mismatch) = &rejection.reason {
                    self.mismatches.push(mismatch.as_ref().clone());
                }
                format!("rejected: {}", rejection.reason)
            }
            event => format!("{event:?}"),
        };
        self.server_story.push(word);
    }

    /// Goes on until something is so.
    pub(crate) fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            let (server, client) = (&self.server_story, &self.client_story);
            assert!(
                start.elapsed() < LONG,
                "{what} has not come to be: server {server:?}, client {client:?}"
            );
            self.turn();
            std::thread::sleep(MS);
        }
    }

    /// Goes on for a while.
    pub(crate) fn go_on_for(&mut self, duration: Duration) {
        let start = Instant::now();
        self.until("a while", |_| start.elapsed() >= duration);
    }

    pub(crate) fn until_in(&mut self) {
        let before = self.users.len();
        self.until("a connection", |world| {
            world.users.len() > before && world.client.phase() == Phase::Connected
        });
    }

    pub(crate) fn until_out(&mut self) {
        self.until("the end on the client", |world| world.client.phase() == Phase::Disconnected);
    }

    pub(crate) fn until_departed(&mut self) -> DisconnectReason {
        let before = self.departures.len();
        self.until("the end on the server", |world| world.departures.len() > before);
        self.departures.last().unwrap().reason.clone()
    }

    pub(crate) fn forget(&mut self) {
        self.server_story.clear();
        self.client_story.clear();
    }
}
