use super::{DisconnectReason, Phase};

/// What can happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input {
    /// The application calls `connect`.
    Connect,
    /// The application calls `disconnect` (or the server kicks, or shuts down).
    Disconnect,
    /// The server asks for the address to be proved.
    Challenge,
    /// The server lets the client in.
    Accepted,
    /// The server does not.
    Refused,
    /// A packet of the session.
    Data,
    /// The server asks whether a new path leads here (the client moved).
    PathChallenge,
    /// The other side says goodbye.
    Goodbye,
    /// Bytes that are none of these, or carry another session's token.
    Noise,
    /// What no correct peer sends, in a packet of the session.
    Violation,
    /// `connect_timeout` has passed since `connect`.
    ConnectTimeout,
    /// Nothing was heard for `disconnection_timeout_duration`.
    SilenceTimeout,
    /// The transport has ended.
    TransportClosed,
}

/// What an [`Input`] does to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transition {
    /// It is now in another phase.
    Become(Phase),
    /// It was taken in; the phase is the same.
    Stay,
    /// It was dropped and counted.
    Ignore,
    /// It cannot happen: the type in this phase has no such method, or no such timer.
    Impossible,
}

/// What an input does in a phase. This is the whole machine: what arrives is ignored or taken in as it says, and the
/// tests hold every state to it.
#[must_use]
pub const fn transition(phase: Phase, input: Input) -> Transition {
    use Input as I;
    use Phase::{Connected, Disconnected, PendingAuth};
    use Transition::{Become, Ignore, Impossible, Stay};
    match (phase, input) {
        (Disconnected, I::Connect) => Become(PendingAuth),
        (Disconnected, I::Disconnect | I::ConnectTimeout | I::SilenceTimeout | I::Violation) => Impossible,
        // What still arrives belongs to a session that is over.
        (Disconnected, _) => Ignore,

        (PendingAuth, I::Challenge) => Stay,
        (PendingAuth, I::Accepted) => Become(Connected),
        (PendingAuth, I::Refused | I::ConnectTimeout | I::Disconnect | I::TransportClosed) => {
            Become(Disconnected)
        }
        // A packet of the session can overtake the acceptance. It will be sent again if it matters.
        (PendingAuth, I::Data | I::PathChallenge | I::Goodbye | I::Noise) => Ignore,
        (PendingAuth, I::Connect | I::SilenceTimeout | I::Violation) => Impossible,

        (Connected, I::Data | I::PathChallenge) => Stay,
        (Connected, I::Goodbye | I::Disconnect | I::SilenceTimeout | I::Violation | I::TransportClosed) => {
            Become(Disconnected)
        }
        // Answers to an attempt that has succeeded, doubled on the way.
        (Connected, I::Challenge | I::Accepted | I::Refused | I::Noise) => Ignore,
        (Connected, I::Connect | I::ConnectTimeout) => Impossible,
    }
}

/// The reason that stands behind an end which no packet explains.
pub(super) const fn reason_for(input: Input) -> DisconnectReason {
    match input {
        Input::ConnectTimeout => DisconnectReason::NoAnswer,
        Input::SilenceTimeout => DisconnectReason::TimedOut,
        Input::Violation => DisconnectReason::ProtocolViolation,
        Input::TransportClosed => DisconnectReason::TransportClosed,
        Input::Goodbye => DisconnectReason::PeerLeft,
        _ => DisconnectReason::Requested,
    }
}
