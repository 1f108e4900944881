//! The native client against a server of another make, and against none.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod client_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant as Clock};

use bowline_core::{
    ClientTransport, Instant, Readiness, SocketConfig, Transport, TransportError, TransportErrorKind,
};
use bowline_webrtc::{ClientSocket, Destination, Error, IceServer, MAX_DATAGRAM, PeerAddress, Socket};

use client_support::{Echo, Http, Link, response};

fn connect(destination: Destination) -> ClientSocket {
    Socket::new(destination, SocketConfig::default()).unwrap()
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Clock::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(15), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn open(url: &str) -> ClientSocket {
    let socket = connect(Destination::new(url));
    wait_for("opening", || {
        assert!(socket.failure().is_none(), "{:?}", socket.failure());
        socket.is_open()
    });
    socket
}

fn say(socket: &mut ClientSocket, bytes: &[u8]) {
    socket.send(Instant::ZERO, PeerAddress::SERVER, bytes).unwrap();
    socket.flush(Instant::ZERO).unwrap();
}

fn hear(socket: &mut ClientSocket, bytes: &[u8]) {
    wait_for("the echo", || {
        socket.receive(Instant::ZERO).unwrap().is_some_and(|datagram| datagram.bytes == bytes)
    });
}

fn wait_to_receive(socket: &mut ClientSocket) -> Vec<u8> {
    let mut received = None;
    wait_for("the echo", || {
        received = socket.receive(Instant::ZERO).unwrap().map(|datagram| datagram.bytes.to_vec());
        received.is_some()
    });
    received.unwrap()
}

#[test]
fn a_datagram_goes_there_and_back() {
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    say(&mut socket, b"hello");
    hear(&mut socket, b"hello");
    let statistics = socket.statistics();
    assert_eq!((statistics.sent, statistics.received), (1, 1));
    assert_eq!((statistics.sent_dropped, statistics.received_dropped), (0, 0));
}

#[test]
fn it_works_over_ipv6() {
    let echo = Echo::on("::1".parse().unwrap(), |answer| answer);
    assert!(echo.http.url().starts_with("http://[::1]:"));
    let mut socket = open(&echo.http.url());
    say(&mut socket, b"hello");
    hear(&mut socket, b"hello");
}

/// `webrtc` by itself needs 400 ms and more. Of ten, so that a busy machine is no failure.
#[test]
fn it_opens_quickly() {
    let echo = Echo::new();
    let url = echo.http.url();
    let took = |_| {
        let started = Clock::now();
        let _socket = open(&url);
        started.elapsed()
    };
    let mut took: Vec<_> = (0..10).map(took).collect();
    took.sort_unstable();
    println!("{took:?}");
    assert!(took[2] < Duration::from_millis(120), "{took:?}");
}

/// A server, or a firewall on the way, that lets nothing through at first.
#[test]
fn it_opens_though_the_first_packets_are_lost() {
    let echo = Echo::new();
    echo.world.silent.store(true, Ordering::Relaxed);
    let socket = connect(Destination::new(echo.http.url()));
    std::thread::sleep(Duration::from_millis(1_000));
    assert!(!socket.is_open() && socket.failure().is_none());
    echo.world.silent.store(false, Ordering::Relaxed);
    wait_for("opening", || {
        assert!(socket.failure().is_none(), "{:?}", socket.failure());
        socket.is_open()
    });
}

#[test]
fn a_name_is_looked_up() {
    let echo = Echo::new();
    let mut socket = open(&format!("http://localhost:{}/rtc_session", echo.http.address.port()));
    say(&mut socket, b"hello");
    hear(&mut socket, b"hello");
}

/// A proxy knows another `127.0.0.1`.
#[test]
fn no_proxy_is_asked_for_a_server_on_this_machine() {
    for test in ["a_datagram_goes_there_and_back", "it_works_over_ipv6", "a_name_is_looked_up"] {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact"])
            .env("http_proxy", "http://127.0.0.1:9")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{test} asked the proxy");
    }
}

/// All on one thread, and all at the same time.
#[test]
fn fifty_clients_at_once() {
    let echo = Echo::new();
    let url = echo.http.url();
    let mut sockets: Vec<_> = (0..50).map(|_| connect(Destination::new(&url))).collect();
    wait_for("the opening of all", || sockets.iter().all(ClientTransport::is_open));
    for (number, socket) in (0_u8..).zip(&mut sockets) {
        say(socket, &[number]);
    }
    for (number, socket) in (0_u8..).zip(&mut sockets) {
        hear(socket, &[number]);
    }
}

/// A STUN server that is not there, and one whose name nobody has, are no reason to wait.
#[test]
fn ice_servers_are_not_waited_for() {
    let echo = Echo::new();
    let destination = Destination::new(echo.http.url())
        .with_ice_server(IceServer::new("stun:127.0.0.1:9"))
        .with_ice_server(IceServer::new("stun:no-such-host.invalid"))
        .with_ice_server(IceServer::new("turn:127.0.0.1:9?transport=udp").with_credentials("me", "secret"));
    let started = Clock::now();
    let mut socket = connect(destination);
    wait_for("opening", || {
        assert!(socket.failure().is_none(), "{:?}", socket.failure());
        socket.is_open()
    });
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    say(&mut socket, b"hello");
    hear(&mut socket, b"hello");
}

/// The signalling on IPv4 and the data on IPv6: the answer decides, not the URL.
#[test]
fn the_answer_decides_the_way() {
    let six = Echo::on("::1".parse().unwrap(), |answer| answer);
    let forward = six.http.address;
    let four = Http::new(move |request| Some(client_support::forward(forward, &request)));
    let mut socket = open(&four.url());
    say(&mut socket, b"hello");
    hear(&mut socket, b"hello");
}

/// One in ten datagrams to the server is lost. What was in it stays lost, and nothing waits for it.
#[test]
fn unreliable_means_unreliable() {
    const COUNT: u16 = 400;
    const EVERY: Duration = Duration::from_millis(5);
    /// How many newer ones may be there before an older one: what may be on the way at a time, and no repetition.
    const MAX_BEHIND: u16 = 8;
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    say(&mut socket, b"hello");
    hear(&mut socket, b"hello");
    echo.world.lose_one_in.store(10, Ordering::Relaxed);
    for number in 0..COUNT {
        say(&mut socket, &number.to_be_bytes());
        while socket.receive(Instant::ZERO).unwrap().is_some() {}
        std::thread::sleep(EVERY);
    }
    std::thread::sleep(Duration::from_secs(2));
    let heard = echo.world.heard.lock().unwrap();
    let heard: Vec<u16> = heard
        .iter()
        .filter_map(|(_, bytes)| bytes.as_slice().try_into().ok().map(u16::from_be_bytes))
        .collect();
    let lost = usize::from(COUNT) - heard.len();
    let mut newest = 0;
    for number in &heard {
        newest = newest.max(*number);
        assert!(newest - number <= MAX_BEHIND, "{number} arrived after {newest}");
    }
    println!("{lost} of {COUNT} were lost");
    assert!((20..=70).contains(&lost), "{lost} of {COUNT} were lost");
}

/// 100 ms of round trip and 2 % of loss each way: state is as old as the link makes it, or it does not come.
#[test]
fn state_stays_fresh_over_a_bad_link() {
    const LATENCY: Duration = Duration::from_millis(50);
    const COUNT: u8 = 200;
    let echo = Echo::behind(Link { latency: LATENCY, lost: 20 });
    let mut socket = open(&echo.http.url());
    let mut sent = Vec::new();
    for number in 0..COUNT {
        sent.push(Clock::now());
        say(&mut socket, &[number; 200]);
        std::thread::sleep(Duration::from_millis(30));
    }
    std::thread::sleep(Duration::from_secs(1));
    let heard = echo.world.heard.lock().unwrap();
    let mut ages: Vec<_> = heard.iter().map(|(at, bytes)| *at - sent[usize::from(bytes[0])]).collect();
    ages.sort_unstable();
    let late = ages.iter().filter(|age| **age > LATENCY * 2).count();
    println!("{} of {COUNT} arrived, {late} of them late, the last after {:?}", ages.len(), ages.last());
    assert!(ages.len() > 150 && ages.len() < usize::from(COUNT), "{} of {COUNT} arrived", ages.len());
    assert!(late <= 2, "{late} of {} were older than {:?}", ages.len(), LATENCY * 2);
}

/// A flood is not queued: the newest arrive, the oldest make way, and they are counted.
#[test]
fn the_oldest_make_way_for_the_newest() {
    const COUNT: u32 = 20_000;
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    let mut datagram = vec![0; socket.max_datagram_size()];
    for number in 1..=COUNT {
        datagram[..4].copy_from_slice(&number.to_be_bytes());
        socket.send(Instant::ZERO, PeerAddress::SERVER, &datagram).unwrap();
        socket.flush(Instant::ZERO).unwrap();
    }
    let last = || {
        let heard = echo.world.heard.lock().unwrap();
        heard.iter().map(|(_, bytes)| u32::from_be_bytes(bytes[..4].try_into().unwrap())).max()
    };
    wait_for("the last of a flood", || last() == Some(COUNT));
    let statistics = socket.statistics();
    assert_eq!(statistics.sent + statistics.sent_dropped, u64::from(COUNT));
    assert!(statistics.sent_dropped > u64::from(COUNT) / 2, "{statistics:?}");
    assert!(statistics.sent >= 64, "{statistics:?}");
}

/// Nobody receives, and 6,000 arrive: 4,096 are kept.
#[test]
fn what_nobody_receives_is_bounded() {
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    let mut sent = 0;
    wait_for("an overflow", || {
        for _ in 0..8 {
            socket.send(Instant::ZERO, PeerAddress::SERVER, &[7; 40]).unwrap();
        }
        socket.flush(Instant::ZERO).unwrap();
        sent += 8;
        socket.statistics().received > 6_000
    });
    let statistics = socket.statistics();
    let mut kept = 0;
    while socket.receive(Instant::ZERO).unwrap().is_some() {
        kept += 1;
    }
    assert!((4_096..4_200).contains(&kept), "{kept}");
    assert!(statistics.received_dropped >= statistics.received - kept, "{statistics:?}, {kept} kept");
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let echo = Echo::new();
    let url = echo.http.url();
    let mut socket = connect(Destination::new(&url));
    let early = socket.send(Instant::ZERO, PeerAddress::SERVER, b"early").unwrap_err();
    assert_eq!(early.kind(), TransportErrorKind::Busy);
    wait_for("opening", || socket.is_open());
    assert_eq!(socket.max_datagram_size(), MAX_DATAGRAM);
    let large = socket.send(Instant::ZERO, PeerAddress::SERVER, &[0; MAX_DATAGRAM + 1]).unwrap_err();
    assert!(matches!(large, Error::TooLarge { size: 1_101, max: 1_100 }), "{large}");

    let mut config = SocketConfig::default();
    config.max_datagram_size = 500;
    let small = Socket::new(url, config).unwrap();
    assert_eq!(small.max_datagram_size(), 500);
    assert!(small.security(PeerAddress::SERVER).secret && small.name(PeerAddress::SERVER) == "webrtc");
}

/// The server is told, and what was sent before goes out.
#[test]
fn a_socket_that_is_dropped_says_goodbye() {
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    say(&mut socket, b"first");
    hear(&mut socket, b"first");
    say(&mut socket, b"last words");
    drop(socket);
    wait_for("the last words", || {
        echo.world.heard.lock().unwrap().iter().any(|(_, bytes)| bytes == b"last words")
    });
    wait_for("the goodbye", || echo.world.peers.load(Ordering::Relaxed) == 0);
}

/// A server that goes: what arrived is read, and then every look gives the error.
#[test]
fn a_channel_that_closes_says_so_every_time() {
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    say(&mut socket, b"one");
    say(&mut socket, b"bye");
    wait_for("the end", || socket.failure().is_some());
    assert!(!socket.is_open() && socket.can_reopen());
    socket.send(Instant::ZERO, PeerAddress::SERVER, b"late").unwrap();
    for expected in [b"one", b"bye"] {
        assert_eq!(socket.receive(Instant::ZERO).unwrap().unwrap().bytes, expected);
    }
    for _ in 0..3 {
        let error = socket.receive(Instant::ZERO).unwrap_err();
        assert!(matches!(error, Error::ChannelClosed), "{error}");
        assert_eq!(error.kind(), TransportErrorKind::Closed);
    }
    assert!(socket.send(Instant::ZERO, PeerAddress::SERVER, b"late").is_err());
}

#[test]
fn a_socket_can_be_opened_again() {
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    for round in 0..5_u8 {
        say(&mut socket, &[round, 1]);
        say(&mut socket, &[round, 2]);
        hear(&mut socket, &[round, 1]);
        socket.reopen();
        assert!(!socket.is_open());
        wait_for("opening again", || socket.is_open());
        say(&mut socket, &[round, 3]);
        let first = wait_to_receive(&mut socket);
        assert_eq!(first, [round, 3], "something of the session before arrived");
    }
    assert!(socket.statistics().sent >= 10, "the statistics are over all sessions");
}

/// The server is down, then it is there.
#[test]
fn a_socket_can_be_opened_after_a_failure() {
    let down = Arc::new(AtomicBool::new(true));
    let echo = Echo::new();
    let forward = echo.http.address;
    let is_down = down.clone();
    let http = Http::new(move |request| {
        let down = is_down.load(Ordering::Relaxed);
        Some(if down { response("503 Down", "") } else { client_support::forward(forward, &request) })
    });
    let mut socket = connect(Destination::new(http.url()));
    wait_for("a failure", || socket.failure().is_some());
    assert!(socket.can_reopen());
    down.store(false, Ordering::Relaxed);
    socket.reopen();
    assert!(socket.failure().is_none());
    wait_for("opening", || socket.is_open());
}

#[test]
fn a_closed_address_is_closed() {
    let echo = Echo::new();
    let mut socket = open(&echo.http.url());
    socket.close(PeerAddress::SERVER);
    wait_for("the end", || socket.receive(Instant::ZERO).is_err());
    wait_for("the goodbye", || echo.world.peers.load(Ordering::Relaxed) == 0);
    socket.reopen();
    wait_for("opening again", || socket.is_open());
}

/// It sleeps, and every change wakes it: open, a datagram, the end.
#[test]
fn a_sleeper_is_woken() {
    let echo = Echo::new();
    let mut socket = connect(Destination::new(echo.http.url()));
    sleep_until(&mut socket, |socket| socket.is_open());
    for round in 0..20_u8 {
        say(&mut socket, &[round]);
        sleep_until(&mut socket, |socket| {
            socket.receive(Instant::ZERO).unwrap().is_some_and(|datagram| datagram.bytes == [round])
        });
    }
    // Nothing more is there: it would sleep.
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(socket.poll_readable(&mut cx), Poll::Pending);
    // A sleeper is woken into the next session too.
    let (bell, rung) = Bell::hung();
    assert_eq!(socket.poll_readable(&mut Context::from_waker(&bell)), Poll::Pending);
    socket.reopen();
    assert!(rung.load(Ordering::SeqCst));
    sleep_until(&mut socket, |socket| socket.is_open());
    say(&mut socket, b"bye");
    sleep_until(&mut socket, |socket| socket.receive(Instant::ZERO).is_err());
}

/// Sleeps whenever the socket says so, until `done`.
fn sleep_until(socket: &mut ClientSocket, mut done: impl FnMut(&mut ClientSocket) -> bool) {
    let (waker, rung) = Bell::hung();
    let started = Clock::now();
    loop {
        rung.store(false, Ordering::SeqCst);
        if socket.poll_readable(&mut Context::from_waker(&waker)).is_ready() {
            if done(socket) {
                return;
            }
            continue;
        }
        while !rung.load(Ordering::SeqCst) {
            assert!(started.elapsed() < Duration::from_secs(15), "nobody woke the sleeper");
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

struct Bell(Arc<AtomicBool>);

impl Bell {
    fn hung() -> (Waker, Arc<AtomicBool>) {
        let rung = Arc::new(AtomicBool::new(false));
        (Waker::from(Arc::new(Self(rung.clone()))), rung)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
