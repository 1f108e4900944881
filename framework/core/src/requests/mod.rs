//! Requests and responses: what a connection has asked and waits for, what it was asked and owes.
//!
//! A [`PendingResponse`] and a [`Responder`] live with the application, maybe on another thread. They share the
//! [`Desk`] of their connection: one lock for all, so that nothing has to be searched and no message is boxed. A new
//! session has a new desk, and what belongs to the old one reaches nobody any more.

mod desk;
mod pending;
mod responder;
mod wire;

use std::time::Duration;

use desk::Shared;
pub use pending::{PendingResponse, RequestError};
pub use responder::{AnyResponder, Asked, Responder, Unanswered};
use wire::{Head, Refusal, encode_refusal, read_head};
pub(crate) use wire::{
    MESSAGE_HEAD_BITS, REQUEST_HEAD_BITS, begin_answer, begin_message, begin_request, decode_after,
};

use crate::{ConnectionConfig, DisconnectReason, Instant};

/// A connection's side of its desk.
#[derive(Debug)]
pub(crate) struct Requests {
    desk: Shared,
    /// How many may wait for an answer, in each direction.
    limit: usize,
    timeout: Duration,
    /// Answers and requests that made no sense, and requests beyond the limit.
    malformed: u64,
    turned_away: u64,
}

/// What a body on a channel that carries requests was.
#[derive(Debug)]
pub(crate) enum Delivery {
    Message(Vec<u8>),
    Request(Vec<u8>, AnyResponder),
    /// A response, which waits for its asker now, or something that was dropped.
    Nothing,
}

/// What there is to count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) in_flight: usize,
    pub(crate) unclaimed: u64,
    pub(crate) turned_away: u64,
    pub(crate) malformed: u64,
}

impl Requests {
    pub(crate) fn new(config: &ConnectionConfig) -> Self {
        let (limit, timeout) = (config.max_requests_in_flight, config.request_timeout);
        Self { desk: Shared::default(), limit, timeout, malformed: 0, turned_away: 0 }
    }

    /// The id of the next request.
    ///
    /// # Errors
    /// The limit, where as many wait for an answer already.
    pub(crate) fn next_id(&self) -> Result<u32, usize> {
        self.desk.with(|desk| desk.next_id(self.limit)).ok_or(self.limit)
    }

    /// A request with this id is in its channel's queue.
    pub(crate) fn asked<R>(&self, now: Instant, id: u32) -> PendingResponse<R> {
        self.desk.with(|desk| desk.wait(now, id, self.timeout));
        PendingResponse::new(self.desk.clone(), id)
    }

    /// Takes in a body that arrived on a channel that carries requests.
    pub(crate) fn take_in(&mut self, channel: (usize, &'static str), bytes: Vec<u8>) -> Delivery {
        match read_head(&bytes) {
            Ok(Head::Message) => return Delivery::Message(bytes),
            Ok(Head::Request { id }) => match self.desk.with(|desk| desk.open(id, channel.0, self.limit)) {
                desk::Opened::Yes => {
                    return Delivery::Request(bytes, AnyResponder::new(self.desk.clone(), id, channel));
                }
                desk::Opened::Full => self.turned_away += 1,
                desk::Opened::Twice => self.malformed += 1,
            },
            Ok(Head::Answer { id }) => self.desk.complete(id, Ok(bytes)),
            Ok(Head::Refusal { id, refusal }) => self.desk.complete(id, Err(refusal.into())),
            Err(_) => self.malformed += 1,
        }
        Delivery::Nothing
    }

    /// Whether a responder is of this session.
    pub(crate) fn issued(&self, responder: &AnyResponder) -> bool {
        responder.belongs_to(&self.desk)
    }

    /// The refusal that is to be sent next, if there is one: its channel and its bytes.
    pub(crate) fn next_refusal(&self) -> Option<(usize, Vec<u8>)> {
        let (channel, id, refusal) = self.desk.with(|desk| desk.first_refusal().cloned())?;
        Some((channel, encode_refusal(id, &refusal)))
    }

    /// The refusal that [`next_refusal`](Self::next_refusal) gave is on its way.
    pub(crate) fn refusal_is_sent(&self) {
        self.desk.with(desk::Desk::forget_refusal);
    }

    /// Ends what has waited for too long.
    pub(crate) fn expire(&self, now: Instant) {
        self.desk.expire(now);
    }

    /// When the next request will have waited for too long; and whether refusals wait to be sent.
    pub(crate) fn look(&self) -> (Option<Instant>, bool) {
        self.desk.with(|desk| (desk.next_deadline(), desk.first_refusal().is_some()))
    }

    /// The connection has ended: no answer will come, and none can be given.
    pub(crate) fn end(&self, reason: &DisconnectReason) {
        self.desk.end(reason);
    }

    pub(crate) fn counts(&self) -> Counts {
        let (turned_away, malformed) = (self.turned_away, self.malformed);
        self.desk.with(|desk| Counts {
            in_flight: desk.in_flight(),
            unclaimed: desk.unclaimed,
            turned_away,
            malformed: malformed + desk.unreadable,
        })
    }
}

impl Drop for Requests {
    /// A connection that is dropped has ended too; whoever waits for it learns that.
    fn drop(&mut self) {
        self.end(&DisconnectReason::Requested);
    }
}

impl From<Refusal> for RequestError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Refused(reason) => Self::Refused(reason),
            Refusal::Unhandled => Self::Unhandled,
            Refusal::Busy => Self::Busy,
        }
    }
}

#[cfg(test)]
mod tests;
