//! The words about a frame's fields: which text fits the value, the direction and the place in the message.

use super::Words;
use super::texts::{self, Chapter};
use crate::proto::dissected::Direction;
use crate::proto::rules::grouped;
use crate::wire::close::CloseCode;
use crate::wire::field::{Field, FieldId, Value};
use crate::wire::frame::{FrameHead, MAX_CONTROL_PAYLOAD};
use crate::wire::opcode::Opcode;

/// The frame around a field: what has to be known to say what the field's value means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameContext {
    /// Its head.
    pub head: FrameHead,
    /// Which way it went.
    pub direction: Direction,
    /// Where it stands in its message. Where that contradicts the head's FIN and opcode, these count.
    pub place: Place,
    /// Whether it is a frame of a compressed message (RFC 7692 §6).
    pub compressed: bool,
    /// How many bytes of its payload were captured; fewer than the head announces when it was cut short.
    pub captured_payload: u64,
}

/// Where a frame stands in its message (RFC 6455 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In none: a control frame.
    Control,
    /// It is the whole message, unfragmented.
    Whole,
    /// The first fragment of several.
    First,
    /// A fragment that is neither the first nor the last.
    Middle,
    /// The last fragment of several.
    Last,
    /// A continuation with nothing to continue, or a data frame with a reserved opcode.
    Stray,
}

/// A few words on what a field's value means, at most 36 columns. Empty for a field that no frame has.
pub fn frame_gloss(ctx: &FrameContext, field: &Field) -> String {
    let Some((chapter, topic, case)) = choose(ctx, field) else { return String::new() };
    texts::Place::new(chapter, &topic, case).gloss(|name| look(ctx, field, name))
}

/// What a field's value means in this frame. Of a field that no frame has only the name is told.
pub fn frame_field(ctx: &FrameContext, field: &Field) -> Words {
    let Some((chapter, topic, case)) = choose(ctx, field) else {
        return Words { title: field.id.key().to_owned(), section: String::new(), text: String::new() };
    };
    texts::Place::new(chapter, &topic, case).words(|name| look(ctx, field, name))
}

/// What an opcode means wherever it stands.
pub fn opcode(opcode: Opcode) -> Words {
    texts::Place::new(Chapter::Opcode, opcode_topic(opcode), "alone").words(|name| opcode_name(opcode, name))
}

/// What a close code means. Any of the 65,536 has a meaning, if only that of its range (RFC 6455 §7.4.2).
pub fn close_code(code: CloseCode) -> Words {
    texts::Place::new(Chapter::Close, &close_topic(code), "code").words(|name| match name {
        "code" => Some(code.0.to_string()),
        _ => None,
    })
}

/// Which of the three length forms a head uses, and why (RFC 6455 §5.2): the text of its 7-bit length.
pub fn length_form(head: &FrameHead) -> String {
    texts::Place::new(Chapter::Frame, "payload-len", length_case(head)).words(|name| length_name(head, name)).text
}

/// Where the text about a field stands.
fn choose(ctx: &FrameContext, field: &Field) -> Option<(Chapter, String, &'static str)> {
    let head = &ctx.head;
    let case = match field.id {
        FieldId::Fin => fin_case(ctx),
        FieldId::Rsv1 => rsv1_case(ctx),
        FieldId::Rsv2 => reserved_bit_case(head.rsv2),
        FieldId::Rsv3 => reserved_bit_case(head.rsv3),
        FieldId::Opcode => return Some((Chapter::Opcode, opcode_topic(head.opcode).to_owned(), opcode_case(ctx))),
        FieldId::Mask => mask_case(ctx),
        FieldId::PayloadLen => length_case(head),
        FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => extended_case(head),
        FieldId::MaskingKey => key_case(ctx),
        FieldId::Payload => payload_case(ctx),
        FieldId::CloseCode => return Some((Chapter::Close, close_topic(close_code_of(field)), "code")),
        FieldId::CloseReason => {
            if is_cut(ctx) {
                "cut"
            } else {
                "given"
            }
        }
        FieldId::Method
        | FieldId::Target
        | FieldId::Version
        | FieldId::Status
        | FieldId::Reason
        | FieldId::Header(_)
        | FieldId::HeadEnd
        | FieldId::Body
        | FieldId::Opaque => return None,
    };
    Some((Chapter::Frame, field.id.key().to_owned(), case))
}

