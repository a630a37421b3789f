//! Unsaved captures: how a run may end, what it leaves, and what the next start offers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::program::numbers;
use crate::support::terminal::{Terminal, files};
use crate::support::{load, sample, sample_path};
use rustix::process::Signal;

const DEMO: [&str; 6] = ["serve", "--demo", "--listen", "127.0.0.1:0", "--interval", "100ms"];

/// How a run is interrupted.
#[derive(Clone, Copy, Debug)]
enum Interrupt {
    ControlC,
    Signal(Signal),
    /// The terminal's window is closed.
    Closed,
}

impl Interrupt {
    fn strike(self, terminal: &mut Terminal) {
        match self {
            Self::ControlC => terminal.press("\x03"),
            Self::Signal(signal) => terminal.signal(signal),
            Self::Closed => terminal.close(),
        }
    }
}

/// The spools in the cache of a user whose home is `folder`.
fn spools(folder: &Path) -> Vec<PathBuf> {
    files(&folder.join("cache"), "live-")
}

/// Interrupts a run, and checks that everything it has shown is in a capture that opens.
fn interrupt(terminal: &mut Terminal, how: Interrupt, folder: &Path, moment: &str) {
    let text = terminal.text();
    let answers = text.lines().filter_map(|line| numbers(line.split_once("client: echo ")?.1).first().copied());
    let shown = answers.max();
    how.strike(terminal);
    assert_eq!(terminal.end(), 0, "{moment}, {how:?}");
    let kept = spools(folder);
    let [kept] = kept.as_slice() else {
        assert!(kept.is_empty() && shown.is_none(), "{moment}, {how:?}: {kept:?}");
        return;
    };
    let capture = load(kept);
    assert_eq!(capture.totals().open, 0, "{moment}, {how:?}: complete");
    // Each `echo N` and its answer are two records after the handshake's.
    let least = shown.map_or(1, |n| 2 + 2 * (n + 1));
    assert!(capture.len() >= least, "{moment}, {how:?}: {} records of {least}", capture.len());
    if !matches!(how, Interrupt::Closed) {
        terminal.assert_restored();
        let name = kept.file_name().expect("a name").to_string_lossy().into_owned();
        let said = terminal.text();
        assert!(
            said.contains("framescope open ~/cache/framescope/") && said.contains(&name),
            "{moment}, {how:?}: {said}"
        );
    }
}

#[test]
fn an_interrupt_at_any_moment_leaves_a_capture_that_opens() {
    use Interrupt::{Closed, ControlC, Signal as By};
    // What is pressed before, and what the screen then shows.
    let moments = [
        ("the first message", "", "client: echo 0", ControlC),
        ("some messages", "", "client: echo 5", ControlC),
        ("the first record is selected", "g", "record 1 · request", By(Signal::TERM)),
        ("the help", "?", "any other key closes", ControlC),
        ("the question before quitting", "q", "quit without saving", ControlC),
        ("the export dialog", "e", "record.pcapng", By(Signal::INT)),
        ("a prompt", "&len > ", " len >", ControlC),
        ("the picture dialog", "S", "screen.svg", By(Signal::TERM)),
        ("a paste", "\x1b[200~81 00\x1b[201~", "■ read as hex digits", ControlC),
        ("an export", "e\x1b[D\r", "wrote", ControlC),
        ("a closed terminal", "", "client: echo 3", Closed),
        ("a hang-up", "", "client: echo 2", By(Signal::HUP)),
    ];
    for (moment, keys, sign, how) in moments {
        let folder = tempfile::tempdir().expect("a folder");
        let mut terminal = Terminal::program(&DEMO, folder.path());
        if !keys.is_empty() {
            terminal.expect("client: echo");
            terminal.press(keys);
        }
        terminal.expect(sign);
        interrupt(&mut terminal, how, folder.path(), moment);
    }
    // However early.
    for patience in [0, 1, 2, 5, 10, 20, 40] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut terminal = Terminal::program(&DEMO, folder.path());
        terminal.wait_until("the alternate screen", vt100::Screen::alternate_screen);
        std::thread::sleep(Duration::from_millis(patience));
        interrupt(&mut terminal, ControlC, folder.path(), "early");
    }
}

