//! Real-time multiplayer networking: typed connections over any datagram transport.

pub use bowline_core::{
    Channel, ChannelOf, ComponentOf, FieldMask, Message, MessageOf, Protocol, ProtocolId, Replicate, Request,
    RequestOf, ResourceOf, ToClient, ToServer, Wire,
};

/// What generated code names. Not part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use bowline_core::protocol::{
        Channel, ChannelOf, ChannelSpec, ComponentOf, Direction, FieldMask, ItemSchema, Message, MessageOf,
        Mode, Protocol, ProtocolSchema, Replicate, Request, RequestOf, RequestSchema, ResourceOf, Tag,
        ToClient, ToServer,
    };
    pub use bowline_wire::{
        BitReader, BitWriter, DecodeError, EncodeError, Field, FixedBits, LengthLimited, Quantize, Quantizer,
        RangeSpec, RangedInt, Schema, Variant, Wire, length_bits, variant,
    };
}
