//! The preambles of a ring's files.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::capture::format::file_markers::Gap;
use crate::capture::format::pcapng::Segments;
use crate::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use crate::capture::live::spool::Spool;
use crate::capture::store::index::HandshakeHead;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind, Loss};
use crate::proto::rules::Rule;
use crate::proto::time::Time;

/// A head of so many bytes at that offset.
fn head(direction: Direction, offset: u64, bytes: Vec<u8>) -> HandshakeHead {
    let kind = if direction == Direction::ClientToServer { Kind::Request } else { Kind::Response };
    let gap = Record::gap(1, 1, direction, offset..offset + bytes.len() as u64, Time(1));
    HandshakeHead { record: Record { kind, ..gap }, bytes }
}

fn at(position: u64) -> DirectionSnapshot {
    DirectionSnapshot { begun: position, position, next: Some(position), ended: None, latest: Time(2) }
}

#[test]
fn sequence_numbers_continue_after_a_long_gap() {
    let (client, server) = ("127.0.0.1:50000".parse().expect("an address"), "127.0.0.1:80".parse().expect("one"));
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
    for far in [0, 1, 1 << 30, (1 << 30) + 1, 3 << 30, 1 << 40] {
        let snapshot = ConnectionSnapshot {
            number: 1,
            client,
            server,
            first: Time(0),
            tls: None,
            handshake: Some(Arc::new(Direction::BOTH.map(|direction| head(direction, 0, vec![b'h'; 100])))),
            directions: [at(100 + far), at(100)],
        };
        let mut preamble = FilePreamble::default();
        snapshot.write(7, recorder.capture(), &mut preamble);
        let mut sequence = Vec::new();
        let mut rest = &preamble.blocks[..];
        while let Some(len) = rest.get(4..8) {
            let len = u32::from_le_bytes(len.try_into().expect("4 bytes")) as usize;
            let packet = etherparse::SlicedPacket::from_ip(&rest[28..len - 4]).expect("an IP packet");
            let Some(etherparse::TransportSlice::Tcp(tcp)) = packet.transport else { panic!("TCP") };
            if tcp.source_port() == 50_000 {
                sequence.push(tcp.sequence_number());
            }
            rest = &rest[len..];
        }
        // The sequence number that the connection would have without a gap.
        let first = 7u32.wrapping_mul(0x9e37_79b1);
        let now = first.wrapping_add(101).wrapping_add(far as u32);
        let (begun, last) = (sequence[0], *sequence.last().expect("packets"));
        let jump = u64::from(now.wrapping_sub(begun.wrapping_add(101)));
        assert_eq!(jump, far.min(1 << 30), "{far}");
        if far > 0 {
            assert_eq!(last, now, "{far}");
        }
        assert!(far > 1 << 30 || begun == first, "the files of a ring, joined, are one capture");
    }
}

#[test]
fn files_are_numbered_before_their_extension() {
    for (base, third) in [("a/b.pcapng", "a/b.0000003.pcapng"), ("b", "b.0000003"), ("x.y.z", "x.y.0000003.z")] {
        let path = Ring::path(Path::new(base), 3);
        assert_eq!(path, Path::new(third));
        assert!(Ring::is_path(Path::new(base), &path));
    }
    for other in ["b.pcapng", "b.000000x.pcapng", "b.00003.pcapng", "b.0000003.pcap", "c.0000003.pcapng"] {
        assert!(!Ring::is_path(Path::new("b.pcapng"), Path::new(other)), "{other}");
    }
}

