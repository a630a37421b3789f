//! Explains the fields of a frame, depending on their values, the direction and the position in the message.

use super::code::{close_topic, opcode_name, opcode_topic};
use super::texts::{self, Chapter};
use super::value::hex;
use super::{Explanation, case};
use crate::capture::store::record::Record;
use crate::proto::dissected::Direction;
use crate::proto::rules::{Rule, grouped};
use crate::wire::close::CloseCode;
use crate::wire::field::{Field, FieldId, FieldValue};
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// The frame of a field, for the meaning of the field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameContext {
    /// The head of the frame.
    pub head: FrameHead,
    /// Its direction.
    pub direction: Direction,
    /// Its position in its message. If it contradicts FIN and opcode of the head, those count.
    pub part: MessagePart,
    /// True for a frame of a compressed message (RFC 7692 §6).
    pub compressed: bool,
    /// The number of captured payload bytes; less than the announced length if the frame was truncated.
    pub captured_payload: u64,
    /// True for a Pong that answers no Ping (RFC 6455 §5.5.3).
    pub unsolicited: bool,
}

impl FrameContext {
    /// The context of a frame with a complete head.
    pub fn of(record: &Record, head: FrameHead) -> Self {
        let part = match head.opcode {
            opcode if opcode.is_control() => MessagePart::Control,
            Opcode::Reserved(_) => MessagePart::Stray,
            Opcode::Continuation if record.message.is_none() => MessagePart::Stray,
            Opcode::Continuation if head.fin => MessagePart::Last,
            Opcode::Continuation => MessagePart::Middle,
            _ if head.fin => MessagePart::Whole,
            _ => MessagePart::First,
        };
        Self {
            head,
            direction: record.direction,
            part,
            compressed: record.compressed,
            captured_payload: record.payload_len().unwrap_or(0),
            unsolicited: record.findings.iter().any(|finding| finding.rule == Rule::PongUnsolicited),
        }
    }
}

/// The position of a frame in its message (RFC 6455 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessagePart {
    /// None: a control frame.
    Control,
    /// The whole message, unfragmented.
    Whole,
    /// The first fragment.
    First,
    /// A fragment that is neither the first nor the last.
    Middle,
    /// The last fragment.
    Last,
    /// None: a continuation without an unfinished message, or a data frame with a reserved opcode.
    Stray,
}

/// The meaning of a field's value in at most 31 columns. Empty for a field that no frame has.
pub fn frame_gloss(ctx: &FrameContext, field: &Field) -> String {
    let Some((chapter, topic, case)) = choose(ctx, field) else { return String::new() };
    texts::TextKey::new(chapter, &topic, case).gloss(|name| look(ctx, field, name))
}

/// Explains the value of a field in this frame. For a field that no frame has, the explanation contains only its name.
pub fn frame_field(ctx: &FrameContext, field: &Field) -> Explanation {
    let Some((chapter, topic, case)) = choose(ctx, field) else {
        return Explanation { title: field.id.key().to_owned(), section: String::new(), text: String::new() };
    };
    texts::TextKey::new(chapter, &topic, case).explanation(|name| look(ctx, field, name))
}

/// The key of the text for a field: chapter, topic and case.
fn choose(ctx: &FrameContext, field: &Field) -> Option<(Chapter, String, &'static str)> {
    let head = &ctx.head;
    let chosen = match field.id {
        FieldId::Fin => case::fin(ctx),
        FieldId::Rsv1 => case::rsv1(ctx),
        FieldId::Rsv2 => case::reserved_bit(head.rsv2),
        FieldId::Rsv3 => case::reserved_bit(head.rsv3),
        FieldId::Opcode => return Some((Chapter::Opcode, opcode_topic(head.opcode).to_owned(), case::opcode(ctx))),
        FieldId::Mask => case::mask(ctx),
        FieldId::PayloadLen => case::length(head),
        FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => case::extended(head),
        FieldId::MaskingKey => case::key(ctx),
        FieldId::Payload => case::payload(ctx),
        FieldId::CloseCode => return Some((Chapter::Close, close_topic(close_code_of(field)), "code")),
        FieldId::CloseReason => case::reason(ctx),
        _ => return None,
    };
    Some((Chapter::Frame, field.id.key().to_owned(), chosen))
}

