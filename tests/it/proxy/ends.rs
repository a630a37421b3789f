//! A half-closed connection and a reset pass as such; a shutdown cuts what is open.

use std::io::ErrorKind;
use std::net::Shutdown;

use super::*;
use framescope::net::tls::client::{self, Trust};

/// Closes a stream with RST.
pub fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option");
    drop(stream);
}

fn is_reset(stream: &mut TcpStream) -> bool {
    let read = stream.read(&mut [0; 8]);
    assert!(matches!(&read, Ok(0)) || read.is_err(), "{read:?}");
    read.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn a_half_closed_connection_goes_on_in_the_other_direction() {
    for client_first in [true, false] {
        let bench = Bench::new();
        let (client, server) = bench.open();
        let (mut first, mut second) = if client_first { (client, server) } else { (server, client) };
        first.write_all(b"\x88\x00").expect("written");
        first.shutdown(Shutdown::Write).expect("ended");
        assert_eq!(read_to_end(&mut second), b"\x88\x00");
        for _ in 0..3 {
            second.write_all(b"later").expect("written");
            assert_eq!(read(&mut first, 5), b"later");
        }
        second.shutdown(Shutdown::Write).expect("ended");
        assert_eq!(read_to_end(&mut first), b"");
        bench.wait("both ends", |capture| capture.totals().open == 0);
        let records = bench.finish();
        assert_eq!((ends(&records, UP), ends(&records, DOWN)), (vec![EndReason::Fin], vec![EndReason::Fin]));
    }
}

#[test]
fn a_reset_arrives_as_a_reset_after_the_bytes_before_it() {
    for by in [UP, DOWN] {
        let bench = Bench::new();
        let (client, server) = bench.open();
        let (mut sender, mut other) = if by == UP { (client, server) } else { (server, client) };
        sender.write_all(b"last words").expect("written");
        assert_eq!(read(&mut other, 10), b"last words");
        reset(sender);
        assert!(is_reset(&mut other), "{by:?}");
        bench.wait("both ends", |capture| capture.totals().open == 0);
        let records = bench.finish();
        assert_eq!((ends(&records, UP), ends(&records, DOWN)), (vec![EndReason::Rst], vec![EndReason::Rst]));
        let first = records.iter().find(|(record, _)| matches!(record.kind, Kind::End(_))).expect("an end");
        assert_eq!(first.0.direction, by);
    }
}

#[test]
fn a_peer_that_closes_and_is_written_to_resets() {
    // The client ends the connection and its program is gone: bytes of the server are answered with RST.
    let bench = Bench::new();
    let (client, mut server) = bench.open();
    drop(client);
    assert_eq!(read_to_end(&mut server), b"");
    let deadline = Instant::now() + PATIENCE;
    let failed = loop {
        match server.write_all(b"is anybody there?") {
            Err(e) => break e.kind(),
            Ok(()) => assert!(Instant::now() < deadline, "the reset does not arrive"),
        }
    };
    assert!(matches!(failed, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{failed:?}");
    bench.wait("both ends", |capture| capture.totals().open == 0);
    let records = bench.finish();
    assert_eq!((ends(&records, UP), ends(&records, DOWN)), (vec![EndReason::Fin], vec![EndReason::Rst]));
}

#[test]
fn a_server_that_dies_inside_a_frame_leaves_a_truncated_frame() {
    let bench = Bench::new();
    let (mut client, mut server) = bench.open();
    server.write_all(b"\x82\x7e\xff\xff1234").expect("written");
    drop(server);
    assert_eq!(read_to_end(&mut client), b"\x82\x7e\xff\xff1234");
    drop(client);
    bench.wait("both ends", |capture| capture.totals().open == 0);
    let records = bench.finish();
    assert!(records.iter().any(|(record, _)| record.kind == Kind::CutFrame && record.wire_len == 8), "{records:?}");
}

#[test]
fn a_shutdown_cuts_mute_stuck_and_undecided_peers() {
    let bench = Bench::new();
    let (_mute_client, mut mute_server) = bench.open();
    let (stuck, _stuck_server) = bench.open();
    stuck.set_write_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    while { &stuck }.write(&[7; 1 << 20]).is_ok() {}
    let mut undecided = bench.client();
    undecided.write_all(b"GET / HT").expect("written");
    let _silent = bench.client();
    let records = bench.finish();
    assert_eq!(ends(&records, UP)[..2], [EndReason::Capture; 2]);
    // However the sockets end, they do.
    assert!(!matches!(mute_server.read(&mut [0; 8]), Ok(1..)));
}

#[test]
fn a_reset_arrives_although_nobody_reads_or_the_direction_has_ended() {
    // The server reads nothing, the client fills the pipe and resets.
    let bench = Bench::new();
    let (stuck, mut server) = bench.open();
    stuck.set_write_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    while { &stuck }.write(&[7; 1 << 20]).is_ok() {}
    reset(stuck);
    // The client ends its direction, and resets later; the server is silent.
    let (half, mut other) = bench.open();
    half.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_to_end(&mut other), b"");
    reset(half);
    bench.wait("all ends", |capture| capture.totals().open == 0);
    let failed = std::iter::repeat_with(|| server.read(&mut [0; 1 << 16])).find(|read| !matches!(read, Ok(1..)));
    assert!(failed.is_some_and(|read| read.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)));
    assert!(other.write_all(b"x").and_then(|()| other.write_all(b"y")).is_err());
    let records = bench.finish();
    let up = ends(&records, UP);
    assert!(up.len() == 2 && up.contains(&EndReason::Rst) && up.contains(&EndReason::Fin), "{up:?}");
}

#[test]
fn bytes_that_were_read_before_a_reset_are_recorded_before_it() {
    for _ in 0..8 {
        let bench = Bench::new();
        let (mut client, server) = bench.open();
        std::thread::scope(|scope| {
            scope.spawn(|| while { &server }.write_all(&frame(true, Opcode::Binary, None, &[7; 2048])).is_ok() {});
            read(&mut client, 1 << 20);
            reset(client);
        });
        drop(server);
        bench.wait("both ends", |capture| capture.totals().open == 0);
        // The file has what the live run had: see finish.
        let records = bench.finish();
        let end = records.iter().position(|(record, _)| matches!(record.kind, Kind::End(_))).expect("an end");
        // The last frame may be truncated.
        assert!(records[end..].iter().all(|(record, _)| matches!(record.kind, Kind::End(_) | Kind::CutFrame)));
    }
}

#[test]
fn a_shutdown_gives_up_connections_and_handshakes_that_hang() {
    let (full, address, _queued) = full();
    // The system accepts the connection, and nobody answers.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mute_address = mute.local_addr().expect("an address");
    let trust = client::config(&Trust { cacert: None, insecure: true }, None).expect("a client");
    for target in [format!("ws://{address}"), format!("wss://{mute_address}")] {
        let bench =
            Bench::with(full.try_clone().expect("a handle"), &target, |config| config.trust = Some(trust.clone()));
        let mut clients: Vec<_> = (0..3).map(|_| bench.client()).collect();
        for client in &mut clients {
            client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("written");
        }
        bench.wait("the requests", |capture| capture.totals().records == 3);
        // All threads end: see there.
        let records = bench.finish();
        assert!(!records.iter().any(|(record, _)| record.kind == Kind::Response), "{target}");
    }
}
