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

/// The texts of a connection's compressed messages, as exported.
fn inflated_texts(capture: &Capture, connection: u32) -> Vec<String> {
    let lines =
        String::from_utf8(crate::support::exported(capture, framescope::export::Format::Ndjson)).expect("UTF-8");
    let records = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let own = records.filter(|record| record["conn"] == connection);
    own.filter_map(|record| record["inflated"].as_str().map(str::to_owned)).collect()
}

#[test]
fn what_goes_on_after_an_added_message_can_be_read_in_the_capture() {
    let (bench, hold) = holding(&[], 1 << 20);
    let (mut client, mut server) = open_compressed(&bench, "");
    let (mut deflater, mut inflater) = (Deflater::new(15, true), Inflater::default());
    let mut wire =
        |message: &str| compressed_frame(true, Opcode::Text, Some(KEY), &deflated(&mut deflater, message.as_bytes()));
    let (before, after) = (wire("the quick brown fox"), [wire("the quick brown fox again"), wire("the quick fox")]);
    client.write_all(&before).expect("written");
    let (_, payload) = read_frame(&mut server);
    assert_eq!(inflated(&mut inflater, &payload), "the quick brown fox");
    hold.inject(1, UP, outgoing("mine")).expect("open");
    assert_eq!(read_frame(&mut server), (0x81, b"mine".to_vec()));
    client.write_all(&after.concat()).expect("written");
    for expected in ["the quick brown fox again", "the quick fox"] {
        let (first, payload) = read_frame(&mut server);
        assert_eq!((first, inflated(&mut inflater, &payload).as_str()), (0xc1, expected));
    }
    drop((client, server));
    bench.wait("the end", |capture| capture.totals().open == 0);
    assert_eq!(inflated_texts(bench.capture(), 2), ["the quick brown fox again", "the quick fox"]);
    bench.finish();
}

#[test]
fn a_message_can_be_changed_after_its_record_was_evicted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hold =
        Arc::new(Hold::new(vec![Filter::parse("text contains \"HOLD\"").expect("a filter")], HoldLimits::default()));
    let folder = tempfile::tempdir().expect("a folder");
    let recorder =
        Recorder::new(Spool::keep_ring(&folder.path().join("ring.pcapng"), false, 1 << 20).expect("a spool"));
    let target = format!("ws://{}", listener.local_addr().expect("an address"));
    let mut config = ProxyConfig::new("127.0.0.1:0".parse().expect("an address"), target.parse().expect("a URL"));
    config.hold = Arc::clone(&hold);
    let handle = Proxy::bind(config).expect("a free port").start(recorder.clone()).expect("a thread");
    let open = |extension: &str| {
        let request =
            bare_request("/", &handle.address().to_string()).replacen("\r\n\r\n", &format!("\r\n{extension}\r\n"), 1);
        let mut client = patient(TcpStream::connect(handle.address()).expect("a connection"));
        client.write_all(request.as_bytes()).expect("written");
        let mut server = patient(listener.accept().expect("a connection").0);
        read_head(&mut server);
        let response = RESPONSE.replacen("\r\n\r\n", &format!("\r\n{extension}\r\n"), 1);
        server.write_all(response.as_bytes()).expect("written");
        read_head(&mut client);
        (client, server)
    };
    let (mut client, mut server) = open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let mut deflater = Deflater::new(15, true);
    let mut wire =
        |message: &str| compressed_frame(true, Opcode::Text, Some(KEY), &deflated(&mut deflater, message.as_bytes()));
    let (held, later) = (wire("HOLD the quick brown fox"), wire("the quick brown fox later"));
    client.write_all(&held).expect("written");
    let held = wait_held(&hold, 1);
    // Another connection fills the ring.
    let (mut other, mut sink) = open("");
    let block = frame(true, Opcode::Binary, Some(KEY), &vec![7; 256 << 10]);
    for _ in 0..12 {
        other.write_all(&block).expect("written");
        read(&mut sink, block.len());
    }
    assert!(recorder.capture().first() > held[0].record, "the record is evicted");
    hold.decide(held[0].id, &Verdict::Replace(outgoing("changed"))).expect("held");
    client.write_all(&later).expect("written");
    let mut inflater = Inflater::default();
    for expected in ["changed", "the quick brown fox later"] {
        let (_, payload) = read_frame(&mut server);
        assert_eq!(inflated(&mut inflater, &payload), expected);
    }
    drop((client, server, other, sink));
    assert!(handle.shutdown());
}
