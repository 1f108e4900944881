use bowline_core::{TransportError, TransportErrorKind};

use crate::{PeerAddress, SignalingError};

/// What can go wrong with a WebRTC socket. On a client all but [`TooLarge`](Self::TooLarge) and [`Busy`](Self::Busy) are the end
/// of its channel; on a server each concerns one peer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The offer did not reach the server, or the server said no.
    #[error(transparent)]
    Signaling(#[from] SignalingError),
    /// The signalling went well, and then no packet came through.
    #[error("no path to the server was found: tried {tried}; {hint}")]
    IceFailed {
        /// The server's candidates, as the answer named them.
        tried: String,
        /// What may be the matter with them.
        hint: &'static str,
    },
    /// A path was found, and then no encrypted connection was made.
    #[error("a path to the server was found, and encryption over it failed: {why}")]
    DtlsFailed {
        /// What the engine says.
        why: String,
    },
    /// The set-up took too long.
    #[error("the set-up took longer than {seconds} s and had come as far as: {stage}")]
    SetupTimedOut {
        /// How long it may take.
        seconds: u64,
        /// What it was doing.
        stage: &'static str,
    },
    /// The channel was open and has closed: the other side has gone, or the network has.
    #[error("the data channel was closed: the other side has left, or the network between has")]
    ChannelClosed,
    /// A peer that is not there, or no more.
    #[error("nobody is at {peer} any more")]
    NobodyThere {
        /// The address.
        peer: PeerAddress,
    },
    /// Larger than the transport carries.
    #[error("a datagram of {size} bytes is more than the {max} that this transport carries")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// What waits to be sent is at its limit.
    #[error("what waits for the network is at its limit; send less")]
    Busy,
    /// The engine has ended: a fault of the machine, or of this library.
    #[error("the WebRTC engine has failed: {why}")]
    Broken {
        /// What it says.
        why: String,
    },
}

impl TransportError for Error {
    fn kind(&self) -> TransportErrorKind {
        match self {
            Self::NobodyThere { .. } => TransportErrorKind::Unreachable,
            Self::TooLarge { .. } => TransportErrorKind::TooLarge,
            Self::Busy => TransportErrorKind::Busy,
            Self::Signaling(_)
            | Self::IceFailed { .. }
            | Self::DtlsFailed { .. }
            | Self::SetupTimedOut { .. }
            | Self::ChannelClosed
            | Self::Broken { .. } => TransportErrorKind::Closed,
        }
    }
}

impl Error {
    /// Whether another attempt may end otherwise.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::Signaling(
                SignalingError::InvalidUrl { .. }
                    | SignalingError::MixedContent { .. }
                    | SignalingError::Unauthorized { .. }
            )
        )
    }
}
