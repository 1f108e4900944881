use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};

use bowline_core::SocketConfig;
use socket2::{Domain, Protocol, Type};

use crate::address::{is_public, of_client, of_server};
use crate::io::Io;
use crate::port::Port;
use crate::receive::{CLIENT_SLOTS, SERVER_SLOTS};

/// Why a server's socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Others can reach this address, and what goes over UDP they can read.
    #[error(
        "{address} can be reached by others and UDP is plaintext; bind to a loopback address, use WebRTC, \
         or set `SocketConfig::allow_plaintext_on_public_address`"
    )]
    PlaintextOnPublicAddress {
        /// The address.
        address: SocketAddr,
    },
    /// A name that leads nowhere, or no address at all.
    #[error("this is no address to bind to; write it as `127.0.0.1:14192` or `[::1]:14192`")]
    NoAddress(#[source] io::Error),
    /// The system said no.
    #[error(
        "could not bind a UDP socket to {address}; is the port taken, and the address one of this machine's?"
    )]
    System {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why a client's socket could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name of the server leads nowhere, or the port is missing.
    #[error(
        "the address of the server leads nowhere; write it as `play.example.com:14192` or `192.0.2.1:14192`"
    )]
    NoAddress(#[source] io::Error),
    /// Nobody can listen on port 0.
    #[error("port 0 is no server's; use the port that the server's `local_address()` shows")]
    PortZero,
    /// The system gave no socket.
    #[error("could not make a UDP socket to reach {server}")]
    System {
        /// The server.
        server: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The socket of a server, at the first of the addresses that can be bound.
pub(crate) fn server(address: impl ToSocketAddrs, config: &SocketConfig) -> Result<Port, BindError> {
    let mut result = Err(BindError::NoAddress(io::ErrorKind::InvalidInput.into()));
    for address in address.to_socket_addrs().map_err(BindError::NoAddress)? {
        if is_public(address) && !config.allow_plaintext_on_public_address {
            return Err(BindError::PlaintextOnPublicAddress { address });
        }
        match open(address, config, SERVER_SLOTS) {
            Ok(port) => {
                warn_of_plaintext(port.local_address(), "listens");
                return Ok(port);
            }
            Err(source) => result = Err(BindError::System { address, source }),
        }
    }
    result
}

/// The socket of a client, and the server that it leads to: the first of the addresses whose family this
/// machine has.
pub(crate) fn client(
    server: impl ToSocketAddrs,
    config: &SocketConfig,
) -> Result<(Port, SocketAddr), ConnectError> {
    let mut result = Err(ConnectError::NoAddress(io::ErrorKind::InvalidInput.into()));
    for server in server.to_socket_addrs().map_err(ConnectError::NoAddress)? {
        if server.port() == 0 {
            return Err(ConnectError::PortZero);
        }
        let server = of_server(server);
        // Not connected in the system's sense: a connected socket keeps the local address that it had at
        // first, and dies when a phone goes from Wi-Fi to mobile.
        match open(of_client(server), config, CLIENT_SLOTS) {
            Ok(port) => {
                // On clients only: on the socket of a server the trouble of one peer would come out of a call
                // that is for another.
                port.report_icmp();
                warn_of_plaintext(server, "connects");
                return Ok((port, server));
            }
            Err(source) => result = Err(ConnectError::System { server, source }),
        }
    }
    result
}

fn open(address: SocketAddr, config: &SocketConfig, slots: usize) -> io::Result<Port> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Systems differ in what they do unless told: one socket for both families.
        socket.set_only_v6(false)?;
    }
    // The system gives what it wants to; what it does not give is lost datagrams under load, not a failure.
    let _ = socket.set_recv_buffer_size(config.receive_buffer_size);
    let _ = socket.set_send_buffer_size(config.send_buffer_size);
    socket.bind(&address.into())?;
    tracing::debug!(
        %address,
        receive_buffer = socket.recv_buffer_size().unwrap_or(0),
        send_buffer = socket.send_buffer_size().unwrap_or(0),
        "UDP socket bound"
    );
    let socket = UdpSocket::from(socket);
    let local_address = socket.local_addr()?;
    let io = Io::new(socket)?;
    Ok(Port::new(io, local_address, config.max_datagram_size, slots))
}

fn warn_of_plaintext(address: SocketAddr, what: &'static str) {
    tracing::warn!(%address, what, "UDP is plaintext: whoever is on the way can read and write it");
}
