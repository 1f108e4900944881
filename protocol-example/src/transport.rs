//! Which transports are built in. This is the only file of the example that asks Cargo features; the game, the demo and
//! the programs are generic over a [`Network`].

use bowline::prelude::*;
#[cfg(feature = "transport_local")]
use bowline::transport::local;
#[cfg(feature = "transport_udp")]
use bowline::transport::udp;
use clap::ValueEnum;

#[cfg(not(any(feature = "transport_local", feature = "transport_udp")))]
compile_error!(
    "protocol-example needs a transport: choose `--features transport_local` or `--features transport_udp`"
);

/// Where one server and its clients meet.
pub trait Network {
    /// The socket of the server.
    type Server: Transport;
    /// The socket of a client.
    type Client: ClientTransport;

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
}

/// What can run on any network.
pub trait Program {
    /// What comes of it.
    type Output;

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
