//! Real-time multiplayer networking: typed connections over any datagram transport.

pub use bowline_core::{
    BitReader, BitWriter, Channel, ChannelOf, ComponentOf, DecodeError, EncodeError, EncodeErrorKind,
    FieldMask, Message, MessageOf, Protocol, ProtocolId, Replicate, Request, RequestOf, ResourceOf, Schema,
    ToClient, ToServer, Wire,
};
pub use bowline_macros::{Channel, Message, Protocol, Replicate, Request, Wire};

pub mod prelude {
    //! What most files of a game need: `use bowline::prelude::*;`.

    pub use crate::{Channel, Message, Protocol, Replicate, Request, Wire};
    pub use crate::{
        ChannelOf, ComponentOf, MessageOf, ProtocolId, RequestOf, ResourceOf, ToClient, ToServer,
    };
}

/// What generated code names. Not part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    // Under these names a user may have types of their own.
    pub use core::convert::From;
    pub use core::default::Default;
    pub use core::marker::Send;
    pub use core::primitive::{f64, i128, str, u16, u32, usize};
    pub use core::result::Result::{self, Ok};

    pub use bowline_core::protocol::{
        Channel, ChannelOf, ChannelSpec, ComponentOf, Direction, FieldMask, ItemSchema, Message, MessageOf,
        Mode, Protocol, ProtocolSchema, Replicate, Request, RequestOf, RequestSchema, ResourceOf, Tag,
        ToClient, ToServer,
    };
    pub use bowline_wire::{
        BitReader, BitWriter, DecodeError, EncodeError, Field, FixedBits, LengthLimited, Quantize, Quantizer,
        RangeSpec, RangedInt, Schema, Variant, Wire, length_bits, variant,
    };

    /// Thin functions that keep generated code short.
    pub mod derive {
        pub use bowline_core::protocol::derive::*;
        pub use bowline_wire::derive::*;
    }
}
