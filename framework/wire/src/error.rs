use core::fmt;

/// Why bytes are not a value. The peer's doing: the message is dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the value does.
    Truncated,
    /// More bits follow than the value and its padding have, or the padding is not zero.
    TrailingBits,
    /// The value is written in another form than the one it has.
    NotCanonical,
    /// No variant of the enum, or no item of the protocol, has this number.
    UnknownVariant,
    /// A number lies outside the range the protocol gives it.
    OutOfRange,
    /// A length is over the field's `max_len`, or over what the bytes left could hold.
    TooLong,
    /// Text that is not UTF-8, or a character that is not one.
    InvalidText,
    /// The value would take more memory than its bytes justify.
    AllocationLimit,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the bytes end before the value does",
            Self::TrailingBits => "bits are left over after the value",
            Self::NotCanonical => "the value is not written in its one canonical form",
            Self::UnknownVariant => "no variant or protocol item has this number",
            Self::OutOfRange => "a number is outside the range the protocol gives it",
            Self::TooLong => "a length is over its limit or over what the bytes could hold",
            Self::InvalidText => "text is not valid UTF-8",
            Self::AllocationLimit => "decoding would allocate more than the bytes justify",
        })
    }
}

impl core::error::Error for DecodeError {}

/// Why a value cannot be written. The sender's doing: nothing was sent, and the value is still there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncodeError {
    kind: EncodeErrorKind,
    field: Option<&'static str>,
}

/// What is wrong with a value that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// A string or collection holds more than its `max_len`.
    TooLong {
        /// Bytes of a string, elements of a collection.
        len: usize,
        /// The `max_len` of the field.
        max_len: usize,
    },
    /// An integer lies outside its `range`, or needs more than its `bits`.
    OutOfRange {
        /// The integer.
        value: i128,
        /// The least that can be written.
        min: i128,
        /// The greatest that can be written.
        max: i128,
    },
    /// A quantized number is not a number (NaN).
    NotANumber,
}

impl EncodeError {
    /// An error that has not been given its field yet.
    #[must_use]
    pub const fn new(kind: EncodeErrorKind) -> Self {
        Self { kind, field: None }
    }

    /// Names the field, as `Type.field`; the innermost name stays. Derived code calls this.
    #[must_use]
    pub const fn in_field(mut self, field: &'static str) -> Self {
        if self.field.is_none() {
            self.field = Some(field);
        }
        self
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> EncodeErrorKind {
        self.kind
    }

    /// The field that could not be written, as `Type.field`.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        self.field
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "`{field}`: ")?;
        }
        match self.kind {
            EncodeErrorKind::TooLong { len, max_len } => {
                write!(f, "length {len} is over its max_len of {max_len}; shorten it or raise max_len")
            }
            EncodeErrorKind::OutOfRange { value, min, max } => {
                write!(f, "{value} is outside {min}..={max}; clamp it or widen the range")
            }
            EncodeErrorKind::NotANumber => f.write_str("not a number (NaN) cannot be quantized"),
        }
    }
}

impl core::error::Error for EncodeError {}
