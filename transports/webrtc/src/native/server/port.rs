//! The one UDP socket.

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use bowline_core::SocketConfig;
use socket2::{Domain, Protocol, Type};
use tokio::io::Interest;

/// The socket and the memory that it receives into.
pub(crate) struct Port {
    pub(crate) socket: Socket,
    /// What the last [`receive`](Self::receive) has received.
    pub(crate) memory: Box<[u8]>,
}

/// The socket, on the runtime of its thread.
pub(crate) struct Socket {
    socket: tokio::net::UdpSocket,
    is_ipv6: bool,
    /// Datagrams that the system did not take: a full buffer, no route. Each is lost, as any may be.
    lost: Cell<u64>,
}

/// No datagram is larger (RFC 768).
const LARGEST: usize = 1 << 16;

/// Listens at an address for HTTP; on `[::]` at both families.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // A server that is started again finds its port though connections of the old one linger. Windows means something
    // else by it, and needs it not.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // All players come back at once when a server was restarted.
    socket.listen(1_024)?;
    Ok(socket.into())
}

/// Binds to an address for the data; on `[::]` to both families.
pub(crate) fn bind(address: SocketAddr, config: &SocketConfig) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // The system gives what it wants to; what it does not give is lost datagrams under load, not a failure.
    let _ = socket.set_recv_buffer_size(config.receive_buffer_size);
    let _ = socket.set_send_buffer_size(config.send_buffer_size);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

impl Port {
    /// Must be called on the runtime that is to drive it.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let is_ipv6 = socket.local_addr()?.is_ipv6();
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        let socket = Socket { socket, is_ipv6, lost: Cell::new(0) };
        Ok(Self { socket, memory: vec![0; LARGEST].into_boxed_slice() })
    }

    /// Waits until a datagram has arrived.
    pub(crate) async fn readable(&self) {
        // An error will come out of `receive`, which logs it.
        let _ = self.socket.socket.ready(Interest::READABLE).await;
    }

    /// The next datagram that has arrived: from where, and how many bytes of the memory it fills.
    pub(crate) fn receive(&mut self) -> Option<(SocketAddr, usize)> {
        loop {
            match self.socket.socket.try_recv_from(&mut self.memory) {
                Ok((size, from)) => {
                    return Some((SocketAddr::new(from.ip().to_canonical(), from.port()), size));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // About a datagram sent earlier: a peer has gone, and its host has said so.
                Err(error) if is_about_a_peer(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "receiving on the UDP socket of a WebRTC server failed");
                    return None;
                }
            }
        }
    }
}

impl Socket {
    pub(crate) fn send(&self, to: SocketAddr, datagram: &[u8]) {
        let to = match to {
            SocketAddr::V4(v4) if self.is_ipv6 => SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port())),
            to => to,
        };
        if self.socket.try_send_to(datagram, to).is_err() {
            self.lost.set(self.lost.get() + 1);
        }
    }

    pub(crate) const fn lost(&self) -> u64 {
        self.lost.get()
    }
}

fn is_about_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable)
}
