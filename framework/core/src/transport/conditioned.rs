use std::fmt;
use std::task::{Context, Poll};

use crate::transport::{ClientTransport, Datagram, Readiness, Security, Transport};
use crate::{Instant, SeededEntropy};

mod config;
mod lane;

pub use config::{Bandwidth, BurstLoss, LinkConditionerConfig, LinkProfile};
pub use lane::{Held, Lane, Load};

/// A link conditioner: any transport, made as slow and as lossy as players' connections are.
///
/// It is a transport around a transport, so it works on all of them and none of them knows of it. Datagrams
/// are held in this wrapper: those to send until they are due, when `flush` or `receive` is called at or
/// after that moment; those that arrived until they are due, when `receive` gives them. Whoever sleeps
/// between calls wakes at [`next_deadline`](Transport::next_deadline).
///
/// The same seed, calls and times give the same losses and delays on every machine. What is held is
/// bounded (32,768 datagrams or 32 MiB each way); what goes beyond is lost and counted. In the steady state
/// nothing is allocated for a datagram. Around a server it conditions the server's own link, which
/// all its clients share: one burst hits all of them. For links of their own, wrap the clients.
///
/// What is on its way when an address is closed still arrives, as it would on a link: the last datagram of
/// a conversation is not lost for being the last. What is on its way when the conditioner is dropped is lost.
///
/// ```
/// # fn of<T: bowline_core::Transport>(socket: T) {
/// use bowline_core::transport::{Conditioned, LinkConditionerConfig};
///
/// let mut link = Conditioned::new(socket, LinkConditionerConfig::average_condition(), 7);
/// link.set_config(LinkConditionerConfig::new(0, 0, 1.0)); // pulls the cable
/// # }
/// ```
pub struct Conditioned<T: Transport> {
    inner: T,
    outgoing: Lane<T::Address>,
    incoming: Lane<T::Address>,
    /// The datagram that the last `receive` gave.
    current: Vec<u8>,
    /// What went wrong with a datagram that was sent while receiving: the next flush tells.
    failure: Option<T::Error>,
    /// The latest moment that we were told of, for [`Readiness`], which is told none.
    now: Instant,
}

/// The most datagrams taken from the inner transport in one call: a flood must not keep its victim in the
/// call.
const MAX_TAKEN_AT_ONCE: usize = 4_096;

impl<T: Transport> Conditioned<T> {
    /// Wraps `inner`. A `tracing` warning says so, once: a conditioner must not reach players by oversight.
    #[must_use]
    pub fn new(inner: T, config: LinkConditionerConfig, seed: u64) -> Self {
        tracing::warn!(?config, seed, "link conditioner: datagrams are delayed and lost on purpose");
        let usual_size = inner.max_datagram_size();
        // Each direction draws for itself: what is received must not change what becomes of what is sent.
        let lane = |profile: LinkProfile, direction, seed| {
            Lane::new(profile.sane(direction), SeededEntropy::new(seed), usual_size)
        };
        Self {
            outgoing: lane(config.outgoing_profile(), "outgoing", seed),
            incoming: lane(config.incoming_profile(), "incoming", !seed),
            current: Vec::with_capacity(usual_size),
            failure: None,
            now: Instant::ZERO,
            inner,
        }
    }

    /// Changes the link, at any time. What is on its way already arrives as it would have.
    pub fn set_config(&mut self, config: LinkConditionerConfig) {
        self.outgoing.set_profile(config.outgoing_profile().sane("outgoing"));
        self.incoming.set_profile(config.incoming_profile().sane("incoming"));
    }

    /// What has happened so far.
    #[must_use]
    pub fn statistics(&self) -> LinkStatistics {
        LinkStatistics { outgoing: self.outgoing.statistics(), incoming: self.incoming.statistics() }
    }

    /// The transport that is wrapped.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// The transport that is wrapped, to change settings of its own.
    pub fn inner_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Takes the conditioner off. What is on its way is lost.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Hands what is due to the inner transport. An error ends nothing: later datagrams are sent all the
    /// same.
    fn send_due(&mut self, now: Instant) {
        while let Some(Held { address, load, .. }) = self.outgoing.take_due(now) {
            match load {
                Load::Close => self.inner.close(address),
                Load::Datagram(bytes) => {
                    if let Err(error) = self.inner.send(now, address, &bytes) {
                        self.outgoing.count_failed();
                        self.failure.get_or_insert(error);
                    }
                    self.outgoing.recycle(bytes);
                }
            }
        }
    }

    /// Puts what has arrived on its way.
    fn take_arrived(&mut self, now: Instant) -> Result<(), T::Error> {
        for _ in 0..MAX_TAKEN_AT_ONCE {
            let Some(Datagram { from, bytes }) = self.inner.receive(now)? else { break };
            self.incoming.admit(now, from, bytes);
        }
        Ok(())
    }

