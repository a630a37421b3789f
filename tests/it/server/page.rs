//! What the page needs: the number of its connection, on requests that the capture does not contain; and a subprotocol.

use std::io::Write as _;

use super::*;

/// Reads one response with a body: its status and its body.
fn response(stream: &mut TcpStream) -> (u16, String) {
    let head = read_head(stream);
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    stream.read_exact(&mut body).expect("a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, String::from_utf8(body).expect("UTF-8"))
}

fn request(bench: &Bench, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", bench.address())
}

/// The targets of the recorded requests, in order.
fn targets(records: &[(Record, Vec<u8>)]) -> Vec<String> {
    let requests = records.iter().filter(|(record, _)| record.kind == Kind::Request);
    requests.map(|(_, wire)| String::from_utf8_lossy(wire).split(' ').nth(1).expect("a target").to_owned()).collect()
}

#[test]
fn the_page_learns_its_connection_and_the_capture_does_not_show_that_it_asked() {
    let bench = Bench::new();
    let mut http = bench.raw();
    http.write_all(request(&bench, "/nowhere").as_bytes()).expect("written");
    assert_eq!(response(&mut http).0, 404);
    // Connections are numbered in the order in which their bytes become part of the capture.
    bench.wait("the response", |capture| capture.len() == 2);
    let mut socket = bench.raw();
    socket.write_all(bench.handshake("/echo?deflate=off&page=a1b2").as_bytes()).expect("written");
    read_head(&mut socket);
    // As soon as the client has the response, the number is known.
    http.write_all(request(&bench, "/connection?page=a1b2").as_bytes()).expect("written");
    assert_eq!(response(&mut http), (200, "{\"conn\":2,\"sent\":0}".to_owned()));
    for text in [&b"first"[..], b"second"] {
        socket.write_all(&frame(true, Opcode::Text, text)).expect("written");
    }
    let mut echoes = [0; 7 + 8];
    socket.read_exact(&mut echoes).expect("two echoes");
    // In pieces of one byte, between two requests that are recorded.
    let asked = request(&bench, "/connection?page=a1b2");
    for byte in format!("{asked}{}", request(&bench, "/later")).as_bytes() {
        http.write_all(&[*byte]).expect("written");
    }
    assert_eq!(response(&mut http), (200, "{\"conn\":2,\"sent\":2}".to_owned()));
    assert_eq!(response(&mut http).0, 404);
    drop((http, socket));
    let records = bench.finish();
    assert_eq!(targets(&records), ["/nowhere", "/echo?deflate=off&page=a1b2", "/later"]);
    assert!(
        records.iter().all(|(record, wire)| record.kind != Kind::CutHttp && !wire.starts_with(b"{")),
        "{records:?}"
    );
    let responses = records.iter().filter(|(record, _)| record.kind == Kind::Response);
    assert_eq!(responses.map(|(record, _)| record.code).collect::<Vec<_>>(), [404, 101, 404]);
}

#[test]
fn requests_are_kept_apart_however_their_bytes_arrive() {
    let asked = "/connection?page=unknown";
    let sent = ["/a", asked, "/b", asked, asked, "/c", asked];
    for piece in [usize::MAX, 200, 61, 20, 3] {
        let bench = Bench::new();
        let mut http = bench.raw();
        let all: String = sent.map(|target| request(&bench, target)).concat();
        for bytes in all.as_bytes().chunks(piece) {
            http.write_all(bytes).expect("written");
        }
        for target in sent {
            assert_eq!(response(&mut http).0, 404, "{target}");
        }
        drop(http);
        let records = bench.finish();
        assert_eq!(targets(&records), ["/a", "/b", "/c"], "in pieces of {piece} bytes");
        assert_eq!(records.iter().filter(|(record, _)| record.kind == Kind::Response).count(), 3);
    }
}

#[test]
fn what_only_looks_like_the_pages_request_is_recorded() {
    let bench = Bench::new();
    let foreign = with_lines(&request(&bench, "/connection?page=a1"), "Sec-Fetch-Site: cross-site");
    let body = with_lines(&request(&bench, "/connection?page=a2"), "Content-Length: 1") + "x";
    for text in [request(&bench, "/connection"), request(&bench, "/connection?page=a-1"), foreign, body] {
        let mut http = bench.raw();
        http.write_all(text.as_bytes()).expect("written");
        assert_eq!(response(&mut http).0, 404);
    }
    // A head that does not end is part of the capture when the connection ends.
    let mut cut = bench.raw();
    cut.write_all(b"GET /connection?page=a1").expect("written");
    drop(cut);
    bench.wait("the cut request", |capture| capture.records(1..99).iter().any(|record| record.kind == Kind::CutHttp));
    let records = bench.finish();
    let mut targets = targets(&records);
    targets.sort();
    assert_eq!(targets, ["/connection", "/connection?page=a-1", "/connection?page=a1", "/connection?page=a2"]);
    let cut = records.iter().find(|(record, _)| record.kind == Kind::CutHttp).expect("a cut request");
    assert_eq!(cut.1, b"GET /connection?page=a1");
}

#[test]
fn a_connection_that_only_asks_is_no_connection_of_the_capture() {
    let bench = Bench::new();
    let mut http = bench.raw();
    http.write_all(with_lines(&request(&bench, "/connection?page=a1"), "Connection: close").as_bytes())
        .expect("written");
    assert_eq!(response(&mut http).0, 404);
    assert_eq!(read_to_end(&mut http), b"");
    drop(http);
    assert!(bench.finish().is_empty());
}

#[test]
fn the_first_offered_subprotocol_is_chosen() {
    let bench = Bench::new();
    let mut stream = bench.raw();
    let offers = with_lines(&bench.handshake("/echo"), "Sec-WebSocket-Protocol: chat, superchat");
    stream.write_all(offers.as_bytes()).expect("written");
    let head = read_head(&mut stream);
    assert!(head.contains(" 101 ") && head.contains("\r\nSec-WebSocket-Protocol: chat\r\n"), "{head}");
    drop(stream);
    let records = bench.finish();
    assert!(without_errors(&records) && records[1].0.findings.is_empty(), "{records:?}");
}
