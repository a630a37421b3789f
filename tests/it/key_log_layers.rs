//! TLS that does not begin at the beginning of its connection: behind a proxy that has not answered yet, after a PROXY header, after
//! STARTTLS, and inside TLS.

use crate::key_log::{conversation, decrypted, notices, said, shape, trace};
use crate::support::packets::PLAIN;
use crate::support::tcp::{MSS, Segment, Tcp};
use crate::support::tls::{Peers, Talk, suites};
use crate::support::{DOWN, UP, opened, rules};
use framescope::proto::dissected::Kind;

const ASKED: &[u8] = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n";
const OPENED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// What one side sends at once, the client if true.
type Piece = (bool, Vec<u8>);

/// What both sides of a connection with TLS send, and the same without TLS.
fn talk(peers: &Peers) -> (Vec<Piece>, Vec<Piece>) {
    let mut talk = peers.connect(&[MSS]);
    let plain = conversation(&[(false, 3), (true, 200), (false, 4_000)]);
    talk.shake_hands();
    for (up, bytes) in &plain {
        talk.say(*up, bytes);
    }
    talk.close();
    (pieces(&talk), plain)
}

fn pieces(talk: &Talk) -> Vec<Piece> {
    let segments = talk.segments().iter().filter(|segment| !segment.payload.is_empty());
    segments.map(|segment| (segment.up, segment.payload.clone())).collect()
}

fn connection(pieces: &[Piece]) -> Vec<Segment> {
    let mut tcp = Tcp::open(1, 2);
    for (up, bytes) in pieces {
        tcp.say(*up, bytes);
    }
    tcp.close();
    tcp.segments
}

/// The records of a capture are those of the connection without TLS. Without the key log, the reason is that it lacks.
fn check(what: &str, encrypted: &[Piece], plain: &[Piece], key_log: &str) {
    let file = PLAIN.file(&connection(encrypted));
    let (capture, expected) = (decrypted(&file, key_log), opened(&PLAIN.file(&connection(plain))));
    for direction in [UP, DOWN] {
        let [ours, theirs] = [&capture, &expected].map(|capture| said(capture, direction));
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs), "{what}");
    }
    assert_eq!((shape(&capture), rules(&capture)), (shape(&expected), rules(&expected)), "{what}");
    assert_eq!((capture.totals().decrypted, notices(&capture)), (1, String::new()), "{what}");
    let undecrypted = opened(&file);
    assert!(notices(&undecrypted).contains("--keylog FILE"), "{what}: {}", notices(&undecrypted));
}

/// Puts pieces together.
fn all(parts: &[&[Piece]]) -> Vec<Piece> {
    parts.concat()
}

#[test]
fn tls_that_does_not_wait_for_the_proxy_is_decrypted() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let (encrypted, said) = talk(&peers);
        let [asked, opened] = [(true, ASKED.to_vec()), (false, OPENED.to_vec())];
        let plain = all(&[&[asked.clone(), opened.clone()], &said]);
        let (hello, rest) = encrypted.split_first().expect("a hello");
        let early = all(&[&[asked.clone(), hello.clone(), opened.clone()], rest]);
        check("hello first", &early, &plain, &peers.log());
        let together = [(true, [ASKED, &hello.1].concat()), opened];
        check("hello with CONNECT", &all(&[&together, rest]), &plain, &peers.log());
        let (answer, after) = rest.split_first().expect("a ServerHello");
        let both = [asked, hello.clone(), (false, [OPENED, &answer.1].concat())];
        check("answers together", &all(&[&both, after]), &plain, &peers.log());
    }
}

#[test]
fn a_hello_before_the_refusal_of_a_proxy_changes_no_record() {
    let peers = Peers::new(suites()[0], None);
    let (encrypted, _) = talk(&peers);
    let refusal = (false, b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno".to_vec());
    let file = PLAIN.file(&connection(&[(true, ASKED.to_vec()), encrypted[0].clone(), refusal]));
    let capture = decrypted(&file, &peers.log());
    let expected = opened(&file);
    assert_eq!(rules(&capture), rules(&expected));
    for direction in [UP, DOWN] {
        assert_eq!(said(&capture, direction), said(&expected, direction));
    }
}

#[test]
fn tls_after_a_proxy_header_is_decrypted() {
    const HEADER: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\r\n";
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let (encrypted, said) = talk(&peers);
        let header = (true, HEADER.to_vec());
        let plain = all(&[std::slice::from_ref(&header), &said]);
        check("header", &all(&[&[header], &encrypted]), &plain, &peers.log());
        let together = (true, [HEADER, &encrypted[0].1].concat());
        check("header with hello", &all(&[&[together], &encrypted[1..]]), &plain, &peers.log());
    }
}

#[test]
fn tls_after_starttls_is_decrypted() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let (encrypted, plain) = talk(&peers);
        let mut before: Vec<Piece> = vec![(false, b"220 mail.example\r\n".to_vec()), (true, b"STARTTLS\r\n".to_vec())];
        before.push((false, b"220 go ahead\r\n".to_vec()));
        check("STARTTLS", &all(&[&before, &encrypted]), &all(&[&before, &plain]), &peers.log());
    }
}

#[test]
fn tls_inside_tls_is_decrypted() {
    for suite in suites() {
        let [outer, inner] = [(); 2].map(|()| Peers::new(suite, None));
        let (encrypted, said) = talk(&inner);
        let tunnel = [(true, ASKED.to_vec()), (false, OPENED.to_vec())];
        let mut proxied = outer.connect(&[MSS, 50]);
        proxied.shake_hands();
        for (up, bytes) in all(&[&tunnel, &encrypted]) {
            proxied.say(up, &bytes);
        }
        proxied.close();
        let encrypted = pieces(&proxied);
        check("TLS in TLS", &encrypted, &all(&[&tunnel, &said]), &format!("{}{}", outer.log(), inner.log()));
        // The session inside needs its own secrets.
        let capture = decrypted(&PLAIN.file(&connection(&encrypted)), &outer.log());
        assert!(notices(&capture).contains("no secret for the session"), "{}", notices(&capture));
        assert!(self::said(&capture, UP).starts_with(ASKED) && self::said(&capture, DOWN).starts_with(OPENED));
    }
}

#[test]
fn after_a_loss_encrypted_bytes_are_no_frames() {
    let (segments, key_log) = trace();
    let hello = segments.iter().find(|segment| !segment.up && !segment.payload.is_empty()).expect("a ServerHello");
    // It looks like the beginning of a long frame.
    let encrypted = b"\x82\xfe\x10\x00\x01\x02\x03\x04encrypted".to_vec();
    let mut segments = connection(&[(true, vec![22; 60]), (false, hello.payload.clone()), (true, encrypted)]);
    let lost = segments.iter().position(|segment| segment.up && !segment.payload.is_empty()).expect("a ClientHello");
    segments.remove(lost);
    let file = PLAIN.file(&segments);
    for capture in [opened(&file), decrypted(&file, key_log)] {
        let kinds = capture.records(1..u64::MAX).into_iter().map(|record| record.kind);
        assert_eq!(kinds.filter(|kind| matches!(kind, Kind::Frame | Kind::CutFrame)).count(), 0);
        assert_eq!(said(&capture, UP), b"\x82\xfe\x10\x00\x01\x02\x03\x04encrypted");
        assert_eq!(rules(&capture), []);
    }
}
