//! Targets that read the protocol.

use framescope::proto::connection::Connection;
use framescope::proto::deflate::MessageInflater;
use framescope::proto::dissected::{Direction, DissectedRecord, EndReason};
use framescope::proto::extensions::{DeflateOffer, DeflateParams, Extensions};
use framescope::proto::time::Time;
use framescope::wire::frame::{self, FrameHead};
use framescope::wire::partial_head::PartialFrameHead;
use framescope::wire::http::{self, Head};

use crate::{byte, take};

/// Reads frame heads, which encode to the same bytes, and frames without a handshake, in chunks of any size: the records do not
/// depend on it.
pub fn frames(data: &[u8]) {
    if let Some(head) = FrameHead::read(data) {
        let mut again = Vec::new();
        head.encode(&mut again);
        assert_eq!(again, data[..head.header_len()]);
        frame::fields(data, head.wire_len());
    }
    PartialFrameHead::read(data);
    frame::close_code(data);
    let mut rest = data;
    let Some(cut) = byte(&mut rest) else { return };
    let [whole, cut] = [usize::MAX, usize::from(cut) + 1].map(|step| {
        let mut connection = Connection::in_frames();
        let mut records = Vec::new();
        for piece in rest.chunks(step) {
            connection.feed(Direction::ClientToServer, piece, Time(0), &mut records);
        }
        end(&mut connection, &mut records);
        records
    });
    assert_same(&whole, &cut);
}

fn assert_same(whole: &[DissectedRecord], cut: &[DissectedRecord]) {
    for (i, whole) in whole.iter().enumerate() {
        assert_eq!(Some(whole), cut.get(i), "record {i} depends on the size of the chunks");
    }
    assert_eq!(whole.len(), cut.len(), "the records depend on the size of the chunks");
}

/// Reads HTTP heads. The fields are within the head, and header fields can be found by name.
pub fn http(data: &[u8]) {
    let Some(len) = http::head_len(data, 0) else { return };
    // The length does not depend on the bytes after the head.
    assert_eq!(http::head_len(&data[..len], 0), Some(len));
    let head = Head::read(&data[..len]);
    head.is_upgrade();
    head.has_token("Connection", "upgrade");
    for field in head.fields(len as u64) {
        assert!(field.span.byte_range().end <= len as u64, "the field ends after the head");
    }
    Extensions::of(&head);
}

/// Reads connections: both directions, in the order and the chunks that the input describes, and in smaller chunks. Each byte is
/// in one record.
pub fn connection(data: &[u8]) {
    let mut rest = data;
    let Some(step) = byte(&mut rest) else { return };
    let mut sent = Vec::new();
    while let Some(head) = byte(&mut rest) {
        let direction = Direction::BOTH[usize::from(head & 1)];
        sent.push((direction, take(&mut rest, usize::from(head >> 1) * 4 + 1)));
    }
    let [whole, cut] = [usize::MAX, usize::from(step) + 1].map(|step| {
        let mut connection = Connection::new(None);
        let mut records = Vec::new();
        for (direction, bytes) in &sent {
            for piece in bytes.chunks(step) {
                connection.feed(*direction, piece, Time(0), &mut records);
            }
        }
        end(&mut connection, &mut records);
        records
    });
    for direction in Direction::BOTH {
        let mut at = 0;
        for record in whole.iter().filter(|record| record.direction == direction) {
            assert_eq!(record.offset, at);
            at += record.wire_len;
        }
        let all: usize = sent.iter().filter(|chunk| chunk.0 == direction).map(|chunk| chunk.1.len()).sum();
        assert_eq!(at, all as u64);
    }
    assert_same(&whole, &cut);
}

fn end(connection: &mut Connection, records: &mut Vec<DissectedRecord>) {
    for direction in Direction::BOTH {
        connection.end(direction, EndReason::Fin, Time(1), records);
    }
}

/// Negotiates Sec-WebSocket-Extensions. The response parses to the negotiated parameters, and the offer allows them.
pub fn extensions(data: &[u8]) {
    let offers = Extensions::parse(data);
    let Some(agreed) = DeflateParams::negotiate(&offers) else { return };
    let answer = Extensions::parse(agreed.to_string().as_bytes());
    let [extension] = &answer.list[..] else { panic!("{agreed} is not one extension") };
    let read = DeflateParams::read(extension).expect("our own response");
    assert_eq!(read, agreed);
    let allowed = offers.list.iter().filter(|offer| offer.is_deflate()).any(|offer| {
        DeflateOffer::read(offer).is_ok_and(|offer| offer.allows(&agreed).is_ok())
    });
    assert!(allowed, "{agreed} was not offered");
}

/// Inflates the messages of a connection. The result does not depend on the size of the chunks and never exceeds the limit.
pub fn inflate(data: &[u8]) {
    const LIMIT: u64 = 1 << 20;
    let mut rest = data;
    let (Some(flags), Some(step)) = (byte(&mut rest), byte(&mut rest)) else { return };
    let [whole, cut] = [usize::MAX, usize::from(step) + 1].map(|step| {
        let mut inflation = MessageInflater::new(flags & 1 != 0, LIMIT);
        let mut rest = rest;
        let mut seen = Vec::new();
        while let Some(len) = byte(&mut rest) {
            let payload = take(&mut rest, usize::from(len) * 4);
            let mut out = Vec::new();
            inflation.begin();
            let fed: Result<(), _> =
                payload.chunks(step).try_for_each(|piece| inflation.feed(piece, |bytes| out.extend_from_slice(bytes)));
            let done = fed.and_then(|()| inflation.finish());
            assert!(out.len() as u64 <= LIMIT);
            // How much of an invalid message is inflated depends on the size of the chunks; whether it is invalid does not.
            seen.push((done.is_ok(), if done.is_ok() { out } else { Vec::new() }));
        }
        seen
    });
    assert!(whole == cut, "the messages depend on the size of the chunks");
}
