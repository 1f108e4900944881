//! Packets before, beside and after a connection: a byte that says which, then fixed fields.
//!
//! On a path without integrity four bytes of XXH3 follow, so that credentials that a broken router has changed are
//! not refused but ignored. Goodbyes are sealed instead, like data.

use bowline_wire::{BitReader, BitWriter, DecodeError};

use super::{SessionToken, is_data};
use crate::Security;
use crate::connection::{Farewell, RejectReason};
use crate::protocol::{Mismatch, ProtocolId, WIRE_VERSION};

const HELLO: u8 = 0b1100_0000;
const AUTH: u8 = 0b1100_0001;
const REPORT: u8 = 0b1100_0010;
const PATH_RESPONSE: u8 = 0b1100_0011;
const CLIENT_GOODBYE: u8 = 0b1100_0100;

const CHALLENGE: u8 = 0b1101_0000;
const ACCEPTED: u8 = 0b1101_0001;
const REFUSED: u8 = 0b1101_0010;
const PATH_CHALLENGE: u8 = 0b1101_0011;
const SERVER_GOODBYE: u8 = 0b1101_0100;

/// What an [`Auth`] has besides the rest.
const HAS_COOKIE: u8 = 1;
const HAS_COMPRESSION: u8 = 2;

/// What a client may send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FromClient<'a> {
    Hello(Hello),
    Auth(Auth<'a>),
    /// A client that was refused for its protocol says how that differs.
    Report {
        attempt: Attempt,
        mismatch: Mismatch,
    },
    PathResponse(PathProbe),
    Goodbye(Goodbye),
    /// To be read by the connection.
    Data,
}

/// What a server may send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FromServer<'a> {
    Challenge(Challenge),
    Accepted(Accepted),
    Refused(Refused<'a>),
    PathChallenge(PathProbe),
    Goodbye(Goodbye),
    /// To be read by the connection.
    Data,
}

/// What tells one attempt to connect from any other, at one address. The nonce is known to the two ends alone: an
/// answer that carries it was written by somebody who saw the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    /// The token that the server shall write into packets to the client.
    pub(crate) client_token: SessionToken,
    pub(crate) nonce: u64,
}

/// "Do you hear me?", on a transport that has not proved addresses. Padded, so that the answer is not larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) attempt: Attempt,
}

impl Hello {
    /// Larger than a [`Challenge`], which is all that a server ever says to an address that is not proved.
    pub(crate) const BYTES: usize = 64;
}

/// "If you hear this, repeat it": the server keeps nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) nonce: u64,
    pub(crate) cookie: Cookie,
}

/// A keyed hash over address, attempt and time, which only the server can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// The server's clock, in nanoseconds, when it was made.
    pub(crate) made_at: u64,
    pub(crate) mac: [u8; 16],
}

/// "I am who I say": the attempt, the cookie where there was a challenge, the protocol, and a piece of the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Auth<'a> {
    pub(crate) attempt: Attempt,
    pub(crate) cookie: Option<Cookie>,
    pub(crate) protocol: ProtocolId,
    /// The id of the compression that the client reads.
    pub(crate) compression: Option<u64>,
    pub(crate) piece: AuthPiece<'a>,
}

/// Credentials that are too long for a packet come in pieces; each packet proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AuthPiece<'a> {
    pub(crate) index: u8,
    pub(crate) count: u8,
    pub(crate) bytes: &'a [u8],
}

impl AuthPiece<'_> {
    /// Bytes of every piece but the last: with the 66 around them well within a packet of 1,200.
    pub(crate) const BYTES: usize = 1_024;
    /// 8 KiB of credentials: signed tokens of platforms are 0.2 to 2.5 kB.
    pub(crate) const MAX_COUNT: u8 = 8;
}

