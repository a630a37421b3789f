//! Captures of TLS that are decrypted with a key log: the records of the bytes that both sides said, whatever the network did, and the
//! reasons where that is not possible.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::packets::{Form, PLAIN};
use crate::support::tcp::{FIN, MSS, Segment, Tcp, reordered, repeated};
use crate::support::tls::{Peers, suites};
use crate::support::{DOWN, REQUEST, RESPONSE, UP, cases, everything, exported, frame, opened, rules};
use framescope::capture::import::{self, ImportOptions, OpenError};
use framescope::capture::store::Capture;
use framescope::export::Format;
use framescope::proto::dissected::{Direction, Kind, Loss};
use framescope::proto::rules::Rule;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

/// Files in a folder of their own.
pub struct Files {
    pub folder: tempfile::TempDir,
}

impl Files {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }
}

pub fn with_key_log(path: PathBuf) -> ImportOptions {
    ImportOptions { key_log: Some(path), ..ImportOptions::default() }
}

/// A capture of these bytes, decrypted with these lines.
pub fn decrypted(file: &[u8], key_log: &str) -> Capture {
    let files = Files::new();
    let (path, keys) = (files.write("a.pcap", file), files.write("a.keys", key_log.as_bytes()));
    let (capture, loader) = import::open_with(&path, with_key_log(keys)).expect("a capture");
    loader.run(&AtomicBool::new(false));
    capture
}

/// The bytes of all records of a direction.
pub fn said(capture: &Capture, direction: Direction) -> Vec<u8> {
    let own = everything(capture).into_iter().filter(|(record, _)| record.direction == direction);
    own.flat_map(|(_, wire)| wire).collect()
}

/// Kind, direction, length and message of each record.
pub fn shape(capture: &Capture) -> Vec<(Kind, Direction, u64, Option<u32>)> {
    let records = capture.records(1..u64::MAX).into_iter();
    records.map(|record| (record.kind, record.direction, record.wire_len, record.message)).collect()
}

pub fn notices(capture: &Capture) -> String {
    capture.trouble().reason().unwrap_or_default()
}

/// What is said in a conversation: the handshake and frames.
pub fn conversation(messages: &[(bool, usize)]) -> Vec<(bool, Vec<u8>)> {
    let mut all = vec![(true, REQUEST.as_bytes().to_vec()), (false, RESPONSE.as_bytes().to_vec())];
    for (n, (up, len)) in messages.iter().enumerate() {
        let payload: Vec<u8> = (0..*len).map(|i| (i * 7 + n * 31) as u8).collect();
        all.push((*up, frame(true, Opcode::Binary, up.then_some([n as u8, 0x9a, 0x3c, 7]), &payload)));
    }
    for up in [true, false] {
        all.push((up, frame(true, Opcode::Close, up.then_some([1, 2, 3, 4]), b"\x03\xe8")));
    }
    all
}

/// The segments of a connection whose payloads were written down: in each line a direction and hex digits.
pub fn recorded(lines: &str) -> Vec<Segment> {
    let mut tcp = Tcp::open(1, 2);
    for line in lines.lines() {
        let (direction, bytes) = line.split_once(' ').expect("two words");
        tcp.say(direction == "c2s", &hex::decode(bytes).expect("hex"));
    }
    tcp.close();
    tcp.segments
}

/// The segments of the trace of RFC 8448 §3, and its key log.
pub fn trace() -> (Vec<Segment>, &'static str) {
    (recorded(include_str!("../data/rfc8448.records")), include_str!("../data/rfc8448.keys"))
}

#[test]
fn the_trace_of_rfc_8448_is_decrypted() {
    let (segments, key_log) = trace();
    let capture = decrypted(&PLAIN.file(&segments), key_log);
    let payload: Vec<u8> = (0..50).collect();
    assert_eq!((said(&capture, UP), said(&capture, DOWN)), (payload.clone(), payload));
    let tls = capture.connection(1).and_then(|connection| connection.tls).expect("decrypted");
    assert_eq!(tls.to_string(), "TLS 1.3, TLS_AES_128_GCM_SHA256");
    assert_eq!((capture.totals().decrypted, notices(&capture)), (1, String::new()));
}

