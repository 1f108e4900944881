//! The one data channel of every connection. Both sides know it beforehand (it is "negotiated"), so that its opening
//! takes no messages: RFC 8832 section 4 leaves that to the application.

/// The largest datagram that the transport carries, in bytes.
///
/// DTLS, SCTP and a bundled acknowledgement add up to 85 bytes, IPv6 and UDP 48: 1,233 bytes in all, which pass every path
/// that IPv6 allows (RFC 8200 section 5: 1,280 bytes).
pub const MAX_DATAGRAM: usize = 1_100;

/// Its stream.
pub(crate) const STREAM: u16 = 0;

/// Its label, for whoever looks at it in a browser's tools.
pub(crate) const LABEL: &str = "bowline";

/// How often a datagram is sent again: unreliable means unreliable.
pub(crate) const MAX_RETRANSMITS: u16 = 0;
