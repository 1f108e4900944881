//! The suite that every transport must pass: a server on `str0m` and clients on `webrtc`.

use std::time::{Duration, Instant as SystemInstant};

use bowline_core::transport::conformance::{self, Bench};
use bowline_core::{Instant, SocketConfig, transport_conformance};
use bowline_webrtc::{ClientSocket, ServerAddrs, ServerSocket, Socket};

/// A server on loopback, and its clients.
struct Pair {
    server: Option<ServerSocket>,
    signaling: String,
    started: SystemInstant,
}

impl Pair {
    fn new(at: &str) -> Self {
        let at = format!("{at}:0");
        let addrs = ServerAddrs::new(&at, &at, &at);
        let server = Socket::new(&addrs, SocketConfig::default()).unwrap();
        let signaling = format!("http://{}", server.signaling_address());
        Self { server: Some(server), signaling, started: SystemInstant::now() }
    }
}

impl Bench for Pair {
    type Server = ServerSocket;
    type Client = ClientSocket;

    // SCTP's window may keep a burst from going out whole, and what waits for it too long is replaced.
    const LOSSY: bool = true;

    fn server(&mut self) -> ServerSocket {
        self.server.take().unwrap()
    }

    fn client(&mut self) -> ClientSocket {
        Socket::new(self.signaling.as_str(), SocketConfig::default()).unwrap()
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.started.elapsed()
    }

    fn wait(&mut self) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

transport_conformance!(ipv4, Pair::new("127.0.0.1"));
transport_conformance!(ipv6, Pair::new("[::1]"));

#[test]
fn ipv4_a_sleeper_is_woken() {
    conformance::a_sleeper_is_woken(Pair::new("127.0.0.1"));
}