#[test]
fn secrets_in_a_capture_decrypt_it_wherever_they_are() {
    let (segments, key_log) = trace();
    for big in [false, true] {
        let form = Form { pcapng: true, big, ..PLAIN };
        let whole = form.file(&segments);
        let packets = &whole[form.head().len()..];
        let u32s =
            |words: [u32; 2]| words.map(|word| if big { word.to_be_bytes() } else { word.to_le_bytes() }).concat();
        let body = [&u32s([0x544c_534b, key_log.len() as u32])[..], key_log.as_bytes()].concat();
        let secrets = form.block(10, &body);
        for file in [[&form.head(), &secrets[..], packets].concat(), [&whole[..], &secrets].concat()] {
            let capture = opened(&file);
            assert_eq!((said(&capture, UP).len(), said(&capture, DOWN).len()), (50, 50));
            assert_eq!(capture.totals().decrypted, 1);
        }
        let other = form.block(10, &[&u32s([0x5747_4b4c, 4])[..], b"keys"].concat());
        let capture = opened(&[&form.head(), &other[..], packets].concat());
        assert_eq!(capture.totals().decrypted, 0);
        assert!(notices(&capture).contains("--keylog"), "{}", notices(&capture));
    }
}

#[test]
fn every_suite_gives_the_records_of_what_was_said() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[MSS]);
        talk.shake_hands();
        let mut plain = Tcp::open(1, 2);
        for (n, (up, bytes)) in conversation(&[(false, 3), (true, 200), (false, 40_000), (true, 0)]).iter().enumerate()
        {
            talk.say(*up, bytes);
            plain.say(*up, bytes);
            if n == 3 && matches!(suite, rustls::SupportedCipherSuite::Tls13(_)) {
                talk.update_keys(true);
                talk.update_keys(false);
            }
        }
        talk.close();
        plain.close();
        let capture = decrypted(&PLAIN.file(talk.segments()), &peers.log());
        let expected = opened(&PLAIN.file(&plain.segments));
        assert_eq!(shape(&capture), shape(&expected), "{suite:?}");
        for direction in [UP, DOWN] {
            assert_eq!(said(&capture, direction), said(&expected, direction), "{suite:?}");
        }
        assert_eq!((rules(&capture), notices(&capture)), (rules(&expected), String::new()));
        let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
        let tls = capture.connection(1).and_then(|connection| connection.tls).expect("decrypted");
        assert!(tls.to_string().ends_with(&format!(" {name}")), "{tls}");
        // The exported file has the decrypted bytes, which need no secrets, and says so.
        let again = opened(&exported(&capture, Format::Pcapng));
        assert_eq!(shape(&again), shape(&capture));
        assert_eq!(again.connection(1).and_then(|connection| connection.tls), Some(tls));
    }
}

#[test]
fn a_resumed_session_is_decrypted_without_a_line_of_its_own() {
    for tickets in [false, true] {
        for suite in suites() {
            let peers = Peers::new(suite, None);
            let peers = if tickets { peers.with_tickets() } else { peers };
            let mut first = peers.connect(&[MSS]);
            first.shake_hands();
            first.say(true, REQUEST.as_bytes());
            first.say(false, RESPONSE.as_bytes());
            first.close();
            let first_lines = peers.log();
            let mut second = peers.connect(&[MSS]);
            let is_tls_1_3 = matches!(suite, rustls::SupportedCipherSuite::Tls13(_));
            // The server accepts early data only with sessions that it keeps.
            let is_early = is_tls_1_3 && !tickets;
            assert_eq!(is_early && second.say_early(REQUEST.as_bytes()), is_early, "{suite:?}");
            second.shake_hands();
            if !is_early {
                second.say(true, REQUEST.as_bytes());
            }
            second.say(false, RESPONSE.as_bytes());
            second.close();
            // In TLS 1.3 each session has its own secrets.
            let lines = if is_tls_1_3 { peers.log() } else { first_lines };
            let mut file = PLAIN.file(first.segments());
            let mut other = second.tcp.segments.clone();
            for segment in &mut other {
                segment.seq = segment.seq.wrapping_add(0x1234_5678);
                segment.ack = if segment.ack == 0 { 0 } else { segment.ack.wrapping_add(0x1234_5678) };
            }
            file.extend_from_slice(&PLAIN.file(&other)[PLAIN.head().len()..]);
            let capture = decrypted(&file, &lines);
            assert_eq!((capture.totals().decrypted, notices(&capture)), (2, String::new()), "{suite:?} {tickets}");
            let kinds: Vec<Kind> = shape(&capture).into_iter().map(|(kind, ..)| kind).collect();
            let heads = kinds.iter().filter(|kind| matches!(kind, Kind::Request | Kind::Response)).count();
            assert_eq!(heads, 4, "{suite:?} {tickets}: {kinds:?}");
            assert_eq!(said(&capture, UP), REQUEST.repeat(2).as_bytes());
        }
    }
}

