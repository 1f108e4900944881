use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::desk::{Outcome, Shared};
use super::wire::{ANSWER_HEAD_BITS, decode_after};
use crate::protocol::Request;
use crate::{AppText, DisconnectReason};

/// A request that was made, and whose response is to come.
///
/// It has two faces. A game loop asks [`try_take`](Self::try_take) once a frame. Anything that is `async` awaits it:
/// it is a future, on any runtime. Neither moves packets: somebody has to go on driving the client or the server, in
/// the same loop or in another task.
///
/// It always comes to an end: with the response, with a refusal, with the timeout, or with the connection. To drop it
/// is to want no response any more; one that comes all the same is dropped and counted.
#[must_use = "nobody will see the response to a request that is dropped"]
pub struct PendingResponse<R> {
    desk: Shared,
    id: u32,
    request: PhantomData<fn() -> R>,
}

/// Why a request got no response. The texts can be shown to a person.
///
/// ```
/// use bowline_core::RequestError;
///
/// let error = RequestError::Refused("the round has begun".into());
/// assert_eq!(error.to_string(), "the other side refused: the round has begun");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No response came in time. One may still come, and is dropped then.
    #[error("no answer came within {after:?}; ask again, or wait longer")]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The other side's application refused, with these words.
    #[error("the other side refused: {0}")]
    Refused(AppText),
    /// The other side's application dropped the request: it has nobody to answer it.
    #[error("the other side has no answer to this request")]
    Unhandled,
    /// The other side has as many unanswered requests of ours as it takes (`max_requests_in_flight`).
    #[error("the other side has too many unanswered requests already; ask again later")]
    Busy,
    /// The connection ended first, for this reason.
    #[error("the connection ended before an answer came: {0}")]
    Disconnected(DisconnectReason),
    /// Something came that is no response to this request.
    #[error("the other side gave an answer that makes no sense")]
    Malformed,
}

impl<R> PendingResponse<R> {
    pub(super) fn new(desk: Shared, id: u32) -> Self {
        Self { desk, id, request: PhantomData }
    }

    /// With a timeout of its own in place of `config.connection.request_timeout`, counted from when it was asked.
    ///
    /// ```no_run
    /// # use bowline_core::{PendingResponse, Request};
    /// # fn of<R: Request>(pending: PendingResponse<R>) {
    /// let pending = pending.with_timeout(std::time::Duration::from_millis(500));
    /// # }
    /// ```
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.desk.with(|desk| desk.set_timeout(self.id, timeout));
        self
    }
}

impl<R: Request> PendingResponse<R> {
    /// The response, or why there is none, once it is known. `None` until then; and after it was taken.
    pub fn try_take(&mut self) -> Option<Result<R::Response, RequestError>> {
        let taken = self.desk.with(|desk| desk.take(self.id, None));
        taken.ok().map(|outcome| self.read(outcome))
    }

    fn read(&self, outcome: Outcome) -> Result<R::Response, RequestError> {
        decode_after(ANSWER_HEAD_BITS, &outcome?).map_err(|_| {
            self.desk.with(|desk| desk.unreadable += 1);
            RequestError::Malformed
        })
    }
}

impl<R: Request> Future for PendingResponse<R> {
    type Output = Result<R::Response, RequestError>;

    /// Ready once; after that, as after [`try_take`](PendingResponse::try_take), there is nothing to come.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone();
        match self.desk.with(|desk| desk.take(self.id, Some(waker))) {
            Ok(outcome) => Poll::Ready(self.read(outcome)),
            Err(_old_waker) => Poll::Pending,
        }
    }
}

impl<R> Drop for PendingResponse<R> {
    fn drop(&mut self) {
        drop(self.desk.with(|desk| desk.abandon(self.id)));
    }
}

impl<R> fmt::Debug for PendingResponse<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingResponse").field("id", &self.id).finish_non_exhaustive()
    }
}
