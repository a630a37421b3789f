//! Frames and heads that the end of the stream cuts.

use super::*;

#[test]
fn truncated_frames_and_heads_are_records() {
    let half = upgraded().say(DOWN, &[0x81, 0x7e, 0x01]).end(EndReason::Fin);
    assert_eq!((half[3].kind, half[3].wire_len, half[3].lead), (Kind::CutFrame, 3, [0x81, 0x7e]));
    let huge = [&[0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[0; 30]].concat();
    let huge = upgraded().say(DOWN, &huge).end(EndReason::Rst);
    assert_eq!((huge[3].kind, huge[3].wire_len), (Kind::CutFrame, 40));
    let mut talk = Talk::new(usize::MAX);
    let records = talk.say(UP, &REQUEST[..40]).end(EndReason::Fin);
    assert_eq!((records[0].kind, records[0].wire_len), (Kind::CutHttp, 40));
}

/// The record of a frame that is truncated to `wire`.
fn cut_after(direction: Direction, before: &[u8], wire: &[u8]) -> DissectedRecord {
    let records = upgraded().say(direction, before).say(direction, wire).end(EndReason::Fin);
    records.into_iter().find(|r| r.kind == Kind::CutFrame).expect("a truncated frame")
}

#[test]
fn a_truncated_head_has_the_findings_that_its_bytes_prove() {
    use Rule::*;
    type Case<'a> = (Direction, &'a [u8], &'a [u8], &'a [Rule]);
    let cases: [Case<'_>; 19] = [
        (DOWN, &[], &[0x8f], &[OpcodeReserved]),
        (DOWN, &[], &[0xf1], &[Rsv1Set, Rsv2Set, Rsv3Set]),
        (UP, &[], &[0x09], &[ControlFragmented]),
        (UP, &[], &[0x89, 0x7e], &[ClientFrameUnmasked, ControlLengthExtended]),
        (DOWN, &[], &[0x89, 0x7e, 0x01], &[ControlTooLong]),
        (DOWN, &[], &[0x81, 0x80], &[ServerFrameMasked]),
        (UP, &[], &[0x81, 0xfe, 0x00, 0x7d, 0xaa], &[LengthNotShortest]),
        (UP, &[], &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1], &[LengthTopBit, MessageOverLimit]),
        (DOWN, &[], &[0x02, 0x7f, 0, 0, 0, 0, 0x05], &[MessageOverLimit]),
        (DOWN, &[0x01, 1, b'a'], &[0x80, 0x7f, 0, 0, 0, 0, 0x05], &[MessageOverLimit]),
        (UP, &[], &[0x01, 0x80, 1], &[FragmentEmpty]),
        (DOWN, &[], &[0x80], &[ContinuationUnexpected]),
        (DOWN, &[0x01, 0], &[0x80], &[]),
        (DOWN, &[0x01, 0], &[0x82], &[MessageInterrupted]),
        (DOWN, &[0x88, 0], &[0x82], &[FrameAfterClose]),
        (DOWN, &[], &[0x8a], &[PongUnsolicited]),
        (UP, &[], &[0x88, 0x81, 1, 2], &[ClosePayloadOneByte]),
        (DOWN, &[], &[0x88, 0x01], &[ClosePayloadOneByte]),
        (DOWN, &[], &[0x88, 0x05, 0x03, 0xed], &[CloseCodeInvalid]),
    ];
    for (direction, before, wire, rules) in cases {
        assert_eq!(rules_of(&[cut_after(direction, before, wire)]), rules, "{wire:02x?}");
    }
    let interrupting = cut_after(DOWN, &[0x01, 0], &[0x82]);
    assert_eq!((interrupting.findings[0].about, interrupting.link), (Some(2), RecordLink::Message(2)));
    assert_eq!(cut_after(DOWN, &[0x01, 0], &[0x80]).link, RecordLink::Message(1));
    assert_eq!(
        cut_after(DOWN, &[0x01, 0], &[0x83, 0x05]).link,
        RecordLink::None,
        "a reserved opcode belongs to no message"
    );
    assert_eq!(cut_after(DOWN, &[], &[0x88, 0x05, 0x03, 0xe8]).code, 1000);
}

#[test]
fn a_truncated_pong_is_judged_only_if_it_can_answer_no_ping() {
    let rules =
        |pong: &[u8]| rules_of(&upgraded().say(UP, &[0x89, 0x80, 0, 0, 0, 1]).say(DOWN, pong).end(EndReason::Fin));
    assert!(!rules(&[0x8a]).contains(&Rule::PongMismatched));
    assert!(rules(&[0x8a, 0x01]).contains(&Rule::PongMismatched), "the ping had no payload");
    assert!(rules(&[0x8a, 0x02, b'a']).contains(&Rule::PongMismatched));
    assert!([&[0x8a][..], &[0x8a, 0x01]].iter().all(|pong| !rules(pong).contains(&Rule::PongUnsolicited)));
}

#[test]
fn a_frame_truncated_before_its_mask_is_undirected() {
    let run = |before: &[(Direction, &[u8])], last: u8| {
        let mut talk = Talk::new(usize::MAX);
        talk.connection = Connection::in_frames();
        for (direction, bytes) in before {
            talk.say(*direction, bytes);
        }
        talk.say(DOWN, &[last]);
        let records = talk.end(EndReason::Capture);
        records.into_iter().find(|r| r.kind == Kind::CutFrame).expect("a truncated frame")
    };
    let alone = run(&[], 0x8f);
    assert!(alone.undirected);
    assert_eq!(rules_of(&[alone]), [Rule::OpcodeReserved]);
    // The client may have sent it, and it has no unfinished message and sent no Close.
    let after_fragment = run(&[(DOWN, &[0x01, 0, 0x88, 0])], 0x81);
    assert_eq!((rules_of(std::slice::from_ref(&after_fragment)), after_fragment.link), (vec![], RecordLink::None));
    // Both sides sent a Close: either sender violated the rule, but it is unknown which Close the finding refers to.
    let closed = run(&[(DOWN, &[0x88, 0]), (UP, &[0x88, 0x80, 1, 2, 3, 4])], 0x82);
    assert_eq!((closed.findings.len(), closed.findings[0].rule), (1, Rule::FrameAfterClose));
    assert_eq!(closed.findings[0].about, None);
    assert!(!cut_after(DOWN, &[], &[0x8f]).undirected, "the direction of a connection is known");
}
