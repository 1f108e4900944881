//! A small server to test the client against: plain sockets and threads, one peer for each offer, on `str0m`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::channel::{ChannelConfig, Reliability};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, RtcConfig};

/// Answers HTTP on the loopback interface as it is told, one thread for each connection.
pub(crate) struct Http {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
}

/// The request line, the headers in lower case, and the body.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Http {
    /// `answer` gives everything that is sent, or `None` to send nothing and keep the connection.
    pub(crate) fn new(answer: impl Fn(Request) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::on(IpAddr::V4(Ipv4Addr::LOCALHOST), answer)
    }

    pub(crate) fn on(ip: IpAddr, answer: impl Fn(Request) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let stopped = stop.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { return };
                let answer = answer.clone();
                std::thread::spawn(move || serve(stream, &*answer));
            }
        });
        Self { address, stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(Request) -> Option<String>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut headers = String::new();
    if reader.read_line(&mut line).is_err() {
        // No HTTP.
        return;
    }
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap() == 0 || header == "\r\n" {
            break;
        }
        headers.push_str(&header.to_lowercase());
    }
    let length = headers.lines().find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let request = Request { line, headers, body: String::from_utf8(body).unwrap() };
    match answer(request) {
        Some(response) => {
            let _ = reader.get_mut().write_all(response.as_bytes());
        }
        // Until the client has had enough.
        None => {
            let _ = reader.read(&mut [0]);
        }
    }
}

pub(crate) fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// Posts the body of a request to another server; what that says.
pub(crate) fn forward(to: SocketAddr, request: &Request) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    let Request { body, .. } = request;
    write!(stream, "POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// A server whose peers send everything back, and what they have heard.
pub(crate) struct Echo {
    pub(crate) http: Http,
    pub(crate) world: Arc<World>,
    /// Ends the links to it.
    relays: Arc<AtomicBool>,
}

/// What all peers of a server share.
#[derive(Default)]
pub(crate) struct World {
    /// Everything that arrived, and when.
    pub(crate) heard: Mutex<Vec<(Instant, Vec<u8>)>>,
    /// Peers that are there.
    pub(crate) peers: AtomicUsize,
    pub(crate) stop: AtomicBool,
    /// Of datagrams from the client, one in so many is lost; 0 for none. None before the first message.
    pub(crate) lose_one_in: AtomicUsize,
    /// Peers answer nothing at all.
    pub(crate) silent: AtomicBool,
    /// Peers are found, and do not answer the handshake.
    pub(crate) no_dtls: AtomicBool,
}

impl Echo {
    pub(crate) fn new() -> Self {
        Self::on(IpAddr::V4(Ipv4Addr::LOCALHOST), |answer| answer)
    }

    /// `change` changes the answer's SDP.
    pub(crate) fn on(ip: IpAddr, change: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        let world = Arc::new(World::default());
        let shared = world.clone();
        let http = Http::on(ip, move |request| {
            let Ok(offer) = serde_json::from_str::<serde_json::Value>(&request.body) else {
                // The client has gone in the middle of its request.
                return None;
            };
            let sdp = change(accept(ip, offer["sdp"].as_str().unwrap(), shared.clone()));
            let body = serde_json::json!({"type": "answer", "sdp": sdp}).to_string();
            Some(response("200 OK", &body))
        });
        Self { http, world, relays: Arc::default() }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.world.stop.store(true, Ordering::Relaxed);
        self.relays.store(true, Ordering::Relaxed);
    }
}

fn accept(ip: IpAddr, offer: &str, world: Arc<World>) -> String {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let mut rtc = RtcConfig::new().set_ice_lite(true).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(address, "udp").unwrap()).unwrap();
    let offer = SdpOffer::from_sdp_string(offer).unwrap();
    let answer = rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string();
    rtc.direct_api().create_data_channel(ChannelConfig {
        label: "bowline".to_owned(),
        ordered: false,
        reliability: Reliability::MaxRetransmits { retransmits: 0 },
        negotiated: Some(0),
        ..ChannelConfig::default()
    });
    world.peers.fetch_add(1, Ordering::Relaxed);
    std::thread::spawn(move || {
        let _ = peer(rtc, &socket, address, &world);
        world.peers.fetch_sub(1, Ordering::Relaxed);
    });
    answer
}

