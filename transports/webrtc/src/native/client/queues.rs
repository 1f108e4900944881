//! What waits between the caller's thread and the engine's. Both queues are bounded: what does not fit is lost, as
//! datagrams may be.

use std::collections::VecDeque;

use webrtc::data_channel::RTCDataChannelMessage;

/// How many datagrams wait to be sent. Two seconds of a client that sends 30 times a second; what waits longer than
/// that is of no use to anybody.
pub(super) const MAX_OUTGOING: usize = 64;

/// How many datagrams wait to be received: some seconds of a busy server.
pub(super) const MAX_INCOMING: usize = 4_096;

/// How many bytes wait to be received.
pub(super) const MAX_INCOMING_BYTES: usize = 4 << 20;

/// What is to be sent. Where there is no room, the oldest makes way.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    waiting: VecDeque<Vec<u8>>,
    /// Buffers to use again.
    spare: Vec<Vec<u8>>,
}

impl Outgoing {
    /// Queues a datagram; `true` if an older one was lost for it.
    pub(super) fn push(&mut self, datagram: &[u8]) -> bool {
        let full = self.waiting.len() >= MAX_OUTGOING;
        if full && let Some(oldest) = self.waiting.pop_front() {
            self.give_back(oldest);
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(datagram);
        self.waiting.push_back(buffer);
        full
    }

    /// The oldest that waits.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        self.waiting.pop_front()
    }

    /// Puts back what could not go yet; `true` if it was lost instead, because newer ones have filled the queue since.
    pub(super) fn put_back(&mut self, datagram: Vec<u8>) -> bool {
        let full = self.waiting.len() >= MAX_OUTGOING;
        if full {
            self.give_back(datagram);
        } else {
            self.waiting.push_front(datagram);
        }
        full
    }

    /// A buffer that is no longer needed.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < MAX_OUTGOING {
            self.spare.push(buffer);
        }
    }

    /// Drops all; how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.spare = Vec::new();
        std::mem::take(&mut self.waiting).len()
    }
}

/// What has arrived. Where there is no room, the newest is lost: who does not receive has no use for it either.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    waiting: VecDeque<RTCDataChannelMessage>,
    bytes: usize,
}

impl Incoming {
    /// Queues a datagram; `true` if there was no room for it.
    pub(super) fn push(&mut self, message: RTCDataChannelMessage) -> bool {
        let size = message.data.len();
        if self.waiting.len() >= MAX_INCOMING || self.bytes + size > MAX_INCOMING_BYTES {
            return true;
        }
        self.bytes += size;
        self.waiting.push_back(message);
        false
    }

    pub(super) fn pop(&mut self) -> Option<RTCDataChannelMessage> {
        let message = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.data.len());
        Some(message)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use webrtc::data_channel::RTCDataChannelMessage;

    use super::{Incoming, MAX_INCOMING, MAX_INCOMING_BYTES, MAX_OUTGOING, Outgoing};

    fn message(size: usize) -> RTCDataChannelMessage {
        RTCDataChannelMessage { is_string: false, data: vec![7_u8; size].as_slice().into() }
    }

    #[test]
    fn the_oldest_makes_way_for_the_newest() {
        let mut outgoing = Outgoing::default();
        let lost = (0..100_u8).filter(|number| outgoing.push(&[*number])).count();
        assert_eq!(lost, 100 - MAX_OUTGOING);
        let left: Vec<u8> = std::iter::from_fn(|| outgoing.pop()).flatten().collect();
        assert_eq!(left, (36..100).collect::<Vec<u8>>());
    }

    #[test]
    fn what_is_put_back_is_first_again_unless_newer_ones_fill_the_queue() {
        let mut outgoing = Outgoing::default();
        for number in 0..10 {
            outgoing.push(&[number]);
        }
        let first = outgoing.pop().unwrap();
        assert!(!outgoing.put_back(first));
        assert_eq!(outgoing.pop().unwrap(), [0]);
        let second = outgoing.pop().unwrap();
        for number in 100..200 {
            outgoing.push(&[number]);
        }
        assert!(outgoing.put_back(second));
        assert_eq!(outgoing.pop().unwrap(), [136]);
        assert_eq!(outgoing.clear(), MAX_OUTGOING - 1);
        assert_eq!(outgoing.pop(), None);
    }

    #[test]
    fn what_arrives_is_bounded_in_number_and_in_bytes() {
        let mut incoming = Incoming::default();
        let lost = (0..5_000).filter(|_| incoming.push(message(1))).count();
        assert_eq!(lost, 5_000 - MAX_INCOMING);
        assert_eq!(std::iter::from_fn(|| incoming.pop()).count(), MAX_INCOMING);

        let held = (0..5_000).filter(|_| !incoming.push(message(1_100))).count();
        assert_eq!(held, MAX_INCOMING_BYTES / 1_100);
        assert!(
            incoming.pop().is_some() && !incoming.push(message(1_100)),
            "room that is free again is used"
        );
    }
}