#[test]
fn files_far_into_a_connection_are_read_alone_and_together() {
    let (client, server) = ("127.0.0.1:50000".parse().expect("an address"), "127.0.0.1:80".parse().expect("one"));
    let heads = [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    ];
    // An exchange on a kept-alive connection before it was upgraded.
    let before = ["GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"];
    // RFC 6455 §5.7.
    let frames: [&[u8]; 2] =
        [&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], &[0x81, 5, 72, 101, 108, 108, 111]];
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
    let snapshot = |positions: [u64; 2], kept: bool| ConnectionSnapshot {
        number: 1,
        client,
        server,
        first: Time(0),
        tls: None,
        handshake: Some(Arc::new(Direction::BOTH.map(|direction| {
            let bytes = heads[direction.index()].as_bytes().to_vec();
            let offset = if kept { before[direction.index()].len() as u64 } else { 0 };
            head(direction, offset, bytes)
        }))),
        directions: positions.map(at),
    };
    let mut file_head = Vec::new();
    crate::capture::format::pcapng::file_head(&mut file_head, None);
    let begin = |at, kept| {
        let mut preamble = FilePreamble { blocks: file_head.clone(), ..FilePreamble::default() };
        snapshot(at, kept).write(7, recorder.capture(), &mut preamble);
        preamble.blocks
    };
    let texts = |bytes: &[u8]| {
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).expect("written");
        let (capture, loader) = crate::capture::import::open(&path).expect("a capture");
        loader.run(&std::sync::atomic::AtomicBool::new(false));
        assert_eq!((capture.trouble().reason(), capture.totals().connections), (None, 1));
        let records = capture.records(0..u64::MAX);
        let differ = records.iter().flat_map(|record| &record.findings).filter(|f| f.rule == Rule::SegmentOverlap);
        assert_eq!(differ.count(), 0);
        let frames = records.iter().filter(|record| record.kind == Kind::Frame);
        frames.map(|record| (record.offset, capture.payload(record, 0..99).expect("readable"))).collect::<Vec<_>>()
    };
    let fars = [[5, 0], [1 << 30, 1500 << 20], [1 << 30, 1 << 31], [3 << 30, 5 << 30], [1 << 40, 7]];
    for (far, kept) in fars.into_iter().flat_map(|far| [(far, false), (far, true)]) {
        // The connection as it is recorded live, with a gap in place of the long way.
        let mut live = Segments::new(client, server, 7);
        let mut at = heads.map(|head| head.len() as u64);
        let mut blocks = file_head.clone();
        live.open(&mut blocks, Time(0));
        for direction in Direction::BOTH {
            if kept {
                let said = before[direction.index()];
                live.data(&mut blocks, direction, said.as_bytes(), Time(1), &[]);
                at[direction.index()] += said.len() as u64;
            }
        }
        for direction in Direction::BOTH {
            live.data(&mut blocks, direction, heads[direction.index()].as_bytes(), Time(1), &[]);
            let (at, far) = (&mut at[direction.index()], far[direction.index()]);
            *at += far;
            live.skip(
                &mut blocks,
                direction,
                (far, Gap { to: Some(*at), begins: Some(*at), loss: Loss::Lost }),
                Time(1),
                &[],
            );
        }
        let (mut files, mut expected) = (vec![blocks], Vec::new());
        for _ in 0..3 {
            let mut blocks = begin(at, kept);
            let mut alone = Vec::new();
            for direction in Direction::BOTH {
                let (frame, at) = (frames[direction.index()], &mut at[direction.index()]);
                live.data(&mut blocks, direction, frame, Time(3), &[]);
                alone.push((*at, b"Hello".to_vec()));
                *at += frame.len() as u64;
            }
            assert_eq!(texts(&blocks), alone, "{far:?} {kept}");
            files.push(blocks);
            expected.append(&mut alone);
        }
        assert_eq!(texts(&files.concat()), expected, "{far:?} {kept}");
        assert_eq!(texts(&files[1..].concat()), expected, "{far:?} {kept}");
    }
}

#[test]
fn an_ended_connection_has_its_handshake_in_memory_only_when_it_is_evicted() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_ring(folder.path(), 64 * 1024).expect("a spool"));
    let capture = recorder.capture();
    let upgraded = |port: u16| {
        let connection = recorder.connection(([127, 0, 0, 1], port).into(), ([127, 0, 0, 1], 80).into());
        let request: &[u8] = b"GET /app HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let response: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        for (direction, bytes) in Direction::BOTH.into_iter().zip([request, response]) {
            connection.record(&[Chunk { direction, time: Time(1), bytes }]);
        }
        connection
    };
    let has_copy = |number| capture.index().connection(number).expect("kept").kept_handshake.is_some();
    let text: &[u8] = &[&[0x81, 0x7e, 0x01, 0xf4], &[b'a'; 500][..]].concat();
    let say = |connection: &ConnectionRecorder| {
        connection.record(&[Chunk { direction: Direction::ServerToClient, time: Time(2), bytes: text }]);
    };
    let (ended, open) = (upgraded(1), upgraded(2));
    assert!(has_copy(1) && has_copy(2));
    // Its last records are in a later file than its handshake.
    for _ in 0..40 {
        say(&open);
    }
    say(&ended);
    drop(ended);
    assert!(!has_copy(1) && has_copy(2), "it can be read from the file");
    let first = capture.handshake(1).expect("a handshake").map(|head| (head.wire_len, capture.wire(&head, 0..999)));
    while capture.first() < 5 {
        say(&open);
    }
    assert!(has_copy(1) && has_copy(2));
    let evicted = capture.handshake(1).expect("a handshake").map(|head| (head.wire_len, capture.wire(&head, 0..999)));
    assert_eq!(
        first.map(|(len, wire)| (len, wire.expect("bytes"))),
        evicted.map(|(len, wire)| (len, wire.expect("bytes")))
    );
}
