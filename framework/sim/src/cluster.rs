use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use bowline_client::{Client, ClientConfig, ClientEvent};
use bowline_core::{Clock, Instant, ManualClock, NetEntity, Protocol, RejectReason, Security};
use bowline_replication::{EntityEvent, Unencodable};
use bowline_server::{AuthTicket, Departure, Rejection, Server, ServerConfig, ServerEvent, UserId};

use crate::host::{ClockShift, SimHost};
use crate::plan::{Fault, Plan};
use crate::{Conditions, Network, SimAddress, SimSocket};

/// A server, its clients and the network between them, in virtual time.
///
/// Every node runs as a program would that sleeps until a datagram or a deadline: `receive`, all events, `send`. Give
/// nodes a frame ([`ClusterConfig::client_frame`]) to have them run as a game loop does instead.
pub struct Cluster<P: Protocol> {
    config: ClusterConfig,
    time: ManualClock,
    network: Network,
    auth: Box<dyn FnMut(usize) -> P::Auth>,
    app: Option<App<P>>,
    client_app: Option<ClientApp<P>>,
    answers: Option<Answers<P>>,
    client_answers: Option<ClientAnswers<P>>,
    door: Door,
    server: ServerNode<P>,
    clients: Vec<ClientNode<P>>,
    /// Tickets that wait for the door to decide.
    tickets: Vec<(Instant, AuthTicket<P, SimAddress>)>,
    restarts: u64,
}

/// What a game's server does with an event: it is called for every one, ticks included.
type App<P> = Box<dyn FnMut(&mut Server<P, SimSocket, SimHost>, &Seen<P>)>;

/// What a game's client, one with this number, does with an event.
type ClientApp<P> = Box<dyn FnMut(usize, &mut Client<P, SimSocket, SimHost>, &ClientEvent<P>)>;

/// How a game's server answers requests.
type Answers<P> = Box<dyn FnMut(&mut Server<P, SimSocket, SimHost>, UserId, <P as Protocol>::Requested)>;

/// How a game's client, one with this number, answers requests.
type ClientAnswers<P> = Box<dyn FnMut(usize, &mut Client<P, SimSocket, SimHost>, <P as Protocol>::Requested)>;

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// From which everything follows.
    pub seed: u64,
    /// How many clients there are.
    pub clients: usize,
    /// What the links are like at first.
    pub conditions: Conditions,
    /// What the transport vouches for: [`Security::NONE`] is plain UDP, [`Security::FULL`] is WebRTC or local.
    pub security: Security,
    /// How the server is configured.
    pub server: ServerConfig,
    /// How the clients are configured.
    pub client: ClientConfig,
    /// How often the server looks at its socket; `None` for at once.
    pub server_frame: Option<Duration>,
    /// How often a client looks at its socket; `None` for at once.
    pub client_frame: Option<Duration>,
}

impl ClusterConfig {
    /// So many clients on a perfect network without security, as over plain UDP.
    #[must_use]
    pub fn new(seed: u64, clients: usize) -> Self {
        Self {
            seed,
            clients,
            conditions: Conditions::perfect(),
            security: Security::NONE,
            server: ServerConfig::default(),
            client: ClientConfig::default(),
            server_frame: None,
            client_frame: None,
        }
    }
}

/// What the server's application does with those who want to come in.
#[derive(Clone, Debug, PartialEq)]
pub enum Door {
    /// Lets everybody in.
    Open,
    /// Lets everybody in, so much later.
    OpenAfter(Duration),
    /// Lets nobody in, for this reason.
    Closed(RejectReason),
    /// Drops every ticket.
    Drops,
}

/// What the server's application saw.
pub enum Seen<P: Protocol> {
    /// A client wanted to come in.
    AuthRequested(SimAddress),
    /// A user came in.
    Connected(UserId),
    /// A user sent a message.
    Message(UserId, P::Message),
    /// An input of a user, at its tick.
    Input(UserId, u32, P::Message),
    /// A user did something to an entity.
    Entity(UserId, EntityEvent<P>),
    /// A user asked for authority.
    AuthorityRequested(UserId, NetEntity),
    /// A value could not travel.
    Unencodable(Unencodable),
    /// A user left.
    Disconnected(Departure<SimAddress>),
    /// A client did not get in.
    Rejected(Rejection<SimAddress>),
    /// It was time for a tick. Not kept among what was seen.
    Tick(u32),
}

struct ServerNode<P: Protocol> {
    server: Option<Server<P, SimSocket, SimHost>>,
    node: Node,
    seen: Vec<(Instant, Seen<P>)>,
}

struct ClientNode<P: Protocol> {
    client: Client<P, SimSocket, SimHost>,
    node: Node,
    seen: Vec<(Instant, ClientEvent<P>)>,
}

