use super::*;
use crate::net::tls::tests::{Pair, pair, pair_of_version};
use proptest::prelude::*;
use rustls::version::{TLS12, TLS13};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

fn tcp(stream: &TlsStream) -> &TcpStream {
    match &**stream.socket() {
        Stream::Tcp(tcp) => tcp,
        other => unreachable!("a pair is over TCP, not {other:?}"),
    }
}

/// Bytes that differ from their neighbours' and from those of the other direction.
fn content(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 31 + i / 251 + seed) % 256) as u8).collect()
}

/// How one side writes.
#[derive(Clone, Copy, Debug)]
struct Writing {
    /// The most bytes that it passes to one call.
    at_once: usize,
    /// Whether it tries without waiting first, as the transport does.
    tries_first: bool,
    /// It changes its keys after each this many calls, and asks the peer for the same (RFC 8446 §4.6.3).
    key_update_every: usize,
}

fn write_all(stream: &TlsStream, bytes: &[u8], how: Writing) -> io::Result<()> {
    let (mut written, mut calls) = (0, 0);
    while written < bytes.len() {
        let next = &bytes[written..bytes.len().min(written + how.at_once)];
        let tried = if how.tries_first { stream.try_write(next) } else { stream.write(next) };
        written += match tried {
            Err(e) if e.kind() == ErrorKind::WouldBlock && how.tries_first => stream.write(next)?,
            tried => tried?,
        };
        calls += 1;
        if how.key_update_every > 0 && calls % how.key_update_every == 0 {
            stream.with_session(Connection::refresh_traffic_keys).map_err(io::Error::other)?;
        }
    }
    stream.shutdown(Shutdown::Write)
}

fn read_all(stream: &TlsStream, at_once: usize) -> io::Result<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; at_once]);
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(all),
            n => all.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Both sides write and read at once, with small socket buffers; each must get what the other wrote.
fn talk(Pair { client, server }: &Pair, len: usize, how: [Writing; 2], read_at_once: usize) {
    let bytes = [content(len, 1), content(len, 2)];
    for side in [client, server] {
        // With less, the kernel's timers for small windows set the pace.
        rustix::net::sockopt::set_socket_send_buffer_size(tcp(side), 64 << 10).expect("a size");
        rustix::net::sockopt::set_socket_recv_buffer_size(tcp(side), 64 << 10).expect("a size");
    }
    let received = thread::scope(|scope| {
        let up = scope.spawn(|| write_all(client, &bytes[0], how[0]));
        let down = scope.spawn(|| write_all(server, &bytes[1], how[1]));
        let reads = [client, server].map(|side| scope.spawn(move || read_all(side, read_at_once)));
        let read = reads.map(|read| read.join().expect("no panic").expect("everything arrives"));
        up.join().expect("no panic").expect("everything is sent");
        down.join().expect("no panic").expect("everything is sent");
        read
    });
    assert!(received[0] == bytes[1] && received[1] == bytes[0], "{how:?}");
}

#[test]
fn megabytes_cross_in_both_directions_at_once_with_key_updates() {
    let how = [
        Writing { at_once: 100_000, tries_first: true, key_update_every: 3 },
        Writing { at_once: 5000, tries_first: false, key_update_every: 50 },
    ];
    talk(&pair(), 2_000_000, how, 30_000);
}

fn any_writing() -> impl Strategy<Value = Writing> {
    (1usize..40_000, any::<bool>(), 0usize..9).prop_map(|(at_once, tries_first, key_update_every)| Writing {
        at_once,
        tries_first,
        key_update_every,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn bytes_cross_as_they_are(how in [any_writing(), any_writing()], len in 0usize..120_000, read in 1usize..20_000, new: bool) {
        // At most some hundred calls.
        let how = how.map(|how| Writing {
            at_once: how.at_once.max(len / 200),
            key_update_every: if new { how.key_update_every } else { 0 },
            ..how
        });
        talk(&pair_of_version(if new { &TLS13 } else { &TLS12 }), len, how, read.max(len / 200));
    }
}

#[test]
fn a_write_that_did_not_fit_goes_on_with_the_same_bytes() {
    let Pair { client, server } = pair();
    let bytes = content(8 << 20, 3);
    let mut written = 0;
    let blocked = loop {
        match client.try_write(&bytes[written..]) {
            Ok(n) => written += n,
            Err(e) => break e,
        }
    };
    assert_eq!(blocked.kind(), ErrorKind::WouldBlock);
    assert_eq!(client.try_write(&bytes[written..]).map_err(|e| e.kind()), Err(ErrorKind::WouldBlock));
    thread::scope(|scope| {
        let reads = scope.spawn(|| read_all(&server, 50_000));
        let rest = Writing { at_once: 1 << 20, tries_first: false, key_update_every: 0 };
        write_all(&client, &bytes[written..], rest).expect("the rest is sent");
        assert!(reads.join().expect("no panic").expect("everything arrives") == bytes);
    });
    assert_eq!(client.write(b"x").map_err(|e| e.kind()), Err(ErrorKind::BrokenPipe));
}

#[test]
fn a_write_times_out_while_the_peer_takes_nothing() {
    let Pair { client, server: _server } = pair();
    client.socket().set_write_timeout(Some(Duration::from_millis(20))).expect("a timeout");
    let bytes = content(1 << 20, 4);
    let failed = (0..64).find_map(|_| client.write(&bytes).err()).expect("the buffers are full");
    assert_eq!(failed.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_read_times_out_and_the_next_one_gets_the_bytes() {
    let Pair { client, server } = pair();
    client.socket().set_read_timeout(Some(Duration::from_millis(5))).expect("a timeout");
    assert_eq!(client.read(&mut [0; 9]).map_err(|e| e.kind()), Err(ErrorKind::WouldBlock));
    client.socket().set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    server.write(b"late").expect("sent");
    let mut buffer = [0; 9];
    assert_eq!((client.read(&mut buffer).expect("bytes"), &buffer[..4]), (4, &b"late"[..]));
}

#[test]
fn the_end_is_announced_or_cut_off_or_a_reset() {
    let Pair { client, server } = pair();
    server.write(b"all").expect("sent");
    server.shutdown(Shutdown::Write).expect("ended");
    assert_eq!(read_all(&client, 2).expect("the end is announced"), b"all");
    // The other direction goes on (RFC 8446 §6.1).
    client.write(b"reply").expect("sent");
    let mut reply = [0; 5];
    assert_eq!((server.read(&mut reply).expect("bytes"), &reply), (5, b"reply"));

    let Pair { client, server } = pair();
    server.write(b"all").expect("sent");
    server.socket().shutdown(Shutdown::Write).expect("ended");
    assert_eq!(client.read(&mut [0; 9]).expect("bytes"), 3);
    assert_eq!(client.read(&mut [0; 9]).map_err(|e| e.kind()), Err(ErrorKind::UnexpectedEof));

    let Pair { client, server } = pair();
    rustix::net::sockopt::set_socket_linger(tcp(&server), Some(Duration::ZERO)).expect("set");
    drop(server);
    assert_eq!(client.read(&mut [0; 9]).map_err(|e| e.kind()), Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_damaged_record_is_answered_with_an_alert() {
    let Pair { client, server } = pair();
    // An application data record that is no ciphertext of this connection.
    tcp(&client)
        .write_all(&[0x17, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
        .expect("sent");
    let refused = server.read(&mut [0; 9]).expect_err("not decrypted");
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    let alert = client.read(&mut [0; 9]).expect_err("an alert");
    let alert = alert.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    assert_eq!(alert, Some(&rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac)));
}
