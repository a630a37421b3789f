//! Why a connection with TLS is not decrypted: each reason, once, and no false one.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::key_log::{Files, conversation, decrypted, notices, said, shape, trace, without};
use crate::support::packets::{Form, PLAIN};
use crate::support::tcp::{MSS, RST, Segment, Tcp};
use crate::support::tls::{Peers, suites};
use crate::support::{DOWN, REQUEST, RESPONSE, UP, exported, frame, opened, rules};
use framescope::capture::import::stream::{self, Received};
use framescope::capture::import::{self, ImportOptions, OpenError};
use framescope::capture::store::Capture;
use framescope::export::Format;
use framescope::wire::opcode::Opcode;

#[test]
fn a_reason_is_given_for_each_connection_that_is_not_decrypted() {
    let (segments, key_log) = trace();
    let file = PLAIN.file(&segments);
    let reason = |segments: &[Segment], key_log: &str| {
        let capture = decrypted(&PLAIN.file(segments), key_log);
        assert_eq!(capture.totals().decrypted, 0);
        assert!(!shape(&capture).is_empty(), "its bytes are shown as they are");
        notices(&capture)
    };
    assert!(notices(&opened(&file)).contains("--keylog FILE"));
    let other = key_log.replace("cb34ecb1", "cb34ecb2");
    assert!(reason(&segments, &other).contains("no secret"));
    assert!(reason(&segments, &key_log.replace("SECRET_0", "SECRET_9")).contains("no secret"));
    // The capture begins after the hellos.
    assert!(reason(&segments[9..], key_log).contains("lacks the handshake"));
    let lost: Vec<Segment> = segments.iter().enumerate().filter(|(n, _)| *n != 5).map(|(_, s)| s.clone()).collect();
    assert!(reason(&lost, key_log).contains("lacks the handshake"), "without the ServerHello");
    let with_server_hello = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut segments = segments.clone();
        let hello = segments.iter_mut().find(|s| !s.up && !s.payload.is_empty()).expect("a ServerHello");
        change(&mut hello.payload);
        segments
    };
    let sm4 = with_server_hello(&|hello| hello[44..46].copy_from_slice(&[0, 0xc6]));
    assert!(reason(&sm4, key_log).contains("TLS_SM4_GCM_SM3"));
    // Without the extension that says 1.3, and with a suite of TLS 1.2.
    let cbc = with_server_hello(&|hello| {
        hello[44..46].copy_from_slice(&[0xc0, 0x13]);
        let len = hello.len();
        hello[len - 6..len - 4].copy_from_slice(&[0xff, 0xff]);
    });
    assert!(reason(&cbc, key_log).contains("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
    let alert = with_server_hello(&|hello| *hello = vec![21, 3, 3, 0, 2, 2, 70]);
    assert!(reason(&alert[..6], key_log).contains("protocol_version"));
}

#[test]
fn wrong_secrets_are_no_session() {
    let (segments, key_log) = trace();
    let wrong = key_log.replace("9e40646c", "9e40646d").replace("a11af9f0", "a11af9f1").replace("b3eddb12", "b3eddb13");
    let capture = decrypted(&PLAIN.file(&segments), &wrong.replace("b67b7d69", "b67b7d68"));
    assert!(notices(&capture).contains("do not fit"), "{}", notices(&capture));
    assert_eq!(rules(&capture), []);
}

/// A connection of these records, each `true` for the client, that both sides end with a FIN.
fn records(all: &[(bool, &[u8])]) -> Tcp {
    let mut tcp = Tcp::open(1, 2);
    all.iter().for_each(|(up, bytes)| tcp.say(*up, bytes));
    tcp
}

#[test]
fn a_handshake_that_fails_after_the_hellos_says_so() {
    let (segments, key_log) = trace();
    let hello = |up: bool| {
        let of_side = segments.iter().filter(|segment| segment.up == up && !segment.payload.is_empty());
        let len = usize::from(u16::from_be_bytes([0, 90])) + 5;
        let bytes: Vec<u8> = of_side.flat_map(|segment| segment.payload.clone()).collect();
        if up {
            bytes[..5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]))].to_vec()
        } else {
            bytes[..len].to_vec()
        }
    };
    let (client, server) = (hello(true), hello(false));
    let without_session = key_log.replace("cb34ecb1", "cb34ecb2");
    let reason = |tcp: &Tcp| notices(&decrypted(&PLAIN.file(&tcp.segments), &without_session));
    let alert: &[u8] = &[21, 3, 3, 0, 2, 2, 47];
    let encrypted = [&[23, 3, 3, 0, 19][..], &[0x5a; 19]].concat();
    for by_client in [true, false] {
        let side = if by_client { "client" } else { "server" };
        let mut tcp = records(&[(true, &client), (false, &server), (by_client, alert)]);
        assert!(reason(&tcp).contains("illegal_parameter") && reason(&tcp).contains(side), "{}", reason(&tcp));
        tcp.close();
        assert!(reason(&tcp).contains("illegal_parameter") && reason(&tcp).contains(side), "{}", reason(&tcp));
        let mut tcp = records(&[(true, &client), (false, &server), (by_client, &encrypted)]);
        tcp.close();
        assert!(reason(&tcp).contains(&format!("the {side} ended the handshake")), "{}", reason(&tcp));
    }
    for bytes in [&[(true, &client[..]), (false, &server[..])][..], &[(true, &client[..])]] {
        let mut tcp = records(bytes);
        let mut reset = tcp.clone();
        tcp.close();
        reset.send(false, RST, &[]);
        for tcp in [tcp, reset] {
            assert!(reason(&tcp).contains("before the handshake was complete"), "{}", reason(&tcp));
        }
    }
    // The capture ends, not the connection.
    assert!(reason(&records(&[(true, &client)])).contains("lacks the handshake"));
}

