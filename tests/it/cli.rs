//! The command line from outside: exit statuses, single lines on stderr, what the commands print.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::schema::{CutFrame, Line};
use crate::support::{RESPONSE, bare_request, frame, sample_path};
use assert_cmd::cargo::cargo_bin;
use framescope::wire::opcode::Opcode;

fn framescope(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(cargo_bin!("framescope"));
    command.args(arguments);
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = framescope(arguments).assert().success().get_output().clone();
    String::from_utf8(output.stdout).expect("text")
}

/// Exactly one line on stderr, nothing on stdout, exit status 1; the line.
fn one_line(command: &mut assert_cmd::Command) -> String {
    let output = command.assert().code(1).get_output().clone();
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(stderr.matches('\n').count(), 1, "{stderr:?}");
    assert!(stderr.starts_with("framescope: ") && stderr.ends_with('\n'), "{stderr:?}");
    assert_eq!(output.stdout, b"");
    stderr
}

mod usage {
    use super::*;

    #[test]
    fn every_wrong_flag_is_status_2() {
        for line in [
            "--nonsense",
            "nonsense",
            "--listen nowhere",
            "--listen 127.0.0.1",
            "--listen example.com:80",
            "--listen 127.0.0.1:99999",
            "--interval 0s",
            "--interval 1",
            "--interval -1s",
            "--interval fast",
            "--json",
            "--quiet",
            "--headless --json --quiet",
            "--force",
            "--allow-origin localhost",
            "--theme pink",
            "--write",
            "--headless open x",
            "--ring 1000",
            "--ring 5KiB",
            "--headless --headless",
            "serve extra",
            "open",
            "open a b",
            "open --sample nope",
            "open x --sample hello",
            "export",
            "export x",
            "export x --to",
            "export x --to gif",
            "export x --to wire --direction up",
            "export --to ndjson",
            "decode --json --to hex 00",
            "decode --to gif 00",
            "completions",
            "completions tcl",
            "man extra",
        ] {
            let arguments: Vec<&str> = line.split_whitespace().collect();
            wrong(&arguments);
        }
    }

    /// Exactly one line on stderr, nothing on stdout, exit status 2; the line.
    fn wrong(arguments: &[&str]) -> String {
        let output = framescope(arguments).assert().code(2).get_output().clone();
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(stderr.matches('\n').count(), 1, "{arguments:?}: {stderr:?}");
        assert!(stderr.starts_with("framescope: ") && stderr.ends_with(" --help`\n"), "{stderr:?}");
        assert!(!stderr.contains("error:") && !stderr.contains("Usage"), "{stderr:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        stderr
    }

    #[test]
    fn the_line_says_what_is_wrong_and_what_would_be_right() {
        for (line, said) in [
            ("--demmo", &["'--demmo'", "'--demo'", "`framescope --help`"][..]),
            ("opne x", &["'opne'", "'open'"]),
            ("open", &["<FILE>", "--sample", "`framescope open --help`"]),
            ("open --sample hallo", &["'hallo'", "hello, ticker", "`framescope open --help`"]),
            ("export x --to gif", &["'gif'", "possible values: pcapng, ndjson", "`framescope export --help`"]),
            ("export", &["not provided: --to <FORMAT>, <FILE>"]),
            ("--interval 0s", &["must be longer than zero"]),
            ("--headless open x", &["--headless is a flag of serve"]),
        ] {
            let stderr = wrong(&line.split_whitespace().collect::<Vec<_>>());
            for part in said {
                assert!(stderr.contains(part), "{line}: {part} in {stderr}");
            }
        }
        assert!(wrong(&["--listen", "a\nb\x1b[31m"]).contains("ADDR:PORT"));
    }

    #[test]
    fn help_completions_and_manual_go_to_stdout() {
        assert!(stdout(&["--help"]).contains("Examples:"));
        assert!(stdout(&["export", "--help"]).contains("ndjson"));
        assert!(stdout(&["--version"]).starts_with("framescope "));
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            assert!(stdout(&["completions", shell]).contains("framescope"), "{shell}");
        }
        let manual = stdout(&["man"]);
        for part in [".TH framescope 1", "FRAMESCOPE EXPORT", "FRAMESCOPE DECODE", "\\-\\-redact", "Exit status"] {
            assert!(manual.contains(part), "{part}");
        }
    }

