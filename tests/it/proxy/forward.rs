//! The forward proxy: each request goes to the server that it names, and tunnels pass as they are.

use std::net::Shutdown;

use super::*;
use crate::support::{exported, opened};
use framescope::export::Format;
use framescope::net::proxy::forward::{ForwardConfig, ForwardProxy};
use framescope::proto::dissected::Loss;
use framescope::proto::rules::Rule;
use framescope::wire::http::Head;

/// A server on a port of its own.
fn server() -> TcpListener {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    set_socket_timeout(&server, Timeout::Recv, Some(PATIENCE)).expect("a timeout");
    server
}

fn forward() -> Bench {
    Bench::relaying(server(), |recorder| {
        let config = ForwardConfig::new("127.0.0.1:0".parse().expect("an address"));
        ForwardProxy::bind(config).expect("a free port").start(recorder).expect("a thread")
    })
}

impl Bench {
    /// The address of the server.
    fn place(&self) -> String {
        self.server.local_addr().expect("an address").to_string()
    }

    /// Both ends of a tunnel.
    fn tunnel(&self) -> (TcpStream, TcpStream) {
        let mut client = self.client();
        write!(client, "CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", self.place()).expect("written");
        assert_eq!(Head::read(read_head(&mut client).as_bytes()).status(), Some(200));
        (client, self.accept())
    }
}

/// The answer to a request in a connection of its own.
fn answer(bench: &Bench, request: &str) -> String {
    let mut client = bench.client();
    client.write_all(request.as_bytes()).expect("written");
    client.shutdown(Shutdown::Write).expect("ended");
    String::from_utf8(read_to_end(&mut client)).expect("text")
}

#[test]
fn each_request_of_a_connection_goes_to_the_server_that_it_names() {
    let (bench, other) = (forward(), server());
    let mut client = bench.client();
    let places = [bench.place(), other.local_addr().expect("an address").to_string()];
    let mut kept: Option<TcpStream> = None;
    // Two for the first server, one for the other, one for the first again.
    for (i, (at, is_new)) in [(0, true), (0, false), (1, true), (0, true)].into_iter().enumerate() {
        let place = &places[at];
        write!(client, "POST http://{place}/{i}?q HTTP/1.1\r\nHost: {place}\r\nPROXY-Connection: keep-alive\r\n")
            .expect("written");
        client.write_all(b"Proxy-Authorization: Basic c2VjcmV0\r\nContent-Length: 2\r\n\r\nhi").expect("written");
        let expected = format!("POST /{i}?q HTTP/1.1\r\nHost: {place}\r\nContent-Length: 2\r\n\r\nhi");
        if is_new {
            let listener = if at == 0 { &bench.server } else { &other };
            let before = kept.replace(patient(listener.accept().expect("a connection of the proxy").0));
            // The proxy left the server before.
            assert!(before.is_none_or(|mut before| read_to_end(&mut before).is_empty()));
        }
        let server = kept.as_mut().expect("a server");
        assert_eq!(String::from_utf8_lossy(&read(server, expected.len())), expected);
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{i}");
        server.write_all(response.as_bytes()).expect("written");
        assert_eq!(String::from_utf8_lossy(&read(&mut client, response.len())), response);
    }
    drop(client);
    let notes = |capture: &Capture| (1..9).filter_map(|no| capture.note(no)).collect::<Vec<_>>();
    bench.wait("all records with their notes", |capture| notes(capture).len() == 4 && capture.totals().records >= 8);
    let notes = notes(bench.capture());
    assert!(notes.iter().all(|note| note.contains("http://127.0.0.1") && !note.contains("c2VjcmV0")), "{notes:?}");
    assert_eq!(bench.capture().totals().connections, 1);
    let records = bench.finish();
    // The capture has what the client sent.
    assert!(String::from_utf8_lossy(&recorded(&records, UP)).contains(&format!("POST http://{}/2?q ", places[1])));
    assert!(records.iter().all(|(record, _)| record.findings.is_empty()));
}

