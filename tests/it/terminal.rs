//! The built program in a real pseudo-terminal: what a person sees, types, and is left with.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::support::program::numbers;
use crate::support::terminal::{Terminal, files};
use crate::support::{exported, sample};
use portable_pty::{CommandBuilder, PtySize};

#[test]
fn a_file_that_grows_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = include_bytes!("../../assets/samples/ticker.pcapng");
    let path = folder.path().join("growing.pcapng");
    std::fs::write(&path, &sample[..sample.len() / 3]).expect("written");
    let mut terminal = Terminal::program(&["open", "--follow", "growing.pcapng"], folder.path());
    terminal.expect("● growing");
    terminal.expect("following");
    assert!(!terminal.text().contains("client: echo 4"), "it is later in the file");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("a file");
    file.write_all(&sample[sample.len() / 3..]).expect("written");
    terminal.expect("client: echo 4");
    terminal.expect("0 open");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn a_file_opens_with_a_filter() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = ["open", "--sample", "hello", "--filter", "op == ping", "--theme", "dark"];
    let mut terminal = Terminal::program(&line, folder.path());
    terminal.expect("1 of 14 records");
    let list = terminal.text();
    assert!(list.contains("& op == ping") && list.contains("ping") && !list.contains("Switching Protocols"), "{list}");
    terminal.press("q");
    terminal.end();
}

#[test]
fn a_demo_is_stepped_through_exported_and_quit() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal =
        Terminal::program(&["serve", "--demo", "--listen", "127.0.0.1:0", "--interval", "100ms"], folder.path());
    terminal.expect("client: echo 2");
    terminal.expect("following");
    terminal.press("g");
    terminal.expect("record 1 · request");
    terminal.press("j");
    terminal.expect("258EAFA5-E914-47DA-95CA-");
    terminal.press("j");
    terminal.expect("record 3 · text · server → client");
    terminal.press("j");
    terminal.expect("record 4 · text · client → server");
    terminal.expect("new");
    terminal.press("\x1b[C\x1b[C");
    terminal.expect("opcode ─ RFC 6455 §5.2");
    terminal.press("\t\t\t\x1b[C\x1b[C\x1b[C");
    terminal.expect("payload byte 3 of 0 to 13");
    terminal.press("e");
    terminal.expect("record.pcapng");
    terminal.press("\x1b[B\x1b[C");
    terminal.expect("record.ndjson");
    terminal.press("\r");
    terminal.expect("wrote 1 record");
    let exported = std::fs::read_to_string(folder.path().join("record.ndjson")).expect("the export");
    assert!(exported.contains("\"text\":\"client: echo 0\""), "{exported}");
    // The terminal copies.
    terminal.press("yp");
    terminal.expect("copied 14 bytes");
    let copied = b"\x1b]52;c;Y2xpZW50OiBlY2hvIDA=\x07";
    assert!(terminal.raw.windows(copied.len()).any(|window| window == copied));
    terminal.press("q");
    terminal.expect("Quitting deletes");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn a_file_that_is_read_only_in_part_fails_when_the_screen_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.ndjson");
    let ndjson = exported(&sample("violations"), framescope::export::Format::Ndjson);
    std::fs::write(&path, ndjson).expect("written");
    let mut command = CommandBuilder::new("sh");
    // At most 512 or 1,024 bytes fit into a file.
    let script = format!("trap '' XFSZ; ulimit -f 1; exec {} open x.ndjson", env!("CARGO_BIN_EXE_framescope"));
    command.args(["-c", &script]);
    command.cwd(folder.path());
    command.env("TERM", "xterm-256color");
    command.env("XDG_CACHE_HOME", folder.path());
    command.env("TMPDIR", folder.path());
    let mut terminal = Terminal::start(command, 36, 120);
    terminal.expect("reading stopped");
    terminal.press("q");
    assert_eq!(terminal.end(), 1);
    terminal.assert_restored();
    assert!(terminal.text().contains("framescope: x.ndjson: reading stopped"), "{}", terminal.text());
}

