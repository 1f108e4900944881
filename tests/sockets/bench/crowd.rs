//! What 500 native WebRTC clients cost a server: memory for each, processor time when idle and under way, and how long it takes to
//! come in. The clients are a process of their own, so that the server's figures are its own.
//! `cargo bench -p bowline-tests-sockets --bench crowd`, on Linux.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::transport::webrtc;
use bowline_tests::rig::{Arena, ArenaMessage, Hundred, Moves, login};

/// How many.
const CROWD: usize = 500;
const TURN: Duration = Duration::from_millis(5);
const TICK: Duration = Duration::from_millis(50);
/// For how long processor time is measured.
const WHILE: Duration = Duration::from_secs(10);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after =
        |word: &str| arguments.iter().position(|argument| argument == word).map(|at| &arguments[at + 1..]);
    match (after("--crowd"), after("--offers")) {
        (Some(url), _) => crowd(CROWD, &url[0]),
        (_, Some(_)) => offers(),
        _ => {
            println!("WebRTC over loopback, one thread for all peers, one for the game\n");
            // Each in a process of its own: what one has left would be used again by the other.
            let program = std::env::current_exe().expect("it runs");
            let offers =
                Command::new(program).args(["--offers", "-"]).status().expect("the same program once more");
            assert!(offers.success());
            serve();
        }
    }
}

fn listen() -> (Server<Arena, webrtc::ServerSocket>, String) {
    let addrs = webrtc::ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
    let setup = webrtc::ServerSetup::new(&addrs).with_offer_rate(10_000, 10_000);
    let mut config = ServerConfig::default();
    config.connection.heartbeat_interval = heartbeat();
    config.connection.disconnection_timeout_duration = 10 * heartbeat();
    let mut server = Server::<Arena, _>::new(config);
    let socket = webrtc::Socket::new(setup, server.socket_config()).expect("loopback has ports");
    let url = format!("http://{}", socket.signaling_address());
    server.listen(socket);
    (server, url)
}

/// A second, as it is by default, or as many as `HEARTBEAT` says: with 60 of them the figure for idle clients is the transport's
/// own.
fn heartbeat() -> Duration {
    let seconds = std::env::var("HEARTBEAT").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

/// The server's process.
fn serve() {
    let (server, url) = listen();
    let before = resident();
    let mut crowd = Crowd::start(&url);
    let mut host = Host { server, users: 0, messages: 0 };
    while !crowd.said("all in") || host.users < CROWD {
        host.turn();
    }
    let each = (resident() - before) / CROWD as u64;
    println!("  {CROWD} clients in: {} KiB of the server's memory for each", each >> 10);
    println!("  from connect() to Connected: {}", crowd.words("times"));

    host.go_on(Duration::from_secs(3));
    let seconds = heartbeat().as_secs();
    println!("  idle, but for a heartbeat each way every {seconds} s: {}", host.share_of_a_core());
    crowd.tell("talk");
    host.go_on(Duration::from_secs(3));
    host.messages = 0;
    let share = host.share_of_a_core();
    let a_second = host.messages as f64 / WHILE.as_secs_f64();
    println!("  20 messages of 100 bytes a second, each way: {share}; {a_second:.0} a second in all");
    crowd.tell("leave");
}

/// Offers that are never finished, and what each keeps.
fn offers() {
    const OFFERS: usize = 1_000;
    let (_server, url) = listen();
    let before = resident();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let offer = OFFER.replace('\n', "\\r\\n");
    runtime.block_on(async {
        for _ in 0..OFFERS {
            let body = format!("{{\"type\":\"offer\",\"sdp\":\"{offer}\"}}");
            let status = post(&url, &body).await;
            assert!(status.contains("200 OK"), "{status}");
        }
    });
    let each = (resident() - before) / OFFERS as u64;
    println!("  {OFFERS} unfinished offers: {} KiB of the server's memory for each", each >> 10);
}

/// An offer as a browser makes it, with a fingerprint of nobody's.
const OFFER: &str = "v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic: WMS
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=mid:0
a=sctp-port:5000
a=max-message-size:262144
";

async fn post(url: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let host = url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("the server listens");
    let head = format!(
        "POST /rtc_session HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("the server answers");
    reply
}

struct Host {
    server: Server<Arena, webrtc::ServerSocket>,
    users: usize,
    messages: u64,
}

impl Host {
    fn turn(&mut self) {
        self.server.receive();
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(_) => self.users += 1,
                ServerEvent::Message(user, ArenaMessage::Hundred(hundred)) => {
                    self.messages += 1;
                    // A full queue drops what is oldest, and says nothing.
                    let _ = self.server.send_to::<Moves>(user, hundred);
                }
                ServerEvent::Disconnected(departure) => println!("  one has left: {}", departure.reason),
                _ => {}
            }
        }
        self.server.send();
        std::thread::sleep(TURN);
    }

    fn go_on(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.turn();
        }
    }

    /// The processor time that the transport's thread and the game's take, in percent of one core.
    fn share_of_a_core(&mut self) -> String {
        let (start, before) = (Instant::now(), processor_times());
        self.go_on(WHILE);
        let passed = start.elapsed().as_secs_f64();
        let after = processor_times();
        let share = |thread: &str| (after[thread] - before[thread]) / passed * 100.0;
        let name = std::fs::read_to_string("/proc/self/comm").expect("this is Linux");
        format!("{:.1} % of a core, and the game's own {:.1} %", share("bowline-webrtc"), share(name.trim()))
    }
}

