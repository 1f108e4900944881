use std::collections::VecDeque;

/// Datagrams that wait. When there is no room the oldest goes: what is newer says more.
#[derive(Debug)]
pub(super) struct Queue {
    datagrams: VecDeque<Vec<u8>>,
    bytes: usize,
    limits: Limits,
    dropped: u64,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) datagrams: usize,
    pub(super) bytes: usize,
}

impl Queue {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { datagrams: VecDeque::new(), bytes: 0, limits, dropped: 0 }
    }

    /// Takes a datagram in, and drops as many of the oldest as it takes. One that is over the limit by itself is dropped.
    pub(super) fn push(&mut self, datagram: Vec<u8>) {
        if datagram.len() > self.limits.bytes || self.limits.datagrams == 0 {
            self.dropped += 1;
            return;
        }
        let most = self.limits.bytes - datagram.len();
        while self.bytes > most || self.datagrams.len() >= self.limits.datagrams {
            if self.pop().is_none() {
                break;
            }
            self.dropped += 1;
        }
        self.bytes += datagram.len();
        self.datagrams.push_back(datagram);
    }

    /// The oldest.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        let datagram = self.datagrams.pop_front()?;
        self.bytes -= datagram.len();
        Some(datagram)
    }

    /// The size of the oldest.
    pub(super) fn next_len(&self) -> Option<usize> {
        self.datagrams.front().map(Vec::len)
    }

    /// How many were dropped so far.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Counts one that was dropped elsewhere.
    pub(super) const fn count_dropped(&mut self) {
        self.dropped += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(datagrams: usize, bytes: usize) -> Queue {
        Queue::new(Limits { datagrams, bytes })
    }

    fn drain(queue: &mut Queue) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn what_fits_comes_out_in_order() {
        let mut queue = queue(3, 100);
        for number in 0..3 {
            queue.push(vec![number; 10]);
        }
        assert_eq!(queue.next_len(), Some(10));
        assert_eq!(drain(&mut queue), [[0; 10], [1; 10], [2; 10]]);
        assert_eq!((queue.dropped(), queue.bytes, queue.next_len()), (0, 0, None));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut queue = queue(3, 100);
        for number in 0..5 {
            queue.push(vec![number]);
        }
        assert_eq!(drain(&mut queue), [[2], [3], [4]]);
        assert_eq!(queue.dropped(), 2);
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much() {
        let mut queue = queue(100, 30);
        for (number, size) in [(0, 10), (1, 10), (2, 10), (3, 15)] {
            queue.push(vec![number; size]);
        }
        assert_eq!(queue.bytes, 25);
        assert_eq!(drain(&mut queue).iter().map(|datagram| datagram[0]).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(queue.dropped(), 2);
    }

    #[test]
    fn one_that_never_fits_takes_no_others_place() {
        let mut queue = queue(2, 10);
        queue.push(vec![1; 10]);
        queue.push(vec![2; 11]);
        assert_eq!(drain(&mut queue), [[1; 10]]);
        assert_eq!(queue.dropped(), 1);
    }
}