/// What server and clients have in common.
struct Node {
    address: SimAddress,
    shift: ClockShift,
    frozen: bool,
    frame: Option<Duration>,
    wake_at: Instant,
}

impl Node {
    const fn new(address: SimAddress, shift: ClockShift, frame: Option<Duration>) -> Self {
        Self { address, shift, frozen: false, frame, wake_at: Instant::ZERO }
    }

    /// When the node runs next: at its frame, or at its deadline, but never twice at one moment without a reason.
    fn sleep(&mut self, now: Instant, deadline: Option<Instant>) {
        const LEAST: Duration = Duration::from_micros(100);
        self.wake_at = match (self.frame, deadline) {
            (Some(frame), _) => now + frame,
            (None, Some(deadline)) => self.shift.global(deadline).max(now + LEAST),
            (None, None) => now + Duration::from_secs(3_600),
        };
    }
}

const SERVER: SimAddress = SimAddress::new(1);

impl<P: Protocol> Cluster<P> {
    /// A cluster whose server listens and whose clients are not connected. `auth` makes the credentials of the client with
    /// a number.
    #[must_use]
    pub fn new(config: ClusterConfig, auth: impl FnMut(usize) -> P::Auth + 'static) -> Self {
        let time = ManualClock::new();
        let network = Network::new(time.clone(), config.seed, config.conditions, config.security);
        let clients = (0..config.clients)
            .map(|index| {
                let shift = ClockShift::default();
                let host = SimHost::new(time.clone(), shift.clone(), config.seed ^ (index as u64 + 2) << 32);
                let address = SimAddress::new(100 + index as u16);
                let client = Client::with_host(config.client.clone(), host);
                ClientNode { client, node: Node::new(address, shift, config.client_frame), seen: Vec::new() }
            })
            .collect();
        let node = Node::new(SERVER, ClockShift::default(), config.server_frame);
        let mut cluster = Self {
            time,
            network,
            auth: Box::new(auth),
            app: None,
            client_app: None,
            answers: None,
            client_answers: None,
            door: Door::Open,
            server: ServerNode { server: None, node, seen: Vec::new() },
            clients,
            tickets: Vec::new(),
            restarts: 0,
            config,
        };
        cluster.start_server();
        cluster
    }

    /// Gives the server an application that hears every event.
    pub fn set_app(&mut self, app: impl FnMut(&mut Server<P, SimSocket, SimHost>, &Seen<P>) + 'static) {
        self.app = Some(Box::new(app));
    }

    /// Gives the clients an application that hears every event, with the number of the client.
    pub fn set_client_app(
        &mut self,
        app: impl FnMut(usize, &mut Client<P, SimSocket, SimHost>, &ClientEvent<P>) + 'static,
    ) {
        self.client_app = Some(Box::new(app));
    }

    /// Has requests to the server answered, now or later. Without this they are dropped, and so refused.
    pub fn set_answers(
        &mut self,
        answers: impl FnMut(&mut Server<P, SimSocket, SimHost>, UserId, P::Requested) + 'static,
    ) {
        self.answers = Some(Box::new(answers));
    }

    /// Has requests to the clients answered, now or later. Without this they are dropped, and so refused.
    pub fn set_client_answers(
        &mut self,
        answers: impl FnMut(usize, &mut Client<P, SimSocket, SimHost>, P::Requested) + 'static,
    ) {
        self.client_answers = Some(Box::new(answers));
    }

    /// Sets what becomes of those who want to come in from now on.
    pub fn set_door(&mut self, door: Door) {
        self.door = door;
    }

    /// Has a client begin to connect.
    ///
    /// # Panics
    /// Where it is connected already, or its credentials are too long.
    pub fn connect(&mut self, client: usize) {
        let auth = (self.auth)(client);
        let node = &mut self.clients[client];
        let socket = SimSocket::new(&self.network, node.node.address, SERVER);
        node.client.connect(socket, auth).expect("a client that is not connected can connect");
        node.node.wake_at = self.time.now();
    }

    /// Has every client begin to connect.
    pub fn connect_all(&mut self) {
        (0..self.clients.len()).for_each(|client| self.connect(client));
    }

