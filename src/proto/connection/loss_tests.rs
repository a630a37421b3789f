//! Bytes that the capture lacks, or that no response explains: a correct peer gets no error.

use super::*;
use crate::proto::rules::Rule;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;
const HELLO_UP: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// A compressed message that refers to the five bytes before it (RFC 7692 §7.2.3.2), with the masking key 0x01020304.
const HELLO_AGAIN_UP: &[u8] = &[0xc1, 0x85, 1, 2, 3, 4, 0xf3, 0x02, 0x12, 0x04, 0x01];

fn request(nonce: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {nonce}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
}

/// The response to the request with the nonce of RFC 6455 §1.3.
fn response(more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{more}\r\n"
    )
}

fn end(mut connection: Connection, mut out: Vec<DissectedRecord>) -> Vec<DissectedRecord> {
    for direction in Direction::BOTH {
        connection.end(direction, EndReason::Capture, Time(9), &mut out);
    }
    out
}

fn rules(records: &[DissectedRecord]) -> Vec<Rule> {
    records.iter().flat_map(|record| &record.findings).map(|finding| finding.rule).collect()
}

#[test]
fn a_missing_refusal_of_an_earlier_request_does_not_accuse_the_next_one() {
    let (first, second) = (request("AAAAAAAAAAAAAAAAAAAAAA=="), request("dGhlIHNhbXBsZSBub25jZQ=="));
    for answer in [response(""), String::new()] {
        let (mut connection, mut out) = (Connection::new(None), Vec::new());
        connection.feed(UP, first.as_bytes(), Time(0), &mut out);
        connection.feed(UP, second.as_bytes(), Time(1), &mut out);
        connection.gap(DOWN, 60, Time(2), &mut out);
        // Without the 101, too, the frame shows that the connection was upgraded.
        for bytes in [answer.as_bytes(), &[0x81, 2, b'h', b'i']] {
            connection.feed(DOWN, bytes, Time(3), &mut out);
        }
        connection.feed(UP, HELLO_UP, Time(4), &mut out);
        let records = end(connection, out);
        assert_eq!(rules(&records), []);
        let of = |kind: Kind| records.iter().filter(|record| record.kind == kind).count();
        assert_eq!((of(Kind::Request), of(Kind::Frame), of(Kind::Junk)), (2, 2, 0));
        if let Some(response) = records.iter().find(|record| record.kind == Kind::Response) {
            assert_eq!(response.link, RecordLink::Answers(2), "the request with the nonce of the response");
        }
    }
}

#[test]
fn a_client_is_not_accused_of_early_data_if_the_server_sent_something_unreadable() {
    for (answer, expected) in [(&b"Switching"[..], vec![]), (b"", vec![Rule::DataBeforeResponse])] {
        let (mut connection, mut out) = (Connection::new(None), Vec::new());
        connection.feed(UP, request("dGhlIHNhbXBsZSBub25jZQ==").as_bytes(), Time(0), &mut out);
        connection.feed(DOWN, answer, Time(1), &mut out);
        connection.feed(UP, HELLO_UP, Time(2), &mut out);
        assert_eq!(rules(&end(connection, out)), expected);
    }
}

#[test]
fn a_client_is_not_accused_of_early_data_if_its_own_bytes_are_missing() {
    let (mut connection, mut out) = (Connection::new(None), Vec::new());
    connection.feed(DOWN, response("").as_bytes(), Time(1), &mut out);
    connection.gap(UP, 40, Time(0), &mut out);
    connection.feed(UP, request("dGhlIHNhbXBsZSBub25jZQ==").as_bytes(), Time(0), &mut out);
    connection.feed(UP, HELLO_UP, Time(2), &mut out);
    assert_eq!(rules(&end(connection, out)), []);
}

