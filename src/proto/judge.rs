//! The rules that the head of a frame alone can violate (RFC 6455 §5).

use super::dissected::Direction;
use super::rules::{Finding, Rule, grouped};
use crate::wire::field::Span;
use crate::wire::frame::{FrameHead, MAX_CONTROL_PAYLOAD};
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// The longest message that framescope's server accepts: 64 MiB for all fragments together. RFC 6455 §10.4 requires a
/// limit.
pub const MAX_MESSAGE: u64 = 64 << 20;

const FIN: Span = Span::bits(0, 1);
const RSV1: Span = Span::bits(1, 2);
const RSV2: Span = Span::bits(2, 3);
const RSV3: Span = Span::bits(3, 4);
/// The bits of the opcode.
pub const OPCODE: Span = Span::bits(4, 8);
const MASK: Span = Span::bits(8, 9);

/// The negotiated extensions, which may define bits and opcodes that RFC 6455 reserves (§5.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveExtensions {
    /// permessage-deflate was negotiated.
    pub deflate: bool,
    /// An extension that framescope does not know was negotiated.
    pub foreign: bool,
}

/// Appends findings for the rules that the head of a frame violates.
#[inline]
pub fn judge_head(head: &FrameHead, direction: Direction, extended: ActiveExtensions, out: &mut Vec<Finding>) {
    if !is_ordinary(head, direction) {
        judge_start(&PartialFrameHead::from(head), direction, extended, out);
    }
}

/// Returns true for the common heads that violate no rule: a short data frame without reserved bits that is masked as
/// its direction requires.
#[inline]
fn is_ordinary(head: &FrameHead, direction: Direction) -> bool {
    let masked = match direction {
        Direction::ClientToServer => head.masking_key.is_some_and(|key| key != [0; 4]),
        Direction::ServerToClient => head.masking_key.is_none(),
    };
    let data = matches!(head.opcode, Opcode::Text | Opcode::Binary | Opcode::Continuation);
    masked && data && head.len_code < 126 && !(head.rsv1 | head.rsv2 | head.rsv3)
}

/// Appends findings for the rules that a truncated head violates whatever its missing bytes are.
#[inline]
pub fn judge_start(start: &PartialFrameHead, direction: Direction, extended: ActiveExtensions, out: &mut Vec<Finding>) {
    judge_reserved(start, extended, out);
    let mut breaks = |rule, span| out.push(Finding::new(rule, Some(span)));
    match (direction, start.masked, start.masking_key) {
        (Direction::ClientToServer, Some(false), _) => breaks(Rule::ClientFrameUnmasked, MASK),
        (Direction::ServerToClient, Some(true), _) => breaks(Rule::ServerFrameMasked, MASK),
        (Direction::ClientToServer, _, Some([0, 0, 0, 0])) => {
            let key = 16 + u64::from(start.extended_seen) * 8;
            breaks(Rule::MaskingKeyZero, Span::bits(key, key + 32));
        }
        _ => {}
    }
    if start.opcode.is_control() && !start.fin {
        breaks(Rule::ControlFragmented, FIN);
    }
    if let Some(len_code) = start.len_code {
        judge_length(start, len_code, out);
    }
}

/// The rules for bits and opcodes that are reserved for extensions (RFC 6455 §5.2, §5.8; RFC 7692 §6.1).
#[inline]
fn judge_reserved(start: &PartialFrameHead, extended: ActiveExtensions, out: &mut Vec<Finding>) {
    let ActiveExtensions { deflate, foreign } = extended;
    // An unknown extension may define the bit or opcode: then the finding only describes it.
    let mut breaks = |rule: Finding, span, words: fn(&PartialFrameHead) -> String| {
        let finding = if foreign { Finding::new(Rule::ExtensionBits, None).text(&words(start)) } else { rule };
        out.push(Finding { span: Some(span), ..finding });
    };
    // permessage-deflate sets RSV1 on the first frame of a compressed message.
    if start.rsv1 && !(deflate && start.opcode.opens_message()) {
        let misplaced = deflate && (start.opcode.is_control() || start.opcode == Opcode::Continuation);
        let rule = match misplaced {
            true => Finding::new(Rule::Rsv1Misplaced, None).text(start.opcode.name()),
            false => Finding::new(Rule::Rsv1Set, None),
        };
        breaks(rule, RSV1, |_| "RSV1 is 1".to_owned());
    }
    if start.rsv2 {
        breaks(Finding::new(Rule::Rsv2Set, None), RSV2, |_| "RSV2 is 1".to_owned());
    }
    if start.rsv3 {
        breaks(Finding::new(Rule::Rsv3Set, None), RSV3, |_| "RSV3 is 1".to_owned());
    }
    if let Opcode::Reserved(value) = start.opcode {
        let rule = Finding::new(Rule::OpcodeReserved, None).number(u64::from(value));
        breaks(rule, OPCODE, |start| format!("opcode 0x{:X}", start.opcode.to_wire()));
    }
}

