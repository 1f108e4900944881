use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bowline_core::{Datagram, Instant, Readiness, Security, Transport};

use super::driver::Plain;
use super::mailbox::Batch;
use super::thread::Thread;
use crate::Error;

/// Clients of plain UDP on the port of a [`ServerSocket`](crate::ServerSocket): what they send has first bytes of its own (192
/// to 255; RFC 7983 leaves them free). A client needs to know nothing of it: `udp::ClientSocket` connects to the UDP port.
pub struct PlainSocket {
    thread: Arc<Thread>,
    plain: Arc<Plain>,
    max_datagram_size: usize,
    received: Batch<SocketAddr>,
    outgoing: Batch<SocketAddr>,
}

impl PlainSocket {
    pub(crate) const fn new(thread: Arc<Thread>, plain: Arc<Plain>, max_datagram_size: usize) -> Self {
        Self { thread, plain, max_datagram_size, received: Batch::new(), outgoing: Batch::new() }
    }

    /// The port that it shares.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.thread.data_address()
    }
}

impl Transport for PlainSocket {
    type Address = SocketAddr;
    type Error = Error;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, SocketAddr>>, Error> {
        let Some((from, range)) = self.plain.inbox.next_of(&mut self.received)? else { return Ok(None) };
        Ok(Some(Datagram { from, bytes: self.received.bytes(range) }))
    }

    fn send(&mut self, _: Instant, to: SocketAddr, datagram: &[u8]) -> Result<(), Error> {
        if datagram.len() > self.max_datagram_size {
            return Err(Error::TooLarge { size: datagram.len(), max: self.max_datagram_size });
        }
        self.outgoing.push(to, datagram);
        self.plain.outbox.put_if_long(&mut self.outgoing);
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        if self.plain.outbox.put(&mut self.outgoing) {
            self.thread.shared().wake.notify_one();
        }
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        self.max_datagram_size
    }

    fn security(&self, _: SocketAddr) -> Security {
        Security::NONE
    }

    fn name(&self, _: SocketAddr) -> &'static str {
        "udp"
    }

    fn close(&mut self, _: SocketAddr) {}
}

impl Readiness for PlainSocket {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.received.has_more() { Poll::Ready(()) } else { self.plain.inbox.poll_filled(cx) }
    }
}

impl fmt::Debug for PlainSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainSocket").field("local_address", &self.local_address()).finish_non_exhaustive()
    }
}
