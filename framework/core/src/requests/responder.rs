use std::fmt;
use std::marker::PhantomData;

use super::desk::Shared;
use super::wire::Refusal;
use crate::protocol::Request;
use crate::{AppText, SendError, SendErrorKind};

/// A request of the other side, and the right to answer it: what the variants of a protocol's enum of requests hold
/// when they arrive.
pub struct Asked<R> {
    /// What is asked.
    pub request: R,
    /// Who answers.
    pub responder: Responder<R>,
}

/// The right to answer one request, once: at once or many ticks later, here or on another thread.
///
/// * `respond` of the server, of the connected client or of the session sends a response. It takes the response
///   that belongs to the request; another does not compile.
/// * [`refuse`](Self::refuse) tells the asker why there is none.
/// * One that is dropped tells it that nobody was there to answer
///   ([`RequestError::Unhandled`](super::RequestError::Unhandled)).
///
/// What comes too late, after the asker's timeout or the end of its session, reaches nobody, and never a new session.
#[must_use = "a responder that is dropped refuses the request"]
pub struct Responder<R> {
    any: AnyResponder,
    request: PhantomData<fn() -> R>,
}

/// A [`Responder`] of a request whose type is not known yet.
#[doc(hidden)]
#[derive(Debug)]
pub struct AnyResponder {
    /// None once the request was answered.
    desk: Option<Shared>,
    id: u32,
    /// Index and name.
    channel: (usize, &'static str),
    /// Who asked, as whoever holds the connection names it.
    asker: u64,
}

/// A response that was not sent. It is given back with the right to give it, to be tried again; if it is dropped, the
/// request is refused.
pub struct Unanswered<R: Request> {
    /// The response.
    pub response: R::Response,
    /// The right to answer.
    pub responder: Responder<R>,
    /// Why it was not sent.
    pub error: SendError,
}

impl<R> Asked<R> {
    /// What generated code makes of a request.
    #[doc(hidden)]
    pub fn new(request: R, responder: AnyResponder) -> Self {
        Self { request, responder: Responder { any: responder, request: PhantomData } }
    }
}

impl<R> Responder<R> {
    /// Gives no response; the asker is told why. It goes out with the next `send`, whatever the queues hold.
    pub fn refuse(self, reason: impl Into<AppText>) {
        let mut any = self.any;
        any.refuse(Refusal::Refused(reason.into()));
    }

    /// Who asked, as whoever holds the connection names it.
    #[doc(hidden)]
    #[must_use]
    pub const fn asker(&self) -> u64 {
        self.any.asker
    }

    pub(crate) const fn any(&self) -> &AnyResponder {
        &self.any
    }

    /// The response is on its way.
    pub(crate) fn answered(mut self) {
        if let Some(desk) = self.any.desk.take() {
            desk.with(|desk| desk.close(self.any.id));
        }
    }
}

impl AnyResponder {
    pub(super) const fn new(desk: Shared, id: u32, channel: (usize, &'static str)) -> Self {
        Self { desk: Some(desk), id, channel, asker: 0 }
    }

    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    pub(crate) const fn channel(&self) -> (usize, &'static str) {
        self.channel
    }

    pub(crate) const fn asked_by(mut self, asker: u64) -> Self {
        self.asker = asker;
        self
    }

    pub(super) fn belongs_to(&self, desk: &Shared) -> bool {
        self.desk.as_ref().is_some_and(|own| own.is(desk))
    }

    fn refuse(&mut self, refusal: Refusal) {
        if let Some(desk) = self.desk.take() {
            desk.with(|desk| desk.refuse(self.channel.0, self.id, refusal));
        }
    }
}

impl Drop for AnyResponder {
    fn drop(&mut self) {
        self.refuse(Refusal::Unhandled);
    }
}

impl<R: Request> Unanswered<R> {
    /// The session that asked is over.
    #[doc(hidden)]
    pub fn not_connected(responder: Responder<R>, response: R::Response) -> Self {
        let error = SendError { channel: responder.any.channel.1, kind: SendErrorKind::NotConnected };
        Self { response, responder, error }
    }
}

// Requests need not be `Debug`; events are.
impl<R: Request> fmt::Debug for Asked<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("request", &R::NAME).field("responder", &self.responder).finish()
    }
}

impl<R> fmt::Debug for Responder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("id", &self.any.id).finish_non_exhaustive()
    }
}

impl<R: Request> fmt::Debug for Unanswered<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unanswered").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<R: Request> fmt::Display for Unanswered<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request `{}` was not answered: {}", R::NAME, self.error)
    }
}

impl<R: Request> std::error::Error for Unanswered<R> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<R: Request> From<Unanswered<R>> for SendError {
    fn from(unanswered: Unanswered<R>) -> Self {
        unanswered.error
    }
}