#[test]
fn a_pipelined_request_for_another_server_waits_for_the_response_before_it() {
    let (bench, other) = (forward(), server());
    let mut client = bench.client();
    let place = other.local_addr().expect("an address");
    let requests = format!("GET http://{}/1 HTTP/1.1\r\n\r\nGET http://{place}/2 HTTP/1.1\r\n\r\n", bench.place());
    client.write_all(requests.as_bytes()).expect("written");
    let mut first = bench.accept();
    read_head(&mut first);
    let begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n";
    first.write_all(begun).expect("written");
    other.set_nonblocking(true).expect("an option");
    assert_eq!(read(&mut client, begun.len()), begun);
    assert!(other.accept().is_err(), "the first response is not complete");
    other.set_nonblocking(false).expect("an option");
    first.write_all(b"0\r\n\r\n").expect("written");
    let mut second = patient(other.accept().expect("a connection of the proxy").0);
    assert_eq!(read_head(&mut second), format!("GET /2 HTTP/1.1\r\nHost: {place}\r\n\r\n"));
    second.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("written");
    drop(second);
    assert_eq!(read_to_end(&mut client), b"0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    drop(client);
    bench.wait("both ends", |capture| capture.totals().open == 0 && capture.totals().records > 4);
    let records = bench.finish();
    let kinds: Vec<_> = records.iter().map(|(record, _)| record.kind).take(4).collect();
    assert_eq!(kinds, [Kind::Request, Kind::Response, Kind::Request, Kind::Response]);
}

#[test]
fn websocket_passes_in_a_tunnel_and_with_the_absolute_form() {
    for in_tunnel in [true, false] {
        let bench = forward();
        let mut client = bench.client();
        let place = bench.place();
        let mut request = bare_request("/chat", &place);
        if in_tunnel {
            write!(client, "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n").expect("written");
            read_head(&mut client);
        } else {
            request = request.replace("GET /", &format!("GET http://{place}/"));
        }
        client.write_all(request.as_bytes()).expect("written");
        let mut server = bench.accept();
        assert_eq!(read_head(&mut server), bare_request("/chat", &place));
        server.write_all(RESPONSE.as_bytes()).expect("written");
        read_head(&mut client);
        client
            .write_all(&frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"GET http://a/ HTTP/1.1\r\n\r\n"))
            .expect("written");
        read(&mut server, 32);
        server.write_all(&frame(true, Opcode::Text, None, b"yes")).expect("written");
        read(&mut client, 5);
        bench.wait("the frames", |capture| capture.totals().records == if in_tunnel { 6 } else { 4 });
        let records = bench.finish();
        assert_eq!(records.iter().filter(|(record, _)| record.kind == Kind::Frame).count(), 2);
        assert!(records.iter().all(|(record, _)| record.findings.is_empty()), "{records:#?}");
    }
}

#[test]
fn tls_in_a_tunnel_passes_unread_and_is_counted() {
    let bench = forward();
    let mut client = bench.client();
    let hello = [b"\x16\x03\x01\x02\x00\x01".as_slice(), &[7; 600]].concat();
    // The client does not wait for the response.
    let connect = format!("CONNECT {} HTTP/1.1\r\n\r\n", bench.place());
    client.write_all(&[connect.as_bytes(), &hello[..9]].concat()).expect("written");
    let mut server = bench.accept();
    read_head(&mut client);
    client.write_all(&hello[9..]).expect("written");
    assert_eq!(read(&mut server, hello.len()), hello);
    let answer: Vec<u8> = (0..100_000).map(|i| (i * 7) as u8).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| server.write_all(&answer).expect("written"));
        assert!(read(&mut client, answer.len()) == answer);
    });
    client.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_to_end(&mut server), b"");
    server.write_all(b"later").expect("written");
    drop(server);
    assert_eq!(read_to_end(&mut client), b"later");
    bench.wait("both ends", |capture| capture.totals().records > 2 && capture.totals().open == 0);
    for format in [Format::Ndjson, Format::Pcapng] {
        let again = opened(&exported(bench.capture(), format));
        let gaps = again.records(1..9).into_iter().filter(|record| record.kind == Kind::Gap);
        assert_eq!(gaps.map(|gap| gap.loss).collect::<Vec<_>>(), [Loss::Unread; 2]);
    }
    let records = bench.finish();
    let missing = |direction| {
        let gaps = records.iter().filter(|(record, _)| record.kind == Kind::Gap && record.direction == direction);
        gaps.map(|(record, _)| record.wire_len).sum::<u64>()
    };
    assert_eq!([missing(UP), missing(DOWN)], [hello.len() as u64, answer.len() as u64 + 5]);
    assert_eq!((ends(&records, UP), ends(&records, DOWN)), (vec![EndReason::Fin], vec![EndReason::Fin]));
    assert!(records.iter().all(|(record, _)| record.findings.is_empty() && record.kind != Kind::Junk), "{records:#?}");
}

