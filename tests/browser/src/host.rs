//! A server of the protocol on a thread of its own, and native clients beside it. Each writes down what happens to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::transport::webrtc::{ServerAddrs, ServerSetup, ServerSocket};
use bowline::transport::{udp, webrtc};
use bowline::{Departure, RejectReason};

use crate::protocol::{
    Answer, Crowd, Harbour, HarbourMessage, HarbourRequested, Login, Name, Note, OrderedReliable, Place,
    SequencedReliable, SequencedUnreliable, UnorderedReliable, UnorderedUnreliable,
};

/// How long something may take to happen.
const LIMIT: Duration = Duration::from_secs(40);

/// What has happened, and something that makes it happen, on a thread that ends with it.
#[derive(Debug)]
pub struct Teller {
    story: Arc<Mutex<Vec<String>>>,
    orders: Sender<String>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A server for WebRTC and for plain UDP, on loopback.
#[derive(Debug)]
pub struct Host {
    /// What has happened to it. It can be told to `kick NAME`, to `flood` all with state, and to `shut-down`.
    pub teller: Teller,
    signaling: SocketAddr,
    udp: SocketAddr,
}

impl Host {
    /// A server that lets everybody in whose name is not `mallory`.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(|setup| setup)
    }

    /// The same with a setup of its own.
    pub fn start_with(change: impl FnOnce(ServerSetup) -> ServerSetup) -> Self {
        Self::start_of(change(ServerSetup::new(&on_loopback("127.0.0.1:0"))))
    }

    /// The same, and it says that its data goes to `public`.
    #[must_use]
    pub fn start_at(public: &str) -> Self {
        Self::start_of(ServerSetup::new(&on_loopback(public)))
    }

    /// Ends this server and starts another where it was.
    #[must_use]
    pub fn restart(self) -> Self {
        let signaling = self.signaling.to_string();
        // Its ports are free when it has ended.
        drop(self);
        Self::start_of(ServerSetup::new(&ServerAddrs { signaling, ..on_loopback("127.0.0.1:0") }))
    }

    fn start_of(setup: ServerSetup) -> Self {
        let mut server = Server::new(ServerConfig::default());
        let webrtc = webrtc::Socket::new(setup, server.socket_config()).expect("ports for WebRTC");
        let udp = udp::Socket::bind("127.0.0.1:0", server.socket_config()).expect("a port for UDP");
        let (signaling, udp_address) = (webrtc.signaling_address(), udp.local_address());
        server.listen((webrtc, udp));
        let teller = Teller::start(move |story, orders| {
            let mut harbour = Harbourmaster::new(server);
            move || harbour.turn(&story, &orders)
        });
        Self { teller, signaling, udp: udp_address }
    }

    /// Where its signalling is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.signaling)
    }

    /// A native client over UDP, which is told `say TEXT` and `leave`.
    #[must_use]
    pub fn native_over_udp(&self, name: &str) -> Teller {
        let (address, name) = (self.udp, name.to_owned());
        Teller::start(move |story, orders| {
            let client = Client::<Harbour, _>::new(ClientConfig::default());
            let socket = udp::ClientSocket::connect_to(address, client.socket_config()).expect("a socket");
            native(client, socket, name, story, orders)
        })
    }

    /// A native client over WebRTC, which is told `say TEXT` and `leave`.
    #[must_use]
    pub fn native_over_webrtc(&self, name: &str) -> Teller {
        let (url, name) = (self.url(), name.to_owned());
        Teller::start(move |story, orders| {
            let client = Client::<Harbour, _>::new(ClientConfig::default());
            let socket = webrtc::Socket::new(url, client.socket_config()).expect("a socket");
            native(client, socket, name, story, orders)
        })
    }
}

