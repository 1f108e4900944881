//! The connection lifecycle.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{ClientTransport, local};
use bowline::{
    AuthRequest, AuthTicket, Authenticate, Host, Incoming, ManualClock, SeededEntropy, async_trait,
};
use bowline_sim::{ClusterConfig, Conditions, Fault, Pair, Seen};

use crate::entities::{HarbourClient, Hull, harbour, ms};
use crate::protocol::{Arena, ArenaMessage, Chat, Login, Talk};

fn login(name: &str) -> Login {
    Login { name: name.into(), token: [7; 16] }
}

// ANCHOR: session
fn tie<T>(socket: T, login: Login) -> Result<Session<Connected, Arena, T>, Box<dyn Error>>
where
    T: ClientTransport,
{
    let session = Session::<Disconnected, Arena, _>::new(ClientConfig::default(), SystemClock::new());
    let mut session: Session<PendingAuth, _, _> =
        session.connect(socket, login).map_err(|failed| failed.error)?;
    loop {
        match session.poll() {
            Progress::Waiting(same) => session = same,
            Progress::Connected(connected) => return Ok(connected),
            Progress::Refused(_disconnected, reason) => return Err(reason.into()), // says why, in words
        }
        thread::sleep(Duration::from_millis(1));
    }
}
// ANCHOR_END: session

// ANCHOR: session_loop
fn talk<T: ClientTransport>(
    mut session: Session<Connected, Arena, T>,
) -> Result<Session<Disconnected, Arena, T>, SendError> {
    session.send::<Talk>(Chat { text: "ahoy".into() })?;
    loop {
        session.receive();
        while let Some(incoming) = session.next_incoming() {
            match incoming {
                Incoming::Message(ArenaMessage::Chat(chat)) if chat.text == "farewell" => {
                    return Ok(session.disconnect());
                }
                Incoming::Message(ArenaMessage::Chat(chat)) => println!("{}", chat.text),
                Incoming::Message(ArenaMessage::Steer(_)) | Incoming::Request(_) => {}
            }
        }
        session.flush();
        session = match session.poll() {
            Ok(same) => same,
            Err(ended) => return Ok(ended), // `ended.reason()` says why
        };
        thread::sleep(Duration::from_millis(1));
    }
}
// ANCHOR_END: session_loop

#[test]
fn a_session_is_tied_talks_and_ends() {
    let hub = local::Hub::new();
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    server.listen(hub.server(server.socket_config()).unwrap());
    let serving = thread::spawn(move || {
        loop {
            server.receive();
            while let Some(event) = server.next_event() {
                match event {
                    ServerEvent::AuthRequested(ticket) => ticket.accept(),
                    ServerEvent::Message(user, ArenaMessage::Chat(chat)) => {
                        server.send_to::<Talk>(user, chat).unwrap();
                        server.send_to::<Talk>(user, Chat { text: "farewell".into() }).unwrap();
                    }
                    ServerEvent::Disconnected(gone) => return gone.reason,
                    _ => {}
                }
            }
            server.send();
            thread::sleep(Duration::from_millis(1));
        }
    });
    let connected = tie(hub.client(SocketConfig::default()), login("Anna")).unwrap();
    let ended = talk(connected).unwrap();
    assert_eq!(ended.reason(), Some(&DisconnectReason::Requested));
    assert_eq!(serving.join().unwrap(), DisconnectReason::PeerLeft);
}

type LocalServer = bowline::Server<Arena, local::Socket, (ManualClock, SeededEntropy)>;
type LocalClient = bowline::Client<Arena, local::ClientSocket, (ManualClock, SeededEntropy)>;

/// A server and a client in one process, on a clock that moves when it is told to.
struct Stage {
    clock: ManualClock,
    hub: local::Hub,
    server: LocalServer,
    client: LocalClient,
}

impl Stage {
    fn new(server_config: ServerConfig, client_config: ClientConfig) -> Self {
        let (clock, hub) = (ManualClock::new(), local::Hub::new());
        let mut server = Server::with_host(server_config, (clock.clone(), SeededEntropy::new(1)));
        server.listen(hub.server(server.socket_config()).unwrap());
        let client = Client::with_host(client_config, (clock.clone(), SeededEntropy::new(2)));
        Self { clock, hub, server, client }
    }

    fn connect(&mut self) {
        let socket = self.hub.client(self.client.socket_config());
        self.client.connect(socket, login("Anna")).unwrap();
    }

