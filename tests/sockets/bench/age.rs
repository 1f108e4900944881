//! How old state is when it arrives over a bad link, over WebRTC and over plain UDP: real sockets, and a relay that delays and
//! loses. `cargo bench -p bowline-tests-sockets --bench age`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Transport, udp, webrtc};
use bowline::{Entropy, SeededEntropy};
use bowline_tests::rig::{Arena, ArenaMessage, Hundred, Moves, login};

const CLIENTS: usize = 16;
/// One way.
const DELAY: Duration = Duration::from_millis(50);
const LOSS: f64 = 0.02;
const INTERVAL: Duration = Duration::from_millis(50);
const WHILE: Duration = Duration::from_secs(40);

fn main() {
    println!("State of 100 bytes to {CLIENTS} clients, 20 times a second, over {} ms there and back\n", 100);
    println!("                lost   arrived   median      p99  longest  overtaken");
    for loss in [0.0, LOSS, 0.1] {
        over_udp(loss);
        over_webrtc(loss);
    }
}

fn over_udp(loss: f64) {
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    let socket = udp::Socket::bind("127.0.0.1:0", server.socket_config()).expect("loopback has ports");
    let relay = Relay::new(loss);
    let _running = relay.run(socket.local_address());
    let there = relay.address;
    server.listen(socket);
    let dial = |config| udp::ClientSocket::connect_to(there, config).expect("it is an address");
    measure("UDP", loss, server, dial);
}

fn over_webrtc(loss: f64) {
    let relay = Relay::new(loss);
    let public = relay.address.to_string();
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    let addrs = webrtc::ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", public);
    let socket = webrtc::Socket::new(&addrs, server.socket_config()).expect("loopback has ports");
    let _running = relay.run(socket.data_address());
    let url = format!("http://{}", socket.signaling_address());
    server.listen(socket);
    let dial = |config| webrtc::Socket::new(url.as_str(), config).expect("it is an address");
    measure("WebRTC", loss, server, dial);
}

fn measure<S: Transport, C: ClientTransport>(
    name: &str,
    loss: f64,
    mut server: Server<Arena, S>,
    dial: impl Fn(SocketConfig) -> C,
) {
    let start = Instant::now();
    let mut clients: Vec<Client<Arena, C>> = Vec::new();
    for number in 0..CLIENTS {
        // At a loss of one in ten a set-up may take too long, and is begun anew.
        let mut config = ClientConfig::default();
        config.reconnect = Some(ReconnectPolicy::default());
        let mut client = Client::new(config);
        let socket = dial(client.socket_config());
        client.connect(socket, login(&format!("client {number}"))).expect("the credentials are short");
        clients.push(client);
    }
    let mut users = Vec::new();
    let (mut sent, mut ages, mut overtaken) = (0_u64, Vec::new(), 0_u64);
    let mut newest = vec![0_u64; CLIENTS];
    let (mut begun, mut next) = (None, start);
    while begun.is_none_or(|begun: Instant| begun.elapsed() < WHILE) {
        server.receive();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::AuthRequested(ticket) => ticket.accept(),
                ServerEvent::Connected(user) => users.push(user),
                _ => {}
            }
        }
        if users.len() == CLIENTS && next <= Instant::now() {
            begun.get_or_insert_with(Instant::now);
            next = Instant::now() + INTERVAL;
            let now = start.elapsed().as_nanos() as u64;
            for user in &users {
                let mut bytes = [0; 100];
                bytes[..8].copy_from_slice(&now.to_le_bytes());
                sent += u64::from(server.send_to::<Moves>(*user, Hundred { bytes }).is_ok());
            }
        }
        server.send();
        for (client, newest) in clients.iter_mut().zip(&mut newest) {
            client.receive();
            while let Some(event) = client.next_event() {
                let ClientEvent::Message(ArenaMessage::Hundred(hundred)) = event else { continue };
                let then = u64::from_le_bytes(hundred.bytes[..8].try_into().expect("eight bytes"));
                ages.push(start.elapsed().as_nanos() as u64 - then);
                overtaken += u64::from(then < *newest);
                *newest = (*newest).max(then);
            }
            client.send();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    ages.sort_unstable();
    let at = |share: f64| ages[((ages.len() - 1) as f64 * share) as usize] as f64 / 1e6;
    println!(
        "{name:>8} {:>8} % {:>7.1} % {:>5.0} ms {:>5.0} ms {:>5.0} ms {overtaken:>10}",
        loss * 100.0,
        ages.len() as f64 / sent as f64 * 100.0,
        at(0.5),
        at(0.99),
        at(1.0),
    );
}

/// A bad link in front of a server: clients send here.
struct Relay {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
    loss: f64,
}

/// Ends the relay.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Relay {
    fn new(loss: f64) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has ports");
        socket.set_nonblocking(true).expect("it can");
        let address = socket.local_addr().expect("it is bound");
        Self { socket: Arc::new(socket), address, loss }
    }

    fn run(&self, server: SocketAddr) -> Running {
        let is_over = Arc::new(AtomicBool::new(false));
        let (socket, loss, ended) = (Arc::clone(&self.socket), self.loss, Arc::clone(&is_over));
        std::thread::spawn(move || carry(&socket, server, loss, &ended));
        Running(is_over)
    }
}

/// On its way: when it arrives, by which client's path, and whether to the server.
type Flight = Reverse<(Instant, usize, bool, Vec<u8>)>;

fn carry(front: &UdpSocket, server: SocketAddr, loss: f64, is_over: &AtomicBool) {
    let mut entropy = SeededEntropy::new(1);
    let mut paths: Vec<(SocketAddr, UdpSocket)> = Vec::new();
    let mut known: BTreeMap<SocketAddr, usize> = BTreeMap::new();
    let mut flights: BinaryHeap<Flight> = BinaryHeap::new();
    let mut bytes = vec![0; 65_536];
    while !is_over.load(Ordering::Relaxed) {
        while let Ok((len, from)) = front.recv_from(&mut bytes) {
            let path = *known.entry(from).or_insert_with(|| {
                let back = UdpSocket::bind("127.0.0.1:0").expect("loopback has ports");
                back.set_nonblocking(true).expect("it can");
                paths.push((from, back));
                paths.len() - 1
            });
            if entropy.next_unit() >= loss {
                flights.push(Reverse((Instant::now() + DELAY, path, true, bytes[..len].to_vec())));
            }
        }
        for (path, (_, back)) in paths.iter().enumerate() {
            while let Ok(len) = back.recv(&mut bytes) {
                if entropy.next_unit() >= loss {
                    flights.push(Reverse((Instant::now() + DELAY, path, false, bytes[..len].to_vec())));
                }
            }
        }
        while flights.peek().is_some_and(|Reverse((at, ..))| *at <= Instant::now()) {
            let Some(Reverse((_, path, to_server, datagram))) = flights.pop() else { break };
            let (client, back) = &paths[path];
            let _ =
                if to_server { back.send_to(&datagram, server) } else { front.send_to(&datagram, *client) };
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}
