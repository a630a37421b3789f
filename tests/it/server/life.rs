//! The ticker, the demo client, and the server's own beginning and end.

use std::io::Read as _;

use framescope::net::BindError;
use framescope::net::demo::{self, Behaviour};
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use super::*;

fn ticking(millis: u64) -> Bench {
    Bench::with(|config| config.interval = Duration::from_millis(millis))
}

#[test]
fn the_ticker_speaks_and_what_comes_back_is_captured() {
    let bench = ticking(20);
    let mut client = bench.client("/ticker");
    for i in 0..5 {
        assert_eq!(client.read().expect("a tick"), Message::text(format!("echo {i}")));
        client.send(Message::text(format!("client: echo {i}"))).expect("sent");
    }
    bench.wait("the answers", |capture| payloads(capture, UP, Opcode::Text).len() == 5);
    let answers = payloads(bench.capture(), UP, Opcode::Text);
    assert_eq!(answers.last().map(Vec::as_slice), Some(&b"client: echo 4"[..]));
    client.close(None).expect("closed");
    while client.read().is_ok() {}
    drop(client);
    let records = bench.finish();
    assert!(records.iter().all(|(r, _)| r.findings.is_empty()));
}

#[test]
fn the_ticker_keeps_pace_without_answers() {
    let bench = ticking(30);
    let mut stream = bench.upgraded("/ticker");
    let begun = Instant::now();
    let mut ticks = [0; 10 * 8];
    stream.read_exact(&mut ticks).expect("ten ticks");
    let took = begun.elapsed();
    assert!(ticks.ends_with(b"\x81\x06echo 9"));
    // No upper bound: the machine may be slow. Ten cannot come before nine intervals are over.
    assert!(took >= Duration::from_millis(9 * 30), "{took:?}");
    bench.finish();
}

