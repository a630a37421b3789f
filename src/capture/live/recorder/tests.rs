use super::*;
use crate::capture::import;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;
use std::sync::atomic::AtomicBool;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

fn handshake() -> [Vec<u8>; 2] {
    let request = "GET /echo HTTP/1.1\r\nHost: localhost:6455\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    [request.into(), response.into()]
}

fn frame(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    FrameHead::new(true, opcode, key, payload.len() as u64).encode_with(payload, &mut wire);
    wire
}

fn reopened(path: &Path) -> Capture {
    let (capture, loader) = import::open(path).expect("our own file");
    loader.run(&AtomicBool::new(false));
    assert_eq!(capture.trouble(), crate::capture::store::Trouble::default());
    capture
}

fn all(capture: &Capture) -> Vec<(Record, Vec<u8>)> {
    capture
        .records(1..u64::MAX)
        .into_iter()
        .map(|record| {
            let wire = capture.wire(&record, 0..u64::MAX).expect("bytes");
            (record, wire)
        })
        .collect()
}

#[test]
fn records_without_a_number_are_counted_as_not_captured() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    lock(&recorder.shared.writer).most_records = 4;
    let address = "127.0.0.1:6455".parse().expect("address");
    let connection = recorder.connection(address, address);
    let [request, response] = handshake();
    connection.record(&[Chunk { direction: UP, time: Time(1), bytes: &request }]);
    connection.record(&[Chunk { direction: DOWN, time: Time(2), bytes: &response }]);
    for _ in 0..4 {
        connection.record(&[Chunk { direction: DOWN, time: Time(3), bytes: &frame(Opcode::Text, None, b"a") }]);
    }
    let trouble = recorder.capture().trouble();
    assert_eq!((recorder.capture().len(), trouble.uncaptured), (4, 6));
    assert_eq!(trouble.reason().as_deref(), Some("capturing stopped: a capture has at most 4 records"));
}

#[test]
fn a_connection_ends_with_the_last_clone_of_its_recorder() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("address");
    let client_side = recorder.connection(address, address);
    let server_side = client_side.clone();
    let [request, response] = handshake();
    client_side.record(&[Chunk { direction: UP, time: Time(1), bytes: &request }]);
    let other_thread = std::thread::spawn(move || {
        server_side.record(&[Chunk { direction: DOWN, time: Time(2), bytes: &response }]);
    });
    other_thread.join().expect("the other thread");
    let capture = recorder.capture();
    assert_eq!((capture.totals().connections, capture.totals().open, capture.len()), (1, 1, 2));
    drop(client_side);
    let ends = capture.records(3..u64::MAX);
    assert!(ends.iter().all(|record| record.kind == Kind::End(EndReason::Capture)), "{ends:?}");
    assert_eq!((capture.totals().open, ends.len()), (0, 2));
}

#[test]
fn a_reset_that_two_clones_report_is_in_the_file_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("address");
    let connection = recorder.connection("127.0.0.1:50001".parse().expect("address"), address);
    connection.record(&[Chunk { direction: UP, time: Time(1), bytes: &handshake()[0] }]);
    let other = connection.clone();
    connection.reset(UP, Time(2));
    let len = std::fs::metadata(&path).expect("the file").len();
    other.reset(DOWN, Time(3));
    other.end(DOWN, EndReason::Fin, Time(4));
    drop((connection, other));
    assert_eq!(std::fs::metadata(&path).expect("the file").len(), len);
    assert_eq!(all(&reopened(&path)), all(recorder.capture()));
}

#[test]
fn two_connections_at_once_come_back_from_the_file_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    let server = "127.0.0.1:6455".parse().expect("address");
    let mut first = recorder.connection("127.0.0.1:50001".parse().expect("address"), server);
    let mut second =
        recorder.connection("[::1]:50002".parse().expect("address"), "[::1]:6455".parse().expect("address"));
    let silent = recorder.connection("127.0.0.1:50003".parse().expect("address"), server);
    drop(silent);
    let mut clock = 1_700_000_000_000_000_000;
    let mut say = |connection: &mut ConnectionRecorder, direction, bytes: &[u8]| {
        clock += 1_000_001;
        connection.record(&[Chunk { direction, time: Time(clock), bytes }]);
    };
    let [request, response] = handshake();
    for connection in [&mut first, &mut second] {
        say(connection, UP, &request);
        say(connection, DOWN, &response);
    }
    let large = frame(Opcode::Binary, Some([1, 2, 3, 4]), &vec![0xa5; 200_000]);
    let (start, rest) = large.split_at(70_000);
    say(&mut first, UP, start);
    say(&mut second, UP, &frame(Opcode::Text, None, b"unmasked")); // a finding
    say(&mut first, UP, rest);
    say(&mut second, DOWN, &[frame(Opcode::Ping, None, b"a"), frame(Opcode::Text, None, b"two in one read")].concat());
    say(&mut first, DOWN, &[0x81, 0x7e, 0x01]); // cut
    first.end(UP, EndReason::Fin, Time(clock));
    first.end(DOWN, EndReason::Fin, Time(clock + 5));
    second.reset(UP, Time(clock + 9));
    drop((first, second));
    let live = recorder.capture().clone();
    let records = all(&live);
    assert_eq!(live.totals().open, 0);
    assert_eq!(live.totals().connections, 2);
    assert_eq!(records.iter().filter(|(r, _)| r.kind == Kind::Frame).count(), 4);
    assert_eq!(records.iter().find(|(r, _)| r.wire_len > 200_000).map(|(_, wire)| wire == &large), Some(true));
    // A key used twice, three ends without a Close, a ping without a pong, a reset; a frame that is not masked.
    assert_eq!(live.totals().findings, [6, 0, 1]);
    assert_eq!(all(&reopened(&path)), records);
    let text = std::fs::read(&path).expect("the file");
    let comment = b"framescope: error: MASK is 0, but a client must mask every frame (client-frame-unmasked, RFC 6455 \xc2\xa75.1)";
    assert!(text.windows(comment.len()).any(|window| window == comment));
    let comment = b"(key-reused, RFC 6455 \xc2\xa74.1)";
    assert!(text.windows(comment.len()).any(|window| window == comment), "a finding that only the whole capture shows");
}

#[test]
fn a_file_that_is_cut_anywhere_yields_the_records_before_the_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    let connection =
        recorder.connection("127.0.0.1:50001".parse().expect("address"), "127.0.0.1:6455".parse().expect("address"));
    let [request, response] = handshake();
    connection.record(&[
        Chunk { direction: UP, time: Time(1), bytes: &request },
        Chunk { direction: DOWN, time: Time(2), bytes: &response },
    ]);
    let whole = std::fs::read(&path).expect("the file");
    let said = |capture: &Capture| {
        let mut all = all(capture);
        all.retain(|(record, _)| matches!(record.kind, Kind::Request | Kind::Response));
        all
    };
    let expected = said(recorder.capture());
    assert_eq!(expected.len(), 2);
    let mut counts = Vec::new();
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("written");
        // The format cannot be recognized from fewer than four bytes.
        let Ok((capture, loader)) = import::open(&path) else {
            assert!(cut < 4, "refused at {cut}");
            continue;
        };
        loader.run(&AtomicBool::new(false));
        let seen = said(&capture);
        assert_eq!(seen, expected[..seen.len()], "the beginning, at {cut}");
        counts.push(seen.len());
    }
    assert!(counts.is_sorted() && counts.contains(&1), "more of the file gives more");
    assert_eq!(counts.last(), Some(&2), "the whole file gives all");
}
