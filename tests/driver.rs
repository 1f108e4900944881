//! The async driver, on a Tokio runtime.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Datagram, Readiness, Security, Transport, local, udp};
use bowline::{AuthRequest, Authenticate, Instant, async_trait};
use bowline_tests::rig::{Arena, ArenaMessage, Chat, Login, Talk, login};
use tokio::time::{sleep, timeout};

const MS: Duration = Duration::from_millis(1);
/// No test waits for so long unless something is wrong.
const LONG: Duration = Duration::from_secs(60);

fn server<T: Transport>(socket: impl FnOnce(SocketConfig) -> T) -> Server<Arena, T> {
    let mut server = Server::new(ServerConfig::default());
    let socket = socket(server.socket_config());
    server.listen(socket);
    server
}

fn local_server(hub: &local::Hub) -> Server<Arena, local::Socket> {
    server(|config| hub.server(config).unwrap())
}

fn local_client(hub: &local::Hub, name: &str) -> Client<Arena, local::ClientSocket> {
    let mut client = Client::new(ClientConfig::default());
    client.connect(hub.client(client.socket_config()), login(name)).unwrap();
    client
}

/// A transport that counts the turns of whoever drives it: each ends with one flush.
struct Counted<T> {
    inner: T,
    turns: Arc<AtomicU64>,
}

impl<T: Transport> Transport for Counted<T> {
    type Address = T::Address;
    type Error = T::Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, T::Address>>, T::Error> {
        self.inner.receive(now)
    }

    fn send(&mut self, now: Instant, to: T::Address, datagram: &[u8]) -> Result<(), T::Error> {
        self.inner.send(now, to, datagram)
    }

    fn flush(&mut self, now: Instant) -> Result<(), T::Error> {
        self.turns.fetch_add(1, Ordering::Relaxed);
        self.inner.flush(now)
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn security(&self, address: T::Address) -> Security {
        self.inner.security(address)
    }

    fn name(&self, address: T::Address) -> &'static str {
        self.inner.name(address)
    }

    fn close(&mut self, address: T::Address) {
        self.inner.close(address);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.inner.next_deadline()
    }
}

impl<T: ClientTransport> ClientTransport for Counted<T> {
    fn server_address(&self) -> T::Address {
        self.inner.server_address()
    }
}

impl<T: Readiness> Readiness for Counted<T> {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_readable(cx)
    }
}

/// The processor time of this thread so far, where the system tells.
fn thread_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

fn on_one_thread<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task)
}

/// How many users, and for how long they do nothing.
const IDLERS: usize = 100;
const IDLE: Duration = Duration::from_secs(3);