impl Teller {
    fn start<T: FnMut()>(
        make: impl FnOnce(Arc<Mutex<Vec<String>>>, Receiver<String>) -> T + Send + 'static,
    ) -> Self {
        let story = Arc::<Mutex<Vec<String>>>::default();
        let (orders, ordered) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (written, stopped) = (Arc::clone(&story), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut turn = make(written, ordered);
            while !stopped.load(Ordering::Relaxed) {
                turn();
                thread::sleep(Duration::from_millis(2));
            }
        });
        Self { story, orders, stop, thread: Some(thread) }
    }

    /// Tells it to do something.
    ///
    /// # Panics
    /// If it has ended.
    pub fn order(&self, order: &str) {
        self.orders.send(order.to_owned()).expect("it has not ended");
    }

    /// What has happened so far.
    #[must_use]
    pub fn story(&self) -> Vec<String> {
        self.story.lock().expect("it has not panicked").clone()
    }

    /// Waits until something has happened that begins so, and says what.
    ///
    /// # Panics
    /// If it does not.
    pub fn until_told(&self, beginning: &str) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            let story = self.story();
            if let Some(line) = story.iter().find(|line| line.starts_with(beginning)) {
                return line.clone();
            }
            assert!(Instant::now() < until, "nothing began with `{beginning}`: {story:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn on_loopback(public: &str) -> ServerAddrs {
    ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", public)
}

type Sockets = (ServerSocket, udp::Socket);

/// The game of the server: buoys, and a boat for each user; it says again whatever it hears.
struct Harbourmaster {
    server: Server<Harbour, Sockets>,
    room: RoomId,
    boats: Vec<(UserId, String, bowline::NetEntity)>,
    floods: bool,
}

impl Harbourmaster {
    fn new(mut server: Server<Harbour, Sockets>) -> Self {
        let room = server.create_room();
        let mut harbour = Self { server, room, boats: Vec::new(), floods: false };
        for number in 0..3_u8 {
            harbour.spawn(&format!("buoy {number}"), f32::from(number) * 10.0);
        }
        harbour.server.insert_resource(Crowd { users: 0 }).expect("there is room");
        harbour
    }

