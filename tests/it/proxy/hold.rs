//! Messages that wait for a decision, and frames that nobody sent.

mod changes;
mod compressed;
mod partners;
mod screen;

use std::net::Shutdown;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;
use crate::support::any_frame;
use framescope::capture::query::filter::Filter;
use framescope::net::proxy::hold::{Held, Hold, HoldError, HoldLimits, Verdict};
use framescope::script::{InputLine, Outgoing};

const KEY: [u8; 4] = [1, 2, 3, 4];

/// A limit with which no ping overtakes a message that is not whole.
const PATIENT: usize = 1 << 21;

/// A proxy with these rules, which keeps at most `limit` bytes of a direction.
fn holding(rules: &[&str], limit: usize) -> (Bench, Arc<Hold>) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    set_socket_timeout(&server, Timeout::Recv, Some(PATIENCE)).expect("a timeout");
    let target = format!("ws://{}", server.local_addr().expect("an address"));
    let rules = rules.iter().map(|rule| Filter::parse(rule).expect("a filter")).collect();
    // A slow machine must not let a ping overtake a message where the test compares bytes.
    let control_wait = if limit == PATIENT { Duration::from_secs(60) } else { HoldLimits::default().control_wait };
    let hold = Arc::new(Hold::new(rules, HoldLimits { bytes: limit, control_wait }));
    let bench = Bench::with(server, &target, |config| config.hold = Arc::clone(&hold));
    (bench, hold)
}

fn text(payload: &str) -> Vec<u8> {
    frame(true, Opcode::Text, Some(KEY), payload.as_bytes())
}

fn outgoing(line: &str) -> Outgoing {
    match InputLine::parse(line) {
        Ok(InputLine::Send(outgoing)) => outgoing,
        other => panic!("{line}: {other:?}"),
    }
}

/// Waits until so many messages wait for a decision.
fn wait_held(hold: &Hold, count: usize) -> Vec<Held> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let held: Vec<Held> = hold.held(1000).into_iter().filter(|held| !held.is_decided).collect();
        if held.len() == count {
            return held;
        }
        assert!(Instant::now() < deadline, "{held:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Asserts that nothing arrives for a moment.
fn assert_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(80))).expect("a timeout");
    let read = stream.read(&mut [0]);
    assert!(read.is_err(), "{read:?}");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
}

/// Reads one frame: its first byte, and its unmasked payload.
fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    use framescope::wire::frame::FrameHead;
    use framescope::wire::mask;
    let mut wire = read(stream, 2);
    let head = loop {
        match FrameHead::read(&wire) {
            Some(head) => break head,
            None => wire.extend(read(stream, 1)),
        }
    };
    let mut payload = read(stream, usize::try_from(head.payload_len).expect("short"));
    if let Some(key) = head.masking_key {
        mask::apply(&mut payload, key, 0);
    }
    (wire[0], payload)
}

proptest! {
    #![proptest_config(Config { cases: 12, ..Config::default() })]

    #[test]
    fn bytes_pass_unchanged_while_rules_match_nothing(
        frames in prop::array::uniform2(prop::collection::vec(any_frame(true), 0..40)),
        junk in prop::collection::vec(any::<u8>(), 0..200),
        sizes in prop::array::uniform2(prop::collection::vec(1usize..300, 1..5)),
    ) {
        let (bench, hold) = holding(&["len > 100000", "text contains \"not there\""], PATIENT);
        let (client, server) = bench.open();
        let sent = [[frames[0].concat(), junk.clone()].concat(), [junk, frames[1].concat()].concat()];
        let write = |stream: &TcpStream, bytes: &[u8], sizes: &[usize]| {
            let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*sizes.next().expect("a size")));
                { stream }.write_all(piece).expect("written");
                rest = after;
            }
            stream.shutdown(Shutdown::Write).expect("ended");
        };
        let got = std::thread::scope(|scope| {
            scope.spawn(|| write(&client, &sent[0], &sizes[0]));
            scope.spawn(|| write(&server, &sent[1], &sizes[1]));
            let up = scope.spawn(|| read_to_end(&mut server.try_clone().expect("a handle")));
            let down = read_to_end(&mut client.try_clone().expect("a handle"));
            [up.join().expect("no panic"), down]
        });
        prop_assert!(got == sent, "{:?} {:?}", got.each_ref().map(Vec::len), sent.each_ref().map(Vec::len));
        prop_assert_eq!(hold.held(1000), []);
        drop((client, server));
        bench.wait("both ends", |capture| capture.totals().open == 0);
        // One connection: nothing was changed.
        prop_assert_eq!(bench.capture().totals().connections, 1);
        bench.finish();
    }
}

