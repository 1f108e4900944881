//! The transports that the cases run over.

use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;

use bowline::prelude::*;
use bowline::transport::{ClientTransport, Either, Transport, udp, webrtc};

/// Where a server is, and how clients come there.
pub(crate) trait Net: Clone + Sized {
    type Server: Transport;
    type Client: ClientTransport;

    /// What the transport is called.
    const NAME: &str;
    /// What a client is told where nobody is.
    const SAYS_OF_GONE: &str;
    /// What a client is told whose server's socket has gone.
    const SAYS_OF_VANISHED: &str;

    /// A socket on loopback, and where it is.
    fn listen(config: SocketConfig) -> (Self::Server, Self);

    /// Another socket at the same place.
    fn listen_again(&self, config: SocketConfig) -> Self::Server;

    fn dial(&self, config: SocketConfig) -> Self::Client;

    /// Where somebody listens and never says a word.
    fn silent() -> Self;

    /// Where nobody is.
    fn gone() -> Self;

    /// Whether a server that calls a client `address` means this one.
    fn is_at(client: &Self::Client, address: <Self::Server as Transport>::Address) -> bool;
}

const NOTHING_HEARD: &str = "the connection was lost: nothing was heard from the other side";

#[derive(Clone)]
pub(crate) struct Udp {
    address: SocketAddr,
    /// A socket that nobody reads.
    _silent: Option<Rc<UdpSocket>>,
}

impl Udp {
    fn at(address: SocketAddr) -> Self {
        Self { address, _silent: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Net for Udp {
    type Server = udp::Socket;
    type Client = udp::ClientSocket;

    const NAME: &str = "udp";
    const SAYS_OF_GONE: &str = "the server did not answer";
    const SAYS_OF_VANISHED: &str = NOTHING_HEARD;

    fn listen(config: SocketConfig) -> (udp::Socket, Self) {
        let socket = udp::Socket::bind("127.0.0.1:0", config).unwrap();
        let address = socket.local_address();
        (socket, Self::at(address))
    }

    fn listen_again(&self, config: SocketConfig) -> udp::Socket {
        udp::Socket::bind(self.address, config).unwrap()
    }

    fn dial(&self, config: SocketConfig) -> udp::ClientSocket {
        udp::ClientSocket::connect_to(self.address, config).unwrap()
    }

    fn silent() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self { address: socket.local_addr().unwrap(), _silent: Some(Rc::new(socket)) }
    }

    fn gone() -> Self {
        Self::at(UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
    }

    fn is_at(client: &udp::ClientSocket, address: SocketAddr) -> bool {
        client.local_address() == address
    }
}

/// Signalling and data on two ports of loopback.
#[derive(Clone)]
pub(crate) struct Webrtc {
    signaling: SocketAddr,
    data: SocketAddr,
    /// A socket that lets clients open a channel, and that no game reads.
    _silent: Option<Rc<webrtc::ServerSocket>>,
}

/// Of any ports.
fn addrs() -> webrtc::ServerAddrs {
    webrtc::ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")
}

impl Net for Webrtc {
    type Server = webrtc::ServerSocket;
    type Client = webrtc::ClientSocket;

    const NAME: &str = "webrtc";
    const SAYS_OF_GONE: &str = "the network connection was closed";
    const SAYS_OF_VANISHED: &str = "the network connection was closed";

    fn listen(config: SocketConfig) -> (webrtc::ServerSocket, Self) {
        let socket = webrtc::Socket::new(&addrs(), config).unwrap();
        let (signaling, data) = (socket.signaling_address(), socket.data_address());
        (socket, Self { signaling, data, _silent: None })
    }

    fn listen_again(&self, config: SocketConfig) -> webrtc::ServerSocket {
        let (signaling, data) = (self.signaling.to_string(), self.data.to_string());
        webrtc::Socket::new(&webrtc::ServerAddrs::new(signaling, &data, &data), config).unwrap()
    }

    fn dial(&self, config: SocketConfig) -> webrtc::ClientSocket {
        webrtc::Socket::new(format!("http://{}", self.signaling), config).unwrap()
    }

    fn silent() -> Self {
        let (socket, net) = Self::listen(SocketConfig::default());
        Self { _silent: Some(Rc::new(socket)), ..net }
    }

    fn gone() -> Self {
        Self::listen(SocketConfig::default()).1
    }

    fn is_at(_: &webrtc::ClientSocket, address: webrtc::PeerAddress) -> bool {
        address.remote().is_some_and(|remote| remote.ip().is_loopback())
    }
}

/// Clients of plain UDP, on the port of a WebRTC server.
#[derive(Clone)]
pub(crate) struct SharedPort(Webrtc);

impl Net for SharedPort {
    type Server = webrtc::SharedSockets;
    type Client = udp::ClientSocket;

    const NAME: &str = "udp";
    const SAYS_OF_GONE: &str = "the server did not answer";
    const SAYS_OF_VANISHED: &str = NOTHING_HEARD;

    fn listen(config: SocketConfig) -> (webrtc::SharedSockets, Self) {
        let sockets =
            webrtc::Socket::new(webrtc::ServerSetup::new(&addrs()).with_plain_udp(), config).unwrap();
        let (signaling, data) = (sockets.0.signaling_address(), sockets.1.local_address());
        (sockets, Self(Webrtc { signaling, data, _silent: None }))
    }

    fn listen_again(&self, config: SocketConfig) -> webrtc::SharedSockets {
        let (signaling, data) = (self.0.signaling.to_string(), self.0.data.to_string());
        let addrs = webrtc::ServerAddrs::new(signaling, &data, &data);
        webrtc::Socket::new(webrtc::ServerSetup::new(&addrs).with_plain_udp(), config).unwrap()
    }

    fn dial(&self, config: SocketConfig) -> udp::ClientSocket {
        udp::ClientSocket::connect_to(self.0.data, config).unwrap()
    }

    fn silent() -> Self {
        // A WebRTC server alone leaves plain UDP unanswered.
        Self(Webrtc::silent())
    }

    fn gone() -> Self {
        Self(Webrtc::gone())
    }

    fn is_at(client: &udp::ClientSocket, address: Either<webrtc::PeerAddress, SocketAddr>) -> bool {
        address == Either::Second(client.local_address())
    }
}