#[test]
fn an_alert_is_named_that_only_the_secrets_of_the_handshake_show() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect_to("other.example", &[MSS]);
        talk.fail_hands();
        talk.tcp.close();
        let capture = decrypted(&PLAIN.file(talk.segments()), &peers.log());
        let notices = notices(&capture);
        assert!(notices.contains("the client ended the handshake with the alert "), "{suite:?}: {notices}");
        assert_eq!(rules(&capture), []);
    }
}

#[test]
fn a_capture_that_begins_late_or_after_a_loss_says_so() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[100]);
        talk.shake_hands();
        let handshake = talk.segments().len();
        for (up, bytes) in conversation(&[(true, 50), (false, 60), (true, 400), (false, 700)]) {
            talk.say(up, &bytes);
        }
        talk.close();
        let segments = talk.segments();
        for first in 4..handshake {
            let late = decrypted(&PLAIN.file(&segments[first..]), &peers.log());
            let lossy: Vec<Segment> = segments[..3].iter().chain(&segments[first..]).cloned().collect();
            let lossy = decrypted(&PLAIN.file(&lossy), &peers.log());
            for capture in [late, lossy] {
                if capture.totals().decrypted == 0 {
                    let notices = notices(&capture);
                    assert!(notices.contains("lacks the handshake"), "{suite:?} from {first}: {notices}");
                }
                assert_eq!(rules(&capture), [], "{suite:?} from {first}");
            }
        }
        // Nothing is said about other protocols.
        let plain = Tcp::conversation(1, 2);
        for first in 4..plain.segments.len() {
            let capture = decrypted(&PLAIN.file(&plain.segments[first..]), &peers.log());
            assert!(!notices(&capture).contains("TLS"), "{}", notices(&capture));
        }
    }
}