    /// Lets time pass. What the test did to nodes since is sent first.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.time.now() + duration;
        self.run_while(end, |_| true);
    }

    /// Lets time pass until `done`, for `limit` at most; gives whether it came to be.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.time.now() + limit;
        self.run_while(end, |cluster| !done(cluster));
        done(self)
    }

    /// Lets time pass, with a plan's faults at their times, counted from now; then until `duration` is over.
    pub fn run_plan(&mut self, plan: &Plan, duration: Duration) {
        let start = self.time.now();
        for planned in plan.faults() {
            let at = (start + planned.at).min(start + duration);
            self.run_for(at - self.time.now());
            self.apply(&planned.fault);
        }
        self.run_for((start + duration) - self.time.now());
    }

    /// Has something go wrong, or right again, now.
    pub fn apply(&mut self, fault: &Fault) {
        match *fault {
            Fault::Conditions(conditions) => self.network.set_conditions(conditions),
            Fault::Cut(client) => self.network.cut(self.clients[client].node.address),
            Fault::Join(client) => self.network.join(self.clients[client].node.address),
            Fault::Rebind(client) => {
                self.network.rebind(self.clients[client].node.address);
            }
            Fault::FreezeClient(client) => self.clients[client].node.frozen = true,
            Fault::ThawClient(client) => self.clients[client].node.frozen = false,
            Fault::FreezeServer => self.server.node.frozen = true,
            Fault::ThawServer => self.server.node.frozen = false,
            Fault::StepClientClock { client, by, back } => self.clients[client].node.shift.step(by, back),
            Fault::StepServerClock { by, back } => self.server.node.shift.step(by, back),
            Fault::CrashServer => self.crash_server(),
            Fault::StartServer => self.start_server(),
        }
    }

    /// Ends the server's process without a word.
    pub fn crash_server(&mut self) {
        self.tickets.clear();
        self.server.server = None;
        self.network.forget(SERVER);
    }

    /// Starts a server that knows nothing of the one before it.
    pub fn start_server(&mut self) {
        let seed = self.config.seed ^ (self.restarts + 1) << 8;
        self.restarts += 1;
        let host = SimHost::new(self.time.clone(), self.server.node.shift.clone(), seed);
        let mut server = Server::with_host(self.config.server.clone(), host);
        server.listen(SimSocket::new(&self.network, SERVER, SERVER));
        self.network.forget(SERVER);
        self.server.server = Some(server);
        self.server.node.wake_at = self.time.now();
    }

    /// The moment it is, on the network's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.time.now()
    }

    /// The network's clock. It moves when the cluster runs; an application may look at it.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.time.clone()
    }

    /// The network, to look at it or to disturb it.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The address of the server.
    #[must_use]
    pub const fn server_address(&self) -> SimAddress {
        SERVER
    }

    /// The address of a client, as it sees it itself.
    #[must_use]
    pub fn client_address(&self, client: usize) -> SimAddress {
        self.clients[client].node.address
    }

    /// The server.
    ///
    /// # Panics
    /// Where it has crashed.
    #[must_use]
    pub fn server(&self) -> &Server<P, SimSocket, SimHost> {
        self.server.server.as_ref().expect("the server has crashed")
    }

    /// The server.
    ///
    /// # Panics
    /// Where it has crashed.
    pub fn server_mut(&mut self) -> &mut Server<P, SimSocket, SimHost> {
        self.server.node.wake_at = self.time.now();
        self.server.server.as_mut().expect("the server has crashed")
    }

    /// A client.
    #[must_use]
    pub fn client(&self, client: usize) -> &Client<P, SimSocket, SimHost> {
        &self.clients[client].client
    }

    /// A client. It runs when time goes on.
    pub fn client_mut(&mut self, client: usize) -> &mut Client<P, SimSocket, SimHost> {
        self.clients[client].node.wake_at = self.time.now();
        &mut self.clients[client].client
    }

    /// How many clients there are.
    #[must_use]
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// What the server's application has seen, and when.
    #[must_use]
    pub fn server_seen(&self) -> &[(Instant, Seen<P>)] {
        &self.server.seen
    }

    /// What a client's application has seen, and when; not its ticks, and no requests.
    #[must_use]
    pub fn client_seen(&self, client: usize) -> &[(Instant, ClientEvent<P>)] {
        &self.clients[client].seen
    }

    /// Forgets what was seen so far.
    pub fn forget_seen(&mut self) {
        self.server.seen.clear();
        self.clients.iter_mut().for_each(|client| client.seen.clear());
    }

    /// A hash over every datagram that was delivered and when: equal for equal runs.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.network.trace_hash()
    }

    fn run_while(&mut self, end: Instant, mut go_on: impl FnMut(&Self) -> bool) {
        // What the test has queued goes out at once.
        self.run_nodes(&BTreeSet::new());
        while go_on(self) {
            let next = self.next_event().filter(|next| *next <= end);
            let Some(next) = next else {
                self.time.set(end.max(self.time.now()));
                break;
            };
            self.time.set(next.max(self.time.now()));
            let arrived = self.network.deliver();
            self.run_nodes(&arrived);
        }
    }

    fn next_event(&self) -> Option<Instant> {
        let server = self.server.server.as_ref().map(|_| &self.server.node);
        let nodes = self.clients.iter().map(|client| &client.node).chain(server);
        let wake = nodes.filter(|node| !node.frozen).map(|node| node.wake_at).min();
        let ticket = self.tickets.iter().map(|(due, _)| *due).min();
        [wake, ticket, self.network.next_arrival()].into_iter().flatten().min()
    }

    fn run_nodes(&mut self, arrived: &BTreeSet<SimAddress>) {
        let now = self.time.now();
        let ticket_due = self.tickets.iter().any(|(due, _)| *due <= now);
        let wakes = |node: &Node| {
            let at_once = node.frame.is_none() && arrived.contains(&node.address);
            !node.frozen && (at_once || node.wake_at <= now)
        };
        if self.server.server.is_some()
            && (wakes(&self.server.node) || ticket_due && !self.server.node.frozen)
        {
            self.run_server(now);
        }
        for (index, client) in self.clients.iter_mut().enumerate().filter(|(_, client)| wakes(&client.node)) {
            client.client.receive();
            while let Some(event) = client.client.next_event() {
                let event = match (event, &mut self.client_answers) {
                    (ClientEvent::Request(asked), Some(answer)) => {
                        answer(index, &mut client.client, asked);
                        continue;
                    }
                    (ClientEvent::Request(_), None) => continue,
                    (event, _) => event,
                };
                if let Some(app) = &mut self.client_app {
                    app(index, &mut client.client, &event);
                }
                if !matches!(event, ClientEvent::Tick(_)) {
                    client.seen.push((now, event));
                }
            }
            client.client.send();
            client.node.sleep(now, client.client.next_deadline());
        }
    }

    fn run_server(&mut self, now: Instant) {
        let Self { server, app, answers, door, tickets, .. } = self;
        let ServerNode { server: Some(server), node, seen } = server else { return };
        server.receive();
        while let Some(event) = server.next_event() {
            let event = match event {
                ServerEvent::AuthRequested(ticket) => {
                    let address = ticket.address();
                    match door {
                        Door::Open => ticket.accept(),
                        Door::OpenAfter(delay) => tickets.push((now + *delay, ticket)),
                        Door::Closed(reason) => ticket.reject(reason.clone()),
                        Door::Drops => drop(ticket),
                    }
                    Seen::AuthRequested(address)
                }
                ServerEvent::Connected(user) => Seen::Connected(user),
                ServerEvent::Message(user, message) => Seen::Message(user, message),
                ServerEvent::Request(user, asked) => {
                    if let Some(answer) = answers {
                        answer(server, user, asked);
                    }
                    continue;
                }
                ServerEvent::Input { user, tick, message } => Seen::Input(user, tick, message),
                ServerEvent::Tick(tick) => Seen::Tick(tick),
                ServerEvent::Entity(user, event) => Seen::Entity(user, event),
                ServerEvent::AuthorityRequested { user, entity } => Seen::AuthorityRequested(user, entity),
                ServerEvent::Unencodable(failure) => Seen::Unencodable(failure),
                ServerEvent::Disconnected(departure) => Seen::Disconnected(departure),
                ServerEvent::Rejected(rejection) => Seen::Rejected(rejection),
                _ => continue,
            };
            if let Some(app) = app {
                app(server, &event);
            }
            if !matches!(event, Seen::Tick(_)) {
                seen.push((now, event));
            }
        }
        while let Some(due) = tickets.iter().position(|(due, _)| *due <= now) {
            tickets.remove(due).1.accept();
        }
        server.send();
        // What a decision has brought about is seen at once.
        if server.has_events() {
            return self.run_server(now);
        }
        node.sleep(now, server.next_deadline());
    }
}