#[test]
fn a_message_waits_and_pings_overtake_it() {
    let (bench, hold) = holding(&["op == text and dir == c2s"], 1 << 20);
    let (mut client, mut server) = bench.open();
    let ping = frame(true, Opcode::Ping, Some(KEY), b"p");
    let binary = frame(true, Opcode::Binary, Some(KEY), b"behind");
    client.write_all(&[text("held"), ping.clone(), binary.clone(), text("second")].concat()).expect("written");
    assert_eq!(read(&mut server, ping.len()), ping);
    assert_silent(&mut server);
    // The other direction is not concerned.
    server.write_all(b"\x81\x02hi").expect("written");
    assert_eq!(read(&mut client, 4), b"\x81\x02hi");
    let held = wait_held(&hold, 2);
    assert_eq!((held[0].record, held[0].len, held[0].direction, held[0].connection), (3, text("held").len(), UP, 1));
    // A later decision waits for the earlier message.
    assert_eq!(hold.decide(held[1].id, &Verdict::Send), Ok(()));
    assert_silent(&mut server);
    assert_eq!(hold.decide(held[0].id, &Verdict::Send), Ok(()));
    let expected = [text("held"), binary, text("second")].concat();
    assert_eq!(read(&mut server, expected.len()), expected);
    assert_eq!(hold.decide(held[0].id, &Verdict::Drop), Err(HoldError::NotHeld));
    bench.wait("a note", |capture| capture.note(3).is_some_and(|note| note.contains("sent on")));
    drop((client, server));
    bench.wait("the end", |capture| capture.totals().open == 0);
    assert_eq!(bench.capture().totals().connections, 1);
    bench.finish();
}

#[test]
fn fragments_are_held_as_one_message() {
    let (bench, hold) = holding(&["text contains \"needle\""], 1 << 20);
    let (mut client, mut server) = bench.open();
    let first = frame(false, Opcode::Text, Some(KEY), b"hay ");
    let ping = frame(true, Opcode::Ping, Some(KEY), b"");
    let last = frame(true, Opcode::Continuation, Some(KEY), b"needle");
    client.write_all(&[first.clone(), ping.clone()].concat()).expect("written");
    // The ping does not wait long for the end of the message.
    assert_eq!(read(&mut server, ping.len()), ping);
    client.write_all(&last).expect("written");
    let held = wait_held(&hold, 1);
    assert_eq!((held[0].record, held[0].last_record), (3, 5));
    hold.decide(held[0].id, &Verdict::Send).expect("held");
    let whole = [first, last].concat();
    assert_eq!(read(&mut server, whole.len()), whole);
    drop((client, server));
    bench.finish();
}

#[test]
fn a_rule_can_hold_control_frames_and_a_close_keeps_its_place() {
    let (bench, hold) = holding(&["op == ping", "text contains \"wait\""], 1 << 20);
    let (mut client, mut server) = bench.open();
    let close = frame(true, Opcode::Close, Some(KEY), &1000u16.to_be_bytes());
    let ping = frame(true, Opcode::Ping, Some(KEY), b"");
    client.write_all(&[ping.clone(), text("first"), text("wait"), close.clone()].concat()).expect("written");
    let first = text("first");
    assert_eq!(read(&mut server, first.len()), first, "a held ping does not hold messages");
    let held = wait_held(&hold, 2);
    assert_silent(&mut server);
    hold.decide(held[0].id, &Verdict::Send).expect("held");
    assert_eq!(read(&mut server, ping.len()), ping);
    hold.decide(held[1].id, &Verdict::Send).expect("held");
    let rest = [text("wait"), close].concat();
    assert_eq!(read(&mut server, rest.len()), rest);
    drop((client, server));
    bench.finish();
}

#[test]
fn a_rule_for_one_direction_withholds_nothing_of_the_other() {
    let (bench, hold) = holding(&["dir == c2s and len > 3", "conn == 7"], 1 << 20);
    let (mut client, mut server) = bench.open();
    // Half a frame of the server passes as it arrives.
    server.write_all(b"\x81\x05he").expect("written");
    assert_eq!(read(&mut client, 4), b"\x81\x05he");
    client.write_all(&text("held")[..5]).expect("written");
    assert_silent(&mut server);
    client.write_all(&text("held")[5..]).expect("written");
    wait_held(&hold, 1);
    assert_eq!(hold.held_count(), 1);
    hold.send_all();
    assert_eq!(read(&mut server, text("held").len()), text("held"));
    assert_eq!(hold.held_count(), 0);
    drop((client, server));
    bench.finish();
}

