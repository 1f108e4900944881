use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_core::SocketConfig;
use bowline_core::transport::{AddressBytes, PackAddress};

use crate::inbox::Inbox;
use crate::{ClientSocket, Socket};

/// Where the sockets of one process meet: one server and any number of clients.
///
/// A hub is a handle; clones lead to the same place. Hubs know nothing of each other.
///
/// ```
/// use bowline_core::SocketConfig;
/// use bowline_local::Hub;
///
/// let hub = Hub::new();
/// let server = hub.server(SocketConfig::default()).unwrap();
/// assert!(hub.server(SocketConfig::default()).is_err(), "one at a time");
/// drop(server);
/// hub.server(SocketConfig::default()).unwrap(); // a restart: clients reach the new one at the old address
/// ```
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    inboxes: BTreeMap<Address, Arc<Inbox>>,
    /// Numbers of clients are not used again, so that nobody receives what was meant for one who has gone.
    last_client: u64,
}

impl Hub {
    /// A hub with nobody there.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The server's socket.
    ///
    /// When it is dropped, what waited in it is gone, and another server may listen: clients that are still
    /// there reach it under the same address.
    ///
    /// # Errors
    /// [`ListenError::AddressInUse`] while there is another one.
    #[expect(clippy::needless_pass_by_value, reason = "made for this one socket: `server.socket_config()`")]
    pub fn server(&self, config: SocketConfig) -> Result<Socket, ListenError> {
        let mut state = self.lock();
        if state.inboxes.contains_key(&Address::SERVER) {
            return Err(ListenError::AddressInUse);
        }
        let inbox = Arc::new(Inbox::new(config.receive_buffer_size));
        state.inboxes.insert(Address::SERVER, inbox.clone());
        drop(state);
        Ok(Socket::new(self.clone(), Address::SERVER, inbox, &config))
    }

    /// The socket of another client. It may be made before the server is there, as anybody may call a host
    /// that is still booting.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "made for this one socket: `server.socket_config()`")]
    pub fn client(&self, config: SocketConfig) -> ClientSocket {
        let mut state = self.lock();
        state.last_client += 1;
        let address = Address(state.last_client);
        let inbox = Arc::new(Inbox::new(config.receive_buffer_size));
        state.inboxes.insert(address, inbox.clone());
        drop(state);
        ClientSocket::new(Socket::new(self.clone(), address, inbox, &config))
    }

    pub(crate) fn inbox(&self, address: Address) -> Option<Arc<Inbox>> {
        self.lock().inboxes.get(&address).cloned()
    }

    pub(crate) fn leave(&self, address: Address) {
        self.lock().inboxes.remove(&address);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here is left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().inboxes.keys()).finish()
    }
}

/// Which socket of a hub: `local:0` is the server, `local:3` the third client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(u64);

impl Address {
    /// The server of a hub.
    pub const SERVER: Self = Self(0);
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "local:{}", self.0)
    }
}

impl PackAddress for Address {
    fn pack(&self, bytes: &mut AddressBytes) {
        self.0.pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        u64::unpack(bytes).map(Self)
    }
}

/// Why a server cannot listen on a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// There is one already.
    #[error("another server listens on this hub; drop its socket first, or make another `Hub`")]
    AddressInUse,
}