/// "Come in": the token that the client shall write into its packets, and the server's tick; to a client that has said
/// which compression it reads, which one the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) nonce: u64,
    pub(crate) server_token: SessionToken,
    pub(crate) tick: u32,
    pub(crate) compression: Option<u64>,
}

/// "No", and why; to another protocol with the server's description, in pieces.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused<'a> {
    pub(crate) nonce: u64,
    pub(crate) reason: RejectReason,
    pub(crate) piece: u8,
    /// 0 where there is no description.
    pub(crate) pieces: u8,
    pub(crate) description: &'a [u8],
}

impl Refused<'_> {
    /// Bytes of every piece but the last.
    pub(crate) const PIECE_BYTES: usize = 900;
}

/// A question to a new path, or the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathProbe {
    pub(crate) token: SessionToken,
    pub(crate) data: u64,
}

/// "I am gone", and why. It is sealed like a data packet: the token says of which session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goodbye {
    pub(crate) farewell: Farewell,
}

impl<'a> FromClient<'a> {
    /// Reads a datagram that a client may have sent over a path of this security.
    pub(crate) fn decode(bytes: &'a [u8], security: Security) -> Result<Self, DecodeError> {
        let bytes = checked(bytes, security)?;
        let mut reader = BitReader::new(bytes);
        let first = reader.read_bits(8)? as u8;
        let packet = match first {
            HELLO => {
                check_version(&mut reader)?;
                let attempt = Attempt::decode(&mut reader)?;
                let padding = (Hello::BYTES - checksum_bytes(security)) * 8 - 8 - 16 - 128;
                if reader.remaining_bits() != padding {
                    return Err(DecodeError::Truncated);
                }
                for _ in 0..padding / 8 {
                    if reader.read_bits(8)? != 0 {
                        return Err(DecodeError::NotCanonical);
                    }
                }
                Self::Hello(Hello { attempt })
            }
            AUTH => {
                check_version(&mut reader)?;
                let attempt = Attempt::decode(&mut reader)?;
                let parts = reader.read_bits(8)? as u8;
                if parts & !(HAS_COOKIE | HAS_COMPRESSION) != 0 {
                    return Err(DecodeError::UnknownVariant);
                }
                let has = |part| parts & part != 0;
                let cookie = has(HAS_COOKIE).then(|| Cookie::decode(&mut reader)).transpose()?;
                let protocol = ProtocolId::from_bits(reader.read_bits(64)?);
                let compression = has(HAS_COMPRESSION).then(|| reader.read_bits(64)).transpose()?;
                let (index, count) = (reader.read_bits(8)? as u8, reader.read_bits(8)? as u8);
                let piece = AuthPiece { index, count, bytes: rest(bytes, &mut reader)? };
                let whole = index.saturating_add(1) < count;
                if index >= count
                    || count > AuthPiece::MAX_COUNT
                    || piece.bytes.len() > AuthPiece::BYTES
                    || whole && piece.bytes.len() != AuthPiece::BYTES
                {
                    return Err(DecodeError::OutOfRange);
                }
                Self::Auth(Auth { attempt, cookie, protocol, compression, piece })
            }
            REPORT => {
                let attempt = Attempt::decode(&mut reader)?;
                Self::Report { attempt, mismatch: Mismatch::decode(&mut reader)? }
            }
            PATH_RESPONSE => Self::PathResponse(PathProbe::decode(&mut reader)?),
            CLIENT_GOODBYE => Self::Goodbye(Goodbye::decode(security, &mut reader)?),
            _ if is_data(first) => return Ok(Self::Data),
            _ => return Err(DecodeError::UnknownVariant),
        };
        reader.finish()?;
        Ok(packet)
    }