#[test]
fn tungstenite_reads_what_was_changed_between_its_two_ends() {
    use tungstenite::Message;
    let (bench, hold) = holding(&["text contains \"secret\""], 1 << 20);
    let address = bench.address();
    let client = std::thread::spawn(move || {
        let stream = patient(TcpStream::connect(address).expect("a connection"));
        let (mut client, _) = tungstenite::client(format!("ws://{address}/"), stream).expect("a handshake");
        client.send(Message::text("a secret")).expect("sent");
        client.send(Message::Ping("p".into())).expect("sent");
        assert_eq!(client.read().expect("a pong"), Message::Pong("p".into()));
        assert_eq!(client.read().expect("an echo"), Message::text("a public thing"));
        assert_eq!(client.read().expect("a message"), Message::binary(vec![1, 2]));
        client.close(None).expect("sent");
        while client.read().is_ok() {}
    });
    let mut server = tungstenite::accept(bench.accept()).expect("a handshake");
    let server = std::thread::spawn(move || {
        loop {
            match server.read() {
                Ok(message @ Message::Text(_)) => server.send(message).expect("sent"),
                Ok(_) => server.flush().unwrap_or_default(),
                Err(_) => return,
            }
        }
    });
    let held = wait_held(&hold, 1);
    // The pong has gone to the client meanwhile.
    bench.wait("the pong", |capture| capture.records(1..30).iter().any(|record| record.opcode() == Some(Opcode::Pong)));
    hold.decide(held[0].id, &Verdict::Replace(outgoing("a public thing"))).expect("held");
    bench.wait("the echo", |capture| {
        let mut texts = capture.records(1..30).into_iter().filter(|record| record.direction == DOWN);
        texts.any(|record| record.opcode() == Some(Opcode::Text))
    });
    hold.inject(1, DOWN, outgoing("/hex 0102")).expect("open");
    client.join().expect("no panic");
    server.join().expect("no panic");
    bench.finish();
}

#[test]
fn a_rule_applies_from_the_next_message_on_and_its_end_releases() {
    let (bench, hold) = holding(&[], 1 << 20);
    let (mut client, mut server) = bench.open();
    let (begun, rest) = (text("begun"), 7);
    client.write_all(&begun[..rest]).expect("written");
    assert_eq!(read(&mut server, rest), begun[..rest]);
    let rule = hold.add_rule(Filter::parse("op == text").expect("a filter"));
    client.write_all(&[&begun[rest..], &text("held")].concat()).expect("written");
    assert_eq!(read(&mut server, begun.len() - rest), begun[rest..]);
    wait_held(&hold, 1);
    // Half a frame is withheld too.
    let (binary, half) = (frame(true, Opcode::Binary, Some(KEY), b"half"), 5);
    client.write_all(&binary[..half]).expect("written");
    assert_silent(&mut server);
    assert!(hold.remove_rule(rule) && !hold.remove_rule(rule));
    let expected = [&text("held"), &binary[..half]].concat();
    assert_eq!(read(&mut server, expected.len()), expected);
    client.write_all(&[&binary[half..], &text("free")].concat()).expect("written");
    let expected = [&binary[half..], &text("free")].concat();
    assert_eq!(read(&mut server, expected.len()), expected);
    drop((client, server));
    bench.finish();
}

