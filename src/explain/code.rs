//! The topics of opcodes and close codes in the texts.

use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// The topic of an opcode in the texts.
pub(super) const fn opcode_topic(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::Continuation => "0",
        Opcode::Text => "1",
        Opcode::Binary => "2",
        Opcode::Close => "8",
        Opcode::Ping => "9",
        Opcode::Pong => "a",
        Opcode::Reserved(0x0..=0x7) => "3-7",
        Opcode::Reserved(_) => "b-f",
    }
}

/// The topic of a close code in the texts: the code if it is defined, otherwise its range (RFC 6455 §7.4.1, §7.4.2, §11.7).
pub(super) fn close_topic(code: CloseCode) -> String {
    match code.0 {
        1000..=1015 => return code.0.to_string(),
        0..=999 => "0-999",
        1016..=2999 => "1016-2999",
        3000..=3999 => "3000-3999",
        4000..=4999 => "4000-4999",
        5000.. => "5000-65535",
    }
    .to_owned()
}

/// The values of the names that every text about an opcode may use.
pub(super) fn opcode_name(opcode: Opcode, name: &str) -> Option<String> {
    match name {
        "opcode" => Some(opcode.to_wire().to_string()),
        "opcode_hex" => Some(format!("0x{:X}", opcode.to_wire())),
        _ => None,
    }
}
