use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bowline_core::{Datagram, Instant, Readiness, Security, SocketConfig, Transport};

use super::driver::{Errand, Plain, Shared};
use super::mailbox::Batch;
use super::thread::Thread;
use super::{ListenError, PlainSocket, ServerSetup, Signaler, Statistics};
use crate::{Error, MAX_DATAGRAM, PeerAddress};

/// The socket of a server: HTTP for offers, and one UDP port for all peers, on a thread of its own. Made by
/// [`Socket::new`](crate::Socket::new).
///
/// Connections are set up and kept alive while the game thinks; what its peers send waits, up to
/// [`SocketConfig::receive_buffer_size`] in all and 512 KiB for each. What does not go out at once waits too, at most
/// 64 datagrams for each peer, and the newest take the place of the oldest: nothing is sent twice.
///
/// Dropping it ends all its connections and frees its ports.
pub struct ServerSocket {
    thread: Arc<Thread>,
    max_datagram_size: usize,
    received: Batch<PeerAddress>,
    outgoing: Batch<Errand>,
}

/// A server's WebRTC socket, and one for clients of plain UDP on the same port.
pub type SharedSockets = (ServerSocket, PlainSocket);

impl ServerSocket {
    pub(crate) fn bind(setup: &ServerSetup, config: &SocketConfig) -> Result<Self, ListenError> {
        Ok(Self::of(&Arc::new(Thread::start(setup, config, None)?), config))
    }

    pub(crate) fn bind_shared(
        setup: &ServerSetup,
        config: &SocketConfig,
    ) -> Result<SharedSockets, ListenError> {
        let plain = Arc::new(Plain::new(config));
        let thread = Arc::new(Thread::start(setup, config, Some(Arc::clone(&plain)))?);
        let socket = Self::of(&thread, config);
        Ok((socket, PlainSocket::new(thread, plain, config.max_datagram_size)))
    }

    fn of(thread: &Arc<Thread>, config: &SocketConfig) -> Self {
        Self {
            thread: Arc::clone(thread),
            max_datagram_size: config.max_datagram_size.min(MAX_DATAGRAM),
            received: Batch::new(),
            outgoing: Batch::new(),
        }
    }

    /// Where HTTP listens for offers.
    #[must_use]
    pub fn signaling_address(&self) -> SocketAddr {
        self.thread.signaling_address()
    }

    /// Where the data of all peers comes in.
    #[must_use]
    pub fn data_address(&self) -> SocketAddr {
        self.thread.data_address()
    }

    /// What has happened so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared().statistics()
    }

    /// Answers offers that come by other ways than this socket's HTTP: from an HTTP server of your own, from a lobby.
    #[must_use]
    pub fn signaler(&self) -> Signaler {
        self.thread.signaler()
    }

    fn shared(&self) -> &Shared {
        self.thread.shared()
    }
}

impl Transport for ServerSocket {
    type Address = PeerAddress;
    type Error = Error;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, PeerAddress>>, Error> {
        let next = self.thread.shared().inbox.next_of(&mut self.received)?;
        let Some((from, range)) = next else { return Ok(None) };
        Ok(Some(Datagram { from, bytes: self.received.bytes(range) }))
    }

    fn send(&mut self, _: Instant, to: PeerAddress, datagram: &[u8]) -> Result<(), Error> {
        if datagram.len() > self.max_datagram_size {
            return Err(Error::TooLarge { size: datagram.len(), max: self.max_datagram_size });
        }
        self.outgoing.push(Errand::Send(to), datagram);
        self.thread.shared().outbox.put_if_long(&mut self.outgoing);
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        let shared = self.thread.shared();
        if shared.outbox.put(&mut self.outgoing) {
            shared.wake.notify_one();
        }
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        self.max_datagram_size
    }

    fn security(&self, _: PeerAddress) -> Security {
        Security::FULL
    }

    fn name(&self, _: PeerAddress) -> &'static str {
        "webrtc"
    }

    fn close(&mut self, address: PeerAddress) {
        self.outgoing.push(Errand::Close(address), &[]);
    }
}

impl Readiness for ServerSocket {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.received.has_more() { Poll::Ready(()) } else { self.thread.shared().inbox.poll_filled(cx) }
    }
}

impl fmt::Debug for ServerSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSocket")
            .field("signaling", &self.signaling_address())
            .field("data", &self.data_address())
            .finish_non_exhaustive()
    }
}
