use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};

use bowline_core::{ClientTransport, Datagram, Instant, Security, SocketConfig, Transport};

use crate::port::Port;
use crate::{BindError, ConnectError, Error, Statistics, bind};

/// The UDP socket of a server.
///
/// The trouble of one peer is not the trouble of another: errors of the network are counted in
/// [`Statistics`], and nothing that arrives ends the socket.
pub struct Socket {
    port: Port,
}

impl Socket {
    /// Binds to an address and a port; port 0 is any that is free. `[::]` is both IPv6 and IPv4. A host name
    /// is looked up, which blocks.
    ///
    /// # Errors
    /// [`BindError::PlaintextOnPublicAddress`] for anything but loopback, unless
    /// [`SocketConfig::allow_plaintext_on_public_address`] is set; others if the system says no.
    ///
    /// ```
    /// use bowline_core::SocketConfig;
    /// use bowline_udp::{BindError, Socket};
    ///
    /// let refused = Socket::bind("0.0.0.0:0", SocketConfig::default());
    /// assert!(matches!(refused, Err(BindError::PlaintextOnPublicAddress { .. })));
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "made for this one socket: `server.socket_config()`")]
    pub fn bind(address: impl ToSocketAddrs, config: SocketConfig) -> Result<Self, BindError> {
        Ok(Self { port: bind::server(address, &config)? })
    }

    /// What it is bound to.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.port.local_address()
    }

    /// What has happened so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.port.statistics
    }
}

impl Transport for Socket {
    type Address = SocketAddr;
    type Error = Error;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, SocketAddr>>, Error> {
        let Some((from, range)) = self.port.receive(None)? else { return Ok(None) };
        Ok(Some(Datagram { from, bytes: self.port.bytes(range) }))
    }

    fn send(&mut self, _: Instant, to: SocketAddr, datagram: &[u8]) -> Result<(), Error> {
        self.port.send(to, datagram)
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.port.flush()
    }

    fn max_datagram_size(&self) -> usize {
        self.port.max_datagram_size()
    }

    fn security(&self, _: SocketAddr) -> Security {
        Security::NONE
    }

    fn name(&self, _: SocketAddr) -> &'static str {
        NAME
    }

    fn close(&mut self, _: SocketAddr) {}
}

/// The UDP socket of a client. What comes from any other address than its server's is dropped and counted.
pub struct ClientSocket {
    port: Port,
    server: SocketAddr,
}

impl ClientSocket {
    /// A socket that leads to a server: `"play.example.com:14192"`, or a `SocketAddr`. Nothing is sent yet.
    ///
    /// A host name is looked up, which blocks. Of several addresses the first is taken whose family this
    /// machine speaks. "Any" (`0.0.0.0`, `[::]`) is taken to mean this machine.
    ///
    /// # Errors
    /// [`ConnectError`] if the name leads nowhere, or the system gives no socket.
    #[expect(clippy::needless_pass_by_value, reason = "made for this one socket: `server.socket_config()`")]
    pub fn connect_to(server: impl ToSocketAddrs, config: SocketConfig) -> Result<Self, ConnectError> {
        let (port, server) = bind::client(server, &config)?;
        Ok(Self { port, server })
    }

    /// What it is bound to.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.port.local_address()
    }

    /// What has happened so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.port.statistics
    }
}

impl Transport for ClientSocket {
    type Address = SocketAddr;
    type Error = Error;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, SocketAddr>>, Error> {
        let Some((from, range)) = self.port.receive(Some(self.server))? else { return Ok(None) };
        Ok(Some(Datagram { from, bytes: self.port.bytes(range) }))
    }

    fn send(&mut self, _: Instant, to: SocketAddr, datagram: &[u8]) -> Result<(), Error> {
        self.port.send(to, datagram)
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.port.flush()
    }

    fn max_datagram_size(&self) -> usize {
        self.port.max_datagram_size()
    }

    fn security(&self, _: SocketAddr) -> Security {
        Security::NONE
    }

    fn name(&self, _: SocketAddr) -> &'static str {
        NAME
    }

    fn close(&mut self, _: SocketAddr) {}
}

impl ClientTransport for ClientSocket {
    fn server_address(&self) -> SocketAddr {
        self.server
    }
}

/// On a Tokio runtime with IO; which one is settled by the first call, and outlives the socket or wakes no
/// more. Outside a runtime a socket is always ready: the task spins, and an error is logged.
///
/// # Panics
/// If the runtime was built without `enable_io`.
#[cfg(feature = "tokio")]
impl bowline_core::Readiness for Socket {
    fn poll_readable(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        self.port.poll_readable(cx)
    }
}

/// As for [`Socket`].
#[cfg(feature = "tokio")]
impl bowline_core::Readiness for ClientSocket {
    fn poll_readable(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        self.port.poll_readable(cx)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("local_address", &self.local_address()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSocket")
            .field("local_address", &self.local_address())
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

const NAME: &str = "udp";