#[test]
fn a_wrong_key_log_says_what_it_is() {
    let files = Files::new();
    let capture = files.write("a.pcap", &PLAIN.file(&trace().0));
    let open = |content: &[u8]| import::open_with(&capture, with_key_log(files.write("keys", content)));
    let error = |content: &[u8]| match open(content) {
        Err(OpenError::KeyLog(e)) => e.to_string(),
        other => panic!("{:?}", other.map(|_| ())),
    };
    assert!(error(b"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n").contains("private key"));
    assert!(error(&std::fs::read(&capture).expect("read")).contains("not a key log"));
    let missing = import::open_with(&capture, with_key_log(files.folder.path().join("none"))).err().expect("an error");
    assert!(missing.to_string().contains("none"), "{missing}");
    assert!(open(b"").is_ok() && open(b"# no lines yet\n\n").is_ok());
    let key_log = trace().1;
    let broken = format!("{key_log}CLIENT_RANDOM 00 11\r\nLATER_LABEL 00 11\r\nCLIENT_RANDOM\n");
    let capture = decrypted(&PLAIN.file(&trace().0), &broken);
    assert!(notices(&capture).contains("2 lines"), "{}", notices(&capture));
    assert!(notices(&capture).contains("line 7"), "{}", notices(&capture));
    assert_eq!(capture.totals().decrypted, 1);
    let secret = key_log.split_whitespace().last().expect("a secret");
    assert!(!notices(&capture).contains(secret) && !error(secret.as_bytes()).contains(secret));
}

#[test]
fn http_2_is_named() {
    for suite in suites() {
        let peers = Peers::new(suite, Some("h2"));
        let mut talk = peers.connect(&[MSS]);
        talk.shake_hands();
        talk.say(true, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        talk.say(false, b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
        talk.close();
        let capture = decrypted(&PLAIN.file(talk.segments()), &peers.log());
        assert!(notices(&capture).contains("HTTP/2"), "{suite:?}: {}", notices(&capture));
        assert_eq!(rules(&capture), []);
    }
}

#[test]
fn a_key_log_that_is_written_later_than_the_packets_is_awaited() {
    let (segments, key_log) = trace();
    let files = Files::new();
    let (path, keys) = (files.write("a.pcap", &PLAIN.file(&segments)), files.folder.path().join("later.keys"));
    let options = ImportOptions { follow: true, ..with_key_log(keys.clone()) };
    let (capture, loader) = import::open_with(&path, options).expect("a key log that does not exist yet");
    let cancel = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| loader.run(&cancel));
        let deadline = Instant::now() + Duration::from_secs(20);
        let wait = |what: &dyn Fn() -> bool| {
            while !what() && Instant::now() < deadline {
                std::thread::yield_now();
            }
            assert!(what());
        };
        wait(&|| capture.awaits_secrets());
        assert_eq!((capture.totals().connections, capture.len()), (1, 0), "it waits for the secrets");
        let (half, rest) = key_log.split_at(key_log.len() / 2);
        std::fs::write(&keys, half).expect("written");
        std::fs::write(&keys, [half, rest].concat()).expect("written");
        wait(&|| capture.totals().open == 0 && !capture.is_empty());
        cancel.store(true, Ordering::Relaxed);
    });
    assert!(!capture.awaits_secrets());
    assert_eq!((said(&capture, UP).len(), said(&capture, DOWN).len()), (50, 50));
}

