use bowline_core::SocketConfig;

use crate::{ClientSocket, Destination, SignalingError};

/// Makes the sockets of servers and of clients: see [`Socket::new`].
#[derive(Debug)]
pub enum Socket {}

impl Socket {
    /// The socket of a server, of its [`ServerAddrs`](crate::ServerAddrs); or the socket of a client, of the address of a
    /// server's signalling, as text or as a [`Destination`].
    ///
    /// # Errors
    /// A server's, where its ports cannot be bound; a client's, where its address is none. Whether a client finds
    /// its server turns out later: [`ClientTransport::failure`](bowline_core::ClientTransport::failure).
    #[expect(clippy::new_ret_no_self, reason = "what it is made of says which socket it is")]
    pub fn new<E: Endpoint>(endpoint: E, config: SocketConfig) -> Result<E::Socket, E::Error> {
        endpoint.open(config)
    }
}

/// What a socket can be made of.
pub trait Endpoint: sealed::Sealed {
    /// The socket that it makes.
    type Socket;
    /// Why it may not.
    type Error;

    /// Makes the socket.
    ///
    /// # Errors
    /// As [`Socket::new`].
    fn open(self, config: SocketConfig) -> Result<Self::Socket, Self::Error>;
}

impl Endpoint for Destination {
    type Socket = ClientSocket;
    type Error = SignalingError;

    fn open(self, config: SocketConfig) -> Result<ClientSocket, SignalingError> {
        ClientSocket::open(self, config)
    }
}

impl Endpoint for &str {
    type Socket = ClientSocket;
    type Error = SignalingError;

    fn open(self, config: SocketConfig) -> Result<ClientSocket, SignalingError> {
        Destination::new(self).open(config)
    }
}

impl Endpoint for String {
    type Socket = ClientSocket;
    type Error = SignalingError;

    fn open(self, config: SocketConfig) -> Result<ClientSocket, SignalingError> {
        Destination::new(self).open(config)
    }
}

#[cfg(not(target_family = "wasm"))]
impl Endpoint for &crate::ServerAddrs {
    type Socket = crate::ServerSocket;
    type Error = crate::ListenError;

    fn open(self, config: SocketConfig) -> Result<crate::ServerSocket, crate::ListenError> {
        crate::ServerSocket::bind(self, config)
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for crate::Destination {}
    impl Sealed for &str {}
    impl Sealed for String {}
    #[cfg(not(target_family = "wasm"))]
    impl Sealed for &crate::ServerAddrs {}
}
