//! Packets of a connection that is up: a header, and entries packed bit by bit.
//!
//! ```text
//! byte 0    111 d aa qq       d: 1 from the server; aa: how the ack bits are written; qq: quarters of the tick gone
//! token     16 or 64 bits     of the receiver's choice; the long one is sealed (see `seal`)
//! sequence  16 bits           of this packet
//! newest    16 bits           the newest packet that arrived from there, 0 for none
//! held      8 bits            how many milliseconds ago it did, at most 255
//! tick      16 bits           the sender's tick
//! ack bits  aa = 00: none, the 64 before it all arrived     aa = 01: 16 bits, the 48 before those arrived
//!           aa = 10: 64 bits                                aa = 11: 8 bits n, then n words of 64 bits
//! entries   until the end of the packet
//! ```
//!
//! An entry is: is it the last (1 bit), same channel as before (1 bit, not in the first), the channel, the
//! numbering, the length in bytes (8 or 15 bits; not in the last, which reaches to the end), the payload.
//! A reliable message's numbering is its number and whether it is the first and the last piece of a message; an
//! unreliable one's is empty, a number where the channel is sequenced, or a group, an index and a count where it is a
//! piece of a larger message. An input's, on a tick-buffered channel, says too how many ticks before that of the packet it
//! was made for. A number that follows that of the entry before it takes one bit.

use std::time::Duration;

use bowline_wire::{BitReader, BitWriter, DecodeError, bits_for};

use super::{SessionToken, Side};
use crate::Security;
use crate::acks::AckField;
use crate::protocol::{ChannelSpec, Mode};

pub(super) const DATA: u8 = 0b1110_0000;
pub(super) const DATA_MASK: u8 = 0b1110_0000;
pub(super) const FROM_SERVER: u8 = 0b0001_0000;
pub(super) const QUARTERS: u8 = 0b0000_0011;

const ACKS_NONE: u8 = 0;
const ACKS_SHORT: u8 = 1;
const ACKS_WORD: u8 = 2;
const ACKS_LONG: u8 = 3;

/// The most pieces of an unreliable message: 16 MiB, the largest that can be configured, in kilobytes.
const PIECE_BITS: u32 = 14;
/// How many ticks before that of the packet an input was made for.
const BACK_BITS: u32 = 6;
const _: () = assert!(crate::channels::MAX_TICKS_BACK >> BACK_BITS == 0);
const SHORT_LENGTH_BITS: u32 = 7;
const LONG_LENGTH_BITS: u32 = 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataHeader {
    pub(crate) sequence: u16,
    pub(crate) acks: AckField,
    pub(crate) tick: u16,
    /// How many quarters of the tick had passed.
    pub(crate) quarter: u8,
}

/// How many bytes a header takes whose acknowledgements are no longer than one word.
pub(crate) const fn header_bytes(security: Security) -> usize {
    1 + SessionToken::wire_bits(security) as usize / 8 + 2 + 2 + 1 + 2 + 8
}

impl DataHeader {
    /// Writes the header; the token's place is filled by [`seal`](super::seal) when the packet is whole.
    pub(crate) fn encode(&self, from: Side, security: Security, writer: &mut BitWriter) {
        let acks = &self.acks;
        let code = match acks.bits.first() {
            _ if acks.words > 1 => ACKS_LONG,
            Some(&u64::MAX) | None => ACKS_NONE,
            Some(word) if *word >> 16 == u64::MAX >> 16 => ACKS_SHORT,
            Some(_) => ACKS_WORD,
        };
        let from = if from == Side::Server { FROM_SERVER } else { 0 };
        writer.write_bits(u64::from(DATA | from | code << 2 | self.quarter & QUARTERS), 8);
        writer.write_bits(0, SessionToken::wire_bits(security));
        writer.write_bits(u64::from(self.sequence), 16);
        writer.write_bits(u64::from(acks.newest), 16);
        writer.write_bits(u64::try_from(acks.held_back.as_millis()).unwrap_or(255).min(255), 8);
        writer.write_bits(u64::from(self.tick), 16);
        let words = acks.bits.iter().take(acks.words);
        match code {
            ACKS_NONE => {}
            ACKS_SHORT => words.for_each(|word| writer.write_bits(*word, 16)),
            ACKS_WORD => words.for_each(|word| writer.write_bits(*word, 64)),
            _ => {
                writer.write_bits(acks.words as u64, 8);
                words.for_each(|word| writer.write_bits(*word, 64));
            }
        }
    }

