//! The life of a connection over real UDP sockets on loopback. What random networks do to it, the simulator shows.
//!
//! Time-outs are short where a test waits for one, and as they come elsewhere, so that a machine that is busy makes these tests slower
//! and not red: they ask whether something happens, and that it does not happen too early.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::transport::udp;
use bowline::{AppText, AuthTicket, ConnectError, Departure, Mismatch};
use bowline_tests::rig::outdated::{self, OldArena};
use bowline_tests::rig::{Arena, ArenaMessage, Chat, Login, Talk, login};

const MS: Duration = Duration::from_millis(1);
/// For tests that wait until something times out.
const SHORT: Duration = Duration::from_millis(600);
/// No test waits for so long unless something is wrong.
const LONG: Duration = Duration::from_secs(30);

/// A server and clients, each on a UDP socket of its own, and what they have seen.
struct World<P: Protocol<Auth = Login> = Arena> {
    server: Option<Server<Arena, udp::Socket>>,
    address: SocketAddr,
    client: Client<P, udp::ClientSocket>,
    decide: fn(&mut World<P>, Ticket),
    tickets: Vec<Ticket>,
    /// What the server has seen, ticks left out; what the client has seen.
    server_story: Vec<String>,
    client_story: Vec<String>,
    users: Vec<UserId>,
    departures: Vec<Departure<SocketAddr>>,
    mismatches: Vec<Mismatch>,
}

type Ticket = AuthTicket<Arena, SocketAddr>;

impl World {
    fn new() -> Self {
        Self::of(ServerConfig::default(), ClientConfig::default())
    }

    /// A world whose client is in.
    fn connected(server: ServerConfig, client: ClientConfig) -> Self {
        let mut world = Self::of(server, client);
        world.connect().unwrap();
        world.until_in();
        world
    }

    fn say(&mut self, text: &str) {
        self.client.connected().unwrap().send::<Talk>(Chat { text: text.into() }).unwrap();
    }
}

