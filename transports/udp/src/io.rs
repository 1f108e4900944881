use std::io::{self, IoSliceMut};
use std::net::UdpSocket;

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

/// The socket and its system calls.
pub(crate) struct Io {
    socket: UdpSocket,
    state: UdpSocketState,
    /// The same socket as a Tokio runtime sees it, from the first time that a task has waited for it.
    #[cfg(feature = "tokio")]
    registered: Option<tokio::net::UdpSocket>,
}

impl Io {
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        // This makes it non-blocking, forbids fragments, and asks for coalesced receives.
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self {
            socket,
            state,
            #[cfg(feature = "tokio")]
            registered: None,
        })
    }

    /// Has ICMP messages reported, where the system can: as an error of any later call.
    pub(crate) fn report_icmp(&self) -> io::Result<()> {
        self.state.enable_transport_errors((&self.socket).into())
    }

    /// Takes what the system tells of ICMP messages; how many there were.
    pub(crate) fn take_icmp(&self) -> u64 {
        let mut count = 0;
        // The queue counts against the receive buffer, so it has an end; the limit is for a peer that fills
        // it as fast as it is emptied.
        while count < MAX_ICMP_AT_ONCE
            && matches!(self.state.recv_transport_error((&self.socket).into()), Ok(Some(_)))
        {
            count += 1;
        }
        count
    }

    pub(crate) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.state.try_send((&self.socket).into(), transmit)
    }

    /// How many datagrams one call may send. It may fall to 1 when the system turns out not to be able to.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    pub(crate) fn receive(&self, slots: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) -> io::Result<usize> {
        let received = self.state.recv((&self.socket).into(), slots, metas);
        #[cfg(feature = "tokio")]
        if let (Err(error), Some(registered)) = (&received, &self.registered)
            && error.kind() == io::ErrorKind::WouldBlock
        {
            // The runtime must be told that the socket is empty, and only be told so by a call that it has
            // watched: what arrived since the one above may have been reported already. Where the runtime
            // does not believe that anything is there, this makes no call. It comes second because a loop
            // that never yields to its runtime has to receive all the same.
            return registered.try_io(tokio::io::Interest::READABLE, || {
                self.state.recv((&self.socket).into(), slots, metas)
            });
        }
        received
    }
}

/// The most ICMP messages taken at once.
const MAX_ICMP_AT_ONCE: u64 = 256;

#[cfg(feature = "tokio")]
impl Io {
    /// Ready when a datagram has arrived.
    pub(crate) fn poll_readable(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if self.registered.is_none() {
            match self.register() {
                Ok(registered) => self.registered = Some(registered),
                Err(error) => {
                    // Spurious wake-ups are allowed, missed ones are not.
                    tracing::error!(%error, "a UDP socket cannot wake its task, which will spin");
                    cx.waker().wake_by_ref();
                    return std::task::Poll::Ready(());
                }
            }
        }
        match &self.registered {
            Some(registered) => registered.poll_recv_ready(cx).map(drop),
            None => std::task::Poll::Ready(()),
        }
    }

    /// Made late, so that a program without a runtime needs none.
    fn register(&self) -> io::Result<tokio::net::UdpSocket> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(io::Error::other("`poll_readable` was called outside a Tokio runtime"));
        }
        tokio::net::UdpSocket::from_std(self.socket.try_clone()?)
    }
}
