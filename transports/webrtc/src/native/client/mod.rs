//! The socket of a native client, on the engine `webrtc`.
//!
//! A socket is a handle: what it sends and receives waits in the queues of its session, and a task on the
//! [engine's thread](engine) carries it from there to the data channel and back.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bowline_core::transport::{ClientTransport, Datagram, Readiness, Security, Transport};
use bowline_core::{Instant, SocketConfig};
use webrtc::data_channel::RTCDataChannelMessage;

use self::http::HttpSignaling;
use self::session::Session;
use self::set_up::Plan;
use crate::{Destination, Error, MAX_DATAGRAM, PeerAddress, SignalingError};

mod connection;
mod engine;
mod hint;
mod http;
mod network;
mod queues;
mod session;
mod set_up;
#[cfg(test)]
mod tests;

/// The socket of a client: one data channel to one server.
///
/// Its set-up (offer, answer, a path, encryption) goes on in the background from the moment it is made and takes at most
/// 10 seconds; [`is_open`](ClientTransport::is_open) says when it is done, [`failure`](ClientTransport::failure) why it
/// came to nothing. All sockets of a process share one thread, which ends with the last of their connections. A socket
/// that is dropped says goodbye to its server.
///
/// Datagrams that cannot go at once wait, at most 64 of them; after that the oldest makes way for the newest, so
/// that what arrives is never old. At most 4,096 datagrams, or 4 MiB, wait to be received; more are dropped.
/// [`statistics`](Self::statistics) counts both.
pub struct ClientSocket {
    plan: Arc<Plan>,
    session: Arc<Session>,
    /// What earlier sessions did.
    earlier: ClientStatistics,
    max_datagram: usize,
    /// What [`receive`](Transport::receive) has given out last.
    current: Option<RTCDataChannelMessage>,
}

impl ClientSocket {
    /// Goes to `destination`. It does not wait: whether anybody is there turns out later.
    ///
    /// # Errors
    /// [`SignalingError::InvalidUrl`], where there is no signalling of the application's own.
    pub(crate) fn open(destination: Destination, config: SocketConfig) -> Result<Self, SignalingError> {
        let max_datagram = config.max_datagram_size.min(MAX_DATAGRAM);
        let plan = Arc::new(Plan::new(destination, config)?);
        let session = connection::begin(&plan);
        Ok(Self { plan, session, earlier: ClientStatistics::default(), max_datagram, current: None })
    }

    /// What has come and gone by this socket so far.
    #[must_use]
    pub fn statistics(&self) -> ClientStatistics {
        self.earlier.and(self.session.statistics())
    }
}

/// What has come and gone by a [`ClientSocket`], over all its sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStatistics {
    /// Datagrams that arrived.
    pub received: u64,
    /// Of those, what was dropped, because nobody received and there was no room.
    pub received_dropped: u64,
    /// Datagrams handed to the data channel.
    pub sent: u64,
    /// Datagrams that were dropped because newer ones took their place, or the channel had closed.
    pub sent_dropped: u64,
}

impl ClientStatistics {
    fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            sent_dropped: self.sent_dropped + other.sent_dropped,
            received_dropped: self.received_dropped + other.received_dropped,
        }
    }
}

impl Transport for ClientSocket {
    type Address = PeerAddress;
    type Error = Error;

    fn receive(&mut self, _now: Instant) -> Result<Option<Datagram<'_, PeerAddress>>, Error> {
        self.current = self.session.receive()?;
        Ok(self.current.as_ref().map(|message| Datagram { from: PeerAddress::SERVER, bytes: &message.data }))
    }

    fn send(&mut self, _now: Instant, to: PeerAddress, datagram: &[u8]) -> Result<(), Error> {
        if to != PeerAddress::SERVER {
            return Err(Error::NobodyThere { peer: to });
        }
        if datagram.len() > self.max_datagram {
            return Err(Error::TooLarge { size: datagram.len(), max: self.max_datagram });
        }
        self.session.send(datagram)
    }

    fn flush(&mut self, _now: Instant) -> Result<(), Error> {
        self.session.flush();
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        self.max_datagram
    }

    fn security(&self, _address: PeerAddress) -> Security {
        Security::FULL
    }

    fn name(&self, _address: PeerAddress) -> &'static str {
        "webrtc"
    }

    fn close(&mut self, address: PeerAddress) {
        if address == PeerAddress::SERVER {
            self.session.end();
        }
    }
}

impl ClientTransport for ClientSocket {
    fn server_address(&self) -> PeerAddress {
        PeerAddress::SERVER
    }

    fn is_open(&self) -> bool {
        self.session.is_open()
    }

    fn reopen(&mut self) {
        self.session.end();
        self.earlier = self.statistics();
        self.current = None;
        let asleep = self.session.take_waker();
        self.session = connection::begin(&self.plan);
        // Whoever slept on the old session would never hear of the new one.
        if let Some(waker) = asleep {
            waker.wake();
        }
    }

    fn can_reopen(&self) -> bool {
        self.failure().is_none_or(Error::may_pass)
    }

    fn failure(&self) -> Option<&Error> {
        self.session.failure()
    }
}

impl Readiness for ClientSocket {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.session.poll_readable(cx)
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        self.session.end();
    }
}

impl fmt::Debug for ClientSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSocket")
            .field("destination", self.plan.destination())
            .field("is_open", &self.session.is_open())
            .field("failure", &self.session.failure())
            .finish_non_exhaustive()
    }
}
