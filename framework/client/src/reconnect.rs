use std::time::Duration;

use bowline_core::{DisconnectReason, Entropy, RejectReason};

/// When to try again after a session was lost, or could not be made: exponential back-off with full jitter (Marc
/// Brooker, *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015), so that a thousand clients of a server
/// that restarts do not all come back at the same moment.
///
/// It tries again where that may help: after a time-out, a server that left, was full or shut down, and where a transport
/// has closed that can be set up anew. It does not after [`Requested`](DisconnectReason::Requested), a kick, or a refusal
/// that will be the same next time.
///
/// ```
/// use std::time::Duration;
/// use bowline_client::ReconnectPolicy;
///
/// let policy = ReconnectPolicy { max_attempts: Some(5), ..ReconnectPolicy::default() };
/// assert_eq!(policy.longest_delay(0), Duration::from_millis(500));
/// assert_eq!(policy.longest_delay(9), Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectPolicy {
    /// The longest delay before the first attempt. 500 ms.
    pub base_delay: Duration,
    /// No delay is longer. 5 s.
    pub max_delay: Duration,
    /// After so many failed attempts in a row it gives up; `None` for never. `None`.
    pub max_attempts: Option<u32>,
}

impl ReconnectPolicy {
    /// The longest that the delay before an attempt can be; attempts count from 0.
    #[must_use]
    pub fn longest_delay(&self, attempt: u32) -> Duration {
        self.base_delay.saturating_mul(2_u32.saturating_pow(attempt)).min(self.max_delay)
    }

    /// The delay before an attempt: anything from nothing to the longest.
    pub(crate) fn delay(&self, attempt: u32, entropy: &mut impl Entropy) -> Duration {
        self.longest_delay(attempt).mul_f64(entropy.next_unit())
    }

    pub(crate) fn allows(&self, attempt: u32, reason: &DisconnectReason, can_reopen: bool) -> bool {
        self.max_attempts.is_none_or(|max| attempt < max) && may_help(reason, can_reopen)
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self { base_delay: Duration::from_millis(500), max_delay: Duration::from_secs(5), max_attempts: None }
    }
}

/// `can_reopen`: whether a transport that has closed can be set up anew.
fn may_help(reason: &DisconnectReason, can_reopen: bool) -> bool {
    match reason {
        DisconnectReason::TimedOut
        | DisconnectReason::NoAnswer
        | DisconnectReason::PeerLeft
        | DisconnectReason::ServerShutdown
        | DisconnectReason::ProtocolViolation => true,
        DisconnectReason::Rejected(reason) => match reason {
            RejectReason::ServerFull | RejectReason::ShuttingDown | RejectReason::Undecided => true,
            RejectReason::ProtocolMismatch(_)
            | RejectReason::Unauthorized
            | RejectReason::InvalidCredentials
            | RejectReason::Custom(_) => false,
        },
        DisconnectReason::TransportClosed => can_reopen,
        DisconnectReason::Requested | DisconnectReason::Kicked(_) => false,
    }
}