#[test]
fn a_server_may_speak_first_in_a_tunnel_and_a_reset_passes() {
    let bench = forward();
    let (mut client, mut server) = bench.tunnel();
    server.write_all(b"220 ready\r\n").expect("written");
    assert_eq!(read(&mut client, 11), b"220 ready\r\n");
    client.write_all(b"EHLO me\r\n").expect("written");
    assert_eq!(read(&mut server, 9), b"EHLO me\r\n");
    ends::reset(client);
    assert!(server.read(&mut [0; 8]).is_err());
    bench.wait("both ends", |capture| capture.totals().open == 0);
    let records = bench.finish();
    assert!(recorded(&records, UP).ends_with(b"EHLO me\r\n") && recorded(&records, DOWN).ends_with(b"220 ready\r\n"));
    assert_eq!(ends(&records, UP), [EndReason::Rst]);
}

#[test]
fn what_cannot_be_done_is_answered_with_the_reason() {
    let bench = forward();
    let own = bench.address();
    let cases = [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400, "http_proxy"),
        ("connect localhost:1 HTTP/1.1\r\n\r\n".to_owned(), 400, "target"),
        ("GET https://localhost/ HTTP/1.1\r\n\r\n".to_owned(), 400, "CONNECT localhost:443 "),
        ("CONNECT localhost HTTP/1.1\r\n\r\n".to_owned(), 400, "port"),
        ("CONNECT a\u{1b}b:1 HTTP/1.1\r\n\r\n".to_owned(), 400, "xn--"),
        (format!("CONNECT {UNREACHABLE} HTTP/1.1\r\n\r\n"), 502, "error=connection_refused"),
        (format!("GET http://{UNREACHABLE}/ HTTP/1.1\r\n\r\n"), 502, "error=connection_refused"),
        ("CONNECT no.invalid:443 HTTP/1.1\r\n\r\n".to_owned(), 502, "error=dns_error"),
        (format!("CONNECT {own} HTTP/1.1\r\n\r\n"), 508, "error=proxy_loop_detected"),
        (format!("GET http://localhost:{}/ HTTP/1.1\r\n\r\n", own.port()), 508, "error=proxy_loop_detected"),
    ];
    for (request, status, words) in &cases {
        let answer = answer(&bench, request);
        assert_eq!(Head::read(answer.as_bytes()).status(), Some(*status), "{request} {answer}");
        assert!(
            answer.contains(words) && answer.contains("\r\nProxy-Status: framescope; error="),
            "{request} {answer}"
        );
        assert!(!answer.contains('\u{1b}'));
    }
    let mut client = bench.client();
    client.write_all(format!("GET http://a/ HTTP/1.1\r\nA: {}", "x".repeat(256 << 10)).as_bytes()).expect("written");
    assert!(read_head(&mut client).starts_with("HTTP/1.1 431 "));
    drop(client);
    // No HTTP.
    let mut client = bench.client();
    client.write_all(b"\x16\x03\x01").expect("written");
    assert!(client.read(&mut [0; 8]).is_err());
    bench.wait("their ends", |capture| {
        capture.totals().connections == cases.len() as u64 + 2 && capture.totals().open == 0
    });
    // The head that is too long.
    assert_eq!(bench.capture().totals().findings, [0, 1, 0]);
    let records = bench.finish();
    let answered = records.iter().filter(|(record, _)| record.kind == Kind::Response).count();
    assert_eq!(answered, cases.len() + 1);
}

#[test]
fn a_server_that_cannot_be_reached_later_is_answered_in_the_same_connection() {
    let bench = forward();
    let mut client = bench.client();
    write!(client, "GET http://{}/ HTTP/1.1\r\n\r\n", bench.place()).expect("written");
    let mut server = bench.accept();
    read_head(&mut server);
    server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("written");
    read_head(&mut client);
    write!(client, "GET http://{UNREACHABLE}/ HTTP/1.1\r\n\r\n").expect("written");
    assert!(read_head(&mut client).starts_with("HTTP/1.1 502 "));
    // Idle and mute clients end with the proxy.
    let _silent = bench.client();
    let _tunnel = bench.tunnel();
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(record, _)| record.kind == Kind::Response).count(), 3);
}