#[test]
fn at_the_limit_only_the_sender_of_that_direction_is_not_read() {
    let limit = 256 << 10;
    let (bench, hold) = holding(&["dir == c2s"], limit);
    let (client, mut server) = bench.open();
    let message = frame(true, Opcode::Binary, Some(KEY), &vec![7; 32 << 10]);
    let count = 600;
    let writer = {
        let (mut client, message) = (client.try_clone().expect("a handle"), message.clone());
        std::thread::spawn(move || (0..count).for_each(|_| client.write_all(&message).expect("written")))
    };
    // It waits at the limit, although 19 MB are sent.
    let waiting = || hold.held(1000).iter().map(|held| held.len).sum::<usize>();
    let deadline = Instant::now() + PATIENCE;
    while waiting() < limit {
        assert!(Instant::now() < deadline, "{}", waiting());
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    let waiting = waiting();
    assert!(waiting < limit + 2 * (64 << 10) && !writer.is_finished(), "{waiting}");
    let mut reader = client.try_clone().expect("a handle");
    server.write_all(b"\x82\x01x").expect("written");
    assert_eq!(read(&mut reader, 3), b"\x82\x01x");
    // Released, all of it arrives.
    hold.rules().iter().for_each(|rule| assert!(hold.remove_rule(rule.id)));
    let got = read(&mut server, message.len() * count);
    assert!(got.chunks(message.len()).all(|got| got == message));
    writer.join().expect("no panic");
    drop((client, server));
    bench.finish();
}

#[test]
fn a_message_longer_than_the_limit_goes_on() {
    let (bench, hold) = holding(&["dir == c2s"], 64 << 10);
    let (mut client, mut server) = bench.open();
    let long = frame(true, Opcode::Binary, Some(KEY), &vec![7; 300 << 10]);
    let sent = long.clone();
    let writer = std::thread::spawn(move || {
        client.write_all(&sent).expect("written");
        client.write_all(&text("held")).expect("written");
        client
    });
    assert!(read(&mut server, long.len()) == long);
    let held = wait_held(&hold, 1);
    hold.decide(held[0].id, &Verdict::Send).expect("held");
    assert_eq!(read(&mut server, text("held").len()), text("held"));
    assert!(bench.capture().trouble().reason().is_some_and(|notice| notice.contains("without a test")));
    drop((writer.join().expect("no panic"), server));
    bench.finish();
}

#[test]
fn held_messages_outlive_a_fin_and_are_released_at_the_end() {
    let (bench, hold) = holding(&["op == text"], 1 << 20);
    let (mut client, mut server) = bench.open();
    client.write_all(&text("last")).expect("written");
    client.shutdown(Shutdown::Write).expect("ended");
    wait_held(&hold, 1);
    assert_silent(&mut server);
    hold.release(PATIENCE);
    assert_eq!(read_to_end(&mut server), text("last"));
    drop((client, server));
    bench.finish();
}

#[test]
fn held_messages_go_on_after_both_sides_have_ended() {
    let (bench, hold) = holding(&["op == text"], 1 << 20);
    let (mut client, mut server) = bench.open();
    client.write_all(&text("late")).expect("written");
    wait_held(&hold, 1);
    server.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_to_end(&mut client), b"");
    client.shutdown(Shutdown::Write).expect("ended");
    drop(client);
    assert_silent(&mut server);
    std::thread::sleep(Duration::from_millis(300));
    hold.send_all();
    assert_eq!(read_to_end(&mut server), text("late"));
    drop(server);
    bench.wait("the end", |capture| capture.totals().open == 0);
    let records = bench.finish();
    assert_eq!([ends(&records, UP), ends(&records, DOWN)], [[EndReason::Fin], [EndReason::Fin]]);
}

#[test]
fn a_close_does_not_overtake_the_message_that_it_interrupts() {
    let (bench, _hold) = holding(&["text contains \"never\""], 1 << 20);
    let (mut client, mut server) = bench.open();
    let fragment = frame(false, Opcode::Text, Some(KEY), b"abc");
    let ping = frame(true, Opcode::Ping, Some(KEY), b"");
    let close = frame(true, Opcode::Close, Some(KEY), &1001u16.to_be_bytes());
    client.write_all(&[fragment.clone(), ping.clone(), close.clone(), ping.clone()].concat()).expect("written");
    assert_eq!(read(&mut server, ping.len()), ping, "a ping may overtake");
    bench.wait("a note", |capture| capture.note(4).is_some_and(|note| note.contains("before the unfinished message")));
    assert_silent(&mut server);
    client.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_to_end(&mut server), [fragment, close, ping].concat());
    drop((client, server));
    bench.finish();
}

#[test]
fn what_is_held_is_dropped_with_a_notice_when_a_peer_is_gone() {
    let (bench, hold) = holding(&["op == text"], 1 << 20);
    let (mut client, server) = bench.open();
    client.write_all(&[text("lost"), frame(true, Opcode::Binary, Some(KEY), b"behind")].concat()).expect("written");
    wait_held(&hold, 1);
    bench.wait("both messages", |capture| capture.len() == 4);
    ends::reset(server);
    bench.wait("a notice", |capture| {
        capture.trouble().reason().is_some_and(|notice| notice.contains("2 held messages"))
    });
    assert_eq!(hold.held(1000), []);
    // The capture says it on both, also on the one that only waited.
    let lost = |no| bench.capture().note(no).is_some_and(|note| note.contains("ended before it was sent"));
    assert!(lost(3) && lost(4), "{:?}", [3, 4].map(|no| bench.capture().note(no)));
    drop(client);
    bench.finish();
}