fn peer(
    mut rtc: str0m::Rtc,
    socket: &UdpSocket,
    address: SocketAddr,
    world: &World,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut buffer = vec![0; 2_000];
    let mut datagrams = 0_usize;
    let (started, mut is_open) = (Instant::now(), false);
    while rtc.is_alive() && !world.stop.load(Ordering::Relaxed) {
        if !is_open && started.elapsed() > Duration::from_secs(2) {
            break;
        }
        let until = match rtc.poll_output()? {
            Output::Timeout(until) => until,
            Output::Transmit(transmit) => {
                let _ = socket.send_to(&transmit.contents, transmit.destination);
                continue;
            }
            Output::Event(event) => {
                match event {
                    Event::ChannelOpen(..) => {
                        is_open = true;
                    }
                    Event::ChannelData(data) => {
                        world.heard.lock().unwrap().push((Instant::now(), data.data.clone()));
                        if let Some(mut channel) = rtc.channel(data.id) {
                            let _ = channel.write(true, &data.data);
                        }
                        if data.data == b"bye" {
                            rtc.direct_api().close_data_channel(data.id);
                        }
                    }
                    _ => {}
                }
                continue;
            }
        };
        let wait = until.saturating_duration_since(Instant::now()).min(Duration::from_millis(50));
        if wait.is_zero() {
            rtc.handle_input(Input::Timeout(Instant::now()))?;
            continue;
        }
        socket.set_read_timeout(Some(wait))?;
        match socket.recv_from(&mut buffer) {
            Ok((size, from)) => {
                datagrams += 1;
                let one_in = world.lose_one_in.load(Ordering::Relaxed);
                if one_in > 0 && datagrams.is_multiple_of(one_in) {
                    continue;
                }
                let is_dtls = matches!(buffer.first(), Some(20..=63));
                if world.silent.load(Ordering::Relaxed) || is_dtls && world.no_dtls.load(Ordering::Relaxed) {
                    continue;
                }
                let contents = buffer[..size].try_into()?;
                let receive = Receive { proto: Protocol::Udp, source: from, destination: address, contents };
                rtc.handle_input(Input::Receive(Instant::now(), receive))?;
            }
            Err(_) => rtc.handle_input(Input::Timeout(Instant::now()))?,
        }
    }
    Ok(())
}

/// A link between a client and its server: datagrams of both ways are late, and some are lost.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// Each way.
    pub(crate) latency: Duration,
    /// Of 1,000, each way.
    pub(crate) lost: u64,
}

impl Echo {
    /// A server behind a link.
    pub(crate) fn behind(link: Link) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let mut echo = Self::on(IpAddr::V4(Ipv4Addr::LOCALHOST), move |answer| {
            // ` 127.0.0.1 40000 typ host`
            let (_, after) = answer.split_once(" 127.0.0.1 ").unwrap();
            let (port, _) = after.split_once(' ').unwrap();
            let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().unwrap()));
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let here = socket.local_addr().unwrap().port();
            let stopped = stopped.clone();
            std::thread::spawn(move || relay(&socket, server, link, &stopped));
            answer.replace(&format!(" 127.0.0.1 {port} "), &format!(" 127.0.0.1 {here} "))
        });
        echo.relays = stop;
        echo
    }
}

fn relay(socket: &UdpSocket, server: SocketAddr, link: Link, stop: &AtomicBool) {
    let mut held = std::collections::VecDeque::new();
    let mut client = None;
    let mut buffer = [0; 2_000];
    // Any sequence will do, as long as it is the same each time (Knuth's MMIX constants).
    let mut random = 1_u64;
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    while !stop.load(Ordering::Relaxed) {
        if let Ok((size, from)) = socket.recv_from(&mut buffer) {
            let to = if from == server { client } else { Some(server) };
            if from != server {
                client = Some(from);
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if let Some(to) = to
                && (random >> 33) % 1_000 >= link.lost
            {
                held.push_back((Instant::now() + link.latency, to, buffer[..size].to_vec()));
            }
        }
        while held.front().is_some_and(|(due, ..)| *due <= Instant::now()) {
            if let Some((_, to, bytes)) = held.pop_front() {
                let _ = socket.send_to(&bytes, to);
            }
        }
    }
}
