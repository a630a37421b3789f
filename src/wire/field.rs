//! The field table, which the bit grid, the hex view, the explanations and the JSON share.
//!
//! The layout of a record is a list of [`Field`]s, each with the [`Span`] of its bits. Positions of fields are computed
//! once, here.

use std::ops::Range;

/// A range of bits in a record.
///
/// Bit 0 is the most significant bit of the first byte of the record, as in the diagram of RFC 6455 §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first bit.
    pub start: u64,
    /// One past the last bit.
    pub end: u64,
}

impl Span {
    /// The bits `start..end`.
    pub const fn bits(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// The bits of the bytes `start..end`. Saturates beyond 2^61 bytes.
    pub const fn bytes(start: u64, end: u64) -> Self {
        Self { start: start.saturating_mul(8), end: end.saturating_mul(8) }
    }

    /// The number of bits.
    pub const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// True if the span contains no bit.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// True if the span contains this bit.
    pub const fn contains(self, bit: u64) -> bool {
        self.start <= bit && bit < self.end
    }

    /// The bytes that contain at least one bit of the span.
    pub const fn byte_range(self) -> Range<u64> {
        self.start / 8..self.end.div_ceil(8)
    }

    /// True if the span contains at least one bit of the byte at `index`.
    pub fn touches_byte(self, index: u64) -> bool {
        !self.is_empty() && self.byte_range().contains(&index)
    }

    /// True if the two spans share a bit.
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Identifies a field of a frame or an HTTP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldId {
    /// FIN, one bit (RFC 6455 §5.2).
    Fin,
    /// RSV1, one bit (RFC 6455 §5.2, RFC 7692 §6).
    Rsv1,
    /// RSV2, one bit.
    Rsv2,
    /// RSV3, one bit.
    Rsv3,
    /// Opcode, four bits.
    Opcode,
    /// MASK, one bit.
    Mask,
    /// The 7-bit payload length.
    PayloadLen,
    /// The 16-bit extended payload length, present if the 7-bit length is 126.
    ExtendedLen16,
    /// The 64-bit extended payload length, present if the 7-bit length is 127.
    ExtendedLen64,
    /// The 32-bit masking key, present if MASK is 1.
    MaskingKey,
    /// The payload of a frame, except of a Close with a code.
    Payload,
    /// The first two payload bytes of a Close frame (RFC 6455 §5.5.1).
    CloseCode,
    /// The payload of a Close frame after the code.
    CloseReason,
    /// The method of a request.
    Method,
    /// The target of a request.
    Target,
    /// The HTTP version of a request or response.
    Version,
    /// The status code of a response.
    Status,
    /// The reason phrase of a response.
    Reason,
    /// The header line with this index, counted from 0: name and value.
    Header(u16),
    /// The empty line that ends a head.
    HeadEnd,
    /// The body of a request or response.
    Body,
    /// Unrecognized bytes.
    Opaque,
}

impl FieldId {
    /// The key of the field in `assets/explain/en.toml` and in exports. Keys never change.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rsv1 => "rsv1",
            Self::Rsv2 => "rsv2",
            Self::Rsv3 => "rsv3",
            Self::Opcode => "opcode",
            Self::Mask => "mask",
            Self::PayloadLen => "payload-len",
            Self::ExtendedLen16 => "extended-len-16",
            Self::ExtendedLen64 => "extended-len-64",
            Self::MaskingKey => "masking-key",
            Self::Payload => "payload",
            Self::CloseCode => "close-code",
            Self::CloseReason => "close-reason",
            Self::Method => "method",
            Self::Target => "target",
            Self::Version => "version",
            Self::Status => "status",
            Self::Reason => "reason",
            Self::Header(_) => "header",
            Self::HeadEnd => "head-end",
            Self::Body => "body",
            Self::Opaque => "opaque",
        }
    }

    /// True if the field is part of the payload of a frame, so that its wire bytes may be masked.
    pub const fn in_payload(self) -> bool {
        matches!(self, Self::Payload | Self::CloseCode | Self::CloseReason)
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// An unsigned number of `width` bits, at most 64.
    Bits {
        /// The number.
        value: u64,
        /// Its width in bits.
        width: u8,
    },
    /// A few bytes as sent.
    Bytes(Vec<u8>),
    /// Text as sent. It may contain any character: make it [`super::printable`] before it is shown.
    Text(String),
    /// The length in bytes of a value that is too long for a table.
    Length(u64),
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Identifies the field.
    pub id: FieldId,
    /// The name of the field in its specification; for a header line, the name of the header as sent.
    pub name: String,
    /// Its bits, counted from the start of the record.
    pub span: Span,
    /// Its value.
    pub value: FieldValue,
}

/// The index of the field that contains this bit.
pub fn field_at_bit(fields: &[Field], bit: u64) -> Option<usize> {
    fields.iter().position(|field| field.span.contains(bit))
}

/// The index of the first field that contains a bit of this byte.
pub fn field_at_byte(fields: &[Field], byte: u64) -> Option<usize> {
    fields.iter().position(|field| field.span.touches_byte(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_span_of_bits() {
        assert_eq!(Span::bits(4, 8).byte_range(), 0..1);
        assert_eq!(Span::bits(9, 16).byte_range(), 1..2);
        assert_eq!(Span::bytes(2, 6).byte_range(), 2..6);
        assert!(Span::bits(9, 16).touches_byte(1));
        assert!(!Span::bits(9, 16).touches_byte(0));
        assert!(!Span::bytes(2, 2).touches_byte(2));
    }

    #[test]
    fn spans_overlap_only_when_they_share_a_bit() {
        assert!(Span::bits(0, 8).overlaps(Span::bits(7, 9)));
        assert!(!Span::bits(0, 8).overlaps(Span::bits(8, 9)));
    }
}
