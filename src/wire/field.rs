//! The field table: what joins the bit grid to the hex view, the explanation and the JSON.
//!
//! A record's layout is a list of [`Field`]s, each with the [`Span`] of bits it occupies. Whoever needs to know where
//! something stands reads this table and computes nothing of its own.

use std::ops::Range;

/// A range of bits in a record, from `start` to past-last `end`.
///
/// Bit 0 is the most significant bit of the record's first byte, as in the diagram of RFC 6455 §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First bit.
    pub start: u64,
    /// One past the last bit.
    pub end: u64,
}

impl Span {
    /// The bits `start..end`.
    pub const fn bits(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// All bits of the bytes `start..end`; saturates for ranges beyond 2^61 bytes.
    pub const fn bytes(start: u64, end: u64) -> Self {
        Self { start: start.saturating_mul(8), end: end.saturating_mul(8) }
    }

    /// Number of bits.
    pub const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span holds no bit.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether bit number `bit` lies inside.
    pub const fn contains(self, bit: u64) -> bool {
        self.start <= bit && bit < self.end
    }

    /// The bytes that hold at least one bit of the span.
    pub const fn byte_range(self) -> Range<u64> {
        self.start / 8..self.end.div_ceil(8)
    }

    /// Whether at least one bit of the byte at `index` belongs to the span.
    pub fn touches_byte(self, index: u64) -> bool {
        !self.is_empty() && self.byte_range().contains(&index)
    }

    /// Whether the two spans share a bit.
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Which field of a frame, a handshake or another record this is. Texts, colours and tests refer to it.
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
    /// The 16-bit extended payload length, present when the 7 bits hold 126.
    ExtendedLen16,
    /// The 64-bit extended payload length, present when the 7 bits hold 127.
    ExtendedLen64,
    /// The masking key, 32 bits, present when MASK is 1.
    MaskingKey,
    /// The payload of a frame that is no Close with a code.
    Payload,
    /// The first two payload bytes of a Close frame (RFC 6455 §5.5.1).
    CloseCode,
    /// The payload of a Close frame after the code.
    CloseReason,
    /// A request's method.
    Method,
    /// A request's target.
    Target,
    /// The HTTP version of a request or response.
    Version,
    /// A response's status code.
    Status,
    /// A response's reason phrase.
    Reason,
    /// The n-th header line (from 0), name and value.
    Header(u16),
    /// The empty line that ends a head.
    HeadEnd,
    /// The bytes after a head that belong to the same request or response.
    Body,
    /// Bytes with no layout that we know.
    Opaque,
}

impl FieldId {
    /// The stable key under which texts about this field are filed.
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

    /// Whether the field lies in a frame's payload, so that its bytes on the wire may be masked.
    pub const fn in_payload(self) -> bool {
        matches!(self, Self::Payload | Self::CloseCode | Self::CloseReason)
    }
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// An unsigned number of `width` bits, at most 64.
    Bits {
        /// The number.
        value: u64,
        /// Its width in bits.
        width: u8,
    },
    /// A few bytes, as they stand on the wire.
    Bytes(Vec<u8>),
    /// Text as it stands on the wire; may hold anything, so it goes through [`super::printable`] before it is shown.
    Text(String),
    /// Too long for a table: its length in bytes.
    Length(u64),
}

/// One row of a record's layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which field.
    pub id: FieldId,
    /// The field's term in its specification; for a header line its name as received.
    pub name: String,
    /// Where it stands, relative to the record's first byte.
    pub span: Span,
    /// What it says.
    pub value: FieldValue,
}

/// The index of the field that owns bit `bit`.
pub fn field_at_bit(fields: &[Field], bit: u64) -> Option<usize> {
    fields.iter().position(|field| field.span.contains(bit))
}

/// The index of the first field that owns a bit of byte `byte`.
pub fn field_at_byte(fields: &[Field], byte: u64) -> Option<usize> {
    fields.iter().position(|field| field.span.touches_byte(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_bits_knows_its_bytes() {
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