/// Connects clients that do nothing, and stays until `stop`.
async fn idle_clients(
    address: SocketAddr,
    connected: Arc<AtomicU64>,
    stop: tokio::sync::watch::Receiver<bool>,
) {
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..IDLERS {
        let (connected, mut stop) = (connected.clone(), stop.clone());
        clients.spawn(async move {
            let mut config = ClientConfig::default();
            // They simulate nothing, so they can sleep.
            config.ticks = false;
            let mut client = Client::<Arena, _>::new(config);
            let socket = udp::ClientSocket::connect_to(address, client.socket_config()).unwrap();
            client.connect(socket, login("idler")).unwrap();
            let stop = async move { drop(stop.wait_for(|stop| *stop).await) };
            let count = |_: &mut _, event| {
                if matches!(event, ClientEvent::Connected) {
                    connected.fetch_add(1, Ordering::Relaxed);
                }
            };
            client.run_until(stop, count).await;
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

#[test]
fn an_idle_server_with_100_idle_clients_sleeps() {
    let turns = Arc::new(AtomicU64::new(0));
    let mut server = server(|config| {
        let inner = udp::Socket::bind("127.0.0.1:0", config).unwrap();
        Counted { inner, turns: turns.clone() }
    });
    let address = server.transport_mut().unwrap().inner.local_address();
    let connected = Arc::new(AtomicU64::new(0));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let guests = std::thread::spawn({
        let connected = connected.clone();
        move || on_one_thread(idle_clients(address, connected, stopped))
    });

    let let_in = |server: &mut Server<Arena, _>, event| match event {
        ServerEvent::AuthRequested(ticket) => {
            let ticket: bowline::AuthTicket<Arena, SocketAddr> = ticket;
            ticket.accept();
            ControlFlow::Continue(())
        }
        ServerEvent::Tick(_) if server.user_count() == IDLERS => ControlFlow::Break(()),
        ServerEvent::Disconnected(departure) => panic!("{departure:?}"),
        _ => ControlFlow::Continue(()),
    };
    on_one_thread(async {
        assert!(timeout(LONG, server.run(let_in)).await.expect("all come in").is_break());
        // What is left of connecting: the last clients have yet to hear it, and to acknowledge.
        let all_in = async {
            while connected.load(Ordering::Relaxed) < IDLERS as u64 {
                sleep(MS * 10).await;
            }
            sleep(MS * 500).await;
        };
        let mut idle = |_: &mut Server<Arena, _>, event: ServerEvent<Arena, SocketAddr>| {
            assert!(matches!(event, ServerEvent::Tick(_)), "{event:?}");
        };
        // Not `run_until`: its end would be a goodbye.
        tokio::select! { () = server.run(&mut idle) => {}, () = all_in => {} }

        let (turns_before, cpu_before, start) =
            (turns.load(Ordering::Relaxed), thread_cpu(), std::time::Instant::now());
        tokio::select! { () = server.run(&mut idle) => {}, () = sleep(IDLE) => {} }
        let (turns, elapsed) = (turns.load(Ordering::Relaxed) - turns_before, start.elapsed().as_secs_f64());
        if let (Some(before), Some(after)) = (cpu_before, thread_cpu()) {
            let share = (after - before).as_secs_f64() / elapsed;
            println!("{:.2} % of a core, {:.0} turns a second", share * 100.0, turns as f64 / elapsed);
        }
        // Every turn has a reason: a tick, a heartbeat that came, a heartbeat that went.
        let reasons = f64::from(Arena::TICK_RATE) + 2.0 * IDLERS as f64;
        assert!(turns as f64 <= reasons * (elapsed + 1.0), "{turns} turns in {elapsed} s");
        assert_eq!(server.user_count(), IDLERS);
        stop.send(true).unwrap();
        let until_empty = |server: &mut Server<Arena, _>, event| match event {
            ServerEvent::Disconnected(_) if server.user_count() == 0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        assert!(timeout(LONG, server.run(until_empty)).await.expect("all leave").is_break());
    });
    guests.join().unwrap();
}

#[tokio::test]
async fn a_handler_ends_the_run_with_what_it_likes() {
    let hub = local::Hub::new();
    let mut server = local_server(&hub);
    let mut client = local_client(&hub, "anna");
    // On another thread: the futures may move between them.
    let serving = tokio::spawn(async move {
        let end = server
            .run(|_, event| match event {
                ServerEvent::AuthRequested(ticket) => {
                    ticket.accept();
                    Ok(())
                }
                ServerEvent::Message(_, ArenaMessage::Chat(chat)) => Err(chat.text),
                _ => Ok(()),
            })
            .await;
        (server, end)
    });
    let greeting = |client: &mut Client<Arena, _>, event| match event {
        ClientEvent::Connected => {
            client.connected().unwrap().send::<Talk>(Chat { text: "ahoy".into() }).unwrap();
            ControlFlow::Break("said")
        }
        _ => ControlFlow::Continue(()),
    };
    assert_eq!(client.run(greeting).await, ControlFlow::Break("said"), "and what was said is sent");
    let (server, end) = timeout(LONG, serving).await.unwrap().unwrap();
    assert_eq!((end, server.user_count()), (Err("ahoy".into()), 1));
}

#[tokio::test]
async fn a_run_ends_where_nothing_can_happen_any_more() {
    Server::<Arena, local::Socket>::new(ServerConfig::default()).run(|_, _| ()).await;
    Client::<Arena, local::ClientSocket>::new(ClientConfig::default()).run(|_, _| ()).await;

    let hub = local::Hub::new();
    let mut server = local_server(&hub);
    tokio::spawn(async move {
        server
            .run(|server, event| match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => server.disconnect(user, "off you go"),
                _ => {}
            })
            .await;
    });
    let mut story = Vec::new();
    let tell = |_: &mut Client<Arena, _>, event: ClientEvent<Arena>| story.push(format!("{event:?}"));
    timeout(LONG, local_client(&hub, "anna").run(tell)).await.expect("a client that was kicked is done");
    assert_eq!(story, ["Connected", "Disconnected(Kicked(AppText(\"off you go\")))"]);
}

#[tokio::test]
async fn a_server_that_is_stopped_tells_everybody_and_lets_nobody_in() {
    let hub = local::Hub::new();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut server = local_server(&hub);
    let serving = tokio::spawn(async move {
        let mut gone = Vec::new();
        let serve = |_: &mut Server<Arena, _>, event| match event {
            ServerEvent::AuthRequested(ticket) => {
                let ticket: bowline::AuthTicket<Arena, _> = ticket;
                ticket.accept();
            }
            ServerEvent::Disconnected(departure) => gone.push(departure.reason),
            _ => {}
        };
        server.run_until(async { drop(stopped.await) }, serve).await;
        gone
    });

    let mut client = local_client(&hub, "anna");
    let mut stop = Some(stop);
    let mut ends = Vec::new();
    let mut newcomer = None;
    timeout(
        LONG,
        client.run(|_, event| match event {
            ClientEvent::Connected => stop.take().unwrap().send(()).unwrap(),
            ClientEvent::Disconnected(reason) => {
                ends.push(reason);
                newcomer = Some(local_client(&hub, "bert"));
            }
            _ => {}
        }),
    )
    .await
    .unwrap();
    assert_eq!(ends, [DisconnectReason::ServerShutdown]);
    let mut answers = Vec::new();
    let note = |_: &mut Client<Arena, _>, event: ClientEvent<Arena>| answers.push(format!("{event:?}"));
    timeout(LONG, newcomer.unwrap().run(note)).await.unwrap();
    assert_eq!(answers, ["Rejected(ShuttingDown)"]);
    assert_eq!(timeout(LONG, serving).await.unwrap().unwrap(), [DisconnectReason::ServerShutdown]);
}

#[tokio::test]
async fn a_client_that_is_stopped_says_goodbye() {
    let hub = local::Hub::new();
    let mut server = local_server(&hub);
    let serving = tokio::spawn(async move {
        server
            .run(|_, event| match event {
                ServerEvent::AuthRequested(ticket) => {
                    ticket.accept();
                    ControlFlow::Continue(())
                }
                ServerEvent::Disconnected(departure) => ControlFlow::Break(departure.reason),
                _ => ControlFlow::Continue(()),
            })
            .await
    });
    let mut story = Vec::new();
    let mut client = local_client(&hub, "anna");
    let tell = |_: &mut Client<Arena, _>, event: ClientEvent<Arena>| {
        if !matches!(event, ClientEvent::Tick(_)) {
            story.push(format!("{event:?}"));
        }
    };
    client.run_until(sleep(MS * 300), tell).await;
    assert_eq!(story, ["Connected", "Disconnected(Requested)"]);
    assert_eq!(
        timeout(LONG, serving).await.unwrap().unwrap(),
        ControlFlow::Break(DisconnectReason::PeerLeft)
    );
}

/// A list of guests that takes its time.
struct GuestList;

#[async_trait]
impl Authenticate<Arena> for GuestList {
    async fn authenticate(&self, request: &AuthRequest<Arena>) -> Result<(), RejectReason> {
        sleep(MS * 50).await;
        let Login { name } = &request.auth;
        if name == "anna" { Ok(()) } else { Err(RejectReason::custom("you are not on the list")) }
    }
}

#[tokio::test]
async fn a_look_up_that_takes_time_decides_who_comes_in() {
    let hub = local::Hub::new();
    let mut server = local_server(&hub);
    server.authenticate_with(Arc::new(GuestList));
    tokio::spawn(async move {
        server.run(|_, event| assert!(!matches!(event, ServerEvent::AuthRequested(_)))).await;
    });
    for (name, expected) in
        [("anna", "Connected"), ("bert", "Rejected(Custom(AppText(\"you are not on the list\")))")]
    {
        let first = |_: &mut Client<Arena, _>, event| ControlFlow::Break(event);
        let answer = timeout(LONG, local_client(&hub, name).run(first)).await.expect("an answer comes");
        assert_eq!(format!("{:?}", answer.break_value().unwrap()), expected);
    }
}

/// A socket that says that something is there, and has nothing.
struct Liar(Counted<local::Socket>);

impl Transport for Liar {
    type Address = local::Address;
    type Error = local::Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, local::Address>>, local::Error> {
        self.0.receive(now)
    }

    fn send(&mut self, now: Instant, to: local::Address, datagram: &[u8]) -> Result<(), local::Error> {
        self.0.send(now, to, datagram)
    }

    fn flush(&mut self, now: Instant) -> Result<(), local::Error> {
        self.0.flush(now)
    }

    fn max_datagram_size(&self) -> usize {
        self.0.max_datagram_size()
    }

    fn security(&self, address: local::Address) -> Security {
        self.0.security(address)
    }

    fn name(&self, address: local::Address) -> &'static str {
        self.0.name(address)
    }

    fn close(&mut self, address: local::Address) {
        self.0.close(address);
    }
}

impl Readiness for Liar {
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[test]
fn a_socket_that_is_always_ready_keeps_nobody_else_from_running() {
    let turns = Arc::new(AtomicU64::new(0));
    let hub = local::Hub::new();
    let mut server =
        server(|config| Liar(Counted { inner: hub.server(config).unwrap(), turns: turns.clone() }));
    on_one_thread(async {
        let others = tokio::spawn(async { sleep(MS * 20).await });
        let done = async { others.await.unwrap() };
        tokio::select! { () = server.run(|_, _| ()) => {}, () = done => {} }
    });
    assert!(turns.load(Ordering::Relaxed) > 0);
}
