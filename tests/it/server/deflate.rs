//! permessage-deflate: what is agreed on, what comes back, and what is refused (RFC 7692).

use std::io::Write as _;
use std::ops::ControlFlow;

use framescope::proto::deflate::{Deflater, Inflater};

use super::*;

/// A handshake with these offers: the connection, and what was agreed on.
fn offering(bench: &Bench, path: &str, offers: &str) -> (TcpStream, Option<String>) {
    let line = format!("Sec-WebSocket-Extensions: {offers}\r\n\r\n");
    let request = bench.handshake(path).replacen("\r\n\r\n", &format!("\r\n{line}"), 1);
    let mut stream = bench.raw();
    stream.write_all(request.as_bytes()).expect("written");
    let head = read_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let agreed = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    (stream, agreed.map(str::to_owned))
}

/// A masked frame of a compressed message.
fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut wire = frame(true, Opcode::Text, payload);
    wire[0] |= 0x40;
    wire
}

fn deflated(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(15, true).message(message, &mut out);
    out
}

/// The code of the Close that answers a compressed message.
fn refused(bench: &Bench, payload: &[u8]) -> u16 {
    let (mut stream, _) = offering(bench, "/echo", "permessage-deflate");
    stream.write_all(&compressed(payload)).expect("written");
    let answer = read_to_end(&mut stream);
    assert_eq!(answer[0], 0x88, "{answer:x?}");
    u16::from_be_bytes([answer[2], answer[3]])
}

#[test]
fn each_parameter_is_granted_as_it_was_asked_for() {
    let bench = Bench::new();
    for (offers, agreed) in [
        ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
        ("permessage-deflate; server_max_window_bits=10", Some("permessage-deflate; server_max_window_bits=10")),
        ("permessage-deflate; server_no_context_takeover", Some("permessage-deflate; server_no_context_takeover")),
        ("permessage-deflate; client_no_context_takeover", Some("permessage-deflate; client_no_context_takeover")),
        ("permessage-deflate; client_max_window_bits=9", Some("permessage-deflate; client_max_window_bits=9")),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; nonsense, x-other", None),
    ] {
        assert_eq!(offering(&bench, "/echo", offers).1.as_deref(), agreed, "{offers}");
    }
    assert_eq!(offering(&bench, "/ticker", "permessage-deflate").1, None, "its bytes spell what they say");
    assert_eq!(offering(&bench, "/echo?deflate=off", "permessage-deflate").1, None, "a page asks for none so");
    let records = bench.finish();
    let faults = records.iter().flat_map(|(r, _)| &r.findings).filter(|f| f.rule.severity() != Severity::Info);
    assert_eq!(faults.map(|f| f.rule.id()).collect::<Vec<_>>(), ["deflate-offer-invalid"], "the nonsense");
}

#[test]
fn it_can_be_turned_off() {
    let bench = Bench::with(|config| config.deflate = false);
    let (mut stream, agreed) = offering(&bench, "/echo", "permessage-deflate");
    assert_eq!(agreed, None);
    stream.write_all(&compressed(&deflated(b"Hello"))).expect("written");
    let answer = read_to_end(&mut stream);
    assert_eq!(answer[2..4], 1002u16.to_be_bytes(), "RSV1 has no meaning then");
    bench.finish();
}

#[test]
fn messages_refer_to_earlier_ones_unless_the_server_is_asked_not_to() {
    for (offer, second_len) in [("permessage-deflate", 5), ("permessage-deflate; server_no_context_takeover", 7)] {
        let bench = Bench::new();
        let (mut stream, _) = offering(&bench, "/echo", offer);
        let mut deflater = Deflater::new(15, true);
        let mut inflater = Inflater::default();
        // RFC 7692 §7.2.3.2: the second time "Hello" takes 5 bytes instead of 7.
        for len in [7, second_len] {
            let mut payload = Vec::new();
            deflater.message(b"Hello", &mut payload);
            stream.write_all(&compressed(&payload)).expect("written");
            let mut echo = vec![0; 2 + len];
            stream.read_exact(&mut echo).expect("an echo");
            assert_eq!((echo[0], usize::from(echo[1])), (0xc1, len), "{offer}");
            let mut text = Vec::new();
            let mut take = |piece: &[u8]| {
                text.extend_from_slice(piece);
                ControlFlow::Continue(())
            };
            inflater.feed(&echo[2..], &mut take).expect("DEFLATE");
            inflater.finish().expect("its end");
            assert_eq!(text, b"Hello");
        }
        drop(stream);
        bench.finish();
    }
}

#[test]
fn bombs_broken_streams_and_broken_text_are_refused() {
    let bench = Bench::with(|config| config.limits.message = 1 << 20);
    assert_eq!(refused(&bench, &deflated(&vec![b'0'; (1 << 20) + 1])), 1009, "a bomb");
    assert_eq!(refused(&bench, &[0x06, 0, 0, 0]), 1007, "a reserved block type (RFC 1951 §3.2.3)");
    assert_eq!(refused(&bench, &deflated(b"Hell\xff")), 1007, "no UTF-8 once it is inflated");
    let (mut stream, _) = offering(&bench, "/echo", "permessage-deflate");
    stream.write_all(&[0xc9, 0x80, 1, 2, 3, 4]).expect("written");
    assert_eq!(read_to_end(&mut stream)[2..4], 1002u16.to_be_bytes(), "RSV1 on a ping");
    bench.finish();
}