#[test]
fn only_who_quits_or_discards_loses_the_capture() {
    for (more, keys) in [(&["--discard"][..], &["\x03"][..]), (&[], &["q", "y"])] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut terminal = Terminal::program(&[&DEMO, more].concat(), folder.path());
        terminal.expect("client: echo 1");
        for key in keys {
            terminal.press(key);
            if *key == "q" {
                terminal.expect("quit without saving");
            }
        }
        assert_eq!(terminal.end(), 0);
        assert_eq!(spools(folder.path()), [] as [PathBuf; 0], "{keys:?}");
        assert!(!terminal.text().contains("framescope open"), "{}", terminal.text());
    }
}

/// A folder with a kept capture, and an older ring of two files that continue each other.
fn with_kept() -> (tempfile::TempDir, PathBuf, [PathBuf; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache/framescope");
    fs::create_dir_all(&cache).expect("created");
    let kept = cache.join("live-kept.pcapng");
    fs::copy(sample_path("hello"), &kept).expect("copied");
    let ring = [1, 2].map(|number| cache.join(format!("live-ring.000000{number}.pcapng")));
    let bytes = fs::read(sample_path("ticker")).expect("a sample");
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for (path, bytes) in ring.iter().zip([first, second]) {
        fs::write(path, bytes).expect("written");
        let file = fs::File::options().append(true).open(path).expect("there");
        file.set_modified(SystemTime::now() - Duration::from_secs(86_400)).expect("older");
    }
    (folder, kept, ring)
}

#[test]
fn kept_captures_are_listed_opened_and_deleted() {
    let (folder, kept, ring) = with_kept();
    let mut terminal = Terminal::program(&["serve", "--listen", "127.0.0.1:0"], folder.path());
    terminal.expect("Kept captures");
    // The last line is drawn last.
    terminal.expect("q quit");
    let list = terminal.text();
    let row =
        |name: &str| list.lines().position(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {list}"));
    assert!(row("live-kept.pcapng") < row("live-ring.*.pcapng"), "the newest first");
    terminal.expect(&format!(" {} ", sample("hello").len()));
    terminal.expect(&format!(" {} ", sample("ticker").len()));
    assert!(list.contains("2 files"), "{list}");
    assert!(list.contains("/chat") && list.contains("/ticker · 2 files"), "the paths: {list}");
    terminal.press("\r");
    terminal.expect("live-kept.pcapng   ■ file   ● live: 0 records");
    terminal.expect(&format!("{} records", sample("hello").len()));
    // The list again, from above: the ring.
    terminal.press("K");
    terminal.expect("live-ring.*.pcapng");
    terminal.press("j\r");
    terminal.expect("live-ring.*.pcapng   ■ file");
    terminal.expect(&format!("{} records", sample("ticker").len()));
    terminal.press("\x1b");
    terminal.expect("live-kept.pcapng   ■ file");
    terminal.press("\x1b");
    terminal.expect("No traffic yet");
    // Each deletion is confirmed.
    terminal.press("K");
    terminal.expect("Kept captures");
    terminal.press("jx");
    terminal.expect("cannot be undone");
    terminal.press("n");
    terminal.expect("Earlier runs");
    assert!(ring.iter().all(|path| path.exists()));
    terminal.press("jx");
    terminal.expect("cannot be undone");
    terminal.press("y");
    terminal.expect("deleted live-ring");
    assert!(kept.exists() && !ring.iter().any(|path| path.exists()));
    terminal.press("xy");
    terminal.expect("deleted live-kept");
    assert!(!kept.exists());
    terminal.press("K");
    terminal.expect("no earlier run has kept a capture");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn a_capture_that_another_run_writes_is_neither_listed_nor_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = Terminal::program(&DEMO, folder.path());
    first.expect("client: echo 1");
    let mut second = Terminal::program(&["serve", "--listen", "127.0.0.1:0"], folder.path());
    second.expect("No traffic yet");
    second.press("K");
    second.expect("no earlier run has kept a capture");
    second.signal(Signal::TERM);
    assert_eq!(second.end(), 0);
    assert_eq!(spools(folder.path()).len(), 1, "the first one's; the second has recorded nothing");
    interrupt(&mut first, Interrupt::ControlC, folder.path(), "beside another run");
}
