//! How the body of a message begins on a channel that carries requests.
//!
//! ```text
//! 0                              a message
//! 1 0  id (32 bits)              a request
//! 1 1  id  00                    the response to the request with this id
//!          10                    a refusal by the application; then its words, from the next byte on
//!          01                    nobody was there to answer
//!          11                    too many requests are unanswered
//! ```

use bowline_wire::{BitReader, BitWriter, DecodeError, Wire};

use crate::AppText;

const REQUEST: u64 = 0b01;
const REPLY: u64 = 0b11;
const KIND_BITS: u32 = 2;
const ID_BITS: u32 = 32;
const STATUS_BITS: u32 = 2;

const ANSWERED: u64 = 0b00;
const REFUSED: u64 = 0b01;
const UNHANDLED: u64 = 0b10;
const BUSY: u64 = 0b11;

/// What stands before a message.
pub(crate) const MESSAGE_HEAD_BITS: usize = 1;
/// What stands before a request.
pub(crate) const REQUEST_HEAD_BITS: usize = (KIND_BITS + ID_BITS) as usize;
/// What stands before a response.
pub(super) const ANSWER_HEAD_BITS: usize = (KIND_BITS + ID_BITS + STATUS_BITS) as usize;

/// How a body begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Message,
    Request { id: u32 },
    Answer { id: u32 },
    Refusal { id: u32, refusal: Refusal },
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Refused(AppText),
    Unhandled,
    Busy,
}

pub(crate) fn begin_message(writer: &mut BitWriter) {
    writer.write_bits(0, 1);
}

pub(crate) fn begin_request(id: u32, writer: &mut BitWriter) {
    writer.write_bits(REQUEST, KIND_BITS);
    writer.write_bits(u64::from(id), ID_BITS);
}

pub(crate) fn begin_answer(id: u32, writer: &mut BitWriter) {
    begin_reply(id, ANSWERED, writer);
}

fn begin_reply(id: u32, status: u64, writer: &mut BitWriter) {
    writer.write_bits(REPLY, KIND_BITS);
    writer.write_bits(u64::from(id), ID_BITS);
    writer.write_bits(status, STATUS_BITS);
}

pub(super) fn encode_refusal(id: u32, refusal: &Refusal) -> Vec<u8> {
    let mut writer = BitWriter::new();
    match refusal {
        Refusal::Refused(reason) => {
            begin_reply(id, REFUSED, &mut writer);
            writer.align();
            reason.encode(&mut writer);
        }
        Refusal::Unhandled => begin_reply(id, UNHANDLED, &mut writer),
        Refusal::Busy => begin_reply(id, BUSY, &mut writer),
    }
    writer.into_bytes()
}

/// Reads how a body begins, and all of it where that is a refusal.
pub(super) fn read_head(bytes: &[u8]) -> Result<Head, DecodeError> {
    let mut reader = BitReader::new(bytes);
    if reader.read_bits(1)? == 0 {
        return Ok(Head::Message);
    }
    let is_reply = reader.read_bits(1)? == 1;
    let id = reader.read_bits(ID_BITS)? as u32;
    if !is_reply {
        return Ok(Head::Request { id });
    }
    let refusal = match reader.read_bits(STATUS_BITS)? {
        ANSWERED => return Ok(Head::Answer { id }),
        REFUSED => {
            if reader.read_bits(reader.remaining_bits() as u32 % 8)? != 0 {
                return Err(DecodeError::TrailingBits);
            }
            Refusal::Refused(AppText::decode(&mut reader)?)
        }
        UNHANDLED => Refusal::Unhandled,
        _ => Refusal::Busy,
    };
    reader.finish()?;
    Ok(Head::Refusal { id, refusal })
}

/// Reads a value that fills all of `bytes` after the first `head_bits`.
pub(crate) fn decode_after<T: Wire>(head_bits: usize, bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = BitReader::new(bytes);
    reader.skip_bits(head_bits)?;
    let value = T::decode(&mut reader)?;
    reader.finish()?;
    Ok(value)
}
