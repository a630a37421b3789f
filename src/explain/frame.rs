//! Explains the fields of a frame, depending on their values, the direction and the position in the message.

use super::code::{close_topic, opcode_name, opcode_topic};
use super::frame_context::FrameContext;
use super::texts::{self, Chapter};
use super::value::hex;
use super::{Explanation, case};
use crate::proto::rules::grouped;
use crate::wire::close::CloseCode;
use crate::wire::field::{Field, FieldId, FieldValue};
use crate::wire::mask;

/// The meaning of a field's value in at most 31 columns. Empty for a field that no frame has.
pub fn frame_gloss(ctx: &FrameContext, field: &Field) -> String {
    let Some((chapter, topic, case)) = choose(ctx, field) else { return String::new() };
    texts::TextKey::new(chapter, &topic, case).gloss(|name| look(ctx, field, name))
}

/// The same in at most 10 columns, for the fields whose meaning has such a form.
pub fn frame_brief(ctx: &FrameContext, field: &Field) -> Option<&'static str> {
    let (chapter, topic, case) = choose(ctx, field)?;
    texts::TextKey::new(chapter, &topic, case).brief()
}

/// Explains the value of a field in this frame. For a field that no frame has, the explanation contains only its name.
pub fn frame_field(ctx: &FrameContext, field: &Field) -> Explanation {
    let Some((chapter, topic, case)) = choose(ctx, field) else {
        return Explanation { title: field.id.key().to_owned(), section: String::new(), text: String::new() };
    };
    let mut words = texts::TextKey::new(chapter, &topic, case).explanation(|name| look(ctx, field, name));
    if field.id == FieldId::CloseCode && ctx.head.masking_key.is_some() {
        words.text.push(' ');
        words.text.push_str(&texts::fill(texts::phrase("masked-code"), |name| look(ctx, field, name)));
    }
    words
}

