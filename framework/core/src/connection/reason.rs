use std::fmt;
use std::sync::Arc;

use bowline_wire::{BitReader, BitWriter, DecodeError, EncodeError, LengthLimited};

use crate::protocol::Mismatch;

/// Why a server did not let a client in. Its `Display` text can be shown to a player.
///
/// ```
/// use bowline_core::RejectReason;
///
/// assert_eq!(RejectReason::ServerFull.to_string(), "the server is full");
/// assert_eq!(RejectReason::custom("come back on Friday").to_string(), "come back on Friday");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// Client and server were built with different protocols. On both sides it says how they differ, where that
    /// could be learned.
    ProtocolMismatch(Arc<Mismatch>),
    /// The credentials are not good.
    Unauthorized,
    /// The credentials could not be read: a client that speaks the right protocol does not send such.
    InvalidCredentials,
    /// As many clients as may be are connected, or waiting to be let in.
    ServerFull,
    /// The server is about to stop.
    ShuttingDown,
    /// The server did not decide in time.
    Undecided,
    /// What the application says.
    Custom(AppText),
}

impl RejectReason {
    /// A reason of the application's own; cut at [`AppText::MAX_BYTES`].
    #[must_use]
    pub fn custom(text: &str) -> Self {
        Self::Custom(AppText::new(text))
    }

    /// A name for logs and metrics, without the application's words: `server_full`, say.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ProtocolMismatch(_) => "protocol_mismatch",
            Self::Unauthorized => "unauthorized",
            Self::InvalidCredentials => "invalid_credentials",
            Self::ServerFull => "server_full",
            Self::ShuttingDown => "shutting_down",
            Self::Undecided => "undecided",
            Self::Custom(_) => "custom",
        }
    }

    pub(crate) fn encode(&self, writer: &mut BitWriter) {
        let code: u64 = match self {
            Self::ProtocolMismatch(_) => 0,
            Self::Unauthorized => 1,
            Self::InvalidCredentials => 2,
            Self::ServerFull => 3,
            Self::ShuttingDown => 4,
            Self::Undecided => 5,
            Self::Custom(_) => 6,
        };
        writer.write_bits(code, 8);
        if let Self::Custom(text) = self {
            text.encode(writer);
        }
    }

    pub(crate) fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.read_bits(8)? {
            0 => Self::ProtocolMismatch(Arc::default()),
            1 => Self::Unauthorized,
            2 => Self::InvalidCredentials,
            3 => Self::ServerFull,
            4 => Self::ShuttingDown,
            5 => Self::Undecided,
            6 => Self::Custom(AppText::decode(reader)?),
            _ => return Err(DecodeError::UnknownVariant),
        })
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProtocolMismatch(how) => write!(f, "client and server are different versions: {how}"),
            Self::Unauthorized => f.write_str("the server did not accept your credentials"),
            Self::InvalidCredentials => f.write_str("the server could not read your credentials"),
            Self::ServerFull => f.write_str("the server is full"),
            Self::ShuttingDown => f.write_str("the server is shutting down"),
            Self::Undecided => f.write_str("the server did not decide in time; try again"),
            Self::Custom(text) => text.fmt(f),
        }
    }
}

impl std::error::Error for RejectReason {}

/// Why a connection, or the attempt to make one, ended. Its `Display` text can be shown to a player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// This side said goodbye.
    Requested,
    /// The other side said goodbye.
    PeerLeft,
    /// The server ended it, with the application's words, if any.
    Kicked(AppText),
    /// The server stopped.
    ServerShutdown,
    /// Nothing was heard of the other side for `disconnection_timeout_duration`.
    TimedOut,
    /// The attempt to connect got no answer in time.
    NoAnswer,
    /// The server did not let the client in.
    Rejected(RejectReason),
    /// The other side sent what no correct one sends.
    ProtocolViolation,
    /// The transport ended.
    TransportClosed,
}

impl DisconnectReason {
    /// A name for logs and metrics, without the application's words: `timed_out`, say.
    ///
    /// ```
    /// assert_eq!(bowline_core::DisconnectReason::Kicked("no shouting".into()).name(), "kicked");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::PeerLeft => "peer_left",
            Self::Kicked(_) => "kicked",
            Self::ServerShutdown => "server_shutdown",
            Self::TimedOut => "timed_out",
            Self::NoAnswer => "no_answer",
            Self::Rejected(_) => "rejected",
            Self::ProtocolViolation => "protocol_violation",
            Self::TransportClosed => "transport_closed",
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("you left"),
            Self::PeerLeft => f.write_str("the other side left"),
            Self::Kicked(text) if text.as_str().is_empty() => f.write_str("the server ended the connection"),
            Self::Kicked(text) => write!(f, "the server ended the connection: {text}"),
            Self::ServerShutdown => f.write_str("the server was shut down"),
            Self::TimedOut => f.write_str("the connection was lost: nothing was heard from the other side"),
            Self::NoAnswer => f.write_str(
                "the server did not answer; check its address, that it runs, and that no firewall is in between",
            ),
            Self::Rejected(reason) => reason.fmt(f),
            Self::ProtocolViolation => f.write_str("the other side sent something that makes no sense"),
            Self::TransportClosed => f.write_str("the network connection was closed"),
        }
    }
}

