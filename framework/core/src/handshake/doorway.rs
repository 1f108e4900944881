use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bowline_wire::BitWriter;

use super::cookie::CookieJar;
use crate::connection::{Connected, Connection, ConnectionConfig, Origin, ProtocolSpec, RejectReason};
use crate::packet::{
    Accepted, Attempt, Auth, AuthPiece, Challenge, FromClient, FromServer, Refused, SessionToken, Side,
};
use crate::protocol::Mismatch;
use crate::transport::Address;
use crate::{Entropy, Instant, Security};

/// How a server treats those who are not in yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoorwayConfig {
    /// How many may be on the way in at once: handshakes that are proved and not decided, and refusals that are still
    /// being explained. 1,024, some 3 MB of credentials at the worst.
    pub max_pending: usize,
    /// How long a caller waits for a decision until it is refused as undecided, and how long an explanation is
    /// kept. 5 s.
    pub decision_timeout: Duration,
}

impl Default for DoorwayConfig {
    fn default() -> Self {
        Self { max_pending: 1_024, decision_timeout: Duration::from_secs(5) }
    }
}

/// Where clients knock: the stateless challenge, the credentials, the decision, the explanation.
///
/// * **Feed:** [`handle_datagram`](Self::handle_datagram), [`handle_timeout`](Self::handle_timeout).
/// * **Act:** [`accept`](Self::accept), [`refuse`](Self::refuse), [`depart`](Self::depart).
/// * **Drain:** [`next_knock`](Self::next_knock), [`poll_transmit`](Self::poll_transmit).
///
/// One law: nothing is kept for an address that has not been proved.
#[derive(Debug)]
pub struct Doorway<A> {
    config: DoorwayConfig,
    protocol: ProtocolSpec,
    jar: CookieJar,
    guests: BTreeMap<Caller<A>, Guest>,
    /// How many guests are on the way in: neither inside, nor refused, nor gone.
    pending: usize,
    /// Those who left, oldest first: a late copy of their credentials shall not bring them back.
    departed: VecDeque<(Instant, Caller<A>)>,
    next_expiry: Option<Instant>,
    knocks: VecDeque<Knock<A>>,
    /// Answers to addresses that are proved: they go first, and none is dropped.
    outbox: VecDeque<(A, Vec<u8>)>,
    /// Challenges to addresses that are not. A flood fills this and nothing else.
    challenges: VecDeque<(A, Vec<u8>)>,
    /// Those who were refused, oldest first, so that who asks again is told again.
    refusals: VecDeque<(Instant, Caller<A>)>,
    spare: Vec<Vec<u8>>,
    malformed: u64,
}

/// One attempt of one client to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller<A> {
    address: A,
    attempt: Attempt,
}

impl<A: Copy> Caller<A> {
    /// Where it calls from.
    pub const fn address(&self) -> A {
        self.address
    }
}

/// What a caller wants.
#[derive(Debug)]
pub enum Knock<A> {
    /// Its address is proved, its protocol is ours: it shows its credentials. Answer by
    /// [`Doorway::accept`] or [`Doorway::refuse`].
    Credentials {
        /// Who.
        caller: Caller<A>,
        /// The encoded credentials.
        auth: Vec<u8>,
    },
    /// It was refused because its protocol is another; this is how they differ, in its own words if it has any.
    Mismatch {
        /// Who.
        caller: Caller<A>,
        /// How; empty if it did not say.
        mismatch: Arc<Mismatch>,
    },
    /// Nobody decided in time; it was refused.
    Expired {
        /// Who.
        caller: Caller<A>,
    },
}

#[derive(Debug)]
struct Guest {
    security: Security,
    round_trip: Option<Duration>,
    /// The id of the compression that it reads.
    compression: Option<u64>,
    since: Instant,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Some pieces of the credentials have come.
    Collecting { count: u8, pieces: BTreeMap<u8, Vec<u8>> },
    /// They are complete.
    Deciding,
    /// It was let in with this reply, which it may not have heard.
    Inside(Vec<u8>),
    /// It was refused.
    Refused { reason: RejectReason, told_at: Instant, has_reported: bool },
    /// It left.
    Departed,
}

impl Stage {
    const fn is_pending(&self) -> bool {
        matches!(self, Self::Collecting { .. } | Self::Deciding)
    }
}