    pub(crate) fn encode(&self, security: Security, writer: &mut BitWriter) {
        match self {
            Self::Hello(hello) => {
                writer.write_bits(u64::from(HELLO), 8);
                writer.write_bits(u64::from(WIRE_VERSION), 16);
                hello.attempt.encode(writer);
                while writer.byte_len() < Hello::BYTES - checksum_bytes(security) {
                    writer.write_bits(0, 8);
                }
            }
            Self::Auth(auth) => {
                writer.write_bits(u64::from(AUTH), 8);
                writer.write_bits(u64::from(WIRE_VERSION), 16);
                auth.attempt.encode(writer);
                let part = |is_there, part: u8| if is_there { part } else { 0 };
                let parts = part(auth.cookie.is_some(), HAS_COOKIE)
                    | part(auth.compression.is_some(), HAS_COMPRESSION);
                writer.write_bits(u64::from(parts), 8);
                if let Some(cookie) = &auth.cookie {
                    cookie.encode(writer);
                }
                writer.write_bits(auth.protocol.to_bits(), 64);
                if let Some(compression) = auth.compression {
                    writer.write_bits(compression, 64);
                }
                writer.write_bits(u64::from(auth.piece.index), 8);
                writer.write_bits(u64::from(auth.piece.count), 8);
                writer.write_bytes(auth.piece.bytes);
            }
            Self::Report { attempt, mismatch } => {
                writer.write_bits(u64::from(REPORT), 8);
                attempt.encode(writer);
                mismatch.encode(writer);
            }
            Self::PathResponse(probe) => probe.encode(PATH_RESPONSE, writer),
            Self::Goodbye(goodbye) => goodbye.encode(CLIENT_GOODBYE, security, writer),
            Self::Data => {}
        }
        add_checksum(security, writer);
    }
}

impl<'a> FromServer<'a> {
    /// Reads a datagram that a server may have sent over a path of this security.
    pub(crate) fn decode(bytes: &'a [u8], security: Security) -> Result<Self, DecodeError> {
        let bytes = checked(bytes, security)?;
        let mut reader = BitReader::new(bytes);
        let first = reader.read_bits(8)? as u8;
        let packet = match first {
            CHALLENGE => {
                let nonce = reader.read_bits(64)?;
                Self::Challenge(Challenge { nonce, cookie: Cookie::decode(&mut reader)? })
            }
            ACCEPTED => {
                let nonce = reader.read_bits(64)?;
                let server_token = SessionToken::new(reader.read_bits(64)?);
                let tick = reader.read_bits(32)? as u32;
                let has_compression = reader.remaining_bits() > 0;
                let compression = has_compression.then(|| reader.read_bits(64)).transpose()?;
                Self::Accepted(Accepted { nonce, server_token, tick, compression })
            }
            REFUSED => {
                let nonce = reader.read_bits(64)?;
                let (piece, pieces) = (reader.read_bits(8)? as u8, reader.read_bits(8)? as u8);
                let reason = RejectReason::decode(&mut reader)?;
                let description = rest(bytes, &mut reader)?;
                let whole = piece.saturating_add(1) < pieces;
                if piece >= pieces.max(1)
                    || description.len() > Refused::PIECE_BYTES
                    || whole && description.len() != Refused::PIECE_BYTES
                {
                    return Err(DecodeError::OutOfRange);
                }
                Self::Refused(Refused { nonce, reason, piece, pieces, description })
            }
            PATH_CHALLENGE => Self::PathChallenge(PathProbe::decode(&mut reader)?),
            SERVER_GOODBYE => Self::Goodbye(Goodbye::decode(security, &mut reader)?),
            _ if is_data(first) => return Ok(Self::Data),
            _ => return Err(DecodeError::UnknownVariant),
        };
        reader.finish()?;
        Ok(packet)
    }