#[test]
fn a_loss_that_is_too_long_is_reported() {
    let peers = Peers::new(suites()[0], None);
    let mut talk = peers.connect(&[100_000]);
    talk.shake_hands();
    talk.say(true, REQUEST.as_bytes());
    talk.say(false, RESPONSE.as_bytes());
    let first = talk.segments().len();
    for n in 0..4_200u32 {
        talk.say(false, &frame(true, Opcode::Binary, None, &n.to_be_bytes()));
    }
    let with_payload = talk.segments()[first..].iter().filter(|segment| !segment.payload.is_empty()).count();
    for (lost, is_reported) in [(with_payload - 4_000..with_payload - 20, false), (0..with_payload - 20, true)] {
        let lost: Vec<usize> = lost.collect();
        let capture = decrypted(&PLAIN.file(&without(talk.segments(), first, &lost)), &peers.log());
        assert_eq!(notices(&capture).contains("after a loss"), is_reported, "{}", notices(&capture));
        assert_eq!((rules(&capture), capture.totals().decrypted), (vec![], 1));
    }
}

#[test]
fn a_connection_is_counted_once() {
    let (segments, key_log) = trace();
    let wrong = wrong_secrets(key_log);
    let capture = decrypted(&PLAIN.file(&segments), &wrong);
    assert_eq!(capture.totals().decrypted, 0, "none of its bytes is decrypted");
    let said = notices(&capture);
    assert!(said.starts_with("connection 1 ") && said.contains("do not fit"), "{said}");
    let both = [segments.clone(), moved(&segments)].concat();
    let capture = decrypted(&PLAIN.file(&both), &wrong);
    assert!(notices(&capture).starts_with("2 connections "), "{}", notices(&capture));
    // While it arrives, the first one is reported at once, and at the end the others.
    let files = Files::new();
    let keys = files.write("keys", wrong.as_bytes());
    let capture = piped(PLAIN.file(&both), Some(keys), || {}).expect("a capture");
    assert_eq!(notices(&capture).matches("do not fit").count(), notices(&capture).matches(" TLS: ").count());
    assert!(!notices(&capture).contains("2 connections"), "{}", notices(&capture));
}

#[test]
fn each_suite_is_named() {
    let (segments, key_log) = trace();
    let with_suite = |segments: &[Segment], suite: [u8; 2]| {
        let mut segments = segments.to_vec();
        let hello = segments.iter_mut().find(|s| !s.up && !s.payload.is_empty()).expect("a ServerHello");
        hello.payload[44..46].copy_from_slice(&suite);
        segments
    };
    let both = [with_suite(&segments, [0, 0xc6]), with_suite(&moved(&segments), [0, 0xc7])].concat();
    let notices = notices(&decrypted(&PLAIN.file(&both), key_log));
    assert!(notices.contains("TLS_SM4_GCM_SM3") && notices.contains("TLS_SM4_CCM_SM3"), "{notices}");
}

/// The key log with other secrets.
fn wrong_secrets(key_log: &str) -> String {
    let log = key_log.replace("9e40646c", "9e40646d").replace("a11af9f0", "a11af9f1");
    log.replace("b3eddb12", "b3eddb13").replace("b67b7d69", "b67b7d68")
}

/// The segments with other sequence numbers: another connection.
fn moved(segments: &[Segment]) -> Vec<Segment> {
    let moved = |segment: &Segment| {
        let ack = if segment.ack == 0 { 0 } else { segment.ack.wrapping_add(0x1234_5678) };
        Segment { seq: segment.seq.wrapping_add(0x1234_5678), ack, ..segment.clone() }
    };
    segments.iter().map(moved).collect()
}

/// Bytes that arrive through a pipe, and what happens directly before its end.
struct Pipe<F> {
    bytes: io::Cursor<Vec<u8>>,
    at_end: Option<F>,
}

impl<F: FnOnce()> Read for Pipe<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        if let Some(at_end) = self.at_end.take_if(|_| read == 0) {
            at_end();
        }
        Ok(read)
    }
}

/// A capture that arrives through a pipe.
fn piped(
    bytes: Vec<u8>,
    key_log: Option<PathBuf>,
    at_end: impl FnOnce() + Send + 'static,
) -> Result<Capture, OpenError> {
    let pipe = Pipe { bytes: io::Cursor::new(bytes), at_end: Some(at_end) };
    let Received::Packets(stream) = stream::receive(pipe, Path::new("pipe"))? else { panic!("packets") };
    let (capture, loader) =
        import::open_stream(stream, Path::new("pipe"), ImportOptions { key_log, ..ImportOptions::default() })?;
    loader.run(&AtomicBool::new(false));
    Ok(capture)
}

