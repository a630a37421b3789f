use super::*;
use crate::proto::rules::Rule;
use proptest::prelude::*;

mod cut;

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
    /// The size of the pieces that are fed, in bytes.
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
fn a_handshake_with_a_body_is_upgraded_after_its_body() {
    let with_body = String::from_utf8_lossy(REQUEST).replace("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n");
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, with_body.as_bytes()).say(UP, b"bo").say(DOWN, RESPONSE).say(UP, &[b"dy", HELLO_UP].concat());
    let records = talk.end(EndReason::Fin);
    let request = with_body.len() as u64 + 4;
    assert_eq!(shape(&records)[1..3], [(Kind::Request, 0, request), (Kind::Frame, request, 11)]);
}

#[test]
fn buffered_bytes_of_an_incomplete_request_keep_their_time() {
    let mut talk = Talk::new(usize::MAX);
    talk.clock = 5;
    talk.say(UP, b"GET /aaa").say(DOWN, RESPONSE);
    let records = talk.end(EndReason::Fin);
    let early = records.iter().find(|record| record.direction == UP).expect("a record");
    assert_eq!((early.kind, early.wire_len, early.time), (Kind::Junk, 8, Time(5)));
    assert_eq!(early.findings[0].rule, Rule::HttpRequestInStream);
}

#[test]
fn another_protocol_is_unrecognized_from_its_first_byte() {
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
    // A client waits for the response, whatever its status, before it sends more.
    assert_eq!(rules_of(&records), [Rule::DataBeforeResponse, Rule::StatusNot101]);
}

#[test]
fn fragments_of_a_text_are_validated_as_one_message() {
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
fn the_order_of_fragments_is_judged() {
    let records = upgraded().say(DOWN, &[0x80, 0]).end(EndReason::Capture);
    assert_eq!(rules_of(&records), [Rule::ContinuationUnexpected]);
    let records = upgraded().say(DOWN, &[0x01, 1, b'a']).say(DOWN, &[0x82, 0]).end(EndReason::Capture);
    assert_eq!(rules_of(&records), [Rule::MessageInterrupted]);
    assert_eq!(records[3].findings[0].about, Some(2), "the frame that opened the unfinished message");
}

#[test]
fn pongs_are_matched_with_pings_and_a_close_with_a_close() {
    let mut pong = Vec::new();
    let key = Some([1, 2, 3, 4]);
    let head = |opcode, len| crate::wire::frame::FrameHead::new(true, opcode, key, len);
    head(crate::wire::opcode::Opcode::Pong, 1).encode_with(b"b", &mut pong);
    let mut close = Vec::new();
    head(crate::wire::opcode::Opcode::Close, 2).encode_with(&[0x03, 0xe8], &mut close);
    close[2] ^= 0x55; // Another masking key than the Pong's, with the payload masked accordingly.
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
    assert_eq!(after(&[0x89, 0]), [], "a Ping is not data");
}

#[test]
fn the_number_of_findings_is_limited() {
    let records = upgraded().say(DOWN, &[0x7f, 0x00].repeat(30_000)).end(EndReason::Capture);
    assert_eq!(records.iter().filter(|r| r.kind == Kind::Frame).count(), 30_000, "all frames are listed");
    let rules = rules_of(&records);
    assert!((20_000..20_010).contains(&rules.len()), "{}", rules.len());
    assert_eq!(rules.last(), Some(&Rule::FindingsOmitted));
}

#[test]
fn a_repeated_masking_key_is_reported() {
    let records = upgraded().say(UP, HELLO_UP).say(UP, HELLO_UP).end(EndReason::Capture);
    assert_eq!(rules_of(&records), [Rule::MaskingKeyReused]);
}

#[test]
fn bytes_that_are_not_http_are_unrecognized() {
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

/// A handshake and frames of all kinds, some invalid; or random bytes.
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
fn many_infos_do_not_hide_an_error() {
    let heartbeats = [0x8a, 0x00].repeat(20_001);
    let rules = rules_of(&upgraded().say(DOWN, &heartbeats).say(DOWN, &[0x81, 1, 0xff]).end(EndReason::Capture));
    assert_eq!(rules.iter().filter(|rule| **rule == Rule::PongUnsolicited).count(), 20_000);
    assert_eq!(rules[20_000..], [Rule::FindingsOmitted, Rule::TextNotUtf8]);
}

#[test]
fn a_ping_must_be_answered_until_its_sender_sends_a_close() {
    // RFC 6455 §5.5.2: the client sent a Close, but must still answer the server's Ping.
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
    assert_eq!(rules_of(&after), [], "a Ping after the sender's own Close needs no answer");
}

#[test]
fn pings_with_equal_payloads_are_answered_in_order() {
    let pings = upgraded().say(DOWN, &[0x89, 0, 0x89, 0]).say(UP, PONG_UP).say(UP, PONG_UP).end(EndReason::Capture);
    let links: Vec<RecordLink> = pings.iter().filter(|r| r.lead[0] == 0x8a).map(|r| r.link).collect();
    assert_eq!(
        (rules_of(&pings), links),
        (vec![Rule::MaskingKeyReused], vec![RecordLink::Answers(2), RecordLink::Answers(3)])
    );
}

#[test]
fn an_unknown_extension_may_define_reserved_bits() {
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
        "frames without reserved bits are judged as usual"
    );
}

#[test]
fn an_upgrade_to_another_protocol_is_not_a_bad_handshake() {
    let mut talk = Talk::new(usize::MAX);
    talk.say(UP, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n");
    talk.say(DOWN, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\x00\x00");
    assert_eq!(rules_of(&talk.end(EndReason::Capture)), []);
}