    fn turn(&mut self, story: &Mutex<Vec<String>>, orders: &Receiver<String>) {
        let tell = |line: String| story.lock().expect("nobody panics with it").push(line);
        while let Ok(order) = orders.try_recv() {
            match order.split_once(' ') {
                Some(("kick", name)) => self.kick(name),
                None if order == "flood" => self.floods = true,
                None if order == "calm" => self.floods = false,
                None if order == "shut-down" => self.server.shut_down(),
                _ => tell(format!("there is no order {order}")),
            }
        }
        self.server.receive();
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) if ticket.auth().name == "mallory" => {
                    ticket.reject(RejectReason::custom("mallory may not come in"));
                }
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => tell(self.welcome(user)),
                ServerEvent::Message(user, message) => tell(self.hear(user, message)),
                ServerEvent::Input { user, message: HarbourMessage::Note(note), .. } => {
                    tell(format!("{} steered: {}", self.name_of(user), note.text));
                }
                ServerEvent::Request(user, HarbourRequested::Question(asked)) => {
                    tell(format!("{} asked {}", self.name_of(user), asked.request.number));
                    let number = u32::from(asked.request.number) * 2;
                    self.server.respond(asked.responder, Answer { number }).expect("the queue has room");
                }
                ServerEvent::Disconnected(gone) => tell(self.forget(&gone)),
                ServerEvent::Rejected(rejection) => tell(format!("rejected: {}", rejection.reason)),
                ServerEvent::Tick(tick) => self.tick(tick),
                _ => {}
            }
        }
        self.server.send();
    }

    fn spawn(&mut self, name: &str, x: f32) -> bowline::NetEntity {
        let entity = self.server.spawn((Place { x }, Name { name: name.to_owned() })).expect("there is room");
        self.server.room_mut(self.room).add_entity(entity);
        entity
    }

    fn welcome(&mut self, user: UserId) -> String {
        let name = self.server.auth(user).map(|login| login.name.clone()).unwrap_or_default();
        let boat = self.spawn(&format!("boat of {name}"), 50.0);
        self.server.room_mut(self.room).add_user(user);
        self.boats.push((user, name.clone(), boat));
        self.count();
        let by = self.server.user(user).map_or("?", |info| info.transport);
        format!("{name} is in, by {by}")
    }

    fn hear(&mut self, user: UserId, message: HarbourMessage) -> String {
        let HarbourMessage::Note(note) = message;
        let line = format!("{} on {}: {} bytes", self.name_of(user), note.mode, note.text.len());
        // On the channel that it came by, and to all, so that each hears the other.
        for (other, ..) in &self.boats {
            let note = Note { text: format!("{} said {}", self.name_of(user), note.text), ..note };
            let sent = match note.mode {
                0 => self.server.send_to::<UnorderedUnreliable>(*other, note).is_ok(),
                1 => self.server.send_to::<SequencedUnreliable>(*other, note).is_ok(),
                2 => self.server.send_to::<UnorderedReliable>(*other, note).is_ok(),
                3 => self.server.send_to::<SequencedReliable>(*other, note).is_ok(),
                _ => self.server.send_to::<OrderedReliable>(*other, note).is_ok(),
            };
            assert!(sent, "the queue of {other} has room");
        }
        line
    }

    /// The first buoy drifts, so that there is something to see.
    fn tick(&mut self, tick: u32) {
        let moving = if self.floods { 3 } else { 1 };
        let places: Vec<_> =
            self.server.world().query::<&Place>().map(|(entity, _)| entity).take(moving).collect();
        for entity in places {
            if let Some(mut place) = self.server.world_mut().component_mut::<Place>(entity) {
                place.x = (tick % 200) as f32 - 100.0;
            }
        }
        if self.floods {
            for (user, ..) in &self.boats {
                let note = Note { mode: 0, text: "y".repeat(90) };
                // What is unreliable and too much is dropped, which is the point of it.
                for _ in 0..40 {
                    let _ = self.server.send_to::<UnorderedUnreliable>(*user, note.clone());
                }
            }
        }
    }

    fn forget(&mut self, gone: &Departure<<Sockets as Transport>::Address>) -> String {
        let name = self.name_of(gone.user);
        if let Some(at) = self.boats.iter().position(|(user, ..)| *user == gone.user) {
            self.server.despawn(self.boats.swap_remove(at).2);
        }
        self.count();
        format!("{name} is gone: {}", gone.reason.name())
    }

    fn kick(&mut self, name: &str) {
        let users: Vec<_> =
            self.boats.iter().filter(|(_, known, _)| known == name).map(|(user, ..)| *user).collect();
        for user in users {
            self.server.disconnect(user, "the harbour closes");
        }
    }

    fn count(&mut self) {
        let users = self.boats.len() as u16;
        if let Some(mut crowd) = self.server.resource_mut::<Crowd>() {
            crowd.users = users;
        }
    }

    fn name_of(&self, user: UserId) -> String {
        let known = self.boats.iter().find(|(known, ..)| *known == user);
        known.map_or_else(|| "somebody".to_owned(), |(_, name, _)| name.clone())
    }
}

/// A turn of a native client, over any transport.
fn native<T: ClientTransport>(
    mut client: Client<Harbour, T>,
    socket: T,
    name: String,
    story: Arc<Mutex<Vec<String>>>,
    orders: Receiver<String>,
) -> impl FnMut() {
    client.connect(socket, Login { name }).expect("it is not connected yet");
    let mut seen = Vec::new();
    move || {
        let tell = |line: String| story.lock().expect("nobody panics with it").push(line);
        client.receive();
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Connected => tell("connected".to_owned()),
                ClientEvent::Message(HarbourMessage::Note(note)) => tell(format!("heard: {}", note.text)),
                ClientEvent::Rejected(reason) => tell(format!("rejected: {reason}")),
                ClientEvent::Disconnected(reason) => tell(format!("disconnected: {}", reason.name())),
                _ => {}
            }
        }
        let mut names: Vec<_> = client.world().query::<&Name>().map(|(_, name)| name.name.clone()).collect();
        names.sort();
        if names != seen {
            tell(format!("sees {}", names.join(", ")));
            seen = names;
        }
        while let Ok(order) = orders.try_recv() {
            match (order.split_once(' '), client.connected()) {
                (Some(("say", text)), Some(mut connected)) => {
                    let note = Note { mode: 4, text: text.to_owned() };
                    connected.send::<OrderedReliable>(note).expect("the queue has room");
                }
                _ if order == "leave" => client.disconnect(),
                _ => tell(format!("there is no order {order}")),
            }
        }
        client.send();
    }
}
