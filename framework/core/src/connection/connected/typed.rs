//! Messages and requests of a protocol, on a machine that knows bytes alone.

use bowline_wire::{BitWriter, EncodeError, Wire};

use super::{Connected, Received, SendError, SendErrorKind, Unsent};
use crate::protocol::{
    Channel, ChannelOf, MessageOf, Protocol, Request, RequestOf, decode_exactly, encode_message,
    encode_request,
};
use crate::requests::{
    MESSAGE_HEAD_BITS, PendingResponse, REQUEST_HEAD_BITS, Responder, Unanswered, begin_answer,
    begin_message, begin_request, decode_after,
};
use crate::{Connection, Instant};

/// Encodes messages, with memory that is used again.
#[derive(Debug, Default)]
pub struct MessageEncoder {
    bits: BitWriter,
}

/// Something that arrived.
#[derive(Debug)]
pub enum Incoming<P: Protocol> {
    /// A message.
    Message(P::Message),
    /// A request, to be answered.
    Request(P::Requested),
}

impl MessageEncoder {
    /// The bytes of a message as a channel of its protocol carries them.
    ///
    /// # Errors
    /// Where a field is over its limit.
    pub fn encode<P: Protocol, C: ChannelOf<P>>(
        &mut self,
        message: &impl MessageOf<P>,
    ) -> Result<&[u8], EncodeError> {
        self.bits.clear();
        if const { P::SCHEMA.mixes_requests(&C::SPEC) } {
            begin_message(&mut self.bits);
        }
        encode_message(message, &mut self.bits)?;
        Ok(self.bits.finish())
    }

    fn encode_request<P: Protocol>(
        &mut self,
        id: u32,
        request: &impl RequestOf<P>,
    ) -> Result<&[u8], EncodeError> {
        self.bits.clear();
        begin_request(id, &mut self.bits);
        encode_request(request, &mut self.bits)?;
        Ok(self.bits.finish())
    }

    fn encode_answer(&mut self, id: u32, response: &impl Wire) -> Result<&[u8], EncodeError> {
        self.bits.clear();
        begin_answer(id, &mut self.bits);
        response.encode(&mut self.bits)?;
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
        message: impl MessageOf<P>,
        encoder: &mut MessageEncoder,
    ) -> Result<(), Unsent<P::Message>> {
        let encoded = encoder.encode::<P, C>(&message).map_err(encode_error::<C>);
        encoded
            .and_then(|bytes| self.send(C::INDEX, bytes))
            .map_err(|error| Unsent { message: message.into(), error })
    }

    /// Encodes a request, queues it, and waits for its response.
    ///
    /// # Errors
    /// As [`send_message`](Self::send_message), and where too many requests wait for an answer already. Nothing was
    /// asked.
    pub fn request<P: Protocol, C: ChannelOf<P>, R: RequestOf<P>>(
        &mut self,
        now: Instant,
        request: R,
        encoder: &mut MessageEncoder,
    ) -> Result<PendingResponse<R>, Unsent<R>> {
        self.ask::<P, C, R>(now, &request, encoder).map_err(|error| Unsent { message: request, error })
    }

    fn ask<P: Protocol, C: ChannelOf<P>, R: RequestOf<P>>(
        &mut self,
        now: Instant,
        request: &R,
        encoder: &mut MessageEncoder,
    ) -> Result<PendingResponse<R>, SendError> {
        let error = |kind| SendError { channel: C::SPEC.name, kind };
        let link = &mut self.state.0;
        // A request of the protocol makes it one that has requests.
        let Some(requests) = &link.requests else { return Err(error(SendErrorKind::NotConnected)) };
        let id = requests.next_id().map_err(|max| error(SendErrorKind::TooManyRequests { max }))?;
        let bytes = encoder.encode_request::<P>(id, request).map_err(encode_error::<C>)?;
        link.send(C::INDEX, bytes)?;
        match &link.requests {
            Some(requests) => Ok(requests.asked(now, id)),
            None => Err(error(SendErrorKind::NotConnected)),
        }
    }

    /// Encodes the response to a request and queues it on the channel that the request came by.
    ///
    /// # Errors
    /// Where a field is over its limit, the response too large, the queue full, or the session over that the request
    /// came by. Nothing was sent, and the request is still open.
    #[expect(clippy::result_large_err, reason = "the response is given back, whatever its size")]
    pub fn respond<R: Request>(
        &mut self,
        responder: Responder<R>,
        response: R::Response,
        encoder: &mut MessageEncoder,
    ) -> Result<(), Unanswered<R>> {
        let link = &mut self.state.0;
        if !link.requests.as_ref().is_some_and(|requests| requests.issued(responder.any())) {
            return Err(Unanswered::not_connected(responder, response));
        }
        let (channel, name) = responder.any().channel();
        let encoded = encoder
            .encode_answer(responder.any().id(), &response)
            .map_err(|error| SendError { channel: name, kind: SendErrorKind::Encode(error) });
        match encoded.and_then(|bytes| link.send(channel, bytes)) {
            Ok(()) => {
                responder.answered();
                Ok(())
            }
            Err(error) => Err(Unanswered { response, responder, error }),
        }
    }

    /// Decodes what has arrived and takes its buffer back; `None`, and counted, where the bytes are none of the
    /// protocol's messages or requests. `asker` is what the caller calls the other side: see [`Responder`].
    pub fn read<P: Protocol>(&mut self, mut received: Received, asker: u64) -> Option<Incoming<P>> {
        let incoming = decode_received::<P>(&mut received, asker);
        self.recycle(received);
        if incoming.is_none() {
            self.state.0.stats.malformed += 1;
        }
        incoming
    }
}

/// Decodes what has arrived by a connection that may be gone.
#[must_use]
pub fn decode_received<P: Protocol>(received: &mut Received, asker: u64) -> Option<Incoming<P>> {
    let bytes = &received.bytes;
    if let Some(responder) = received.responder.take() {
        let request = decode_after::<P::Request>(REQUEST_HEAD_BITS, bytes).ok()?;
        return Some(Incoming::Request(P::requested(request, responder.asked_by(asker))));
    }
    let mixed = P::SCHEMA.channels.get(received.channel).is_some_and(|spec| P::SCHEMA.mixes_requests(spec));
    let message = if mixed { decode_after(MESSAGE_HEAD_BITS, bytes) } else { decode_exactly(bytes) };
    message.ok().map(Incoming::Message)
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