impl<P: Protocol<Auth = Login>> World<P>
where
    P::Message: std::fmt::Debug,
{
    fn of(server: ServerConfig, client: ClientConfig) -> Self {
        let mut server = Server::new(server);
        let socket = udp::Socket::bind("127.0.0.1:0", server.socket_config()).unwrap();
        let address = socket.local_address();
        server.listen(socket);
        Self {
            server: Some(server),
            address,
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

    fn server(&mut self) -> &mut Server<Arena, udp::Socket> {
        self.server.as_mut().expect("the server has not been switched off")
    }

    /// Has the client connect by a socket of its own.
    fn connect(&mut self) -> Result<(), ConnectError> {
        let socket = udp::ClientSocket::connect_to(self.address, self.client.socket_config()).unwrap();
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

    fn see(&mut self, server: &Server<Arena, udp::Socket>, event: ServerEvent<Arena, SocketAddr>) {
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
    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
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
    fn go_on_for(&mut self, duration: Duration) {
        let start = Instant::now();
        self.until("a while", |_| start.elapsed() >= duration);
    }

    fn until_in(&mut self) {
        let before = self.users.len();
        self.until("a connection", |world| {
            world.users.len() > before && world.client.phase() == Phase::Connected
        });
    }

    fn until_out(&mut self) {
        self.until("the end on the client", |world| world.client.phase() == Phase::Disconnected);
    }

    fn until_departed(&mut self) -> DisconnectReason {
        let before = self.departures.len();
        self.until("the end on the server", |world| world.departures.len() > before);
        self.departures.last().unwrap().reason.clone()
    }

    fn forget(&mut self) {
        self.server_story.clear();
        self.client_story.clear();
    }
}

fn short_server() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connection.disconnection_timeout_duration = SHORT;
    config.connection.heartbeat_interval = SHORT / 8;
    config
}

fn short_client() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.connection.disconnection_timeout_duration = SHORT;
    config.connection.connect_timeout = SHORT;
    config.connection.heartbeat_interval = SHORT / 8;
    config
}

fn chatty_client() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.connection.heartbeat_interval = SHORT / 8;
    config
}

#[test]
fn a1_connect_is_seen_once_on_each_side_and_in_order() {
    let mut world = World::connected(ServerConfig::default(), ClientConfig::default());
    world.say("ahoy");
    world.until("the message", |world| world.server_story.len() == 3);
    world.go_on_for(MS * 100);
    assert_eq!(world.server_story, ["auth requested", "connected", "ahoy"]);
    assert_eq!(world.client_story, ["Connected"]);
    let address = world.client.transport_mut().unwrap().local_address();
    let user = world.users[0];
    assert_eq!(world.server().user(user).map(|info| (info.address, info.transport)), Some((address, "udp")));
}

#[test]
fn a2_a_client_that_is_refused_learns_why_and_leaves_nothing() {
    let mut world = World::new();
    world.decide = |_, ticket| {
        assert_eq!(ticket.auth().name, "anna");
        ticket.reject(RejectReason::custom("come back on Friday"));
    };
    world.connect().unwrap();
    world.until_out();
    assert_eq!(world.client_story, ["rejected: come back on Friday"]);
    assert_eq!(world.server_story, ["auth requested"]);
    assert_eq!(world.server().user_count(), 0);
}

#[test]
fn a2_a_ticket_that_is_dropped_refuses() {
    let mut world = World::new();
    world.decide = |_, ticket| drop(ticket);
    world.connect().unwrap();
    world.until_out();
    assert_eq!(world.client_story, ["rejected: the server did not decide in time; try again"]);
    assert_eq!(world.server_story, ["auth requested"], "at once, and not because the time was up");
    assert_eq!(world.server().user_count(), 0);
}

#[test]
fn a2_a_ticket_is_good_many_ticks_later() {
    let mut world = World::new();
    world.decide = |world, ticket| world.tickets.push(ticket);
    world.connect().unwrap();
    world.until("the ticket", |world| !world.tickets.is_empty());
    let tick = world.server().tick();
    world.until("some ticks", |world| world.server().tick() >= tick + 6);
    assert_eq!((world.client.phase(), world.server().user_count()), (Phase::PendingAuth, 0));
    world.tickets.pop().unwrap().accept();
    world.until_in();
    assert_eq!(world.server_story, ["auth requested", "connected"]);
}

#[test]
fn a2_a_ticket_that_is_kept_too_long_refuses() {
    let mut config = ServerConfig::default();
    config.doorway.decision_timeout = SHORT;
    let mut world = World::<Arena>::of(config, ClientConfig::default());
    world.decide = |world, ticket| world.tickets.push(ticket);
    world.connect().unwrap();
    world.until_out();
    let why = "rejected: the server did not decide in time; try again";
    assert_eq!(world.client_story, [why]);
    assert_eq!(world.server_story, ["auth requested", why]);
    world.tickets.pop().unwrap().accept();
    world.go_on_for(MS * 100);
    assert_eq!(world.server().user_count(), 0, "it comes too late to change anything");
}

#[test]
fn a3_both_sides_name_what_differs() {
    let mut world = World::<OldArena>::of(ServerConfig::default(), ClientConfig::default());
    world.connect().unwrap();
    world.until("both know", |world| {
        world.client.phase() == Phase::Disconnected && !world.server_story.is_empty()
    });
    assert_ne!(Arena::ID, outdated::OldArena::ID);
    assert_eq!(world.mismatches.len(), 2, "{:?}", world.mismatches);
    for story in [&world.client_story, &world.server_story] {
        assert_eq!(story.len(), 1, "{story:?}");
        assert!(story[0].starts_with("rejected: client and server are different versions"), "{story:?}");
        assert!(story[0].contains("Steer") && !story[0].contains("Chat"), "{story:?}");
    }
    world.go_on_for(MS * 100);
    assert_eq!((world.server_story.len(), world.client_story.len()), (1, 1), "once each");
}

#[test]
fn a4_where_nobody_answers_the_attempt_ends_and_can_be_made_again() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut world = World::<Arena>::of(ServerConfig::default(), short_client());
    let there = world.address;
    for nobody in [silent.local_addr().unwrap(), closed] {
        world.forget();
        world.address = nobody;
        let start = Instant::now();
        world.connect().unwrap();
        world.until_out();
        assert!(start.elapsed() >= SHORT, "at the configured time: {:?}", start.elapsed());
        assert_eq!(world.client_story.len(), 1);
        assert!(world.client_story[0].starts_with("disconnected: the server did not answer"));
    }
    world.forget();
    world.address = there;
    world.client = Client::new(ClientConfig::default());
    world.connect().unwrap();
    world.until_in();
    assert_eq!(world.client_story, ["Connected"]);
}

#[test]
fn a5_a_client_that_vanishes_times_out() {
    let mut world = World::connected(short_server(), chatty_client());
    world.say("my last words");
    let heard = Instant::now();
    world.until("the last words", |world| world.server_story.len() == 3);
    world.client = Client::new(ClientConfig::default());
    assert_eq!(world.until_departed(), DisconnectReason::TimedOut);
    assert!(heard.elapsed() >= SHORT, "at the configured time: {:?}", heard.elapsed());
    assert_eq!(world.server().user_count(), 0);
}

