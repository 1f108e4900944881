use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;
use webrtc::data_channel::RTCDataChannelMessage;

use super::ClientStatistics;
use super::queues::{Incoming, Outgoing};
use crate::Error;

/// One set-up and what follows it, as the socket and the engine's task both see it.
///
/// The socket sends, receives and [ends](Self::end) it; the task says that it [is open](Self::opened), carries
/// datagrams, and says why it [has failed](Self::fail). Nothing here waits.
#[derive(Debug, Default)]
pub(super) struct Session {
    state: Mutex<State>,
    /// Set once, and then nothing comes or goes any more.
    failure: OnceLock<Error>,
    open: AtomicBool,
    /// The socket has no more use for it.
    ended: AtomicBool,
    /// Wakes the task: there is something to send, or the end has come.
    work: Notify,
}

#[derive(Debug, Default)]
struct State {
    outgoing: Outgoing,
    incoming: Incoming,
    statistics: ClientStatistics,
    waker: Option<Waker>,
    /// Something has changed that a sleeper should look at, though there is nothing to receive.
    news: bool,
}

/// For the socket.
impl Session {
    pub(super) fn send(&self, datagram: &[u8]) -> Result<(), Error> {
        if let Some(failure) = self.failure.get() {
            // What has arrived before the end is still to be read, and an error here would keep the caller from it.
            if self.state().incoming.is_empty() {
                return Err(failure.clone());
            }
            self.state().statistics.sent_dropped += 1;
            return Ok(());
        }
        if !self.is_open() {
            return Err(Error::Busy);
        }
        let mut state = self.state();
        if state.outgoing.push(datagram) {
            state.statistics.sent_dropped += 1;
        }
        Ok(())
    }

    pub(super) fn flush(&self) {
        self.work.notify_one();
    }

    pub(super) fn receive(&self) -> Result<Option<RTCDataChannelMessage>, Error> {
        // Looked at first: what arrived before the failure is in the queue by then.
        let failure = self.failure.get();
        match (self.state().incoming.pop(), failure) {
            (None, Some(failure)) => Err(failure.clone()),
            (message, _) => Ok(message),
        }
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        let news = std::mem::take(&mut state.news);
        if news || !state.incoming.is_empty() || self.failure.get().is_some() {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    pub(super) fn take_waker(&self) -> Option<Waker> {
        self.state().waker.take()
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    pub(super) fn statistics(&self) -> ClientStatistics {
        self.state().statistics
    }

    /// The socket has no more use for the session: what waits is sent, and everything is closed.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.work.notify_one();
    }
}

/// For the engine's task.
impl Session {
    /// Datagrams can travel from now on.
    pub(super) fn opened(&self) {
        self.open.store(true, Ordering::Release);
        self.wake(|state| state.news = true);
    }

    /// It is over. The first reason counts.
    pub(super) fn fail(&self, error: Error) {
        self.open.store(false, Ordering::Release);
        // Only one is kept; a second is a consequence of the first.
        let _ = self.failure.set(error);
        self.wake(|state| state.statistics.sent_dropped += state.outgoing.clear() as u64);
    }

    pub(super) fn arrived(&self, message: RTCDataChannelMessage) {
        self.wake(|state| {
            state.statistics.received += 1;
            if state.incoming.push(message) {
                state.statistics.received_dropped += 1;
            }
        });
    }

    pub(super) fn next_outgoing(&self) -> Option<Vec<u8>> {
        self.state().outgoing.pop()
    }

    /// The channel has taken it.
    pub(super) fn sent(&self, datagram: Vec<u8>) {
        let mut state = self.state();
        state.statistics.sent += 1;
        state.outgoing.give_back(datagram);
    }

    /// The channel has no room for it yet.
    pub(super) fn put_back(&self, datagram: Vec<u8>) {
        let mut state = self.state();
        if state.outgoing.put_back(datagram) {
            state.statistics.sent_dropped += 1;
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// There may be something to send, or the end may have come: look at both.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Until the socket ends it.
    pub(super) async fn until_end(&self) {
        while !self.has_ended() {
            self.work.notified().await;
        }
    }

    /// Changes the state and then wakes whoever sleeps, without the lock.
    fn wake(&self, change: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = self.state();
            change(&mut state);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Session {
    /// A panic of another thread with the lock cannot have left a queue half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
