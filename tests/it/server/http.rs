//! What is no WebSocket: the page, and everything that is refused.

use std::io::Write as _;

use super::*;

/// Sends bytes and reads what comes until the server ends the connection: head and body.
fn exchange(bench: &Bench, request: &str) -> (String, Vec<u8>) {
    let mut stream = bench.raw();
    stream.write_all(request.replace("{host}", &bench.address().to_string()).as_bytes()).expect("written");
    let all = read_to_end(&mut stream);
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
    (String::from_utf8_lossy(&all[..end]).into_owned(), all[end..].to_vec())
}

fn get(bench: &Bench, path: &str) -> (String, Vec<u8>) {
    exchange(bench, &format!("GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n"))
}

/// The status and the words of a refusal of `request`.
fn refused(bench: &Bench, request: &str) -> (u16, String) {
    let (head, body) = exchange(bench, request);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    assert!(head.contains("Content-Type: text/plain; charset=utf-8\r\n"), "{head}");
    (status, String::from_utf8(body).expect("UTF-8"))
}

#[test]
fn the_page_and_its_files_come_with_their_types_and_guards() {
    let bench = Bench::new();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/?theme=dark", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8"),
    ] {
        let (head, body) = get(&bench, path);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Type: {kind}\r\n")), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("default-src 'self'; connect-src 'self' ws: wss:"), "{head}");
        assert!(head.contains("X-Content-Type-Options: nosniff\r\n") && head.contains("Cache-Control: no-store\r\n"));
    }
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(r, _)| r.kind == Kind::Response && r.code == 200).count(), 5);
    assert!(records.iter().all(|(r, _)| r.findings.is_empty()));
}

#[test]
fn a_connection_serves_several_requests_pipelined_too() {
    let bench = Bench::new();
    let request = "HEAD /app.js HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: [::1]:80\r\n\r\n\
        GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nDELETE / HTTP/1.1\r\nHost: LOCALHOST:1\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    let mut stream = bench.raw();
    stream.write_all(request.as_bytes()).expect("written");
    let all = String::from_utf8_lossy(&read_to_end(&mut stream)).into_owned();
    let statuses: Vec<_> = all.split("HTTP/1.1 ").skip(1).map(|response| &response[..3]).collect();
    assert_eq!(statuses, ["200", "404", "426", "405", "200"], "{all}");
    assert!(all.contains("/ticker (WebSocket), /echo (WebSocket)"), "{all}");
    assert!(all.contains("Allow: GET, HEAD\r\n") && all.contains("Upgrade: websocket\r\nConnection: Upgrade\r\n"));
    drop(stream);
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(r, _)| matches!(r.kind, Kind::Request | Kind::Response)).count(), 10);
}

