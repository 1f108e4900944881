//! UDP passes the suite that every transport must pass, on IPv4, on IPv6 and on a socket of both, and with a
//! link conditioner around it.

use std::net::SocketAddr;
use std::time::Duration;

use bowline_core::transport::{BurstLoss, Conditioned, LinkConditionerConfig};
use bowline_core::{Instant, SocketConfig, Transport, transport::conformance::Bench, transport_conformance};
use bowline_udp::{ClientSocket, Socket};

/// Real sockets on the loopback interface, and real time.
struct Udp {
    bind: &'static str,
    connect: &'static str,
    port: u16,
    started: std::time::Instant,
}

impl Udp {
    fn new(bind: &'static str, connect: &'static str) -> Self {
        Self { bind, connect, port: 0, started: std::time::Instant::now() }
    }

    fn ipv4() -> Self {
        Self::new("127.0.0.1:0", "127.0.0.1")
    }
}

impl Bench for Udp {
    type Server = Socket;
    type Client = ClientSocket;

    fn server(&mut self) -> Socket {
        let mut config = SocketConfig::default();
        config.allow_plaintext_on_public_address = self.bind == "[::]:0";
        let socket = Socket::bind(self.bind, config).unwrap();
        self.port = socket.local_address().port();
        socket
    }

    fn client(&mut self) -> ClientSocket {
        let server = SocketAddr::new(self.connect.parse().unwrap(), self.port);
        ClientSocket::connect_to(server, SocketConfig::default()).unwrap()
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.started.elapsed()
    }

    fn wait(&mut self) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The same behind a link.
struct Linked<const LOSSY: bool> {
    udp: Udp,
    config: LinkConditionerConfig,
    seed: u64,
}

impl<const LOSSY: bool> Linked<LOSSY> {
    fn new(config: LinkConditionerConfig) -> Self {
        Self { udp: Udp::ipv4(), config, seed: 0 }
    }

    fn wrap<T: Transport>(&mut self, inner: T) -> Conditioned<T> {
        self.seed += 1;
        Conditioned::new(inner, self.config, self.seed)
    }
}

impl<const LOSSY: bool> Bench for Linked<LOSSY> {
    type Server = Conditioned<Socket>;
    type Client = Conditioned<ClientSocket>;

    const LOSSY: bool = LOSSY;

    fn server(&mut self) -> Self::Server {
        let inner = self.udp.server();
        self.wrap(inner)
    }

    fn client(&mut self) -> Self::Client {
        let inner = self.udp.client();
        self.wrap(inner)
    }

    fn now(&self) -> Instant {
        self.udp.now()
    }

    fn wait(&mut self) {
        self.udp.wait();
    }
}

/// Lossy in every way, but quick: this suite runs in real time.
fn lossy() -> LinkConditionerConfig {
    LinkConditionerConfig::new(5, 3, 0.05)
        .with_duplication(0.1)
        .with_reordering(0.1, Duration::from_millis(10))
        .with_burst_loss(BurstLoss::new(0.01, 0.3))
}

transport_conformance!(ipv4, Udp::ipv4());
transport_conformance!(ipv6, Udp::new("[::1]:0", "::1"));
transport_conformance!(dual_stack, Udp::new("[::]:0", "127.0.0.1"));
transport_conformance!(perfect, Linked::<false>::new(LinkConditionerConfig::perfect_condition()));
transport_conformance!(lossy_link, Linked::<true>::new(lossy()));

#[cfg(feature = "tokio")]
#[test]
fn a_sleeper_is_woken() {
    use bowline_core::transport::conformance;

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
    let _entered = runtime.enter();
    conformance::a_sleeper_is_woken(Udp::ipv4());
    conformance::a_sleeper_is_woken(Linked::<false>::new(LinkConditionerConfig::perfect_condition()));
}