    /// Reads a header that the other side of `to` wrote. The token has been looked at already.
    pub(crate) fn decode(
        to: Side,
        security: Security,
        reader: &mut BitReader<'_>,
    ) -> Result<Self, DecodeError> {
        let first = reader.read_bits(8)? as u8;
        let from_server = first & FROM_SERVER != 0;
        if first & DATA_MASK != DATA || from_server != (to == Side::Client) {
            return Err(DecodeError::UnknownVariant);
        }
        reader.read_bits(SessionToken::wire_bits(security))?;
        let sequence = reader.read_bits(16)? as u16;
        let newest = reader.read_bits(16)? as u16;
        let held_back = Duration::from_millis(reader.read_bits(8)?);
        let tick = reader.read_bits(16)? as u16;
        let mut bits = [0; AckField::MAX_WORDS];
        let mut words = 1;
        match first >> 2 & 0b11 {
            ACKS_NONE => bits[0] = u64::MAX,
            ACKS_SHORT => bits[0] = reader.read_bits(16)? | u64::MAX << 16,
            ACKS_WORD => bits[0] = reader.read_bits(64)?,
            _ => {
                words = reader.read_bits(8)? as usize;
                let bits = bits.get_mut(..words).filter(|_| words > 1).ok_or(DecodeError::TooLong)?;
                for word in bits {
                    *word = reader.read_bits(64)?;
                }
            }
        }
        let acks = AckField { newest, held_back, bits, words };
        Ok(Self { sequence, acks, tick, quarter: first & QUARTERS })
    }
}

/// Everything about an entry but its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryHead {
    pub(crate) channel: u8,
    pub(crate) numbering: Numbering,
    /// In bytes.
    pub(crate) len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// A whole unreliable message on an unordered channel.
    None,
    /// A whole unreliable message on a sequenced channel.
    Sequenced(u16),
    /// A piece of an unreliable message.
    Piece { group: u16, index: u16, count: u16 },
    /// A piece of a reliable message, or the whole of one where it is both first and last.
    Reliable { number: u16, first: bool, last: bool },
    /// A piece of a message on a tick-buffered channel, made for the tick so many before that of its packet.
    Tick { number: u16, back: u8, first: bool, last: bool },
    /// What the server says on a tick-buffered channel.
    Report,
}

impl Numbering {
    const fn number(self) -> Option<u16> {
        match self {
            Self::None | Self::Report => None,
            Self::Sequenced(number)
            | Self::Piece { group: number, .. }
            | Self::Reliable { number, .. }
            | Self::Tick { number, .. } => Some(number),
        }
    }
}

/// What an entry can refer to in the one before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Previous(Option<(u8, Option<u16>)>);

pub(crate) const fn channel_bits(channels: &[ChannelSpec]) -> u32 {
    bits_for(channels.len() as u64)
}

impl EntryHead {
    /// The least bits of an entry that is not the first: for a cheap look at whether more can follow.
    pub(crate) const LEAST_BITS: usize = 2;

    /// What the entry after this one can refer to.
    pub(crate) const fn as_previous(&self) -> Previous {
        Previous(Some((self.channel, self.numbering.number())))
    }

    /// How many bits the entry takes with its payload, if it is not the last.
    pub(crate) fn bits(&self, previous: Previous, channel_bits: u32) -> usize {
        let mut bits = 1 + self.len * 8;
        let same = match previous.0 {
            None => false,
            Some((channel, _)) => {
                bits += 1;
                channel == self.channel
            }
        };
        if !same {
            bits += channel_bits as usize;
        }
        bits += match self.numbering {
            Numbering::None | Numbering::Sequenced(_) | Numbering::Report => 1,
            Numbering::Piece { .. } => 1 + 2 * PIECE_BITS as usize,
            Numbering::Reliable { .. } => 2,
            Numbering::Tick { .. } => 3 + BACK_BITS as usize,
        };
        if let Some(number) = self.numbering.number() {
            bits += match self.predecessor(previous) {
                Some(before) if before.wrapping_add(1) == number => 1,
                Some(_) => 17,
                None => 16,
            };
        }
        bits + 1 + if self.is_short() { SHORT_LENGTH_BITS } else { LONG_LENGTH_BITS } as usize
    }

