use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::RequestError;
use super::wire::Refusal;
use crate::{DisconnectReason, Instant};

/// The desk of a connection, in the hands of the connection, its pending responses and its responders.
///
/// Nothing of the application's runs under the lock: wakers are called, and dropped, after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Arc<Mutex<Desk>>);

#[derive(Debug, Default)]
pub(super) struct Desk {
    /// What this side has asked, until the answer is taken or nobody wants it any more.
    asked: BTreeMap<u32, Waiting>,
    /// When each that has no answer will have waited for too long.
    deadlines: BTreeSet<(Instant, u32)>,
    last_id: u32,
    /// What the other side has asked and has no answer to.
    open: BTreeSet<u32>,
    /// Refusals that wait for room in the queue of their channel: channel, id, why.
    refusals: VecDeque<(usize, u32, Refusal)>,
    /// Whether the connection has ended.
    ended: bool,
    /// Responses that nobody waited for.
    pub(super) unclaimed: u64,
    /// Responses that could not be read.
    pub(super) unreadable: u64,
}

/// How many refusals may wait before the other side is no longer told that it asks too much.
const MAX_REFUSALS: usize = 4_096;

#[derive(Debug)]
enum Waiting {
    Yes { asked_at: Instant, timeout: Duration, waker: Option<Waker> },
    Done(Outcome),
}

/// The bytes of a response, or why there is none.
pub(super) type Outcome = Result<Vec<u8>, RequestError>;

/// Whether a request of the other side was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Yes,
    /// It has asked too much already, and is told so.
    Full,
    /// It has asked this already.
    Twice,
}

impl Shared {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Desk) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn complete(&self, id: u32, outcome: Outcome) {
        wake(self.with(|desk| {
            let waker = desk.complete(id, outcome);
            desk.unclaimed += u64::from(waker.is_none());
            waker.flatten()
        }));
    }

    pub(super) fn expire(&self, now: Instant) {
        wake(self.with(|desk| desk.expire(now)));
    }

    pub(super) fn end(&self, reason: &DisconnectReason) {
        wake(self.with(|desk| desk.end(reason)));
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

impl Desk {
    /// An id that no request has which is waited for; `None` where `limit` of them are.
    pub(super) fn next_id(&mut self, limit: usize) -> Option<u32> {
        if self.in_flight() >= limit {
            return None;
        }
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if !self.asked.contains_key(&self.last_id) {
                return Some(self.last_id);
            }
        }
    }

    pub(super) fn wait(&mut self, now: Instant, id: u32, timeout: Duration) {
        self.asked.insert(id, Waiting::Yes { asked_at: now, timeout, waker: None });
        self.deadlines.insert((now + timeout, id));
    }

    /// Waits longer for an answer, or less long.
    pub(super) fn set_timeout(&mut self, id: u32, new: Duration) {
        if let Some(Waiting::Yes { asked_at, timeout, .. }) = self.asked.get_mut(&id) {
            self.deadlines.remove(&(*asked_at + *timeout, id));
            *timeout = new;
            self.deadlines.insert((*asked_at + new, id));
        }
    }

    /// Gives the waker that waits, if one does; `None` where nobody wants the outcome.
    fn complete(&mut self, id: u32, outcome: Outcome) -> Option<Option<Waker>> {
        let Some(Waiting::Yes { asked_at, timeout, waker }) = self.asked.get_mut(&id) else { return None };
        self.deadlines.remove(&(*asked_at + *timeout, id));
        let waker = waker.take();
        self.asked.insert(id, Waiting::Done(outcome));
        Some(waker)
    }

    fn expire(&mut self, now: Instant) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some((at, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, id));
            if let Some(Waiting::Yes { timeout, .. }) = self.asked.get(&id) {
                let timed_out = RequestError::TimedOut { after: *timeout };
                wakers.extend(self.complete(id, Err(timed_out)).flatten());
            }
        }
        wakers
    }

    fn end(&mut self, reason: &DisconnectReason) -> Vec<Waker> {
        if self.ended {
            return Vec::new();
        }
        self.ended = true;
        self.refusals.clear();
        self.open.clear();
        let waiting: Vec<u32> = self.deadlines.iter().map(|(_, id)| *id).collect();
        let ended = |id| self.complete(id, Err(RequestError::Disconnected(reason.clone()))).flatten();
        waiting.into_iter().filter_map(ended).collect()
    }

    /// The outcome of a request, once there is one. Until then `waker` is called when it comes; what was to be called
    /// before is given back.
    pub(super) fn take(&mut self, id: u32, waker: Option<Waker>) -> Result<Outcome, Option<Waker>> {
        match self.asked.get_mut(&id) {
            Some(Waiting::Yes { waker: old, .. }) => match waker {
                Some(waker) => Err(old.replace(waker)),
                None => Err(None),
            },
            Some(Waiting::Done(_)) => match self.asked.remove(&id) {
                Some(Waiting::Done(outcome)) => Ok(outcome),
                _ => Err(None),
            },
            None => Err(None),
        }
    }

    /// Nobody wants the answer any more. Gives back what was to be dropped outside of the lock.
    pub(super) fn abandon(&mut self, id: u32) -> impl Sized + use<> {
        let entry = self.asked.remove(&id);
        if let Some(Waiting::Yes { asked_at, timeout, .. }) = &entry {
            self.deadlines.remove(&(*asked_at + *timeout, id));
        }
        entry
    }

    /// How many requests wait for an answer.
    pub(super) fn in_flight(&self) -> usize {
        self.deadlines.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The other side asks something.
    pub(super) fn open(&mut self, id: u32, channel: usize, limit: usize) -> Opened {
        if self.open.contains(&id) {
            return Opened::Twice;
        }
        if self.open.len() >= limit {
            // One that asks and asks, and takes no answers, is not even told so after a while.
            if self.refusals.len() < MAX_REFUSALS {
                self.refusals.push_back((channel, id, Refusal::Busy));
            }
            return Opened::Full;
        }
        self.open.insert(id);
        Opened::Yes
    }

    /// The answer to what the other side has asked is on its way.
    pub(super) fn close(&mut self, id: u32) {
        self.open.remove(&id);
    }

    /// What the other side has asked gets no answer, and the other side is told so.
    pub(super) fn refuse(&mut self, channel: usize, id: u32, refusal: Refusal) {
        if !self.ended {
            self.refusals.push_back((channel, id, refusal));
        }
    }

    pub(super) fn first_refusal(&self) -> Option<&(usize, u32, Refusal)> {
        self.refusals.front()
    }

    pub(super) fn forget_refusal(&mut self) {
        if let Some((_, id, refusal)) = self.refusals.pop_front()
            && refusal != Refusal::Busy
        {
            self.open.remove(&id);
        }
    }
}
