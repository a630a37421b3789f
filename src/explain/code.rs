//! The words about opcodes and close codes, whatever stands around them.

use super::Explanation;
use super::texts::{Chapter, Page};
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// What an opcode means wherever it stands.
pub fn opcode(opcode: Opcode) -> Explanation {
    Page::new(Chapter::Opcode, opcode_topic(opcode), "alone").words(|name| opcode_name(opcode, name))
}

/// What a close code means. Any of the 65,536 has a meaning, if only that of its range (RFC 6455 §7.4.2).
pub fn close_code(code: CloseCode) -> Explanation {
    Page::new(Chapter::Close, &close_topic(code), "code").words(|name| match name {
        "code" => Some(code.0.to_string()),
        _ => None,
    })
}

/// The topic of an opcode in the book.
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

/// The topic of a close code in the book: the code itself where it is defined, else its range (RFC 6455 §7.4.1, §7.4.2, §11.7).
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

/// The names that every text about an opcode knows.
pub(super) fn opcode_name(opcode: Opcode, name: &str) -> Option<String> {
    match name {
        "opcode" => Some(opcode.to_wire().to_string()),
        "opcode_hex" => Some(format!("0x{:X}", opcode.to_wire())),
        _ => None,
    }
}
