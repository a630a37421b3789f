//! The command line from outside: exit statuses, single lines on stderr, what the commands print.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::program::{command, numbers, run, run_with};
use crate::support::schema::{CutFrame, Line};
use crate::support::{RESPONSE, bare_request, frame, sample_path};
use framescope::wire::opcode::Opcode;

fn stdout(arguments: &[&str]) -> String {
    let (status, out, err) = run(arguments);
    assert_eq!(status, Some(0), "{arguments:?}: {err}");
    out
}

/// Asserts this exit status, nothing on stdout and exactly one line on stderr; the line.
fn one_line(status: i32, arguments: &[&str]) -> String {
    one_line_of(run(arguments), status)
}

fn one_line_of((code, out, err): (Option<i32>, String, String), status: i32) -> String {
    assert_eq!((code, out.as_str()), (Some(status), ""), "{err}");
    assert_eq!(err.matches('\n').count(), 1, "{err:?}");
    assert!(err.starts_with("framescope: ") && err.ends_with('\n'), "{err:?}");
    err
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

    /// The line on stderr about a wrong command line; it ends with the command for help.
    fn wrong(arguments: &[&str]) -> String {
        let line = one_line(2, arguments);
        assert!(line.ends_with(" --help`\n"), "{line:?}");
        line
    }

    #[test]
    fn the_line_names_the_wrong_argument_and_what_would_be_right() {
        for (line, expected) in [
            ("--demmo", &["'--demmo'", "'--demo'", "`framescope --help`"][..]),
            ("opne x", &["'opne'", "'open'"]),
            ("open", &["<FILE>", "--sample", "`framescope open --help`"]),
            ("open --sample hallo", &["'hallo'", "hello, ticker", "`framescope open --help`"]),
            ("export x --to gif", &["'gif'", "pcapng, ndjson", "`framescope export --help`"]),
            ("export", &["--to <FORMAT>, <FILE>"]),
            ("--interval 0s", &["'0s'", "--interval <DURATION>"]),
            ("--headless open x", &["--headless"]),
        ] {
            let stderr = wrong(&line.split_whitespace().collect::<Vec<_>>());
            for part in expected {
                assert!(stderr.contains(part), "{line}: {part} in {stderr}");
            }
        }
        assert!(wrong(&["--listen", "a\nb\x1b[31m"]).contains("ADDR:PORT"));
    }

    #[test]
    fn help_completions_and_manual_go_to_stdout() {
        for (arguments, part) in [
            (&["--help"][..], "--listen"),
            (&["export", "--help"], "ndjson"),
            (&["--version"], env!("CARGO_PKG_VERSION")),
        ] {
            assert!(stdout(arguments).contains(part), "{arguments:?}");
        }
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            assert!(stdout(&["completions", shell]).contains("redact"), "{shell}");
        }
        let manual = stdout(&["man"]);
        for part in [".TH FRAMESCOPE 1", "FRAMESCOPE EXPORT", "FRAMESCOPE DECODE", "\\-\\-redact"] {
            assert!(manual.contains(part), "{part}");
        }
    }

    #[test]
    fn a_closed_stdout_is_not_a_failure() {
        for arguments in [&["man"][..], &["export", &sample_path("hello"), "--to", "hex"], &["decode", "8100"]] {
            let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
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
    fn files_that_are_not_captures() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        fs::write(path("text"), "just text\n").expect("written");
        fs::write(path("empty"), "").expect("written");
        fs::write(path("zipped"), [0x1f, 0x8b, 8, 0]).expect("written");
        fs::create_dir(path("folder")).expect("a folder");
        let mut lines = BTreeSet::new();
        for name in ["missing", "text", "empty", "zipped", "folder"] {
            let line = one_line(1, &["export", "--to", "ndjson", &path(name)]);
            assert!(line.contains(&path(name)), "{line}");
            assert_eq!(one_line(1, &["open", &path(name)]), line);
            lines.insert(line.replace(&path(name), ""));
        }
        assert_eq!(lines.len(), 5, "each has a reason of its own: {lines:?}");
    }

    #[test]
    fn outputs_that_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let existing = folder.path().join("existing");
        fs::write(&existing, "precious").expect("written");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let hello = sample_path("hello");
        for target in [&text(&existing), &text(folder.path()), &text(&folder.path().join("no/such/folder")), "/"] {
            for arguments in [
                &["export", &hello, "--to", "ndjson", "-o", target][..],
                &["--headless", "--listen", "127.0.0.1:0", "--write", target],
            ] {
                let line = one_line(1, arguments);
                assert!(line.contains(target), "{line}");
                assert_eq!(line.contains("--force"), *target == text(&existing), "{line}");
            }
        }
        assert_eq!(fs::read_to_string(&existing).expect("a file"), "precious");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no file is left");
        stdout(&["export", &hello, "--to", "ndjson", "--force", "-o", &text(&existing)]);
        assert_eq!(fs::metadata(&existing).expect("a file").permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&existing).expect("a file").starts_with("{\"v\":1"));
    }

    #[test]
    fn wire_bytes_of_both_directions_are_not_mixed() {
        let export = ["export", &sample_path("hello"), "--to", "wire"];
        assert!(one_line(1, &export).contains("--direction"));
        let output = command(&export).args(["--direction", "c2s"]).output().expect("it runs");
        assert!(output.status.success() && output.stdout.starts_with(b"GET /chat"));
    }

    #[test]
    fn a_paste_that_cannot_be_read_is_named_with_its_place() {
        for (input, line, character, hint) in [
            ("810", 1, 1, "two digits"),
            ("81 05 4", 1, 7, "--as decimal"),
            ("8x05", 1, 1, "--as hex|decimal|base64|text|raw"),
            ("81 05\n6c6", 2, 1, "two digits"),
            ("hello", 1, 1, "--as hex|decimal|base64|text|raw"),
            ("[129, 256]", 1, 7, "0 to 255"),
        ] {
            let said = one_line(1, &["decode", input]);
            let place = format!("line {line}, character {character}");
            assert!(said.contains(&place) && said.contains(hint), "{said}");
            assert_eq!(one_line_of(run_with(&["decode", "-"], input.as_bytes()), 1), said);
        }
        assert!(numbers(&one_line(1, &["decode", "--as", "hex", "81 0g"])).contains(&5));
        one_line(1, &["decode"]);
        for file in ["/no/such/file", "/"] {
            assert!(one_line(1, &["decode", &format!("@{file}")]).contains(&format!("{file:?}")));
        }
    }

    #[test]
    fn a_damaged_capture_gives_the_records_before_the_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cut.pcapng");
        let whole = fs::read(sample_path("ticker")).expect("the sample");
        fs::write(&path, &whole[..whole.len() - 700]).expect("written");
        let (status, out, err) = run(&["export", "--to", "ndjson", &path.to_string_lossy()]);
        assert_eq!((status, err.lines().count()), (Some(0), 1), "{err}");
        assert!(err.contains("cut.pcapng") && numbers(&err).contains(&(whole.len() as u64 - 700)), "{err}");
        assert!(out.lines().count() > 10);
    }

    #[test]
    fn a_port_makes_frames_of_a_capture_that_begins_in_the_middle() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("middle.pcapng");
        let whole = fs::read(sample_path("hello")).expect("the sample");
        let blocks = blocks(&whole);
        // The SYN exchange and the handshake are the first five packets after the two blocks of the head.
        fs::write(&path, [&blocks[..2], &blocks[7..]].concat().concat()).expect("written");
        let path = path.to_string_lossy();
        let (_, _, advice) = run(&["check", &path]);
        let port = advice.split_once("--port ").expect(&advice).1.split(' ').next().expect("a port");
        assert!(!run(&["check", "--port", port, &path]).2.contains("--port"));
        let json = stdout(&["export", "--port", port, "--to", "ndjson", &path, "-o", "-"]);
        assert!(json.contains("\"text\":\"Hello\"") && !json.contains("\"type\":\"junk\""), "{json}");
        assert_eq!(run(&["check", "--port", "0", &path]).0, Some(2));
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
            "│F│R│R│R│ opcode│M│ payload len │          masking key          │",
            "│1│0│0│0│0 0 0 1│1│0 0 0 0 1 0 1│0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0│",
            " opcode        0001     0x1 text",
            "48 65 6c 6c 6f                                    Hello",
        ] {
            assert!(drawn.contains(part), "{part}\n{drawn}");
        }
    }

    fn cut(hex: &str) -> Box<CutFrame> {
        let line = stdout(&["decode", "--json", hex]);
        let Ok(Line::CutFrame(cut)) = Line::read(&line) else { panic!("{line}") };
        cut
    }

    /// What is certain about a cut frame, and nothing else, has a value.
    #[test]
    fn a_cut_frame_shows_what_is_certain() {
        let none = (None, None, None);
        let s2c = |header_len| (Some("s2c"), Some(header_len), None);
        let c2s = |header_len, payload_len| (Some("c2s"), Some(header_len), payload_len);
        let top_bit = (1 << 63) + 1;
        for (input, (dir, header_len, payload_len), rules) in [
            ("81", none, &[][..]),
            ("8f", none, &["opcode-reserved"]),
            ("f9", none, &["rsv1-set", "rsv2-set", "rsv3-set"]),
            ("c1", none, &[]),
            ("b1", none, &["rsv2-set", "rsv3-set"]),
            ("09", none, &["control-fragmented"]),
            ("0f", none, &["opcode-reserved", "control-fragmented"]),
            ("80", none, &["continuation-unexpected"]),
            ("8f05", (Some("s2c"), Some(2), Some(5)), &["opcode-reserved"]),
            ("810548", (Some("s2c"), Some(2), Some(5)), &[]),
            ("817e01", s2c(4), &[]),
            ("897e", s2c(4), &["control-length-extended"]),
            ("897e01", s2c(4), &["control-too-long"]),
            ("897f", s2c(10), &["control-length-extended"]),
            ("817f80", s2c(10), &["length-top-bit", "message-over-limit"]),
            ("89fd", c2s(6, Some(125)), &[]),
            ("89fe", c2s(8, None), &["control-length-extended"]),
            ("818537fa21", c2s(6, Some(5)), &[]),
            ("81fe007d", c2s(8, Some(125)), &["length-not-shortest"]),
            ("89fe007e", c2s(8, Some(126)), &["control-too-long"]),
            ("81ff000000000000ffff01", c2s(14, Some(65_535)), &["length-not-shortest"]),
            ("81ff8000000000000001", c2s(14, Some(top_bit)), &["length-top-bit", "message-over-limit"]),
        ] {
            let cut = cut(input);
            let found: Vec<&str> = cut.findings.iter().map(|finding| finding.rule.as_str()).collect();
            assert_eq!(
                (cut.dir.as_deref(), cut.header_len, cut.payload_len),
                (dir, header_len, payload_len),
                "{input}"
            );
            assert_eq!(found, rules, "{input}");
            assert_eq!((cut.mask.is_some(), cut.wire.as_str(), cut.masking_key), (dir.is_some(), input, None));
            // The drawing and the hex dump show the same.
            for shown in [stdout(&["decode", input]), stdout(&["decode", "--to", "hex", input])] {
                assert!(rules.iter().all(|rule| shown.contains(rule)), "{shown}");
                assert_eq!(shown.contains(" → "), dir.is_some(), "{shown}");
            }
        }
        let drawn = stdout(&["decode", "810548"]);
        assert!(numbers(&drawn).contains(&4), "the missing bytes: {drawn}");
        assert!(stdout(&["decode", "82ff7fffffffffffffff01020304aa"]).contains("9,223,372,036,854,775,806"));
        let (status, _, err) = run(&["decode", "--json", "8100 8f"]);
        assert_eq!((status, err.matches('\n').count()), (Some(0), 1), "only the form: {err}");
    }

    #[test]
    fn the_bytes_of_a_cut_field_are_shown() {
        let drawn = stdout(&["decode", "81ff800000"]);
        assert!(
            drawn.contains("│1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0") && drawn.contains("extended len           80 00 00"),
            "{drawn}"
        );
        assert!(stdout(&["decode", "--to", "hex", "818537fa"]).contains("37 fa"));
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
        let decoded = command(&["decode", "--to", "pcapng", "810161", "818100000000 62", "8f"]).output().expect("runs");
        assert!(decoded.status.success() && !decoded.stderr.is_empty(), "the direction of the last frame is a guess");
        fs::write(&path, &decoded.stdout).expect("written");
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

    const PROGRAM: &str = env!("CARGO_BIN_EXE_framescope");

    struct Running {
        child: Child,
        stderr: BufReader<std::process::ChildStderr>,
        address: String,
        /// Where captures without `--write` are kept.
        _cache: tempfile::TempDir,
    }

    impl Running {
        fn start(arguments: &[&str]) -> Self {
            Self::of(&mut command(arguments))
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
        for (line, parts) in lines.iter().zip([&["GET", "/ticker"][..], &["101"], &["echo 0"], &["client: echo 0"]]) {
            assert!(parts.iter().all(|part| line.contains(part)), "{parts:?}: {line}");
        }
        let (status, rest, err) = running.end(rustix::process::Signal::INT);
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
        let records = (lines.len() + rest.lines().count() - 1) as u64;
        assert_eq!(numbers(rest.lines().last().expect("a summary"))[..2], [1, records], "connections and records");
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
        assert_eq!(numbers(&err)[..2], [1, lines.len() as u64], "{err}");
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
    fn lines_that_are_read_too_late_are_counted() {
        let mut running =
            Running::start(&["--headless", "--json", "--listen", "127.0.0.1:0", "--no-deflate", "--ring", "1MiB"]);
        // The test does not read stdout: after some records the pipe is full, nothing is printed, and the ring evicts most records.
        let _first = echoed(&running.address, 50);
        let _second = echoed(&running.address, 100);
        let lines = stdout_of(&mut running);
        let (status, _, err) = running.end(rustix::process::Signal::INT);
        assert_eq!(status.code(), Some(0), "{err}");
        let lines = lines.join().expect("no panic");
        let printed: Vec<u64> = lines.lines().map(number_of_line).collect();
        assert!(printed.is_sorted_by(|a, b| a < b), "{printed:?}");
        assert!(printed.len() > 10);
        // 2 handshakes, 150 messages and their echoes, and the end of 2 connections.
        let missing = counted(&err, " not printed").expect("lines are missing");
        assert_eq!(counted(&err, " records"), Some(missing + printed.len() as u64), "{err}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.ndjson");
        fs::write(&path, &lines).expect("written");
        assert_eq!(run(&["check", "--fail-on", "error", &path.to_string_lossy()]).0, Some(0));
    }

    /// The count in the part of the summary that contains this word.
    fn counted(summary: &str, word: &str) -> Option<u64> {
        summary.split(" · ").find(|part| part.contains(word)).and_then(|part| numbers(part).first().copied())
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
        assert!(counted(&err, " evicted").is_some_and(|evicted| evicted > 50), "{err}");
        let lines = lines.join().expect("no panic");
        // Every record, the Close too, is printed or counted: the connections do not wait for stdout.
        assert_eq!(counted(&err, " records"), Some(2 + 121 + 2), "{err}");
        let printed: Vec<u64> = lines.lines().map(number_of_line).collect();
        assert!(printed.is_sorted_by(|a, b| a < b), "{printed:?}");
        assert_eq!(printed.len() as u64 + counted(&err, " not printed").unwrap_or(0), 125, "{err}: {printed:?}");
        let files: Vec<PathBuf> =
            fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        // Lines that are being printed hold back the eviction: until twice the size.
        let size: u64 = files.iter().map(|path| fs::metadata(path).expect("a file of the ring").len()).sum();
        assert!(size <= 2 << 20, "{size}");
        assert!(files.len() > 3);
        for path in &files {
            assert!(path.to_string_lossy().contains("day.000"), "{}", path.display());
            assert_eq!(run(&["check", &path.to_string_lossy()]).0, Some(0));
        }
        let line = one_line(1, &ring);
        assert!(line.contains("day.000") && line.contains("--force"), "{line}");
    }

    #[test]
    fn a_closed_terminal_ends_it_as_sigterm_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("live.pcapng").to_string_lossy().into_owned();
        // If the tests run under nohup, the program would ignore SIGHUP from the start.
        let mut program = command(&[]);
        if cfg!(target_os = "linux") {
            program = Command::new("env");
            program.arg("--default-signal=HUP").arg(PROGRAM);
        }
        let mut running = Running::of(program.args(DEMO).args(["--write", &path]));
        running.wait_for_lines(4);
        let (status, rest, err) = running.end(rustix::process::Signal::HUP);
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
        assert_eq!(numbers(rest.lines().last().expect("a summary"))[0], 1, "{rest}");
        let json = stdout(&["export", "--to", "ndjson", &path]);
        assert_eq!(json.matches("\"type\":\"end\"").count(), 2, "the file is complete: {json}");
    }

    #[test]
    fn under_nohup_it_outlives_the_terminal() {
        let script = format!("trap '' HUP; exec {PROGRAM} {}", DEMO.join(" "));
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
    fn a_signal_ends_it_although_nothing_reads_stdout() {
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
        let line = one_line(1, &["--headless", "--listen", &running.address]);
        assert!(line.contains(&running.address), "{line}");
        running.end(rustix::process::Signal::INT);
    }

    #[test]
    fn a_full_disk_stops_only_capturing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path: PathBuf = folder.path().join("live.pcapng");
        let script = format!(
            "trap '' XFSZ; ulimit -f 8; exec {PROGRAM} --headless --quiet --listen 127.0.0.1:0 --write {}",
            path.display()
        );
        let mut running = Running::of(Command::new("sh").args(["-c", &script]));
        // The file has space for small responses, but not for the page.
        for _ in 0..2 {
            get(&running.address, "/nothing");
        }
        for _ in 0..3 {
            get_page(&running.address);
        }
        assert!(running.child.try_wait().expect("asked").is_none(), "it continues");
        let (status, out, err) = running.end(rustix::process::Signal::INT);
        assert_eq!(status.code(), Some(1), "{err}");
        // When capturing stops, the file; at the end and in the summary, how many bytes are missing.
        let [stopped, missing] = err.lines().collect::<Vec<_>>().try_into().expect("two lines");
        assert!(stopped.contains("live.pcapng"), "{err}");
        let missing = numbers(missing)[0];
        assert!(missing > 4096 && numbers(&out).contains(&missing), "{out}{err}");
        let json = stdout(&["export", "--to", "ndjson", &path.to_string_lossy()]);
        assert!(json.lines().count() > 5, "the file keeps the records before the error");
    }
}
