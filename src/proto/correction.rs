//! The right value beside the wrong one, where exactly one follows from the rule.

use super::rules::{Finding, Rule};
use crate::wire::field::FieldValue;
use crate::wire::frame::FrameHead;
use crate::wire::http::Head;

/// What was sent, and what the rule requires in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The value as sent.
    pub sent: FieldValue,
    /// The only value that does not violate the rule.
    pub right: FieldValue,
}

impl Correction {
    /// The correction of a finding about a frame with this head; `None` if no single value is right.
    pub fn of_frame(finding: &Finding, head: &FrameHead) -> Option<Self> {
        let bit = |sent: u64| {
            let bit = |value| FieldValue::Bits { value, width: 1 };
            Some(Self { sent: bit(sent), right: bit(1 - sent) })
        };
        match finding.rule {
            Rule::ClientFrameUnmasked | Rule::ControlFragmented => bit(0),
            Rule::ServerFrameMasked
            | Rule::Rsv1Set
            | Rule::Rsv1Misplaced
            | Rule::Rsv2Set
            | Rule::Rsv3Set
            | Rule::LengthTopBit => bit(1),
            Rule::LengthNotShortest => {
                // The bytes of the length, without MASK.
                let length = |head: &FrameHead| {
                    let mut bytes = Vec::new();
                    FrameHead { masking_key: None, ..*head }.encode(&mut bytes);
                    FieldValue::Bytes(bytes.split_off(1))
                };
                let right = FrameHead::new(head.fin, head.opcode, None, head.payload_len);
                Some(Self { sent: length(head), right: length(&right) })
            }
            _ => None,
        }
    }

    /// The correction of a finding about a request or response with this head. `accept` is the value of Sec-WebSocket-Accept that
    /// the server must send.
    pub fn of_head(finding: &Finding, head: &Head<'_>, accept: Option<&str>) -> Option<Self> {
        let (sent, right) = match finding.rule {
            Rule::MethodNotGet => (finding.text.as_deref()?.to_owned(), "GET"),
            Rule::VersionNot13 => (header(head, "sec-websocket-version")?, "13"),
            Rule::ResponseUpgradeMissing => (header(head, "upgrade")?, "websocket"),
            Rule::AcceptWrong | Rule::AcceptKeySpaces => (header(head, "sec-websocket-accept")?, accept?),
            _ => return None,
        };
        Some(Self { sent: FieldValue::Text(sent), right: FieldValue::Text(right.to_owned()) })
    }
}

fn header(head: &Head<'_>, name: &str) -> Option<String> {
    head.value(name).map(|value| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::direction::Direction;
    use crate::proto::judge::{ActiveExtensions, judge_head};

    /// The rule and the correction of each finding of a frame.
    fn corrections(hex: &str, direction: Direction) -> Vec<(Rule, Option<Correction>)> {
        let Some(head) = FrameHead::read(&hex::decode(hex).expect("hex")) else { panic!("a head") };
        let mut findings = Vec::new();
        judge_head(&head, direction, ActiveExtensions::default(), &mut findings);
        findings.iter().map(|finding| (finding.rule, Correction::of_frame(finding, &head))).collect()
    }

    fn lengths(sent: &[u8], right: &[u8]) -> Option<Correction> {
        Some(Correction { sent: FieldValue::Bytes(sent.to_vec()), right: FieldValue::Bytes(right.to_vec()) })
    }

    #[test]
    fn section_5_2_the_shortest_length_is_beside_the_longer_one() {
        let down = Direction::ServerToClient;
        assert_eq!(corrections("827e0005", down), [(Rule::LengthNotShortest, lengths(&[0x7e, 0, 5], &[5]))]);
        let sent = [0x7f, 0, 0, 0, 0, 0, 0, 1, 0];
        assert_eq!(
            corrections("827f0000000000000100", down),
            [(Rule::LengthNotShortest, lengths(&sent, &[0x7e, 1, 0]))]
        );
        let masked = corrections("82fe000501020304", Direction::ClientToServer);
        assert_eq!(masked, [(Rule::LengthNotShortest, lengths(&[0x7e, 0, 5], &[5]))], "without MASK");
    }

    #[test]
    fn a_bit_has_one_right_value_and_a_reserved_opcode_none() {
        let bit = |value| FieldValue::Bits { value, width: 1 };
        let up = Direction::ClientToServer;
        let to_one = Some(Correction { sent: bit(0), right: bit(1) });
        let to_zero = Some(Correction { sent: bit(1), right: bit(0) });
        assert_eq!(corrections("8105", up), [(Rule::ClientFrameUnmasked, to_one)]);
        assert_eq!(corrections("a18001020304", up), [(Rule::Rsv2Set, to_zero)]);
        assert_eq!(corrections("838001020304", up), [(Rule::OpcodeReserved, None)]);
    }

    #[test]
    fn section_4_2_2_the_accept_value_is_beside_the_wrong_one() {
        let head = Head::read(b"HTTP/1.1 101 S\r\nSec-WebSocket-Accept: wrong\r\n\r\n");
        let finding = Finding::new(Rule::AcceptWrong, None);
        let text = |text: &str| FieldValue::Text(text.to_owned());
        let expected = Correction { sent: text("wrong"), right: text("right") };
        assert_eq!(Correction::of_head(&finding, &head, Some("right")), Some(expected));
        assert_eq!(Correction::of_head(&finding, &head, None), None);
    }
}
