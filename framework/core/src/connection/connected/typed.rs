//! Messages of a protocol, on a machine that knows bytes alone.

use bowline_wire::{BitWriter, EncodeError, Wire};

use super::{Connected, Received, SendError, SendErrorKind};
use crate::Connection;
use crate::protocol::{Channel, ChannelOf, MessageOf, Protocol, decode_exactly};

/// Encodes messages, with memory that is used again.
#[derive(Debug, Default)]
pub struct MessageEncoder {
    bits: BitWriter,
}

impl MessageEncoder {
    /// The bytes of a message as its protocol's enum of all messages has them.
    ///
    /// # Errors
    /// Where a field is over its limit.
    pub fn encode<P: Protocol>(&mut self, message: &impl MessageOf<P>) -> Result<&[u8], EncodeError> {
        self.bits.clear();
        crate::protocol::encode_message(message, &mut self.bits)?;
        Ok(self.bits.finish())
    }
}

impl Connection<Connected> {
    /// Encodes a message and queues it.
    ///
    /// # Errors
    /// Where a field is over its limit, the message too large, or the queue full. Nothing was sent.
    pub fn send_message<P: Protocol, C: ChannelOf<P>>(
        &mut self,
        message: &impl MessageOf<P>,
        encoder: &mut MessageEncoder,
    ) -> Result<(), SendError> {
        let bytes = encoder.encode::<P>(message).map_err(|error| encode_error::<C>(error))?;
        self.send(C::INDEX, bytes)
    }

    /// Decodes a message and takes its buffer back; `None`, and counted, where the bytes are none of the
    /// protocol's messages.
    pub fn read<P: Protocol>(&mut self, received: Received) -> Option<P::Message> {
        let message = decode_received::<P>(&received);
        self.recycle(received);
        if message.is_none() {
            self.state.0.stats.malformed += 1;
        }
        message
    }
}

/// Decodes a message whose connection may be gone.
#[must_use]
pub fn decode_received<P: Protocol>(received: &Received) -> Option<P::Message> {
    decode_exactly::<P::Message>(&received.bytes).ok()
}

/// The error of a message that could not be encoded for a channel.
#[must_use]
pub fn encode_error<C: Channel>(error: EncodeError) -> SendError {
    SendError { channel: C::SPEC.name, kind: SendErrorKind::Encode(error) }
}

/// The encoded credentials of a protocol.
///
/// # Errors
/// Where a field is over its limit.
pub fn encode_auth<P: Protocol>(auth: &P::Auth) -> Result<Vec<u8>, EncodeError> {
    let mut bits = BitWriter::new();
    auth.encode(&mut bits)?;
    Ok(bits.into_bytes())
}
