/// Buffers that have been used before, so that a steady flow of messages allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    free: Vec<Vec<u8>>,
}

impl BufferPool {
    /// More than a busy connection holds at once; the rest goes back to the allocator.
    const MAX_BUFFERS: usize = 256;
    /// Buffers that once held something large are not kept: 256 of these are half a megabyte a connection at most.
    const MAX_BYTES: usize = 2_048;

    /// An empty buffer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.free.pop().unwrap_or_default()
    }

    /// A buffer with a copy of `bytes`.
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = self.take();
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// Takes a buffer back.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 0
            && buffer.capacity() <= Self::MAX_BYTES
            && self.free.len() < Self::MAX_BUFFERS
        {
            buffer.clear();
            self.free.push(buffer);
        }
    }
}