    pub(crate) fn encode(&self, security: Security, writer: &mut BitWriter) {
        match self {
            Self::Challenge(challenge) => {
                writer.write_bits(u64::from(CHALLENGE), 8);
                writer.write_bits(challenge.nonce, 64);
                challenge.cookie.encode(writer);
            }
            Self::Accepted(accepted) => {
                writer.write_bits(u64::from(ACCEPTED), 8);
                writer.write_bits(accepted.nonce, 64);
                writer.write_bits(accepted.server_token.to_bits(), 64);
                writer.write_bits(u64::from(accepted.tick), 32);
                if let Some(compression) = accepted.compression {
                    writer.write_bits(compression, 64);
                }
            }
            Self::Refused(refused) => {
                writer.write_bits(u64::from(REFUSED), 8);
                writer.write_bits(refused.nonce, 64);
                writer.write_bits(u64::from(refused.piece), 8);
                writer.write_bits(u64::from(refused.pieces), 8);
                refused.reason.encode(writer);
                writer.write_bytes(refused.description);
            }
            Self::PathChallenge(probe) => probe.encode(PATH_CHALLENGE, writer),
            Self::Goodbye(goodbye) => goodbye.encode(SERVER_GOODBYE, security, writer),
            Self::Data => {}
        }
        add_checksum(security, writer);
    }
}

/// How many bytes of checksum follow a packet.
const fn checksum_bytes(security: Security) -> usize {
    if security.secret { 0 } else { 4 }
}

/// Whether a packet has a seal instead of a checksum.
const fn is_sealed(first: u8) -> bool {
    is_data(first) || first == CLIENT_GOODBYE || first == SERVER_GOODBYE
}

/// Ends a packet that the writer holds alone with its checksum.
fn add_checksum(security: Security, writer: &mut BitWriter) {
    let checksum = match writer.finish() {
        [first, ..] if is_sealed(*first) || security.secret => return,
        packet => xxhash_rust::xxh3::xxh3_64(packet) as u32,
    };
    writer.write_bits(u64::from(checksum), 32);
}

/// The packet without its checksum, if that is right.
fn checked(bytes: &[u8], security: Security) -> Result<&[u8], DecodeError> {
    if security.secret || bytes.first().is_none_or(|first| is_sealed(*first)) {
        return Ok(bytes);
    }
    let (packet, checksum) = bytes.split_last_chunk::<4>().ok_or(DecodeError::Truncated)?;
    if xxhash_rust::xxh3::xxh3_64(packet) as u32 == u32::from_le_bytes(*checksum) {
        Ok(packet)
    } else {
        Err(DecodeError::NotCanonical)
    }
}

/// Takes all that is left, which begins at a byte.
fn rest<'a>(bytes: &'a [u8], reader: &mut BitReader<'_>) -> Result<&'a [u8], DecodeError> {
    let bits = reader.remaining_bits();
    reader.skip_bits(bits)?;
    let from = bytes.len().checked_sub(bits / 8).ok_or(DecodeError::Truncated)?;
    bytes.get(from..).ok_or(DecodeError::Truncated)
}

/// Packets of another version of this library have another layout: they are not for us.
fn check_version(reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
    if reader.read_bits(16)? == u64::from(WIRE_VERSION) { Ok(()) } else { Err(DecodeError::UnknownVariant) }
}

impl Attempt {
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let client_token = SessionToken::new(reader.read_bits(64)?);
        Ok(Self { client_token, nonce: reader.read_bits(64)? })
    }

    fn encode(self, writer: &mut BitWriter) {
        writer.write_bits(self.client_token.to_bits(), 64);
        writer.write_bits(self.nonce, 64);
    }
}

impl Cookie {
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let made_at = reader.read_bits(64)?;
        let mut mac = [0; 16];
        reader.read_bytes(&mut mac)?;
        Ok(Self { made_at, mac })
    }

    fn encode(&self, writer: &mut BitWriter) {
        writer.write_bits(self.made_at, 64);
        writer.write_bytes(&self.mac);
    }
}

impl PathProbe {
    fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let token = SessionToken::new(reader.read_bits(64)?);
        Ok(Self { token, data: reader.read_bits(64)? })
    }

    fn encode(self, first: u8, writer: &mut BitWriter) {
        writer.write_bits(u64::from(first), 8);
        writer.write_bits(self.token.to_bits(), 64);
        writer.write_bits(self.data, 64);
    }
}

