use std::net::SocketAddr;

/// Datagrams to one address that one system call can send: all of one size, but for the last, which may be
/// smaller (generic segmentation offload).
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    to: SocketAddr,
    /// The size of the first.
    size: usize,
    count: usize,
}

/// The most bytes in a batch: with headers it must stay below the 65,535 that a UDP packet can say it has.
const MAX_BATCH: usize = 65_000;

impl Outgoing {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(1 << 16),
            to: SocketAddr::from(([0, 0, 0, 0], 0)),
            size: 0,
            count: 0,
        }
    }

    /// Adds a datagram; `false` if the batch has to be sent first.
    pub(crate) fn push(&mut self, to: SocketAddr, datagram: &[u8], max_count: usize) -> bool {
        if self.count == 0 {
            (self.to, self.size) = (to, datagram.len());
        } else if !self.takes(to, datagram.len(), max_count) {
            return false;
        }
        self.bytes.extend_from_slice(datagram);
        self.count += 1;
        true
    }

    /// The batch, if there is any.
    pub(crate) fn batch(&self) -> Option<Batch<'_>> {
        (self.count > 0).then_some(Batch {
            to: self.to,
            bytes: &self.bytes,
            size: self.size,
            count: self.count,
        })
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    fn takes(&self, to: SocketAddr, size: usize, max_count: usize) -> bool {
        let all_full = self.bytes.len() == self.size * self.count;
        to == self.to
            && self.count < max_count
            && all_full
            // An empty one could not be told from none.
            && (1..=self.size).contains(&size)
            && self.bytes.len() + size <= MAX_BATCH
    }
}

/// What stands in an [`Outgoing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch<'a> {
    pub(crate) to: SocketAddr,
    pub(crate) bytes: &'a [u8],
    pub(crate) size: usize,
    pub(crate) count: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts of the batches that datagrams of these sizes fall into.
    fn batches(sends: &[(u16, usize)], max_count: usize) -> Vec<usize> {
        let mut outgoing = Outgoing::new();
        let mut counts = Vec::new();
        for (port, size) in sends {
            let to = SocketAddr::from(([127, 0, 0, 1], *port));
            if !outgoing.push(to, &vec![0; *size], max_count) {
                counts.push(outgoing.batch().unwrap().count);
                outgoing.clear();
                assert!(outgoing.push(to, &vec![0; *size], max_count));
            }
        }
        counts.extend(outgoing.batch().map(|batch| batch.count));
        counts
    }

    #[test]
    fn equal_sizes_to_one_address_go_together() {
        assert_eq!(batches(&[(1, 100), (1, 100), (1, 100)], 64), [3]);
        assert_eq!(batches(&[(1, 100), (1, 100), (1, 40), (1, 100)], 64), [3, 1]);
        assert_eq!(batches(&[(1, 40), (1, 100)], 64), [1, 1]);
        assert_eq!(batches(&[(1, 100), (2, 100), (1, 100)], 64), [1, 1, 1]);
        assert_eq!(batches(&[(1, 100), (1, 0), (1, 0), (1, 100)], 64), [1, 1, 1, 1]);
    }

    #[test]
    fn a_batch_has_an_end() {
        assert_eq!(batches(&[(1, 10); 130], 64), [64, 64, 2]);
        assert_eq!(batches(&[(1, 10); 3], 1), [1, 1, 1]);
        assert_eq!(batches(&[(1, 1_200); 60], 64), [54, 6]);
        assert_eq!(batches(&[(1, 65_507); 2], 64), [1, 1]);
    }
}
