//! Frames whose handshake is unknown: RSV1 may mean that a message is compressed (RFC 7692 §7.2.3).

use super::*;
use crate::proto::dissected::Checkpoint;
use crate::proto::rules::Rule;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// A message that refers to the five bytes before it (RFC 7692 §7.2.3.2).
const HELLO_AGAIN: &[u8] = &[0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00];
const HELLO: &[u8] = &[0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// RSV1, but a DEFLATE block of the reserved type (RFC 1951 §3.2.3).
const NOT_DEFLATE: &[u8] = &[0xc1, 0x03, 0xff, 0xff, 0xff];
/// A stored block with a byte that is not UTF-8.
const NOT_UTF8: &[u8] = &[0xc1, 0x07, 0x00, 0x01, 0x00, 0xfe, 0xff, 0x80, 0x00];

fn dissect(mut connection: Connection, bytes: &[u8]) -> Vec<DissectedRecord> {
    let mut out = Vec::new();
    connection.feed(DOWN, bytes, Time(0), &mut out);
    out
}

fn rules(records: &[DissectedRecord]) -> Vec<Rule> {
    records.iter().flat_map(|record| &record.findings).map(|finding| finding.rule).collect()
}

#[test]
fn rsv1_without_a_handshake_may_mean_that_the_message_is_compressed() {
    for bytes in [HELLO, HELLO_AGAIN, NOT_DEFLATE, NOT_UTF8] {
        let records = dissect(Connection::in_frames(), bytes);
        assert_eq!((records.len(), records[0].compressed, rules(&records)), (1, true, vec![]));
        assert_eq!(records[0].checkpoint.as_deref(), Some(&Checkpoint { offset: 0, window: Box::default() }));
    }
    // A frame without RSV1 is not compressed.
    let records = dissect(Connection::in_frames(), &[0x81, 0x01, 0x80]);
    assert_eq!((records[0].compressed, rules(&records)), (false, vec![Rule::TextNotUtf8]));
}

#[test]
fn assumed_deflate_judges_what_inflates_and_not_what_unknown_bytes_explain() {
    let judge = |bytes: &[u8]| rules(&dissect(Connection::in_frames().assume_deflate(true), bytes));
    assert_eq!(judge(NOT_UTF8), [Rule::InflatedNotUtf8]);
    assert_eq!((judge(HELLO_AGAIN), judge(NOT_DEFLATE)), (vec![], vec![]));
    assert_eq!(judge(&[HELLO_AGAIN, HELLO, HELLO_AGAIN, NOT_UTF8].concat()), [Rule::InflatedNotUtf8]);
}

#[test]
fn assumed_deflate_applies_after_a_handshake_without_it() {
    const HEADS: [&str; 2] = [
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    ];
    let judge = |assumed: bool, bytes: &[u8]| {
        let mut connection = Connection::new(None).assume_deflate(assumed);
        connection.feed(UP, HEADS[0].as_bytes(), Time(0), &mut Vec::new());
        let records = dissect(connection, &[HEADS[1].as_bytes(), bytes].concat());
        (records[1].compressed, rules(&records))
    };
    assert_eq!(judge(true, HELLO), (true, vec![]));
    assert_eq!(judge(true, NOT_DEFLATE), (true, vec![Rule::InflateFailed]));
    assert_eq!(judge(false, HELLO).1[0], Rule::Rsv1Set);
}