#[test]
fn foreign_hosts_and_origins_are_refused_with_the_reason() {
    let bench = Bench::with(|config| config.allow_origins.push("https://friend.example/".to_owned()));
    let (status, words) = refused(&bench, "GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
    assert!(status == 403 && words.contains("rebound.example") && words.contains("DNS rebinding"), "{words}");
    let with_origin = |origin: &str| with_lines(&bench.handshake("/echo"), &format!("Origin: {origin}"));
    let (status, words) = refused(&bench, &with_origin("http://evil.example"));
    assert!(status == 403 && words.contains("--allow-origin http://evil.example"), "{words}");
    assert_eq!(refused(&bench, &with_origin("null")).0, 403);
    for origin in [&format!("http://{}", bench.address()), "https://friend.example"] {
        let mut stream = bench.raw();
        stream.write_all(with_origin(origin).as_bytes()).expect("written");
        assert!(read_head(&mut stream).contains(" 101 "), "{origin}");
    }
    bench.finish();
}

#[test]
fn the_whole_authority_is_parsed() {
    let bench = Bench::new();
    let status = |target: &str, host: &str| {
        refused(&bench, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).0
    };
    for host in [
        "[::1]evil.com",
        "[127.0.0.1].evil.com",
        "[::1",
        "::1",
        "127.0.0.1:evil.com",
        "localhost:99999",
        "localhost:-1",
        "user@localhost",
        "http://localhost",
        "localhost/",
        "local host",
        "",
    ] {
        assert_eq!(status("/", host), 400, "{host}");
    }
    for host in ["localhost.evil.com", "127.0.0.1.nip.io:80", "evil.com"] {
        assert_eq!(status("/", host), 403, "{host}");
    }
    for (target, expected) in [
        ("http://evil.com/", 403),
        ("HTTP://evil.com", 403),
        ("https://evil.com/", 403),
        ("http://localhost.evil.com/", 403),
        ("http://localhost@evil.com/", 400),
        ("http://[::1]evil.com/", 400),
        ("http:///", 400),
        ("http://localhost:1/nowhere", 404),
    ] {
        assert_eq!(status(target, "localhost"), expected, "{target}");
    }
    for target in ["http://127.0.0.1", "HTTP://[::1]:80?theme=dark", "/"] {
        let (head, _) = get(&bench, target);
        assert!(head.starts_with("HTTP/1.1 200 "), "{target}: {head}");
    }
    bench.finish();
}

#[test]
fn a_request_whose_end_is_ambiguous_is_refused_and_the_connection_closed() {
    let bench = Bench::new();
    for lines in [
        "Content-Length : 40",
        "Content-Length: 0\r\n: 40",
        "Content-Length: 0\r\nContent-Length: 40",
        "Content-Length: 0\r\n 40",
        "Content-Length: +0",
        "Content-Length: 0x0",
        "Content-Length:",
        "Content-Length: 0, 0",
        "Transfer-Encoding : chunked",
        "no colon",
        "X: a\x00b",
    ] {
        // Without a refusal that closes, the second request would be answered too.
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        let (head, body) = exchange(&bench, &request);
        assert!(head.starts_with("HTTP/1.1 400 ") && head.contains("\r\nConnection: close\r\n"), "{lines}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains("HTTP/1.1"), "{lines}");
    }
    bench.finish();
}

#[test]
fn broken_handshakes_are_refused_with_every_reason() {
    let bench = Bench::new();
    let good = bench.handshake("/ticker");
    let (status, words) = refused(&bench, &good.replace("Sec-WebSocket-Key: dGhl", "Sec-WebSocket-Key: "));
    assert!(status == 400 && words.contains("16 bytes (RFC 6455 §4.1)"), "{words}");
    let (status, words) = refused(&bench, &good.replace("Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c"));
    assert!(status == 400 && words.lines().count() == 3, "{words}");
    assert_eq!(refused(&bench, &good.replace("Host", "Hose")).0, 400);
    let close = "Connection: close, Upgrade";
    let (head, _) = exchange(&bench, &good.replace("Version: 13", "Version: 8").replace("Connection: Upgrade", close));
    assert!(head.starts_with("HTTP/1.1 426 ") && head.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{head}");
    let (head, _) = exchange(&bench, &good.replace("GET", "POST").replace("Connection: Upgrade", close));
    assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("\r\nAllow: GET\r\n"), "{head}");
    bench.finish();
}

#[test]
fn heads_beyond_the_limits_are_refused() {
    let bench = Bench::new();
    let many = "X: y\r\n".repeat(101);
    assert_eq!(refused(&bench, &format!("GET / HTTP/1.1\r\nHost: {{host}}\r\n{many}\r\n")).0, 431);
    assert_eq!(refused(&bench, &format!("GET /{} HTTP/1.1\r\n", "x".repeat(17_000))).0, 431);
    let fits = format!("GET / HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nX: {}\r\n\r\n", "y".repeat(16_000));
    assert!(exchange(&bench, &fits).0.contains(" 200 "));
    bench.finish();
}

#[test]
fn bytes_that_are_not_http_are_refused_and_recorded() {
    let bench = Bench::new();
    let (_, words) = refused(&bench, "\x16\x03\x01\x02\x00\x01\x00\x01\x7f\x03\x03");
    assert!(words.contains("TLS") && words.contains("ws://"), "{words}");
    assert_eq!(refused(&bench, "garbage\r\n\r\n").0, 400);
    assert_eq!(refused(&bench, "GET /\r\n\r\n").0, 400);
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(r, _)| r.kind == Kind::Junk).count(), 2, "{records:?}");
    for (response, _) in records.iter().filter(|(r, _)| r.kind == Kind::Response) {
        assert_eq!(response.answers, Some(response.no - 1), "the refused bytes are recorded before the refusal");
    }
}

#[test]
fn half_a_handshake_is_closed_in_time() {
    let bench = Bench::with(|config| config.handshake_timeout = Duration::from_millis(150));
    let mut mute = bench.raw();
    let (status, _) = refused(&bench, "GET /echo HTTP/1.1\r\nHost: {host}\r\nUpgr");
    assert_eq!(status, 408);
    assert_eq!(read_to_end(&mut mute), b"", "a silent client gets no answer");
    drop(mute);
    let records = bench.finish();
    assert!(records[0].0.kind == Kind::CutHttp && records[0].1.ends_with(b"Upgr"));
    assert_eq!((records[1].0.code, records[1].0.answers), (408, Some(1)));
    assert!(records.iter().all(|(r, _)| r.connection == 1), "a connection on which nothing was said is no record");
}
