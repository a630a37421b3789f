//! What `open`, `check` and `export` read from a file or from stdin: the first bytes decide, then the form of a paste.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::forms::{BASE64, FORMS};
use crate::support::program::{command, run, run_with};
use crate::support::{exported, frame, sample, sample_path};
use flate2::Compression;
use flate2::write::GzEncoder;
use framescope::export::Format;
use framescope::wire::opcode::Opcode;

/// A masked and an unmasked frame.
fn frames() -> [Vec<u8>; 2] {
    [frame(true, Opcode::Text, Some([0x37, 0xfa, 0x21, 0x3d]), b"Hello"), frame(true, Opcode::Ping, None, b"\xff")]
}

/// The wire bytes of the frames in NDJSON, in hex.
fn frames_in(ndjson: &str) -> Vec<String> {
    let objects = ndjson.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let frames = objects.filter(|object| object["type"] == "frame");
    frames.map(|object| object["wire"].as_str().expect("hex").to_owned()).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

#[test]
fn a_capture_on_stdin_is_read_as_the_file_is() {
    let hello = sample("hello");
    let pcapng = fs::read(sample_path("hello")).expect("a file");
    let har = exported(&hello, Format::Har);
    let inputs = [gzipped(&pcapng), pcapng, exported(&hello, Format::Ndjson), gzipped(&har), har];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("capture");
    for input in inputs {
        fs::write(&path, &input).expect("written");
        let path = path.to_str().expect("UTF-8");
        for command in ["export --to ndjson", "check --fail-on info", "check --json"] {
            let (line, file) = (|path| command.split(' ').chain([path]).collect::<Vec<&str>>(), path);
            let (from_file, from_stdin) = (run(&line(file)), run_with(&line("-"), &input));
            let named = |text: &str| text.replace(file, "stdin");
            assert_eq!((from_file.0, named(&from_file.1), named(&from_file.2)), from_stdin, "{command}");
        }
    }
}

#[test]
fn a_compressed_paste_is_read_as_the_paste_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (plain, zipped) = (folder.path().join("a.txt"), folder.path().join("a.txt.gz"));
    let text = "00000000: 8105 4865 6c6c 6f                        ..Hello\n";
    fs::write(&plain, text).expect("written");
    fs::write(&zipped, gzipped(text.as_bytes())).expect("written");
    let [expected, found] = [&plain, &zipped].map(|path| {
        let path = path.to_str().expect("UTF-8");
        run(&["export", path, "--to", "ndjson", "-o", "-"]).1
    });
    assert!(expected.contains("\"text\":\"Hello\""), "{expected}");
    assert_eq!(found, expected);
    let (_, decoded, _) = run_with(&["decode", "--json", "-"], &gzipped(text.as_bytes()));
    assert_eq!(decoded, expected);
    // Without text, the bytes in it are no frames, unless the user says so.
    fs::write(&zipped, gzipped(&[0x89, 0])).expect("written");
    assert_eq!(run(&["open", zipped.to_str().expect("UTF-8")]).0, Some(1));
}

#[test]
fn a_fifo_is_read_as_the_file_is() {
    let path = sample_path("violations");
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [("pcapng", fs::read(&path).expect("a file")), ("text", b"81 05 48 65 6c 6c 6f".to_vec())] {
        let [fifo, file] = ["fifo", "file"].map(|kind| folder.path().join(format!("{name}.{kind}")));
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).expect("a FIFO");
        fs::write(&file, &bytes).expect("written");
        let writer = thread::spawn({
            let fifo = fifo.clone();
            move || fs::write(fifo, bytes)
        });
        let [of_fifo, of_file] = [fifo, file].map(|path| {
            let path = path.to_str().expect("UTF-8");
            let (code, out, _) = run(&["check", path, "--json"]);
            (code, out.replace(path, "stdin"))
        });
        assert_eq!(of_fifo, of_file, "{name}");
        writer.join().expect("a thread").expect("written");
    }
}

#[test]
fn findings_of_a_capture_on_stdin_are_printed_while_it_arrives() {
    let bytes = fs::read(sample_path("violations")).expect("a file");
    let mut child =
        command(&["check", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    let (mut to, from) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    // Two thirds of the capture, with a packet that is not complete.
    to.write_all(&bytes[..bytes.len() * 2 / 3]).expect("written");
    let mut lines = BufReader::new(from).lines();
    let first = lines.next().expect("a line").expect("UTF-8");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&first).expect("JSON")["severity"], "error");
    to.write_all(&bytes[bytes.len() * 2 / 3..]).expect("written");
    drop(to);
    let rest = lines.map(|line| line.expect("UTF-8"));
    let path = sample_path("violations");
    let of_file = run(&["check", &path, "--json"]).1.replace(&path, "stdin");
    assert_eq!(std::iter::once(first).chain(rest).collect::<Vec<_>>(), of_file.lines().collect::<Vec<_>>());
    assert_eq!(child.wait().expect("ended").code(), Some(1));
}

#[test]
fn sigint_ends_stdin_and_the_findings_of_what_has_arrived_count() {
    let path = sample_path("violations");
    let expected = run(&["check", &path, "--json"]);
    let mut child = command(&["check", "-", "--json"]);
    let mut child =
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(&fs::read(&path).expect("the sample")).expect("written");
    // After the first finding, signals are caught. The pipe stays open.
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let mut found = String::new();
    stdout.read_line(&mut found).expect("a finding");
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    stdout.read_to_string(&mut found).expect("text");
    let mut said = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    assert_eq!(
        (child.wait().expect("ended").code(), found.replace("stdin", &path)),
        (expected.0, expected.1),
        "{said}"
    );
    assert!(said.contains("SIGINT"), "{said}");
    drop(stdin);
}

