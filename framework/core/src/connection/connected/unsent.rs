use std::fmt;

use super::{SendError, SendErrorKind};

/// A message or a request that was not sent, given back with the reason.
///
/// `send` gives a message back as the protocol's enum of messages, which can be sent as it is; so what waits for room can
/// stand in one queue.
///
/// ```
/// use bowline_core::{SendError, SendErrorKind, Unsent};
///
/// let error = SendError { channel: "Talk", kind: SendErrorKind::NotConnected };
/// let unsent = Unsent { message: "ahoy", error };
/// assert_eq!(unsent.kind(), SendErrorKind::NotConnected);
/// assert_eq!(unsent.into_message(), "ahoy");
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Unsent<M> {
    /// What was not sent.
    pub message: M,
    /// Why.
    pub error: SendError,
}

impl<M> Unsent<M> {
    /// What was not sent.
    #[must_use]
    pub fn into_message(self) -> M {
        self.message
    }

    /// What stood against it.
    #[must_use]
    pub const fn kind(&self) -> SendErrorKind {
        self.error.kind
    }
}

// Messages need not be `Debug`, and errors must.
impl<M> fmt::Debug for Unsent<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<M> fmt::Display for Unsent<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<M> std::error::Error for Unsent<M> {}

impl<M> From<Unsent<M>> for SendError {
    fn from(unsent: Unsent<M>) -> Self {
        unsent.error
    }
}