impl std::error::Error for DisconnectReason {}

/// Words of an application to the other side: at most [`MAX_BYTES`](Self::MAX_BYTES) of UTF-8, without control
/// characters, so that they can be shown anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppText(String);

impl AppText {
    /// It has to fit into a packet with room to spare.
    pub const MAX_BYTES: usize = 256;

    /// The text, cut where it is too long, and with control characters replaced.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut kept = String::new();
        for c in text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }) {
            if kept.len() + c.len_utf8() > Self::MAX_BYTES {
                break;
            }
            kept.push(c);
        }
        Self(kept)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn encode(&self, writer: &mut BitWriter) {
        let within_limit: Result<(), EncodeError> = self.0.encode_limited(Self::MAX_BYTES, writer);
        debug_assert!(within_limit.is_ok(), "cut when it was made");
        writer.align();
    }

    pub(crate) fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let text = String::decode_limited(Self::MAX_BYTES, reader)?;
        if reader.read_bits(reader.remaining_bits() as u32 % 8)? != 0 {
            return Err(DecodeError::TrailingBits);
        }
        let shown = Self::new(&text);
        if shown.0 == text { Ok(shown) } else { Err(DecodeError::NotCanonical) }
    }
}

impl fmt::Display for AppText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for AppText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// What a goodbye says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    Left,
    Kicked(AppText),
    ServerShutdown,
    ProtocolViolation,
}

impl Farewell {
    /// What the other side is told of a reason to end; `None` where it hears nothing.
    pub(crate) fn for_reason(reason: &DisconnectReason) -> Option<Self> {
        match reason {
            DisconnectReason::Requested => Some(Self::Left),
            DisconnectReason::Kicked(text) => Some(Self::Kicked(text.clone())),
            DisconnectReason::ServerShutdown => Some(Self::ServerShutdown),
            DisconnectReason::ProtocolViolation => Some(Self::ProtocolViolation),
            // One that timed out here may still hear us, and need not wait for its own timeout.
            DisconnectReason::TimedOut => Some(Self::Left),
            DisconnectReason::PeerLeft
            | DisconnectReason::NoAnswer
            | DisconnectReason::Rejected(_)
            | DisconnectReason::TransportClosed => None,
        }
    }

    /// What it means to the one who hears it.
    pub(crate) fn heard(self) -> DisconnectReason {
        match self {
            Self::Left => DisconnectReason::PeerLeft,
            Self::Kicked(text) => DisconnectReason::Kicked(text),
            Self::ServerShutdown => DisconnectReason::ServerShutdown,
            Self::ProtocolViolation => DisconnectReason::ProtocolViolation,
        }
    }

    pub(crate) fn encode(&self, writer: &mut BitWriter) {
        let code: u64 = match self {
            Self::Left => 0,
            Self::Kicked(_) => 1,
            Self::ServerShutdown => 2,
            Self::ProtocolViolation => 3,
        };
        writer.write_bits(code, 8);
        if let Self::Kicked(text) = self {
            text.encode(writer);
        }
    }

    pub(crate) fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.read_bits(8)? {
            0 => Self::Left,
            1 => Self::Kicked(AppText::decode(reader)?),
            2 => Self::ServerShutdown,
            3 => Self::ProtocolViolation,
            _ => return Err(DecodeError::UnknownVariant),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_a_character_and_cleaned() {
        let long = AppText::new(&"é".repeat(200));
        assert_eq!(long.as_str().len(), AppText::MAX_BYTES);
        assert_eq!(AppText::new("a\nb\u{1b}").as_str(), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn every_reason_reads_as_a_sentence() {
        let reasons = [
            DisconnectReason::Requested,
            DisconnectReason::PeerLeft,
            DisconnectReason::Kicked(AppText::default()),
            DisconnectReason::Kicked("cheating".into()),
            DisconnectReason::ServerShutdown,
            DisconnectReason::TimedOut,
            DisconnectReason::NoAnswer,
            DisconnectReason::Rejected(RejectReason::Unauthorized),
            DisconnectReason::ProtocolViolation,
            DisconnectReason::TransportClosed,
        ];
        let texts: std::collections::BTreeSet<String> = reasons.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), reasons.len());
        assert!(texts.iter().all(|text| text.chars().next().is_some_and(char::is_lowercase)));
    }
}
