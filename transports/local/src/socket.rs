use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bowline_core::{
    ClientTransport, Datagram, Instant, Readiness, Security, SocketConfig, Transport, TransportError,
    TransportErrorKind,
};

use crate::inbox::Inbox;
use crate::{Address, Hub};

/// The socket of a server: [`Hub::server`].
///
/// It holds as many bytes as [`SocketConfig::receive_buffer_size`] says; a sender is told when that is full.
/// What is sent to an address where nobody is, or no longer, vanishes without a word, as on a network.
pub struct Socket {
    hub: Hub,
    address: Address,
    inbox: Arc<Inbox>,
    max_datagram_size: usize,
    /// The datagram that the last `receive` gave.
    current: Vec<u8>,
}

impl Socket {
    pub(crate) fn new(hub: Hub, address: Address, inbox: Arc<Inbox>, config: &SocketConfig) -> Self {
        Self { hub, address, inbox, max_datagram_size: config.max_datagram_size, current: Vec::new() }
    }

    /// Its own address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.hub.leave(self.address);
    }
}

impl Transport for Socket {
    type Address = Address;
    type Error = Error;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, Address>>, Error> {
        let from = self.inbox.pop(&mut self.current);
        Ok(from.map(|from| Datagram { from, bytes: &self.current }))
    }

    fn send(&mut self, _: Instant, to: Address, datagram: &[u8]) -> Result<(), Error> {
        if datagram.len() > self.max_datagram_size {
            return Err(Error::TooLarge { size: datagram.len(), max: self.max_datagram_size });
        }
        match self.hub.inbox(to) {
            Some(inbox) if !inbox.push(self.address, datagram) => Err(Error::Full { address: to }),
            _ => Ok(()),
        }
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        self.max_datagram_size
    }

    fn security(&self, _: Address) -> Security {
        Security::FULL
    }

    fn name(&self, _: Address) -> &'static str {
        "local"
    }

    fn close(&mut self, _: Address) {}
}

impl Readiness for Socket {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inbox.poll_ready(cx)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The socket of a client: [`Hub::client`]. It leads to the server of its hub, whichever that is at the
/// moment.
#[derive(Debug)]
pub struct ClientSocket(Socket);

impl ClientSocket {
    pub(crate) fn new(socket: Socket) -> Self {
        Self(socket)
    }

    /// Its own address: the one that the server sees.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.address()
    }
}

impl Transport for ClientSocket {
    type Address = Address;
    type Error = Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, Address>>, Error> {
        self.0.receive(now)
    }

    fn send(&mut self, now: Instant, to: Address, datagram: &[u8]) -> Result<(), Error> {
        self.0.send(now, to, datagram)
    }

    fn flush(&mut self, now: Instant) -> Result<(), Error> {
        self.0.flush(now)
    }

    fn max_datagram_size(&self) -> usize {
        self.0.max_datagram_size()
    }

    fn security(&self, address: Address) -> Security {
        self.0.security(address)
    }

    fn name(&self, address: Address) -> &'static str {
        self.0.name(address)
    }

    fn close(&mut self, address: Address) {
        self.0.close(address);
    }
}

impl ClientTransport for ClientSocket {
    fn server_address(&self) -> Address {
        Address::SERVER
    }
}

impl Readiness for ClientSocket {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_readable(cx)
    }
}

/// What can go wrong with a local socket. In every case one datagram is lost and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Larger than [`SocketConfig::max_datagram_size`].
    #[error("a datagram of {size} bytes is more than the {max} of `SocketConfig::max_datagram_size`")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// The receiver has not received for too long.
    #[error(
        "the queue of {address} is full; receive more often there, or raise `SocketConfig::receive_buffer_size`"
    )]
    Full {
        /// Whose queue it is.
        address: Address,
    },
}

impl TransportError for Error {
    fn kind(&self) -> TransportErrorKind {
        match self {
            Self::TooLarge { .. } => TransportErrorKind::TooLarge,
            Self::Full { .. } => TransportErrorKind::Busy,
        }
    }
}