#[test]
fn a_compressed_message_may_refer_to_one_that_is_missing_with_the_request() {
    let accepted = response("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let (mut connection, mut out) = (Connection::new(None), Vec::new());
    connection.gap(UP, 300, Time(0), &mut out);
    connection.feed(DOWN, accepted.as_bytes(), Time(1), &mut out);
    connection.feed(UP, HELLO_AGAIN_UP, Time(2), &mut out);
    let records = end(connection, out);
    assert_eq!(rules(&records), []);
    assert!(records.iter().any(|record| record.compressed));
}

#[test]
fn empty_lines_before_a_head_are_unrecognized_and_the_head_is_read() {
    let (request, answer) = (request("dGhlIHNhbXBsZSBub25jZQ=="), response(""));
    for step in [1, usize::MAX] {
        let (mut connection, mut out) = (Connection::new(None), Vec::new());
        for (direction, bytes) in [(UP, format!("\r\n\n{request}")), (DOWN, format!("\r\n{answer}\u{1}"))] {
            for piece in bytes.as_bytes().chunks(step) {
                connection.feed(direction, piece, Time(0), &mut out);
            }
        }
        let shapes: Vec<_> = out.iter().map(|record| (record.kind, record.offset, record.wire_len)).collect();
        assert_eq!(
            shapes,
            [
                (Kind::Junk, 0, 3),
                (Kind::Request, 3, request.len() as u64),
                (Kind::Junk, 0, 2),
                (Kind::Response, 2, answer.len() as u64),
            ]
        );
        assert_eq!((rules(&out), out[3].link), (vec![], RecordLink::Answers(1)));
    }
}

#[test]
fn a_response_after_frames_of_the_client_is_read_if_the_request_is_missing() {
    let (mut connection, mut out) = (Connection::new(None), Vec::new());
    connection.gap(UP, 300, Time(0), &mut out);
    // Captures swap neighbouring packets.
    connection.feed(UP, HELLO_UP, Time(1), &mut out);
    connection.feed(DOWN, response("").as_bytes(), Time(2), &mut out);
    connection.feed(DOWN, &[0x81, 2, b'h', b'i'], Time(3), &mut out);
    let records = end(connection, out);
    assert_eq!(rules(&records), []);
    let kinds: Vec<Kind> = records.iter().filter(|record| record.wire_len > 0).map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::Gap, Kind::Frame, Kind::Response, Kind::Frame]);
}

#[test]
fn a_101_answers_the_request_whose_key_it_accepts() {
    let (first, second) = (request("AAAAAAAAAAAAAAAAAAAAAA=="), request("dGhlIHNhbXBsZSBub25jZQ=="));
    let (mut connection, mut out) = (Connection::new(None), Vec::new());
    // The refusal of the first request was sent before the first packet of the server in the capture, so no bytes are known to be missing.
    connection.feed(UP, first.as_bytes(), Time(0), &mut out);
    connection.feed(UP, second.as_bytes(), Time(1), &mut out);
    connection.feed(DOWN, response("").as_bytes(), Time(2), &mut out);
    connection.feed(UP, HELLO_UP, Time(3), &mut out);
    let records = end(connection, out);
    assert_eq!(rules(&records), []);
    let answer = records.iter().find(|record| record.kind == Kind::Response).map(|record| record.link);
    assert_eq!(answer, Some(RecordLink::Answers(1)));
}

#[test]
fn a_client_whose_request_is_missing_may_refer_to_missing_messages() {
    let accepted = response("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let (mut connection, mut out) = (Connection::new(None), Vec::new());
    // The SYN is missing, too, so that the bytes of the client seem to begin with a later frame.
    connection.feed(DOWN, accepted.as_bytes(), Time(1), &mut out);
    connection.feed(UP, HELLO_AGAIN_UP, Time(2), &mut out);
    assert_eq!(rules(&end(connection, out)), []);
}

#[test]
fn line_breaks_alone_are_no_request_that_a_refusal_answers() {
    let (mut connection, mut out) = (Connection::new(None), Vec::new());
    connection.feed(UP, b"\r\n", Time(0), &mut out);
    connection.feed(DOWN, b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", Time(1), &mut out);
    let records = end(connection, out);
    let kinds: Vec<_> =
        records.iter().filter(|record| record.wire_len > 0).map(|record| (record.kind, record.link)).collect();
    assert_eq!(kinds, [(Kind::Response, RecordLink::None), (Kind::Junk, RecordLink::None)]);
}
