//! How TLS connections end, as the other side and the capture see it.

use std::net::{Shutdown, TcpListener};
use std::thread;

use rustls::{ServerConnection, StreamOwned as Stream};

use super::*;
use crate::support::tls::{Peers, suites};
use crate::support::{RESPONSE, bare_request};
use framescope::proto::dissected::{Direction, EndReason};
use framescope::proto::rules::Rule;

/// Reads a head.
fn read_head(peer: &mut impl std::io::Read) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        peer.read_exact(&mut byte).expect("a head");
        head.extend(byte);
    }
}

/// A server that answers an end of TCP without close_notify with a fatal alert, as OpenSSL does, and then ends TCP.
fn alerting_server(listener: &TcpListener) {
    let (socket, _) = listener.accept().expect("a connection of the proxy");
    let session = ServerConnection::new(Peers::new(suites()[0], None).server()).expect("a server");
    let mut server = Stream::new(session, socket);
    read_head(&mut server);
    server.write_all(RESPONSE.as_bytes()).expect("sent");
    assert!(server.read(&mut [0; 9]).is_err(), "the end is not announced");
    let garbage = [0x17, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    server.conn.read_tls(&mut garbage.as_slice()).expect("bytes");
    assert!(server.conn.process_new_packets().is_err());
    server.conn.write_tls(&mut server.sock).expect("an alert");
}

#[test]
fn an_alert_in_answer_to_an_unannounced_end_is_no_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = Bench::proxy(listener.local_addr().expect("an address"), None);
    let server = thread::spawn(move || alerting_server(&listener));
    let mut client = proxy.client();
    client.write_all(bare_request("/", "localhost").as_bytes()).expect("sent");
    read_head(&mut client);
    client.sock.shutdown(Shutdown::Write).expect("ended");
    // FIN in place of RST, and not announced either.
    let ended = client.read(&mut [0; 9]).expect_err("the end is not announced");
    assert_eq!(ended.kind(), std::io::ErrorKind::UnexpectedEof);
    server.join().expect("no panic");
    let (capture, _) = proxy.finish();
    let ends: Vec<_> = capture.records(1..u64::MAX).into_iter().filter(|r| matches!(r.kind, Kind::End(_))).collect();
    let how = |direction| ends.iter().find(|end| end.direction == direction).map(|end| end.kind);
    for direction in Direction::BOTH {
        assert_eq!(how(direction), Some(Kind::End(EndReason::Fin)), "{ends:#?}");
    }
    let is_blamed = ends.iter().flat_map(|end| &end.findings).any(|finding| finding.rule == Rule::TcpReset);
    assert!(!is_blamed, "{ends:#?}");
}