#[test]
fn a_terminal_that_never_answers_loses_no_key() {
    for first in ["?", "\x03"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut terminal = Terminal::program(&["open", "--sample", "hello"], folder.path());
        terminal.answer = None;
        // The key is pressed before the first screen is drawn.
        terminal.wait_until("the alternate screen", vt100::Screen::alternate_screen);
        terminal.press(first);
        if first == "?" {
            terminal.expect("any other key closes");
            terminal.press("\x1b");
            terminal.wait_until("the help closes", |screen| !screen.contents().contains("any other key closes"));
            terminal.press("q");
        }
        assert_eq!(terminal.end(), 0);
        terminal.assert_restored();
    }
}

#[test]
fn a_late_answer_changes_the_theme_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::program(&["open", "--sample", "hello"], folder.path());
    terminal.answer = None;
    terminal.expect("Bits");
    terminal.press("j");
    terminal.expect("record 2 ·");
    let colours = |screen: &vt100::Screen| {
        let cell = |row| screen.cell(row, 3).map(|cell| (cell.fgcolor(), cell.bgcolor()));
        (0..36).map(cell).collect::<Vec<_>>()
    };
    terminal.settle();
    let (text, dark) = (terminal.text(), colours(terminal.parser.screen()));
    // In two parts, with more keys after it.
    terminal.press("\x1b]11;rgb:ffff/ff");
    std::thread::sleep(Duration::from_millis(20));
    terminal.press("ff/ffff\x1b\\");
    terminal.wait_until("the light theme", |screen| colours(screen) != dark);
    terminal.settle();
    assert_eq!(terminal.text(), text, "no part of the answer was a key");
    terminal.press("j");
    terminal.expect("record 3 ·");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn another_size_is_another_drawing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::program(&["open", "--sample", "hello", "--theme", "dark"], folder.path());
    terminal.expect("Bits");
    let size = |rows, cols| PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
    for (rows, columns, sign) in [
        (10, 40, "framescope"),
        (24, 80, "Handshake"),
        (5, 20, "framescope needs"),
        (60, 200, "Bytes"),
        (36, 120, "all keys"),
    ] {
        terminal
            .parser
            .screen_mut()
            .set_size(rows.try_into().expect("not zero"), columns.try_into().expect("not zero"));
        terminal.parser.process(b"\x1b[2J");
        terminal.master.as_ref().expect("open").resize(size(rows, columns)).expect("resized");
        terminal.expect(sign);
    }
    terminal.wait_until("the last size is drawn whole", |screen| {
        let rows: Vec<String> = screen.rows(0, 120).collect();
        rows[0].starts_with(" framescope   hello.pcapng") && rows[35].trim_end().ends_with("q quit")
    });
    terminal.press("q");
    assert_eq!(terminal.end(), 0, "a file is not lost by quitting");
    terminal.assert_restored();
}

#[test]
fn sigterm_ends_it_and_gives_the_terminal_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kept.pcapng");
    let mut terminal = Terminal::program(
        &["serve", "--demo", "--listen", "127.0.0.1:0", "--interval", "100ms", "--write", "kept.pcapng"],
        folder.path(),
    );
    terminal.expect("client: echo 1");
    let asked = Instant::now();
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.end(), 0);
    assert!(asked.elapsed() < Duration::from_secs(10), "it waits for no peer");
    terminal.assert_restored();
    let (capture, loader) = framescope::capture::import::open(&file).expect("the file opens");
    loader.run(&std::sync::atomic::AtomicBool::new(false));
    assert!(capture.len() > 4 && capture.totals().open == 0, "the file is complete");
}

#[test]
fn a_sample_leaves_no_file_however_it_ends() {
    use rustix::process::Signal;
    for signal in [Signal::HUP, Signal::TERM, Signal::INT, Signal::KILL] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut terminal = Terminal::program(&["open", "--sample", "hello", "--theme", "dark"], folder.path());
        terminal.expect("Bits");
        terminal.signal(signal);
        if signal == Signal::KILL {
            terminal.child.wait().expect("a child");
        } else {
            assert_eq!(terminal.end(), 0, "{signal:?}");
            terminal.assert_restored();
        }
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().collect();
        assert!(left.is_empty(), "{signal:?}: {left:?}");
    }
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "terminal::the_screen_that_panics", "--ignored", "--nocapture", "--test-threads=1"]);
    command.cwd(folder.path());
    command.env("TERM", "xterm-256color");
    command.env("FRAMESCOPE_TEST_PANIC", "1");
    let mut terminal = Terminal::start(command, 36, 120);
    terminal.expect("No traffic yet");
    terminal.press("o");
    assert_ne!(terminal.end(), 0);
    terminal.assert_restored();
    let text = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(text.contains("the browser went mad"), "the message is left to be read");
}