/// What a name in braces stands for.
fn look(ctx: &FrameContext, field: &Field, name: &str) -> Option<String> {
    let head = &ctx.head;
    Some(match name {
        "hex" => hex(&big_endian(field)),
        "key" => hex(&head.masking_key.unwrap_or_default()),
        "captured" => grouped(ctx.captured_payload),
        "reason_bytes" => texts::bytes(head.payload_len.saturating_sub(2)),
        "code" => close_code_of(field).0.to_string(),
        _ => {
            let named = texts::peer(ctx.direction, name).or_else(|| opcode_name(head.opcode, name));
            return named.or_else(|| length_name(head, name));
        }
    })
}

fn opcode_name(opcode: Opcode, name: &str) -> Option<String> {
    match name {
        "opcode" => Some(opcode.to_wire().to_string()),
        "opcode_hex" => Some(format!("0x{:X}", opcode.to_wire())),
        _ => None,
    }
}

fn length_name(head: &FrameHead, name: &str) -> Option<String> {
    match name {
        "len_code" => Some(head.len_code.to_string()),
        "len" => Some(grouped(head.payload_len)),
        "bytes" => Some(texts::bytes(head.payload_len)),
        _ => None,
    }
}

/// The place that agrees with FIN and opcode.
const fn place(ctx: &FrameContext) -> Place {
    let head = &ctx.head;
    match (head.opcode, ctx.place) {
        (opcode, _) if opcode.is_control() => Place::Control,
        (Opcode::Text | Opcode::Binary, _) if head.fin => Place::Whole,
        (Opcode::Text | Opcode::Binary, _) => Place::First,
        (Opcode::Continuation, Place::Middle | Place::Last) if head.fin => Place::Last,
        (Opcode::Continuation, Place::Middle | Place::Last) => Place::Middle,
        _ => Place::Stray,
    }
}

const fn fin_case(ctx: &FrameContext) -> &'static str {
    match (place(ctx), ctx.head.opcode, ctx.head.fin) {
        (Place::Control, _, true) => "control",
        (Place::Control, _, false) => "control-fragment",
        (Place::Whole, ..) => "whole",
        (Place::First, ..) => "first",
        (Place::Middle, ..) => "middle",
        (Place::Last, ..) => "last",
        (Place::Stray, Opcode::Reserved(_), true) => "reserved-end",
        (Place::Stray, Opcode::Reserved(_), false) => "reserved-more",
        (Place::Stray, _, true) => "stray-end",
        (Place::Stray, _, false) => "stray-more",
    }
}

/// RFC 7692 §6: RSV1 belongs to the first frame of a data message.
const fn rsv1_case(ctx: &FrameContext) -> &'static str {
    match (ctx.head.rsv1, ctx.head.opcode, ctx.compressed) {
        (false, opcode, _) if opcode.is_control() => "zero-control",
        (false, Opcode::Continuation, true) => "zero-compressed",
        (false, ..) => "zero",
        (true, Opcode::Text | Opcode::Binary, true) => "compressed",
        (true, opcode, _) if opcode.is_control() => "set-control",
        (true, Opcode::Continuation, _) => "set-later",
        (true, ..) => "set",
    }
}

const fn reserved_bit_case(set: bool) -> &'static str {
    if set { "set" } else { "zero" }
}

const fn opcode_case(ctx: &FrameContext) -> &'static str {
    match (ctx.head.opcode, place(ctx)) {
        (Opcode::Reserved(_), _) => "reserved",
        (_, Place::Control) => "control",
        (_, Place::Whole) => "whole",
        (_, Place::First) => "first",
        (_, Place::Middle) => "middle",
        (_, Place::Last) => "last",
        (_, Place::Stray) => "stray",
    }
}

const fn opcode_topic(opcode: Opcode) -> &'static str {
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

const fn mask_case(ctx: &FrameContext) -> &'static str {
    match (ctx.direction, ctx.head.masking_key) {
        (Direction::ClientToServer, Some(_)) => "client-masked",
        (Direction::ClientToServer, None) => "client-unmasked",
        (Direction::ServerToClient, Some(_)) => "server-masked",
        (Direction::ServerToClient, None) => "server-unmasked",
    }
}

