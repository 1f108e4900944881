use std::time::Duration;

use bowline_wire::BitWriter;

use super::{
    ConnectError, Connection, ConnectionConfig, ConnectionStats, DisconnectReason, Farewell, PendingAuth,
    ProtocolSpec,
};
use crate::packet::{FromClient, FromServer, Goodbye, SessionToken, Side, seal};
use crate::{Entropy, Instant, Security};

/// Not connected: before the first `connect`, or after an end.
///
/// The state lives behind one pointer, so that a connection is cheap to move.
#[derive(Debug)]
pub struct Disconnected(Box<Ended>);

#[derive(Debug)]
struct Ended {
    config: ConnectionConfig,
    reason: Option<DisconnectReason>,
    stats: ConnectionStats,
    parting: Option<Parting>,
}

impl Connection<Disconnected> {
    /// A connection that was never up.
    #[must_use]
    pub fn new(config: ConnectionConfig) -> Self {
        let ended =
            Ended { config: config.sane(), reason: None, stats: ConnectionStats::default(), parting: None };
        Self { state: Disconnected(Box::new(ended)) }
    }

    pub(super) fn ended(
        config: ConnectionConfig,
        reason: DisconnectReason,
        stats: ConnectionStats,
        parting: Option<Parting>,
    ) -> Self {
        Self { state: Disconnected(Box::new(Ended { config, reason: Some(reason), stats, parting })) }
    }

    /// Why the last session, or the last attempt, ended; `None` before the first.
    #[must_use]
    pub fn reason(&self) -> Option<&DisconnectReason> {
        self.state.0.reason.as_ref()
    }

    /// What the last session did.
    #[must_use]
    pub fn stats(&self) -> &ConnectionStats {
        &self.state.0.stats
    }

    /// Begins a fresh session; nothing of the old one is left. `auth` are the encoded credentials.
    ///
    /// # Errors
    /// [`ConnectError::CredentialsTooLong`]; the connection comes back as it was.
    pub fn connect(
        self,
        now: Instant,
        protocol: ProtocolSpec,
        security: Security,
        auth: Vec<u8>,
        entropy: &mut impl Entropy,
    ) -> Result<Connection<PendingAuth>, (Self, ConnectError)> {
        match PendingAuth::start(now, self.state.0.config.clone(), protocol, security, auth, entropy) {
            Ok(state) => Ok(Connection { state }),
            Err(error) => Err((self, error)),
        }
    }

    /// What is still to be said of the session that ended; `true` if `datagram` holds some of it.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> bool {
        self.state.0.parting.as_mut().is_some_and(|parting| parting.poll_transmit(now, datagram))
    }

    /// The other side still talks to the session: it has not heard that it is over, and is told once more.
    pub fn repeat_farewell(&mut self, now: Instant) {
        if let Some(parting) = &mut self.state.0.parting {
            parting.repeat(now);
        }
    }

    /// When [`poll_transmit`](Self::poll_transmit) will have something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.state.0.parting.as_ref()?.next_deadline()
    }
}

/// The last words of a session, said several times because nobody will ask for them again.
///
/// Half of the copies go out at once, for a program that is about to exit; the others follow spread out, so that a
/// burst of loss does not swallow all. At 50 % loss one farewell in 4,096 is lost.
#[derive(Debug)]
pub struct Parting {
    datagram: Vec<u8>,
    copies: u32,
    next_at: Instant,
}

impl Parting {
    const COPIES: u32 = 12;
    const AT_ONCE: u32 = 6;
    const INTERVAL: Duration = Duration::from_millis(50);

    pub(crate) const fn new(now: Instant, datagram: Vec<u8>) -> Self {
        Self { datagram, copies: Self::COPIES, next_at: now }
    }

    pub(crate) fn goodbye(
        now: Instant,
        from: Side,
        farewell: Farewell,
        peer_token: SessionToken,
        security: Security,
    ) -> Self {
        let mut writer = BitWriter::new();
        let goodbye = Goodbye { farewell };
        match from {
            Side::Client => FromClient::Goodbye(goodbye).encode(security, &mut writer),
            Side::Server => FromServer::Goodbye(goodbye).encode(security, &mut writer),
        }
        let mut datagram = writer.into_bytes();
        seal(&mut datagram, peer_token, security);
        Self::new(now, datagram)
    }

    /// The next copy that is due; `true` if `datagram` holds one.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> bool {
        if self.copies == 0 || now < self.next_at {
            return false;
        }
        self.copies -= 1;
        if self.copies <= Self::COPIES - Self::AT_ONCE {
            self.next_at = now + Self::INTERVAL;
        }
        datagram.clear();
        datagram.extend_from_slice(&self.datagram);
        true
    }

    /// Says it once more: somebody still talks to a session that is over.
    pub(crate) fn repeat(&mut self, now: Instant) {
        if self.copies == 0 && now >= self.next_at {
            self.copies = 1;
        }
    }

    /// When the next copy is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        (self.copies > 0).then_some(self.next_at)
    }
}