#[test]
fn a5_a_server_that_vanishes_times_out() {
    let mut config = ServerConfig::default();
    config.connection.heartbeat_interval = SHORT / 8;
    let mut world = World::connected(config, short_client());
    let received = world.client.stats().packets_received;
    let heard = Instant::now();
    world.until("a heartbeat", |world| world.client.stats().packets_received > received);
    world.server = None;
    world.until_out();
    assert!(heard.elapsed() >= SHORT, "at the configured time: {:?}", heard.elapsed());
    let lost = "disconnected: the connection was lost: nothing was heard from the other side";
    assert_eq!(world.client_story, ["Connected", lost]);
}

#[test]
fn a6_idle_but_alive_there_are_heartbeats_and_nothing_else() {
    const INTERVAL: Duration = Duration::from_millis(50);
    const BEATS: u64 = 12;
    let mut server = ServerConfig::default();
    server.connection.heartbeat_interval = INTERVAL;
    let mut client = ClientConfig::default();
    client.connection.heartbeat_interval = INTERVAL;
    let mut world = World::connected(server, client);
    world.go_on_for(INTERVAL * 3);
    world.forget();

    let user = world.users[0];
    let stats = |world: &mut World| [world.server().user(user).unwrap().stats, world.client.stats()];
    let (start, before) = (Instant::now(), stats(&mut world));
    world.until("some heartbeats", |world| {
        let after = stats(world);
        (0..2).all(|side| after[side].packets_sent >= before[side].packets_sent + BEATS)
    });
    let (after, elapsed) = (stats(&mut world), start.elapsed());
    for (before, after) in before.into_iter().zip(after) {
        let packets = after.packets_sent - before.packets_sent;
        // The first may have been about due; the others keep their distance.
        let most = (elapsed.as_nanos() / INTERVAL.as_nanos()) as u64 + 1;
        assert!((BEATS..=most).contains(&packets), "{packets} packets in {elapsed:?}");
        let bytes = (after.bytes_sent - before.bytes_sent) as f64 / packets as f64;
        assert!(bytes < 40.0, "{bytes} bytes a heartbeat");
        assert_eq!((after.messages_sent, after.messages_received), (0, 0));
        assert_eq!(after.packets_lost, 0);
    }
    assert!(world.server_story.is_empty() && world.client_story.is_empty(), "nobody sees anything of it");
}

#[test]
fn a7_each_end_has_its_own_reason_on_each_side() {
    let mut world = World::connected(ServerConfig::default(), ClientConfig::default());
    let user = world.users[0];
    world.server().disconnect(user, "cheating");
    world.until_out();
    world.go_on_for(MS * 50);
    assert_eq!(world.departures[0].reason, DisconnectReason::Kicked(AppText::new("cheating")));
    assert_eq!(world.client_story, ["Connected", "disconnected: the server ended the connection: cheating"]);

    let mut world = World::connected(ServerConfig::default(), ClientConfig::default());
    world.client.disconnect();
    assert_eq!(world.until_departed(), DisconnectReason::PeerLeft);
    assert_eq!(world.client_story, ["Connected", "disconnected: you left"]);

    let mut world = World::connected(ServerConfig::default(), ClientConfig::default());
    world.server().shut_down();
    world.until_out();
    assert_eq!(world.departures[0].reason, DisconnectReason::ServerShutdown);
    assert_eq!(world.client_story, ["Connected", "disconnected: the server was shut down"]);
}

