//! permessage-deflate: after the first change, messages of that direction are compressed again.

use super::*;
use crate::support::{compressed_frame, deflated};
use framescope::proto::deflate::{Deflater, Inflater};

/// Both ends of a connection with permessage-deflate.
fn open_compressed(bench: &Bench, parameters: &str) -> (TcpStream, TcpStream) {
    let line = format!("Sec-WebSocket-Extensions: permessage-deflate{parameters}\r\n\r\n");
    let request = bare_request("/", &bench.address().to_string()).replacen("\r\n\r\n", &format!("\r\n{line}"), 1);
    let response = RESPONSE.replacen("\r\n\r\n", &format!("\r\n{line}"), 1);
    let mut client = bench.client();
    client.write_all(request.as_bytes()).expect("written");
    let mut server = bench.accept();
    read_head(&mut server);
    server.write_all(response.as_bytes()).expect("written");
    assert_eq!(read_head(&mut client), response);
    (client, server)
}

fn inflated(inflater: &mut Inflater, payload: &[u8]) -> String {
    let mut message = Vec::new();
    let take = |piece: &[u8]| {
        message.extend_from_slice(piece);
        std::ops::ControlFlow::Continue(())
    };
    inflater.feed(payload, take).expect("deflate");
    inflater.finish().expect("a whole message");
    String::from_utf8(message).expect("text")
}

#[test]
fn later_messages_are_compressed_again_after_a_change() {
    for direction in [UP, DOWN] {
        let (bench, hold) = holding(&["text contains \"change\""], 1 << 20);
        let (client, server) = open_compressed(&bench, "");
        let key = (direction == UP).then_some(KEY);
        let (mut from, mut to) = if direction == UP { (client, server) } else { (server, client) };
        let (mut deflater, mut inflater) = (Deflater::new(15, true), Inflater::default());
        let mut wire =
            |message: &str| compressed_frame(true, Opcode::Text, key, &deflated(&mut deflater, message.as_bytes()));
        let shared = "these words are in every message, so that later ones refer to earlier ones";
        let messages: Vec<String> =
            ["a", "change this", "b", "change that", "c"].map(|own| format!("{own}: {shared}")).into();
        let sent: Vec<Vec<u8>> = messages.iter().map(|message| wire(message)).collect();
        from.write_all(&sent.concat()).expect("written");
        // Before the change, bytes pass as they came.
        let first = read(&mut to, sent[0].len());
        assert_eq!(first, sent[0]);
        let payload = &first[first.len() - (first.len() - 2 - if key.is_some() { 4 } else { 0 })..];
        let mut payload = payload.to_vec();
        if let Some(key) = key {
            framescope::wire::mask::apply(&mut payload, key, 0);
        }
        assert_eq!(inflated(&mut inflater, &payload), messages[0]);
        let held = wait_held(&hold, 2);
        hold.decide(held[0].id, &Verdict::Replace(outgoing("changed"))).expect("held");
        hold.decide(held[1].id, &Verdict::Drop).expect("held");
        for expected in ["changed", messages[2].as_str(), messages[4].as_str()] {
            let (first, payload) = read_frame(&mut to);
            assert_eq!(first, 0xc1);
            assert_eq!(inflated(&mut inflater, &payload), expected);
        }
        // A fragmented message, and one without compression.
        let compressed = {
            let mut payload = Vec::new();
            deflater.message(format!("fragments: {shared}").as_bytes(), &mut payload);
            payload
        };
        let (begin, end) = compressed.split_at(compressed.len() / 2);
        let mut first = frame(false, Opcode::Text, key, begin);
        first[0] |= 0x40;
        let plain = frame(true, Opcode::Text, key, b"plain");
        from.write_all(&[first, frame(true, Opcode::Continuation, key, end), plain].concat()).expect("written");
        let (lead, mut payload) = read_frame(&mut to);
        assert_eq!(lead, 0x41);
        let (lead, rest) = read_frame(&mut to);
        assert_eq!(lead, 0x80);
        payload.extend(rest);
        assert_eq!(inflated(&mut inflater, &payload), format!("fragments: {shared}"));
        assert_eq!(read_frame(&mut to), (0x81, b"plain".to_vec()));
        drop((from, to));
        bench.wait("the end", |capture| capture.totals().open == 0);
        // What went can be read: the connection of what went inflates it.
        let capture = bench.capture();
        let second: Vec<_> = everything(capture).into_iter().filter(|(record, _)| record.connection == 2).collect();
        let findings: Vec<_> = second.iter().flat_map(|(record, _)| record.findings.clone()).collect();
        assert_eq!(findings, [], "{direction:?}");
        let notes: Vec<_> = second.iter().filter_map(|(record, _)| capture.note(record.no)).collect();
        assert!(notes.iter().filter(|note| note.contains("compressed again")).count() >= 4, "{notes:?}");
        bench.finish();
    }
}

#[test]
fn without_context_takeover_later_messages_pass_as_they_came() {
    let (bench, hold) = holding(&["text contains \"change\""], 1 << 20);
    let (mut client, mut server) = open_compressed(&bench, "; client_no_context_takeover");
    let mut deflater = Deflater::new(15, false);
    let mut wire =
        |message: &str| compressed_frame(true, Opcode::Text, Some(KEY), &deflated(&mut deflater, message.as_bytes()));
    let (changed, later) = (wire("change this"), wire("later later later later"));
    client.write_all(&[changed, later.clone()].concat()).expect("written");
    let held = wait_held(&hold, 1);
    hold.decide(held[0].id, &Verdict::Replace(outgoing("changed"))).expect("held");
    let (lead, payload) = read_frame(&mut server);
    assert_eq!((lead, inflated(&mut Inflater::default(), &payload).as_str()), (0xc1, "changed"));
    assert_eq!(read(&mut server, later.len()), later);
    drop((client, server));
    bench.finish();
}
