//! Messages that are dropped, changed or added: what came and what went are both in the capture.

use super::*;
use crate::support::{exported, opened};
use framescope::export::Format;

/// The records of a connection: direction, wire bytes and note.
fn records_of(capture: &Capture, connection: u32) -> Vec<(Direction, Vec<u8>, Option<String>)> {
    let records = everything(capture).into_iter().filter(|(record, _)| record.connection == connection);
    let frames = records.filter(|(record, _)| record.kind == Kind::Frame);
    frames.map(|(record, wire)| (record.direction, wire, capture.note(record.no))).collect()
}

#[test]
fn a_changed_and_a_dropped_message_are_kept_beside_what_went() {
    let (bench, hold) = holding(&["dir == c2s and op == text"], 1 << 20);
    let (mut client, mut server) = bench.open();
    client
        .write_all(&[frame(true, Opcode::Binary, Some(KEY), b"before"), text("one"), text("two")].concat())
        .expect("written");
    read_frame(&mut server);
    let held = wait_held(&hold, 2);
    hold.decide(held[0].id, &Verdict::Replace(outgoing("ONE!"))).expect("held");
    assert_eq!(read_frame(&mut server), (0x81, b"ONE!".to_vec()));
    hold.decide(held[1].id, &Verdict::Drop).expect("held");
    client.write_all(&frame(true, Opcode::Binary, Some(KEY), b"after")).expect("written");
    assert_eq!(read_frame(&mut server), (0x82, b"after".to_vec()));
    bench.wait("the connection of what went", |capture| records_of(capture, 2).len() == 2);
    drop((client, server));
    bench.wait("the end", |capture| capture.totals().open == 0);
    let capture = bench.capture();
    let came: Vec<Vec<u8>> = records_of(capture, 1).into_iter().map(|(_, wire, _)| wire).collect();
    assert_eq!(came[1..3], [text("one"), text("two")]);
    let notes: Vec<Option<String>> = records_of(capture, 1).into_iter().map(|(.., note)| note).collect();
    let went = records_of(capture, 2);
    let first =
        everything(capture).into_iter().find(|(record, _)| record.connection == 2 && record.kind == Kind::Frame);
    let number = first.expect("a frame").0.no;
    assert!(
        notes[1].as_ref().is_some_and(|note| note.contains(&format!("record {number} of connection 2"))),
        "{notes:?}"
    );
    assert!(notes[2].as_ref().is_some_and(|note| note.contains("dropped")), "{notes:?}");
    assert!(went[0].2.as_ref().is_some_and(|note| note.contains("in place of record 4")), "{went:?}");
    // Neither connection breaks a rule: the handshake is the same on purpose, and a gap stands for what passed before.
    let findings: Vec<_> = everything(capture).into_iter().flat_map(|(record, _)| record.findings).collect();
    assert!(
        findings.iter().all(|finding| ["close-missing", "masking-key-reused"].contains(&finding.rule.id())),
        "{findings:?}"
    );
    assert!(capture.connection(2).expect("a connection").about.delivered);
    for format in [Format::Pcapng, Format::Ndjson] {
        let again = opened(&exported(capture, format));
        assert_eq!(records_of(&again, 1), records_of(capture, 1), "{format:?}");
        assert_eq!(records_of(&again, 2), records_of(capture, 2), "{format:?}");
        let of =
            |capture: &Capture| everything(capture).into_iter().map(|(record, _)| record.findings.len()).sum::<usize>();
        assert_eq!(of(&again), of(capture), "{format:?}");
    }
    bench.finish();
}

#[test]
fn a_server_message_can_be_changed_too() {
    let (bench, hold) = holding(&["dir == s2c"], 1 << 20);
    let (mut client, mut server) = bench.open();
    server.write_all(b"\x81\x05hello").expect("written");
    let held = wait_held(&hold, 1);
    hold.decide(held[0].id, &Verdict::Replace(outgoing("/hex 0102"))).expect("held");
    assert_eq!(read(&mut client, 4), b"\x82\x02\x01\x02");
    drop((client, server));
    bench.wait("the end", |capture| capture.totals().open == 0 && records_of(capture, 2).len() == 1);
    bench.finish();
}

#[test]
fn wrong_headers_go_as_a_person_writes_them() {
    let (bench, hold) = holding(&["op == text"], 1 << 20);
    let (mut client, mut server) = bench.open();
    client.write_all(&text("x")).expect("written");
    let held = wait_held(&hold, 1);
    let line = "/frame op=11 fin=0 rsv2=1 mask=0 len=100 form=16 text abc";
    hold.decide(held[0].id, &Verdict::Replace(outgoing(line))).expect("held");
    assert_eq!(read(&mut server, 7), b"\x2b\x7e\x00\x64abc");
    drop((client, server));
    bench.finish();
}

