use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bowline_wire::BitWriter;

use super::transition::reason_for;
use super::{
    Connected, Connection, ConnectionConfig, ConnectionStats, DisconnectReason, Disconnected, Input, Origin,
    Parting, Phase, ProtocolSpec, RejectReason, Transition, transition,
};
use crate::packet::{
    Accepted, Attempt, Auth, AuthPiece, Challenge, Cookie, FromClient, FromServer, Hello, Refused,
    SessionToken, Side,
};
use crate::protocol::{DESCRIPTION_LIMIT, Description, Mismatch};
use crate::{Entropy, Instant, Security};

/// An attempt to connect: the address is being proved, or the server is deciding.
///
/// The state lives behind one pointer, so that a connection is cheap to move.
#[derive(Debug)]
pub struct PendingAuth(Box<Asking>);

#[derive(Debug)]
struct Asking {
    config: ConnectionConfig,
    protocol: ProtocolSpec,
    security: Security,
    attempt: Attempt,
    auth: Vec<u8>,
    stage: Stage,
    started_at: Instant,
    /// When the question is asked again, and how long to wait after that.
    next_send_at: Instant,
    interval: Duration,
    sent: Sent,
    refusal: Option<Refusal>,
    outcome: Option<Outcome>,
    stats: ConnectionStats,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// "Do you hear me?": on transports that have not proved addresses.
    Greeting,
    /// "This is who I am."
    Proving { cookie: Option<Cookie>, round_trip: Option<Duration> },
}

/// How far the current question is out.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    times: u32,
    pieces: u8,
}

/// How the attempt has turned out.
#[derive(Debug)]
enum Outcome {
    Accepted(Accepted),
    Ended(DisconnectReason),
}

/// A refusal whose description has not come in whole.
#[derive(Debug)]
struct Refusal {
    reason: RejectReason,
    pieces: u8,
    description: BTreeMap<u8, Vec<u8>>,
    give_up_at: Instant,
}

/// Why an attempt could not even begin.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The encoded credentials are longer than may travel before the server knows who sends them.
    #[error(
        "the credentials take {len} bytes, and at most {max} may travel before the server knows who sends them"
    )]
    CredentialsTooLong {
        /// How many bytes they take.
        len: usize,
        /// How many they may.
        max: usize,
    },
    /// A field of the credentials is over its limit.
    #[error(transparent)]
    Encode(#[from] bowline_wire::EncodeError),
    /// The session has never had a transport that could be used again.
    #[error("there is no transport to connect over; give one to `connect`")]
    NoTransport,
    /// There is a session already, or an attempt to make one.
    #[error("there is a session already; disconnect first")]
    AlreadyConnected,
}

/// What has become of an attempt.
#[derive(Debug)]
pub enum Step {
    /// The server has not decided.
    Waiting(Connection<PendingAuth>),
    /// The server let the client in.
    Connected(Connection<Connected>),
    /// It did not, or did not answer.
    Ended(Connection<Disconnected>, DisconnectReason),
}

impl PendingAuth {
    pub(super) fn start(
        now: Instant,
        config: ConnectionConfig,
        protocol: ProtocolSpec,
        security: Security,
        auth: Vec<u8>,
        entropy: &mut impl Entropy,
    ) -> Result<Self, ConnectError> {
        Asking::start(now, config, protocol, security, auth, entropy).map(|asking| Self(Box::new(asking)))
    }
}

impl Asking {
    /// How long after a question it is asked again at first, and at most. The round-trip time is not known yet.
    const FIRST_INTERVAL: Duration = Duration::from_millis(250);
    const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
    /// How long to wait for the rest of a description before the refusal is reported without it.
    const DESCRIPTION_PATIENCE: Duration = Duration::from_secs(1);
    /// How long after a part of it the rest is asked for.
    const DESCRIPTION_INTERVAL: Duration = Duration::from_millis(200);

    fn start(
        now: Instant,
        config: ConnectionConfig,
        protocol: ProtocolSpec,
        security: Security,
        auth: Vec<u8>,
        entropy: &mut impl Entropy,
    ) -> Result<Self, ConnectError> {
        let max = AuthPiece::BYTES * usize::from(AuthPiece::MAX_COUNT);
        if auth.len() > max {
            return Err(ConnectError::CredentialsTooLong { len: auth.len(), max });
        }
        let stage = if security.address_proved {
            Stage::Proving { cookie: None, round_trip: None }
        } else {
            Stage::Greeting
        };
        let attempt =
            Attempt { client_token: SessionToken::new(entropy.next_u64()), nonce: entropy.next_u64() };
        Ok(Self {
            config,
            protocol,
            security,
            attempt,
            auth,
            stage,
            started_at: now,
            next_send_at: now,
            interval: Self::FIRST_INTERVAL,
            sent: Sent::default(),
            refusal: None,
            outcome: None,
            stats: ConnectionStats::default(),
        })
    }