#[test]
fn secrets_that_come_at_the_end_of_a_pipe_are_used() {
    let (segments, key_log) = trace();
    // Also without the last line break.
    for lines in [key_log, key_log.trim_end()] {
        let files = Files::new();
        let keys = files.folder.path().join("keys");
        let path = keys.clone();
        let capture = piped(PLAIN.file(&segments), Some(keys), move || std::fs::write(path, lines).expect("written"));
        let capture = capture.expect("a capture");
        assert_eq!((capture.totals().decrypted, notices(&capture)), (1, String::new()));
        assert_eq!((said(&capture, UP).len(), said(&capture, DOWN).len()), (50, 50));
    }
}

#[test]
fn secrets_that_a_pipe_brings_after_the_handshake_are_used() {
    let (segments, key_log) = trace();
    let form = Form { pcapng: true, ..PLAIN };
    let body =
        [&[0x544c_534bu32, key_log.len() as u32].map(u32::to_le_bytes).concat()[..], key_log.as_bytes()].concat();
    let file = form.file(&segments);
    let capture = piped([&file[..], &form.block(10, &body)].concat(), None, || {}).expect("a capture");
    assert_eq!((capture.totals().decrypted, notices(&capture)), (1, String::new()));
    assert_eq!((said(&capture, UP).len(), said(&capture, DOWN).len()), (50, 50));
    // Without them, the reason is the same as for a file.
    let capture = piped(file.clone(), None, || {}).expect("a capture");
    assert_eq!(notices(&capture), notices(&opened(&file)));
    assert_eq!(shape(&capture), shape(&opened(&file)));
}

#[test]
fn a_key_log_that_never_exists_is_a_failure() {
    let (segments, _) = trace();
    let files = Files::new();
    let missing = files.folder.path().join("typo.keys");
    let capture = piped(PLAIN.file(&segments), Some(missing), || {}).expect("a capture");
    assert!(capture.trouble().has_failed());
    let said = notices(&capture);
    assert!(said.contains("typo.keys") && !said.contains("TLS"), "one line: {said}");
    let elsewhere = piped(PLAIN.file(&segments), Some(files.folder.path().join("none/keys")), || {});
    assert!(matches!(elsewhere, Err(OpenError::KeyLog(_))), "its folder does not exist");
}

#[test]
fn tls_in_a_tunnel_of_a_proxy_is_decrypted() {
    const ASKED: &[u8] = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n";
    const OPENED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[MSS]);
        let mut plain = Tcp::open(1, 2);
        for (up, bytes) in [(true, ASKED), (false, OPENED)] {
            talk.tcp.say(up, bytes);
            plain.say(up, bytes);
        }
        talk.shake_hands();
        for (up, bytes) in conversation(&[(false, 3), (true, 200), (false, 4_000)]) {
            talk.say(up, &bytes);
            plain.say(up, &bytes);
        }
        talk.close();
        plain.close();
        let file = PLAIN.file(talk.segments());
        let (capture, expected) = (decrypted(&file, &peers.log()), opened(&PLAIN.file(&plain.segments)));
        assert_eq!((shape(&capture), rules(&capture)), (shape(&expected), rules(&expected)), "{suite:?}");
        for direction in [UP, DOWN] {
            assert_eq!(said(&capture, direction), said(&expected, direction), "{suite:?}");
        }
        assert_eq!((capture.totals().decrypted, notices(&capture)), (1, String::new()));
        // An export has the decrypted bytes.
        let again = opened(&exported(&capture, Format::Pcapng));
        assert_eq!((shape(&again), again.totals().decrypted), (shape(&capture), 1));
        // Without the key log, the bytes are shown as they are.
        let undecrypted = opened(&file);
        assert!(notices(&undecrypted).contains("--keylog FILE"), "{}", notices(&undecrypted));
        assert_eq!(rules(&undecrypted), []);
    }
}