#[test]
fn wrong_flags_are_one_line() {
    for arguments in [
        &["proxy"][..],
        &["proxy", "--forward", "ws://localhost:9"],
        &["proxy", "--forward", "--rewrite-origin"],
        &["proxy", "ws://localhost:9", "--intercept", "localhost"],
        &["proxy", "--intercept", "localhost"],
        &["proxy", "--forward", "--intercept", "https://localhost"],
        &["proxy", "--forward", "--intercept", "*"],
    ] {
        let (status, _, error) = crate::support::program::run(arguments);
        assert_eq!((status, error.lines().count()), (Some(2), 1), "{arguments:?}: {error}");
    }
}

#[test]
fn a_request_for_another_server_is_not_sent_when_the_client_cannot_get_its_response() {
    let other = server();
    let place = other.local_addr().expect("an address");
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1";
    let last = response.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    // The server ends the connection, announces that, or answers twice.
    for (response, after) in
        [(response, ""), (&last, ""), (response, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")]
    {
        let bench = forward();
        let mut client = bench.client();
        write!(client, "GET http://{}/ HTTP/1.1\r\n\r\n", bench.place()).expect("written");
        let mut first = bench.accept();
        read_head(&mut first);
        first.write_all([response, after].concat().as_bytes()).expect("written");
        assert_eq!(read(&mut client, response.len() + after.len()), [response, after].concat().as_bytes());
        if after.is_empty() && response != last {
            first.shutdown(Shutdown::Write).expect("ended");
            assert_eq!(read_to_end(&mut client), b"");
        }
        write!(client, "POST http://{place}/ HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi").expect("written");
        let recorded = |capture: &Capture| capture.records(1..20).iter().filter(|r| r.kind == Kind::Request).count();
        bench.wait("both requests", |capture| recorded(capture) == 2 && capture.totals().open == 0);
        other.set_nonblocking(true).expect("an option");
        assert!(other.accept().is_err(), "it was sent");
        let records = bench.finish();
        let (request, _) = records.iter().rfind(|(record, _)| record.kind == Kind::Request).expect("a request");
        assert!(!records.iter().any(|(record, _)| record.kind == Kind::End(EndReason::Rst)), "{records:#?}");
        assert_eq!(request.wire_len, place.to_string().len() as u64 + 47);
    }
}

#[test]
fn after_a_malformed_chunk_everything_goes_to_the_same_server() {
    let (bench, other) = (forward(), server());
    let mut client = bench.client();
    let place = other.local_addr().expect("an address");
    let head = |server: &str, path: &str| {
        format!("POST {server}{path} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", bench.place())
    };
    let rest = format!("zz\r\nGET http://{place}/ HTTP/1.1\r\nHost: {place}\r\n\r\n");
    write!(client, "{}1\r\na\r\n{rest}", head(&format!("http://{}", bench.place()), "/x")).expect("written");
    let mut first = bench.accept();
    let expected = format!("{}1\r\na\r\n{rest}", head("", "/x"));
    assert_eq!(String::from_utf8_lossy(&read(&mut first, expected.len())), expected);
    let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    first.write_all(refusal).expect("written");
    assert_eq!(read(&mut client, refusal.len()), refusal);
    // What comes later is for the same server, too.
    client.write_all(rest.as_bytes()).expect("written");
    assert_eq!(String::from_utf8_lossy(&read(&mut first, rest.len())), rest);
    client.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_to_end(&mut first), b"");
    drop(first);
    assert_eq!(read_to_end(&mut client), b"");
    bench.wait("both ends", |capture| capture.totals().open == 0 && capture.totals().records > 4);
    other.set_nonblocking(true).expect("an option");
    assert!(other.accept().is_err(), "the other server was dialed");
    let sent = rest.repeat(2);
    let records = bench.finish();
    let kinds = records.iter().map(|(record, _)| (record.kind, record.wire_len)).take(3);
    let [request, response, junk] = kinds.collect::<Vec<_>>()[..] else { panic!("{records:#?}") };
    assert_eq!((request.0, response.0, junk), (Kind::Request, Kind::Response, (Kind::Junk, sent.len() as u64)));
    let [.., (record, bytes), _, _] = &records[..] else { panic!("{records:#?}") };
    assert_eq!(bytes, sent.as_bytes());
    assert_eq!(record.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::BodyEndUnknown]);
}