/// The rules for the length. If some of its bytes are missing, a rule is violated only if all possible lengths violate it.
#[inline]
fn judge_length(start: &PartialFrameHead, len_code: u8, out: &mut Vec<Finding>) {
    let span = Some(length_span(start));
    let whole = start.payload_len().is_some();
    let bounded = |rule, bound: &str, number| {
        let finding = Finding::new(rule, span).number(number);
        if whole { finding } else { finding.text(bound) }
    };
    let control = start.opcode.is_control();
    let too_long = control && start.at_least > MAX_CONTROL_PAYLOAD;
    if too_long {
        out.push(bounded(Rule::ControlTooLong, "at least", start.at_least));
    }
    let longest_of_shorter_form = match len_code {
        126 => Some(125),
        127 => Some(0xffff),
        _ => None,
    };
    let not_shortest = longest_of_shorter_form.is_some_and(|longest| start.at_most <= longest);
    if not_shortest {
        out.push(bounded(Rule::LengthNotShortest, "at most", start.at_most));
    }
    if control && len_code > 125 && !too_long && !not_shortest {
        out.push(Finding::new(Rule::ControlLengthExtended, Some(Span::bits(9, 16))).number(u64::from(len_code)));
    }
    if len_code == 127 && start.at_least >> 63 == 1 {
        out.push(Finding::new(Rule::LengthTopBit, Some(Span::bits(16, 17))));
    }
}

/// The bits of the masking key. The head must have one.
pub fn key_span(head: &FrameHead) -> Span {
    let end = head.header_len() as u64;
    Span::bytes(end - 4, end)
}

/// The bits of the 7-bit length and of the captured part of the extended length.
pub fn length_span(start: &PartialFrameHead) -> Span {
    Span::bits(9, 16 + u64::from(start.extended_seen) * 8)
}

/// Appends findings for the length of a data frame. `before` is the number of payload bytes in the earlier frames of its
/// message.
#[inline]
pub fn judge_size_of(head: &FrameHead, before: u64, out: &mut Vec<Finding>) {
    if head.payload_len == 0 || before.saturating_add(head.payload_len) > MAX_MESSAGE {
        judge_size(&PartialFrameHead::from(head), before, out);
    }
}

