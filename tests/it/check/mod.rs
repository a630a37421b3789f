//! `framescope check` from outside: lines, JSON, exit statuses, and the rules that error messages name. Its submodules: captures that
//! are empty or damaged, several captures, and other formats.

mod faults;
mod files;
mod formats;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::program::{command, numbers, run};
use crate::support::{DOWN, UP, Wire, frame, rules, sample, sample_path};
use framescope::explain;
use framescope::proto::rules::Rule;
use framescope::wire::opcode::Opcode;

/// Exit status, stdout and stderr of `framescope check …`.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    run(&[&["check"], arguments].concat())
}

/// A capture in a folder of its own.
fn capture(fill: impl FnOnce(&mut Wire)) -> (tempfile::TempDir, PathBuf) {
    let mut wire = Wire::upgraded();
    fill(&mut wire);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    fs::copy(wire.capture().path(), &path).expect("copied");
    (folder, path)
}

fn name(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A capture whose worst finding is an error, a warning or an info, or none.
fn with(worst: &str) -> (tempfile::TempDir, PathBuf) {
    capture(|wire| match worst {
        "error" => wire.say(UP, &frame(true, Opcode::Text, None, b"bare")),
        "warning" => wire.say(UP, &frame(true, Opcode::Text, Some([0; 4]), b"zero")),
        "info" => wire.say(DOWN, &frame(true, Opcode::Pong, None, b"")),
        _ => wire.ticks(1),
    })
}

#[test]
fn every_finding_of_the_sample_is_a_line_with_its_position() {
    let file = sample_path("violations");
    let (status, out, err) = check(&[&file]);
    assert_eq!(status, Some(1));
    let ids: Vec<&str> = rules(&sample("violations")).iter().map(|rule| rule.id()).collect();
    assert_eq!((ids.len(), out.lines().count()), (36, 36), "{out}");
    for (line, id) in out.lines().zip(&ids) {
        assert!(line.contains(&format!("[{id}]: ")), "{id}: {line}");
    }
    let (start, end) = (format!("{file}:record 3: error[client-frame-unmasked]: "), "(RFC 6455 §5.1, bit 8) · ");
    let first = out.lines().next().unwrap_or_default();
    assert!(first.starts_with(&start) && first.contains(end) && first.ends_with(" · 0.100274 s"), "{first}");
    let interrupted = out.lines().find(|line| line.contains("[message-interrupted]")).expect("the finding");
    assert!(interrupted.contains("(RFC 6455 §5.4, bits 4–7, about record 14)"), "{interrupted}");
    let counts = err.strip_prefix(&format!("framescope: {file}: ")).expect(&err);
    assert_eq!(numbers(counts), [20, 3, 13, 48], "errors, warnings, info and records");
    assert!(!out.contains('\x1b'), "no colour where no terminal is");
}

#[test]
fn json_is_an_object_a_line_with_the_finding_as_ndjson_has_it() {
    let file = sample_path("violations");
    let (status, out, _) = check(&[&file, "--json"]);
    assert_eq!(status, Some(1));
    let mut expected = Vec::new();
    for line in run(&["export", &file, "--to", "ndjson"]).1.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
        for finding in record["findings"].as_array().expect("an array") {
            let mut object = finding.clone();
            object["v"] = 1.into();
            object["file"] = file.as_str().into();
            object["record"] = record["no"].clone();
            for key in ["conn", "dir", "time"] {
                object[key] = record[key].clone();
            }
            expected.push(object);
        }
    }
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, expected);
    let mut keys: Vec<_> = lines[0].as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    let all = ["about", "bits", "conn", "dir", "file", "record", "rule", "section", "severity", "text", "time", "v"];
    assert_eq!(keys, all);
}

#[test]
fn the_exit_status_follows_the_threshold() {
    for (worst, on_error, on_warning, on_info) in
        [("error", 1, 1, 1), ("warning", 0, 1, 1), ("info", 0, 0, 1), ("nothing", 0, 0, 0)]
    {
        let (_folder, path) = with(worst);
        assert_eq!(check(&[name(&path)]).0, Some(on_error), "{worst}");
        for (level, status) in [("error", on_error), ("warning", on_warning), ("info", on_info)] {
            assert_eq!(check(&[name(&path), "--fail-on", level]).0, Some(status), "{worst} {level}");
            assert_eq!(check(&["--json", "--fail-on", level, name(&path)]).0, Some(status), "{worst} {level}");
        }
    }
    let (_folder, path) = with("nothing");
    let (_, out, err) = check(&[name(&path)]);
    assert_eq!(out, "");
    assert_eq!(numbers(err.strip_prefix(&format!("framescope: {}: ", name(&path))).expect(&err)), [6], "{err}");
}

