//! The suite can fail: each check is red for a transport that breaks its rule, and for one that breaks none
//! all are green.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::transport::{Datagram, Security};
use crate::{Clock, ManualClock};

/// What a transport may do wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    CutsTheLastByte,
    ZeroesOneByte,
    DropsLargest,
    JoinsPairs,
    Doubles,
    MovesAbout,
    MixesPeersUp,
    TalksToItself,
    ChokesOnEmpty,
    TakesAnySize,
    RefusesWithTheWrongKind,
    ClosesForAll,
    ForgetsOthersOnClose,
    StaysShut,
    DiesWithAPeer,
    KeepsEverything,
    ChangesItsMind,
    StaleDeadline,
    NeverWakes,
}

#[derive(Default)]
struct Net {
    inboxes: BTreeMap<u32, VecDeque<(u32, Vec<u8>)>>,
    wakers: BTreeMap<u32, Waker>,
    sent: usize,
    closed: bool,
}

struct Node {
    net: Rc<RefCell<Net>>,
    address: u32,
    fault: Fault,
    current: Vec<u8>,
    questions: std::cell::Cell<u32>,
    was_reopened: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
struct NodeError(TransportErrorKind);

impl TransportError for NodeError {
    fn kind(&self) -> TransportErrorKind {
        self.0
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.net.borrow_mut().inboxes.remove(&self.address);
    }
}

impl Transport for Node {
    type Address = u32;
    type Error = NodeError;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, u32>>, NodeError> {
        let mut net = self.net.borrow_mut();
        if net.closed {
            return Err(NodeError(TransportErrorKind::Closed));
        }
        let inbox = net.inboxes.get_mut(&self.address).unwrap();
        let next = match (self.fault, inbox.pop_front()) {
            (Fault::TalksToItself, None) if self.current.is_empty() => Some((0, vec![0])),
            (Fault::JoinsPairs, Some((from, mut bytes))) => {
                bytes.extend(inbox.pop_front_if(|next| next.0 == from).into_iter().flat_map(|next| next.1));
                Some((from, bytes))
            }
            (_, next) => next,
        };
        let Some((from, bytes)) = next else { return Ok(None) };
        self.current = bytes;
        Ok(Some(Datagram { from, bytes: &self.current }))
    }

    fn send(&mut self, _: Instant, to: u32, datagram: &[u8]) -> Result<(), NodeError> {
        let mut net = self.net.borrow_mut();
        net.sent += 1;
        let max = self.max_datagram_size();
        match self.fault {
            Fault::TakesAnySize => {}
            Fault::RefusesWithTheWrongKind if datagram.len() > max => {
                return Err(NodeError(TransportErrorKind::Busy));
            }
            _ if datagram.len() > max => return Err(NodeError(TransportErrorKind::TooLarge)),
            Fault::ChokesOnEmpty if datagram.is_empty() => net.closed = true,
            Fault::DropsLargest if datagram.len() == max => return Ok(()),
            _ => {}
        }
        let mut bytes = datagram.to_vec();
        let (mut from, mut to) = (self.address, to);
        match self.fault {
            Fault::CutsTheLastByte => drop(bytes.pop()),
            Fault::ZeroesOneByte if bytes.len() > 100 => bytes[99] = 0,
            Fault::MovesAbout if net.sent.is_multiple_of(7) && from != 0 => from += 100,
            Fault::MovesAbout => to %= 100,
            Fault::MixesPeersUp if to > 1 => to -= 1,
            _ => {}
        }
        if !net.inboxes.contains_key(&to) {
            net.closed |= self.fault == Fault::DiesWithAPeer;
            return Err(NodeError(TransportErrorKind::Unreachable));
        }
        let inbox = net.inboxes.get_mut(&to).unwrap();
        if inbox.len() >= 1_000 && self.fault != Fault::KeepsEverything {
            return Err(NodeError(TransportErrorKind::Busy));
        }
        if self.fault == Fault::Doubles {
            inbox.push_back((from, bytes.clone()));
        }
        inbox.push_back((from, bytes));
        if let Some(waker) = net.wakers.remove(&to)
            && self.fault != Fault::NeverWakes
        {
            waker.wake();
        }
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), NodeError> {
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        1_200
    }

    fn security(&self, _: u32) -> Security {
        self.questions.set(self.questions.get() + 1);
        let proved = self.fault == Fault::ChangesItsMind && self.questions.get() > 2;
        Security { address_proved: proved, secret: false }
    }