/// The other process.
struct Crowd {
    child: Child,
    said: std::sync::mpsc::Receiver<String>,
    heard: Vec<String>,
}

impl Crowd {
    fn start(url: &str) -> Self {
        let program = std::env::current_exe().expect("it runs");
        let mut child = Command::new(program)
            .args(["--crowd", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the same program once more");
        let stdout = child.stdout.take().expect("it is piped");
        let (tell, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Self { child, said, heard: Vec::new() }
    }

    fn said(&mut self, word: &str) -> bool {
        self.heard.extend(self.said.try_iter());
        self.heard.iter().any(|line| line.starts_with(word))
    }

    fn words(&self, word: &str) -> String {
        let line = self.heard.iter().find_map(|line| line.strip_prefix(word));
        line.unwrap_or_default().trim().to_owned()
    }

    fn tell(&mut self, word: &str) {
        let stdin = self.child.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{word}").expect("it listens");
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The clients' process: comes in one after the other, and does as it is told.
fn crowd(count: usize, url: &str) {
    let mut clients: Vec<Client<Arena, webrtc::ClientSocket>> = Vec::new();
    let mut times = Vec::new();
    for number in 0..count {
        let mut config = ClientConfig::default();
        config.connection.heartbeat_interval = heartbeat();
        config.connection.disconnection_timeout_duration = 10 * heartbeat();
        let mut client = Client::new(config);
        let start = Instant::now();
        let socket = webrtc::Socket::new(url, client.socket_config()).expect("it is an address");
        client.connect(socket, login(&format!("client {number}"))).expect("the credentials are short");
        while client.phase() != Phase::Connected {
            turn(&mut client);
            assert_ne!(client.phase(), Phase::Disconnected, "{:?}", client.transport_failure());
            if number % 16 == 0 {
                clients.iter_mut().for_each(turn);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        times.push(start.elapsed());
        clients.push(client);
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_millis();
    println!("times median {} ms, p95 {} ms, longest {} ms", at(50), at(95), at(100));
    println!("all in");

    let (tell, orders) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    let mut talks = false;
    let mut next = Instant::now();
    loop {
        match orders.try_recv().as_deref() {
            Ok("talk") => talks = true,
            Ok(_) | Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
        }
        for client in &mut clients {
            if talks && let Some(mut connected) = client.connected() {
                let _ = connected.send::<Moves>(Hundred { bytes: [7; 100] });
            }
            turn(client);
        }
        next += TICK;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn turn(client: &mut Client<Arena, webrtc::ClientSocket>) {
    client.receive();
    while client.next_event().is_some() {}
    client.send();
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Seconds that each thread of this process has spent on a processor, by its name.
fn processor_times() -> BTreeMap<String, f64> {
    let threads = std::fs::read_dir("/proc/self/task").expect("this is Linux");
    let of_thread = |folder: std::path::PathBuf| {
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<f64> = rest.split_whitespace().filter_map(|field| field.parse().ok()).collect();
        // Fields 14 and 15 of proc(5); the state, which is no number, and the two before it are left out here.
        Some((name.to_owned(), (fields.get(10)? + fields.get(11)?) / 100.0))
    };
    threads.filter_map(|thread| of_thread(thread.ok()?.path())).collect()
}