#[test]
fn the_demo_client_talks_like_the_page_and_stops_in_order() {
    let bench = ticking(5);
    let demo = demo::start(bench.address(), Behaviour::Page).expect("a thread");
    bench.wait("a pong", |capture| !payloads(capture, DOWN, Opcode::Pong).is_empty());
    assert!(demo.is_running());
    demo.stop().expect("an orderly end");
    bench.wait("the end", |capture| capture.totals().open == 0);
    assert!(payloads(bench.capture(), UP, Opcode::Text).starts_with(&[b"client: echo 0".to_vec()]));
    assert_eq!(payloads(bench.capture(), UP, Opcode::Ping)[0], b"ping 1");
    let records = bench.finish();
    assert!(records.iter().all(|(r, _)| r.findings.is_empty()), "{records:?}");
    let keys: Vec<_> = records.iter().filter(|(r, _)| r.masked()).map(|(_, wire)| wire[2..6].to_vec()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_lesson_has_a_frame_of_each_kind_and_no_finding() {
    let bench = Bench::new();
    let demo = demo::start(bench.address(), Behaviour::Lesson).expect("a thread");
    bench.wait("the end", |capture| !capture.is_empty() && capture.totals().open == 0);
    demo.stop().expect("an orderly end");
    let records = bench.finish();
    let ops: Vec<Opcode> = records.iter().filter_map(|(record, _)| record.opcode()).collect();
    use Opcode::{Close, Continuation, Ping, Pong, Text};
    let echoed = [Text; 6];
    let rest = [Ping, Pong, Text, Continuation, Continuation, Text, Close, Close];
    assert_eq!(ops, [&echoed[..], &rest[..]].concat());
    let lens: Vec<u64> = records.iter().filter_map(|(record, _)| record.payload_len()).take(6).collect();
    assert_eq!(lens, [17, 17, 200, 200, 70_000, 70_000]);
    assert!(records.iter().all(|(record, _)| record.findings.is_empty()), "{records:?}");
}

#[test]
fn the_demo_client_says_why_it_is_not_let_in() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let demo = demo::start(address, Behaviour::Page).expect("a thread");
    drop(taken.accept().expect("the demo client"));
    let deadline = Instant::now() + PATIENCE;
    while demo.is_running() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let error = demo.stop().expect_err("nobody let it in");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_shutdown_says_1001_and_waits_for_no_mute_peer() {
    let bench = ticking(1000);
    let mut polite = bench.client("/echo");
    let mute = bench.upgraded("/ticker");
    let undecided = bench.raw();
    let half = bench.raw();
    (&half).write_all(b"GET / HT").expect("written");
    bench.wait("both handshakes", |capture| capture.len() == 4);
    let answering = std::thread::spawn(move || {
        let Ok(Message::Close(Some(close))) = polite.read() else { panic!("no Close") };
        assert_eq!(close.code, CloseCode::Away);
        while polite.read().is_ok() {}
    });
    let records = bench.finish();
    answering.join().expect("a polite peer");
    let closes = |direction| {
        let is_close = |r: &&Record| r.direction == direction && r.opcode() == Some(Opcode::Close) && r.code == 1001;
        records.iter().map(|(r, _)| r).filter(is_close).count()
    };
    assert_eq!((closes(DOWN), closes(UP)), (2, 1));
    drop((mute, undecided, half));
}

#[test]
fn a_shutdown_cuts_a_peer_that_takes_nothing() {
    let bench = Bench::new();
    let stream = bench.upgraded("/echo");
    stream.set_write_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    let message = frame(true, Opcode::Binary, &vec![7; 1 << 20]);
    let stuck = (0..200).any(|_| (&stream).write_all(&message).is_err());
    assert!(stuck, "the server is writing to a peer that does not read");
    bench.finish();
    drop(stream);
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let bench = Bench::new();
    let config = ServerConfig { listen: bench.address(), ..ServerConfig::default() };
    let Err(error) = Server::bind(config) else { panic!("two on one port") };
    assert!(matches!(error, BindError::InUse(_)));
    let words = error.to_string();
    assert!(words.contains(&bench.address().to_string()) && words.contains("--listen 127.0.0.1:0"), "{words}");
    assert!(!words.contains('\n'));
}

#[test]
fn listening_to_the_world_warns() {
    let bind = |listen: &str| {
        let config = ServerConfig { listen: listen.parse().expect("an address"), ..ServerConfig::default() };
        Server::bind(config).expect("a free port").warning()
    };
    assert_eq!(bind("127.0.0.1:0"), None);
    assert!(bind("0.0.0.0:0").expect("a warning").contains("other machines can connect"));
}

#[test]
fn a_thousand_connections_are_open_at_once() {
    let bench = ticking(60_000);
    let request = bench.handshake("/ticker");
    let streams: Vec<_> = (0..1000)
        .map(|_| {
            let stream = bench.raw();
            (&stream).write_all(request.as_bytes()).expect("written");
            stream
        })
        .collect();
    bench.wait("all handshakes", |capture| capture.len() == 2000);
    assert_eq!(bench.capture().totals().open, 1000);
    let records = bench.finish();
    assert_eq!(records.iter().filter(|(r, _)| r.opcode() == Some(Opcode::Close)).count(), 1000);
    drop(streams);
}

#[test]
fn a_ping_after_the_close_is_answered() {
    // RFC 6455 §5.5.2: until the client's Close has come.
    let bench = Bench::new();
    let mut stream = bench.upgraded("/echo");
    bench.wait("the handshake", |capture| capture.len() == 2);
    let client = std::thread::spawn(move || {
        let mut head = [0; 2];
        stream.read_exact(&mut head).expect("a Close");
        assert_eq!(head[0], 0x88);
        let mut payload = vec![0; usize::from(head[1])];
        stream.read_exact(&mut payload).expect("its payload");
        stream.write_all(&frame(true, Opcode::Ping, b"p")).expect("written");
        let mut pong = [0; 3];
        stream.read_exact(&mut pong).expect("a Pong");
        assert_eq!(&pong, b"\x8a\x01p");
        stream.write_all(&frame(true, Opcode::Close, b"\x03\xe9")).expect("written");
    });
    let records = bench.finish();
    client.join().expect("an answered client");
    assert!(without_errors(&records));
}
