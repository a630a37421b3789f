use super::*;
use proptest::prelude::*;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;
const REQUEST: &[u8] = b"GET /ticker HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const HELLO_UP: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const CLOSE_UP: &[u8] = &[0x88, 0x80, 1, 2, 3, 4];
const CLOSE_DOWN: &[u8] = &[0x88, 0];
const PONG_UP: &[u8] = &[0x8a, 0x80, 5, 6, 7, 8];

struct Talk {
    connection: Connection,
    out: Vec<DissectedRecord>,
    clock: u64,
    /// How many bytes at once.
    step: usize,
}

impl Talk {
    fn new(step: usize) -> Self {
        Self { connection: Connection::new(None), out: Vec::new(), clock: 0, step }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        for piece in bytes.chunks(self.step) {
            self.connection.feed(direction, piece, Time(self.clock), &mut self.out);
        }
        self.clock += 1;
        self
    }

    fn end(&mut self, how: EndReason) -> Vec<DissectedRecord> {
        for direction in Direction::BOTH {
            self.connection.end(direction, how, Time(self.clock), &mut self.out);
        }
        std::mem::take(&mut self.out)
    }
}

fn upgraded() -> Talk {
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, REQUEST).say(DOWN, RESPONSE);
    talk
}

fn shape(records: &[DissectedRecord]) -> Vec<(Kind, u64, u64)> {
    records.iter().map(|r| (r.kind, r.offset, r.wire_len)).collect()
}

fn rules_of(records: &[DissectedRecord]) -> Vec<Rule> {
    records.iter().flat_map(|r| r.findings.iter().map(|f| f.rule)).collect()
}

#[test]
fn a_conversation_becomes_records_without_findings() {
    let records = upgraded().say(DOWN, b"\x81\x06echo 0").say(UP, HELLO_UP).end(EndReason::Fin);
    let (q, r) = (REQUEST.len() as u64, RESPONSE.len() as u64);
    assert_eq!(
        shape(&records),
        [
            (Kind::Request, 0, q),
            (Kind::Response, 0, r),
            (Kind::Frame, r, 8),
            (Kind::Frame, q, 11),
            (Kind::End(EndReason::Fin), q + 11, 0),
            (Kind::End(EndReason::Fin), r + 8, 0),
        ]
    );
    assert_eq!(rules_of(&records), [Rule::CloseMissing; 2]);
    assert_eq!(records[1].link, RecordLink::Answers(0));
    assert_eq!((records[2].link, records[2].time), (RecordLink::Message(1), Time(2)));
}

#[test]
fn frames_sent_with_the_request_wait_for_the_response() {
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, &[REQUEST, HELLO_UP].concat());
    assert_eq!(talk.out.len(), 1);
    let records = talk.say(DOWN, RESPONSE).end(EndReason::Capture);
    assert_eq!(records[2].kind, Kind::Frame);
    assert_eq!(records[2].offset, REQUEST.len() as u64);
}

#[test]
fn a_handshake_with_a_body_is_upgraded_behind_its_body() {
    let with_body = String::from_utf8_lossy(REQUEST).replace("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n");
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, with_body.as_bytes()).say(UP, b"bo").say(DOWN, RESPONSE).say(UP, &[b"dy", HELLO_UP].concat());
    let records = talk.end(EndReason::Fin);
    let request = with_body.len() as u64 + 4;
    assert_eq!(shape(&records)[1..3], [(Kind::Request, 0, request), (Kind::Frame, request, 11)]);
}

#[test]
fn bytes_that_turn_out_to_be_a_frame_keep_their_time() {
    let mut talk = Talk::new(usize::MAX);
    talk.clock = 5;
    // "GE" is also opcode 7 and a length of 69 bytes, unmasked.
    talk.say(UP, format!("GET /{}", "a".repeat(66)).as_bytes()).say(DOWN, RESPONSE);
    let frame = talk.out.iter().find(|r| r.kind == Kind::Frame).expect("a frame");
    assert_eq!((frame.wire_len, frame.time), (71, Time(5)));
}