#[test]
fn an_unreadable_file_is_one_line_and_wrong_usage_is_status_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let foreign = folder.path().join("x.txt");
    fs::write(&foreign, "hello").expect("written");
    for path in [name(&foreign), "/no/such/file", name(folder.path())] {
        let (status, out, err) = check(&[path]);
        assert_eq!((status, out.as_str(), err.lines().count()), (Some(1), "", 1), "{path}: {err}");
    }
    for line in [
        &[][..],
        &["a", "--fail-on", "nothing"],
        &["a", "--format", "xml"],
        &["a", "--format", "junit", "--json"],
        &["a", "--explain", "x"],
        &["--explain"],
        &["--explain", "x", "--json"],
        &["--explain", "x", "--fail-on", "error"],
        &["--explain", "x", "--allow-empty"],
        &["a", "b", "--explain", "x"],
    ] {
        let (status, out, err) = check(line);
        assert!(status == Some(2) && out.is_empty() && !err.is_empty(), "{line:?}: {status:?} {out} {err}");
    }
}

#[test]
fn captured_text_reaches_no_terminal_raw() {
    let (_folder, path) = capture(|wire| {
        let other = wire.recording.connect(50_009);
        let bytes = b"GET /\x1b]0;evil\x07 HTTP/1.1\r\nHost: a\x1b\r\nUpgrade: websocket\r\nX\x1b[2J y\r\n\r\n";
        wire.recording.say(&other, UP, bytes);
    });
    for arguments in [&[name(&path)][..], &[name(&path), "--json"]] {
        let (status, out, _) = check(arguments);
        assert_eq!(status, Some(1));
        assert!(out.contains("evil") && !out.chars().any(|c| c.is_control() && c != '\n'), "{out}");
    }
}

#[test]
fn a_closed_stdout_ends_it_without_an_error() {
    let (_folder, path) = capture(|wire| {
        for _ in 0..5_000 {
            wire.say(UP, &frame(true, Opcode::Text, None, b"bare"));
        }
    });
    let mut child = command(&["check", name(&path)]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.contains("client-frame-unmasked"), "{line}");
    let output = child.wait_with_output().expect("ended");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]), "{output:?}");
}

#[test]
fn an_error_message_leads_to_its_rule() {
    let (status, out, err) = check(&["--explain", "RSV1 must be clear"]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("rsv1-set · error · RFC 6455 §5.2 · bit 1"));
    assert_eq!(lines.next().map(str::trim), Some(Rule::Rsv1Set.summary().as_str()));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&out).contains(&explain::rule(Rule::Rsv1Set).text), "{out}");
    assert!(out.contains("Invalid WebSocket frame: RSV1 must be clear"), "the whole message of a library: {out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    for (text, rule) in [
        ("client-frame-unmasked", "client-frame-unmasked"),
        ("Error: Invalid WebSocket frame: MASK must be set", "client-frame-unmasked"),
        ("websocket: bad opcode 7", "opcode-reserved"),
        ("One or more reserved bits are on: reserved1 = 0, reserved2 = 1, reserved3 = 0", "rsv2-set"),
        ("must not be fragmented", "control-fragmented"),
    ] {
        let (status, out, _) = check(&["--explain", text]);
        assert_eq!(status, Some(0), "{text}");
        assert!(out.starts_with(&format!("{rule} · ")), "{text}: {out}");
    }
    let (_, out, _) = check(&["--explain", "5.2"]);
    let of_section: Vec<&str> =
        Rule::ALL.iter().filter(|rule| rule.section() == "RFC 6455 §5.2").map(|rule| rule.id()).collect();
    assert_eq!(out.lines().filter(|line| line.contains(" · RFC 6455 §5.2")).count(), 5, "{out}");
    assert!(of_section.len() > 5 && of_section.iter().all(|id| out.contains(id)), "each is named: {out}");
}

#[test]
fn an_error_message_leads_to_its_situation_or_code() {
    for (text, id) in [
        ("Server sent no subprotocol", "subprotocol-not-chosen"),
        ("1002", "close code 1002"),
        ("received 1012 (service restart); then sent 1012 (service restart)", "close code 1012"),
        ("websocket: close 4401: token expired", "close code 4401"),
        (
            "WebSocket connection to 'wss://a/' failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED",
            "connection-refused",
        ),
    ] {
        let (status, out, err) = check(&["--explain", text]);
        assert_eq!((status, err.as_str()), (Some(0), ""), "{text}");
        assert!(out.starts_with(&format!("{id} · ")) && out.contains("\n  next: "), "{text}: {out}");
    }
    let (_, out, _) = check(&["--explain", "Error: Unexpected server response: 403"]);
    assert!(out.starts_with("status-not-101 · ") && out.contains("\nstatus 403 · "), "{out}");
}

#[test]
fn similar_messages_are_guesses_and_fail() {
    let (status, out, err) = check(&["--explain", "the server has sent a frame that was masked"]);
    assert_eq!((status, err.lines().count()), (Some(1), 1), "{err}");
    let guesses: Vec<&str> = out.lines().filter(|line| line.contains(" · RFC ")).collect();
    assert!(guesses.len() == 3 && guesses.iter().all(|line| line.starts_with("guess: ")), "{out}");
    assert!(guesses[0].starts_with("guess: server-frame-masked · "), "{out}");
}

#[test]
fn a_message_without_a_rule_is_one_line() {
    for text in ["bananas", "", "\x1b[31m"] {
        let (status, out, err) = check(&["--explain", text]);
        assert_eq!((status, out.as_str(), err.lines().count()), (Some(1), "", 1), "{text}: {err}");
        assert!(!err.contains('\x1b'), "{err}");
    }
}