    fn pieces(&self) -> u8 {
        self.auth.len().div_ceil(AuthPiece::BYTES).max(1) as u8
    }

    fn write(&mut self, now: Instant, datagram: &mut Vec<u8>) {
        datagram.clear();
        let mut writer = BitWriter::append_to(std::mem::take(datagram));
        match self.stage {
            Stage::Greeting => {
                FromClient::Hello(Hello { attempt: self.attempt }).encode(self.security, &mut writer);
                self.question_sent(now);
            }
            Stage::Proving { cookie, .. } => {
                let (index, count) = (self.sent.pieces, self.pieces());
                let bytes = self.auth.chunks(AuthPiece::BYTES).nth(usize::from(index)).unwrap_or_default();
                let piece = AuthPiece { index, count, bytes };
                let compression = self.config.compression_id();
                let (attempt, protocol) = (self.attempt, self.protocol.id());
                let auth = Auth { attempt, cookie, protocol, compression, piece };
                FromClient::Auth(auth).encode(self.security, &mut writer);
                self.sent.pieces += 1;
                if self.sent.pieces == count {
                    self.question_sent(now);
                }
            }
        }
        *datagram = writer.into_bytes();
    }

    fn question_sent(&mut self, now: Instant) {
        self.sent = Sent { times: self.sent.times + 1, pieces: 0 };
        self.next_send_at = now + self.interval;
        self.interval = (self.interval * 3 / 2).min(Self::LONGEST_INTERVAL);
    }

    /// Repeats the cookie. A second challenge, doubled on the way or called for by a second hello, is as good.
    fn challenged(&mut self, now: Instant, challenge: Challenge) {
        if challenge.nonce != self.attempt.nonce || !matches!(self.stage, Stage::Greeting) {
            self.stats.packets_duplicate += 1;
            return;
        }
        // Karn's rule (RFC 6298 section 3): of an answer to a question asked twice nobody knows which it answers.
        let round_trip = (self.sent.times == 1).then(|| now - self.started_at);
        self.stage = Stage::Proving { cookie: Some(challenge.cookie), round_trip };
        self.sent = Sent::default();
        self.interval = Self::FIRST_INTERVAL.max(round_trip.unwrap_or_default() * 2);
        self.next_send_at = now;
    }

    /// Takes a piece of a refusal in; the reason, once it can be told.
    fn refused(&mut self, now: Instant, refused: Refused<'_>) -> Option<RejectReason> {
        if refused.nonce != self.attempt.nonce {
            self.stats.malformed += 1;
            return None;
        }
        if refused.pieces == 0 {
            return Some(refused.reason);
        }
        if self.refusal.is_none() {
            self.next_send_at = now + Self::DESCRIPTION_INTERVAL;
            self.interval = Self::DESCRIPTION_INTERVAL;
        }
        let refusal = self.refusal.get_or_insert_with(|| Refusal {
            reason: refused.reason,
            pieces: refused.pieces,
            description: BTreeMap::new(),
            give_up_at: now + Self::DESCRIPTION_PATIENCE,
        });
        let known: usize = refusal.description.values().map(Vec::len).sum();
        if refused.pieces == refusal.pieces && known + refused.description.len() <= DESCRIPTION_LIMIT {
            refusal.description.insert(refused.piece, refused.description.into());
        }
        (refusal.description.len() == usize::from(refusal.pieces)).then(|| self.conclude_refusal())?
    }

    /// The reason as far as it is known: with the differences, if the description came whole.
    fn conclude_refusal(&mut self) -> Option<RejectReason> {
        let refusal = self.refusal.take()?;
        let whole = refusal.description.len() == usize::from(refusal.pieces);
        let bytes: Vec<u8> = refusal.description.into_values().flatten().collect();
        Some(match (refusal.reason, Description::from_bytes(&bytes)) {
            (RejectReason::ProtocolMismatch(_), Ok(server)) if whole => RejectReason::ProtocolMismatch(
                Arc::new(Mismatch::between(&server, &self.protocol.describe())),
            ),
            (reason, _) => reason,
        })
    }

    fn next_timeout(&self) -> Instant {
        let end = self.started_at + self.config.connect_timeout;
        self.refusal.as_ref().map_or(end, |refusal| refusal.give_up_at.min(end))
    }
}

impl Connection<PendingAuth> {
    /// What has been sent and heard so far.
    #[must_use]
    pub fn stats(&self) -> &ConnectionStats {
        &self.state.0.stats
    }

