//! What is wrong with a frame by its head alone (RFC 6455 §5).

use super::dissected::Direction;
use super::rules::{Finding, Rule};
use crate::wire::field::Span;
use crate::wire::frame::{FrameHead, MAX_CONTROL_PAYLOAD};
use crate::wire::opcode::Opcode;

const FIN: Span = Span::bits(0, 1);
const RSV1: Span = Span::bits(1, 2);
const RSV2: Span = Span::bits(2, 3);
const RSV3: Span = Span::bits(3, 4);
const OPCODE: Span = Span::bits(4, 8);
const MASK: Span = Span::bits(8, 9);

/// Appends to `out` the rules that a frame's head breaks. `deflate` tells whether permessage-deflate was agreed on.
#[inline]
pub fn judge_head(head: &FrameHead, direction: Direction, deflate: bool, out: &mut Vec<Finding>) {
    // RFC 7692 §6.1: RSV1 belongs to the first frame of a data message.
    if head.rsv1 && !(deflate && head.opcode.opens_message()) {
        out.push(match head.opcode {
            opcode if deflate && (opcode.is_control() || opcode == Opcode::Continuation) => {
                Finding::new(Rule::Rsv1Misplaced, Some(RSV1)).text(opcode.name())
            }
            _ => Finding::new(Rule::Rsv1Set, Some(RSV1)),
        });
    }
    let mut breaks = |rule, span, number| out.push(Finding::new(rule, Some(span)).number(number));
    if head.rsv2 {
        breaks(Rule::Rsv2Set, RSV2, 0);
    }
    if head.rsv3 {
        breaks(Rule::Rsv3Set, RSV3, 0);
    }
    if let Opcode::Reserved(value) = head.opcode {
        breaks(Rule::OpcodeReserved, OPCODE, u64::from(value));
    }
    match (direction, head.masking_key) {
        (Direction::ClientToServer, None) => breaks(Rule::ClientFrameUnmasked, MASK, 0),
        (Direction::ServerToClient, Some(_)) => breaks(Rule::ServerFrameMasked, MASK, 0),
        (Direction::ClientToServer, Some([0, 0, 0, 0])) => breaks(Rule::MaskingKeyZero, key_span(head), 0),
        _ => {}
    }
    if head.opcode.is_control() {
        if !head.fin {
            breaks(Rule::ControlFragmented, FIN, 0);
        }
        if head.payload_len > MAX_CONTROL_PAYLOAD {
            breaks(Rule::ControlTooLong, length_span(head), head.payload_len);
        }
    }
    if !head.length_is_shortest() {
        breaks(Rule::LengthNotShortest, length_span(head), head.payload_len);
    }
    if head.len_code == 127 && head.payload_len >> 63 == 1 {
        breaks(Rule::LengthTopBit, Span::bits(16, 17), 0);
    }
}

/// The bits of the masking key, for a head that has one.
pub fn key_span(head: &FrameHead) -> Span {
    let end = head.header_len() as u64;
    Span::bytes(end - 4, end)
}

/// The 7-bit length with what extends it.
pub fn length_span(head: &FrameHead) -> Span {
    let extended = match head.len_code {
        126 => 16,
        127 => 64,
        _ => 0,
    };
    Span::bits(9, 16 + extended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::HeadReading;

    fn judged(hex: &str, direction: Direction) -> Vec<(Rule, Option<(u64, u64)>)> {
        let HeadReading::Complete(head) = FrameHead::read(&hex::decode(hex).expect("hex")) else { panic!("a head") };
        let mut out = Vec::new();
        judge_head(&head, direction, false, &mut out);
        out.into_iter().map(|f| (f.rule, f.span.map(|s| (s.start, s.end)))).collect()
    }

    #[test]
    fn each_rule_is_broken_by_exactly_its_bits() {
        use Direction::{ClientToServer as Up, ServerToClient as Down};
        let cases = [
            ("8105", Up, Rule::ClientFrameUnmasked, (8, 9)),
            ("818537fa213d", Down, Rule::ServerFrameMasked, (8, 9)),
            ("c105", Down, Rule::Rsv1Set, (1, 2)),
            ("a105", Down, Rule::Rsv2Set, (2, 3)),
            ("9105", Down, Rule::Rsv3Set, (3, 4)),
            ("8305", Down, Rule::OpcodeReserved, (4, 8)),
            ("8f00", Down, Rule::OpcodeReserved, (4, 8)),
            ("0900", Down, Rule::ControlFragmented, (0, 1)),
            ("897e007e", Down, Rule::ControlTooLong, (9, 32)),
            ("817e007d", Down, Rule::LengthNotShortest, (9, 32)),
            ("827f000000000000ffff", Down, Rule::LengthNotShortest, (9, 80)),
            ("827f8000000000000000", Down, Rule::LengthTopBit, (16, 17)),
            ("818500000000", Up, Rule::MaskingKeyZero, (16, 48)),
        ];
        for (hex, direction, rule, span) in cases {
            assert_eq!(judged(hex, direction), [(rule, Some(span))], "{hex}");
        }
        assert_eq!(judged("8105", Down), []);
        assert_eq!(judged("818537fa213d", Up), []);
    }

    #[test]
    fn rsv1_is_allowed_on_the_first_frame_of_a_compressed_message_only() {
        let cases = [
            (0xc1, None),
            (0x42, None),
            (0xc0, Some(Rule::Rsv1Misplaced)),
            (0xc9, Some(Rule::Rsv1Misplaced)),
            (0xc3, Some(Rule::Rsv1Set)),
        ];
        for (first, rule) in cases {
            let HeadReading::Complete(head) = FrameHead::read(&[first, 0]) else { panic!("a head") };
            let mut out = Vec::new();
            judge_head(&head, Direction::ServerToClient, true, &mut out);
            assert_eq!(out.first().map(|f| f.rule).filter(|_| rule.is_some()), rule, "{first:x}");
            assert_eq!(out.is_empty(), rule.is_none(), "{first:x}");
        }
    }
}