#[test]
fn a8_after_each_end_comes_a_fresh_session() {
    type End = (&'static str, fn(&mut World));
    let ends: [End; 6] = [
        ("a goodbye", |world| {
            world.client.disconnect();
            world.until_departed();
        }),
        ("a kick", |world| {
            let user = *world.users.last().unwrap();
            world.server().disconnect(user, "");
            world.until_out();
        }),
        ("a shutdown", |world| {
            world.server().shut_down();
            world.until_out();
            let config = world.server().socket_config();
            let socket = udp::Socket::bind("127.0.0.1:0", config).unwrap();
            world.address = socket.local_address();
            world.server().listen(socket);
        }),
        ("a time-out of the client", |world| {
            // The server stands still.
            let server = world.server.take();
            world.until_out();
            world.server = server;
            world.until("the old session's end", |world| world.server().user_count() == 0);
        }),
        ("a refusal", |world| {
            world.client.disconnect();
            world.until_departed();
            world.decide = |_, ticket| ticket.reject(RejectReason::Unauthorized);
            world.connect().unwrap();
            world.until_out();
            world.decide = |_, ticket| ticket.accept();
        }),
        ("another server", |world| {
            world.server = None;
            let address = world.address;
            let mut server = Server::new(ServerConfig::default());
            server.listen(udp::Socket::bind(address, server.socket_config()).unwrap());
            world.server = Some(server);
            world.until_out();
        }),
    ];
    let mut client = ClientConfig::default();
    client.connection.disconnection_timeout_duration = SHORT * 3;
    client.connection.heartbeat_interval = SHORT / 8;
    let mut server = ServerConfig::default();
    server.connection.heartbeat_interval = SHORT / 8;
    let mut world = World::connected(server, client);
    for (index, (name, end)) in ends.into_iter().enumerate() {
        // Words that are still on their way when the session ends.
        world.say("old words");
        let user = *world.users.last().unwrap();
        world.server().send_to::<Talk>(user, Chat { text: "old words".into() }).unwrap();
        end(&mut world);
        assert_eq!(world.server().user_count(), 0, "{name}");

        world.forget();
        if index % 2 == 0 {
            world.connect().unwrap();
        } else {
            world.client.reconnect().unwrap();
        }
        world.until_in();
        world.say("new words");
        world.until("new words", |world| world.server_story.len() >= 3);
        world.go_on_for(MS * 50);
        assert_eq!(world.server_story, ["auth requested", "connected", "new words"], "{name}");
        assert_eq!(world.client_story, ["Connected"], "{name}");
        let fresh = *world.users.last().unwrap();
        let stats = world.server().user(fresh).unwrap().stats;
        assert_eq!(stats.messages_received, 1, "{name}: {stats:?}");
    }
}

/// Datagrams from addresses of nobody, as many as it takes, and what came back.
struct Flood {
    hello: Vec<u8>,
    server: SocketAddr,
    is_over: AtomicBool,
    sent: AtomicUsize,
    answers: AtomicUsize,
}

impl Flood {
    /// What a client says first, overheard.
    fn new(server: SocketAddr) -> Self {
        let eavesdropper = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut client = Client::<Arena, _>::new(ClientConfig::default());
        let there = eavesdropper.local_addr().unwrap();
        let socket = udp::ClientSocket::connect_to(there, client.socket_config()).unwrap();
        client.connect(socket, login("anna")).unwrap();
        let mut hello = vec![0; 2_000];
        let len = eavesdropper.recv(&mut hello).unwrap();
        hello.truncate(len);
        let (is_over, sent, answers) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        Self { hello, server, is_over, sent, answers }
    }

    /// Sends from one address after another, each used once, and from some that listen for answers too.
    fn run(&self) {
        let listeners: Vec<UdpSocket> = (0..50).map(|_| Self::stranger(0)).collect();
        let mut answer = vec![0; 65_536];
        for round in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let _ = Self::stranger(round).send_to(&self.hello, self.server);
            self.sent.fetch_add(1, Ordering::Relaxed);
            if round % 100 == 0 {
                let listener = &listeners[round / 100 % listeners.len()];
                let _ = listener.send_to(&self.hello, self.server);
                self.sent.fetch_add(1, Ordering::Relaxed);
                while let Ok(len) = listener.recv(&mut answer) {
                    assert!(len <= self.hello.len(), "an answer of {len} bytes to {}", self.hello.len());
                    self.answers.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        assert!(self.answers.load(Ordering::Relaxed) <= self.sent.load(Ordering::Relaxed));
    }

    /// A socket with an address that nobody else has just now. All of 127.0.0.0/8 is this machine on Linux; elsewhere
    /// there is but one address, with many ports.
    fn stranger(number: usize) -> UdpSocket {
        let last = if cfg!(target_os = "linux") { 1 + (number % 250) as u8 } else { 1 };
        let ip = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        loop {
            // The system may be short of ports for a moment.
            if let Ok(socket) = UdpSocket::bind((ip, 0)) {
                socket.set_nonblocking(true).unwrap();
                return socket;
            }
        }
    }
}

/// Ends a flood, also where a test fails.
struct Dam<'a>(&'a Flood);

impl Drop for Dam<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

#[test]
fn b1_a_flood_of_hellos_keeps_no_client_out_and_leaves_nothing() {
    const HELLOS: usize = 100_000;
    let mut world = World::new();
    let flood = Flood::new(world.address);
    std::thread::scope(|scope| {
        scope.spawn(|| flood.run());
        let dam = Dam(&flood);
        world.until("the flood", |_| flood.sent.load(Ordering::Relaxed) > 1_000);
        world.connect().unwrap();
        world.until_in();
        assert!(!flood.is_over.load(Ordering::Relaxed), "it goes on while the client comes in");
        world.until("the rest of the flood", |world| {
            assert_eq!((world.server().pending(), world.server().user_count()), (0, 1));
            flood.sent.load(Ordering::Relaxed) >= HELLOS
        });
        drop(dam);
    });
    assert_eq!(world.server_story, ["auth requested", "connected"]);
    assert_eq!(world.client_story, ["Connected"]);
    assert!(flood.answers.load(Ordering::Relaxed) > 0, "those who listened were answered");
    println!("{} hellos", flood.sent.load(Ordering::Relaxed));
}