    /// Starts the clock anew: the transport has only now become able to carry anything.
    pub fn restart_clock(&mut self, now: Instant) {
        self.state.0.started_at = now;
        self.state.0.next_send_at = now;
    }

    /// Takes in a datagram from the server's address. Once the attempt is decided, nothing more changes it.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let state = &mut *self.state.0;
        let packet = FromServer::decode(bytes, state.security);
        let input = match &packet {
            Ok(FromServer::Challenge(_)) => Input::Challenge,
            Ok(FromServer::Accepted(accepted)) if accepted.nonce == state.attempt.nonce => Input::Accepted,
            Ok(FromServer::Refused(_)) => Input::Refused,
            Ok(FromServer::Data) => Input::Data,
            Ok(FromServer::PathChallenge(_)) => Input::PathChallenge,
            Ok(FromServer::Goodbye(_)) => Input::Goodbye,
            Ok(FromServer::Accepted(_)) | Err(_) => Input::Noise,
        };
        if transition(Phase::PendingAuth, input) == Transition::Ignore || state.outcome.is_some() {
            state.stats.malformed += u64::from(input == Input::Noise);
            return;
        }
        match packet {
            Ok(FromServer::Challenge(challenge)) => state.challenged(now, challenge),
            Ok(FromServer::Accepted(accepted)) => state.outcome = Some(Outcome::Accepted(accepted)),
            Ok(FromServer::Refused(refused)) => {
                let reason = state.refused(now, refused);
                state.outcome = reason.map(|reason| Outcome::Ended(DisconnectReason::Rejected(reason)));
            }
            _ => {}
        }
    }

    /// Looks at the time: an attempt ends when `connect_timeout` has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let state = &mut *self.state.0;
        if now >= state.next_timeout() && state.outcome.is_none() {
            let refusal = state.conclude_refusal().map(DisconnectReason::Rejected);
            state.outcome = Some(Outcome::Ended(refusal.unwrap_or(reason_for(Input::ConnectTimeout))));
        }
    }

    /// Notes that the transport has ended.
    pub fn handle_transport_closed(&mut self) {
        self.state.0.outcome.get_or_insert(Outcome::Ended(reason_for(Input::TransportClosed)));
    }

    /// Whether the attempt is decided. [`poll`](Self::poll) tells how.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.state.0.outcome.is_some()
    }

    /// What has become of the attempt.
    #[must_use]
    pub fn poll(mut self, now: Instant) -> Step {
        match self.state.0.outcome.take() {
            None => Step::Waiting(self),
            Some(Outcome::Accepted(accepted)) => Step::Connected(self.accepted(now, accepted)),
            Some(Outcome::Ended(reason)) => Step::Ended(self.into_ended(now, reason.clone()), reason),
        }
    }

    /// Gives up. The server, if it has heard of the attempt, hears nothing more.
    #[must_use]
    pub fn disconnect(self, now: Instant) -> Connection<Disconnected> {
        self.into_ended(now, reason_for(Input::Disconnect))
    }

    /// The next datagram to send to the server; `true` if `datagram` holds one.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> bool {
        let is_due = now >= self.state.0.next_send_at && self.state.0.outcome.is_none();
        if is_due {
            self.state.0.write(now, datagram);
            self.state.0.stats.packets_sent += 1;
            self.state.0.stats.bytes_sent += datagram.len() as u64;
        }
        is_due
    }

    /// When something is to be sent, or the attempt ends.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        self.state.0.next_send_at.min(self.state.0.next_timeout())
    }

    fn accepted(self, now: Instant, accepted: Accepted) -> Connection<Connected> {
        let Asking { config, protocol, security, attempt, stage, .. } = *self.state.0;
        let round_trip = match stage {
            Stage::Greeting => None,
            Stage::Proving { round_trip, .. } => round_trip,
        };
        Connection::<Connected>::established(Origin {
            now,
            side: Side::Client,
            config,
            protocol,
            security,
            local_token: attempt.client_token,
            peer_token: accepted.server_token,
            round_trip,
            peer_tick: accepted.tick,
            peer_compression: accepted.compression,
        })
    }

    fn into_ended(self, now: Instant, reason: DisconnectReason) -> Connection<Disconnected> {
        let state = *self.state.0;
        let parting = match &reason {
            DisconnectReason::Rejected(RejectReason::ProtocolMismatch(mismatch)) => {
                let mut writer = BitWriter::new();
                let mismatch = Mismatch::clone(mismatch);
                FromClient::Report { attempt: state.attempt, mismatch }.encode(state.security, &mut writer);
                Some(Parting::new(now, writer.into_bytes()))
            }
            _ => None,
        };
        Connection::<Disconnected>::ended(state.config, reason, state.stats, parting)
    }
}