/// The key of the text for a field: chapter, topic and case.
fn choose(ctx: &FrameContext, field: &Field) -> Option<(Chapter, String, &'static str)> {
    let head = &ctx.head;
    let chosen = match field.id {
        FieldId::Fin => case::fin(ctx),
        FieldId::Rsv1 => case::rsv1(ctx),
        FieldId::Rsv2 => case::reserved_bit(head.rsv2, ctx.extensions),
        FieldId::Rsv3 => case::reserved_bit(head.rsv3, ctx.extensions),
        FieldId::Opcode => return Some((Chapter::Opcode, opcode_topic(head.opcode).to_owned(), case::opcode(ctx))),
        FieldId::Mask => case::mask(ctx),
        FieldId::PayloadLen => case::length(ctx),
        FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => case::extended(ctx),
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
        "high" => (head.payload_len >> 8).to_string(),
        "low" => (head.payload_len & 0xff).to_string(),
        "key" => hex(&head.masking_key.unwrap_or_default()),
        // The two bytes of the close code as sent, and the part of the key that masks them.
        "masked" => hex(&masked_code(ctx, field)),
        "mask" => hex(&head.masking_key.unwrap_or_default()[..2]),
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

/// A masked close code as sent.
fn masked_code(ctx: &FrameContext, field: &Field) -> [u8; 2] {
    let mut bytes = close_code_of(field).0.to_be_bytes();
    mask::apply(&mut bytes, ctx.head.masking_key.unwrap_or_default(), 0);
    bytes
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
    use super::super::frame_context::{Extensions, MessagePart};
    use super::*;
    use crate::proto::dissected::Direction;
    use crate::wire::frame::{FrameHead, fields};
    use crate::wire::opcode::Opcode;

    /// The explanation and the gloss of a field of a frame in hex.
    fn explain(wire: &str, direction: Direction, part: MessagePart, id: FieldId) -> (Explanation, String) {
        let bytes = hex::decode(wire.replace(' ', "")).expect("hex");
        let Some(head) = FrameHead::read(&bytes) else { panic!("a whole head") };
        let ctx = FrameContext { direction, part, ..context(head, Extensions::None) };
        let table = fields(&bytes, head.wire_len());
        let field = table.iter().find(|field| field.id == id).expect("the field");
        (frame_field(&ctx, field), frame_gloss(&ctx, field))
    }

    fn context(head: FrameHead, extensions: Extensions) -> FrameContext {
        FrameContext {
            head,
            direction: UP,
            part: MessagePart::Whole,
            extensions,
            compressed: false,
            captured_payload: head.payload_len,
            unsolicited: false,
        }
    }

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    #[test]
    fn section_5_2_the_opcode_of_an_unfragmented_text() {
        let (words, gloss) = explain("81 05 48 65 6c 6c 6f", DOWN, MessagePart::Whole, FieldId::Opcode);
        assert_eq!((words.title.as_str(), words.section.as_str()), ("opcode", "RFC 6455 §5.2"));
        assert!(words.text.starts_with("1 ") && words.text.contains("UTF-8"), "{}", words.text);
        assert!(gloss.contains("UTF-8 text"), "{gloss}");
    }

    #[test]
    fn section_5_2_the_three_length_forms() {
        let text = |wire, id| explain(wire, DOWN, MessagePart::Whole, id).0.text;
        for (wire, id, start, value) in [
            ("81 0e", FieldId::PayloadLen, "14: ", "14 bytes"),
            ("82 7e 01 2c", FieldId::PayloadLen, "126 ", "300"),
            ("82 7e 01 2c", FieldId::ExtendedLen16, "01 2c ", "1 × 256 + 44 = 300"),
            ("82 7f 0000000000010000", FieldId::PayloadLen, "127 ", "65,536"),
            ("82 7f 0000000000010000", FieldId::ExtendedLen64, "00 00 00 00 00 01 00 00 ", "65,536 bytes"),
            ("81 7f 000000000000012c", FieldId::PayloadLen, "127 ", "126"),
        ] {
            let text = text(wire, id);
            assert!(text.starts_with(start) && text.contains(value), "{wire}: {text}");
        }
        assert_eq!(explain("82 7e 01 2c", DOWN, MessagePart::Whole, FieldId::ExtendedLen16).1, "bytes of payload");
    }

    #[test]
    fn section_5_1_the_client_masks() {
        let gloss = |wire, direction, id| explain(wire, direction, MessagePart::Whole, id).1;
        assert_eq!(gloss("81 05 48 65 6c 6c 6f", UP, FieldId::Mask), "unmasked: a client must");
        assert_eq!(gloss("81 80 01020304", UP, FieldId::Mask), "masked");
        assert_eq!(gloss("81 80 01020304", DOWN, FieldId::Mask), "masked: a server must not");
        assert_eq!(gloss("81 85 00000000", UP, FieldId::MaskingKey), "zero: payload is readable");
    }

    #[test]
    fn section_5_4_fin_by_the_position_in_the_message() {
        let gloss = |wire, part| explain(wire, DOWN, part, FieldId::Fin).1;
        assert_eq!(gloss("81 00", MessagePart::Whole), "the message ends here");
        assert_eq!(gloss("01 00", MessagePart::First), "the message goes on");
        assert_eq!(gloss("00 00", MessagePart::Middle), "the message goes on");
        assert_eq!(gloss("80 00", MessagePart::Last), "the message ends here");
        assert_eq!(gloss("80 00", MessagePart::Stray), "ends no message");
        assert_eq!(gloss("09 00", MessagePart::Control), "0: must be 1 in control frames");
        let cut = FrameContext {
            captured_payload: 3,
            ..context(FrameHead::new(true, Opcode::Text, None, 5), Extensions::None)
        };
        let text = frame_field(&cut, &fields(&[0x81, 5, 1, 2, 3], 5)[0]).text;
        assert!(text.contains("3 of 5 bytes"), "{text}");
    }

    #[test]
    fn section_7_4_close_codes() {
        let (words, gloss) = explain("88 02 03 e8", DOWN, MessagePart::Control, FieldId::CloseCode);
        assert!(words.text.starts_with("1000"), "{}", words.text);
        assert_eq!((words.section.as_str(), gloss.as_str()), ("RFC 6455 §7.4.1", "normal closure"));
        assert_eq!(close_topic(CloseCode(4711)), "4000-4999");
        let masked = explain("88 82 37fa213d 3412", UP, MessagePart::Control, FieldId::CloseCode).0.text;
        assert!(masked.starts_with("1000") && masked.contains("34 12 XOR 37 fa = 03 e8"), "{masked}");
    }

    #[test]
    fn rfc_7692_rsv1_depends_on_the_message_and_on_what_was_negotiated() {
        let table = fields(&[0xc1, 3, 0, 0, 0], 5);
        let gloss = |rsv1, compressed, extensions| {
            let head = FrameHead { rsv1, ..FrameHead::new(true, Opcode::Text, None, 3) };
            frame_gloss(&FrameContext { compressed, ..context(head, extensions) }, &table[1])
        };
        assert_eq!(gloss(true, true, Extensions::Deflate), "the message is compressed");
        assert_eq!(gloss(true, true, Extensions::Unknown), "probably compressed");
        assert_eq!(gloss(true, false, Extensions::None), "no extension defines it");
        assert_eq!(gloss(false, false, Extensions::None), "unused: no extension");
        assert_eq!(gloss(false, false, Extensions::Deflate), "not compressed");
        let rsv2 =
            |extensions| frame_gloss(&context(FrameHead::new(true, Opcode::Text, None, 3), extensions), &table[2]);
        assert_eq!([rsv2(Extensions::None), rsv2(Extensions::Deflate)], ["unused: no extension", "unused"]);
    }

    #[test]
    fn a_field_that_no_frame_has_is_not_explained() {
        let ctx = context(FrameHead::new(true, Opcode::Text, None, 0), Extensions::None);
        let mut field = fields(&[0x81, 0], 2).remove(0);
        field.id = FieldId::Method;
        assert_eq!((frame_gloss(&ctx, &field), frame_field(&ctx, &field).text), (String::new(), String::new()));
    }
}
