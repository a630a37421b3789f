//! Chooses the case of the text for each field of a frame.

use super::frame_context::{Extensions, FrameContext, MessagePart};
use crate::proto::dissected::Direction;
use crate::wire::frame::MAX_CONTROL_PAYLOAD;
use crate::wire::opcode::Opcode;

/// The position in the message, corrected to agree with FIN and opcode.
const fn part(ctx: &FrameContext) -> MessagePart {
    let head = &ctx.head;
    match (head.opcode, ctx.part) {
        (opcode, _) if opcode.is_control() => MessagePart::Control,
        (Opcode::Text | Opcode::Binary, _) if head.fin => MessagePart::Whole,
        (Opcode::Text | Opcode::Binary, _) => MessagePart::First,
        (Opcode::Continuation, MessagePart::Middle | MessagePart::Last) if head.fin => MessagePart::Last,
        (Opcode::Continuation, MessagePart::Middle | MessagePart::Last) => MessagePart::Middle,
        _ => MessagePart::Stray,
    }
}

pub(super) const fn fin(ctx: &FrameContext) -> &'static str {
    match (part(ctx), ctx.head.opcode, ctx.head.fin) {
        (MessagePart::Control, _, true) => "control",
        (MessagePart::Control, _, false) => "control-fragment",
        (MessagePart::Whole | MessagePart::Last, ..) if is_cut(ctx) => "cut",
        (MessagePart::Whole, ..) => "whole",
        (MessagePart::First, ..) => "first",
        (MessagePart::Middle, ..) => "middle",
        (MessagePart::Last, ..) => "last",
        (MessagePart::Stray, Opcode::Reserved(_), true) => "reserved-end",
        (MessagePart::Stray, Opcode::Reserved(_), false) => "reserved-more",
        (MessagePart::Stray, _, true) => "stray-end",
        (MessagePart::Stray, _, false) => "stray-more",
    }
}

/// RFC 7692 §6: RSV1 is used on the first frame of a data message.
pub(super) const fn rsv1(ctx: &FrameContext) -> &'static str {
    match (ctx.head.rsv1, ctx.head.opcode, ctx.compressed) {
        (false, opcode, _) if opcode.is_control() => "zero-control",
        (false, Opcode::Continuation, true) => "zero-compressed",
        (false, opcode, _) => match (ctx.extensions, opcode) {
            (Extensions::None, _) => "zero",
            (Extensions::Unknown, _) => "zero-unknown",
            (Extensions::Deflate, Opcode::Continuation) => "zero-later",
            (Extensions::Deflate, _) => "zero-uncompressed",
        },
        (true, Opcode::Text | Opcode::Binary, true) => match ctx.extensions {
            Extensions::Deflate => "compressed",
            Extensions::None | Extensions::Unknown => "compressed-assumed",
        },
        (true, opcode, _) if opcode.is_control() => "set-control",
        (true, Opcode::Continuation, _) => "set-later",
        (true, ..) => "set",
    }
}

/// The case for RSV2 or RSV3.
pub(super) const fn reserved_bit(set: bool, extensions: Extensions) -> &'static str {
    match (set, extensions) {
        (true, _) => "set",
        (false, Extensions::None) => "zero",
        (false, Extensions::Deflate | Extensions::Unknown) => "zero-extension",
    }
}

pub(super) const fn opcode(ctx: &FrameContext) -> &'static str {
    match (ctx.head.opcode, part(ctx)) {
        (Opcode::Reserved(_), _) => "reserved",
        (Opcode::Pong, _) if ctx.unsolicited => "unsolicited",
        (_, MessagePart::Control) => "control",
        (_, MessagePart::Whole | MessagePart::Last) if is_cut(ctx) => "cut",
        (_, MessagePart::Whole) => "whole",
        (_, MessagePart::First) => "first",
        (_, MessagePart::Middle) => "middle",
        (_, MessagePart::Last) => "last",
        (_, MessagePart::Stray) => "stray",
    }
}

pub(super) const fn mask(ctx: &FrameContext) -> &'static str {
    match (ctx.direction, ctx.head.masking_key) {
        (Direction::ClientToServer, Some(_)) => "client-masked",
        (Direction::ClientToServer, None) => "client-unmasked",
        (Direction::ServerToClient, Some(_)) => "server-masked",
        (Direction::ServerToClient, None) => "server-unmasked",
    }
}

/// The case for the 7-bit length.
pub(super) const fn length(ctx: &FrameContext) -> &'static str {
    let head = &ctx.head;
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
        _ if is_cut(ctx) => "cut",
        _ => "direct",
    }
}

pub(super) const fn extended(ctx: &FrameContext) -> &'static str {
    let head = &ctx.head;
    match (head.len_code, head.payload_len) {
        (_, 0..=125) => "longer",
        (127, 126..=0xffff) => "longer-for-16",
        (127, len) if len >> 63 == 1 => "top-bit",
        _ if is_cut(ctx) => "cut",
        _ => "right",
    }
}

pub(super) const fn key(ctx: &FrameContext) -> &'static str {
    match (ctx.direction, ctx.head.masking_key, ctx.head.payload_len) {
        (Direction::ServerToClient, ..) => "server",
        (_, Some([0, 0, 0, 0]), _) => "client-zero",
        (_, _, 0) => "client-empty",
        _ => "client",
    }
}

pub(super) const fn payload(ctx: &FrameContext) -> &'static str {
    match (ctx.head.opcode, part(ctx)) {
        _ if is_cut(ctx) => "cut",
        (Opcode::Close, _) => "close",
        (Opcode::Ping, _) => "ping",
        (Opcode::Pong, _) if ctx.unsolicited => "pong-unsolicited",
        (Opcode::Pong, _) => "pong",
        (Opcode::Reserved(_), _) => "reserved",
        (_, MessagePart::Whole) if ctx.compressed => "compressed",
        (_, MessagePart::Stray) => "stray",
        _ if ctx.compressed => "compressed-part",
        (Opcode::Text, MessagePart::Whole) => "text",
        (Opcode::Text, _) => "text-first",
        (Opcode::Binary, MessagePart::Whole) => "binary",
        (Opcode::Binary, _) => "binary-first",
        (Opcode::Continuation, MessagePart::Last) => "last",
        (Opcode::Continuation, _) => "middle",
    }
}

pub(super) const fn reason(ctx: &FrameContext) -> &'static str {
    if is_cut(ctx) { "cut" } else { "given" }
}

const fn is_cut(ctx: &FrameContext) -> bool {
    ctx.captured_payload < ctx.head.payload_len
}
