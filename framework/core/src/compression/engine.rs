use zstd_safe::{CCtx, CParameter, DCtx};

use super::DictionaryError;

/// The most bytes of a packet that are compressed, and so the most that come out of one: all that fits into a frame of
/// Ethernet. A larger packet is sent as it is. That bounds what a peer's packet can cost, 2 KiB of scratch memory and the
/// microseconds that it takes to fill it. And so what the smallest packet needs in `zstd`'s workspace is more than a third
/// of what the largest does: a workspace that is too large for long is replaced by a smaller one, and would not stay.
pub(crate) const MAX_BODY: usize = 1 << WINDOW_LOG;
const WINDOW_LOG: u8 = 11;

/// Below this nothing is won: a block has two or three bytes of its own.
pub(super) const MIN_BODY: usize = 8;

/// What every frame of ours begins with (RFC 8878 section 3.1.1): the magic number, a descriptor that announces nothing
/// but a window, and the window. Neither it nor the head of the one block travels: both sides know them.
const FRAME_HEAD: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (WINDOW_LOG - 10) << 3];
const BLOCK_HEAD: usize = 3;
const HEAD: usize = FRAME_HEAD.len() + BLOCK_HEAD;

/// The head of a compressed block that is the last of its frame (RFC 8878 section 3.1.1.2).
const fn block_head(len: usize) -> [u8; BLOCK_HEAD] {
    const LAST: u32 = 1;
    const COMPRESSED: u32 = 2 << 1;
    let [a, b, c, _] = (LAST | COMPRESSED | (len as u32) << 3).to_le_bytes();
    [a, b, c]
}

/// One compressor and one decompressor, which many connections use in turn: together they take some hundred kilobytes.
pub(super) struct Engine {
    compressor: CCtx<'static>,
    decompressor: DCtx<'static>,
    /// A frame on its way out or in.
    frame: Box<[u8]>,
}

impl Engine {
    pub(super) fn new(level: i32) -> Self {
        let mut compressor = CCtx::create();
        for parameter in [
            CParameter::CompressionLevel(level),
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(false),
            CParameter::DictIdFlag(false),
        ] {
            // If one were refused, frames would not have the shape that `compress` asks for, and nothing would be
            // compressed.
            let _ = compressor.set_parameter(parameter);
        }
        let mut frame = vec![0; HEAD + MAX_BODY].into_boxed_slice();
        // So all that it will ever need is allocated now.
        let _ = compressor.compress2(&mut frame[..], &[0; MAX_BODY]);
        Self { compressor, decompressor: DCtx::create(), frame }
    }

    pub(super) fn with_dictionary(level: i32, dictionary: &[u8]) -> Result<Self, DictionaryError> {
        let mut engine = Self::new(level);
        engine.compressor.load_dictionary(dictionary).map_err(|_| DictionaryError)?;
        engine.decompressor.load_dictionary(dictionary).map_err(|_| DictionaryError)?;
        // The compressor looks at it only now.
        engine.compressor.compress2(&mut engine.frame[..], &[0; MAX_BODY]).map_err(|_| DictionaryError)?;
        Ok(engine)
    }

    /// The block that stands for `body`, if there is one that is smaller.
    pub(super) fn compress(&mut self, body: &[u8]) -> Option<&[u8]> {
        if !(MIN_BODY..=MAX_BODY).contains(&body.len()) {
            return None;
        }
        let frame = self.frame.get_mut(..HEAD + body.len())?;
        // No room for it means that it does not shrink.
        let len = self.compressor.compress2(frame, body).ok()?;
        let (head, block) = self.frame.get(..len)?.split_at_checked(HEAD)?;
        // The window may be smaller than ours: whoever has room for a large one can read that.
        let (frame_head, block_head_seen) = head.split_at_checked(FRAME_HEAD.len())?;
        let is_usual = frame_head.iter().zip(FRAME_HEAD).take(FRAME_HEAD.len() - 1).all(|(a, b)| *a == b);
        (is_usual && block_head_seen == block_head(block.len())).then_some(block)
    }

    /// Fills `body` with what a block stands for; gives how much that is. `None` for what is no block of ours, or would
    /// take more than `body` has.
    pub(super) fn decompress(&mut self, block: &[u8], body: &mut [u8]) -> Option<usize> {
        if block.len() > MAX_BODY {
            return None;
        }
        let frame = self.frame.get_mut(..HEAD + block.len())?;
        let bytes = FRAME_HEAD.iter().copied().chain(block_head(block.len())).chain(block.iter().copied());
        frame.iter_mut().zip(bytes).for_each(|(byte, value)| *byte = value);
        self.decompressor.decompress(body, frame).ok()
    }

    /// How many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.compressor.sizeof() + self.decompressor.sizeof() + self.frame.len()
    }
}
