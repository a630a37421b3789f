//! Peers that break the protocol: each gets its code, and the server lives.

use std::io::Write as _;

use tungstenite::Message;

use super::*;

/// The Close code that answers these bytes after a handshake.
fn answered(bench: &Bench, bytes: &[u8]) -> u16 {
    let mut stream = bench.upgraded("/echo");
    stream.write_all(bytes).expect("written");
    let answer = read_to_end(&mut stream);
    assert_eq!((answer[0], usize::from(answer[1]) + 2), (0x88, answer.len()), "one Close with a reason");
    assert!(std::str::from_utf8(&answer[4..]).is_ok_and(|reason| !reason.is_empty()));
    u16::from_be_bytes([answer[2], answer[3]])
}

#[test]
fn each_violation_gets_its_code_and_others_are_unaffected() {
    let bench = Bench::new();
    let mut other = bench.client("/echo");
    let announces_2_63 = [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5];
    assert_eq!(answered(&bench, &announces_2_63), 1009);
    assert_eq!(answered(&bench, b"\x81\x02hi"), 1002, "unmasked");
    assert_eq!(answered(&bench, &[0xc1, 0x80, 1, 2, 3, 4]), 1002, "RSV1");
    assert_eq!(answered(&bench, &[0x83, 0x80, 1, 2, 3, 4]), 1002, "reserved opcode");
    assert_eq!(answered(&bench, &frame(true, Opcode::Continuation, b"")), 1002, "nothing to continue");
    assert_eq!(answered(&bench, &frame(true, Opcode::Text, b"ok \xff")), 1007);
    // Half a frame, already wrong.
    assert_eq!(answered(&bench, &frame(true, Opcode::Text, &[0xff; 70_000])[..100]), 1007);
    other.send(Message::text("still here")).expect("sent");
    assert_eq!(other.read().expect("an echo"), Message::text("still here"));
    let records = bench.finish();
    assert!(records.iter().any(|(r, _)| r.kind == Kind::CutFrame));
}

#[test]
fn a_message_over_the_limit_is_refused_fragments_together() {
    let bench = Bench::with(|config| config.limits.message = 1000);
    let mut client = bench.client("/echo");
    client.send(Message::binary(vec![1; 1000])).expect("sent");
    assert_eq!(client.read().expect("an echo").len(), 1000);
    let fragments = [frame(false, Opcode::Binary, &[1; 999]), frame(true, Opcode::Continuation, &[1; 2])].concat();
    assert_eq!(answered(&bench, &fragments), 1009);
    bench.finish();
}

#[test]
fn a_reset_is_recorded_as_one() {
    let bench = Bench::new();
    let stream = bench.upgraded("/echo");
    // With unread bytes in its buffer a closed socket sends RST.
    (&stream).write_all(&frame(true, Opcode::Text, b"bye")).expect("written");
    bench.wait("the echo", |capture| payloads(capture, DOWN, Opcode::Text).len() == 1);
    drop(stream);
    bench.wait("its end", |capture| capture.totals().open == 0);
    let records = bench.finish();
    let ends: Vec<_> = records.iter().filter_map(|(r, _)| matches!(r.kind, Kind::End(_)).then_some(r.kind)).collect();
    assert_eq!(ends, [Kind::End(EndReason::Rst); 2]);
}

#[test]
fn a_peer_that_never_reads_is_given_up() {
    let bench = Bench::with(|config| config.write_timeout = Duration::from_millis(200));
    let stream = bench.upgraded("/echo");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    let message = frame(true, Opcode::Binary, &vec![7; 1 << 20]);
    // Its echoes fill all buffers; then the server gives up, and writing fails.
    let refused = (0..200).any(|_| (&stream).write_all(&message).is_err());
    assert!(refused);
    bench.wait("its end", |capture| capture.totals().open == 0);
    drop(stream);
    bench.finish();
}
