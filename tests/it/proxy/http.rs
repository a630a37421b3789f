//! Requests and responses pass: only what must name the server changes. What cannot be reached is answered.

use std::net::Shutdown;

use framescope::net::{Server, ServerConfig};

use super::*;

#[test]
fn every_request_of_a_connection_names_the_server_and_the_note_has_both_forms() {
    let bench = Bench::to("/base");
    let host = bench.server.local_addr().expect("an address").to_string();
    let (mut client, mut server) = (bench.client(), None::<TcpStream>);
    let exchanges = [
        ("GET /a HTTP/1.1\r\nX:  y \r\nhOsT:{p}\r\nx: z\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("HEAD /b HTTP/1.1\r\nHost: {p}\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
        (
            "POST /c HTTP/1.1\r\nHost: {p}\r\nContent-Length: 24\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ),
        (
            "POST /d HTTP/1.1\r\nHost: {p}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHTTP/\r\n0\r\nA: 1\r\n\r\n",
        ),
        (
            "GET /e HTTP/1.1\r\nIf-None-Match: x\r\nHost: {p}\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        ),
        (
            "GET /f HTTP/1.1\r\nHost: {p}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx",
        ),
        ("GET /g HTTP/1.1\r\nHost: {p}\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nall until the end"),
    ];
    for (request, response) in exchanges {
        let request = request.replace("{p}", &bench.address().to_string());
        client.write_all(&request.as_bytes()[..1]).expect("written");
        client.write_all(&request.as_bytes()[1..request.len() - 1]).expect("written");
        let last = &request[request.len() - 1..];
        client.write_all(last.as_bytes()).expect("written");
        let server = server.get_or_insert_with(|| bench.accept());
        let expected = request.replace(&bench.address().to_string(), &host).replacen(" /", " /base/", 1);
        let got = read(server, expected.len());
        assert_eq!(String::from_utf8_lossy(&got), expected);
        server.write_all(response.as_bytes()).expect("written");
        assert_eq!(read(&mut client, response.len()), response.as_bytes());
    }
    drop(server);
    assert_eq!(read_to_end(&mut client), b"");
    drop(client);
    bench.wait("both ends", |capture| capture.totals().open == 0);
    let requests = bench.capture().records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Request);
    let notes: Vec<String> = requests.map(|record| bench.capture().note(record.no).expect("a note")).collect();
    assert_eq!(notes.len(), exchanges.len());
    for note in notes {
        let proxy = bench.address().to_string();
        assert!([&*host, &*proxy, "/base in front of the path"].iter().all(|form| note.contains(form)), "{note}");
    }
    // The capture has what the client sent.
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(record, _)| record.kind == Kind::Response).count(), exchanges.len() + 1);
    assert!(!String::from_utf8_lossy(&recorded(&records, UP)).contains(&host));
}

#[test]
fn pipelined_requests_and_frames_before_the_response_pass() {
    let bench = Bench::new();
    let mut client = bench.client();
    let [proxy, host] = [bench.address(), bench.server.local_addr().expect("an address")].map(|a| a.to_string());
    let requests = format!("GET /1 HTTP/1.1\r\nHost: {proxy}\r\n\r\nGET /2 HTTP/1.1\r\nHost: {proxy}\r\n\r\n");
    let upgrade = bare_request("/3", &proxy);
    client.write_all(format!("{requests}{upgrade}").as_bytes()).expect("written");
    client.write_all(b"\x81\x80....").expect("written");
    let mut server = bench.accept();
    let expected = format!("{requests}{upgrade}").replace(&proxy, &host);
    assert_eq!(String::from_utf8_lossy(&read(&mut server, expected.len())), expected);
    assert_eq!(read(&mut server, 6), b"\x81\x80....");
    let responses = format!("HTTP/1.1 204 A\r\n\r\nHTTP/1.1 204 B\r\n\r\n{RESPONSE}");
    server.write_all(responses.as_bytes()).expect("written");
    assert_eq!(read(&mut client, responses.len()), responses.as_bytes());
    // These bytes read like a request, but the protocol is another one now.
    let like = format!("GET /4 HTTP/1.1\r\nHost: {proxy}\r\n\r\n");
    client.write_all(like.as_bytes()).expect("written");
    assert_eq!(read(&mut server, like.len()), like.as_bytes());
    bench.finish();
}

