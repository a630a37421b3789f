//! `/echo` returns every message.

use std::io::{Read as _, Write as _};

use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::*;

#[test]
fn messages_at_the_edges_of_the_length_forms_come_back() {
    let bench = Bench::new();
    let mut client = bench.client("/echo");
    for len in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        let binary: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
        for message in [Message::binary(binary), Message::text("ö".repeat(len / 2))] {
            client.send(message.clone()).expect("sent");
            assert!(client.read().expect("an echo") == message, "{len}");
        }
    }
    client.close(None).expect("closed");
    assert!(matches!(client.read(), Ok(Message::Close(None))));
    assert!(matches!(client.read(), Err(tungstenite::Error::ConnectionClosed)));
    drop(client);
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(r, _)| r.kind == Kind::Frame).count(), 2 * 14 + 2);
    assert!(records.iter().all(|(r, _)| r.findings.is_empty()));
}

#[test]
fn a_fragmented_message_comes_back_as_one_with_its_ping_answered_between() {
    let bench = Bench::new();
    let mut client = bench.client("/echo");
    let part = |text: &'static str, code, fin| Message::Frame(Frame::message(text, OpCode::Data(code), fin));
    client.send(part("one ", Data::Text, false)).expect("sent");
    client.send(Message::Ping("beat".into())).expect("sent");
    client.send(part("two ", Data::Continue, false)).expect("sent");
    client.send(part("three", Data::Continue, true)).expect("sent");
    assert_eq!(client.read().expect("a pong"), Message::Pong("beat".into()));
    assert_eq!(client.read().expect("an echo"), Message::text("one two three"));
    bench.finish();
}

#[test]
fn many_frames_in_one_write_come_back_in_order() {
    let bench = Bench::new();
    let mut stream = bench.upgraded("/echo");
    let sent: Vec<u8> = (0..5000u32).flat_map(|i| frame(true, Opcode::Binary, &i.to_be_bytes())).collect();
    let expected: Vec<u8> = (0..5000u32).flat_map(|i| [&[0x82, 4][..], &i.to_be_bytes()].concat()).collect();
    stream.write_all(&sent).expect("written");
    let mut got = vec![0; expected.len()];
    stream.read_exact(&mut got).expect("echoes");
    assert!(got == expected);
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(r, _)| r.kind == Kind::Frame).count(), 10_001, "with the goodbye");
}

#[test]
fn a_close_is_answered_with_its_code_and_the_server_ends_first() {
    let bench = Bench::new();
    for (code, reason) in [(CloseCode::Normal, ""), (CloseCode::Iana(3000), "tschüß"), (CloseCode::Away, "bye")] {
        let mut client = bench.client("/echo");
        client.close(Some(CloseFrame { code, reason: reason.into() })).expect("sent");
        let Ok(Message::Close(Some(answer))) = client.read() else { panic!("no answer") };
        assert_eq!(answer.code, code);
        // As a client tungstenite waits for the server's FIN.
        assert!(matches!(client.read(), Err(tungstenite::Error::ConnectionClosed)));
    }
    bench.wait("both FINs of each", |capture| capture.totals().open == 0 && capture.totals().connections == 3);
    let records = bench.finish();
    let ends: Vec<_> = records.iter().filter(|(r, _)| matches!(r.kind, Kind::End(_))).map(|(r, _)| r).collect();
    assert!(ends.iter().all(|r| r.kind.name() == "end" && r.kind == Kind::End(EndReason::Fin)));
    let of_first: Vec<_> = ends.iter().filter(|r| r.connection == 1).map(|r| r.direction).collect();
    assert_eq!(of_first, [DOWN, UP]);
}

#[test]
fn bytes_after_the_handshake_in_the_same_write_are_not_lost() {
    let bench = Bench::new();
    let mut stream = bench.raw();
    let all = [bench.handshake("/echo").as_bytes(), &frame(true, Opcode::Text, b"early")].concat();
    stream.write_all(&all).expect("written");
    read_head(&mut stream);
    let mut echo = [0; 7];
    stream.read_exact(&mut echo).expect("an echo");
    assert_eq!(&echo, b"\x81\x05early");
    bench.finish();
}

#[test]
fn byte_by_byte_is_the_same() {
    let bench = Bench::new();
    let mut stream = bench.raw();
    let slowly = |stream: &mut TcpStream, bytes: &[u8]| {
        bytes.iter().for_each(|byte| stream.write_all(&[*byte]).expect("written"));
    };
    slowly(&mut stream, bench.handshake("/echo").as_bytes());
    read_head(&mut stream);
    slowly(&mut stream, &frame(false, Opcode::Text, "sl€".as_bytes()));
    slowly(&mut stream, &frame(true, Opcode::Ping, b"p"));
    slowly(&mut stream, &frame(true, Opcode::Continuation, b"ow"));
    slowly(&mut stream, &frame(true, Opcode::Close, &1000u16.to_be_bytes()));
    let answers = read_to_end(&mut stream);
    assert_eq!(answers, b"\x8a\x01p\x81\x07sl\xe2\x82\xacow\x88\x02\x03\xe8");
    drop(stream);
    let records = bench.finish();
    assert!(without_errors(&records));
}

#[test]
fn fifty_at_once_are_each_in_order() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for who in 0..50 {
            let mut client = bench.client("/echo");
            scope.spawn(move || {
                for i in 0..40 {
                    let message = Message::text(format!("{who} says {i}"));
                    client.send(message.clone()).expect("sent");
                    assert_eq!(client.read().expect("an echo"), message);
                }
                client.close(None).expect("closed");
                while client.read().is_ok() {}
            });
        }
    });
    let records = bench.finish();
    for connection in 1..=50 {
        let frames: Vec<_> =
            records.iter().filter(|(r, _)| r.connection == connection && r.message.is_some()).collect();
        assert_eq!(frames.len(), 80);
        for (i, pair) in frames.chunks(2).enumerate() {
            let ordinal = Some(i as u32 + 1);
            assert_eq!([pair[0].0.direction, pair[1].0.direction], [UP, DOWN]);
            assert_eq!([pair[0].0.message, pair[1].0.message], [ordinal, ordinal]);
            assert!(String::from_utf8_lossy(&pair[1].1).ends_with(&format!("says {i}")));
        }
    }
}
