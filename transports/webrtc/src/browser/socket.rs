use std::rc::Rc;
use std::time::Duration;

use bowline_core::{ClientTransport, Datagram, Instant, Security, SocketConfig, Transport};

use super::link::{Failing, Link};
use super::peer::Peer;
use super::queue::Limits;
use super::{fetch, set_up};
use crate::{Destination, Error, MAX_DATAGRAM, PeerAddress, SignalingError};

/// The socket of a client in a browser: one data channel to one server.
///
/// It is made by [`Socket::new`](crate::Socket::new), and sets itself up while the page goes on: see [`is_open`](ClientTransport::is_open). A
/// set-up takes ten seconds at most; [`failure`](ClientTransport::failure) says why it failed. The browser closes what belongs to it
/// when it is dropped.
///
/// What arrives waits until it is received, in a tab in the background too: at most 1,024 datagrams and
/// `receive_buffer_size` bytes (1 MiB at most), of which the oldest goes first. What the network does not take waits for
/// it: at most 64 datagrams, of which the oldest goes first.
#[derive(Debug)]
pub struct ClientSocket {
    destination: Rc<Destination>,
    max_datagram: usize,
    inbox: Limits,
    attempt: Attempt,
    failure: Option<Error>,
    current: Vec<u8>,
}

/// What a [`ClientSocket`] has done since it was made, or set up anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStatistics {
    /// Datagrams that arrived.
    pub received: u64,
    /// Of those, and of what was no datagram: what was dropped, for want of room mostly.
    pub received_dropped: u64,
    /// Datagrams that the browser took.
    pub sent: u64,
    /// Datagrams that were dropped because newer ones took their place, or the browser did not want them.
    pub sent_dropped: u64,
}

/// One set-up and what became of it.
#[derive(Debug)]
struct Attempt {
    link: Rc<Link>,
    /// None when it has ended.
    peer: Option<Peer>,
    /// When somebody first looked.
    since: Option<Instant>,
}

impl ClientSocket {
    #[cfg_attr(
        not(target_family = "wasm"),
        expect(dead_code, reason = "compiled to be looked at: the sockets of this machine are others")
    )]
    pub(crate) fn open(destination: Destination, config: SocketConfig) -> Result<Self, SignalingError> {
        if destination.signaling.is_none() {
            fetch::check(&destination.endpoint())?;
        }
        let destination = Rc::new(destination);
        let inbox =
            Limits { datagrams: MAX_INBOX_DATAGRAMS, bytes: config.receive_buffer_size.min(MAX_INBOX_BYTES) };
        let attempt = Attempt::begin(&destination, inbox);
        let max_datagram = config.max_datagram_size.min(MAX_DATAGRAM);
        Ok(Self { destination, max_datagram, inbox, attempt, failure: None, current: Vec::new() })
    }

    /// What it has done since it was made, or set up anew.
    #[must_use]
    pub fn statistics(&self) -> ClientStatistics {
        let counts = self.attempt.link.counts();
        ClientStatistics {
            received: counts.received,
            received_dropped: counts.received_dropped,
            sent: counts.sent,
            sent_dropped: counts.sent_dropped,
        }
    }
}

impl Transport for ClientSocket {
    type Address = PeerAddress;
    type Error = Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, PeerAddress>>, Error> {
        self.attempt.look_at(now);
        if let Some(datagram) = self.attempt.link.next_arrived() {
            self.current = datagram;
            return Ok(Some(Datagram { from: PeerAddress::SERVER, bytes: &self.current }));
        }
        match self.attempt.link.end_reason() {
            Some(why) => {
                self.attempt.peer = None;
                self.failure = Some(why.clone());
                Err(why)
            }
            None => Ok(None),
        }
    }

    fn send(&mut self, _: Instant, to: PeerAddress, datagram: &[u8]) -> Result<(), Error> {
        if to != PeerAddress::SERVER {
            return Err(Error::NobodyThere { peer: to });
        }
        if datagram.len() > self.max_datagram {
            return Err(Error::TooLarge { size: datagram.len(), max: self.max_datagram });
        }
        match &self.attempt.peer {
            Some(peer) if self.attempt.link.is_open() => {
                peer.send(datagram);
                Ok(())
            }
            _ => Err(self.attempt.link.end_reason().unwrap_or(Error::Busy)),
        }
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        if let Some(peer) = self.attempt.peer.as_ref().filter(|_| self.attempt.link.is_open()) {
            peer.pump();
        }
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        self.max_datagram
    }

    fn security(&self, _: PeerAddress) -> Security {
        Security::FULL
    }

    fn name(&self, _: PeerAddress) -> &'static str {
        "webrtc"
    }

    fn close(&mut self, _: PeerAddress) {
        self.attempt.end();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.attempt.deadline()
    }
}

impl ClientTransport for ClientSocket {
    fn server_address(&self) -> PeerAddress {
        PeerAddress::SERVER
    }

    fn is_open(&self) -> bool {
        self.attempt.link.is_open()
    }

    fn reopen(&mut self) {
        // The old one is closed before there is a new one: a browser allows a page only so many.
        self.attempt.end();
        self.attempt = Attempt::begin(&self.destination, self.inbox);
        self.failure = None;
    }

    fn can_reopen(&self) -> bool {
        self.failure.as_ref().is_none_or(Error::may_pass)
    }

    fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }
}

impl Attempt {
    fn begin(destination: &Rc<Destination>, inbox: Limits) -> Self {
        let link = Rc::new(Link::new(inbox, OUTBOX));
        let peer = match Peer::new(&destination.ice_servers, &link) {
            Ok(peer) => {
                set_up::begin(peer.connection(), Rc::clone(destination), Rc::clone(&link));
                Some(peer)
            }
            Err(why) => {
                link.end(why);
                None
            }
        };
        Self { link, peer, since: None }
    }

    /// A set-up that takes too long has failed.
    fn look_at(&mut self, now: Instant) {
        if self.link.is_setting_up() && now >= *self.since.get_or_insert(now) + SETUP_LIMIT {
            self.link.fail(Failing::TimedOut { seconds: SETUP_LIMIT.as_secs() });
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.since.filter(|_| self.link.is_setting_up()).map(|since| since + SETUP_LIMIT)
    }

    fn end(&mut self) {
        self.link.end(Error::ChannelClosed);
        self.peer = None;
    }
}

/// The set-up, which goes on by itself, is told; the peer closes what belongs to the browser.
impl Drop for Attempt {
    fn drop(&mut self) {
        self.end();
    }
}

/// A set-up over the worst of links, with a look-up of a name and TLS, takes some three seconds.
const SETUP_LIMIT: Duration = Duration::from_secs(10);

/// Twenty seconds of fifty datagrams a second, for a tab that is not looked at.
const MAX_INBOX_DATAGRAMS: usize = 1_024;

/// Beyond what these can be, at the most that we send.
const MAX_INBOX_BYTES: usize = 1 << 20;

/// As many as a connection sends at one moment.
const OUTBOX: Limits = Limits { datagrams: 64, bytes: 64 * MAX_DATAGRAM };