    #[test]
    fn a_closed_stdout_is_no_failure() {
        for arguments in [&["man"][..], &["export", &sample_path("hello"), "--to", "hex"], &["decode", "8100"]] {
            let mut child = Command::new(cargo_bin!("framescope"))
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started");
            drop(child.stdout.take());
            let output = child.wait_with_output().expect("ended");
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            assert_eq!(output.stderr, b"", "{arguments:?}");
        }
    }
}

mod bad_input {
    use super::*;

    #[test]
    fn files_that_are_no_captures() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        fs::write(path("text"), "just text\n").expect("written");
        fs::write(path("empty"), "").expect("written");
        fs::write(path("zipped"), [0x1f, 0x8b, 8, 0]).expect("written");
        for (name, said) in
            [("missing", "No such file"), ("text", "not a capture"), ("empty", "empty"), ("zipped", "compressed")]
        {
            for command in [&["export", "--to", "ndjson"][..], &["open"]] {
                let line = one_line(framescope(command).arg(path(name)));
                assert!(line.contains(said) && line.contains(&path(name)), "{line}");
            }
        }
        let line = one_line(framescope(&["export", "--to", "hex"]).arg(folder.path()));
        assert!(line.contains("folder"), "{line}");
    }

    #[test]
    fn outputs_that_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let there = folder.path().join("there");
        fs::write(&there, "precious").expect("written");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        for (target, said) in [
            (text(&there), "--force"),
            (text(folder.path()), "is a folder"),
            (text(&folder.path().join("no/such/place")), "choose another place"),
            ("/".to_owned(), "is a folder"),
            ("/dev/full".to_owned(), "No space left"),
        ] {
            let mut command = framescope(&["export", &sample_path("hello"), "--to", "ndjson", "-o", &target]);
            if said == "No space left" {
                command.arg("--force");
            }
            let line = one_line(&mut command);
            assert!(line.contains(said) && line.contains(&target), "{line}");
            if said != "No space left" {
                let line = one_line(&mut framescope(&["--headless", "--listen", "127.0.0.1:0", "--write", &target]));
                assert!(line.contains(said) && line.contains(&target), "{line}");
            }
        }
        assert_eq!(fs::read_to_string(&there).expect("there"), "precious");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no file is left");
        framescope(&["export", &sample_path("hello"), "--to", "ndjson", "--force", "-o", &text(&there)])
            .assert()
            .success();
        assert_eq!(fs::metadata(&there).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&there).expect("there").starts_with("{\"v\":1"));
    }

    #[test]
    fn wire_bytes_of_both_directions_are_not_mixed() {
        let line = one_line(&mut framescope(&["export", &sample_path("hello"), "--to", "wire"]));
        assert!(line.contains("--direction"), "{line}");
        let output =
            framescope(&["export", &sample_path("hello"), "--to", "wire", "--direction", "c2s"]).assert().success();
        assert!(output.get_output().stdout.starts_with(b"GET /chat"));
    }

    #[test]
    fn bad_hex_is_named_with_its_place() {
        for (input, said) in [("810", "at character 3)"), ("81 0g", "at character 5 "), ("hello", "'h'")] {
            let line = one_line(&mut framescope(&["decode", input]));
            assert!(line.contains("bad hex") && line.contains(said), "{line}");
        }
        let line = one_line(framescope(&["decode", "-"]).write_stdin("81 05 4\n"));
        assert!(line.contains("at character 7)"), "{line}");
        one_line(framescope(&["decode"]).write_stdin(""));
        assert!(one_line(&mut framescope(&["decode", "@/no/such/file"])).contains("/no/such/file"));
        assert!(one_line(&mut framescope(&["decode", "@/"])).contains("irectory"));
    }

    #[test]
    fn a_damaged_capture_gives_the_records_before_the_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cut.pcapng");
        let whole = fs::read(sample_path("ticker")).expect("the sample");
        fs::write(&path, &whole[..whole.len() - 700]).expect("written");
        let output = framescope(&["export", "--to", "ndjson"]).arg(&path).assert().success().get_output().clone();
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(stderr.matches('\n').count(), 1, "{stderr:?}");
        assert!(stderr.contains("cut.pcapng") && stderr.contains("ends inside a block"), "{stderr:?}");
        assert!(output.stdout.iter().filter(|b| **b == b'\n').count() > 10);
    }

    #[test]
    fn a_port_makes_frames_of_a_capture_that_begins_in_the_middle() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("middle.pcapng");
        let whole = fs::read(sample_path("hello")).expect("the sample");
        let blocks = blocks(&whole);
        // The SYN exchange and the handshake are the first five packets after the two blocks of the head.
        fs::write(&path, [&blocks[..2], &blocks[7..]].concat().concat()).expect("written");
        let check = |arguments: &[&str]| {
            let output =
                framescope(&["check", "--fail-on", "warning"]).args(arguments).arg(&path).output().expect("it runs");
            String::from_utf8(output.stderr).expect("text")
        };
        let said = check(&[]);
        let port = said.split_once("--port ").expect(&said).1.split(' ').next().expect("a port");
        assert!(!check(&["--port", port]).contains("--port"));
        let json = stdout(&["export", "--port", port, "--to", "ndjson", &path.to_string_lossy(), "-o", "-"]);
        assert!(json.contains("\"text\":\"Hello\"") && !json.contains("junk"), "{json}");
        framescope(&["check", "--port", "0"]).arg(&path).assert().code(2);
    }

    /// The blocks of a little-endian pcapng.
    fn blocks(mut file: &[u8]) -> Vec<&[u8]> {
        let mut blocks = Vec::new();
        while !file.is_empty() {
            let len = u32::from_le_bytes(file[4..8].try_into().expect("four bytes")) as usize;
            let (block, rest) = file.split_at(len);
            blocks.push(block);
            file = rest;
        }
        blocks
    }
}

