//! Sessions that are renegotiated, and key logs that lack some secrets of a session or have other white space.

use crate::key_log::{decrypted, notices, recorded, said, trace};
use crate::support::packets::PLAIN;
use crate::support::tls::{Peers, suites};
use crate::support::{DOWN, UP, rules};
use framescope::proto::dissected::Kind;

#[test]
fn a_renegotiated_session_is_decrypted() {
    let records = include_str!("../data/renegotiated.records");
    let key_log = include_str!("../data/renegotiated.keys");
    let file = PLAIN.file(&recorded(records));
    let capture = decrypted(&file, key_log);
    assert_eq!(String::from_utf8_lossy(&said(&capture, UP)), "first line\nsecond line\nthird line\n");
    assert_eq!(String::from_utf8_lossy(&said(&capture, DOWN)), "enil tsrif\nenil dnoces\nenil driht\n");
    assert_eq!(notices(&capture), "");
    // Each handshake has a secret of its own.
    let secrets: Vec<&str> = key_log.lines().filter(|line| line.starts_with("CLIENT_RANDOM")).collect();
    let capture = decrypted(&file, &secrets[..1].join("\n"));
    assert_eq!(String::from_utf8_lossy(&said(&capture, UP)), "first line\n");
    assert_eq!(capture.records(1..u64::MAX).iter().filter(|record| record.kind == Kind::Gap).count(), 2);
    assert!(notices(&capture).contains("no secret for the session"), "{}", notices(&capture));
}

#[test]
fn a_key_log_with_the_secrets_of_one_side_decrypts_that_side() {
    let suite = suites().into_iter().find(|suite| suite.tls13().is_some()).expect("a suite of TLS 1.3");
    let peers = Peers::new(suite, None);
    let mut talk = peers.connect(&[1400]);
    talk.shake_hands();
    for up in [true, false] {
        talk.say(up, if up { b"what the client says" } else { b"what the server says" });
    }
    talk.close();
    let file = PLAIN.file(talk.segments());
    for (up, lacking) in [(true, "SERVER"), (false, "CLIENT")] {
        for part in ["", "_TRAFFIC_SECRET_0"] {
            let lacking = format!("{lacking}{part}");
            let log: Vec<String> =
                peers.log().lines().map(str::to_owned).filter(|l| !l.starts_with(&lacking)).collect();
            let capture = decrypted(&file, &log.join("\n"));
            let (read, unread) = if up { (UP, DOWN) } else { (DOWN, UP) };
            assert_eq!((said(&capture, read), said(&capture, unread)), (talk.said[usize::from(!up)].clone(), vec![]));
            let gaps = capture.records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Gap);
            assert!(gaps.map(|gap| gap.direction).eq([unread]), "{lacking}");
            let who = if up { "server" } else { "client" };
            assert!(notices(&capture).contains(&format!("what the {who} sent")), "{}", notices(&capture));
            assert_eq!(rules(&capture), []);
        }
    }
}

#[test]
fn white_space_and_other_lines_of_a_key_log_do_not_matter() {
    let (segments, key_log) = trace();
    let upper = |line: &str| {
        let (label, rest) = line.split_once(' ').unwrap_or((line, ""));
        format!("{label} {}\n", rest.to_ascii_uppercase())
    };
    for log in [
        key_log.replace('\n', "\r\n"),
        key_log.replace('\n', " \t\n"),
        format!("\u{feff}  {}", key_log.replace(' ', "  ").replace("  ", "\t ")),
        key_log.lines().rev().map(upper).collect::<String>(),
        format!("# a comment\n\nECH_SECRET {} 00\n{key_log}{key_log}", "00".repeat(32)),
    ] {
        let capture = decrypted(&PLAIN.file(&segments), &log);
        assert_eq!((said(&capture, UP).len(), said(&capture, DOWN).len()), (50, 50), "{log}");
        assert_eq!(notices(&capture), "", "{log}");
    }
}
