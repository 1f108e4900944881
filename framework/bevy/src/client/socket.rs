//! How a client's socket is kept in the app, which may be looked at from any thread.

#[cfg(not(target_family = "wasm"))]
use bowline::transport::{BoxedClientTransport, ClientTransport, PackAddress};

/// A socket that an app can keep: one that can go to another thread. In a browser there is no other thread, and any will do.
#[cfg(not(target_family = "wasm"))]
pub trait AppSocket: ClientTransport<Address: PackAddress> + Send + 'static {}

#[cfg(not(target_family = "wasm"))]
impl<S: ClientTransport<Address: PackAddress> + Send + 'static> AppSocket for S {}

#[cfg(not(target_family = "wasm"))]
pub(super) fn boxed<S: AppSocket>(socket: S) -> BoxedClientTransport {
    BoxedClientTransport::new(socket)
}

#[cfg(not(target_family = "wasm"))]
pub(super) fn inside<S: 'static>(socket: &mut BoxedClientTransport) -> Option<&mut S> {
    socket.downcast_mut()
}

#[cfg(target_family = "wasm")]
pub use in_a_browser::AppSocket;
#[cfg(target_family = "wasm")]
pub(super) use in_a_browser::{boxed, inside};

#[cfg(target_family = "wasm")]
mod in_a_browser {
    use bowline::Instant;
    use bowline::transport::{
        BoxedClientTransport, ClientTransport, Datagram, PackAddress, Security, Transport,
    };
    use send_wrapper::SendWrapper;

    /// A socket that an app can keep: one that can go to another thread. In a browser there is no other thread, and any will
    /// do.
    pub trait AppSocket: ClientTransport<Address: PackAddress> + 'static {}

    impl<S: ClientTransport<Address: PackAddress> + 'static> AppSocket for S {}

    /// A socket that stays on the thread that made it: what the browser gives cannot leave it.
    struct Here<S>(SendWrapper<S>);

    pub(crate) fn boxed<S: AppSocket>(socket: S) -> BoxedClientTransport {
        BoxedClientTransport::new(Here(SendWrapper::new(socket)))
    }

    pub(crate) fn inside<S: 'static>(socket: &mut BoxedClientTransport) -> Option<&mut S> {
        socket.downcast_mut::<Here<S>>().map(|here| &mut *here.0)
    }

    impl<S: Transport> Transport for Here<S> {
        type Address = S::Address;
        type Error = S::Error;

        fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, S::Address>>, S::Error> {
            self.0.receive(now)
        }

        fn send(&mut self, now: Instant, to: S::Address, datagram: &[u8]) -> Result<(), S::Error> {
            self.0.send(now, to, datagram)
        }

        fn flush(&mut self, now: Instant) -> Result<(), S::Error> {
            self.0.flush(now)
        }

        fn max_datagram_size(&self) -> usize {
            self.0.max_datagram_size()
        }

        fn security(&self, address: S::Address) -> Security {
            self.0.security(address)
        }

        fn name(&self, address: S::Address) -> &'static str {
            self.0.name(address)
        }

        fn close(&mut self, address: S::Address) {
            self.0.close(address);
        }

        fn next_deadline(&self) -> Option<Instant> {
            self.0.next_deadline()
        }
    }

    impl<S: ClientTransport> ClientTransport for Here<S> {
        fn server_address(&self) -> S::Address {
            self.0.server_address()
        }

        fn is_open(&self) -> bool {
            self.0.is_open()
        }

        fn reopen(&mut self) {
            self.0.reopen();
        }

        fn can_reopen(&self) -> bool {
            self.0.can_reopen()
        }

        fn failure(&self) -> Option<&S::Error> {
            self.0.failure()
        }
    }
}
