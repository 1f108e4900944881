use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::queue::{Limits, Queue};
use crate::{Error, SignalingError};

/// What a socket and the callbacks of one peer connection share. A new set-up has a new one, so that nothing of the old
/// shows up in it.
///
/// No borrow outlasts a method, and no method calls the browser: a callback finds it free.
#[derive(Debug)]
pub(super) struct Link {
    inner: RefCell<Inner>,
}

#[derive(Debug)]
struct Inner {
    stage: Stage,
    inbox: Queue,
    outbox: Queue,
    received: u64,
    sent: u64,
    /// The set-up, which is to be told when it is given up.
    waker: Option<Waker>,
}

#[derive(Debug)]
enum Stage {
    SettingUp(Step),
    Open,
    Ended(Error),
}

/// How far a set-up has come.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The browser makes an offer.
    Offering,
    /// The offer is on its way to the server, or its answer back.
    Signaling {
        /// Where to.
        url: String,
    },
    /// The server's candidates are tried.
    Connecting {
        /// Which.
        tried: String,
        /// What may be the matter with them.
        hint: &'static str,
    },
    /// There is a path; keys are exchanged.
    Encrypting,
    /// There are keys; the channel opens.
    Opening,
}

/// What can be counted of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) received: u64,
    pub(super) received_dropped: u64,
    pub(super) sent: u64,
    pub(super) sent_dropped: u64,
}

impl Link {
    pub(super) fn new(inbox: Limits, outbox: Limits) -> Self {
        let inner = Inner {
            stage: Stage::SettingUp(Step::Offering),
            inbox: Queue::new(inbox),
            outbox: Queue::new(outbox),
            received: 0,
            sent: 0,
            waker: None,
        };
        Self { inner: RefCell::new(inner) }
    }

    /// The set-up has come further. A callback may come late: nothing goes backwards.
    pub(super) fn advance(&self, to: Step) {
        if let Stage::SettingUp(step) = &mut self.inner.borrow_mut().stage
            && step.order() < to.order()
        {
            *step = to;
        }
    }

    pub(super) fn open(&self) {
        let mut inner = self.inner.borrow_mut();
        if let Stage::SettingUp(_) = inner.stage {
            inner.stage = Stage::Open;
        }
    }

    /// It is over. The first reason counts: what fails after it fails because of it.
    pub(super) fn end(&self, why: Error) {
        let mut inner = self.inner.borrow_mut();
        if !matches!(inner.stage, Stage::Ended(_)) {
            inner.stage = Stage::Ended(why);
        }
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The browser says that the connection has failed, or it took so long that it must have.
    pub(super) fn fail(&self, how: Failing) {
        let why = match (&self.inner.borrow().stage, how) {
            (Stage::SettingUp(step), how) => step.failure(how),
            (Stage::Open, _) => Error::ChannelClosed,
            (Stage::Ended(_), _) => return,
        };
        self.end(why);
    }

    /// Ready when it is over.
    pub(super) async fn ended(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            if matches!(inner.stage, Stage::Ended(_)) {
                return Poll::Ready(());
            }
            inner.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.inner.borrow().stage, Stage::Open)
    }

    pub(super) fn is_setting_up(&self) -> bool {
        matches!(self.inner.borrow().stage, Stage::SettingUp(_))
    }

    /// Why it is over, if it is.
    pub(super) fn end_reason(&self) -> Option<Error> {
        match &self.inner.borrow().stage {
            Stage::Ended(why) => Some(why.clone()),
            Stage::SettingUp(_) | Stage::Open => None,
        }
    }

    pub(super) fn arrived(&self, datagram: Vec<u8>) {
        let mut inner = self.inner.borrow_mut();
        inner.received += 1;
        inner.inbox.push(datagram);
    }

    pub(super) fn next_arrived(&self) -> Option<Vec<u8>> {
        self.inner.borrow_mut().inbox.pop()
    }

    /// Something arrived that is no datagram of ours.
    pub(super) fn arrived_unfit(&self) {
        self.inner.borrow_mut().inbox.count_dropped();
    }

    pub(super) fn wait_to_be_sent(&self, datagram: &[u8]) {
        self.inner.borrow_mut().outbox.push(datagram.to_vec());
    }

    /// The size of what is to be sent next.
    pub(super) fn next_to_send_len(&self) -> Option<usize> {
        self.inner.borrow().outbox.next_len()
    }

    pub(super) fn next_to_send(&self) -> Option<Vec<u8>> {
        self.inner.borrow_mut().outbox.pop()
    }

    /// The browser took a datagram, or did not.
    pub(super) fn count_sent(&self, was_taken: bool) {
        let mut inner = self.inner.borrow_mut();
        if was_taken {
            inner.sent += 1;
        } else {
            inner.outbox.count_dropped();
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let inner = self.inner.borrow();
        Counts {
            received: inner.received,
            received_dropped: inner.inbox.dropped(),
            sent: inner.sent,
            sent_dropped: inner.outbox.dropped(),
        }
    }
}

/// How a set-up fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    /// The browser gave up.
    GivenUp,
    /// Time is up.
    TimedOut {
        /// How long it may take.
        seconds: u64,
    },
}