    /// Writes all but the payload, which follows at once.
    pub(crate) fn encode(
        &self,
        previous: &mut Previous,
        channel_bits: u32,
        is_last: bool,
        writer: &mut BitWriter,
    ) {
        writer.write_bool(is_last);
        let same = previous.0.is_some_and(|(channel, _)| channel == self.channel);
        if previous.0.is_some() {
            writer.write_bool(same);
        }
        if !same {
            writer.write_bits(u64::from(self.channel), channel_bits);
        }
        match self.numbering {
            Numbering::None | Numbering::Sequenced(_) => writer.write_bool(false),
            Numbering::Piece { index, count, .. } => {
                writer.write_bool(true);
                writer.write_bits(u64::from(index), PIECE_BITS);
                writer.write_bits(u64::from(count.saturating_sub(1)), PIECE_BITS);
            }
            Numbering::Reliable { first, last, .. } => {
                writer.write_bool(first);
                writer.write_bool(last);
            }
            Numbering::Tick { back, first, last, .. } => {
                writer.write_bool(false);
                writer.write_bool(first);
                writer.write_bool(last);
                writer.write_bits(u64::from(back), BACK_BITS);
            }
            Numbering::Report => writer.write_bool(true),
        }
        if let Some(number) = self.numbering.number() {
            let before = self.predecessor(*previous);
            let follows = before.is_some_and(|before| before.wrapping_add(1) == number);
            if before.is_some() {
                writer.write_bool(follows);
            }
            if !follows {
                writer.write_bits(u64::from(number), 16);
            }
        }
        if !is_last {
            writer.write_bool(!self.is_short());
            writer.write_bits(
                self.len as u64,
                if self.is_short() { SHORT_LENGTH_BITS } else { LONG_LENGTH_BITS },
            );
        }
        previous.0 = Some((self.channel, self.numbering.number()));
    }

    /// Reads all but the payload. Gives too whether it was the last.
    pub(crate) fn decode(
        previous: &mut Previous,
        channels: &[ChannelSpec],
        reader: &mut BitReader<'_>,
    ) -> Result<(bool, Self), DecodeError> {
        let is_last = reader.read_bool()?;
        let same = match previous.0 {
            Some((channel, _)) if reader.read_bool()? => Some(channel),
            _ => None,
        };
        let channel = match same {
            Some(channel) => channel,
            None => reader.read_bits(channel_bits(channels))? as u8,
        };
        // A channel that could have been named by one bit and was not.
        if same.is_none() && previous.0.is_some_and(|(before, _)| before == channel) {
            return Err(DecodeError::NotCanonical);
        }
        let mode = channels.get(usize::from(channel)).ok_or(DecodeError::UnknownVariant)?.mode;
        let numbering = Self::decode_numbering(mode, same.and(previous.0).and_then(|p| p.1), reader)?;
        let len = if is_last {
            reader.remaining_bits() / 8
        } else {
            let is_long = reader.read_bool()?;
            let len = reader.read_bits(if is_long { LONG_LENGTH_BITS } else { SHORT_LENGTH_BITS })? as usize;
            if is_long && len >> SHORT_LENGTH_BITS == 0 {
                return Err(DecodeError::NotCanonical);
            }
            len
        };
        // No sender cuts a message into pieces of nothing.
        if matches!(numbering, Numbering::Piece { .. }) && len == 0 {
            return Err(DecodeError::OutOfRange);
        }
        previous.0 = Some((channel, numbering.number()));
        Ok((is_last, Self { channel, numbering, len }))
    }

    fn decode_numbering(
        mode: Mode,
        before: Option<u16>,
        reader: &mut BitReader<'_>,
    ) -> Result<Numbering, DecodeError> {
        if mode.is_reliable() {
            let (first, last) = (reader.read_bool()?, reader.read_bool()?);
            let number = Self::decode_number(before, reader)?;
            return Ok(Numbering::Reliable { number, first, last });
        }
        if mode == Mode::TickBuffered {
            if reader.read_bool()? {
                return Ok(Numbering::Report);
            }
            let (first, last) = (reader.read_bool()?, reader.read_bool()?);
            let back = reader.read_bits(BACK_BITS)? as u8;
            let number = Self::decode_number(before, reader)?;
            return Ok(Numbering::Tick { number, back, first, last });
        }
        if reader.read_bool()? {
            let index = reader.read_bits(PIECE_BITS)? as u16;
            let count = reader.read_bits(PIECE_BITS)? as u16 + 1;
            if count < 2 || index >= count {
                return Err(DecodeError::OutOfRange);
            }
            let group = Self::decode_number(before, reader)?;
            return Ok(Numbering::Piece { group, index, count });
        }
        if mode.is_sequenced() {
            return Ok(Numbering::Sequenced(Self::decode_number(before, reader)?));
        }
        Ok(Numbering::None)
    }