    /// Plays for so long; what the client saw.
    fn play(
        &mut self,
        duration: Duration,
        mut on_event: impl FnMut(&mut LocalServer, ServerEvent<Arena, local::Address>),
    ) -> Vec<ClientEvent<Arena>> {
        let mut seen = Vec::new();
        for _ in 0..duration.as_millis() / 10 {
            self.server.receive();
            while let Some(event) = self.server.next_event() {
                on_event(&mut self.server, event);
            }
            self.server.send();
            self.client.receive();
            seen.extend(std::iter::from_fn(|| self.client.next_event()));
            seen.retain(|event| !matches!(event, ClientEvent::Tick(_)));
            self.client.send();
            self.clock.advance(Duration::from_millis(10));
        }
        seen
    }
}

fn accept_all(_: &mut LocalServer, event: ServerEvent<Arena, local::Address>) {
    if let ServerEvent::AuthRequested(ticket) = event {
        ticket.accept();
    }
}

// ANCHOR: later
/// Newcomers who wait until the players inside have voted.
struct Porch<A> {
    waiting: Vec<AuthTicket<Arena, A>>,
}

impl<A: Copy> Porch<A> {
    fn knock(&mut self, ticket: AuthTicket<Arena, A>) {
        println!("{} would like to come in", ticket.auth().name);
        self.waiting.push(ticket);
    }

    fn decide(&mut self, is_welcome: impl Fn(&Login) -> bool) {
        for ticket in self.waiting.drain(..) {
            if is_welcome(ticket.auth()) {
                ticket.accept();
            } else {
                ticket.reject(RejectReason::Unauthorized);
            }
        }
    }
}
// ANCHOR_END: later

#[test]
fn a_ticket_can_wait() {
    let mut stage = Stage::new(ServerConfig::default(), ClientConfig::default());
    let mut porch = Porch { waiting: Vec::new() };
    stage.connect();
    let seen = stage.play(Duration::from_secs(3), |_, event| {
        if let ServerEvent::AuthRequested(ticket) = event {
            porch.knock(ticket);
        }
    });
    assert!(seen.is_empty());
    assert_eq!(stage.client.phase(), Phase::PendingAuth);
    porch.decide(|login| login.name == "Anna");
    let seen = stage.play(Duration::from_secs(1), accept_all);
    assert!(matches!(seen[..], [ClientEvent::Connected]), "{seen:?}");
}

#[test]
fn a_ticket_that_is_dropped_is_refused() {
    let mut stage = Stage::new(ServerConfig::default(), ClientConfig::default());
    stage.connect();
    let seen = stage.play(Duration::from_secs(1), |_, event| drop(event));
    assert!(matches!(seen[..], [ClientEvent::Rejected(RejectReason::Undecided)]), "{seen:?}");
}

// ANCHOR: authenticate
/// Asks a service whether a token is good.
struct Accounts;

#[async_trait]
impl Authenticate<Arena> for Accounts {
    async fn authenticate(&self, request: &AuthRequest<Arena>) -> Result<(), RejectReason> {
        match self.owner_of(request.auth.token).await {
            Some(name) if name == request.auth.name => Ok(()),
            Some(_) => Err(RejectReason::Unauthorized),
            None => Err(RejectReason::custom("your sign-in has expired; sign in again")),
        }
    }
}

fn guarded<H: Host + Default>(socket: local::Socket) -> bowline::Server<Arena, local::Socket, H> {
    let mut server = bowline::Server::new(ServerConfig::default());
    server.authenticate_with(Arc::new(Accounts));
    server.listen(socket);
    server
}
// ANCHOR_END: authenticate

impl Accounts {
    async fn owner_of(&self, token: [u8; 16]) -> Option<String> {
        // A web service, in a real game.
        std::future::ready((token == [7; 16]).then(|| "Anna".to_owned())).await
    }
}

#[test]
fn a_service_decides() {
    for (name, expected) in [("Anna", None), ("Ben", Some(RejectReason::Unauthorized))] {
        let hub = local::Hub::new();
        let mut server = guarded::<SystemClock>(hub.server(SocketConfig::default()).unwrap());
        let mut client = Client::<Arena, _>::new(ClientConfig::default());
        client.connect(hub.client(SocketConfig::default()), login(name)).unwrap();
        let event = loop {
            server.receive();
            while server.next_event().is_some() {}
            server.send();
            client.receive();
            if let Some(event) = client.next_event() {
                break event;
            }
            client.send();
        };
        match expected {
            None => assert!(matches!(event, ClientEvent::Connected)),
            Some(expected) => assert!(matches!(event, ClientEvent::Rejected(reason) if reason == expected)),
        }
    }
}

