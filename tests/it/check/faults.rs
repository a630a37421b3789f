//! Captures without frames, and damaged ones: they fail, unless a flag accepts them.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::{check, name, with};
use crate::support::encapsulation::{file, ip, udp};
use crate::support::packets::PLAIN;
use crate::support::program::run;
use crate::support::tcp::Tcp;
use crate::support::{DOWN, Recording, UP, bare_request, exported, handshake, opened, sample};
use framescope::export::Format;

/// A record with a ClientHello, or the beginning of one.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";

fn written(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x");
    fs::write(&path, content).expect("written");
    (folder, path)
}

/// A capture with a connection for each list of what client and server say.
fn spoken(connections: &[&[(bool, &[u8])]]) -> Vec<u8> {
    let mut recording = Recording::new();
    for (port, said) in (50_000..).zip(connections) {
        let connection = recording.connect(port);
        for (up, bytes) in *said {
            recording.say(&connection, if *up { UP } else { DOWN }, bytes);
        }
    }
    exported(recording.capture(), Format::Pcapng)
}

#[test]
fn a_capture_without_frames_fails_and_names_what_it_has_instead() {
    let get =
        bare_request("/", "localhost").replace("Upgrade: websocket\r\n", "").replace("Connection: Upgrade\r\n", "");
    let get = get.lines().filter(|line| !line.starts_with("Sec-")).collect::<Vec<_>>().join("\r\n") + "\r\n\r\n";
    let get = get.replace("\r\n\r\n\r\n", "\r\n\r\n");
    let ok: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let tls: &[(bool, &[u8])] = &[(true, CLIENT_HELLO)];
    let http: &[(bool, &[u8])] = &[(true, get.as_bytes()), (false, ok)];
    let tunnel: &[(bool, &[u8])] = &[
        (true, b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"),
        (false, b"HTTP/1.1 200 OK\r\n\r\n"),
        (true, CLIENT_HELLO),
    ];
    let [request, response] = handshake("/", "dGhlIHNhbXBsZSBub25jZQ==", [""; 2]);
    let upgraded: &[(bool, &[u8])] = &[(true, request.as_bytes()), (false, response.as_bytes())];
    let tunnel_packet = || ip(false, 17, &udp(4790, &[0x0c, 0, 0, 1, 0, 0, 1, 0, 0xaa, 0xaa]), None, 1).remove(0);
    let silent = Tcp::open(100, 200);
    let cases: Vec<(&str, Vec<u8>, Vec<&str>)> = vec![
        ("TLS", spoken(&[tls; 4]), vec!["(4 TLS connections; "]),
        ("TLS in a tunnel", spoken(&[tunnel]), vec!["(1 TLS connection"]),
        ("HTTP", spoken(&[http, http]), vec!["(2 connections with HTTP alone)"]),
        ("a mixture", spoken(&[http, tls]), vec!["(1 TLS connection; 1 connection with HTTP alone; "]),
        ("a handshake", spoken(&[upgraded]), vec!["(1 connection with a WebSocket handshake and no frame)"]),
        ("bytes", spoken(&[&[(true, b"\0\x01\x02\x03 neither")]]), vec!["(1 connection with unrecognized bytes"]),
        (
            "a tunnel",
            file(101, &vec![tunnel_packet(); 12]),
            vec!["(12 packets in VXLAN-GPE, which framescope does not read)"],
        ),
        ("a link type", file(189, &[vec![0; 64]]), vec!["(1 packet of link type 189 (Linux USB), which "]),
        ("no packet", file(101, &[]), vec!["(no connection has data)"]),
        ("no data", PLAIN.file(&silent.segments), vec!["(no connection has data)"]),
        ("no entry", br#"{"log":{"entries":[]}}"#.to_vec(), vec!["(this HAR has no entries)"]),
        (
            "no WebSocket",
            br#"{"log":{"entries":[{"request":{"url":"http://a/"}}]}}"#.to_vec(),
            vec!["(the only entry of this HAR is not a WebSocket)"],
        ),
    ];
    for (what, content, parts) in cases {
        let (_folder, path) = written(&content);
        let path = name(&path);
        for arguments in
            [&[path][..], &["--allow-damaged", "--fail-on", "info", path], &["--filter", "op == text", path]]
        {
            let (status, out, err) = check(arguments);
            assert_eq!((status, out.as_str()), (Some(1), ""), "{what}: {err}");
            let last = err.lines().last().unwrap_or_default();
            let start = format!("framescope: no WebSocket frames in {path} (");
            assert!(last.starts_with(&start) && last.ends_with("; --allow-empty accepts this"), "{what}: {err}");
            for part in &parts {
                assert!(last.contains(part), "{what}: {part}: {err}");
            }
        }
        let (status, out, err) = check(&["--allow-empty", path]);
        assert_eq!((status, out.as_str()), (Some(0), ""), "{what}: {err}");
        assert!(err.contains(parts[0]) && !err.contains("--allow-empty"), "{what}: {err}");
        assert_eq!(run(&["export", path, "--to", "ndjson", "-o", "-"]).0, Some(0), "{what}");
    }
}

#[test]
fn findings_of_a_capture_without_frames_are_printed_too() {
    let request = bare_request("/chat", "localhost").replace("GET", "POST");
    let (_folder, path) = written(&spoken(&[&[(true, request.as_bytes())]]));
    let (status, out, err) = check(&[name(&path)]);
    assert!(out.contains("[method-not-get]"), "{out}");
    assert_eq!((status, err.lines().count()), (Some(1), 2), "the counts and the fault: {err}");
    assert_eq!(check(&[name(&path), "--allow-empty"]).0, Some(1), "the finding is an error");
    let (status, out, _) = check(&[name(&path), "--allow-empty", "--filter", "finding == host-missing"]);
    assert_eq!((status, out.as_str()), (Some(0), ""));
}

#[test]
fn a_filter_that_matches_nothing_is_no_fault() {
    let (_folder, path) = with("error");
    for filter in ["op == close", "len > 1000000", "not finding"] {
        let (status, out, err) = check(&[name(&path), "--filter", filter]);
        assert_eq!((status, out.as_str(), err.lines().count()), (Some(0), "", 1), "{filter}: {err}");
    }
    assert_eq!(check(&[name(&path), "--filter", "op == text"]).0, Some(1));
    assert_eq!(check(&[name(&path), "--filter", "op == text", "--allow-empty", "--allow-damaged"]).0, Some(1));
}

/// The bytes of a file with damage after its frames, by what is damaged.
fn damaged() -> Vec<(&'static str, Vec<u8>)> {
    let (_folder, path) = with("nothing");
    let pcapng = fs::read(path).expect("read");
    let mut cut = pcapng.clone();
    cut.truncate(pcapng.len() - 3);
    let bad_block = [&pcapng[..], &[6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]].concat();
    let bad_end = [&pcapng[..], &[6, 0, 0, 0, 200, 0]].concat();
    let mut pcap = PLAIN.file(&Tcp::conversation(1, 2).segments);
    pcap.truncate(pcap.len() - 1);
    let ndjson = exported(&opened(&pcapng), Format::Ndjson);
    let bad_line = [&ndjson[..], b"{\"v\":1,\n"].concat();
    let foreign_line = [&ndjson[..], b"hello\n"].concat();
    let mut har = exported(&sample("hello"), Format::Har);
    har.truncate(har.len() - 10);
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("compressed")
    };
    let damage_in_gzip = gzip(&bad_end);
    let mut cut_gzip = gzip(&pcapng);
    cut_gzip.truncate(cut_gzip.len() - 4);
    let mut wrong_sum = gzip(&ndjson);
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    vec![
        ("a truncated pcapng", cut),
        ("a bad block", bad_block),
        ("the head of a block", bad_end),
        ("a truncated pcap", pcap),
        ("a truncated line", bad_line),
        ("a line that is not JSON", foreign_line),
        ("a truncated HAR", har),
        ("a truncated gzip", cut_gzip),
        ("a gzip with a wrong checksum", wrong_sum),
        ("damage within gzip", damage_in_gzip),
    ]
}

#[test]
fn a_damaged_file_fails_after_the_findings_before_the_damage() {
    for (what, content) in damaged() {
        let (_folder, path) = written(&content);
        let path = name(&path);
        for arguments in [&[path][..], &[path, "--allow-empty"], &[path, "--filter", "op == binary"]] {
            let (status, _, err) = check(arguments);
            let last = err.lines().last().unwrap_or_default();
            assert_eq!(status, Some(1), "{what}: {err}");
            assert!(last.contains(path) && last.ends_with("; --allow-damaged accepts this"), "{what}: {err}");
        }
        let (status, _, err) = check(&[path, "--allow-damaged"]);
        assert_eq!(status, Some(0), "{what}: {err}");
        assert!(err.lines().count() >= 2 && !err.contains("--allow"), "the damage is still reported: {what}: {err}");
        let (status, out, err) = run(&["export", path, "--to", "ndjson", "-o", "-"]);
        assert!(status == Some(0) && out.lines().count() >= 4 && !err.is_empty(), "{what}: {status:?} {err}");
    }
}

#[test]
fn damage_and_findings_fail_independently() {
    let (folder, path) = with("warning");
    let damaged = folder.path().join("damaged");
    let mut bytes = fs::read(&path).expect("read");
    bytes.extend_from_slice(&[6, 0, 0, 0, 200, 0]);
    fs::write(&damaged, bytes).expect("written");
    for (path, arguments, status) in [
        (&path, &["--fail-on", "error"][..], 0),
        (&path, &["--fail-on", "warning"], 1),
        (&path, &["--fail-on", "warning", "--allow-damaged", "--allow-empty"], 1),
        (&damaged, &["--fail-on", "error"], 1),
        (&damaged, &["--fail-on", "error", "--allow-damaged"], 0),
        (&damaged, &["--fail-on", "warning", "--allow-damaged"], 1),
        (&damaged, &["--fail-on", "warning", "--allow-damaged", "--filter", "op == ping"], 0),
        (&damaged, &["--fail-on", "warning", "--filter", "op == ping"], 1),
    ] {
        let (found, out, err) = check(&[&[name(path)], arguments].concat());
        assert_eq!(found, Some(status), "{arguments:?}: {out}{err}");
        let is_filtered = arguments.contains(&"--filter");
        assert_eq!(out.contains("[masking-key-zero]"), !is_filtered, "findings before the damage are printed: {out}");
    }
}

#[test]
fn a_file_that_is_empty_and_damaged_needs_both_flags() {
    let (_folder, path) = written(&[&file(101, &[])[..], &[0; 7]].concat());
    for (flags, status) in
        [(&[][..], 1), (&["--allow-empty"], 1), (&["--allow-damaged"], 1), (&["--allow-empty", "--allow-damaged"], 0)]
    {
        let (found, _, err) = check(&[&[name(&path)], flags].concat());
        assert_eq!((found, err.lines().count()), (Some(status), 2), "{flags:?}: {err}");
    }
}
