//! Bytes of any kind pass both ways as they arrive.

use std::net::Shutdown;
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;

/// Writes bytes in pieces of these sizes, in turn, and ends the direction.
fn write_in_pieces(stream: &TcpStream, bytes: &[u8], sizes: &[usize]) {
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(*sizes.next().expect("a size")));
        { stream }.write_all(piece).expect("written");
        rest = after;
    }
    stream.shutdown(Shutdown::Write).expect("ended");
}

proptest! {
    #![proptest_config(Config { cases: 12, ..Config::default() })]

    #[test]
    fn any_bytes_arrive_unchanged_in_both_directions(
        bytes in any::<[u8; 32]>(),
        lens in prop::array::uniform2(0usize..300_000),
        sizes in prop::array::uniform2(prop::collection::vec(1usize..70_000, 1..5)),
        upgraded: bool,
    ) {
        let bench = Bench::new();
        let stream_of = |len: usize, at: usize| -> Vec<u8> {
            // Neither 0x47 ("G") nor another letter begins it: that would be a request.
            let mixed = (0..len).map(|i| bytes[(i + at) % 32].wrapping_mul(i as u8 | 1).wrapping_add((i >> 8) as u8));
            std::iter::once(0x81).chain(mixed).collect()
        };
        let sent = [stream_of(lens[0], 0), stream_of(lens[1], 7)];
        let (client, server) = if upgraded {
            bench.open()
        } else {
            let mut client = bench.client();
            client.write_all(&[0x82]).expect("written");
            let mut server = bench.accept();
            prop_assert_eq!(read(&mut server, 1), [0x82]);
            (client, server)
        };
        let [got_up, got_down] = thread::scope(|scope| {
            scope.spawn(|| write_in_pieces(&client.try_clone().expect("a handle"), &sent[0], &sizes[0]));
            scope.spawn(|| write_in_pieces(&server.try_clone().expect("a handle"), &sent[1], &sizes[1]));
            let (mut server, mut client) = (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
            let up = scope.spawn(move || read_to_end(&mut server));
            let down = read_to_end(&mut client);
            [up.join().expect("no panic"), down]
        });
        prop_assert!(got_up == sent[0] && got_down == sent[1], "{} {}", got_up.len(), got_down.len());
        drop((client, server));
        bench.wait("both ends", |capture| capture.totals().open == 0 && !capture.is_empty());
        let records = bench.finish();
        prop_assert!(recorded(&records, UP).ends_with(&sent[0]) && recorded(&records, DOWN).ends_with(&sent[1]));
        prop_assert_eq!((ends(&records, UP), ends(&records, DOWN)), (vec![EndReason::Fin], vec![EndReason::Fin]));
    }
}

#[test]
fn a_byte_arrives_before_the_next_is_sent() {
    let bench = Bench::new();
    let (mut client, mut server) = bench.open();
    for byte in frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"Hello") {
        client.write_all(&[byte]).expect("written");
        assert_eq!(read(&mut server, 1), [byte]);
        server.write_all(&[byte ^ 1]).expect("written");
        assert_eq!(read(&mut client, 1), [byte ^ 1]);
    }
    let records = bench.finish();
    assert!(records.iter().any(|(record, wire)| record.opcode() == Some(Opcode::Text) && wire.ends_with(&[b'o' ^ 1])));
}

#[test]
fn a_frame_larger_than_memory_streams_through() {
    let bench = Bench::new();
    let (mut client, mut server) = bench.open();
    // 2^62 bytes are announced.
    let head = [&[0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0][..], &[1, 2, 3, 4]].concat();
    client.write_all(&head).expect("written");
    assert_eq!(read(&mut server, head.len()), head);
    let piece = vec![0xa5; 1 << 20];
    for _ in 0..16 {
        let writer = { &client };
        thread::scope(|scope| {
            scope.spawn(|| { writer }.write_all(&piece).expect("written"));
            assert!(read(&mut server, piece.len()) == piece);
        });
    }
    client.shutdown(Shutdown::Both).expect("ended");
    assert_eq!(read_to_end(&mut server), b"");
    drop(server);
    let records = bench.finish();
    let cut = records.iter().find(|(record, _)| record.kind == Kind::CutFrame).expect("the frame");
    assert_eq!(cut.0.wire_len, head.len() as u64 + (16 << 20));
}

#[test]
fn a_peer_that_reads_nothing_stops_only_its_own_connection() {
    let bench = Bench::new();
    let (client, mut server) = bench.open();
    client.set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let piece = vec![0x5a; 1 << 20];
    let mut sent = 0;
    while let Ok(n) = { &client }.write(&piece) {
        sent += n;
        assert!(sent < 256 << 20, "the proxy buffers without a bound");
    }
    let (mut other_client, mut other_server) = bench.open();
    other_client.write_all(b"\x81\x80....").expect("written");
    assert_eq!(read(&mut other_server, 6), b"\x81\x80....");
    // The other direction of the stuck connection goes on, too.
    server.write_all(b"\x81\x00").expect("written");
    assert_eq!(read(&mut { client.try_clone().expect("a handle") }, 2), b"\x81\x00");
    client.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_to_end(&mut server).len(), sent);
    let records = bench.finish();
    assert_eq!(recorded(&records, UP).len(), sent + 6 + 2 * bare_request("/", "127.0.0.1:12345").len());
}

#[test]
fn a_thousand_connections_are_relayed_and_captured() {
    let bench = Bench::new();
    let pairs: Vec<_> = (0..1000).map(|_| bench.open()).collect();
    assert_eq!((bench.capture().totals().connections, bench.capture().totals().open), (1000, 1000));
    for (mut client, mut server) in pairs {
        client.write_all(b"\x81\x80....").expect("written");
        assert_eq!(read(&mut server, 6), b"\x81\x80....");
    }
    bench.wait("their ends", |capture| capture.totals().open == 0);
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(record, _)| record.kind == Kind::Frame).count(), 1000);
}