#[test]
fn bytes_that_are_no_request_go_to_no_server_after_a_refused_handshake() {
    let (bench, other) = (forward(), server());
    let mut client = bench.client();
    let early = frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"early");
    let request = bare_request("/chat", &bench.place()).replace("GET /", &format!("GET http://{}/", bench.place()));
    client.write_all(&[request.as_bytes(), &early].concat()).expect("written");
    let mut first = bench.accept();
    read_head(&mut first);
    // The client sent it for this server.
    assert_eq!(read(&mut first, early.len()), early);
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    first.write_all(refusal.as_bytes()).expect("written");
    assert_eq!(read(&mut client, refusal.len()), refusal.as_bytes());
    let place = other.local_addr().expect("an address");
    let late = [&early[..], format!("GET http://{place}/ HTTP/1.1\r\nCookie: a\r\n\r\n").as_bytes()].concat();
    client.write_all(&late).expect("written");
    assert_eq!(read_to_end(&mut first), b"");
    assert!(read_head(&mut client).starts_with("HTTP/1.1 400 "));
    client.shutdown(Shutdown::Write).expect("ended");
    read_to_end(&mut client);
    bench.wait("the end", |capture| capture.totals().open == 0 && capture.totals().records > 5);
    other.set_nonblocking(true).expect("an option");
    assert!(other.accept().is_err(), "the other server was dialed");
    let notes: Vec<_> = (1..9).filter(|no| bench.capture().note(*no).is_some()).collect();
    let records = bench.finish();
    let sent: Vec<u8> = [request.as_bytes(), &early, &late].concat();
    assert_eq!(recorded(&records, UP), sent);
    // The rewritten request, the bytes that were not sent, and the answer to them have notes.
    let noted: Vec<_> = records.iter().filter(|(record, _)| notes.contains(&record.no)).collect();
    let kinds: Vec<_> = noted.iter().map(|(record, _)| record.kind).collect();
    assert_eq!(kinds, [Kind::Request, Kind::Junk, Kind::Response], "{records:#?}");
    assert!(noted[1].1.ends_with(&late));
}

#[test]
fn a_server_that_does_not_answer_learns_that_the_client_has_ended() {
    let (bench, other) = (forward(), server());
    let mut client = bench.client();
    let place = other.local_addr().expect("an address");
    let requests = format!("GET http://{}/1 HTTP/1.1\r\n\r\nGET http://{place}/2 HTTP/1.1\r\n\r\n", bench.place());
    client.write_all(requests.as_bytes()).expect("written");
    client.shutdown(Shutdown::Write).expect("ended");
    let mut first = bench.accept();
    read_head(&mut first);
    assert_eq!(read_to_end(&mut first), b"");
    first.write_all(b"ICY 200 OK\r\n\r\nuntil the end").expect("written");
    drop(first);
    assert_eq!(read_to_end(&mut client), b"ICY 200 OK\r\n\r\nuntil the end");
    bench.wait("the end", |capture| capture.totals().records > 3 && capture.totals().open == 0);
    bench.finish();
}

#[test]
fn messages_in_a_tunnel_are_held_too() {
    use framescope::capture::query::filter::Filter;
    use framescope::net::proxy::hold::{Hold, HoldLimits};
    let rule = Filter::parse("op == text").expect("a filter");
    let hold = std::sync::Arc::new(Hold::new(vec![rule], HoldLimits::default()));
    let bench = Bench::relaying(server(), |recorder| {
        let mut config = ForwardConfig::new("127.0.0.1:0".parse().expect("an address"));
        config.hold = std::sync::Arc::clone(&hold);
        ForwardProxy::bind(config).expect("a free port").start(recorder).expect("a thread")
    });
    let (mut client, mut server) = bench.tunnel();
    client.write_all(bare_request("/", &bench.place()).as_bytes()).expect("written");
    read_head(&mut server);
    server.write_all(RESPONSE.as_bytes()).expect("written");
    read_head(&mut client);
    let text = frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"held");
    client.write_all(&text).expect("written");
    let deadline = Instant::now() + PATIENCE;
    while hold.held_count() == 0 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(2));
    }
    hold.send_all();
    assert_eq!(read(&mut server, text.len()), text);
    drop((client, server));
    bench.finish();
}