#[test]
fn pasted_frames_are_read_from_stdin_and_from_files() {
    let [up, down] = frames();
    let bytes = [up.clone(), down.clone()].concat();
    let expected = [hex::encode(&up), hex::encode(&down)];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.txt");
    for (name, write) in FORMS.iter().chain(BASE64) {
        let text = write(&bytes);
        let (code, ndjson, says) = run_with(&["export", "-", "--to", "ndjson"], text.as_bytes());
        assert_eq!((code, frames_in(&ndjson).as_slice()), (Some(0), &expected[..]), "{name}: {says}");
        assert!(says.starts_with("framescope: stdin: read as "), "{name}: {says}");
        fs::write(&path, text).expect("written");
        let of_file = run(&["export", path.to_str().expect("UTF-8"), "--to", "ndjson"]);
        assert_eq!((of_file.0, of_file.1), (Some(0), ndjson), "{name}");
    }
    // Bytes that are no text.
    let (code, ndjson, _) = run_with(&["export", "-", "--to", "ndjson"], &bytes);
    assert_eq!((code, frames_in(&ndjson).as_slice()), (Some(0), &expected[..]));
}

#[test]
fn a_paste_becomes_a_pcapng_file_that_opens() {
    let bytes = frames().concat();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("paste.pcapng");
    let path = path.to_str().expect("UTF-8");
    for (filter, expected) in [("", frames().to_vec()), ("no == 2", vec![frames()[1].clone()])] {
        let line = ["export", "-", "--to", "pcapng", "--force", "-o", path, "--filter", filter];
        let line = if filter.is_empty() { &line[..7] } else { &line };
        let (code, _, err) = run_with(line, hex::encode(&bytes).as_bytes());
        assert_eq!(code, Some(0), "{err}");
        let (_, ndjson, _) = run(&["export", path, "--to", "ndjson"]);
        assert_eq!(frames_in(&ndjson), expected.iter().map(hex::encode).collect::<Vec<_>>());
        assert_eq!(ndjson.lines().filter(|line| line.contains("\"type\":\"response\"")).count(), 1);
    }
}

#[test]
fn check_judges_a_paste() {
    let unmasked_close = frame(true, Opcode::Close, None, &[3]);
    let (code, out, err) = run_with(&["check", "-", "--json"], hex::encode(&unmasked_close).as_bytes());
    let finding: serde_json::Value = serde_json::from_str(out.trim()).expect(&err);
    assert_eq!(
        (code, finding["rule"].as_str(), finding["record"].as_u64()),
        (Some(1), Some("close-payload-one-byte"), Some(1))
    );
    let (code, out, _) = run_with(&["check", "-"], b"81 00");
    assert_eq!((code, out.as_str()), (Some(0), ""));
}

#[test]
fn bytes_in_a_file_are_frames_only_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("frames.bin");
    fs::write(&path, frames().concat()).expect("written");
    let path = path.to_str().expect("UTF-8");
    let (code, out, err) = run(&["export", path, "--to", "ndjson"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("--as raw"), "{err}");
    let (code, ndjson, _) = run(&["export", path, "--to", "ndjson", "--as", "raw"]);
    assert_eq!((code, frames_in(&ndjson)), (Some(0), frames().map(hex::encode).to_vec()));
}

#[test]
fn text_of_no_form_is_refused_with_the_flag_that_settles_it() {
    for (input, flag) in [("no frames", "--as hex|decimal|base64|text|raw"), ("129 5 72 1", "--as decimal")] {
        let (code, out, err) = run_with(&["check", "-"], input.as_bytes());
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(err.starts_with("framescope: stdin ") && err.contains(flag) && err.lines().count() == 1, "{err}");
    }
    let (code, ndjson, _) = run_with(&["export", "-", "--to", "ndjson", "--as", "decimal"], b"129 1 72");
    assert_eq!((code, frames_in(&ndjson)), (Some(0), vec!["810148".to_owned()]));
    for input in [&b""[..], b" \n", &[0x1f, 0x8b, 8, 0]] {
        let (code, _, err) = run_with(&["check", "-"], input);
        assert_eq!((code, err.lines().count()), (Some(1), 1), "{err}");
    }
}

#[test]
fn deflate_applies_to_a_paste() {
    // A compressed text message of one byte that is not UTF-8 (RFC 7692 §7.2.3.1, a stored block).
    let payload = [0x00, 0x01, 0x00, 0xfe, 0xff, 0xff, 0x00];
    let compressed = crate::support::compressed_frame(true, Opcode::Text, None, &payload);
    let rules = |flags: &[&str]| {
        let (_, out, _) = run_with(&[&["check", "-", "--json"], flags].concat(), hex::encode(&compressed).as_bytes());
        out.lines().filter(|line| line.contains("\"inflated-not-utf8\"")).count()
    };
    assert_eq!((rules(&[]), rules(&["--deflate"])), (0, 1));
}

#[test]
fn stdin_cannot_be_followed() {
    let (code, _, err) = run_with(&["open", "-", "--follow"], b"");
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(run(&["open", "x", "--follow", "--as", "hex"]).0, Some(2));
}