    fn decode_number(before: Option<u16>, reader: &mut BitReader<'_>) -> Result<u16, DecodeError> {
        let Some(before) = before else {
            return Ok(reader.read_bits(16)? as u16);
        };
        let follows = before.wrapping_add(1);
        if reader.read_bool()? {
            return Ok(follows);
        }
        let number = reader.read_bits(16)? as u16;
        if number == follows { Err(DecodeError::NotCanonical) } else { Ok(number) }
    }

    /// The number of the entry before this one, where that is of the same channel and has one.
    fn predecessor(&self, previous: Previous) -> Option<u16> {
        previous.0.filter(|(channel, _)| *channel == self.channel).and_then(|(_, number)| number)
    }

    const fn is_short(&self) -> bool {
        self.len >> SHORT_LENGTH_BITS == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Direction;

    const fn spec(name: &'static str, mode: Mode) -> ChannelSpec {
        ChannelSpec { name, mode, direction: Direction::Bidirectional, weight: 1 }
    }

    const CHANNELS: &[ChannelSpec] = &[
        spec("a", Mode::UnorderedUnreliable),
        spec("b", Mode::SequencedUnreliable),
        spec("c", Mode::OrderedReliable),
        spec("d", Mode::TickBuffered),
    ];

    fn head() -> impl Strategy<Value = EntryHead> {
        let piece = (any::<u16>(), 0_u16..99, 2_u16..200).prop_map(|(group, index, more)| Numbering::Piece {
            group,
            index,
            count: index + more,
        });
        prop_oneof![
            (Just(0_u8), prop_oneof![Just(Numbering::None), piece.clone()]),
            (Just(1), prop_oneof![(0_u16..4).prop_map(Numbering::Sequenced), piece]),
            (Just(2), (0_u16..4, any::<bool>(), any::<bool>()))
                .prop_map(|(c, (number, first, last))| (c, Numbering::Reliable { number, first, last })),
            (Just(3), (0_u16..4, 0_u8..64, any::<bool>(), any::<bool>())).prop_map(
                |(c, (number, back, first, last))| (c, Numbering::Tick { number, back, first, last })
            ),
            Just((3, Numbering::Report)),
        ]
        .prop_flat_map(|(channel, numbering)| {
            (1_usize..300).prop_map(move |len| EntryHead { channel, numbering, len })
        })
    }

    proptest! {
        #[test]
        fn entries_come_back_and_take_the_bits_they_say(heads in prop::collection::vec(head(), 1..40)) {
            let mut writer = BitWriter::new();
            let mut previous = Previous::default();
            for (index, head) in heads.iter().enumerate() {
                let is_last = index + 1 == heads.len();
                let (before, expected) = (writer.bit_len(), head.bits(previous, channel_bits(CHANNELS)));
                head.encode(&mut previous, channel_bits(CHANNELS), is_last, &mut writer);
                writer.write_bytes(&vec![7; head.len]);
                let taken = writer.bit_len() - before;
                prop_assert_eq!(taken < expected, is_last);
                prop_assert!(taken <= expected);
            }
            let bytes = writer.into_bytes();
            let mut reader = BitReader::new(&bytes);
            let mut previous = Previous::default();
            for (index, head) in heads.iter().enumerate() {
                let (is_last, read) = EntryHead::decode(&mut previous, CHANNELS, &mut reader).unwrap();
                prop_assert_eq!(read, *head);
                prop_assert_eq!(is_last, index + 1 == heads.len());
                reader.skip_bits(read.len * 8).unwrap();
            }
            prop_assert!(reader.finish().is_ok());
        }

        #[test]
        fn headers_come_back(sequence: u16, newest: u16, held in 0_u64..256, tick: u16, quarter in 0_u8..4, words in 1_usize..=16, fill: u64, secret: bool) {
            let security = if secret { Security::FULL } else { Security::NONE };
            let mut bits = [0; AckField::MAX_WORDS];
            bits.iter_mut().take(words).for_each(|word| *word = fill);
            let acks = AckField { newest, held_back: Duration::from_millis(held), bits, words };
            let header = DataHeader { sequence, acks, tick, quarter };
            for side in [Side::Client, Side::Server] {
                let mut writer = BitWriter::new();
                header.encode(side, security, &mut writer);
                let bytes = writer.into_bytes();
                prop_assert!(words > 1 || bytes.len() <= header_bytes(security));
                let mut reader = BitReader::new(&bytes);
                prop_assert_eq!(DataHeader::decode(side.other(), security, &mut reader), Ok(header));
                prop_assert!(reader.finish().is_ok());
                prop_assert!(DataHeader::decode(side, security, &mut BitReader::new(&bytes)).is_err(), "reflected");
            }
        }
    }
}