/// Runs only inside the pseudo-terminal of [`a_panic_gives_the_terminal_back`].
#[test]
#[ignore = "is started by another test, in a terminal of its own"]
fn the_screen_that_panics() {
    if std::env::var_os("FRAMESCOPE_TEST_PANIC").is_none() {
        return;
    }
    use framescope::tui::{self, event, host, keymap, theme};
    struct Mad;
    impl host::Host for Mad {
        fn send_line(&mut self, _line: &framescope::script::InputLine) -> Result<(), host::HostError> {
            unreachable!("nothing is sent")
        }
        fn open_browser(&mut self) -> Result<String, host::HostError> {
            panic!("the browser went mad")
        }
        fn toggle_demo(&mut self) -> Result<String, host::HostError> {
            Err(host::HostError::NoServer)
        }
        fn start_tour(&mut self) -> Result<tui::state::tour::TourStart, host::HostError> {
            Err(host::HostError::NoServer)
        }
        fn start_lesson(&mut self) -> Result<String, host::HostError> {
            Err(host::HostError::NoServer)
        }
        fn keep_tour(&mut self, _: tui::state::tour::TourProgress) {}
        fn export(&mut self, _: framescope::capture::store::Capture, _: host::ExportRequest, _: event::Remote) {}
        fn write_file(&mut self, _: tui::picture_request::FileRequest, _: event::Remote) {}
    }
    let folder = tempfile::tempdir().expect("a folder");
    let spool = framescope::capture::live::spool::Spool::temporary_in(folder.path()).expect("a spool");
    let recorder = framescope::capture::live::recorder::Recorder::new(spool);
    let url = Some("http://127.0.0.1:6455/".to_owned());
    let session = tui::app::Session { url, file: None, formats: Vec::new(), ..Default::default() };
    let dark = theme::ThemeName::Dark;
    let keys = keymap::Keymap::built_in().expect("a table");
    let app = tui::app::App::new(recorder.capture().clone(), session, theme::Theme::named(dark), keys, false);
    let (remote, events) = event::queue();
    tui::run(app, Some(dark), &mut Mad, &remote, &events).expect("a terminal");
}

/// Runs a shell script on a terminal: `$1` is the program.
fn script(script: &str, folder: &std::path::Path) -> Terminal {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_framescope")]);
    command.cwd(folder);
    command.env("TERM", "xterm-256color");
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    command.env("TMPDIR", folder);
    Terminal::start(command, 36, 120)
}

#[test]
fn stdin_is_opened_and_the_keys_come_from_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(crate::support::sample_path("hello"), folder.path().join("hello.pcapng")).expect("copied");
    for (input, shown, second) in [
        ("cat hello.pcapng", "stdin   ■ file", "record 2 · 101"),
        ("gzip -c hello.pcapng", "stdin   ■ file", "record 2 · 101"),
        (r"printf '\201\005Hello\211\000'", "stdin   ■ read as raw bytes", "record 2 · ping"),
        ("echo '[129, 5, 72, 101, 108, 108, 111, 0x89, 0]'", "stdin   ■ read as a list of numbers", "record 2 · ping"),
    ] {
        let mut terminal = script(&format!("{input} | \"$1\" open - --theme dark"), folder.path());
        terminal.expect(shown);
        terminal.press("gj");
        terminal.expect(second);
        terminal.press("q");
        assert_eq!(terminal.end(), 0, "{input}");
        terminal.assert_restored();
    }
    let left = files(folder.path(), "");
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
}