/// As [`judge_size_of`], for a truncated head: appends only findings that hold whatever its missing bytes are.
#[inline]
pub fn judge_size(start: &PartialFrameHead, before: u64, out: &mut Vec<Finding>) {
    let whole = start.fin && start.opcode.opens_message();
    if start.at_most == 0 && !whole {
        out.push(Finding::new(Rule::FragmentEmpty, Some(length_span(start))));
    }
    let len = before.saturating_add(start.at_least);
    if len > MAX_MESSAGE && before <= MAX_MESSAGE {
        out.push(
            Finding::new(Rule::MessageOverLimit, Some(length_span(start))).number(len).text(&grouped(MAX_MESSAGE)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(hex: &str, direction: Direction) -> Vec<(Rule, Option<(u64, u64)>)> {
        let Some(head) = FrameHead::read(&hex::decode(hex).expect("hex")) else { panic!("a head") };
        let mut out = Vec::new();
        judge_head(&head, direction, ActiveExtensions::default(), &mut out);
        out.into_iter().map(|f| (f.rule, f.span.map(|s| (s.start, s.end)))).collect()
    }

    #[test]
    fn each_rule_has_a_head_that_violates_only_it() {
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
            let Some(head) = FrameHead::read(&[first, 0]) else { panic!("a head") };
            let mut out = Vec::new();
            judge_head(&head, Direction::ServerToClient, ActiveExtensions { deflate: true, foreign: false }, &mut out);
            assert_eq!(out.first().map(|f| f.rule).filter(|_| rule.is_some()), rule, "{first:x}");
            assert_eq!(out.is_empty(), rule.is_none(), "{first:x}");
        }
    }

    #[test]
    fn an_unknown_extension_may_define_what_is_reserved() {
        let extended = ActiveExtensions { deflate: false, foreign: true };
        for (bytes, expected) in
            [([0xc1, 0], "RSV1 is 1"), ([0xa2, 0], "RSV2 is 1"), ([0x93, 0], "RSV3 is 1 opcode 0x3")]
        {
            let Some(head) = FrameHead::read(&bytes) else { panic!("a head") };
            let mut out = Vec::new();
            judge_head(&head, Direction::ServerToClient, extended, &mut out);
            assert!(out.iter().all(|finding| finding.rule == Rule::ExtensionBits), "{out:?}");
            assert_eq!(
                out.iter().filter_map(|finding| finding.text.as_deref()).collect::<Vec<_>>().join(" "),
                expected
            );
        }
    }

    /// A rule, its bits, and its number with the bound in front.
    type Expected<'a> = (Rule, (u64, u64), Option<u64>, Option<&'a str>);

    /// Asserts the findings of a truncated head.
    fn assert_findings(hex: &str, direction: Direction, expected: Option<Expected<'_>>) {
        let start = PartialFrameHead::read(&hex::decode(hex).expect("hex")).expect("a byte");
        let mut out = Vec::new();
        judge_start(&start, direction, ActiveExtensions::default(), &mut out);
        let found = out.iter().map(|finding| {
            let bits = finding.span.map(|span| (span.start, span.end)).expect("bits");
            (finding.rule, bits, finding.number, finding.text.as_deref())
        });
        assert_eq!(found.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{hex}");
    }

    #[test]
    fn a_truncated_head_is_judged_by_its_captured_bytes() {
        use Direction::{ClientToServer as Up, ServerToClient as Down};
        let cases = [
            ("81", Up, None), // MASK was not captured.
            ("8f", Up, Some((Rule::OpcodeReserved, (4, 8), Some(0xf), None))),
            ("c1", Down, Some((Rule::Rsv1Set, (1, 2), None, None))),
            ("a1", Down, Some((Rule::Rsv2Set, (2, 3), None, None))),
            ("91", Down, Some((Rule::Rsv3Set, (3, 4), None, None))),
            ("09", Up, Some((Rule::ControlFragmented, (0, 1), None, None))),
            ("817e", Up, Some((Rule::ClientFrameUnmasked, (8, 9), None, None))),
            ("8185", Down, Some((Rule::ServerFrameMasked, (8, 9), None, None))),
            ("8185000000", Up, None), // The last byte of the key may not be 0.
            ("897e", Down, Some((Rule::ControlLengthExtended, (9, 16), Some(126), None))),
            ("897e01", Down, Some((Rule::ControlTooLong, (9, 24), Some(256), Some("at least")))),
            ("89fe007e", Up, Some((Rule::ControlTooLong, (9, 32), Some(126), None))),
            ("89fe007d", Up, Some((Rule::LengthNotShortest, (9, 32), Some(125), None))),
            ("81fe007d", Up, Some((Rule::LengthNotShortest, (9, 32), Some(125), None))),
            ("817f000000000000", Down, Some((Rule::LengthNotShortest, (9, 64), Some(65_535), Some("at most")))),
            ("817f80", Down, Some((Rule::LengthTopBit, (16, 17), None, None))),
            ("81ff8000000000000001", Up, Some((Rule::LengthTopBit, (16, 17), None, None))),
        ];
        for (hex, direction, expected) in cases {
            assert_findings(hex, direction, expected);
        }
    }

    #[test]
    fn an_ordinary_head_violates_no_rule() {
        let mut ordinary = 0;
        for start in 0..=u16::MAX {
            let [first, second] = start.to_be_bytes();
            let Some(head) = FrameHead::read(&[first, second, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 7, 7]) else {
                panic!("a head");
            };
            for direction in Direction::BOTH {
                let mut out = Vec::new();
                judge_start(&PartialFrameHead::from(&head), direction, ActiveExtensions::default(), &mut out);
                assert!(!is_ordinary(&head, direction) || out.is_empty(), "{first:02x} {second:02x}");
                ordinary += u32::from(is_ordinary(&head, direction));
            }
        }
        // Three opcodes, with and without FIN, 126 lengths, one direction for each MASK bit.
        assert_eq!(ordinary, 3 * 2 * 126 * 2);
    }

    proptest! {
        #[test]
        fn findings_of_a_truncated_head_hold_for_the_complete_head(
            bytes in proptest::collection::vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 14), up: bool, deflate: bool,
        ) {
            let extended = ActiveExtensions { deflate, foreign: false };
            let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
            let Some(head) = FrameHead::read(&bytes) else { panic!("a whole head") };
            let rules = |cut: usize| {
                let mut out = Vec::new();
                judge_start(&PartialFrameHead::read(&bytes[..cut]).expect("a byte"), direction, extended, &mut out);
                out.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
            };
            let mut whole = Vec::new();
            judge_start(&PartialFrameHead::from(&head), direction, extended, &mut whole);
            prop_assert_eq!(rules(head.header_len()), whole.into_iter().map(|finding| finding.rule).collect::<Vec<_>>());
            for cut in 1..head.header_len() {
                let (now, later) = (rules(cut), rules(cut + 1));
                for rule in &now {
                    prop_assert_eq!(now.iter().filter(|other| *other == rule).count(), 1);
                    // The next bytes show which of two rules a long control frame violates.
                    let refined = *rule == Rule::ControlLengthExtended
                        && (later.contains(&Rule::ControlTooLong) || later.contains(&Rule::LengthNotShortest));
                    prop_assert!(later.contains(rule) || refined, "{:?} at {}", rule, cut);
                }
            }
        }
    }
}