#[test]
fn events_of_a_stream_arrive_one_by_one() {
    let bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n").expect("written");
    let mut server = bench.accept();
    read_head(&mut server);
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").expect("written");
    read_head(&mut client);
    for i in 0..5 {
        let event = format!("data: {i}\n\n");
        server.write_all(event.as_bytes()).expect("written");
        assert_eq!(read(&mut client, event.len()), event.as_bytes());
    }
    bench.finish();
}

#[test]
fn a_server_that_cannot_be_reached_is_answered_with_the_reason() {
    let (bench, target) = (Bench::unreachable(), UNREACHABLE);
    for method in ["GET", "HEAD"] {
        let mut client = bench.client();
        client.write_all(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).expect("written");
        client.shutdown(Shutdown::Write).expect("ended");
        let response = String::from_utf8(read_to_end(&mut client)).expect("text");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n") && head.contains("Connection: close"), "{head}");
        assert_eq!(body.contains(target), method == "GET", "{body}");
    }
    // What the client sent is recorded before the response, the body too.
    let mut client = bench.client();
    let request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123456789";
    client.write_all(request.as_bytes()).expect("written");
    assert!(read_head(&mut client).starts_with("HTTP/1.1 502 "));
    drop(client);
    // No HTTP: no response would be understood.
    let mut client = bench.client();
    client.write_all(b"\x16\x03\x01").expect("written");
    assert!(client.read(&mut [0; 8]).is_err());
    bench.wait("their ends", |capture| capture.totals().connections == 4 && capture.totals().open == 0);
    let responses = bench.capture().records(1..u64::MAX).into_iter().filter(|r| r.kind == Kind::Response);
    let notes: Vec<_> = responses.map(|record| (record.code, bench.capture().note(record.no))).collect();
    assert!(notes.len() == 3 && notes.iter().all(|(code, note)| *code == 502 && note.is_some()), "{notes:?}");
    let records = bench.finish();
    let down = ends(&records, DOWN);
    assert_eq!((down.len(), down.iter().filter(|how| **how == EndReason::Rst).count()), (4, 1), "{down:?}");
    assert!(records.iter().any(|(record, wire)| record.kind == Kind::Request && wire.ends_with(b"0123456789")));
    assert!(!records.iter().any(|(record, _)| record.kind == Kind::CutHttp));
}

#[test]
fn a_slow_server_is_504_and_an_unknown_one_502() {
    let (full, address, _queued) = full();
    for (target, status) in [(format!("ws://{address}"), "504"), ("ws://no.invalid:9".to_owned(), "502")] {
        let server = full.try_clone().expect("a handle");
        let bench = Bench::with(server, &target, |config| config.connect_timeout = Duration::from_millis(50));
        let mut client = bench.client();
        client.write_all(bare_request("/", "a:1").as_bytes()).expect("written");
        let head = read_head(&mut client);
        assert_eq!(head.split(' ').nth(1), Some(status), "{head}");
        drop(client);
        bench.finish();
    }
}

#[test]
fn tungstenite_talks_to_our_server_through_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
    let config = ServerConfig { listen: "127.0.0.1:0".parse().expect("an address"), ..ServerConfig::default() };
    let server = Server::bind(config).expect("a port").start(recorder.clone()).expect("a thread");
    let target = format!("ws://{}", server.address());
    let mut program = Program::run(&["proxy", &target, "--listen", "127.0.0.1:0", "--rewrite-origin"]);
    let address = program.url.strip_prefix("http://").expect("a URL").trim_end_matches('/').to_owned();
    let stream = patient(TcpStream::connect(&address).expect("a connection"));
    let (mut socket, _) = tungstenite::client(format!("ws://{address}/echo"), stream).expect("a handshake");
    for text in ["one", "two"] {
        socket.send(tungstenite::Message::text(text)).expect("sent");
        assert_eq!(socket.read().expect("the echo"), tungstenite::Message::text(text));
    }
    socket.close(None).expect("closed");
    while socket.read().is_ok() {}
    drop(socket);
    program.wait_for("the end of the server's direction", 0, |r| r["type"] == "end" && r["dir"] == "s2c");
    let records = program.stop();
    let note = records[0]["note"].as_str().expect("a note with both forms");
    assert!(note.contains(&address) && note.contains(&server.address().to_string()), "{note}");
    let texts: Vec<_> = records.iter().filter_map(|record| record["text"].as_str()).collect();
    assert_eq!(texts, ["one", "one", "two", "two"]);
    assert!(records.iter().all(|record| record["findings"].as_array().is_none_or(Vec::is_empty)), "{records:#?}");
    server.shutdown();
}