mod decode {
    use super::*;

    #[test]
    fn the_masked_hello_of_section_5_7_is_drawn() {
        let drawn = stdout(&["decode", "8185", "37fa213d", "7f9f4d5158"]);
        for part in [
            "frame 1 · text · client → server · 11 bytes",
            "│F│R│R│R│opcode │M│ payload len │ masking key                   │",
            "│1│0│0│0│0 0 0 1│1│0 0 0 0 1 0 1│ 37 fa                         │",
            " opcode        0001     0x1 text",
            "48 65 6c 6c 6f                                    Hello",
        ] {
            assert!(drawn.contains(part), "{part}\n{drawn}");
        }
    }

    #[test]
    fn every_way_in_gives_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let raw = folder.path().join("raw");
        fs::write(&raw, b"\x81\x05Hello").expect("written");
        let hex = folder.path().join("hex");
        fs::write(&hex, "81 05\n48656C6C6f\n").expect("written");
        let expected = stdout(&["decode", "810548656c6c6f"]);
        for input in
            [format!("@{}", raw.display()), format!("@{}", hex.display()), "0x81 0x05 48:65:6c:6c:6f".to_owned()]
        {
            assert_eq!(stdout(&["decode", &input]), expected, "{input}");
        }
        for stdin in [&b"\x81\x05Hello"[..], b"8105 48656c6c6f"] {
            for arguments in [&["decode"][..], &["decode", "-"]] {
                let output = framescope(arguments).write_stdin(stdin).assert().success().get_output().clone();
                assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
            }
        }
    }

    #[test]
    fn a_cut_frame_is_shown_and_is_no_failure() {
        for (input, said) in [("81", "inside the head"), ("817e01", "inside the head"), ("810548", "4 bytes missing")] {
            let drawn = stdout(&["decode", input]);
            assert!(drawn.contains("frame 1 ·") && drawn.contains("· truncated") && drawn.contains(said), "{drawn}");
        }
        assert!(stdout(&["decode", "82ff7fffffffffffffff01020304aa"]).contains("missing"));
        let cut = stdout(&["decode", "--to", "hex", "81"]);
        assert!(cut.lines().next().expect("a line").ends_with(" · 1 byte"), "{cut}");
    }

    fn cut(hex: &str) -> Box<CutFrame> {
        let line = stdout(&["decode", "--json", hex]);
        let Ok(Line::CutFrame(cut)) = Line::read(&line) else { panic!("{line}") };
        cut
    }

    fn rules(cut: &CutFrame) -> Vec<&str> {
        cut.findings.iter().map(|finding| finding.rule.as_str()).collect()
    }

    #[test]
    fn a_decoded_cut_head_shows_all_that_is_certain() {
        let long = cut("81ff8000000000000001");
        assert_eq!(
            (long.mask, long.len_code, long.payload_len),
            (Some(true), Some(127), Some(9_223_372_036_854_775_809))
        );
        assert_eq!((long.header_len, long.masking_key.as_deref(), long.dir.as_deref()), (Some(14), None, Some("c2s")));
        assert_eq!(rules(&long), ["length-top-bit", "message-over-limit"]);
        let drawn = stdout(&["decode", "81ff8000000000000001"]);
        assert!(drawn.contains("length-top-bit") && drawn.contains("9223372036854775809"), "{drawn}");
        for (hex, payload_len, expected) in [
            ("81fe007d", Some(125), &["length-not-shortest"][..]),
            ("81ff000000000000ffff01", Some(65_535), &["length-not-shortest"]),
            ("817f80", None, &["length-top-bit", "message-over-limit"]),
            ("897e", None, &["control-length-extended"]),
            ("897e01", None, &["control-too-long"]),
            ("897f", None, &["control-length-extended"]),
            ("818537fa21", Some(5), &[]),
            ("c1", None, &["rsv1-set"]),
            ("b1", None, &["rsv2-set", "rsv3-set"]),
            ("09", None, &["control-fragmented"]),
            ("0f", None, &["opcode-reserved", "control-fragmented"]),
        ] {
            let cut = cut(hex);
            assert_eq!((cut.payload_len, rules(&cut)), (payload_len, expected.to_vec()), "{hex}");
        }
    }

    #[test]
    fn without_a_mask_no_direction_is_claimed() {
        let one = cut("8f");
        assert_eq!((one.fin, one.opcode, one.opcode_name.as_deref()), (Some(true), Some(15), Some("reserved-f")));
        assert_eq!((one.dir.as_deref(), one.mask, one.len_code, one.header_len), (None, None, None, None));
        assert_eq!(rules(&one), ["opcode-reserved"]);
        for arguments in [&["decode", "8f"][..], &["decode", "--to", "hex", "8f"]] {
            let shown = stdout(arguments);
            assert!(shown.contains("opcode-reserved"), "{shown}");
            assert!(!shown.contains("client →") && !shown.contains("server →"), "{shown}");
        }
        assert!(stdout(&["decode", "--to", "hex", "8100"]).contains("server → client"));
        assert_eq!(cut("8f05").dir.as_deref(), Some("s2c"));
        let output = framescope(&["decode", "--to", "pcapng", "8100 8f"]).assert().success().get_output().clone();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("MASK is missing"), "{stderr}");
    }

    #[test]
    fn the_bytes_of_a_field_that_was_cut_are_shown() {
        let drawn = stdout(&["decode", "81ff800000"]);
        assert!(drawn.contains("│ 80 00") && drawn.contains("extended len           80 00 00"), "{drawn}");
        assert!(stdout(&["decode", "--to", "hex", "818537fa"]).contains("37 fa"));
    }

    /// The output for a cut head has everything that is certain, and nothing else.
    #[test]
    fn a_cut_head_shows_what_is_certain() {
        type Told<'a> = (Option<&'a str>, Option<bool>, Option<u64>, Option<u64>, &'a [&'a str]);
        let cases: [(&str, Told<'_>); 9] = [
            ("8f", (None, None, None, None, &["opcode-reserved"])),
            ("f9", (None, None, None, None, &["rsv1-set", "rsv2-set", "rsv3-set"])),
            ("09", (None, None, None, None, &["control-fragmented"])),
            ("80", (None, None, None, None, &["continuation-unexpected"])),
            ("89fd", (Some("c2s"), Some(true), Some(6), Some(125), &[])),
            ("89fe", (Some("c2s"), Some(true), Some(8), None, &["control-length-extended"])),
            ("81fe007d", (Some("c2s"), Some(true), Some(8), Some(125), &["length-not-shortest"])),
            ("89fe007e", (Some("c2s"), Some(true), Some(8), Some(126), &["control-too-long"])),
            (
                "81ff8000000000000001",
                (Some("c2s"), Some(true), Some(14), Some((1 << 63) + 1), &["length-top-bit", "message-over-limit"]),
            ),
        ];
        for (input, expected) in cases {
            let line = stdout(&["decode", "--json", input]);
            let Ok(Line::CutFrame(cut)) = Line::read(line.trim_end()) else { panic!("{line}") };
            let rules: Vec<&str> = cut.findings.iter().map(|finding| finding.rule.as_str()).collect();
            let told = (cut.dir.as_deref(), cut.mask, cut.header_len, cut.payload_len, rules.as_slice());
            assert_eq!(told, expected, "{input}");
        }
        assert!(stdout(&["decode", "8f"]).contains("frame 1 · reserved-f · 1 byte"));
        assert!(stdout(&["decode", "8f"]).contains("opcode 0xF is reserved"));
    }

    #[test]
    fn json_hex_payload_wire_and_pcapng_work_too() {
        let lines = stdout(&["decode", "--json", "8185 37fa213d 7f9f4d5158", "8900"]);
        let read: Vec<Line> = lines.lines().map(|line| Line::read(line).expect("the schema")).collect();
        let [Line::Frame(text), Line::Frame(ping)] = read.as_slice() else { panic!("{lines}") };
        assert_eq!((text.text.as_deref(), text.dir.as_str()), (Some("Hello"), "c2s"));
        assert_eq!((ping.opcode_name.as_str(), ping.dir.as_str()), ("ping", "s2c"));
        assert!(stdout(&["decode", "--json", "817e"]).contains("\"type\":\"cut\""));
        assert!(stdout(&["decode", "--to", "hex", "8100"]).contains(".... 0001"));
        assert_eq!(stdout(&["decode", "--to", "payload", "818537fa213d7f9f4d5158"]), "Hello");
        assert_eq!(stdout(&["decode", "--to", "wire", "0100 0000"]), "\u{1}\0\0\0");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("decoded.pcapng");
        let output = framescope(&["decode", "--to", "pcapng", "810161", "818100000000 62"]).assert().success();
        fs::write(&path, &output.get_output().stdout).expect("written");
        let json = stdout(&["export", "--to", "ndjson", &path.to_string_lossy()]);
        assert!(json.contains("\"text\":\"a\"") && json.contains("\"text\":\"b\""), "{json}");
    }

    #[test]
    fn nothing_on_the_wire_reaches_the_terminal_raw() {
        let drawn = stdout(&["decode", "8106 1b5b33316d07"]);
        assert!(!drawn.bytes().any(|b| b < 0x20 && b != b'\n'), "{drawn:?}");
    }
}

