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
mod of_servers {
    use bowline_core::SocketConfig;

    use super::{Endpoint, sealed};
    use crate::{ListenError, ServerAddrs, ServerSetup, ServerSocket, SharedSockets, WithPlainUdp};

    impl Endpoint for &ServerAddrs {
        type Socket = ServerSocket;
        type Error = ListenError;

        fn open(self, config: SocketConfig) -> Result<ServerSocket, ListenError> {
            ServerSocket::bind(&ServerSetup::new(self), &config)
        }
    }

    impl Endpoint for ServerSetup {
        type Socket = ServerSocket;
        type Error = ListenError;

        fn open(self, config: SocketConfig) -> Result<ServerSocket, ListenError> {
            ServerSocket::bind(&self, &config)
        }
    }

    impl Endpoint for WithPlainUdp {
        type Socket = SharedSockets;
        type Error = ListenError;

        fn open(self, config: SocketConfig) -> Result<SharedSockets, ListenError> {
            ServerSocket::bind_shared(&self.0, &config)
        }
    }

    impl sealed::Sealed for &ServerAddrs {}
    impl sealed::Sealed for ServerSetup {}
    impl sealed::Sealed for WithPlainUdp {}
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for crate::Destination {}
    impl Sealed for &str {}
    impl Sealed for String {}
}
