//! permessage-deflate (RFC 7692): which parameters are negotiated, what the server sends back, and what it refuses.

use std::io::Write as _;
use std::ops::ControlFlow;

use framescope::proto::deflate::{Deflater, Inflater};

use super::*;

/// A handshake with these offers: the connection, and the extension that the server accepted.
fn offering(bench: &Bench, path: &str, offers: &str) -> (TcpStream, Option<String>) {
    let request = with_lines(&bench.handshake(path), &format!("Sec-WebSocket-Extensions: {offers}"));
    let mut stream = bench.raw();
    stream.write_all(request.as_bytes()).expect("written");
    let head = read_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let agreed = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    (stream, agreed.map(str::to_owned))
}

/// A masked frame of a compressed message.
fn compressed(payload: &[u8]) -> Vec<u8> {
    support::compressed_frame(true, Opcode::Text, Some([0x37, 0xfa, 0x21, 0x3d]), payload)
}

fn deflated(message: &[u8]) -> Vec<u8> {
    support::deflated(&mut Deflater::new(15, true), message)
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
    assert_eq!(offering(&bench, "/ticker", "permessage-deflate").1, None, "the ticker never compresses");
    assert_eq!(offering(&bench, "/echo?deflate=off", "permessage-deflate").1, None, "the page's switch");
    let records = bench.finish();
    let faults = records.iter().flat_map(|(r, _)| &r.findings).filter(|f| f.rule.severity() != Severity::Info);
    assert_eq!(faults.map(|f| f.rule.id()).collect::<Vec<_>>(), ["deflate-offer-invalid"], "the invalid offer");
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
            stream.write_all(&compressed(&support::deflated(&mut deflater, b"Hello"))).expect("written");
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
