//! A protocol and ready-made servers and clients, for tests and benches that need more than the simulator: real sockets,
//! counted allocations, measured times.

use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Datagram, Security, Transport, local};
use bowline::{Instant, ManualClock, SeededEntropy};

/// The credentials.
#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Login {
    /// Who.
    #[wire(max_len = 64)]
    pub name: String,
}

/// Words.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chat {
    /// The words.
    #[wire(max_len = 256)]
    pub text: String,
}

/// A message without memory of its own.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    /// From left to right.
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
}

/// A hundred bytes without memory of their own.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Hundred {
    /// The bytes.
    pub bytes: [u8; 100],
}

/// Ordered and reliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

/// Unordered and unreliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(unordered_unreliable, bidirectional)]
pub struct Moves;

/// Sequenced and unreliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(sequenced_unreliable, bidirectional)]
pub struct Looks;

/// Unordered and reliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(unordered_reliable, bidirectional)]
pub struct Facts;

/// Sequenced and reliable, both ways.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(sequenced_reliable, bidirectional)]
pub struct Settings;

/// Inputs of ticks.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

/// The protocol.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    auth = Login,
    channels(Talk, Moves, Looks, Facts, Settings, Helm),
    messages(Chat, Steer, Hundred),
    components(Place, Armour),
    resources(Clockwork),
    derive(Clone, Debug, PartialEq)
)]
pub struct Arena;

/// Where an entity is: three numbers of 32 bits.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// From west to east.
    pub x: f32,
    /// From south to north.
    pub y: f32,
    /// Up.
    pub z: f32,
}

/// A component that few have.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Armour(pub u8);

/// A resource.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Clockwork {
    /// How often it has ticked.
    pub ticks: u32,
}

pub mod outdated {
    //! The same protocol before one field of one message was changed.

    use bowline::prelude::*;

    use super::{Chat, Facts, Helm, Hundred, Login, Looks, Moves, Settings, Talk};

    /// Coarser than the current one.
    #[derive(Message, Clone, Copy, Debug, PartialEq)]
    pub struct Steer {
        /// From left to right.
        #[wire(range = -1.0..=1.0, step = 0.1)]
        pub turn: f32,
    }

    /// A protocol that a client was built with long ago.
    #[derive(Protocol, Clone, Copy, Debug)]
    #[protocol(
        tick_rate = 20,
        auth = Login,
        channels(Talk, Moves, Looks, Facts, Settings, Helm),
        messages(Chat, Steer, Hundred),
        components(super::Place, super::Armour),
        resources(super::Clockwork),
        derive(Debug)
    )]
    pub struct OldArena;
}

/// The credentials of somebody.
#[must_use]
pub fn login(name: &str) -> Login {
    Login { name: name.into() }
}

/// A machine whose time stands still until it is moved.
pub type TestHost = (ManualClock, SeededEntropy);

/// A server over in-process queues.
pub type LocalServer = Server<Arena, Vouched<local::Socket>, TestHost>;

/// A client over in-process queues.
pub type LocalClient = Client<Arena, Vouched<local::ClientSocket>, TestHost>;

/// A transport that vouches for what it is told to: in-process queues that are treated like UDP, say.
#[derive(Debug)]
pub struct Vouched<T> {
    inner: T,
    security: Security,
}

impl<T: Transport> Transport for Vouched<T> {
    type Address = T::Address;
    type Error = T::Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, T::Address>>, T::Error> {
        self.inner.receive(now)
    }

    fn send(&mut self, now: Instant, to: T::Address, datagram: &[u8]) -> Result<(), T::Error> {
        self.inner.send(now, to, datagram)
    }

    fn flush(&mut self, now: Instant) -> Result<(), T::Error> {
        self.inner.flush(now)
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn security(&self, _: T::Address) -> Security {
        self.security
    }

    fn name(&self, address: T::Address) -> &'static str {
        self.inner.name(address)
    }