#[test]
fn bytes_after_an_upgrade_that_begin_like_a_request_go_on_with_the_switch() {
    let bench = Bench::new();
    let mut client = bench.client();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nPING 1\r\n")
        .expect("written");
    let mut server = bench.accept();
    read_head(&mut server);
    server.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").expect("written");
    assert_eq!(read(&mut server, 8), b"PING 1\r\n");
    bench.finish();
}

#[test]
fn a_proxy_to_itself_does_not_start() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    for (listen, host) in [("127.0.0.1", "localhost"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")] {
        let listen = format!("{listen}:{}", address.port()).parse().expect("an address");
        let target = format!("ws://{host}:{}", address.port()).parse().expect("a URL");
        assert!(matches!(Proxy::bind(ProxyConfig::new(listen, target)), Err(StartError::Itself(_))), "{host}");
    }
}

#[test]
fn a_server_that_speaks_or_ends_first_is_relayed_before_the_client_sends() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut server = bench.accept();
    server.write_all(b"220 ready\r\n").expect("written");
    assert_eq!(read(&mut client, 11), b"220 ready\r\n");
    // No version of HTTP: the line does not wait for the end of a head.
    client.write_all(b"EHLO me\r\n").expect("written");
    assert_eq!(read(&mut server, 9), b"EHLO me\r\n");
    drop((client, server));
    let mut client = bench.client();
    drop(bench.accept());
    assert_eq!(read_to_end(&mut client), b"");
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("written");
    bench.wait("all ends", |capture| capture.totals().connections == 2 && capture.totals().open == 0);
    let records = bench.finish();
    assert!(!ends(&records, DOWN).contains(&EndReason::Capture), "{records:?}");
}

#[test]
fn a_declined_request_is_recorded_whole_before_its_response() {
    let bench = Bench::unreachable();
    let mut client = bench.client();
    let head = "POST /?token=s3cret HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    client.write_all(head.as_bytes()).expect("written");
    client.write_all(&[b'x'; 100_000]).expect("written");
    let head = read_head(&mut client);
    assert!(head.contains("\r\nProxy-Status: framescope; error=connection_refused\r\n"), "{head}");
    drop(client);
    // A client that is gone gets no response, and none is recorded.
    let gone = bench.client();
    { &gone }.write_all(b"GET / HTTP").expect("written");
    ends::reset(gone);
    // The response to a handshake is not the server's.
    let mut client = bench.client();
    client.write_all(bare_request("/", &bench.address().to_string()).as_bytes()).expect("written");
    read_head(&mut client);
    drop(client);
    bench.wait("their ends", |capture| capture.totals().connections == 3 && capture.totals().open == 0);
    assert_eq!(bench.capture().totals().findings, [0; 3]);
    let records = bench.finish();
    let kinds: Vec<_> = records.iter().map(|(record, wire)| (record.connection, record.kind, wire.len())).collect();
    let of =
        |connection| kinds.iter().filter(|(of, ..)| *of == connection).map(|(_, kind, _)| *kind).collect::<Vec<_>>();
    let posted = records.iter().find(|(_, wire)| wire.starts_with(b"POST")).expect("the request").0.connection;
    assert_eq!(of(posted)[..2], [Kind::Request, Kind::Response], "{kinds:?}");
    assert_eq!(kinds.iter().filter(|(_, kind, _)| *kind == Kind::Response).count(), 2, "{kinds:?}");
    assert_eq!(recorded(&records, UP).iter().filter(|byte| **byte == b'x').count(), 100_000);
}