#[test]
fn samples_are_listed() {
    let list = stdout(&["open", "--sample"]);
    for name in ["hello", "ticker", "fragments", "violations"] {
        assert!(list.lines().any(|line| line.starts_with(name)), "{list}");
    }
}

mod headless {
    use super::*;

    struct Running {
        child: Child,
        stderr: BufReader<std::process::ChildStderr>,
        address: String,
        /// Where captures without `--write` are kept.
        _cache: tempfile::TempDir,
    }

    impl Running {
        fn start(arguments: &[&str]) -> Self {
            Self::of(Command::new(cargo_bin!("framescope")).args(arguments))
        }

        fn of(command: &mut Command) -> Self {
            let cache = tempfile::tempdir().expect("a folder");
            let mut child = command
                .env("XDG_CACHE_HOME", cache.path())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started");
            let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
            let mut line = String::new();
            stderr.read_line(&mut line).expect("a line");
            let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line:?}"));
            let address = address.strip_suffix('/').expect("a URL").to_owned();
            Self { child, stderr, address, _cache: cache }
        }

        /// Sends the signal; the status, what is left of stdout and of stderr. Within two seconds.
        fn end(mut self, signal: rustix::process::Signal) -> (ExitStatus, String, String) {
            let asked = Instant::now();
            let pid = rustix::process::Pid::from_child(&self.child);
            rustix::process::kill_process(pid, signal).expect("signalled");
            // A program that does not end is killed, so that the test ends.
            let (ended, wait) = std::sync::mpsc::channel::<()>();
            std::thread::spawn(move || {
                if wait.recv_timeout(Duration::from_secs(20)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
            });
            let (mut out, mut err) = (String::new(), String::new());
            if let Some(mut stdout) = self.child.stdout.take() {
                stdout.read_to_string(&mut out).expect("text");
            }
            self.stderr.read_to_string(&mut err).expect("text");
            let status = self.child.wait().expect("ended");
            drop(ended);
            assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
            (status, out, err)
        }

        fn wait_for_lines(&mut self, wanted: usize) -> Vec<String> {
            let stdout = self.child.stdout.as_mut().expect("stdout");
            // Byte by byte, so that nothing is taken that is not returned.
            let mut lines = vec![String::new()];
            let mut byte = [0];
            let mut raw = Vec::new();
            while lines.len() <= wanted && stdout.read(&mut byte).expect("read") == 1 {
                raw.push(byte[0]);
                if byte[0] == b'\n' {
                    *lines.last_mut().expect("a line") = String::from_utf8(std::mem::take(&mut raw)).expect("text");
                    lines.push(String::new());
                }
            }
            lines.pop();
            lines
        }
    }

