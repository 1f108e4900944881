use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use quinn_udp::Transmit;

use crate::Error;
use crate::address::{is_plausible, mapped, normalised};
use crate::error::Meaning;
use crate::io::Io;
use crate::receive::Received;
use crate::send::{Batch, Outgoing};

/// What the sockets of servers and of clients have in common.
pub(crate) struct Port {
    io: Io,
    local_address: SocketAddr,
    /// Whether the socket spells addresses as IPv6.
    is_ipv6: bool,
    max_datagram_size: usize,
    received: Received,
    outgoing: Outgoing,
    /// What went wrong with a batch that made room for another: the next flush tells.
    failure: Option<Error>,
    /// Errors of receiving in a row that are nobody's but the socket's.
    faults: usize,
    pub(crate) statistics: Statistics,
}

/// What a socket has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Datagrams that the system took.
    pub sent: u64,
    /// Their bytes, without headers.
    pub sent_bytes: u64,
    /// System calls that sent them.
    pub send_calls: u64,
    /// Datagrams handed out.
    pub received: u64,
    /// Their bytes, without headers.
    pub received_bytes: u64,
    /// System calls that asked for them, in vain too.
    pub receive_calls: u64,
    /// Not sent: the send buffer was full.
    pub lost_busy: u64,
    /// Not sent: too large, for the socket or for the network.
    pub lost_too_large: u64,
    /// Not sent: no way to the address.
    pub lost_no_route: u64,
    /// Not sent: refused by the system.
    pub lost_refused: u64,
    /// ICMP messages that said that nobody is there, as far as the system tells of them.
    pub nobody_there: u64,
    /// Received and dropped: from an address that no peer can have.
    pub forged: u64,
    /// Received by a client and dropped: not from its server.
    pub strangers: u64,
}

/// How often one call asks the system for more while all that comes is to be dropped: a flood of forged
/// datagrams must not keep its victim in the call.
const MAX_REFILLS: usize = 64;

/// After so many errors in a row, none of them from the network, the socket is broken, and whoever asks again
/// until it has no more would ask forever.
const MAX_FAULTS: usize = 64;

/// The largest payload of a UDP datagram over IPv4: 65,535 less headers of 20 and 8 bytes.
const LARGEST: usize = 65_507;

impl Port {
    pub(crate) fn new(io: Io, local_address: SocketAddr, max_datagram_size: usize, slots: usize) -> Self {
        Self {
            io,
            local_address: normalised(local_address),
            is_ipv6: local_address.is_ipv6(),
            max_datagram_size: max_datagram_size.min(LARGEST),
            received: Received::new(slots),
            outgoing: Outgoing::new(),
            failure: None,
            faults: 0,
            statistics: Statistics::default(),
        }
    }