impl<A: Address> Doorway<A> {
    /// How long a caller that left is remembered: as long as a cookie is good.
    const MEMORY: Duration = Duration::from_secs(10);
    /// How many that left are remembered.
    const MAX_DEPARTED: usize = 4_096;
    /// A caller that asks again is told again, but not more often than this.
    const REPEAT_INTERVAL: Duration = Duration::from_millis(100);
    /// How many challenges may wait for the next send: as many as a server takes datagrams in at once, two megabytes.
    /// Hellos beyond it get none; honest ones ask again.
    const MAX_CHALLENGES: usize = 16_384;

    /// A doorway with a fresh secret.
    pub fn new(config: DoorwayConfig, protocol: ProtocolSpec, entropy: &mut impl Entropy) -> Self {
        Self {
            config,
            protocol,
            jar: CookieJar::new(entropy),
            guests: BTreeMap::new(),
            pending: 0,
            departed: VecDeque::new(),
            next_expiry: None,
            knocks: VecDeque::new(),
            outbox: VecDeque::new(),
            challenges: VecDeque::new(),
            refusals: VecDeque::new(),
            spare: Vec::new(),
            malformed: 0,
        }
    }

    /// Datagrams that made no sense, or showed a cookie that is none of ours.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }

    /// How many callers something is kept for.
    pub fn guests(&self) -> usize {
        self.guests.len()
    }

    /// How many are on the way in, or are being told why they are not.
    pub fn pending(&self) -> usize {
        self.pending + self.refusals.len()
    }

    /// Takes in a datagram that belongs to no session.
    pub fn handle_datagram(&mut self, now: Instant, from: A, security: Security, bytes: &[u8]) {
        match FromClient::decode(bytes, security) {
            Ok(FromClient::Hello(hello)) if !security.address_proved => {
                let cookie = self.jar.make(now, from, hello.attempt);
                let challenge = Challenge { nonce: hello.attempt.nonce, cookie };
                self.challenge(from, security, &FromServer::Challenge(challenge));
            }
            Ok(FromClient::Auth(auth)) => self.handle_auth(now, from, security, &auth),
            Ok(FromClient::Report { attempt, mismatch }) => {
                self.handle_report(Caller { address: from, attempt }, mismatch);
            }
            // A session's packet without a session: late, or forged.
            Ok(FromClient::Data | FromClient::Goodbye(_) | FromClient::PathResponse(_)) => {}
            Ok(FromClient::Hello(_)) | Err(_) => self.malformed += 1,
        }
    }