    /// The sender of the next datagram that is due, which is then in `current`.
    fn take_due(&mut self, now: Instant) -> Option<T::Address> {
        while let Some(Held { address, load, .. }) = self.incoming.take_due(now) {
            if let Load::Datagram(bytes) = load {
                self.incoming.recycle(std::mem::replace(&mut self.current, bytes));
                return Some(address);
            }
        }
        None
    }
}

impl<T: Transport> Transport for Conditioned<T> {
    type Address = T::Address;
    type Error = T::Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, Self::Address>>, Self::Error> {
        self.now = now;
        if self.outgoing.next_due().is_some_and(|due| due <= now) {
            self.send_due(now);
            if let Err(error) = self.inner.flush(now) {
                self.failure.get_or_insert(error);
            }
        }
        let mut from = self.take_due(now);
        if from.is_none() {
            // The inner transport is asked when nothing else is due, so that draining n datagrams asks it
            // twice and not n times: it may be a system call.
            self.take_arrived(now)?;
            from = self.take_due(now);
        }
        Ok(from.map(|from| Datagram { from, bytes: &self.current }))
    }

    fn send(&mut self, now: Instant, to: Self::Address, datagram: &[u8]) -> Result<(), Self::Error> {
        self.now = now;
        if datagram.len() > self.inner.max_datagram_size() {
            // The inner transport refuses it, in its own words and at once.
            return self.inner.send(now, to, datagram);
        }
        self.outgoing.admit(now, to, datagram);
        Ok(())
    }

    fn flush(&mut self, now: Instant) -> Result<(), Self::Error> {
        self.now = now;
        self.send_due(now);
        let flushed = self.inner.flush(now);
        match self.failure.take() {
            Some(error) => Err(error),
            None => flushed,
        }
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn security(&self, address: Self::Address) -> Security {
        self.inner.security(address)
    }

    fn name(&self, address: Self::Address) -> &'static str {
        self.inner.name(address)
    }

