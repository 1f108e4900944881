//! Between the game's thread and the engine's: datagrams in bulk, so that either waits for the other only as long as it takes
//! to swap two buffers.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::Error;

/// Datagrams in a row, with whom each is from or for. Cleared, it keeps its memory.
#[derive(Debug)]
pub(crate) struct Batch<A> {
    bytes: Vec<u8>,
    /// Whose, and where its bytes end.
    entries: Vec<(A, usize)>,
    next: usize,
}

/// A batch that has grown beyond this in a burst gives its memory back.
const MAX_IDLE_BYTES: usize = 1 << 20;

impl<A: Copy> Batch<A> {
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new(), entries: Vec::new(), next: 0 }
    }

    pub(crate) fn push(&mut self, whose: A, datagram: &[u8]) {
        self.bytes.extend_from_slice(datagram);
        self.entries.push((whose, self.bytes.len()));
    }

    /// The next that was not read yet: whose, and where its bytes are.
    pub(crate) fn next(&mut self) -> Option<(A, Range<usize>)> {
        let (whose, end) = *self.entries.get(self.next)?;
        let start =
            self.next.checked_sub(1).and_then(|last| self.entries.get(last)).map_or(0, |(_, end)| *end);
        self.next += 1;
        Some((whose, start..end))
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether not all of it was read.
    pub(crate) fn has_more(&self) -> bool {
        self.next < self.entries.len()
    }

    /// What it takes, with a share of bookkeeping for each datagram, so that many small ones count too.
    fn weight(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<(A, usize)>()
    }

    fn clear(&mut self) {
        if self.bytes.capacity() > MAX_IDLE_BYTES {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.entries.clear();
        self.next = 0;
    }

    /// Moves what `other` has to the end of this one, as far as there is room; how many datagrams were left out. `other` is
    /// empty afterwards.
    fn append(&mut self, other: &mut Self, limit: usize) -> u64 {
        if self.is_empty() {
            std::mem::swap(self, other);
            return 0;
        }
        let mut left_out = 0;
        while let Some((whose, range)) = other.next() {
            if self.weight() + range.len() > limit {
                left_out += 1;
            } else {
                self.push(whose, other.bytes(range));
            }
        }
        other.clear();
        left_out
    }
}

/// One direction: a batch that one thread adds to and the other takes whole.
#[derive(Debug)]
pub(crate) struct Mailbox<A> {
    state: Mutex<State<A>>,
    limit: usize,
}

#[derive(Debug)]
struct State<A> {
    batch: Batch<A>,
    waker: Option<Waker>,
    /// How often it was emptied.
    turns: u64,
    left_out: u64,
    has_ended: bool,
}

impl<A: Copy> Mailbox<A> {
    /// Holds so many bytes at most.
    pub(crate) const fn new(limit: usize) -> Self {
        let state = State { batch: Batch::new(), waker: None, turns: 0, left_out: 0, has_ended: false };
        Self { state: Mutex::new(state), limit }
    }

    /// Adds what is in `batch`, which is empty then, and wakes whoever waits for it. `false` if there was nothing.
    pub(crate) fn put(&self, batch: &mut Batch<A>) -> bool {
        if batch.is_empty() {
            return false;
        }
        let waker = {
            let mut state = self.lock();
            let left_out = state.batch.append(batch, self.limit);
            state.left_out += left_out;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The same where `batch` has grown long: whoever never flushes keeps no more than this.
    pub(crate) fn put_if_long(&self, batch: &mut Batch<A>) {
        if batch.weight() > self.limit / 4 {
            self.put(batch);
        }
    }

    /// The next datagram: of `batch`, or, when that was read to its end, of all there is then.
    ///
    /// # Errors
    /// When there is nothing, and nothing will come any more.
    pub(crate) fn next_of(&self, batch: &mut Batch<A>) -> Result<Option<(A, Range<usize>)>, Error> {
        if let Some(next) = batch.next() {
            return Ok(Some(next));
        }
        self.take(batch);
        match batch.next() {
            None if self.has_ended() => {
                Err(Error::Broken { why: "its thread has ended, and has logged why".to_owned() })
            }
            next => Ok(next),
        }
    }

    /// Takes all there is into `batch`, which must have been read to its end.
    pub(crate) fn take(&self, batch: &mut Batch<A>) {
        batch.clear();
        let mut state = self.lock();
        if !state.batch.is_empty() {
            std::mem::swap(&mut state.batch, batch);
            state.turns += 1;
        }
    }

    /// How often it was emptied: what each peer may have in it counts from then.
    pub(crate) fn turns(&self) -> u64 {
        self.lock().turns
    }

    /// How many datagrams found no room.
    pub(crate) fn left_out(&self) -> u64 {
        self.lock().left_out
    }

    /// Nothing will come any more.
    pub(crate) fn end(&self) {
        let waker = {
            let mut state = self.lock();
            state.has_ended = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    pub(crate) fn poll_filled(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.batch.is_empty() || state.has_ended {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        // A batch is whole between any two of its statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(batch: &mut Batch<u8>) -> Vec<(u8, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some((whose, range)) = batch.next() {
            all.push((whose, batch.bytes(range).to_vec()));
        }
        all
    }

    #[test]
    fn datagrams_keep_their_bounds_and_their_order() {
        let mailbox = Mailbox::new(1_000);
        let (mut ours, mut theirs) = (Batch::new(), Batch::new());
        ours.push(1, b"ahoy");
        ours.push(2, b"");
        mailbox.put(&mut ours);
        assert!(ours.is_empty());
        ours.push(1, b"again");
        mailbox.put(&mut ours);
        mailbox.take(&mut theirs);
        let expected = [(1, b"ahoy".to_vec()), (2, vec![]), (1, b"again".to_vec())];
        assert_eq!(read(&mut theirs), expected);
        mailbox.take(&mut theirs);
        assert_eq!((read(&mut theirs), mailbox.turns()), (vec![], 1));
    }

    #[test]
    fn what_finds_no_room_is_left_out_and_counted() {
        let mailbox = Mailbox::new(200);
        let (mut ours, mut theirs) = (Batch::new(), Batch::new());
        for number in 0..100 {
            ours.push(number, &[number; 50]);
            mailbox.put(&mut ours);
        }
        mailbox.take(&mut theirs);
        let kept = read(&mut theirs).len();
        assert!((1..=4).contains(&kept), "{kept}");
        assert_eq!(mailbox.left_out(), 100 - kept as u64);
    }
}
