//! Packets that are compressed, on their way out and in.

use super::{Intake, Link};
use crate::Instant;
use crate::acks::Arrival;
use crate::compression::Compression;
use crate::connection::CompressionState;
use crate::packet::{CompressedPacket, body};

/// Tries fewer packets where those before did not become smaller: to find out takes some microseconds for each, and
/// bits that are packed tightly, as those of things that move, never do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Luck {
    /// How many packets in a row have not become smaller, tried or not.
    fruitless: u32,
}

impl Luck {
    /// After so many in a row ..
    const PATIENCE: u32 = 32;
    /// .. one of so many is tried.
    const INTERVAL: u32 = 8;

    const fn is_tried(self) -> bool {
        self.fruitless < Self::PATIENCE || self.fruitless.is_multiple_of(Self::INTERVAL)
    }

    const fn saved(&mut self, bytes: usize) {
        self.fruitless = if bytes > 0 { 0 } else { self.fruitless.wrapping_add(1) };
    }
}

impl Link {
    /// Makes a packet smaller, if it can be, before it is sealed.
    pub(super) fn shrink(&mut self, packet: &mut Vec<u8>) {
        self.record(packet);
        let is_worth_it = Compression::is_worth_it(packet, self.security);
        let Some(compression) = self.compression().filter(|_| is_worth_it) else { return };
        let saved = if self.luck.is_tried() { compression.compress(packet, self.security) } else { 0 };
        self.luck.saved(saved);
        self.stats.bytes_saved_sent += saved as u64;
    }

    /// Hands a packet that is not compressed to the recorder.
    pub(super) fn record(&self, packet: &[u8]) {
        if let Some(recorder) = &self.config.recorder {
            recorder.record(body(packet, self.security));
        }
    }

    /// A compressed packet whose token is this session's.
    pub(super) fn take_in_compressed(&mut self, now: Instant, bytes: &[u8]) -> Intake {
        // Who compresses though it was not agreed on is not understood.
        let Some(compression) = self.compression().cloned() else { return self.malformed() };
        let Ok(packet) = CompressedPacket::decode(bytes, self.security) else { return self.malformed() };
        if !matches!(self.received.classify(packet.sequence()), Arrival::New(_)) {
            self.stats.packets_duplicate += 1;
            return Intake::Dropped;
        }
        let Some(restored) = compression.restore(&packet) else { return self.malformed() };
        let plain = restored.bytes();
        let intake = self.take_in_plain(now, plain, bytes.len());
        if intake != Intake::Dropped {
            self.stats.bytes_saved_received += plain.len().saturating_sub(bytes.len()) as u64;
        }
        compression.recycle(restored);
        intake
    }

    fn malformed(&mut self) -> Intake {
        self.stats.malformed += 1;
        Intake::Dropped
    }

    fn compression(&self) -> Option<&Compression> {
        let is_agreed = self.stats.compression == CompressionState::On;
        self.config.compression.as_ref().filter(|_| is_agreed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_shrinks_is_tried_now_and_then() {
        let mut luck = Luck::default();
        let mut tried = |packets: u32| {
            let mut tried = 0;
            for _ in 0..packets {
                tried += u32::from(luck.is_tried());
                luck.saved(0);
            }
            tried
        };
        assert_eq!(tried(Luck::PATIENCE), Luck::PATIENCE);
        assert_eq!(tried(800), 100);
        luck.saved(1);
        assert!((0..Luck::PATIENCE).all(|_| {
            luck.saved(0);
            luck.fruitless == Luck::PATIENCE || luck.is_tried()
        }));
    }
}