    fn name(&self, _: u32) -> &'static str {
        "node"
    }

    fn close(&mut self, _: u32) {
        let mut net = self.net.borrow_mut();
        match self.fault {
            Fault::ClosesForAll => net.closed = true,
            Fault::ForgetsOthersOnClose => net.inboxes.values_mut().for_each(VecDeque::clear),
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        (self.fault == Fault::StaleDeadline).then_some(Instant::ZERO)
    }
}

impl ClientTransport for Node {
    fn server_address(&self) -> u32 {
        0
    }

    fn is_open(&self) -> bool {
        !(self.was_reopened && self.fault == Fault::StaysShut)
    }

    fn reopen(&mut self) {
        self.was_reopened = true;
    }
}

impl Readiness for Node {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut net = self.net.borrow_mut();
        if !net.inboxes[&self.address].is_empty() {
            return Poll::Ready(());
        }
        net.wakers.insert(self.address, cx.waker().clone());
        Poll::Pending
    }
}

struct Nodes {
    net: Rc<RefCell<Net>>,
    clock: ManualClock,
    fault: Fault,
    made: u32,
}

impl Nodes {
    fn new(fault: Fault) -> Self {
        Self { net: Rc::default(), clock: ManualClock::new(), fault, made: 0 }
    }

    fn node(&mut self) -> Node {
        let address = self.made;
        self.made += 1;
        self.net.borrow_mut().inboxes.insert(address, VecDeque::new());
        Node {
            net: self.net.clone(),
            address,
            fault: self.fault,
            current: Vec::new(),
            questions: std::cell::Cell::default(),
            was_reopened: false,
        }
    }
}

impl Bench for Nodes {
    type Server = Node;
    type Client = Node;

    fn server(&mut self) -> Node {
        self.node()
    }

    fn client(&mut self) -> Node {
        self.node()
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wait(&mut self) {
        self.clock.advance(Duration::from_millis(1));
    }
}

#[test]
fn a_transport_without_fault_passes() {
    check_all(|| Nodes::new(Fault::None));
    a_sleeper_is_woken(Nodes::new(Fault::None));
}

#[test]
fn every_fault_is_found_by_the_check_that_looks_for_it() {
    type Check = fn(Nodes);
    let found_by: [(Fault, Check, &str); 19] = [
        (Fault::CutsTheLastByte, every_size_arrives_unchanged, "did not arrive"),
        (Fault::ZeroesOneByte, every_size_arrives_unchanged, "did not arrive"),
        (Fault::DropsLargest, every_size_arrives_unchanged, "did not arrive"),
        (Fault::JoinsPairs, a_burst_is_not_joined, "did not arrive"),
        (Fault::Doubles, a_burst_is_not_joined, "of 33 arrived"),
        (Fault::MovesAbout, peers_are_told_apart, "changed"),
        (Fault::MixesPeersUp, peers_are_told_apart, "did not arrive"),
        (Fault::TalksToItself, nothing_comes_from_nothing, "nobody sent"),
        (Fault::ChokesOnEmpty, an_empty_datagram_breaks_nothing, "has closed"),
        (Fault::TakesAnySize, too_large_is_refused, "send took"),
        (Fault::RefusesWithTheWrongKind, too_large_is_refused, "not as TooLarge"),
        (Fault::ClosesForAll, closing_disturbs_nobody_else, "has closed"),
        (Fault::ForgetsOthersOnClose, closing_disturbs_nobody_else, "threw away"),
        (Fault::StaysShut, a_client_opens_again, "did not open again"),
        (Fault::DiesWithAPeer, a_vanished_peer_is_silence, "has closed"),
        (Fault::KeepsEverything, a_flood_is_bounded, "were kept"),
        (Fault::ChangesItsMind, facts_are_stable, "changed"),
        (Fault::StaleDeadline, deadlines_are_ahead, "next_deadline()"),
        (Fault::NeverWakes, a_sleeper_is_woken, "not woken"),
    ];
    for (fault, check, words) in found_by {
        let panic = catch_unwind(AssertUnwindSafe(|| check(Nodes::new(fault))));
        let panic = panic.expect_err(&format!("{fault:?} was not found"));
        let literal = || panic.downcast_ref::<&str>().copied().unwrap_or_default();
        let said = panic.downcast_ref::<String>().map_or_else(literal, String::as_str);
        assert!(said.contains(words), "{fault:?} was found with the words: {said}");
    }
}
