use std::io;
use std::net::SocketAddr;

use bowline_core::{TransportError, TransportErrorKind};

/// What can go wrong with a UDP socket. Except for [`Broken`](Self::Broken), what is lost is datagrams.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Larger than [`SocketConfig::max_datagram_size`](bowline_core::SocketConfig::max_datagram_size).
    #[error("a datagram of {size} bytes is more than the {max} of `SocketConfig::max_datagram_size`")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// The first network on the way takes no datagrams of this size.
    #[error("the network to {to} takes no datagram of this size; lower `SocketConfig::max_datagram_size`")]
    TooLargeForNetwork {
        /// Where it was to go.
        to: SocketAddr,
    },
    /// There is no way to this address, or it is none that a peer can have.
    #[error("there is no way from this socket to {to}")]
    NoRoute {
        /// Where it was to go.
        to: SocketAddr,
    },
    /// A router or the host at the other end has said (by ICMP, which anybody can forge) that nobody is
    /// there.
    #[error(
        "a datagram that was sent earlier found nobody; is the server running, at this address and port?"
    )]
    NobodyThere,
    /// The system's send buffer is full.
    #[error("the send buffer is full; send less, or raise `SocketConfig::send_buffer_size`")]
    Busy,
    /// The system said no: a firewall, or a lack of memory. Later datagrams may pass.
    #[error("the system refused")]
    Refused(#[source] io::Error),
    /// The socket gives nothing but errors.
    #[error("the socket has failed; bind another")]
    Broken(#[source] io::Error),
}

impl TransportError for Error {
    fn kind(&self) -> TransportErrorKind {
        match self {
            Self::TooLarge { .. } | Self::TooLargeForNetwork { .. } => TransportErrorKind::TooLarge,
            Self::NoRoute { .. } | Self::NobodyThere => TransportErrorKind::Unreachable,
            Self::Busy => TransportErrorKind::Busy,
            Self::Refused(_) => TransportErrorKind::Refused,
            Self::Broken(_) => TransportErrorKind::Closed,
        }
    }
}

/// What the system means by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Not now. To a receiver: nothing is there.
    WouldBlock,
    /// About a datagram sent earlier, whichever call it comes out of: an ICMP message has arrived.
    Earlier,
    /// No route, a network that is down, or an address of a family that the socket does not speak.
    NoRoute,
    TooLarge,
    Other,
}

impl Meaning {
    pub(crate) fn of(error: &io::Error) -> Self {
        if quinn_udp::is_msg_size_err(error) {
            return Self::TooLarge;
        }
        match error.kind() {
            io::ErrorKind::WouldBlock => Self::WouldBlock,
            // Windows calls a port unreachable a connection reset.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Self::Earlier,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => Self::NoRoute,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_errors_of_linux_are_understood() {
        // From errno.h: EAGAIN, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EMSGSIZE, EPERM, ENOBUFS, EINVAL.
        let meanings = [11, 111, 113, 101, 90, 1, 105, 22]
            .map(|errno| Meaning::of(&io::Error::from_raw_os_error(errno)));
        use Meaning::{Earlier, NoRoute, Other, TooLarge, WouldBlock};
        assert_eq!(meanings, [WouldBlock, Earlier, NoRoute, NoRoute, TooLarge, Other, Other, Other]);
    }

    #[test]
    fn only_a_broken_socket_is_closed() {
        let to = SocketAddr::from(([127, 0, 0, 1], 7));
        let kinds = [
            Error::TooLarge { size: 2, max: 1 },
            Error::TooLargeForNetwork { to },
            Error::NoRoute { to },
            Error::NobodyThere,
            Error::Busy,
            Error::Refused(io::ErrorKind::PermissionDenied.into()),
        ]
        .map(|error| error.kind());
        assert!(!kinds.contains(&TransportErrorKind::Closed));
        assert_eq!(Error::Broken(io::ErrorKind::Other.into()).kind(), TransportErrorKind::Closed);
    }
}