impl Step {
    const fn order(&self) -> u8 {
        match self {
            Self::Offering => 0,
            Self::Signaling { .. } => 1,
            Self::Connecting { .. } => 2,
            Self::Encrypting => 3,
            Self::Opening => 4,
        }
    }

    /// What it means that the set-up fails here.
    fn failure(&self, how: Failing) -> Error {
        match (self, how) {
            (Self::Signaling { url }, Failing::TimedOut { seconds }) => {
                SignalingError::TimedOut { url: url.clone(), seconds }.into()
            }
            (Self::Connecting { tried, hint }, _) => Error::IceFailed { tried: tried.clone(), hint },
            (Self::Encrypting, Failing::GivenUp) => Error::DtlsFailed {
                why: "the browser gave up; something on the path changes packets?".to_owned(),
            },
            (Self::Encrypting, Failing::TimedOut { seconds }) => {
                Error::DtlsFailed { why: format!("it took longer than {seconds} s") }
            }
            (Self::Offering, Failing::TimedOut { seconds }) => {
                Error::SetupTimedOut { seconds, stage: "the browser makes an offer" }
            }
            (Self::Opening, Failing::TimedOut { seconds }) => {
                Error::SetupTimedOut { seconds, stage: "the data channel opens" }
            }
            (Self::Offering | Self::Signaling { .. } | Self::Opening, Failing::GivenUp) => {
                Error::Broken { why: "the browser ended the peer connection during its set-up".to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;

    use super::*;

    fn link() -> Link {
        let limits = Limits { datagrams: 4, bytes: 100 };
        Link::new(limits, limits)
    }

    fn connecting() -> Step {
        Step::Connecting { tried: "203.0.113.7:14192".to_owned(), hint: "a firewall" }
    }

    const LATE: Failing = Failing::TimedOut { seconds: 10 };

    /// What a link that has come as far as `step` says when it fails.
    fn failure_at(step: Option<Step>, how: Failing) -> Error {
        let link = link();
        step.into_iter().for_each(|step| link.advance(step));
        link.fail(how);
        link.end_reason().unwrap()
    }

    #[test]
    fn what_has_failed_is_what_was_being_done() {
        let signaling = || Step::Signaling { url: "http://x".to_owned() };
        assert!(matches!(failure_at(None, LATE), Error::SetupTimedOut { .. }));
        assert!(matches!(
            failure_at(Some(signaling()), LATE),
            Error::Signaling(SignalingError::TimedOut { .. })
        ));
        for how in [LATE, Failing::GivenUp] {
            let ice = failure_at(Some(connecting()), how);
            assert!(ice.to_string().contains("203.0.113.7:14192; a firewall"), "{ice}");
            assert!(matches!(failure_at(Some(Step::Encrypting), how), Error::DtlsFailed { .. }));
        }
        assert!(matches!(failure_at(Some(Step::Opening), LATE), Error::SetupTimedOut { .. }));
        for early in [None, Some(signaling()), Some(Step::Opening)] {
            assert!(matches!(failure_at(early, Failing::GivenUp), Error::Broken { .. }));
        }
    }

    #[test]
    fn an_open_link_that_fails_was_closed() {
        let link = link();
        link.open();
        assert!(link.is_open() && !link.is_setting_up() && link.end_reason().is_none());
        link.fail(Failing::GivenUp);
        assert!(!link.is_open());
        assert!(matches!(link.end_reason(), Some(Error::ChannelClosed)));
    }

    #[test]
    fn callbacks_that_come_late_change_nothing() {
        let link = link();
        link.advance(Step::Encrypting);
        link.advance(connecting());
        link.fail(LATE);
        assert!(matches!(link.end_reason(), Some(Error::DtlsFailed { .. })));
        link.open();
        link.end(Error::Busy);
        link.fail(Failing::GivenUp);
        assert!(matches!(link.end_reason(), Some(Error::DtlsFailed { .. })), "the first reason counts");
    }

    #[test]
    fn a_set_up_is_told_of_the_end() {
        let link = link();
        let mut ended = pin!(link.ended());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(ended.as_mut().poll(&mut cx).is_pending());
        link.end(Error::ChannelClosed);
        assert!(ended.as_mut().poll(&mut cx).is_ready());
    }

    #[test]
    fn both_ways_are_counted() {
        let link = link();
        for number in 0..6 {
            link.arrived(vec![number]);
            link.wait_to_be_sent(&[number]);
        }
        link.arrived_unfit();
        assert_eq!(link.next_arrived(), Some(vec![2]));
        assert_eq!((link.next_to_send_len(), link.next_to_send()), (Some(1), Some(vec![2])));
        link.count_sent(true);
        link.count_sent(false);
        let counts = link.counts();
        assert_eq!((counts.received, counts.received_dropped), (6, 3));
        assert_eq!((counts.sent, counts.sent_dropped), (1, 3));
    }
}