#[test]
fn frames_that_nobody_sent_go_to_either_side() {
    let (bench, hold) = holding(&[], 1 << 20);
    let (mut client, mut server) = bench.open();
    hold.inject(1, DOWN, outgoing("/ping p")).expect("open");
    assert_eq!(read(&mut client, 3), b"\x89\x01p");
    // Inside a frame it waits for the end of the frame; a message waits for the end of the message.
    let fragment = frame(false, Opcode::Text, Some(KEY), b"begun");
    client.write_all(&fragment[..4]).expect("written");
    read(&mut server, 4);
    hold.inject(1, UP, outgoing("mine")).expect("open");
    assert_silent(&mut server);
    client.write_all(&fragment[4..]).expect("written");
    read(&mut server, fragment.len() - 4);
    // A ping goes between two frames, also before a message that waits.
    hold.inject(1, UP, outgoing("/ping")).expect("open");
    assert_eq!(read_frame(&mut server), (0x89, Vec::new()));
    let last = frame(true, Opcode::Continuation, Some(KEY), b".");
    client.write_all(&[last.clone(), text("next")].concat()).expect("written");
    assert_eq!(read(&mut server, last.len()), last);
    assert_eq!(read_frame(&mut server), (0x81, b"mine".to_vec()));
    assert_eq!(read_frame(&mut server), (0x81, b"next".to_vec()));
    assert_eq!(hold.inject(7, UP, outgoing("x")), Err(HoldError::NotOpen(7)));
    // The connection with what went names the same one.
    hold.inject(2, DOWN, outgoing("also here")).expect("open");
    assert_eq!(read_frame(&mut client), (0x81, b"also here".to_vec()));
    drop((client, server));
    bench.wait("the end", |capture| capture.totals().open == 0);
    assert_eq!(hold.inject(1, UP, outgoing("x")), Err(HoldError::NotOpen(1)));
    bench.finish();
}

/// The rules of all findings of a capture and of what is exported from it, which are the same.
fn findings(capture: &Capture) -> Vec<&'static str> {
    let of = |capture: &Capture| {
        crate::support::rules(capture).into_iter().map(framescope::proto::rules::Rule::id).collect::<Vec<_>>()
    };
    for format in [Format::Pcapng, Format::Ndjson] {
        assert_eq!(of(&opened(&exported(capture, format))), of(capture), "{format:?}");
    }
    of(capture)
}

#[test]
fn no_side_is_accused_of_what_was_changed() {
    let close = frame(true, Opcode::Close, Some(KEY), &1000u16.to_be_bytes());
    let ping = frame(true, Opcode::Ping, Some(KEY), b"p");
    for (rule, sent) in [("op == close and dir == c2s", close), ("op == ping", ping)] {
        let (bench, hold) = holding(&[rule], 1 << 20);
        let (mut client, mut server) = bench.open();
        client.write_all(&sent).expect("written");
        hold.decide(wait_held(&hold, 1)[0].id, &Verdict::Drop).expect("held");
        bench.wait("a note", |capture| capture.note(3).is_some());
        // The server answers nothing, and closes properly.
        server.write_all(&frame(true, Opcode::Close, None, &1000u16.to_be_bytes())).expect("written");
        server.shutdown(Shutdown::Write).expect("ended");
        read_frame(&mut client);
        client.write_all(&frame(true, Opcode::Pong, Some([7; 4]), b"q")).expect("written");
        client.shutdown(Shutdown::Write).expect("ended");
        bench.wait("the end", |capture| ends(&everything(capture), DOWN).contains(&EndReason::Fin));
        read_to_end(&mut client);
        drop((client, server));
        bench.wait("both ends", |capture| capture.totals().open == 0);
        let found = findings(bench.capture());
        assert!(
            found.iter().all(|rule| ["close-missing", "close-unanswered", "pong-unsolicited"].contains(rule)),
            "{found:?}"
        );
        assert!(!found.contains(&"ping-unanswered"), "{rule}: {found:?}");
        let by_server = |f: &framescope::proto::rules::Finding| f.by == Some(DOWN);
        let all: Vec<_> = everything(bench.capture()).into_iter().flat_map(|(record, _)| record.findings).collect();
        assert!(!all.iter().any(by_server), "{all:?}");
        bench.finish();
    }
    // A pong that answers a ping of framescope.
    let (bench, hold) = holding(&[], 1 << 20);
    let (mut client, server) = bench.open();
    hold.inject(1, DOWN, outgoing("/ping mine")).expect("open");
    assert_eq!(read_frame(&mut client), (0x89, b"mine".to_vec()));
    client.write_all(&frame(true, Opcode::Pong, Some(KEY), b"mine")).expect("written");
    bench.wait("the pong", |capture| {
        capture.records(1..30).iter().any(|record| record.opcode() == Some(Opcode::Pong) && record.connection == 1)
    });
    assert_eq!(findings(bench.capture()), Vec::<&str>::new());
    drop((client, server));
    bench.finish();
}

#[test]
fn a_decision_can_be_changed_until_the_message_goes() {
    let (bench, hold) = holding(&["op == text"], 1 << 20);
    let (mut client, mut server) = bench.open();
    client.write_all(&[text("one"), text("two")].concat()).expect("written");
    let held = wait_held(&hold, 2);
    hold.decide(held[1].id, &Verdict::Send).expect("held");
    hold.decide(held[1].id, &Verdict::Replace(outgoing("2"))).expect("still held");
    hold.decide(held[0].id, &Verdict::Send).expect("held");
    assert_eq!([read_frame(&mut server), read_frame(&mut server)], [(0x81, b"one".to_vec()), (0x81, b"2".to_vec())]);
    drop((client, server));
    bench.finish();
}
