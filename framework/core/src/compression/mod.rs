//! Packets that are smaller on the wire: `zstd`, packet by packet, with a dictionary or without.
//!
//! Each packet is compressed by itself, for those before it may be lost. So there is little to refer back to in one, and
//! a dictionary, trained from recorded packets of the same game, gives most of what is won.
//!
//! Nothing is compressed that is not smaller then, and nothing before both sides are connected and know that the other
//! one reads it: what strangers send is never decompressed.

mod engine;
mod recorder;

pub use recorder::{Recorder, TrainError, train_dictionary};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Security;
use crate::packet::{CompressedPacket, body, replace_body};

use engine::{Engine, MAX_BODY, MIN_BODY};

/// How packets are compressed. Both sides need one, with the same dictionary or both without; levels may differ.
///
/// It is cheap to clone: clones share one compressor and its memory, and so do all connections of a server that is
/// configured with it.
///
/// ```
/// use bowline_core::ConnectionConfig;
/// use bowline_core::compression::Compression;
///
/// let mut config = ConnectionConfig::default();
/// config.compression = Some(Compression::new(Compression::DEFAULT_LEVEL));
/// ```
#[derive(Clone)]
pub struct Compression(Arc<Shared>);

struct Shared {
    id: u64,
    level: i32,
    workshop: Mutex<Workshop>,
}

struct Workshop {
    engine: Engine,
    /// Where packets are restored to; away while a connection reads one.
    restored: Option<Box<[u8]>>,
}

/// A dictionary is damaged, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zstd can not use this dictionary: give it what `train_dictionary` made, whole and unchanged")]
pub struct DictionaryError;

impl Compression {
    /// What `zstd` itself takes where nothing is said.
    pub const DEFAULT_LEVEL: i32 = 3;
    /// The highest level. Those beyond it in `zstd` differ in memory for data far larger than a packet.
    pub const MAX_LEVEL: i32 = 19;
    /// The fewest bytes that make a dictionary: its magic number, and its own id.
    const MIN_DICTIONARY: usize = 8;
    /// It goes into the id: who compresses in another way has another one.
    const FORMAT: u64 = 1;

    /// Without a dictionary. `level` is `zstd`'s, from 1, fast, to [`MAX_LEVEL`](Self::MAX_LEVEL), slow.
    #[must_use]
    pub fn new(level: i32) -> Self {
        let level = level.clamp(1, Self::MAX_LEVEL);
        Self::of(Engine::new(level), level, &[])
    }

    /// With a dictionary, of which a copy is kept. The other side must have the very same one; if not, nothing is
    /// compressed.
    ///
    /// # Errors
    /// Where the dictionary is damaged.
    pub fn with_dictionary(dictionary: &[u8], level: i32) -> Result<Self, DictionaryError> {
        if dictionary.len() < Self::MIN_DICTIONARY {
            return Err(DictionaryError);
        }
        let level = level.clamp(1, Self::MAX_LEVEL);
        Ok(Self::of(Engine::with_dictionary(level, dictionary)?, level, dictionary))
    }

    fn of(engine: Engine, level: i32, dictionary: &[u8]) -> Self {
        let id = xxhash_rust::xxh3::xxh3_64_with_seed(dictionary, Self::FORMAT);
        let workshop = Workshop { engine, restored: Some(Restored::buffer()) };
        Self(Arc::new(Shared { id, level, workshop: Mutex::new(workshop) }))
    }

    /// What tells this dictionary, or that there is none, from others: the number that both sides compare.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// How hard it tries.
    #[must_use]
    pub fn level(&self) -> i32 {
        self.0.level
    }

    /// How many bytes of memory the compressor takes, with the dictionary: once for all connections that share it.
    #[must_use]
    pub fn memory(&self) -> usize {
        let workshop = self.workshop();
        workshop.engine.memory() + workshop.restored.as_ref().map_or(0, |buffer| buffer.len())
    }

    /// Whether a data packet could become smaller.
    pub(crate) fn is_worth_it(packet: &[u8], security: Security) -> bool {
        (MIN_BODY..=MAX_BODY).contains(&body(packet, security).len())
    }

    /// Compresses a data packet whose token is still to be written, if that makes it smaller; gives by how many bytes.
    pub(crate) fn compress(&self, packet: &mut Vec<u8>, security: Security) -> usize {
        let mut workshop = self.workshop();
        let Some(block) = workshop.engine.compress(body(packet, security)) else { return 0 };
        replace_body(packet, security, block)
    }

    /// The data packet that a compressed one stands for; `None` if it stands for none. Give it back when it is read.
    pub(crate) fn restore(&self, packet: &CompressedPacket<'_>) -> Option<Restored> {
        let mut workshop = self.workshop();
        // Another thread may be reading one right now.
        let mut buffer = workshop.restored.take().unwrap_or_else(Restored::buffer);
        let head = packet.write_head(&mut buffer);
        let len = buffer
            .get_mut(head..)
            .and_then(|room| room.get_mut(..MAX_BODY))
            .and_then(|room| workshop.engine.decompress(packet.block, room));
        let Some(len) = len else {
            workshop.restored = Some(buffer);
            return None;
        };
        Some(Restored { buffer, len: head + len })
    }

    /// Takes back the memory of a packet that has been read.
    pub(crate) fn recycle(&self, restored: Restored) {
        self.workshop().restored = Some(restored.buffer);
    }

    fn workshop(&self) -> MutexGuard<'_, Workshop> {
        // Every use begins anew, so whatever another thread was doing when it panicked is no matter.
        self.0.workshop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same dictionary and the same level.
impl PartialEq for Compression {
    fn eq(&self, other: &Self) -> bool {
        (self.id(), self.level()) == (other.id(), other.level())
    }
}

impl Eq for Compression {}

impl std::fmt::Debug for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = format_args!("{:#018x}", self.id());
        f.debug_struct("Compression").field("id", &id).field("level", &self.level()).finish_non_exhaustive()
    }
}

/// A data packet as it was before it was compressed.
pub(crate) struct Restored {
    buffer: Box<[u8]>,
    len: usize,
}

impl Restored {
    const CAPACITY: usize = CompressedPacket::MAX_HEAD + MAX_BODY;

    fn buffer() -> Box<[u8]> {
        vec![0; Self::CAPACITY].into_boxed_slice()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