impl Goodbye {
    fn decode(security: Security, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        reader.read_bits(SessionToken::wire_bits(security))?;
        Ok(Self { farewell: Farewell::decode(reader)? })
    }

    fn encode(&self, first: u8, security: Security, writer: &mut BitWriter) {
        writer.write_bits(u64::from(first), 8);
        writer.write_bits(0, SessionToken::wire_bits(security));
        self.farewell.encode(writer);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connection::AppText;
    use crate::protocol::{Difference, ItemKind};

    const ATTEMPT: Attempt = Attempt { client_token: SessionToken::new(77), nonce: 88 };
    const COOKIE: Cookie = Cookie { made_at: 5, mac: [9; 16] };

    fn client_packets() -> Vec<FromClient<'static>> {
        let piece = AuthPiece { index: 0, count: 1, bytes: b"secret" };
        let protocol = ProtocolId::from_bits(3);
        let auth = Auth { attempt: ATTEMPT, cookie: Some(COOKIE), protocol, compression: None, piece };
        let only_here = Difference::OnlyOnClient { kind: ItemKind::Message, name: "Chat".into() };
        vec![
            FromClient::Hello(Hello { attempt: ATTEMPT }),
            FromClient::Auth(auth),
            FromClient::Auth(Auth { cookie: None, ..auth }),
            FromClient::Auth(Auth { compression: Some(5), ..auth }),
            FromClient::Auth(Auth { cookie: None, compression: Some(5), ..auth }),
            FromClient::Report { attempt: ATTEMPT, mismatch: Mismatch { differences: vec![only_here] } },
            FromClient::PathResponse(PathProbe { token: SessionToken::new(1), data: 2 }),
            FromClient::Goodbye(Goodbye { farewell: Farewell::Left }),
        ]
    }