/// The segments without some with payload, counted from `first`.
pub fn without(segments: &[Segment], first: usize, lost: &[usize]) -> Vec<Segment> {
    let with_payload = segments.iter().enumerate().filter(|(_, segment)| !segment.payload.is_empty());
    let places: Vec<usize> = with_payload.map(|(place, _)| place).filter(|place| *place >= first).collect();
    if places.is_empty() {
        return segments.to_vec();
    }
    let lost: Vec<usize> = lost.iter().map(|n| places[n % places.len()]).collect();
    segments.iter().enumerate().filter(|(place, _)| !lost.contains(place)).map(|(_, s)| s.clone()).collect()
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn segments_of_any_size_and_order_give_what_was_said(
        suite in 0usize..6,
        pieces in vec(prop_oneof![1usize..40, 300usize..3000], 1..6),
        messages in vec((any::<bool>(), prop_oneof![0usize..200, 1000usize..20_000]), 0..8),
        updates in vec((0usize..8, any::<bool>()), 0..4),
        (swap, again) in any::<(bool, bool)>(),
    ) {
        let suite = suites()[suite];
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&pieces);
        talk.shake_hands();
        for (n, (up, bytes)) in conversation(&messages).iter().enumerate() {
            for (_, side) in updates.iter().filter(|(at, _)| *at == n) {
                if matches!(suite, rustls::SupportedCipherSuite::Tls13(_)) {
                    talk.update_keys(*side);
                }
            }
            talk.say(*up, bytes);
        }
        talk.close();
        let mut segments = talk.segments().to_vec();
        if swap {
            segments = reordered(&segments);
        }
        if again {
            segments = repeated(&segments);
        }
        let capture = decrypted(&PLAIN.file(&segments), &peers.log());
        prop_assert_eq!(notices(&capture), "");
        prop_assert_eq!(said(&capture, UP), &talk.said[0][..]);
        prop_assert_eq!(said(&capture, DOWN), &talk.said[1][..]);
        prop_assert_eq!(rules(&capture), []);
    }

    #[test]
    fn lost_packets_lose_their_records_and_accuse_nobody(
        suite in 0usize..6,
        piece in prop_oneof![30usize..200, 300usize..3000],
        messages in vec((any::<bool>(), prop_oneof![0usize..200, 1000usize..20_000]), 1..12),
        updates in vec((0usize..12, any::<bool>()), 0..4),
        lost in vec(any::<usize>(), 1..5),
        in_handshake: bool,
    ) {
        let suite = suites()[suite];
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[piece]);
        talk.shake_hands();
        let first = if in_handshake { 0 } else { talk.segments().len() };
        let all = conversation(&messages);
        for (n, (up, bytes)) in all.iter().enumerate() {
            for (_, side) in updates.iter().filter(|(at, _)| *at == n) {
                if matches!(suite, rustls::SupportedCipherSuite::Tls13(_)) {
                    talk.update_keys(*side);
                }
            }
            talk.say(*up, bytes);
        }
        talk.close();
        let capture = decrypted(&PLAIN.file(&without(talk.segments(), first, &lost)), &peers.log());
        let accused: Vec<Rule> = rules(&capture);
        prop_assert_eq!(accused, []);
        if capture.totals().decrypted == 0 {
            prop_assert!(in_handshake && (notices(&capture).contains("lacks the handshake") || notices(&capture).contains("after a loss")), "{}", notices(&capture));
            return Ok(());
        }
        // What is shown was said, in this order.
        for (direction, said) in [(UP, &talk.said[0]), (DOWN, &talk.said[1])] {
            let mut rest = &said[..];
            for (record, wire) in everything(&capture) {
                if record.direction != direction || wire.is_empty() {
                    continue;
                }
                let at = rest.windows(wire.len()).position(|window| window == wire);
                prop_assert!(at.is_some(), "record {} was not said", record.no);
                rest = &rest[at.unwrap_or(0) + wire.len()..];
            }
        }
        // A file of what is known gives the same again.
        let again = opened(&exported(&capture, Format::Pcapng));
        prop_assert_eq!(shape(&again), shape(&capture));
        prop_assert_eq!(rules(&again), []);
    }
}

