//! A data packet that is compressed: what it says is a data packet's, its end is a block of `zstd`.
//!
//! ```text
//! byte 0    110 d 1 a qq      d, qq: as in a data packet; a: 0 if no ack bits are written
//! token     16 or 64 bits     as in a data packet, and so the four fields to the tick
//! form      8 bits            only if a: how the ack bits are written, the `aa` of the data packet, never 00
//! block     until the end     the ack bits and the entries, compressed
//! ```
//!
//! Sequence, acknowledgement and tick differ from packet to packet: they would not shrink. That they are legible tells a
//! duplicate before anything is decompressed.

use bowline_wire::DecodeError;

use super::SessionToken;
use super::data::{DATA, FROM_SERVER, QUARTERS};
use crate::Security;

const COMPRESSED: u8 = 0b1100_1000;
const COMPRESSED_MASK: u8 = 0b1110_1000;
const HAS_FORM: u8 = 0b0000_0100;
const FORM_SHIFT: u8 = 2;
const FORM_MASK: u8 = 0b11;

/// How long the part is that every data packet begins with and that is never compressed.
const fn fixed_bytes(security: Security) -> usize {
    1 + SessionToken::wire_bits(security) as usize / 8 + 2 + 2 + 1 + 2
}

/// Whether a packet with this first byte is a compressed one.
pub(crate) const fn is_compressed(first: u8) -> bool {
    first & COMPRESSED_MASK == COMPRESSED
}

/// What of a data packet can be compressed.
pub(crate) fn body(packet: &[u8], security: Security) -> &[u8] {
    packet.get(fixed_bytes(security)..).unwrap_or_default()
}

/// Makes a data packet one whose body is `block`, if that is smaller; gives by how many bytes.
pub(crate) fn replace_body(packet: &mut Vec<u8>, security: Security, block: &[u8]) -> usize {
    let (whole, fixed) = (packet.len(), fixed_bytes(security));
    let Some(first) = packet.first_mut() else { return 0 };
    let form = *first >> FORM_SHIFT & FORM_MASK;
    let smaller = fixed + usize::from(form != 0) + block.len();
    if smaller >= whole {
        return 0;
    }
    let has_form = if form == 0 { 0 } else { HAS_FORM };
    *first = COMPRESSED | *first & (FROM_SERVER | QUARTERS) | has_form;
    packet.truncate(fixed);
    if form != 0 {
        packet.push(form);
    }
    packet.extend_from_slice(block);
    whole - smaller
}

/// A compressed packet, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompressedPacket<'a> {
    /// The first byte of the data packet.
    first: u8,
    /// The rest of what is not compressed.
    fixed: &'a [u8],
    pub(crate) block: &'a [u8],
}

impl<'a> CompressedPacket<'a> {
    /// The most bytes that a restored packet has before its body.
    pub(crate) const MAX_HEAD: usize = fixed_bytes(Security::NONE);

    pub(crate) fn decode(packet: &'a [u8], security: Security) -> Result<Self, DecodeError> {
        let (fixed, rest) = packet.split_at_checked(fixed_bytes(security)).ok_or(DecodeError::Truncated)?;
        let (first, fixed) = fixed.split_first().ok_or(DecodeError::Truncated)?;
        let (form, block) = match rest.split_first() {
            _ if first & HAS_FORM == 0 => (0, rest),
            Some((form @ 1..=FORM_MASK, block)) => (*form, block),
            Some(_) => return Err(DecodeError::NotCanonical),
            None => return Err(DecodeError::Truncated),
        };
        let first = DATA | first & (FROM_SERVER | QUARTERS) | form << FORM_SHIFT;
        Ok(Self { first, fixed, block })
    }

    /// The number of the packet, as it travels.
    pub(crate) fn sequence(&self) -> u16 {
        let field = self.fixed.len().checked_sub(2 + 2 + 1 + 2).and_then(|at| self.fixed.get(at..));
        field.and_then(|field| field.first_chunk()).map_or(0, |bytes| u16::from_le_bytes(*bytes))
    }

    /// Writes what comes before the body of the data packet; gives how many bytes that is.
    pub(crate) fn write_head(&self, into: &mut [u8]) -> usize {
        let head = std::iter::once(&self.first).chain(self.fixed);
        into.iter_mut().zip(head).map(|(byte, value)| *byte = *value).count()
    }
}

#[cfg(test)]
mod tests {
    use bowline_wire::{BitReader, BitWriter};

    use super::*;
    use crate::Side;
    use crate::acks::AckField;
    use crate::packet::DataHeader;

    #[test]
    fn every_header_comes_back_from_a_compressed_packet() {
        let words = [u64::MAX, u64::MAX << 16 | 0x0f0f, 0x1234_5678_9abc_def0];
        for (security, side, word, count, quarter) in [Security::NONE, Security::FULL]
            .into_iter()
            .flat_map(|security| [(security, Side::Client), (security, Side::Server)])
            .flat_map(|(security, side)| words.map(|word| (security, side, word)))
            .flat_map(|(security, side, word)| {
                [(1, 0), (1, 3), (5, 2)].map(|(n, q)| (security, side, word, n, q))
            })
        {
            let mut bits = [0; AckField::MAX_WORDS];
            bits.iter_mut().take(count).for_each(|slot| *slot = word);
            let held_back = std::time::Duration::from_millis(7);
            let acks = AckField { newest: 9, held_back, bits, words: count };
            let header = DataHeader { sequence: 0xabcd, acks, tick: 3, quarter };
            let mut writer = BitWriter::new();
            header.encode(side, security, &mut writer);
            writer.write_bytes(&[0x55; 40]);
            let whole = writer.into_bytes();

            let block = body(&whole, security).get(..20).unwrap().to_vec();
            let mut packet = whole.clone();
            let saved = replace_body(&mut packet, security, &block);
            assert_eq!(saved, whole.len() - packet.len());
            assert!(saved > 0 && is_compressed(packet[0]) && !is_compressed(whole[0]));

            let read = CompressedPacket::decode(&packet, security).unwrap();
            assert_eq!((read.sequence(), read.block), (0xabcd, &block[..]));
            let mut restored = [0; 200];
            let head = read.write_head(&mut restored);
            let rest = body(&whole, security);
            restored[head..head + rest.len()].copy_from_slice(rest);
            let mut reader = BitReader::new(&restored[..head + rest.len()]);
            assert_eq!(DataHeader::decode(side.other(), security, &mut reader), Ok(header));
        }
    }

    #[test]
    fn what_does_not_shrink_stays_as_it_is() {
        let packet = [[0b1110_0000].as_slice(), &[7; 30]].concat();
        let block_of = |len| vec![1; len];
        let body_len = body(&packet, Security::NONE).len();
        let mut same = packet.clone();
        assert_eq!(replace_body(&mut same, Security::NONE, &block_of(body_len)), 0);
        assert_eq!(same, packet);
        assert_eq!(replace_body(&mut same, Security::NONE, &block_of(body_len - 1)), 1);
    }

    #[test]
    fn a_form_that_nobody_writes_is_refused() {
        let mut packet = vec![0; 40];
        packet[0] = COMPRESSED | HAS_FORM;
        for form in 0..=u8::MAX {
            packet[fixed_bytes(Security::NONE)] = form;
            let is_one = CompressedPacket::decode(&packet, Security::NONE).is_ok();
            assert_eq!(is_one, (1..=3).contains(&form), "{form}");
        }
        for cut in 0..=fixed_bytes(Security::NONE) {
            assert!(CompressedPacket::decode(&packet[..cut], Security::NONE).is_err());
        }
    }
}