    fn server_packets() -> Vec<FromServer<'static>> {
        let accepted = Accepted { nonce: 88, server_token: SessionToken::new(4), tick: 9, compression: None };
        let refused =
            Refused { nonce: 88, reason: RejectReason::ServerFull, piece: 0, pieces: 0, description: b"" };
        vec![
            FromServer::Challenge(Challenge { nonce: 88, cookie: COOKIE }),
            FromServer::Accepted(accepted),
            FromServer::Accepted(Accepted { compression: Some(5), ..accepted }),
            FromServer::Refused(Refused {
                reason: RejectReason::Custom(AppText::new("no")),
                ..refused.clone()
            }),
            FromServer::Refused(Refused { piece: 1, pieces: 2, description: b"the rest", ..refused }),
            FromServer::PathChallenge(PathProbe { token: SessionToken::new(1), data: 2 }),
            FromServer::Goodbye(Goodbye { farewell: Farewell::Kicked(AppText::new("cheating")) }),
        ]
    }

    fn written(encode: impl Fn(&mut BitWriter)) -> Vec<u8> {
        let mut writer = BitWriter::new();
        encode(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn every_packet_comes_back_and_only_to_the_other_side() {
        for security in [Security::NONE, Security::FULL] {
            for packet in client_packets() {
                let bytes = written(|w| packet.encode(security, w));
                assert_eq!(FromClient::decode(&bytes, security).as_ref(), Ok(&packet));
                assert!(FromServer::decode(&bytes, security).is_err(), "reflected: {packet:?}");
            }
            for packet in server_packets() {
                let bytes = written(|w| packet.encode(security, w));
                assert_eq!(FromServer::decode(&bytes, security).as_ref(), Ok(&packet));
                assert!(FromClient::decode(&bytes, security).is_err(), "reflected: {packet:?}");
            }
        }
    }

    #[test]
    fn b1_a_challenge_is_smaller_than_a_hello() {
        let hello = written(|w| FromClient::Hello(Hello { attempt: ATTEMPT }).encode(Security::NONE, w));
        let challenge = FromServer::Challenge(Challenge { nonce: 0, cookie: COOKIE });
        let challenge = written(|w| challenge.encode(Security::NONE, w));
        assert_eq!(hello.len(), Hello::BYTES);
        assert!(challenge.len() < hello.len());
        for cut in 0..hello.len() {
            assert!(
                FromClient::decode(&hello[..cut], Security::NONE).is_err(),
                "a short hello gets no answer"
            );
        }
    }

    #[test]
    fn b4_truncated_anywhere_and_with_any_bit_flipped_nothing_panics() {
        for packet in client_packets() {
            let bytes = written(|w| packet.encode(Security::NONE, w));
            for cut in 0..bytes.len() {
                let _ = FromClient::decode(&bytes[..cut], Security::NONE);
            }
            // A goodbye's token is not its reader's to look at.
            let token = if matches!(packet, FromClient::Goodbye(_)) { 8..72 } else { 0..0 };
            for bit in (0..bytes.len() * 8).filter(|bit| !token.contains(bit)) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(
                    FromClient::decode(&flipped, Security::NONE).as_ref(),
                    Ok(&packet),
                    "bit {bit} is idle"
                );
            }
        }
    }

    #[test]
    fn b3_every_index_and_count_of_a_piece_is_read_or_refused() {
        let piece = AuthPiece { index: 0, count: 1, bytes: b"secret" };
        let protocol = ProtocolId::from_bits(3);
        let auth = Auth { attempt: ATTEMPT, cookie: None, protocol, compression: None, piece };
        let mut bytes = written(|w| FromClient::Auth(auth).encode(Security::FULL, w));
        let at = bytes.len() - piece.bytes.len() - 2;
        for (index, count) in (0..=u8::MAX).flat_map(|index| (0..=u8::MAX).map(move |count| (index, count))) {
            bytes[at..at + 2].copy_from_slice(&[index, count]);
            let is_one = index < count && count <= AuthPiece::MAX_COUNT && index + 1 == count;
            assert_eq!(FromClient::decode(&bytes, Security::FULL).is_ok(), is_one, "{index} of {count}");
        }
    }

    #[test]
    fn a_sealed_packet_shows_any_change() {
        let token = SessionToken::new(0x0123_4567_89ab_cdef);
        for (security, bits) in [(Security::NONE, 0..80), (Security::FULL, 8..24)] {
            let mut packet =
                written(|w| FromClient::Goodbye(Goodbye { farewell: Farewell::Left }).encode(security, w));
            crate::packet::seal(&mut packet, token, security);
            let carried = |packet: &[u8]| crate::packet::sealed_token(packet, security).unwrap();
            assert!(token.matches(carried(&packet), security));
            for bit in bits {
                packet[bit / 8] ^= 1 << (bit % 8);
                assert!(!token.matches(carried(&packet), security), "bit {bit}");
                packet[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    proptest! {
        #[test]
        fn b3_any_bytes_are_refused_or_canonical(mut bytes in prop::collection::vec(any::<u8>(), 1..200), kind in 0_u8..5, server: bool) {
            let security = Security::FULL;
            bytes[0] = if server { CHALLENGE } else { HELLO } | kind;
            let is_goodbye = [CLIENT_GOODBYE, SERVER_GOODBYE].contains(&bytes[0]);
            let token = if is_goodbye { 1..3 } else { 0..0 };
            if let Some(token) = bytes.get_mut(token) {
                token.fill(0);
            }
            if let Ok(packet) = FromClient::decode(&bytes, security) {
                prop_assert_eq!(&written(|w| packet.encode(security, w)), &bytes);
            }
            if let Ok(packet) = FromServer::decode(&bytes, security) {
                prop_assert_eq!(&written(|w| packet.encode(security, w)), &bytes);
            }
        }
    }
}