#[test]
fn a_terminal_without_input_ends_at_once_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = script("echo no frames | \"$1\" open -", folder.path());
    assert_eq!(terminal.end(), 1);
    assert!(terminal.text().contains("framescope: stdin is not a capture"), "{}", terminal.text());
    terminal.assert_restored();
    // Ctrl-C while it waits for stdin.
    let mut terminal = script("sleep 60 | \"$1\" open -", folder.path());
    std::thread::sleep(Duration::from_millis(300));
    terminal.press("\x03");
    assert_ne!(terminal.end(), 0);
}

#[test]
fn a_sample_is_opened_above_an_empty_capture_searched_saved_and_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::program(&["--listen", "127.0.0.1:0", "--theme", "dark"], folder.path());
    terminal.expect("Samples");
    // Down, then Enter.
    terminal.press("\x1b[B\r");
    terminal.expect("ticker.pcapng   ■ file");
    terminal.press("/client: echo\r");
    terminal.expect(", 1 of 6: ");
    terminal.press("N");
    terminal.expect(", 6 of 6: ");
    terminal.expect("wrapped to the last");
    terminal.press("w");
    terminal.expect("writes ");
    terminal.press("mine.pcapng\r");
    terminal.expect("✓ wrote ");
    // The search ends first.
    terminal.press("\x1b");
    terminal.settle();
    terminal.press("\x1b");
    terminal.expect("No traffic yet");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    let saved = crate::support::load(&folder.path().join("mine.pcapng"));
    assert_eq!(saved.len(), sample("ticker").len());
}

#[test]
fn frames_are_pasted_above_a_file_saved_and_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::program(&["open", "--sample", "hello", "--theme", "dark"], folder.path());
    terminal.expect("hello.pcapng   ■ file");
    terminal.press("\x1b[200~81 05 48\r65 6c 6c 6f 89 00\r\x1b[201~");
    terminal.expect("paste   ■ read as hex digits");
    terminal.press("e\x1b[D\x1b[B\x1b[C\r");
    terminal.expect("wrote 2 records");
    terminal.press("ja");
    terminal.expect("Note on record 2");
    terminal.press("the ping\re\r");
    terminal.expect("wrote 3 records");
    terminal.press("\x1b");
    terminal.expect("hello.pcapng   ■ file");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    let saved = crate::support::load(&folder.path().join("capture.ndjson"));
    let frames = crate::support::everything(&saved).into_iter().filter(|(record, _)| record.opcode().is_some());
    assert_eq!(frames.map(|(_, wire)| wire).collect::<Vec<_>>(), [&b"\x81\x05Hello"[..], b"\x89\x00"]);
    // pcapng gets a handshake: without it, no program would recognize WebSocket.
    let ping = crate::support::load(&folder.path().join("record.pcapng"));
    let records = crate::support::everything(&ping);
    let kinds: Vec<&str> = records.iter().map(|(record, _)| record.kind.name()).collect();
    assert_eq!(kinds[..3], ["request", "response", "frame"]);
    assert_eq!((records[2].1.as_slice(), ping.note(3).as_deref()), (&b"\x89\x00"[..], Some("the ping")));
}

#[test]
fn the_live_capture_goes_on_while_a_paste_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = ["serve", "--demo", "--listen", "127.0.0.1:0", "--interval", "50ms"];
    let mut terminal = Terminal::program(&demo, folder.path());
    terminal.expect("client: echo 1");
    terminal.press("\x1b[200~81 00\x1b[201~");
    terminal.expect("paste   ■ read as hex digits   ● live: ");
    let live = |screen: &vt100::Screen| {
        let contents = screen.contents();
        let (_, count) = contents.split_once("● live: ").unwrap_or_default();
        numbers(count).first().copied().unwrap_or(0)
    };
    let then = live(terminal.parser.screen());
    terminal.wait_until("the live capture grows", |screen| live(screen) >= then + 20);
    assert!(terminal.text().contains("■ read as hex digits"));
    terminal.press("\x1b");
    terminal.expect("following");
    // It draws what arrives from now on.
    let newest = (then + 60) / 2;
    terminal.wait_until("it follows", |screen| {
        let rows = screen.contents();
        rows.lines().filter_map(|row| numbers(row.split_once("client: echo ")?.1).first().copied()).any(|n| n >= newest)
    });
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}