    const DEMO: [&str; 6] = ["--headless", "--demo", "--interval", "20ms", "--listen", "127.0.0.1:0"];

    #[test]
    fn plain_lines_then_one_summary() {
        let mut running = Running::start(&DEMO);
        let lines = running.wait_for_lines(6);
        assert!(lines[0].contains("GET") && lines[0].contains("/ticker"), "{lines:?}");
        assert!(lines[1].contains("101") && lines[1].contains("accept ✓"), "{lines:?}");
        assert!(lines[3].contains("▲ text") && lines[3].contains("client: echo 0"), "{lines:?}");
        let (status, rest, err) = running.end(rustix::process::Signal::INT);
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
        let summary = rest.lines().last().expect("a summary");
        let records: usize =
            summary.split(" · ").nth(1).and_then(|w| w.split(' ').next()?.parse().ok()).expect(summary);
        assert_eq!(lines.len() + rest.lines().count() - 1, records, "none dropped: {summary}");
        assert!(summary.starts_with("1 connection · ") && summary.ends_with(" · no findings"), "{summary}");
    }

    #[test]
    fn json_lines_follow_the_schema_and_the_summary_goes_to_stderr() {
        let mut running = Running::start(&[&DEMO[..], &["--json"]].concat());
        let mut lines = running.wait_for_lines(5);
        let (status, rest, err) = running.end(rustix::process::Signal::TERM);
        assert_eq!(status.code(), Some(0));
        lines.extend(rest.lines().map(str::to_owned));
        for (i, line) in lines.iter().enumerate() {
            Line::read(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(line.starts_with(&format!("{{\"v\":1,\"no\":{},", i + 1)), "{line}");
        }
        assert_eq!(err.lines().count(), 1);
        assert!(err.contains(&format!("{} records", lines.len())), "{err}");
    }

    /// Fetches the page, whole.
    fn get_page(address: &str) {
        let page = get(address, "/");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("</html>"), "{page}");
    }