    /// Has receiving tell that nobody is there, where the system can know.
    pub(crate) fn report_icmp(&self) {
        if let Err(error) = self.io.report_icmp() {
            tracing::debug!(%error, "ICMP messages will not be reported");
        }
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    pub(crate) fn max_datagram_size(&self) -> usize {
        self.max_datagram_size
    }

    /// The next datagram, from `only` if that is given. Its bytes: [`bytes`](Self::bytes).
    pub(crate) fn receive(
        &mut self,
        only: Option<SocketAddr>,
    ) -> Result<Option<(SocketAddr, Range<usize>)>, Error> {
        for _ in 0..MAX_REFILLS {
            while let Some((from, range)) = self.received.next() {
                let from = normalised(from);
                if !is_plausible(from) {
                    self.statistics.forged += 1;
                } else if only.is_some_and(|only| only != from) {
                    self.statistics.strangers += 1;
                } else {
                    self.statistics.received += 1;
                    self.statistics.received_bytes += range.len() as u64;
                    return Ok(Some((from, range)));
                }
            }
            self.statistics.receive_calls += 1;
            match self.received.refill(&self.io) {
                Ok(()) => self.faults = 0,
                Err(error) => return self.could_not_receive(error).map(|()| None),
            }
        }
        Ok(None)
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.received.bytes(range)
    }

    pub(crate) fn send(&mut self, to: SocketAddr, datagram: &[u8]) -> Result<(), Error> {
        if datagram.len() > self.max_datagram_size {
            self.statistics.lost_too_large += 1;
            return Err(Error::TooLarge { size: datagram.len(), max: self.max_datagram_size });
        }
        if !is_plausible(to) || (to.is_ipv6() && !self.is_ipv6) {
            self.statistics.lost_no_route += 1;
            return Err(Error::NoRoute { to });
        }
        let max_count = self.io.max_segments();
        if !self.outgoing.push(to, datagram, max_count) {
            self.send_batch();
            self.outgoing.push(to, datagram, max_count);
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.send_batch();
        self.failure.take().map_or(Ok(()), Err)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn poll_readable(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if self.received.has_more() { std::task::Poll::Ready(()) } else { self.io.poll_readable(cx) }
    }

    fn could_not_receive(&mut self, error: io::Error) -> Result<(), Error> {
        match Meaning::of(&error) {
            Meaning::WouldBlock => {
                self.faults = 0;
                Ok(())
            }
            Meaning::Earlier | Meaning::NoRoute | Meaning::TooLarge => {
                self.note_icmp();
                Err(Error::NobodyThere)
            }
            Meaning::Other => {
                self.faults += 1;
                Err(if self.faults < MAX_FAULTS { Error::Refused(error) } else { Error::Broken(error) })
            }
        }
    }

    /// Sends what waits, and keeps the first failure for the next flush.
    fn send_batch(&mut self) {
        let Some(batch) = self.outgoing.batch() else { return };
        let (io, statistics) = (&self.io, &mut self.statistics);
        let result = send_batch(io, statistics, batch, self.is_ipv6);
        self.outgoing.clear();
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
    }

    fn note_icmp(&mut self) {
        note_icmp(&self.io, &mut self.statistics);
    }
}

fn send_batch(io: &Io, statistics: &mut Statistics, batch: Batch<'_>, is_ipv6: bool) -> Result<(), Error> {
    let together = send_once(io, statistics, batch, is_ipv6);
    let Err(error) = together else { return Ok(()) };
    if batch.count == 1 || Meaning::of(&error) == Meaning::WouldBlock {
        return Err(lost(statistics, batch, error));
    }
    // Some drivers cannot cut a batch, and some virtual ones say so only when asked to. `quinn-udp` has
    // noticed, and the next batch will have one datagram; these go one by one.
    let mut result = Ok(());
    for bytes in batch.bytes.chunks(batch.size.max(1)) {
        let single = Batch { bytes, size: bytes.len(), count: 1, ..batch };
        if let Err(error) = send_once(io, statistics, single, is_ipv6) {
            let error = lost(statistics, single, error);
            result = result.and(Err(error));
        }
    }
    result
}

/// One system call, or two if the first was told of the fate of a datagram sent before.
fn send_once(io: &Io, statistics: &mut Statistics, batch: Batch<'_>, is_ipv6: bool) -> io::Result<()> {
    let transmit = Transmit {
        destination: if is_ipv6 { mapped(batch.to) } else { batch.to },
        ecn: None,
        contents: batch.bytes,
        segment_size: (batch.count > 1).then_some(batch.size),
        src_ip: None,
    };
    statistics.send_calls += 1;
    let mut result = io.send(&transmit);
    if result.as_ref().is_err_and(|error| Meaning::of(error) == Meaning::Earlier) {
        note_icmp(io, statistics);
        statistics.send_calls += 1;
        result = io.send(&transmit);
    }
    if result.is_ok() {
        statistics.sent += batch.count as u64;
        statistics.sent_bytes += batch.bytes.len() as u64;
    }
    result
}

/// Counts a batch that could not be sent, and says why in our words.
fn lost(statistics: &mut Statistics, batch: Batch<'_>, error: io::Error) -> Error {
    let to = batch.to;
    let (counter, error) = match Meaning::of(&error) {
        Meaning::WouldBlock => (&mut statistics.lost_busy, Error::Busy),
        Meaning::TooLarge => (&mut statistics.lost_too_large, Error::TooLargeForNetwork { to }),
        Meaning::NoRoute => (&mut statistics.lost_no_route, Error::NoRoute { to }),
        Meaning::Earlier => (&mut statistics.lost_no_route, Error::NobodyThere),
        Meaning::Other => (&mut statistics.lost_refused, Error::Refused(error)),
    };
    *counter += batch.count as u64;
    tracing::trace!(%error, count = batch.count, "could not send");
    error
}

fn note_icmp(io: &Io, statistics: &mut Statistics) {
    // Where the system has no queue of them, the error that brought us here was the message.
    statistics.nobody_there += io.take_icmp().max(1);
}