/// The case of the 7-bit length.
const fn length_case(head: &FrameHead) -> &'static str {
    let too_long = head.opcode.is_control() && head.payload_len > MAX_CONTROL_PAYLOAD;
    match (head.len_code, head.payload_len) {
        (126, _) if too_long => "control-16",
        (127, _) if too_long => "control-64",
        (126, 0..=125) => "longer-16",
        (126, _) => "follows-16",
        (127, 0..=125) => "longer-64",
        (127, 126..=0xffff) => "longer-64-for-16",
        (127, _) => "follows-64",
        (0, _) => "none",
        _ => "direct",
    }
}

const fn extended_case(head: &FrameHead) -> &'static str {
    match (head.len_code, head.payload_len) {
        (_, 0..=125) => "longer",
        (127, 126..=0xffff) => "longer-for-16",
        (127, len) if len >> 63 == 1 => "top-bit",
        _ => "right",
    }
}

const fn key_case(ctx: &FrameContext) -> &'static str {
    match (ctx.direction, ctx.head.masking_key, ctx.head.payload_len) {
        (Direction::ServerToClient, ..) => "server",
        (_, Some([0, 0, 0, 0]), _) => "client-zero",
        (_, _, 0) => "client-empty",
        _ => "client",
    }
}

const fn payload_case(ctx: &FrameContext) -> &'static str {
    match (ctx.head.opcode, place(ctx)) {
        _ if is_cut(ctx) => "cut",
        (Opcode::Close, _) => "close",
        (Opcode::Ping, _) => "ping",
        (Opcode::Pong, _) => "pong",
        (Opcode::Reserved(_), _) => "reserved",
        (_, Place::Whole) if ctx.compressed => "compressed",
        (_, Place::Stray) => "stray",
        _ if ctx.compressed => "compressed-part",
        (Opcode::Text, Place::Whole) => "text",
        (Opcode::Text, _) => "text-first",
        (Opcode::Binary, Place::Whole) => "binary",
        (Opcode::Binary, _) => "binary-first",
        (Opcode::Continuation, Place::Last) => "last",
        (Opcode::Continuation, _) => "middle",
    }
}

const fn is_cut(ctx: &FrameContext) -> bool {
    ctx.captured_payload < ctx.head.payload_len
}

