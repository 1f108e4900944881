//! The sockets of a connection, as `webrtc` sees them through its runtime.
//!
//! Left to itself, `webrtc` binds one socket for each address of the machine, none on the loopback interface, and
//! gives each buffers for 64 datagrams at once, twice. Here a connection has one socket for each family, bound to no
//! address, so that the system sends from whichever is right: loopback for a server on this machine, the way out for
//! any other, and another one after the network has changed.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bowline_core::SocketConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// `webrtc` does not send what its own events have queued before something wakes it, or 200 ms have passed. A socket that
/// says after a datagram that there was another, an empty one, wakes it at the right moment and costs no timer. It
/// asks twice each time (a look, and a wait), and an event may queue another.
const ROUNDS: u8 = 4;

/// How long the name of a STUN or TURN server is looked up: everything else of the connection waits for it.
const MAX_LOOKUP: Duration = Duration::from_secs(1);

/// What a connection is told to bind: a name for the socket of each family. The sockets that datagrams go through are
/// others; the server answers to where packets come from and does not look at the names.
pub(super) fn nominal_addresses() -> Vec<SocketAddr> {
    let mut addresses = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    // Asked for each time: IPv6 may come with the next network.
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    if UdpSocket::bind(v6).is_ok() {
        addresses.push(v6);
    }
    addresses
}

/// Tokio's runtime with sockets of our own.
#[derive(Debug)]
pub(super) struct Network {
    receive_buffer: usize,
    send_buffer: usize,
    eager: Arc<AtomicBool>,
}

impl Network {
    pub(super) fn new(config: &SocketConfig, eager: Arc<AtomicBool>) -> Self {
        Self { receive_buffer: config.receive_buffer_size, send_buffer: config.send_buffer_size, eager }
    }

    fn bind(&self, nominal: SocketAddr) -> io::Result<tokio::net::UdpSocket> {
        let any: SocketAddr = match nominal {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = Socket::new(Domain::for_address(any), Type::DGRAM, Some(Protocol::UDP))?;
        if any.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The system gives what it allows.
        let _ = socket.set_recv_buffer_size(self.receive_buffer);
        let _ = socket.set_send_buffer_size(self.send_buffer);
        socket.set_nonblocking(true)?;
        socket.bind(&any.into())?;
        tokio::net::UdpSocket::from_std(socket.into())
    }
}

impl Runtime for Network {
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let nominal = socket.local_addr()?;
        let io = self.bind(nominal)?;
        Ok(Arc::new(AnyAddress { nominal, io, eager: self.eager.clone(), rounds: AtomicU8::new(0) }))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        Box::pin(async move {
            let found = tokio::time::timeout(MAX_LOOKUP, TokioRuntime.resolve_host(host)).await;
            found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        })
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn name(&self) -> &'static str {
        "bowline"
    }
}

/// A socket that is bound to no address.
#[derive(Debug)]
struct AnyAddress {
    nominal: SocketAddr,
    io: tokio::net::UdpSocket,
    /// Whether the connection is being set up.
    eager: Arc<AtomicBool>,
    /// How often "nothing there" is still to be said in another way: see [`ROUNDS`].
    rounds: AtomicU8,
}

impl AsyncUdpSocket for AnyAddress {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.nominal)
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        match ready!(self.io.poll_send_to(cx, transmit.contents, transmit.destination)) {
            Ok(_) => {}
            // A network that is away, or a route that is none: the datagram is lost, and all else goes on.
            Err(error) => tracing::debug!(%error, to = %transmit.destination, "a datagram could not be sent"),
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let mut read = ReadBuf::new(buffer);
        let from = match self.io.poll_recv_from(cx, &mut read) {
            Poll::Ready(from) => {
                if self.eager.load(Ordering::Relaxed) {
                    self.rounds.store(ROUNDS, Ordering::Relaxed);
                }
                from?
            }
            // Nothing: said truly to the look that follows a datagram, and as an empty datagram to the one after that.
            Poll::Pending => match self.rounds.load(Ordering::Relaxed) {
                0 => return Poll::Pending,
                rounds => {
                    self.rounds.store(rounds - 1, Ordering::Relaxed);
                    if rounds.is_multiple_of(2) {
                        return Poll::Pending;
                    }
                    self.nominal
                }
            },
        };
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = read.filled().len();
        meta.stride = meta.len.max(1);
        Poll::Ready(Ok(1))
    }
}
