//! Which transports are built in. This is the only file of the example that asks Cargo features; the game, the demo and
//! the programs are generic over a [`Network`].

use bowline::prelude::*;
use bowline::transport::PackAddress;
#[cfg(feature = "transport_local")]
use bowline::transport::local;
#[cfg(feature = "transport_udp")]
use bowline::transport::udp;
#[cfg(feature = "transport_webrtc")]
use bowline::transport::webrtc;
use clap::ValueEnum;

#[cfg(not(any(feature = "transport_local", feature = "transport_udp", feature = "transport_webrtc")))]
compile_error!(
    "protocol-example needs a transport: choose `--features transport_local`, `transport_udp` or `transport_webrtc`"
);

/// Where one server and its clients meet.
pub trait Network {
    /// The socket of the server.
    type Server: Transport<Address: PackAddress> + Send + 'static;
    /// The socket of a client.
    type Client: ClientTransport<Address: PackAddress> + Send + 'static;

    /// What people call it.
    fn name(&self) -> &'static str;

    /// Where the server is, or will be.
    fn place(&self) -> String;

    /// The socket of the server. Clients find it from here on.
    ///
    /// # Errors
    /// Where the transport says no.
    fn listen(&mut self, config: SocketConfig) -> Result<Self::Server, NetworkError>;

    /// The socket of a client that leads to the server.
    ///
    /// # Errors
    /// Where the transport says no.
    fn dial(&self, config: SocketConfig) -> Result<Self::Client, NetworkError>;
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The local transport has its server already.
    #[cfg(feature = "transport_local")]
    #[error(transparent)]
    Local(#[from] local::ListenError),
    /// No UDP socket for the server.
    #[cfg(feature = "transport_udp")]
    #[error(transparent)]
    Bind(#[from] udp::BindError),
    /// No UDP socket for a client.
    #[cfg(feature = "transport_udp")]
    #[error(transparent)]
    Dial(#[from] udp::ConnectError),
    /// No ports for a server of WebRTC.
    #[cfg(feature = "transport_webrtc")]
    #[error(transparent)]
    Listen(#[from] webrtc::ListenError),
    /// What should be the address of a server of WebRTC is none.
    #[cfg(feature = "transport_webrtc")]
    #[error(transparent)]
    Signaling(#[from] webrtc::SignalingError),
}

impl NetworkError {
    /// What can be done about it on the command line, if it is more than the error says itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "transport_udp")]
            Self::Bind(udp::BindError::PlaintextOnPublicAddress { .. }) => {
                Some("if nobody minds being overheard: `serve --allow-plaintext`")
            }
            _ => None,
        }
    }
}

/// A transport that is built in, for a command line to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TransportKind {
    /// Queues within this process.
    #[cfg(feature = "transport_local")]
    Local,
    /// UDP.
    #[cfg(feature = "transport_udp")]
    Udp,
    /// WebRTC: players in browsers too.
    #[cfg(feature = "transport_webrtc")]
    Webrtc,
}

/// What can run on any network.
pub trait Program {
    /// What comes of it.
    type Output;

    /// The folder of the page that a server of it shows to browsers, beside the programs of the workspace.
    const PAGE: &'static str = "web";

    /// Runs on this one.
    fn run<N: Network>(self, network: N) -> Self::Output;
}

impl TransportKind {
    /// The first that is built in: local, where it is.
    #[must_use]
    pub fn first() -> Self {
        Self::value_variants()[0]
    }

    /// The first that leads from one process to another; `None` where none is built in.
    #[must_use]
    pub fn between_processes() -> Option<Self> {
        Self::value_variants().iter().copied().find(|kind| kind.crosses_processes())
    }

    /// Whether it leads from one process to another.
    #[must_use]
    pub fn crosses_processes(self) -> bool {
        match self {
            #[cfg(feature = "transport_local")]
            Self::Local => false,
            #[cfg(feature = "transport_udp")]
            Self::Udp => true,
            #[cfg(feature = "transport_webrtc")]
            Self::Webrtc => true,
        }
    }

    /// Where servers of this kind are unless they are told otherwise: on this machine.
    #[must_use]
    pub fn default_address(self) -> &'static str {
        match self {
            #[cfg(feature = "transport_local")]
            Self::Local => "",
            #[cfg(feature = "transport_udp")]
            Self::Udp => "127.0.0.1:14193",
            #[cfg(feature = "transport_webrtc")]
            Self::Webrtc => "127.0.0.1:14191",
        }
    }

    /// Runs a program on a network of this kind, with the server at `address` if the kind has addresses.
    pub fn run<P: Program>(self, address: &str, program: P) -> P::Output {
        match self {
            #[cfg(feature = "transport_local")]
            Self::Local => {
                let _ = address;
                program.run(local::Hub::new())
            }
            #[cfg(feature = "transport_udp")]
            Self::Udp => program.run(Udp { server: address.to_owned() }),
            #[cfg(feature = "transport_webrtc")]
            Self::Webrtc => program.run(Webrtc::at(address, P::PAGE)),
        }
    }
}

#[cfg(feature = "transport_local")]
impl Network for local::Hub {
    type Server = local::Socket;
    type Client = local::ClientSocket;

