use std::time::Duration;

use crate::SendRate;
#[cfg(feature = "zstd")]
use crate::compression::{Compression, Recorder};

/// How a connection behaves. The same on both sides, though each side decides for itself.
///
/// ```
/// use std::time::Duration;
/// use bowline_core::ConnectionConfig;
///
/// let mut config = ConnectionConfig::default();
/// config.disconnection_timeout_duration = Duration::from_secs(3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// After so long without a packet from the other side the connection has timed out. 10 s.
    pub disconnection_timeout_duration: Duration,
    /// After so long without anything to send, an empty packet goes out. 1 s; it has to be well below
    /// the timeout, for heartbeats get lost too.
    pub heartbeat_interval: Duration,
    /// After so long without an answer an attempt to connect ends with
    /// [`DisconnectReason::NoAnswer`](crate::DisconnectReason::NoAnswer). 10 s.
    pub connect_timeout: Duration,
    /// The largest message, in bytes, sent or received: 256 KiB, at most [`MAX_MESSAGE_SIZE`](Self::MAX_MESSAGE_SIZE).
    pub max_message_size: usize,
    /// How many bytes may wait on one channel, unsent or unacknowledged, each message and each piece of a large one
    /// counting 64 bytes more than it has. 1 MiB. A reliable channel that is full
    /// refuses more; an unreliable one drops its oldest.
    pub send_queue_size: usize,
    /// How many received bytes are kept for the other side: messages not yet read, and entries that wait for
    /// earlier ones, each counting 64 bytes more than it has. 1 MiB. Beyond it packets count as lost until there is room. A message that is being put together
    /// may come on top.
    pub receive_memory: usize,
    /// How many bytes a second may be sent: adaptive, from 4 kB/s to 4 MB/s.
    pub send_rate: SendRate,
    /// How often a message on a tick-buffered channel goes out, at most: in the packet of its tick and in those of the
    /// ticks after it, until it is acknowledged. 3, so that two lost packets in a row lose none; at least 1.
    pub input_copies: u8,
    /// After so long without a response a request ends with
    /// [`RequestError::TimedOut`](crate::RequestError::TimedOut), unless it has a timeout of its own. 10 s.
    pub request_timeout: Duration,
    /// How many requests may wait for a response, in each direction: one more of ours is refused with
    /// [`SendErrorKind::TooManyRequests`](crate::SendErrorKind::TooManyRequests), one more of the other side's is
    /// answered with [`RequestError::Busy`](crate::RequestError::Busy). 16,384.
    pub max_requests_in_flight: usize,
    /// How packets are compressed: not at all, unless the other side does it with the same dictionary. `None`.
    #[cfg(feature = "zstd")]
    pub compression: Option<Compression>,
    /// What keeps packets to train a dictionary from. `None`.
    #[cfg(feature = "zstd")]
    pub recorder: Option<Recorder>,
}

impl ConnectionConfig {
    /// The most that [`max_message_size`](Self::max_message_size) can be: 16 MiB.
    pub const MAX_MESSAGE_SIZE: usize = 16 << 20;

    /// With nonsense mended: limits that exclude each other, intervals of zero.
    #[must_use]
    pub(crate) fn sane(mut self) -> Self {
        self.max_message_size = self.max_message_size.min(Self::MAX_MESSAGE_SIZE);
        // Room for the largest message and for what its pieces cost in the books.
        self.send_queue_size = self.send_queue_size.max(self.max_message_size * 2);
        self.receive_memory = self.receive_memory.max(self.max_message_size * 2);
        self.input_copies = self.input_copies.max(1);
        self.heartbeat_interval = self.heartbeat_interval.max(Duration::from_millis(1));
        self
    }

    /// The id of the compression, if there is one.
    pub(crate) fn compression_id(&self) -> Option<u64> {
        #[cfg(feature = "zstd")]
        if let Some(compression) = &self.compression {
            return Some(compression.id());
        }
        None
    }
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            disconnection_timeout_duration: Duration::from_secs(10),
            heartbeat_interval: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(10),
            max_message_size: 256 << 10,
            send_queue_size: 1 << 20,
            receive_memory: 1 << 20,
            send_rate: SendRate::default(),
            input_copies: 3,
            request_timeout: Duration::from_secs(10),
            max_requests_in_flight: 16_384,
            #[cfg(feature = "zstd")]
            compression: None,
            #[cfg(feature = "zstd")]
            recorder: None,
        }
    }
}