/// The code itself where it is defined, else its range (RFC 6455 §7.4.1, §7.4.2, §11.7).
fn close_topic(code: CloseCode) -> String {
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

fn close_code_of(field: &Field) -> CloseCode {
    match field.value {
        Value::Bits { value, .. } => CloseCode(value as u16),
        _ => CloseCode(0),
    }
}

/// A number's bytes as they stand on the wire.
fn big_endian(field: &Field) -> Vec<u8> {
    match field.value {
        Value::Bits { value, width } => value.to_be_bytes()[8 - usize::from(width / 8).min(8)..].to_vec(),
        _ => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{HeadReading, fields};

    /// Field, words and gloss of a frame given in hex.
    fn explain(wire: &str, direction: Direction, place: Place, id: FieldId) -> (Words, String) {
        let bytes = hex::decode(wire.replace(' ', "")).expect("hex");
        let HeadReading::Complete(head) = FrameHead::read(&bytes) else { panic!("a whole head") };
        let ctx = FrameContext { head, direction, place, compressed: false, captured_payload: head.payload_len };
        let table = fields(&bytes, head.wire_len());
        let field = table.iter().find(|field| field.id == id).expect("the field");
        (frame_field(&ctx, field), frame_gloss(&ctx, field))
    }

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    #[test]
    fn section_5_2_the_opcode_of_an_unfragmented_text() {
        let (words, gloss) = explain("81 05 48 65 6c 6c 6f", DOWN, Place::Whole, FieldId::Opcode);
        assert_eq!(
            words,
            Words {
                title: "opcode".to_owned(),
                section: "RFC 6455 §5.2".to_owned(),
                text:
                    "1 says how to read the payload: as UTF-8 text. This frame starts a text message and, FIN being 1, \
                       also ends it."
                        .to_owned(),
            }
        );
        assert_eq!(gloss, "text");
    }

    #[test]
    fn section_5_2_the_three_length_forms() {
        let (words, gloss) = explain("82 7e 01 2c", DOWN, Place::Whole, FieldId::PayloadLen);
        let text = "126 says that the next 16 bits hold the length: 300 does not fit into 7 bits' 0–125.";
        assert_eq!((words.text.as_str(), gloss.as_str()), (text, "extended length follows: 16 bits"));
        assert_eq!(length_form(&FrameHead::new(true, Opcode::Binary, None, 300)), text);
        let (words, gloss) = explain("82 7e 01 2c", DOWN, Place::Whole, FieldId::ExtendedLen16);
        assert!(words.text.starts_with("01 2c, the most significant byte first, is 300: "), "{}", words.text);
        assert_eq!(gloss, "300 bytes");
        let (words, _) = explain("82 7f 0000000000010000", DOWN, Place::Whole, FieldId::ExtendedLen64);
        assert!(words.text.starts_with("00 00 00 00 00 01 00 00, the most"), "{}", words.text);
        assert_eq!(
            length_form(&FrameHead::new(true, Opcode::Binary, None, 65_536)),
            "127 says that the next 64 bits hold the length: 65,536 does not fit into 16 bits, which end at 65,535."
        );
        let (words, gloss) = explain("81 0e", DOWN, Place::Whole, FieldId::PayloadLen);
        assert!(words.text.starts_with("14 is the length itself"));
        assert_eq!(gloss, "the length itself");
        assert!(
            length_form(&FrameHead { len_code: 127, ..FrameHead::new(true, Opcode::Text, None, 300) })
                .contains("126 should")
        );
    }

    #[test]
    fn section_5_1_who_masks() {
        let (words, gloss) = explain("81 05 48 65 6c 6c 6f", UP, Place::Whole, FieldId::Mask);
        assert_eq!(gloss, "unmasked: a client must mask");
        assert_eq!(
            words.text,
            "0: the payload stands on the wire as it is, but a client must mask every frame it sends. The server must \
             close the connection; it may send a Close with 1002, protocol error, first."
        );
        assert_eq!(explain("81 80 01020304", UP, Place::Whole, FieldId::Mask).1, "masked");
        assert_eq!(explain("81 80 01020304", DOWN, Place::Whole, FieldId::Mask).1, "masked: a server must not mask");
        assert_eq!(
            explain("81 85 00000000", UP, Place::Whole, FieldId::MaskingKey).1,
            "zero: the payload stays readable"
        );
    }

    #[test]
    fn section_5_4_fin_by_the_place_in_the_message() {
        let gloss = |wire, place| explain(wire, DOWN, place, FieldId::Fin).1;
        assert_eq!(gloss("81 00", Place::Whole), "last fragment of its message");
        assert_eq!(gloss("01 00", Place::First), "more fragments follow");
        assert_eq!(gloss("00 00", Place::Middle), "more fragments follow");
        assert_eq!(gloss("80 00", Place::Last), "last fragment of its message");
        assert_eq!(gloss("80 00", Place::Stray), "last fragment of no message");
        assert_eq!(gloss("09 00", Place::Control), "0: control frames are never cut up");
    }

    #[test]
    fn section_7_4_close_codes() {
        let text = "1000, normal closure: the purpose for which the connection was established has been fulfilled.";
        assert_eq!(close_code(CloseCode::NORMAL).text, text);
        let (words, gloss) = explain("88 02 03 e8", DOWN, Place::Control, FieldId::CloseCode);
        assert_eq!((words.text.as_str(), words.section.as_str()), (text, "RFC 6455 §7.4.1"));
        assert_eq!(gloss, "normal closure");
        assert!(close_code(CloseCode(4711)).text.starts_with("4711 lies in 4000 to 4999"));
    }

    #[test]
    fn rfc_7692_a_compressed_message_says_so_on_its_first_frame() {
        let mut head = FrameHead::new(true, Opcode::Text, None, 3);
        head.rsv1 = true;
        let mut ctx = FrameContext { head, direction: UP, place: Place::Whole, compressed: true, captured_payload: 3 };
        let table = fields(&[0xc1, 3, 0, 0, 0], 5);
        assert_eq!(frame_gloss(&ctx, &table[1]), "the message is compressed");
        ctx.compressed = false;
        assert_eq!(frame_gloss(&ctx, &table[1]), "set without an agreed meaning");
    }

    #[test]
    fn a_field_that_no_frame_has_is_not_explained() {
        let ctx = FrameContext {
            head: FrameHead::new(true, Opcode::Text, None, 0),
            direction: UP,
            place: Place::Whole,
            compressed: false,
            captured_payload: 0,
        };
        let mut field = fields(&[0x81, 0], 2).remove(0);
        field.id = FieldId::Method;
        assert_eq!((frame_gloss(&ctx, &field), frame_field(&ctx, &field).text), (String::new(), String::new()));
    }
}