    fn name(&self) -> &'static str {
        "local queues"
    }

    fn place(&self) -> String {
        local::Address::SERVER.to_string()
    }

    fn listen(&mut self, config: SocketConfig) -> Result<local::Socket, NetworkError> {
        Ok(self.server(config)?)
    }

    fn dial(&self, config: SocketConfig) -> Result<local::ClientSocket, NetworkError> {
        Ok(self.client(config))
    }
}

/// UDP sockets around the address of a server.
#[cfg(feature = "transport_udp")]
#[derive(Clone, Debug)]
pub struct Udp {
    /// `host:port`. With port 0 the system chooses one, which stands here once the server listens.
    pub server: String,
}

#[cfg(feature = "transport_udp")]
impl Network for Udp {
    type Server = udp::Socket;
    type Client = udp::ClientSocket;

    fn name(&self) -> &'static str {
        "UDP"
    }

    fn place(&self) -> String {
        self.server.clone()
    }

    fn listen(&mut self, config: SocketConfig) -> Result<udp::Socket, NetworkError> {
        let socket = udp::Socket::bind(self.server.as_str(), config)?;
        self.server = socket.local_address().to_string();
        Ok(socket)
    }

    fn dial(&self, config: SocketConfig) -> Result<udp::ClientSocket, NetworkError> {
        Ok(udp::ClientSocket::connect_to(self.server.as_str(), config)?)
    }
}

/// WebRTC around the address of a server's signalling. The page is there too.
#[cfg(feature = "transport_webrtc")]
#[derive(Clone, Debug)]
pub struct Webrtc {
    /// `http://host:port`. With port 0 the system chooses one, which stands here once the server listens.
    pub server: String,
    /// The folder of the page that it shows.
    pub page: &'static str,
}

#[cfg(feature = "transport_webrtc")]
impl Webrtc {
    /// At `host:port`, or at a URL.
    #[must_use]
    pub fn at(address: &str, page: &'static str) -> Self {
        let is_url = address.contains("://");
        Self { server: if is_url { address.to_owned() } else { format!("http://{address}") }, page }
    }

    /// Data goes to the next port. Where the system chooses, it chooses both; and where the server listens at every address,
    /// players find it at the one that a player on this machine would use.
    fn addrs(&self) -> webrtc::ServerAddrs {
        let signaling = self.server.trim_start_matches("http://");
        let (host, port) = signaling.rsplit_once(':').unwrap_or((signaling, "0"));
        let next = port.parse::<u16>().ok().filter(|port| *port > 0).map_or(0, |port| port.wrapping_add(1));
        let public = match host {
            "0.0.0.0" => "127.0.0.1",
            "[::]" => "[::1]",
            named => named,
        };
        webrtc::ServerAddrs::new(signaling, format!("{host}:{next}"), format!("{public}:{next}"))
    }
}

#[cfg(feature = "transport_webrtc")]
impl Network for Webrtc {
    type Server = webrtc::ServerSocket;
    type Client = webrtc::ClientSocket;

    fn name(&self) -> &'static str {
        "WebRTC"
    }

    fn place(&self) -> String {
        self.server.clone()
    }

    fn listen(&mut self, config: SocketConfig) -> Result<webrtc::ServerSocket, NetworkError> {
        let mut setup = webrtc::ServerSetup::new(&self.addrs());
        for file in crate::site::files(self.page) {
            setup = setup.with_file(&file.path, file.content_type, file.bytes);
        }
        let socket = webrtc::Socket::new(setup, config)?;
        self.server = format!("http://{}", socket.signaling_address());
        Ok(socket)
    }

    fn dial(&self, config: SocketConfig) -> Result<webrtc::ClientSocket, NetworkError> {
        Ok(webrtc::Socket::new(self.server.as_str(), config)?)
    }
}

#[cfg(all(test, feature = "transport_webrtc"))]
mod tests {
    use super::*;

    #[test]
    fn data_goes_to_the_next_port_and_nobody_is_sent_to_every_address() {
        let of = |address: &str| Webrtc::at(address, "web").addrs();
        let addrs = webrtc::ServerAddrs::new;
        assert_eq!(of("127.0.0.1:14191"), webrtc::ServerAddrs::default());
        assert_eq!(of("127.0.0.1:0"), addrs("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"));
        assert_eq!(of("0.0.0.0:8000"), addrs("0.0.0.0:8000", "0.0.0.0:8001", "127.0.0.1:8001"));
        assert_eq!(of("[::]:8000"), addrs("[::]:8000", "[::]:8001", "[::1]:8001"));
        assert_eq!(Webrtc::at("https://game.example.com", "web").place(), "https://game.example.com");
    }
}
