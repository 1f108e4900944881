//! A flood of hellos on plain UDP, where anybody can say to be anybody.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bowline::prelude::*;
use bowline::transport::udp;
use bowline_tests::rig::{Arena, login};

use crate::nets::Udp;
use crate::world::World;

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
    let mut world = World::<Udp>::new();
    let flood = Flood::new(world.net.address());
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