#[test]
fn after_a_lost_record_the_next_ones_are_decrypted() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[100_000]);
        talk.shake_hands();
        talk.say(true, REQUEST.as_bytes());
        talk.say(false, RESPONSE.as_bytes());
        let first = talk.segments().len();
        for n in 0..40u8 {
            talk.say(false, &frame(true, Opcode::Binary, None, &[n; 20]));
        }
        talk.say(true, &frame(true, Opcode::Close, Some([1, 2, 3, 4]), b"\x03\xe8"));
        talk.say(false, &frame(true, Opcode::Close, None, b"\x03\xe8"));
        talk.close();
        // 21 records in a row, each in a segment.
        let lost: Vec<usize> = (5..26).collect();
        let capture = decrypted(&PLAIN.file(&without(talk.segments(), first, &lost)), &peers.log());
        let frames = shape(&capture).iter().filter(|(kind, ..)| *kind == Kind::Frame).count();
        assert_eq!((frames, rules(&capture)), (21, vec![]), "{suite:?}");
        let gaps: Vec<_> =
            capture.records(1..u64::MAX).iter().filter(|r| r.kind == Kind::Gap).map(|r| r.loss).collect();
        assert_eq!(gaps, [Loss::Estimated]);
    }
}

#[test]
fn a_lost_packet_without_application_data_loses_no_record() {
    let messages: Vec<(bool, usize)> = (0..40).map(|n| (n % 2 == 0, 20 + n)).collect();
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[MSS]);
        talk.shake_hands();
        let handshake = talk.segments().len();
        for (up, bytes) in conversation(&messages) {
            talk.say(up, &bytes);
        }
        talk.close();
        let records = |capture: &Capture| {
            let mut records = shape(capture);
            // The ends may come in another order.
            records.retain(|(kind, ..)| !matches!(kind, Kind::End(_)));
            records
        };
        let whole = decrypted(&PLAIN.file(talk.segments()), &peers.log());
        // The last packet of the client's handshake: its Finished.
        let finished = (0..handshake).rev().find(|n| talk.segments()[*n].up && !talk.segments()[*n].payload.is_empty());
        let finished = finished.expect("a Finished");
        for begin in [0, 3] {
            let kept = talk.segments().iter().enumerate().skip(begin).filter(|(n, _)| *n != finished);
            let kept: Vec<Segment> = kept.map(|(_, segment)| segment.clone()).collect();
            let capture = decrypted(&PLAIN.file(&kept), &peers.log());
            assert_eq!((rules(&capture), notices(&capture)), (vec![], String::new()), "{suite:?} {begin}");
            assert_eq!(records(&capture), records(&whole), "{suite:?} {begin}");
        }
    }
}

#[test]
fn losses_in_both_directions_do_not_move_a_response_before_its_request() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let mut talk = peers.connect(&[300]);
        talk.shake_hands();
        let handshake = talk.segments().iter().filter(|segment| !segment.payload.is_empty()).count();
        for (up, bytes) in conversation(&[(false, 0)]) {
            talk.say(up, &bytes);
        }
        talk.close();
        for first in 2..handshake {
            for second in first + 1..handshake {
                let capture = decrypted(&PLAIN.file(&without(talk.segments(), 0, &[first, second])), &peers.log());
                assert_eq!(rules(&capture), [], "{suite:?} without {first} and {second}");
            }
        }
    }
}

#[test]
fn a_connection_that_ends_inside_its_handshake_is_shown_as_it_is() {
    let (segments, key_log) = trace();
    let mut cut = segments[..4].to_vec();
    for up in [true, false] {
        let last = cut.iter().rev().find(|segment| segment.up == up).expect("a segment").clone();
        let seq = last.seq.wrapping_add(last.payload.len() as u32).wrapping_add(u32::from(last.flags & 2 != 0));
        cut.push(Segment { seq, flags: FIN | 0x10, payload: Vec::new(), ..last });
    }
    let capture = decrypted(&PLAIN.file(&cut), key_log);
    let kinds: Vec<Kind> = shape(&capture).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds.first(), Some(&Kind::Junk));
    assert_eq!((kinds.len(), capture.totals().open), (3, 0));
}