// ANCHOR: kick
fn end_the_round<T, H>(server: &mut bowline::Server<Arena, T, H>, cheater: UserId)
where
    T: bowline::transport::Transport,
    H: Host,
{
    server.disconnect(cheater, "no wall hacks, please");
    assert_eq!(server.user(cheater).map(|user| user.stats), None); // gone at once; the event follows
}
// ANCHOR_END: kick

#[test]
fn a_kick_says_why() {
    let mut stage = Stage::new(ServerConfig::default(), ClientConfig::default());
    stage.connect();
    stage.play(Duration::from_millis(100), accept_all);
    let user = stage.server.users().next().unwrap();
    end_the_round(&mut stage.server, user);
    let mut gone = None;
    let seen = stage.play(Duration::from_secs(1), |_, event| {
        if let ServerEvent::Disconnected(departure) = event {
            gone = Some(departure);
        }
    });
    let [ClientEvent::Disconnected(reason)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(reason.to_string(), "the server ended the connection: no wall hacks, please");
    assert_eq!(gone.unwrap().user, user);
}

#[test]
fn a_shutdown_says_so() {
    let mut stage = Stage::new(ServerConfig::default(), ClientConfig::default());
    stage.connect();
    stage.play(Duration::from_millis(100), accept_all);
    stage.server.shut_down();
    let seen = stage.play(Duration::from_millis(500), accept_all);
    assert!(matches!(seen[..], [ClientEvent::Disconnected(DisconnectReason::ServerShutdown)]), "{seen:?}");
}

mod older {
    use bowline::prelude::*;

    use crate::protocol::{Input, Login, Steer, Talk};

    #[derive(Message, Clone, Debug, PartialEq)]
    pub struct Chat {
        #[wire(max_len = 100)]
        pub text: String,
    }

    #[derive(Protocol)]
    #[protocol(tick_rate = 20, auth = Login, channels(Talk, Input), messages(Chat, Steer))]
    pub struct Arena;
}

#[test]
fn a_mismatch_is_explained_on_both_sides() {
    let mut stage = Stage::new(ServerConfig::default(), ClientConfig::default());
    let mut client = bowline::Client::<older::Arena, _, _>::with_host(
        ClientConfig::default(),
        (stage.clock.clone(), SeededEntropy::new(3)),
    );
    client.connect(stage.hub.client(client.socket_config()), login("Anna")).unwrap();
    let (mut at_client, mut at_server) = (None, None);
    for _ in 0..100 {
        stage.play(Duration::from_millis(10), |_, event| {
            if let ServerEvent::Rejected(rejection) = event {
                at_server = Some(rejection.reason.to_string());
            }
        });
        client.receive();
        if let Some(ClientEvent::Rejected(reason)) = client.next_event() {
            at_client = Some(reason.to_string());
        }
        client.send();
    }
    let expected = "client and server are different versions: \
                    message `Chat` is Chat{text: string up to 256} on the server \
                    and Chat{text: string up to 100} on the client";
    assert_eq!(at_client.as_deref(), Some(expected));
    assert_eq!(at_server.as_deref(), Some(expected));
    let page: String = crate::pages::page("lifecycle.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(expected), "the page shows these words");
}

// ANCHOR: by_hand
fn on_event<T, H>(client: &mut bowline::Client<Arena, T, H>, event: ClientEvent<Arena>)
where
    T: ClientTransport,
    H: Host,
{
    match event {
        ClientEvent::Disconnected(DisconnectReason::TimedOut | DisconnectReason::PeerLeft) => {
            // The same socket and the same credentials; for others there is `connect`.
            if let Err(error) = client.reconnect() {
                println!("{error}");
            }
        }
        ClientEvent::Disconnected(reason) => println!("{reason}"),
        _ => {}
    }
}
// ANCHOR_END: by_hand

#[test]
fn a_client_reconnects_by_hand() {
    let mut stage = Stage::new(ServerConfig::default(), ClientConfig::default());
    stage.connect();
    stage.play(Duration::from_millis(100), accept_all);
    stage.client.disconnect();
    for event in stage.play(Duration::from_millis(100), accept_all) {
        assert!(matches!(event, ClientEvent::Disconnected(DisconnectReason::Requested)));
        on_event(&mut stage.client, ClientEvent::Disconnected(DisconnectReason::TimedOut));
    }
    let seen = stage.play(Duration::from_secs(1), accept_all);
    assert!(matches!(seen[..], [ClientEvent::Connected]), "{seen:?}");
    assert_eq!(stage.server.user_count(), 1);
}

// ANCHOR: policy
#[test]
fn a_client_finds_its_way_back() {
    let mut config = ClusterConfig::new(1, 1);
    config.client.reconnect = Some(ReconnectPolicy { max_attempts: Some(20), ..ReconnectPolicy::default() });
    let mut pair = Pair::<Arena>::new(config, login("Anna"));
    pair.connect();
    pair.run_for(Duration::from_secs(1));

    pair.crash_server();
    pair.run_for(Duration::from_secs(20)); // the client notices after ten
    assert_ne!(pair.client(0).phase(), Phase::Connected);

    pair.start_server();
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.client(0).phase(), Phase::Connected);
    let retries =
        pair.client_seen(0).iter().filter(|(_, event)| matches!(event, ClientEvent::Reconnecting { .. }));
    assert!(retries.count() > 0);
}
// ANCHOR_END: policy

// ANCHOR: rebinding
#[test]
fn a_player_moves_to_another_network() {
    let mut pair = Pair::<Arena>::connected(1, Conditions::new(50, 0, 0.0), login("Anna"));
    let user = pair.user();
    let before = pair.server().user(user).unwrap().address;

    pair.apply(&Fault::Rebind(0)); // from here on its packets come from elsewhere
    pair.client_mut().connected().unwrap().send::<Talk>(Chat { text: "still here".into() }).unwrap();
    pair.run_for(Duration::from_secs(2));

    assert_eq!(pair.user(), user); // the same session
    assert_ne!(pair.server().user(user).unwrap().address, before);
    assert_eq!(pair.server_messages().len(), 1);
}
// ANCHOR_END: rebinding

#[test]
fn a_silent_peer_times_out() {
    let mut config = ClusterConfig::new(1, 1);
    // ANCHOR: timeouts
    config.server.connection.disconnection_timeout_duration = Duration::from_secs(3);
    config.server.connection.heartbeat_interval = Duration::from_millis(500);
    config.server.doorway.decision_timeout = Duration::from_secs(30);
    config.client.connection.connect_timeout = Duration::from_secs(30);
    // ANCHOR_END: timeouts
    let mut pair = Pair::<Arena>::new(config, login("Anna"));
    pair.connect();
    pair.run_for(Duration::from_secs(8)); // heartbeats keep it alive
    assert_eq!(pair.server().user_count(), 1);
    pair.apply(&Fault::FreezeClient(0));
    pair.run_for(Duration::from_millis(4_100));
    let gone = pair.server_seen().iter().find_map(|(_, seen)| match seen {
        Seen::Disconnected(gone) => Some(&gone.reason),
        _ => None,
    });
    assert_eq!(gone, Some(&DisconnectReason::TimedOut));
}

// ANCHOR: stale
fn begin_again(client: &mut HarbourClient) {
    let entities = client.entities_mut();
    // Of the last session, and not come again: fade them out, say, or leave them for a moment.
    for ship in entities.stale_entities() {
        println!("{ship} was here when the line broke");
    }
    entities.despawn_stale(); // they go, each with its `DespawnEntity` event
}
// ANCHOR_END: stale

#[test]
fn entities_of_the_last_session_can_stay() {
    for keep in [false, true] {
        let mut config = ClusterConfig::new(1, 1);
        if keep {
            // ANCHOR: keep
            config.client.stale_entities = StaleEntities::Keep;
            // ANCHOR_END: keep
        }
        let (mut cluster, room) = harbour(config);
        let server = cluster.server_mut();
        let ships = [1, 2].map(|hull| server.spawn((Hull(hull),)).unwrap());
        for ship in ships {
            server.room_mut(room).add_entity(ship);
        }
        cluster.run_for(ms(300));
        cluster.client_mut(0).disconnect();
        cluster.run_for(ms(300));
        assert_eq!(cluster.client(0).entities().world().len(), 2, "they can still be shown");
        cluster.server_mut().despawn(ships[0]);
        cluster.client_mut(0).reconnect().unwrap();
        cluster.run_for(ms(500));
        assert_eq!(cluster.client(0).entities().world().len(), if keep { 2 } else { 0 });
        let user = cluster.server().users().next().unwrap();
        cluster.server_mut().room_mut(room).add_user(user);
        cluster.run_for(ms(300));
        let stale: Vec<_> = cluster.client(0).entities().stale_entities().collect();
        assert_eq!(stale, if keep { vec![ships[0]] } else { vec![] });
        begin_again(cluster.client_mut(0));
        let left: Vec<_> = cluster.client(0).entities().world().entities().collect();
        assert_eq!(left, [ships[1]]);
    }
}
