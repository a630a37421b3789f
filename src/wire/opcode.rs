//! Opcodes (RFC 6455 §5.2, §11.8). Lossless: each of the sixteen values is an [`Opcode`].

/// The opcode of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Opcode {
    /// 0x0: continues the message of an earlier frame.
    Continuation,
    /// 0x1: UTF-8 text.
    Text,
    /// 0x2: binary.
    Binary,
    /// 0x8: Close.
    Close,
    /// 0x9: Ping.
    Ping,
    /// 0xA: Pong.
    Pong,
    /// 0x3–0x7 (data) and 0xB–0xF (control): reserved. Contains the four bits.
    Reserved(u8),
}

impl Opcode {
    /// The opcode in the low four bits of `nibble`. Ignores the high four bits.
    pub const fn from_wire(nibble: u8) -> Self {
        match nibble & 0x0f {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            other => Self::Reserved(other),
        }
    }

    /// The wire value, 0x0 to 0xF.
    pub const fn to_wire(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
            Self::Reserved(value) => value & 0x0f,
        }
    }

    /// Returns true for control frames, including reserved ones: the top bit of the opcode is set (RFC 6455 §5.5).
    pub const fn is_control(self) -> bool {
        self.to_wire() & 0x8 != 0
    }

    /// Returns true for text and binary, which start a data message.
    pub const fn opens_message(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }

    /// The name in lists and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Reserved(0x3) => "reserved-3",
            Self::Reserved(0x4) => "reserved-4",
            Self::Reserved(0x5) => "reserved-5",
            Self::Reserved(0x6) => "reserved-6",
            Self::Reserved(0x7) => "reserved-7",
            Self::Reserved(0xb) => "reserved-b",
            Self::Reserved(0xc) => "reserved-c",
            Self::Reserved(0xd) => "reserved-d",
            Self::Reserved(0xe) => "reserved-e",
            Self::Reserved(_) => "reserved-f",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_value_survives_a_round_trip() {
        let mut names = std::collections::BTreeSet::new();
        for nibble in 0x0..=0xf {
            let opcode = Opcode::from_wire(nibble);
            assert_eq!(opcode.to_wire(), nibble);
            assert_eq!(opcode.is_control(), nibble >= 0x8);
            names.insert(opcode.name());
        }
        assert_eq!(names.len(), 16, "each value has a name of its own");
    }
}