    fn close(&mut self, address: T::Address) {
        self.inner.close(address);
    }
}

impl<T: ClientTransport> ClientTransport for Vouched<T> {
    fn server_address(&self) -> T::Address {
        self.inner.server_address()
    }
}

/// A server and its clients over in-process queues, in virtual time. Nothing in it allocates but what they do.
#[derive(Debug)]
pub struct Table {
    /// The time of them all.
    pub clock: ManualClock,
    /// Where they meet.
    pub hub: local::Hub,
    /// What the queues vouch for: [`Security::NONE`] makes them like UDP, [`Security::FULL`] like WebRTC.
    pub security: Security,
    /// The server.
    pub server: LocalServer,
    /// The clients.
    pub clients: Vec<LocalClient>,
}

impl Table {
    /// How long a tick is.
    pub const TICK: Duration = Duration::from_millis(50);

    /// A server that listens, and so many clients that are not connected.
    ///
    /// # Panics
    /// Never: the hub is fresh.
    #[must_use]
    pub fn new(clients: usize, security: Security) -> Self {
        Self::configured(clients, security, ServerConfig::default(), &ClientConfig::default())
    }

    /// The same, with these configurations.
    ///
    /// # Panics
    /// Never: the hub is fresh.
    #[must_use]
    pub fn configured(
        clients: usize,
        security: Security,
        server: ServerConfig,
        client: &ClientConfig,
    ) -> Self {
        let clock = ManualClock::new();
        let hub = local::Hub::new();
        let host = |seed| (clock.clone(), SeededEntropy::new(seed));
        let mut server = Server::with_host(server, host(1));
        let inner = hub.server(server.socket_config()).expect("a fresh hub has no server");
        server.listen(Vouched { inner, security });
        let clients =
            (0..clients as u64).map(|index| Client::with_host(client.clone(), host(100 + index))).collect();
        Self { clock, hub, security, server, clients }
    }

    /// The same, with the clients connected.
    #[must_use]
    pub fn connected(clients: usize, security: Security) -> Self {
        let mut table = Self::new(clients, security);
        table.connect_all();
        table
    }

    /// Has all clients connect.
    pub fn connect_all(&mut self) {
        (0..self.clients.len()).for_each(|client| self.connect(client));
        while self.server.user_count() < self.clients.len()
            || self.clients.iter().any(|client| client.phase() != Phase::Connected)
        {
            self.turn(|_, _| (), |_, _| ());
        }
        // The event is still to come.
        self.turn(|_, _| (), |_, _| ());
    }

    /// Has a client begin to connect.
    ///
    /// # Panics
    /// Where it is connected already.
    pub fn connect(&mut self, client: usize) {
        let client = &mut self.clients[client];
        let socket = Vouched { inner: self.hub.client(client.socket_config()), security: self.security };
        client.connect(socket, login("somebody")).expect("a client that is not connected can connect");
    }

    /// A tick passes; server and clients do a turn each. Everybody is let in.
    pub fn turn(
        &mut self,
        server: impl FnMut(&mut LocalServer, ServerEvent<Arena, local::Address>),
        client: impl FnMut(&mut LocalClient, ClientEvent<Arena>),
    ) {
        self.clock.advance(Self::TICK);
        self.server_turn(server);
        self.client_turns(client);
    }

    /// The server does a turn. Everybody is let in.
    pub fn server_turn(
        &mut self,
        mut server: impl FnMut(&mut LocalServer, ServerEvent<Arena, local::Address>),
    ) {
        self.server.receive();
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                event => server(&mut self.server, event),
            }
        }
        self.server.send();
    }

    /// Every client does a turn.
    pub fn client_turns(&mut self, mut client: impl FnMut(&mut LocalClient, ClientEvent<Arena>)) {
        for node in &mut self.clients {
            node.receive();
            while let Some(event) = node.next_event() {
                client(node, event);
            }
            node.send();
        }
    }
}
