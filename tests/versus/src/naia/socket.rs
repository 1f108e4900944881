//! Queues in memory behind naia's socket traits.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use naia_client::transport as client;
use naia_server::transport as server;
use naia_shared::IdentityToken;

use crate::stage::Lane;

type Datagrams = VecDeque<(SocketAddr, Vec<u8>)>;

/// Where the sockets of one stage meet. Clones lead to the same place.
#[derive(Clone, Default)]
pub(super) struct Hub(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Credentials, which naia has come by another way than datagrams. They are not counted.
    logins: Datagrams,
    to_server: Datagrams,
    to_clients: HashMap<SocketAddr, Inbox>,
    lanes: (Lane, Lane),
    last_client: u32,
}

#[derive(Default)]
struct Inbox {
    token: Option<IdentityToken>,
    datagrams: VecDeque<Vec<u8>>,
}

impl Hub {
    /// The socket of another client.
    pub(super) fn client(&self) -> Box<dyn client::Socket> {
        let mut state = self.lock();
        state.last_client += 1;
        let address = address(state.last_client);
        state.to_clients.insert(address, Inbox::default());
        drop(state);
        Box::new(ClientSocket { hub: self.clone(), address })
    }

    /// The socket of the server.
    pub(super) fn server(&self) -> Box<dyn server::Socket> {
        Box::new(ServerSocket(self.clone()))
    }

    /// Nobody is there any more.
    pub(super) fn forget_clients(&self) {
        self.lock().to_clients.clear();
    }

    /// What has gone to clients, and to the server.
    pub(super) fn lanes(&self) -> (Lane, Lane) {
        self.lock().lanes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's is the address of number 0.
fn address(number: u32) -> SocketAddr {
    let [_, a, b, c] = number.to_be_bytes();
    SocketAddr::from(([10, a, b, c], 14_191))
}

struct ServerSocket(Hub);

impl server::Socket for ServerSocket {
    fn listen(self: Box<Self>) -> server::ListenResult {
        let end = || Box::new(ServerEnd { hub: self.0.clone(), current: Vec::new() });
        (end(), Box::new(Logins(*end())), end(), end())
    }
}

/// The server's end of the queues.
#[derive(Clone)]
struct ServerEnd {
    hub: Hub,
    /// What the last `receive` gave.
    current: Vec<u8>,
}

impl server::PacketSender for ServerEnd {
    fn send(&self, to: &SocketAddr, payload: &[u8]) -> Result<(), server::SendError> {
        let mut state = self.hub.lock();
        state.lanes.0.count(payload);
        // To somebody who has gone it vanishes, as on a network.
        if let Some(inbox) = state.to_clients.get_mut(to) {
            inbox.datagrams.push_back(payload.to_vec());
        }
        Ok(())
    }
}

impl server::PacketReceiver for ServerEnd {
    fn receive(&mut self) -> Result<Option<(SocketAddr, &[u8])>, server::RecvError> {
        let Some((from, datagram)) = self.hub.lock().to_server.pop_front() else { return Ok(None) };
        self.current = datagram;
        Ok(Some((from, &self.current)))
    }
}

impl server::AuthSender for ServerEnd {
    fn accept(&self, to: &SocketAddr, token: &IdentityToken) -> Result<(), server::SendError> {
        if let Some(inbox) = self.hub.lock().to_clients.get_mut(to) {
            inbox.token = Some(token.clone());
        }
        Ok(())
    }

    fn reject(&self, _: &SocketAddr) -> Result<(), server::SendError> {
        Ok(())
    }
}

#[derive(Clone)]
struct Logins(ServerEnd);

impl server::AuthReceiver for Logins {
    fn receive(&mut self) -> Result<Option<(SocketAddr, &[u8])>, server::RecvError> {
        let Some((from, login)) = self.0.hub.lock().logins.pop_front() else { return Ok(None) };
        self.0.current = login;
        Ok(Some((from, &self.0.current)))
    }
}

struct ClientSocket {
    hub: Hub,
    address: SocketAddr,
}

type ClientEnds =
    (Box<dyn client::IdentityReceiver>, Box<dyn client::PacketSender>, Box<dyn client::PacketReceiver>);

impl client::Socket for ClientSocket {
    fn connect(self: Box<Self>) -> ClientEnds {
        let end =
            || Box::new(ClientEnd { hub: self.hub.clone(), address: self.address, current: Vec::new() });
        (end(), end(), end())
    }

    fn connect_with_auth(self: Box<Self>, auth: Vec<u8>) -> ClientEnds {
        self.hub.lock().logins.push_back((self.address, auth));
        self.connect()
    }

    fn connect_with_auth_headers(self: Box<Self>, _: Vec<(String, String)>) -> ClientEnds {
        self.connect()
    }

    fn connect_with_auth_and_headers(self: Box<Self>, auth: Vec<u8>, _: Vec<(String, String)>) -> ClientEnds {
        self.connect_with_auth(auth)
    }
}

/// A client's end of the queues.
#[derive(Clone)]
struct ClientEnd {
    hub: Hub,
    address: SocketAddr,
    /// What the last `receive` gave.
    current: Vec<u8>,
}

impl client::PacketSender for ClientEnd {
    fn send(&self, payload: &[u8]) -> Result<(), client::SendError> {
        let mut state = self.hub.lock();
        state.lanes.1.count(payload);
        state.to_server.push_back((self.address, payload.to_vec()));
        Ok(())
    }

    fn server_addr(&self) -> client::ServerAddr {
        client::ServerAddr::Found(address(0))
    }
}

impl client::PacketReceiver for ClientEnd {
    fn receive(&mut self) -> Result<Option<&[u8]>, client::RecvError> {
        let mut state = self.hub.lock();
        let inbox = state.to_clients.get_mut(&self.address);
        let Some(datagram) = inbox.and_then(|inbox| inbox.datagrams.pop_front()) else { return Ok(None) };
        drop(state);
        self.current = datagram;
        Ok(Some(&self.current))
    }

    fn server_addr(&self) -> client::ServerAddr {
        client::ServerAddr::Found(address(0))
    }
}

impl client::IdentityReceiver for ClientEnd {
    fn receive(&mut self) -> client::IdentityReceiverResult {
        let state = self.hub.lock();
        let token = state.to_clients.get(&self.address).and_then(|inbox| inbox.token.clone());
        token.map_or(client::IdentityReceiverResult::Waiting, client::IdentityReceiverResult::Success)
    }
}