impl<P: Protocol> fmt::Debug for Cluster<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("seed", &self.config.seed)
            .field("now", &self.now())
            .field("clients", &self.clients.len())
            .finish_non_exhaustive()
    }
}

impl<P: Protocol> fmt::Debug for Seen<P>
where
    P::Message: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthRequested(address) => f.debug_tuple("AuthRequested").field(address).finish(),
            Self::Connected(user) => f.debug_tuple("Connected").field(user).finish(),
            Self::Message(user, message) => f.debug_tuple("Message").field(user).field(message).finish(),
            Self::Input(user, tick, message) => {
                f.debug_tuple("Input").field(user).field(tick).field(message).finish()
            }
            Self::Entity(user, event) => f.debug_tuple("Entity").field(user).field(event).finish(),
            Self::AuthorityRequested(user, entity) => {
                f.debug_tuple("AuthorityRequested").field(user).field(entity).finish()
            }
            Self::Unencodable(failure) => f.debug_tuple("Unencodable").field(failure).finish(),
            Self::Disconnected(departure) => f.debug_tuple("Disconnected").field(departure).finish(),
            Self::Rejected(rejection) => f.debug_tuple("Rejected").field(rejection).finish(),
            Self::Tick(tick) => f.debug_tuple("Tick").field(tick).finish(),
        }
    }
}