#[test]
fn another_protocol_is_opaque_from_its_first_byte() {
    let h2c = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
    let early = vec![b'P'; 100_000];
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, &[&request[..], &early].concat()).say(DOWN, h2c);
    let records = talk.end(EndReason::Fin);
    let junk: Vec<u64> = records.iter().filter(|r| r.kind == Kind::Junk).map(|r| r.wire_len).collect();
    assert_eq!(junk, [65_536, 100_000 - 65_536]);
}

#[test]
fn a_refused_upgrade_stays_http() {
    let plain = b"GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, &[REQUEST, plain].concat());
    talk.say(DOWN, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        .say(DOWN, b"HTTP/1.1 200 OK\r\n\r\nall the rest");
    let records = talk.end(EndReason::Fin);
    let kinds: Vec<Kind> = records.iter().map(|r| r.kind).collect();
    let end = Kind::End(EndReason::Fin);
    assert_eq!(kinds, [Kind::Request, Kind::Request, Kind::Response, end, Kind::Response, end]);
    assert_eq!(records[2].code, 403);
    assert_eq!(records[4].link, RecordLink::Answers(1));
    // Whatever the answer is, a client waits for it before it says anything more.
    assert_eq!(rules_of(&records), [Rule::DataBeforeResponse, Rule::StatusNot101]);
}

#[test]
fn fragments_of_a_text_are_one_message_with_one_utf8_stream() {
    let euro = "€".as_bytes();
    let (first, last) = ([0x01, 2, euro[0], euro[1]], [0x80, 1, euro[2]]);
    let ping = [0x89, 1, b'x'];
    let records = upgraded().say(DOWN, &first).say(DOWN, &ping).say(DOWN, &last).end(EndReason::Capture);
    assert_eq!(rules_of(&records), []);
    assert_eq!(
        [records[2].link, records[3].link, records[4].link],
        [RecordLink::Message(1), RecordLink::None, RecordLink::Message(1)]
    );
    let bad = upgraded().say(DOWN, &first).say(DOWN, &[0x80, 1, b'(']).end(EndReason::Capture);
    assert_eq!(rules_of(&bad), [Rule::TextNotUtf8]);
    assert_eq!(bad[3].findings[0].span, Some(Span::bytes(2, 3)));
    let cut = upgraded().say(DOWN, &[0x01, 1, euro[0]]).say(DOWN, &[0x80, 1, euro[1]]).end(EndReason::Capture);
    assert_eq!(rules_of(&cut), [Rule::TextCutCharacter]);
}

#[test]
fn order_of_fragments_is_judged() {
    let records = upgraded().say(DOWN, &[0x80, 0]).end(EndReason::Capture);
    assert_eq!(rules_of(&records), [Rule::ContinuationUnexpected]);
    let records = upgraded().say(DOWN, &[0x01, 1, b'a']).say(DOWN, &[0x82, 0]).end(EndReason::Capture);
    assert_eq!(rules_of(&records), [Rule::MessageInterrupted]);
    assert_eq!(records[3].findings[0].about, Some(2), "the frame that opened the unfinished message");
}

#[test]
fn pongs_find_their_pings_and_closes_each_other() {
    let mut pong = Vec::new();
    let key = Some([1, 2, 3, 4]);
    let head = |opcode, len| crate::wire::frame::FrameHead::new(true, opcode, key, len);
    head(crate::wire::opcode::Opcode::Pong, 1).encode_with(b"b", &mut pong);
    let mut close = Vec::new();
    head(crate::wire::opcode::Opcode::Close, 2).encode_with(&[0x03, 0xe8], &mut close);
    close[2] ^= 0x55; // another key than the pong's, payload changed accordingly
    close[6] ^= 0x55;
    let records = upgraded()
        .say(DOWN, &[0x89, 1, b'a'])
        .say(DOWN, &[0x89, 1, b'b'])
        .say(UP, &pong)
        .say(DOWN, &[0x88, 2, 0x03, 0xe8])
        .say(UP, &close)
        .end(EndReason::Fin);
    assert_eq!(rules_of(&records), [Rule::PingSuperseded]);
    assert_eq!(records[4].link, RecordLink::Answers(3));
    assert_eq!((records[5].code, records[6].code), (1000, 1000));
    assert_eq!(records[6].link, RecordLink::Answers(5));
    let unsolicited = upgraded().say(DOWN, &[0x8a, 0]).end(EndReason::Capture);
    assert_eq!(rules_of(&unsolicited), [Rule::PongUnsolicited]);
}

#[test]
fn close_payloads_are_judged() {
    let close = |payload: &[u8]| {
        let frame = [&[0x88, payload.len() as u8], payload].concat();
        rules_of(&upgraded().say(DOWN, &frame).end(EndReason::Capture))
    };
    assert_eq!(close(&[]), []);
    assert_eq!(close(&[3]), [Rule::ClosePayloadOneByte]);
    assert_eq!(close(&1005u16.to_be_bytes()), [Rule::CloseCodeInvalid]);
    assert_eq!(close(b"\x03\xe8\xff"), [Rule::CloseReasonNotUtf8]);
    assert_eq!(close(b"\x03\xe8\xe2\x82"), [Rule::CloseReasonNotUtf8]);
    let after = |frame: &[u8]| rules_of(&upgraded().say(DOWN, &[&[0x88, 0], frame].concat()).end(EndReason::Capture));
    assert_eq!(after(&[0x81, 0]), [Rule::FrameAfterClose]);
    assert_eq!(after(&[0x88, 0]), [Rule::CloseRepeated]);
    assert_eq!(after(&[0x89, 0]), [], "a ping is no data");
}

#[test]
fn a_flood_of_faults_is_listed_up_to_a_bound() {
    let records = upgraded().say(DOWN, &[0x7f, 0x00].repeat(30_000)).end(EndReason::Capture);
    assert_eq!(records.iter().filter(|r| r.kind == Kind::Frame).count(), 30_000, "the frames all stand");
    let rules = rules_of(&records);
    assert!((20_000..20_010).contains(&rules.len()), "{}", rules.len());
    assert_eq!(rules.last(), Some(&Rule::FindingsOmitted));
}

#[test]
fn a_masking_key_used_twice_is_noted() {
    let records = upgraded().say(UP, HELLO_UP).say(UP, HELLO_UP).end(EndReason::Capture);
    assert_eq!(rules_of(&records), [Rule::MaskingKeyReused]);
}

#[test]
fn what_is_cut_short_is_a_record() {
    let half = upgraded().say(DOWN, &[0x81, 0x7e, 0x01]).end(EndReason::Fin);
    assert_eq!((half[3].kind, half[3].wire_len, half[3].lead), (Kind::CutFrame, 3, [0x81, 0x7e]));
    let huge = [&[0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[0; 30]].concat();
    let huge = upgraded().say(DOWN, &huge).end(EndReason::Rst);
    assert_eq!((huge[3].kind, huge[3].wire_len), (Kind::CutFrame, 40));
    let mut talk = Talk::new(usize::MAX);
    let records = talk.say(UP, &REQUEST[..40]).end(EndReason::Fin);
    assert_eq!((records[0].kind, records[0].wire_len), (Kind::CutHttp, 40));
}

/// What is said of the frame that `wire` begins, cut there.
fn cut_after(direction: Direction, before: &[u8], wire: &[u8]) -> DissectedRecord {
    let records = upgraded().say(direction, before).say(direction, wire).end(EndReason::Fin);
    records.into_iter().find(|r| r.kind == Kind::CutFrame).expect("a cut frame")
}

#[test]
fn a_cut_head_has_the_findings_that_its_bytes_make_certain() {
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
    assert_eq!(cut_after(DOWN, &[0x01, 0], &[0x83, 0x05]).link, RecordLink::None, "a reserved opcode is of no message");
    assert_eq!(cut_after(DOWN, &[], &[0x88, 0x05, 0x03, 0xe8]).code, 1000);
}

#[test]
fn a_cut_pong_is_judged_only_when_no_ping_can_be_meant() {
    let rules =
        |pong: &[u8]| rules_of(&upgraded().say(UP, &[0x89, 0x80, 0, 0, 0, 1]).say(DOWN, pong).end(EndReason::Fin));
    assert!(!rules(&[0x8a]).contains(&Rule::PongMismatched));
    assert!(rules(&[0x8a, 0x01]).contains(&Rule::PongMismatched), "the ping had no payload");
    assert!(rules(&[0x8a, 0x02, b'a']).contains(&Rule::PongMismatched));
    assert!([&[0x8a][..], &[0x8a, 0x01]].iter().all(|pong| !rules(pong).contains(&Rule::PongUnsolicited)));
}

#[test]
fn a_frame_cut_before_its_mask_claims_no_direction() {
    let run = |before: &[(Direction, &[u8])], last: u8| {
        let mut talk = Talk::new(usize::MAX);
        talk.connection = Connection::in_frames();
        for (direction, bytes) in before {
            talk.say(*direction, bytes);
        }
        talk.say(DOWN, &[last]);
        let records = talk.end(EndReason::Capture);
        records.into_iter().find(|r| r.kind == Kind::CutFrame).expect("a cut frame")
    };
    let alone = run(&[], 0x8f);
    assert!(alone.undirected);
    assert_eq!(rules_of(&[alone]), [Rule::OpcodeReserved]);
    // The client may have sent it, who has neither begun a message nor closed.
    let behind = run(&[(DOWN, &[0x01, 0, 0x88, 0])], 0x81);
    assert_eq!((rules_of(std::slice::from_ref(&behind)), behind.link), (vec![], RecordLink::None));
    // Both have closed: whoever sent it broke the rule, but which Close it is about is open.
    let closed = run(&[(DOWN, &[0x88, 0]), (UP, &[0x88, 0x80, 1, 2, 3, 4])], 0x82);
    assert_eq!((closed.findings.len(), closed.findings[0].rule), (1, Rule::FrameAfterClose));
    assert_eq!(closed.findings[0].about, None);
    assert!(!cut_after(DOWN, &[], &[0x8f]).undirected, "of a connection the direction is known");
}

#[test]
fn what_is_no_http_is_junk() {
    let mut talk = Talk::new(7);
    let records = talk.say(UP, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").end(EndReason::Fin);
    assert_eq!(shape(&records)[0], (Kind::Junk, 0, 11));
    let mut talk = Talk::new(usize::MAX);
    let endless = [b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(40_000)].concat();
    let records = talk.say(UP, &endless).end(EndReason::Fin);
    assert_eq!(rules_of(&records), [Rule::HeadTooLong]);
    assert!(records.iter().take(3).all(|r| r.kind == Kind::Junk && r.wire_len == 65536));
    assert_eq!(records.iter().map(|r| r.wire_len).sum::<u64>(), endless.len() as u64);
}

/// Frames of every sort, some broken, behind a handshake; or plain noise.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let frame = (any::<u8>(), any::<bool>(), any::<[u8; 4]>(), proptest::collection::vec(any::<u8>(), 0..140))
        .prop_map(|(first, masked, key, payload)| {
            let mut wire = Vec::new();
            let opcode = crate::wire::opcode::Opcode::from_wire(first);
            let key = masked.then_some(key);
            crate::wire::frame::FrameHead::new(first & 0x80 != 0, opcode, key, payload.len() as u64)
                .encode_with(&payload, &mut wire);
            wire
        });
    prop_oneof![
        proptest::collection::vec(frame, 0..6).prop_map(|frames| frames.concat()),
        proptest::collection::vec(any::<u8>(), 0..300),
    ]
}

proptest! {
    #[test]
    fn cut_anywhere_the_records_are_the_same(
        up in stream(), down in stream(), with_handshake in prop_oneof![4 => Just(true), 1 => Just(false)], step in 1usize..20,
    ) {
        let run = |step| {
            let mut talk = Talk::new(step);
            if with_handshake {
                talk.say(UP, REQUEST).say(DOWN, RESPONSE);
            }
            talk.say(UP, &up).say(DOWN, &down).end(EndReason::Fin)
        };
        let whole = run(usize::MAX);
        prop_assert_eq!(&run(step), &whole);
        prop_assert_eq!(&run(1), &whole);
        // Every byte belongs to exactly one record, in order.
        for direction in Direction::BOTH {
            let mut at = 0;
            for record in whole.iter().filter(|r| r.direction == direction) {
                prop_assert_eq!(record.offset, at);
                at += record.wire_len;
            }
        }
    }
}

#[test]
fn what_is_worth_knowing_does_not_hide_what_is_wrong() {
    let heartbeats = [0x8a, 0x00].repeat(20_001);
    let rules = rules_of(&upgraded().say(DOWN, &heartbeats).say(DOWN, &[0x81, 1, 0xff]).end(EndReason::Capture));
    assert_eq!(rules.iter().filter(|rule| **rule == Rule::PongUnsolicited).count(), 20_000);
    assert_eq!(rules[20_000..], [Rule::FindingsOmitted, Rule::TextNotUtf8]);
}

#[test]
fn a_pong_is_owed_until_a_close_comes_from_who_asked() {
    // RFC 6455 §5.5.2: the client has closed, and must still answer the server's ping.
    let answered = upgraded()
        .say(UP, CLOSE_UP)
        .say(DOWN, &[0x89, 0])
        .say(UP, PONG_UP)
        .say(DOWN, CLOSE_DOWN)
        .end(EndReason::Capture);
    assert_eq!(rules_of(&answered), []);
    let silent = upgraded().say(UP, CLOSE_UP).say(DOWN, &[0x89, 0]).say(DOWN, CLOSE_DOWN).end(EndReason::Fin);
    assert_eq!(rules_of(&silent), [Rule::PingUnanswered]);
    let after = upgraded().say(DOWN, CLOSE_DOWN).say(DOWN, &[0x89, 0]).say(UP, CLOSE_UP).end(EndReason::Fin);
    assert_eq!(rules_of(&after), [], "who asks behind its own Close is owed nothing");
}

#[test]
fn pings_with_one_payload_are_answered_one_after_the_other() {
    let pings = upgraded().say(DOWN, &[0x89, 0, 0x89, 0]).say(UP, PONG_UP).say(UP, PONG_UP).end(EndReason::Capture);
    let links: Vec<RecordLink> = pings.iter().filter(|r| r.lead[0] == 0x8a).map(|r| r.link).collect();
    assert_eq!(
        (rules_of(&pings), links),
        (vec![Rule::MaskingKeyReused], vec![RecordLink::Answers(2), RecordLink::Answers(3)])
    );
}

#[test]
fn an_extension_that_is_not_known_may_define_what_is_reserved() {
    let with = |head: &[u8]| {
        let head = std::str::from_utf8(head).expect("text").trim_end();
        format!("{head}\r\nSec-WebSocket-Extensions: x-foo\r\n\r\n").into_bytes()
    };
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, &with(REQUEST)).say(DOWN, &with(RESPONSE)).say(DOWN, &[0xc1, 1, 0xff, 0x83, 0, 0x81, 1, 0xff]);
    let rules = rules_of(&talk.end(EndReason::Capture));
    assert_eq!(
        rules,
        [Rule::ExtensionBits, Rule::ExtensionBits, Rule::TextNotUtf8],
        "what has no bit set is judged as ever"
    );
}

#[test]
fn another_protocol_than_websocket_is_no_bad_handshake() {
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n");
    talk.say(DOWN, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\x00\x00");
    assert_eq!(rules_of(&talk.end(EndReason::Capture)), []);
}
