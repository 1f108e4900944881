use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::Address;

/// What waits for one socket. Senders push, the socket pops; either may be on any thread.
///
/// The bytes of all datagrams stand one after the other in a ring, so that nothing is allocated for a
/// datagram once the ring is as large as the usual load, and what is held is counted exactly.
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// In bytes, [`OVERHEAD`] counted.
    capacity: usize,
}

#[derive(Default)]
struct State {
    heads: VecDeque<Head>,
    bytes: VecDeque<u8>,
    waker: Option<Waker>,
}

struct Head {
    from: Address,
    size: usize,
}

/// What a datagram counts for beside its bytes, so that empty ones are bounded too: about what a head takes.
const OVERHEAD: usize = 32;

impl Inbox {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), capacity }
    }

    /// Leaves a datagram; `false` if there is no room.
    pub(crate) fn push(&self, from: Address, datagram: &[u8]) -> bool {
        let mut state = self.lock();
        let held = state.bytes.len() + state.heads.len() * OVERHEAD;
        if held.saturating_add(datagram.len() + OVERHEAD) > self.capacity {
            return false;
        }
        state.heads.push_back(Head { from, size: datagram.len() });
        state.bytes.extend(datagram);
        let waker = state.waker.take();
        // Outside the lock: whoever wakes may want to receive at once.
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Moves the next datagram into `buffer`.
    pub(crate) fn pop(&self, buffer: &mut Vec<u8>) -> Option<Address> {
        let mut state = self.lock();
        let Head { from, size } = state.heads.pop_front()?;
        buffer.clear();
        let (front, back) = state.bytes.as_slices();
        let front = front.get(..size).unwrap_or(front);
        buffer.extend_from_slice(front);
        buffer.extend_from_slice(back.get(..size - front.len()).unwrap_or_default());
        state.bytes.drain(..size);
        Some(from)
    }

    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.heads.is_empty() {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here is left half done by a panic, except by one for want of memory.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_popped_wherever_the_ring_ends() {
        let inbox = Inbox::new(1_000);
        let mut buffer = Vec::new();
        for round in 0..500_u16 {
            let datagram = vec![round as u8; usize::from(round % 90)];
            assert!(inbox.push(Address::SERVER, &datagram));
            if round > 2 {
                assert!(inbox.pop(&mut buffer).is_some());
                assert_eq!(buffer, vec![(round - 3) as u8; usize::from((round - 3) % 90)]);
            }
        }
    }

    #[test]
    fn an_inbox_has_an_end() {
        let inbox = Inbox::new(4 * (OVERHEAD + 68));
        let pushed = (0..10).filter(|_| inbox.push(Address::SERVER, &[0; 68])).count();
        assert_eq!(pushed, 4);
        let empty = Inbox::new(10 * OVERHEAD);
        assert_eq!((0..100).filter(|_| empty.push(Address::SERVER, &[])).count(), 10);
    }

    #[test]
    fn memory_stays_as_it_is_once_warm() {
        let inbox = Inbox::new(1 << 20);
        let mut buffer = Vec::new();
        let memory = |buffer: &Vec<u8>| {
            let state = inbox.lock();
            (state.heads.capacity(), state.bytes.capacity(), buffer.capacity())
        };
        let mut warm = None;
        for _ in 0..100 {
            for _ in 0..50 {
                inbox.push(Address::SERVER, &[7; 1_200]);
                assert!(warm.is_none_or(|warm| warm == memory(&buffer)));
            }
            while inbox.pop(&mut buffer).is_some() {
                assert!(warm.is_none_or(|warm| warm == memory(&buffer)));
            }
            warm = Some(memory(&buffer));
        }
    }
}
