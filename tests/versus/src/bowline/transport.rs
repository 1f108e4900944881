//! In-process queues that vouch for nothing, as UDP, and count what passes: Bowline pays for its cookies and tokens.

use std::cell::Cell;
use std::rc::Rc;

use bowline::Instant;
use bowline::transport::{ClientTransport, Datagram, Security, Transport};

use crate::stage::Lane;

/// What went one way.
pub(crate) type Meter = Rc<Cell<Lane>>;

#[derive(Debug)]
pub(crate) struct Counted<T> {
    pub(crate) inner: T,
    pub(crate) sent: Meter,
}

impl<T: Transport> Transport for Counted<T> {
    type Address = T::Address;
    type Error = T::Error;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, T::Address>>, T::Error> {
        self.inner.receive(now)
    }

    fn send(&mut self, now: Instant, to: T::Address, datagram: &[u8]) -> Result<(), T::Error> {
        let mut lane = self.sent.get();
        lane.count(datagram);
        self.sent.set(lane);
        self.inner.send(now, to, datagram)
    }

    fn flush(&mut self, now: Instant) -> Result<(), T::Error> {
        self.inner.flush(now)
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn security(&self, _: T::Address) -> Security {
        Security::NONE
    }

    fn name(&self, address: T::Address) -> &'static str {
        self.inner.name(address)
    }

    fn close(&mut self, address: T::Address) {
        self.inner.close(address);
    }
}

impl<T: ClientTransport> ClientTransport for Counted<T> {
    fn server_address(&self) -> T::Address {
        self.inner.server_address()
    }
}