    fn close(&mut self, address: Self::Address) {
        if !self.outgoing.admit_close(address) {
            self.inner.close(address);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        [self.outgoing.next_due(), self.incoming.next_due(), self.inner.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}

impl<T: ClientTransport> ClientTransport for Conditioned<T> {
    fn server_address(&self) -> Self::Address {
        self.inner.server_address()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }

    fn reopen(&mut self) {
        self.inner.reopen();
    }

    fn can_reopen(&self) -> bool {
        self.inner.can_reopen()
    }

    fn failure(&self) -> Option<&Self::Error> {
        self.inner.failure()
    }
}

impl<T: Readiness> Readiness for Conditioned<T> {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What falls due later is next_deadline's to tell.
        let due = self.incoming.next_due().is_some_and(|due| due <= self.now);
        if self.inner.poll_readable(cx).is_ready() || due { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<T: Transport + fmt::Debug> fmt::Debug for Conditioned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conditioned")
            .field("inner", &self.inner)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

/// What a [`Conditioned`] link did to datagrams so far, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStatistics {
    /// To what we sent.
    pub outgoing: LaneStatistics,
    /// To what we received.
    pub incoming: LaneStatistics,
}

/// What a link did to the datagrams that went one way. Counted in datagrams, from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneStatistics {
    /// Given to the link.
    pub offered: u64,
    /// That came out of it, copies too.
    pub delivered: u64,
    /// Lost, alone or in bursts.
    pub lost: u64,
    /// Lost because too many waited for the bandwidth.
    pub lost_to_bandwidth: u64,
    /// Lost because the conditioner holds no more.
    pub lost_to_limit: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Held back so that others overtake, copies too.
    pub held_back: u64,
    /// With a bit flipped, copies too.
    pub corrupted: u64,
    /// That came out, and that the inner transport then refused to send.
    pub failed: u64,
    /// On the way right now.
    pub held: usize,
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use super::*;
    use crate::transport::{TransportError, TransportErrorKind};

    /// What is sent comes back, unless it is a mishap.
    #[derive(Debug, Default)]
    struct Echo {
        queue: VecDeque<(u8, Vec<u8>)>,
        current: Vec<u8>,
        closed: Vec<(u8, usize)>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
    #[error("{0:?}")]
    struct Mishap(TransportErrorKind);

    impl TransportError for Mishap {
        fn kind(&self) -> TransportErrorKind {
            self.0
        }
    }

    impl Transport for Echo {
        type Address = u8;
        type Error = Mishap;

        fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, u8>>, Mishap> {
            let Some((from, bytes)) = self.queue.pop_front() else { return Ok(None) };
            self.current = bytes;
            Ok(Some(Datagram { from, bytes: &self.current }))
        }

        fn send(&mut self, _: Instant, to: u8, datagram: &[u8]) -> Result<(), Mishap> {
            if datagram.len() > self.max_datagram_size() {
                return Err(Mishap(TransportErrorKind::TooLarge));
            }
            if datagram == b"mishap" {
                return Err(Mishap(TransportErrorKind::Busy));
            }
            self.queue.push_back((to, datagram.to_vec()));
            Ok(())
        }

        fn flush(&mut self, _: Instant) -> Result<(), Mishap> {
            Ok(())
        }

        fn max_datagram_size(&self) -> usize {
            16
        }

        fn security(&self, _: u8) -> Security {
            Security::FULL
        }

        fn name(&self, _: u8) -> &'static str {
            "echo"
        }

        fn close(&mut self, address: u8) {
            self.closed.push((address, self.queue.len()));
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn receive(link: &mut Conditioned<Echo>, now: Instant) -> Option<(u8, Vec<u8>)> {
        link.receive(now).unwrap().map(|datagram| (datagram.from, datagram.bytes.to_vec()))
    }

    #[test]
    fn a_datagram_takes_both_latencies() {
        let config = LinkConditionerConfig::new(30, 0, 0.0).incoming(LinkProfile::new(12, 0, 0.0));
        let mut link = Conditioned::new(Echo::default(), config, 1);
        link.send(at(0), 7, b"there and back").unwrap();
        link.flush(at(0)).unwrap();
        assert_eq!(link.next_deadline(), Some(at(30)));
        assert_eq!(receive(&mut link, at(29)), None);
        assert_eq!(receive(&mut link, at(30)), None);
        assert_eq!(link.next_deadline(), Some(at(42)));
        assert_eq!(receive(&mut link, at(41)), None);
        assert_eq!(receive(&mut link, at(42)), Some((7, b"there and back".to_vec())));
        assert_eq!(link.next_deadline(), None);
        let LinkStatistics { outgoing, incoming } = link.statistics();
        assert_eq!((outgoing.offered, outgoing.delivered, outgoing.held), (1, 1, 0));
        assert_eq!((incoming.offered, incoming.delivered, incoming.held), (1, 1, 0));
    }

    #[test]
    fn the_cable_can_be_pulled_and_put_back() {
        let mut link = Conditioned::new(Echo::default(), LinkConditionerConfig::new(10, 0, 0.0), 1);
        link.send(at(0), 1, b"on its way").unwrap();
        link.set_config(LinkConditionerConfig::new(10, 0, 1.0));
        link.send(at(1), 1, b"lost").unwrap();
        link.set_config(LinkConditionerConfig::new(10, 0, 0.0));
        link.send(at(2), 1, b"back").unwrap();
        let arrived: Vec<_> =
            (0..50).flat_map(|millis| receive(&mut link, at(millis))).map(|(_, bytes)| bytes).collect();
        assert_eq!(arrived, [b"on its way".to_vec(), b"back".to_vec()]);
    }

    #[test]
    fn too_large_is_refused_at_once() {
        let mut link = Conditioned::new(Echo::default(), LinkConditionerConfig::new(10, 0, 0.0), 1);
        let refused = link.send(at(0), 1, &[0; 17]).unwrap_err();
        assert_eq!(refused.kind(), TransportErrorKind::TooLarge);
        assert_eq!(link.statistics().outgoing.offered, 0);
    }

    #[test]
    fn the_next_flush_tells_what_went_wrong() {
        let mut link = Conditioned::new(Echo::default(), LinkConditionerConfig::new(10, 0, 0.0), 1);
        link.send(at(0), 1, b"mishap").unwrap();
        link.send(at(0), 1, b"fine").unwrap();
        link.flush(at(0)).unwrap();
        assert_eq!(receive(&mut link, at(10)), None);
        assert_eq!(link.flush(at(11)).unwrap_err(), Mishap(TransportErrorKind::Busy));
        link.flush(at(12)).unwrap();
        assert_eq!(link.statistics().outgoing.failed, 1);
        assert_eq!(receive(&mut link, at(20)).unwrap().1, b"fine");
    }

    #[test]
    fn an_address_is_closed_behind_what_was_sent_to_it() {
        let mut link = Conditioned::new(Echo::default(), LinkConditionerConfig::new(10, 0, 0.0), 1);
        link.send(at(0), 1, b"farewell").unwrap();
        link.close(1);
        link.close(2);
        assert_eq!(link.inner().closed, [(2, 0)], "nothing is on the way to 2, and 1 has to wait");
        link.flush(at(10)).unwrap();
        assert_eq!(link.inner().closed, [(2, 0), (1, 1)]);
    }

    #[test]
    fn the_same_seed_gives_the_same_link() {
        let run = |seed| {
            let config = LinkConditionerConfig::poor_condition().with_duplication(0.05);
            let mut link = Conditioned::new(Echo::default(), config, seed);
            let mut arrived = Vec::new();
            for millis in 0..2_000_u64 {
                link.send(at(millis), (millis % 3) as u8, &millis.to_le_bytes()).unwrap();
                link.flush(at(millis)).unwrap();
                while let Some(datagram) = receive(&mut link, at(millis)) {
                    arrived.push((millis, datagram));
                }
            }
            (arrived, link.statistics())
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }
}