    fn get(address: &str, target: &str) -> String {
        let mut socket = TcpStream::connect(address).expect("it serves");
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("sent");
        let mut page = String::new();
        socket.read_to_string(&mut page).expect("an answer");
        page
    }

    /// A connection to `/echo` on which `n` messages of 30,000 bytes came back.
    fn echoed(address: &str, n: usize) -> TcpStream {
        let mut socket = TcpStream::connect(address).expect("it serves");
        socket.write_all(bare_request("/echo", address).as_bytes()).expect("sent");
        socket.read_exact(&mut [0; RESPONSE.len()]).expect("a response");
        let message = frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &[0x5a; 30_000]);
        for _ in 0..n {
            socket.write_all(&message).expect("sent");
            socket.read_exact(&mut [0; 30_004]).expect("the echo");
        }
        socket
    }

    /// Reads stdout to its end, in a thread.
    fn stdout_of(running: &mut Running) -> std::thread::JoinHandle<String> {
        let mut stdout = running.child.stdout.take().expect("stdout");
        std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).expect("text");
            text
        })
    }

    #[test]
    fn lines_that_are_read_late_say_what_is_missing() {
        let mut running =
            Running::start(&["--headless", "--json", "--listen", "127.0.0.1:0", "--no-deflate", "--ring", "1MiB"]);
        // The test does not read stdout: after some records the pipe is full, nothing is printed, and the ring evicts most records.
        let _first = echoed(&running.address, 50);
        let _second = echoed(&running.address, 100);
        let lines = stdout_of(&mut running);
        let (status, _, err) = running.end(rustix::process::Signal::INT);
        assert_eq!(status.code(), Some(0), "{err}");
        assert!(err.contains(" not printed: stdout was not read in time"), "{err}");
        let lines = lines.join().expect("no panic");
        let numbers: Vec<u64> = lines.lines().map(number_of_line).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        let number = |text: &str| text.split(' ').next().and_then(|n| n.replace(',', "").parse::<usize>().ok());
        let part = |what: &str| err.split(" · ").find(|part| part.contains(what)).and_then(number);
        assert_eq!(part(" records"), part(" not printed").map(|missing| missing + numbers.len()), "{err}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.ndjson");
        fs::write(&path, &lines).expect("written");
        framescope(&["check", "--fail-on", "error", &path.to_string_lossy()]).assert().success();
    }

    /// The number of the record that a line of NDJSON is about.
    fn number_of_line(line: &str) -> u64 {
        if let Err(e) = Line::read(line) {
            panic!("{e}: {line}");
        }
        serde_json::from_str::<serde_json::Value>(line).expect("JSON")["no"].as_u64().expect("a number")
    }

    #[test]
    fn a_ring_keeps_the_latest_part() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("day.pcapng").to_string_lossy().into_owned();
        let ring = ["--headless", "--json", "--listen", "127.0.0.1:0", "--ring", "1MiB", "--write", &path];
        let mut running = Running::start(&ring);
        let lines = stdout_of(&mut running);
        let _socket = echoed(&running.address, 60);
        let (status, _, err) = running.end(rustix::process::Signal::INT);
        assert_eq!(status.code(), Some(0), "{err}");
        assert!(err.contains(" evicted"), "{err}");
        let lines = lines.join().expect("no panic");
        // Every record, the Close too, is printed or counted: the connections do not wait for stdout.
        let number = |text: &str| text.split(' ').next().and_then(|n| n.replace(',', "").parse::<usize>().ok());
        let part = |what: &str| err.split(" · ").find(|part| part.contains(what)).and_then(number);
        assert_eq!(part(" records"), Some(2 + 121 + 2), "{err}");
        let numbers: Vec<u64> = lines.lines().map(number_of_line).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert_eq!(numbers.len() + part(" not printed").unwrap_or(0), 125, "{err}: {numbers:?}");
        let files: Vec<PathBuf> =
            fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        // Lines that are being printed hold back the eviction: until twice the size.
        let size: u64 = files.iter().map(|path| fs::metadata(path).expect("a file of the ring").len()).sum();
        assert!(size <= 2 << 20, "{size}");
        assert!(files.len() > 3);
        for path in &files {
            assert!(path.to_string_lossy().contains("day.000"), "{}", path.display());
            framescope(&["check", &path.to_string_lossy()]).assert().success();
        }
        let line = one_line(&mut framescope(&ring));
        assert!(line.contains("day.000") && line.contains("exists; add --force"), "{line}");
    }

    #[test]
    fn a_closed_terminal_ends_it_as_sigterm_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("live.pcapng").to_string_lossy().into_owned();
        // Where the tests themselves run under nohup, SIGHUP would be ignored from the start.
        let mut command = match cfg!(target_os = "linux") {
            true => Command::new("env"),
            false => Command::new(cargo_bin!("framescope")),
        };
        if cfg!(target_os = "linux") {
            command.arg("--default-signal=HUP").arg(cargo_bin!("framescope"));
        }
        let mut running = Running::of(command.args(DEMO).args(["--write", &path]));
        running.wait_for_lines(4);
        let (status, rest, err) = running.end(rustix::process::Signal::HUP);
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
        assert!(rest.lines().last().expect("a summary").starts_with("1 connection · "), "{rest}");
        let json = stdout(&["export", "--to", "ndjson", &path]);
        assert_eq!(json.matches("\"type\":\"end\"").count(), 2, "the file is complete: {json}");
    }

    #[test]
    fn under_nohup_it_outlives_the_terminal() {
        let script = format!("trap '' HUP; exec {} {}", cargo_bin!("framescope").display(), DEMO.join(" "));
        let mut running = Running::of(Command::new("sh").args(["-c", &script]));
        running.wait_for_lines(1);
        let pid = rustix::process::Pid::from_child(&running.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("signalled");
        assert_eq!(running.wait_for_lines(20).len(), 20, "it continues");
        let (status, _, err) = running.end(rustix::process::Signal::TERM);
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
    }

    #[test]
    fn quiet_prints_the_summary_only() {
        let running = Running::start(&[&DEMO[..], &["--quiet"]].concat());
        get_page(&running.address);
        let (status, out, err) = running.end(rustix::process::Signal::INT);
        assert_eq!((status.code(), out.lines().count(), err.as_str()), (Some(0), 1, ""));
    }

    #[test]
    fn a_closed_pipe_ends_the_run_cleanly() {
        let mut running = Running::start(&DEMO);
        running.wait_for_lines(2);
        drop(running.child.stdout.take());
        let status = running.child.wait().expect("ended");
        let mut err = String::new();
        running.stderr.read_to_string(&mut err).expect("text");
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
    }

    #[test]
    fn a_reader_that_sleeps_does_not_keep_it_from_ending() {
        let mut running = Running::start(&[&DEMO[..], &["--json"]].concat());
        // In hex the page alone is more than any pipe holds after a few times.
        for _ in 0..40 {
            get_page(&running.address);
        }
        let asked = Instant::now();
        let pid = rustix::process::Pid::from_child(&running.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("signalled");
        running.child.wait().expect("ended");
        assert!(asked.elapsed() < Duration::from_millis(2500), "{:?}", asked.elapsed());
    }

    #[test]
    fn a_port_in_use_is_one_line() {
        let running = Running::start(&["--headless", "--quiet", "--listen", "127.0.0.1:0"]);
        let line = one_line(&mut framescope(&["--headless", "--listen", &running.address]));
        assert!(line.contains(&running.address) && line.contains("in use"), "{line}");
        running.end(rustix::process::Signal::INT);
    }

    #[test]
    fn a_full_disk_stops_capturing_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path: PathBuf = folder.path().join("live.pcapng");
        let program = cargo_bin!("framescope");
        let script = format!(
            "trap '' XFSZ; ulimit -f 8; exec {} --headless --quiet --listen 127.0.0.1:0 --write {}",
            program.display(),
            path.display()
        );
        let mut running = Running::of(Command::new("sh").args(["-c", &script]));
        // Small answers find room in the file. The page is larger than it may grow.
        for _ in 0..2 {
            get(&running.address, "/nothing");
        }
        for _ in 0..3 {
            get_page(&running.address);
        }
        assert!(running.child.try_wait().expect("asked").is_none(), "it continues");
        let (status, out, err) = running.end(rustix::process::Signal::INT);
        assert_eq!(status.code(), Some(1), "{err}");
        assert!(out.contains("not captured"), "{out}");
        let said: Vec<&str> = err.lines().collect();
        assert!(said[0].contains("capturing stopped") && said[0].contains("live.pcapng"), "{err}");
        assert!(said[1].contains("bytes were not captured") && !said[1].contains("stopped"), "{err}");
        assert_eq!(said.len(), 2, "{err}");
        let json = stdout(&["export", "--to", "ndjson", &path.to_string_lossy()]);
        assert!(json.lines().count() > 5, "what was captured stays");
    }
}