    /// Refuses those that nobody decided on, and forgets what has been kept long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.departed.front().is_some_and(|(at, _)| now - *at >= Self::MEMORY) {
            if let Some((_, caller)) = self.departed.pop_front() {
                self.guests.remove(&caller);
            }
        }
        while self.refusals.front().is_some_and(|(at, _)| now - *at >= self.config.decision_timeout) {
            self.forget_refusal();
        }
        if self.next_expiry.is_none_or(|expiry| now < expiry) {
            return;
        }
        let timeout = self.config.decision_timeout;
        let overdue = |guest: &Guest| guest.stage.is_pending() && now - guest.since >= timeout;
        let expired: Vec<Caller<A>> =
            self.guests.iter().filter(|(_, guest)| overdue(guest)).map(|(caller, _)| *caller).collect();
        for caller in expired {
            self.expire(now, caller);
        }
        let pending = self.guests.values().filter(|guest| guest.stage.is_pending());
        self.next_expiry = pending.map(|guest| guest.since + timeout).min();
    }

    /// Lets a caller in: gives the connection, whose packets will carry `server_token`.
    pub fn accept(
        &mut self,
        now: Instant,
        caller: Caller<A>,
        server_token: u64,
        tick: u32,
        config: ConnectionConfig,
    ) -> Option<Connection<Connected>> {
        let guest = self.guests.get_mut(&caller).filter(|guest| matches!(guest.stage, Stage::Deciding))?;
        let local_token = SessionToken::new(server_token);
        // Who has not asked is not told: it may not know of such a thing.
        let peer_compression = guest.compression;
        let compression = peer_compression.and(config.compression_id());
        let accepted = Accepted { nonce: caller.attempt.nonce, server_token: local_token, tick, compression };
        let mut writer = BitWriter::new();
        FromServer::Accepted(accepted).encode(guest.security, &mut writer);
        let reply = writer.into_bytes();
        guest.stage = Stage::Inside(reply.clone());
        self.pending -= 1;
        let (security, round_trip) = (guest.security, guest.round_trip);
        self.outbox.push_back((caller.address, reply));
        Some(Connection::established(Origin {
            now,
            side: Side::Server,
            config: config.sane(),
            protocol: self.protocol,
            security,
            local_token,
            peer_token: caller.attempt.client_token,
            round_trip,
            peer_tick: 0,
            peer_compression,
        }))
    }

    /// Refuses a caller.
    pub fn refuse(&mut self, now: Instant, caller: Caller<A>, reason: RejectReason) {
        let Some(guest) = self.guests.get_mut(&caller).filter(|guest| matches!(guest.stage, Stage::Deciding))
        else {
            return;
        };
        guest.stage = Stage::Refused { reason, told_at: now, has_reported: true };
        self.pending -= 1;
        self.remember_refusal(now, caller);
        self.explain(caller);
    }

    /// A caller that was let in has gone. For a while its late packets are known for what they are.
    pub fn depart(&mut self, now: Instant, caller: Caller<A>) {
        if let Some(guest) = self.guests.get_mut(&caller)
            && matches!(guest.stage, Stage::Inside(_))
        {
            guest.stage = Stage::Departed;
            self.departed.push_back((now, caller));
        }
        while self.departed.len() > Self::MAX_DEPARTED {
            if let Some((_, caller)) = self.departed.pop_front() {
                self.guests.remove(&caller);
            }
        }
    }

    /// What the next caller wants.
    pub fn next_knock(&mut self) -> Option<Knock<A>> {
        self.knocks.pop_front()
    }

    /// The next answer; where to it goes, if `datagram` holds one.
    pub fn poll_transmit(&mut self, datagram: &mut Vec<u8>) -> Option<A> {
        let (to, mut bytes) = self.outbox.pop_front().or_else(|| self.challenges.pop_front())?;
        std::mem::swap(datagram, &mut bytes);
        if self.spare.len() < Self::MAX_SPARE {
            self.spare.push(bytes);
        }
        Some(to)
    }

    /// When [`handle_timeout`](Self::handle_timeout) will have something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        let forget = self.departed.front().map(|(at, _)| *at + Self::MEMORY);
        let refused = self.refusals.front().map(|(at, _)| *at + self.config.decision_timeout);
        self.next_expiry.into_iter().chain(forget).chain(refused).min()
    }

    /// How many used buffers are kept for later answers.
    const MAX_SPARE: usize = 64;
    /// A challenge and what lets somebody in fit into so many bytes: in a flood, one allocation each.
    const USUAL_ANSWER: usize = 64;

    fn handle_auth(&mut self, now: Instant, from: A, security: Security, auth: &Auth<'_>) {
        let round_trip = match (&auth.cookie, security.address_proved) {
            (Some(cookie), false) => self.jar.check(now, from, auth.attempt, cookie),
            (None, true) => Some(Duration::ZERO),
            (None, false) | (Some(_), true) => None,
        };
        let Some(round_trip) = round_trip else {
            self.malformed += 1;
            return;
        };
        let caller = Caller { address: from, attempt: auth.attempt };
        if let Some(guest) = self.guests.get_mut(&caller) {
            match &mut guest.stage {
                Stage::Collecting { .. } => self.collect(now, caller, &auth.piece),
                Stage::Deciding | Stage::Departed => {}
                Stage::Inside(reply) => {
                    let reply = reply.clone();
                    self.outbox.push_back((from, reply));
                }
                Stage::Refused { told_at, .. } => {
                    if now - *told_at >= Self::REPEAT_INTERVAL {
                        *told_at = now;
                        self.explain(caller);
                    }
                }
            }
            return;
        }
        if self.pending >= self.config.max_pending {
            self.reply_refused(from, security, auth.attempt, RejectReason::ServerFull);
            return;
        }
        let round_trip = (!security.address_proved).then_some(round_trip);
        let compression = auth.compression;
        let guest = |stage| Guest { security, round_trip, compression, since: now, stage };
        if auth.protocol == self.protocol.id() {
            let pieces = Stage::Collecting { count: auth.piece.count, pieces: BTreeMap::new() };
            self.guests.insert(caller, guest(pieces));
            self.pending += 1;
            self.schedule(now + self.config.decision_timeout);
            self.collect(now, caller, &auth.piece);
        } else {
            let reason = RejectReason::ProtocolMismatch(Arc::default());
            self.guests.insert(caller, guest(Stage::Refused { reason, told_at: now, has_reported: false }));
            self.remember_refusal(now, caller);
            self.explain(caller);
        }
    }

    /// Adds a piece of the credentials; with the last of them the caller knocks.
    fn collect(&mut self, now: Instant, caller: Caller<A>, piece: &AuthPiece<'_>) {
        let Some(guest) = self.guests.get_mut(&caller) else { return };
        let Stage::Collecting { count, pieces } = &mut guest.stage else { return };
        if *count != piece.count {
            self.malformed += 1;
            return;
        }
        pieces.entry(piece.index).or_insert_with(|| piece.bytes.into());
        if pieces.len() == usize::from(piece.count) {
            let auth = std::mem::take(pieces).into_values().flatten().collect();
            guest.stage = Stage::Deciding;
            guest.since = now;
            self.knocks.push_back(Knock::Credentials { caller, auth });
        }
    }

    fn handle_report(&mut self, caller: Caller<A>, mismatch: Mismatch) {
        if let Some(guest) = self.guests.get_mut(&caller)
            && let Stage::Refused { has_reported: has_reported @ false, .. } = &mut guest.stage
        {
            *has_reported = true;
            self.knocks.push_back(Knock::Mismatch { caller, mismatch: Arc::new(mismatch) });
        }
    }

    fn expire(&mut self, now: Instant, caller: Caller<A>) {
        let Some(guest) = self.guests.get_mut(&caller) else { return };
        if matches!(guest.stage, Stage::Deciding) {
            self.refuse(now, caller, RejectReason::Undecided);
            self.knocks.push_back(Knock::Expired { caller });
        } else {
            self.guests.remove(&caller);
            self.pending -= 1;
        }
    }

    /// Keeps a refusal for those who ask again; with too many of them the oldest goes. They take no place of those who
    /// are on the way in.
    fn remember_refusal(&mut self, now: Instant, caller: Caller<A>) {
        if self.refusals.len() >= self.config.max_pending {
            self.forget_refusal();
        }
        self.refusals.push_back((now, caller));
    }

    fn forget_refusal(&mut self) {
        let Some((_, caller)) = self.refusals.pop_front() else { return };
        if let Some(guest) = self.guests.remove(&caller)
            && matches!(guest.stage, Stage::Refused { has_reported: false, .. })
        {
            self.knocks.push_back(Knock::Mismatch { caller, mismatch: Arc::default() });
        }
    }

    /// Tells a refused caller why; to one with another protocol it describes ours.
    fn explain(&mut self, caller: Caller<A>) {
        let Some(guest) = self.guests.get(&caller) else { return };
        let Stage::Refused { reason, .. } = &guest.stage else { return };
        let (security, reason) = (guest.security, reason.clone());
        if !matches!(reason, RejectReason::ProtocolMismatch(_)) {
            self.reply_refused(caller.address, security, caller.attempt, reason);
            return;
        }
        let description = self.protocol.describe().to_bytes();
        let pieces = description.chunks(Refused::PIECE_BYTES);
        let count = pieces.len() as u8;
        for (piece, description) in (0_u8..).zip(pieces) {
            let refused = Refused {
                nonce: caller.attempt.nonce,
                reason: reason.clone(),
                piece,
                pieces: count,
                description,
            };
            self.reply(caller.address, security, &FromServer::Refused(refused));
        }
    }

    fn reply_refused(&mut self, to: A, security: Security, attempt: Attempt, reason: RejectReason) {
        let refused = Refused { nonce: attempt.nonce, reason, piece: 0, pieces: 0, description: &[] };
        self.reply(to, security, &FromServer::Refused(refused));
    }

    /// Answers an address that is not proved, unless too many of those wait.
    fn challenge(&mut self, to: A, security: Security, packet: &FromServer<'_>) {
        if self.challenges.len() < Self::MAX_CHALLENGES {
            let buffer = self.written(|writer| packet.encode(security, writer));
            self.challenges.push_back((to, buffer));
        }
    }

    fn reply(&mut self, to: A, security: Security, packet: &FromServer<'_>) {
        let buffer = self.written(|writer| packet.encode(security, writer));
        self.outbox.push_back((to, buffer));
    }

    fn written(&mut self, write: impl FnOnce(&mut BitWriter)) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(Self::USUAL_ANSWER));
        buffer.clear();
        let mut writer = BitWriter::append_to(buffer);
        write(&mut writer);
        writer.into_bytes()
    }

    fn schedule(&mut self, expiry: Instant) {
        self.next_expiry = Some(self.next_expiry.map_or(expiry, |next| next.min(expiry)));
    }
}