/// The value of a name in braces.
fn look(ctx: &FrameContext, field: &Field, name: &str) -> Option<String> {
    let head = &ctx.head;
    Some(match name {
        "hex" => hex(&big_endian(field)),
        "key" => hex(&head.masking_key.unwrap_or_default()),
        "captured" => grouped(ctx.captured_payload),
        "reason_bytes" => texts::bytes(head.payload_len.saturating_sub(2)),
        "code" => close_code_of(field).0.to_string(),
        "len_code" => head.len_code.to_string(),
        "len" => grouped(head.payload_len),
        "bytes" => texts::bytes(head.payload_len),
        _ => {
            return texts::peer(ctx.direction, name).or_else(|| opcode_name(head.opcode, name));
        }
    })
}

fn close_code_of(field: &Field) -> CloseCode {
    match field.value {
        FieldValue::Bits { value, .. } => CloseCode(value as u16),
        _ => CloseCode(0),
    }
}

/// The bytes of a number in network byte order.
fn big_endian(field: &Field) -> Vec<u8> {
    match field.value {
        FieldValue::Bits { value, width } => value.to_be_bytes()[8 - usize::from(width / 8).min(8)..].to_vec(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::fields;

    /// The explanation and the gloss of a field of a frame in hex.
    fn explain(wire: &str, direction: Direction, part: MessagePart, id: FieldId) -> (Explanation, String) {
        let bytes = hex::decode(wire.replace(' ', "")).expect("hex");
        let Some(head) = FrameHead::read(&bytes) else { panic!("a whole head") };
        let captured_payload = head.payload_len;
        let ctx = FrameContext { head, direction, part, compressed: false, captured_payload, unsolicited: false };
        let table = fields(&bytes, head.wire_len());
        let field = table.iter().find(|field| field.id == id).expect("the field");
        (frame_field(&ctx, field), frame_gloss(&ctx, field))
    }

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    #[test]
    fn section_5_2_the_opcode_of_an_unfragmented_text() {
        let (words, gloss) = explain("81 05 48 65 6c 6c 6f", DOWN, MessagePart::Whole, FieldId::Opcode);
        assert_eq!(
            words,
            Explanation {
                title: "opcode".to_owned(),
                section: "RFC 6455 §5.2".to_owned(),
                text:
                    "1 means that the payload is UTF-8 text. This frame starts a text message. FIN is 1, so it also ends \
                     the message."
                        .to_owned(),
            }
        );
        assert_eq!(gloss, "text");
    }

    #[test]
    fn section_5_2_the_three_length_forms() {
        let (words, gloss) = explain("82 7e 01 2c", DOWN, MessagePart::Whole, FieldId::PayloadLen);
        let text = "126 means that the next 16 bits hold the length: 300 does not fit into these 7 bits, which hold lengths up to 125.";
        assert_eq!((words.text.as_str(), gloss.as_str()), (text, "the length follows in 16 bits"));
        let (words, gloss) = explain("82 7e 01 2c", DOWN, MessagePart::Whole, FieldId::ExtendedLen16);
        assert!(words.text.starts_with("01 2c, with the most significant byte first, is 300: "), "{}", words.text);
        assert_eq!(gloss, "300 bytes");
        let (words, _) = explain("82 7f 0000000000010000", DOWN, MessagePart::Whole, FieldId::ExtendedLen64);
        assert!(words.text.starts_with("00 00 00 00 00 01 00 00, with the most"), "{}", words.text);
        let (words, _) = explain("82 7f 0000000000010000", DOWN, MessagePart::Whole, FieldId::PayloadLen);
        assert_eq!(
            words.text,
            "127 means that the next 64 bits hold the length: 65,536 does not fit into 16 bits, which hold lengths up to 65,535."
        );
        let (words, gloss) = explain("81 0e", DOWN, MessagePart::Whole, FieldId::PayloadLen);
        assert!(words.text.starts_with("14 is the length itself"));
        assert_eq!(gloss, "the length itself");
        let (words, _) = explain("81 7f 000000000000012c", DOWN, MessagePart::Whole, FieldId::PayloadLen);
        assert!(words.text.contains("should be 126"), "{}", words.text);
    }

    #[test]
    fn section_5_1_the_client_masks() {
        let (words, gloss) = explain("81 05 48 65 6c 6c 6f", UP, MessagePart::Whole, FieldId::Mask);
        assert_eq!(gloss, "unmasked: a client must");
        assert_eq!(
            words.text,
            "0: the payload is not masked, but a client must mask every frame. The server must close the connection. It \
             may first send a Close with code 1002, protocol error."
        );
        assert_eq!(explain("81 80 01020304", UP, MessagePart::Whole, FieldId::Mask).1, "masked");
        assert_eq!(explain("81 80 01020304", DOWN, MessagePart::Whole, FieldId::Mask).1, "masked: a server must not");
        assert_eq!(
            explain("81 85 00000000", UP, MessagePart::Whole, FieldId::MaskingKey).1,
            "zero: payload is readable"
        );
    }

    #[test]
    fn section_5_4_fin_by_the_position_in_the_message() {
        let gloss = |wire, part| explain(wire, DOWN, part, FieldId::Fin).1;
        assert_eq!(gloss("81 00", MessagePart::Whole), "last fragment of its message");
        assert_eq!(gloss("01 00", MessagePart::First), "more fragments follow");
        assert_eq!(gloss("00 00", MessagePart::Middle), "more fragments follow");
        assert_eq!(gloss("80 00", MessagePart::Last), "last fragment of its message");
        assert_eq!(gloss("80 00", MessagePart::Stray), "last fragment of no message");
        assert_eq!(gloss("09 00", MessagePart::Control), "0: must be 1 in control frames");
    }

    #[test]
    fn section_7_4_close_codes() {
        let (words, gloss) = explain("88 02 03 e8", DOWN, MessagePart::Control, FieldId::CloseCode);
        assert!(words.text.starts_with("1000"), "{}", words.text);
        assert_eq!((words.section.as_str(), gloss.as_str()), ("RFC 6455 §7.4.1", "normal closure"));
        assert_eq!(close_topic(CloseCode(4711)), "4000-4999");
    }

    #[test]
    fn rfc_7692_a_compressed_message_says_so_on_its_first_frame() {
        let mut head = FrameHead::new(true, Opcode::Text, None, 3);
        head.rsv1 = true;
        let mut ctx = FrameContext {
            head,
            direction: UP,
            part: MessagePart::Whole,
            compressed: true,
            captured_payload: 3,
            unsolicited: false,
        };
        let table = fields(&[0xc1, 3, 0, 0, 0], 5);
        assert_eq!(frame_gloss(&ctx, &table[1]), "the message is compressed");
        ctx.compressed = false;
        assert_eq!(frame_gloss(&ctx, &table[1]), "no extension defines it");
    }

    #[test]
    fn a_field_that_no_frame_has_is_not_explained() {
        let ctx = FrameContext {
            head: FrameHead::new(true, Opcode::Text, None, 0),
            direction: UP,
            part: MessagePart::Whole,
            compressed: false,
            captured_payload: 0,
            unsolicited: false,
        };
        let mut field = fields(&[0x81, 0], 2).remove(0);
        field.id = FieldId::Method;
        assert_eq!((frame_gloss(&ctx, &field), frame_field(&ctx, &field).text), (String::new(), String::new()));
    }
}
