use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::ops::Range;

use quinn_udp::{BATCH_SIZE, RecvMeta};

use crate::io::Io;

/// What the last system call has received, handed out one by one.
pub(crate) struct Received {
    memory: Box<[u8]>,
    metas: [RecvMeta; BATCH_SIZE],
    /// How many of `metas` are filled.
    filled: usize,
    /// The next to hand out: a slot, and a place in it.
    slot: usize,
    offset: usize,
}

/// The size of a slot, in bytes. No datagram is larger (RFC 768: a 16-bit length), nor is what the system
/// coalesces into one, so nothing is ever cut. Memory that is never written to is never given by the system
/// either.
const SLOT: usize = 1 << 16;

/// The slots of a client, which receives from one peer: coalesced, that is more than a tick's.
pub(crate) const CLIENT_SLOTS: usize = 4;

/// The slots of a server: as many as one system call fills.
pub(crate) const SERVER_SLOTS: usize = BATCH_SIZE;

impl Received {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            memory: vec![0; slots.clamp(1, BATCH_SIZE) * SLOT].into_boxed_slice(),
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
            slot: 0,
            offset: 0,
        }
    }

    /// Whether there is more to hand out without a system call.
    #[cfg(feature = "tokio")]
    pub(crate) fn has_more(&self) -> bool {
        self.slot < self.filled
    }

    /// The next datagram: who sent it, and where its [bytes](Self::bytes) are.
    pub(crate) fn next(&mut self) -> Option<(SocketAddr, Range<usize>)> {
        if self.slot >= self.filled {
            return None;
        }
        let meta = self.metas.get(self.slot)?;
        // The system has put datagrams of one sender, all of one size but the last, into one slot.
        let end = self.offset.saturating_add(meta.stride.max(1)).min(meta.len);
        let base = self.slot * SLOT;
        let range = base + self.offset..base + end;
        if end < meta.len {
            self.offset = end;
        } else {
            self.slot += 1;
            self.offset = 0;
        }
        Some((meta.addr, range))
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.memory.get(range).unwrap_or_default()
    }

    /// Receives once more. What has not been handed out is lost.
    pub(crate) fn refill(&mut self, io: &Io) -> io::Result<()> {
        (self.filled, self.slot, self.offset) = (0, 0, 0);
        let mut count = 0;
        let mut chunks = self.memory.chunks_exact_mut(SLOT).inspect(|_| count += 1);
        let mut slots: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        drop(chunks);
        self.filled = io.receive(slots.get_mut(..count).unwrap_or_default(), &mut self.metas)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(slots: &[(usize, usize)]) -> Received {
        let mut received = Received::new(SERVER_SLOTS);
        for (meta, (len, stride)) in received.metas.iter_mut().zip(slots) {
            (meta.len, meta.stride) = (*len, *stride);
        }
        received.filled = slots.len();
        received
    }

    #[test]
    fn what_the_system_joined_is_taken_apart() {
        let mut received = received(&[(100, 100), (250, 100), (0, 0), (300, 100), (5, 9)]);
        let ranges: Vec<_> = std::iter::from_fn(|| received.next()).map(|(_, range)| range).collect();
        let expected = [
            0..100,
            SLOT..SLOT + 100,
            SLOT + 100..SLOT + 200,
            SLOT + 200..SLOT + 250,
            2 * SLOT..2 * SLOT,
            3 * SLOT..3 * SLOT + 100,
            3 * SLOT + 100..3 * SLOT + 200,
            3 * SLOT + 200..3 * SLOT + 300,
            4 * SLOT..4 * SLOT + 5,
        ];
        assert_eq!(ranges, expected);
    }

    #[test]
    fn nonsense_of_the_system_ends() {
        let mut received = received(&[(3, 0), (SLOT, usize::MAX)]);
        assert_eq!(std::iter::from_fn(|| received.next()).count(), 4);
        assert_eq!(received.bytes(usize::MAX - 1..usize::MAX), b"");
    }
}
