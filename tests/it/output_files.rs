//! Files that are written: what may be at their paths, and what other programs do to them during a run.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::{Change, Spool, SpoolError};
use framescope::capture::store::output::OutputError;
use framescope::export::{ExportError, ExportOptions, Format, Progress, to_file};
use framescope::proto::connection::Connection;
use framescope::proto::dissected::{EndReason, Kind};
use framescope::proto::time::Time;
use framescope::wire::opcode::Opcode;

use crate::support::{UP, Wire, everything, exported, frame, load, sample, sample_path};

/// The longest time that a run may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framescope"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the end of a process, which is killed if it takes too long; the exit status and the lines on stderr.
fn ended(mut child: Child) -> (Option<i32>, Vec<String>) {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("killed");
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let mut text = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut text).expect("text");
    (child.wait().expect("a child").code(), text.lines().map(str::to_owned).collect())
}

fn terminate(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").args(["-m", "666"]).arg(path).status().expect("mkfifo").success());
}

#[test]
fn only_regular_files_are_written_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let [fifo, socket, ring] = ["fifo", "socket", "ring.0000001.pcapng"].map(|name| folder.path().join(name));
    mkfifo(&fifo);
    mkfifo(&ring);
    let _listener = UnixListener::bind(&socket).expect("a socket");
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("a mode");
    let base = folder.path().join("ring.pcapng");
    let hello = sample_path("hello");
    for (path, at, kind) in [(&fifo, &fifo, "a FIFO"), (&socket, &socket, "a socket"), (&base, &ring, "a FIFO")] {
        let named = path.to_str().expect("UTF-8");
        let serve = ["--headless", "--listen", "127.0.0.1:0", "--force", "--write", named];
        let with_ring = [&serve[..], &["--ring", "1MiB"]].concat();
        let export = ["export", &hello, "--to", "ndjson", "--force", "-o", named];
        let commands: &[&[&str]] = match path {
            path if path == &socket => &[&serve, &export, &["check", named]],
            // check reads a FIFO.
            path if path == &fifo => &[&serve, &export],
            _ => &[&with_ring],
        };
        for command in commands {
            let (status, lines) = ended(program(command).spawn().expect("started"));
            assert_eq!((status, lines.len()), (Some(1), 1), "{command:?}: {lines:?}");
            assert!(lines[0].contains(kind) && lines[0].contains(at.to_str().expect("UTF-8")), "{lines:?}");
        }
        assert_eq!(fs::metadata(at).expect("still there").permissions().mode() & 0o777, 0o666, "{kind}");
    }
    // As the export dialog of the screen does.
    let (options, progress) = (ExportOptions::default(), Progress::default());
    let refused = to_file(&sample("hello"), Format::Hex, &options, &fifo, true, &progress);
    assert!(matches!(&refused, Err(ExportError::File(OutputError::NotRegular { kind: "a FIFO", .. }))), "{refused:?}");
    let nowhere = to_file(&sample("hello"), Format::Hex, &options, &folder.path().join("no/x"), true, &progress);
    assert!(matches!(nowhere, Err(ExportError::File(OutputError::NoFolder { .. }))), "{nowhere:?}");
}

#[test]
fn an_export_never_replaces_the_capture_that_it_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    fs::write(&path, exported(&sample("hello"), Format::Pcapng)).expect("written");
    let capture = load(&path);
    for force in [false, true] {
        let (options, progress) = (ExportOptions::default(), Progress::default());
        let refused = to_file(&capture, Format::Hex, &options, &path, force, &progress);
        assert!(matches!(refused, Err(ExportError::Itself(_))), "{refused:?}");
    }
}

/// A change by another program, and how it is reported.
type Interference = (&'static str, fn(&Path), Change);

const INTERFERENCES: [Interference; 5] = [
    ("deleted", |path| fs::remove_file(path).expect("deleted"), Change::Deleted),
    ("replaced", |path| rename_over(path), Change::Deleted),
    ("moved", |path| fs::rename(path, path.with_extension("moved")).expect("moved"), Change::Moved),
    ("truncated", |path| set_len(path, 100), Change::Resized),
    ("emptied", |path| set_len(path, 0), Change::Resized),
];

fn rename_over(path: &Path) {
    let other = path.with_extension("other");
    fs::write(&other, "not a capture").and_then(|()| fs::rename(&other, path)).expect("replaced");
}

fn set_len(path: &Path, len: u64) {
    fs::File::options().write(true).open(path).and_then(|file| file.set_len(len)).expect("truncated");
}

/// Waits until the file has the ends of a connection: nothing more is appended to it.
fn wait_for_both_ends(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let fin = Kind::End(EndReason::Fin);
    while everything(&load(path)).iter().filter(|(record, _)| record.kind == fin).count() < 2 {
        assert!(Instant::now() < deadline, "the connection does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_that_another_program_changes_during_the_run_fails_the_run() {
    for (name, interfere, _) in INTERFERENCES {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("live.pcapng");
        let write = path.to_str().expect("UTF-8");
        let mut child =
            program(&["--headless", "--quiet", "--listen", "127.0.0.1:0", "--write", write]).spawn().expect("started");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect(&line).trim_end_matches('/').to_owned();
        let mut socket = TcpStream::connect(&address).expect("it serves");
        write!(socket, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
        socket.read_to_string(&mut String::new()).expect("the page");
        drop(socket);
        wait_for_both_ends(&path);
        interfere(&path);
        terminate(&child);
        child.stderr = Some(stderr.into_inner());
        let (status, lines) = ended(child);
        assert_eq!((status, lines.len()), (Some(1), 1), "{name}: {lines:?}");
        assert!(lines[0].contains(write), "{name}: {lines:?}");
    }
}

#[test]
fn nothing_is_appended_to_a_truncated_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    let connection =
        recorder.dissected_by(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into(), Connection::in_frames());
    let bytes = frame(true, Opcode::Text, None, b"a");
    let say = || connection.record(&[Chunk { direction: UP, time: Time(1), bytes: &bytes }]);
    say();
    recorder.check_files().expect("as it was written");
    set_len(&path, 60);
    say();
    let trouble = recorder.capture().trouble();
    assert_eq!((trouble.uncaptured, trouble.has_failed()), (3, true));
    assert_eq!(fs::metadata(&path).expect("there").len(), 60);
    assert!(matches!(recorder.check_files(), Err(SpoolError::Changed { how: Change::Resized, .. })));
}

#[test]
fn the_files_of_a_ring_are_checked_when_the_next_begins_and_at_the_end() {
    for (name, interfere, change) in INTERFERENCES {
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep_ring(&base, false, 64 * 1024).expect("a spool"));
        let connection =
            recorder.dissected_by(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into(), Connection::in_frames());
        let bytes = frame(true, Opcode::Binary, None, &[0x5a; 1000]);
        let say = || connection.record(&[Chunk { direction: UP, time: Time(1), bytes: &bytes }]);
        say();
        interfere(&recorder.capture().paths()[0]);
        let found = recorder.check_files();
        assert!(matches!(found, Err(SpoolError::Changed { how, .. }) if how == change), "{name}: {found:?}");
        for _ in 0..200 {
            say();
        }
        assert!(recorder.capture().trouble().has_failed(), "{name}");
        if name == "replaced" {
            assert_eq!(fs::read(folder.path().join("a.0000001.pcapng")).expect("kept"), b"not a capture");
            recorder.check_files().expect("the file was evicted, the others are as they were written");
        }
    }
}

#[test]
fn the_first_signal_ends_a_command_that_waits_for_a_reader() {
    let mut wire = Wire::upgraded();
    for _ in 0..100 {
        wire.say(UP, &frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &[0; 10_000]));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    fs::write(&path, exported(wire.recording.capture(), Format::Pcapng)).expect("written");
    let mut child = program(&["export", path.to_str().expect("UTF-8"), "--to", "hex"]).spawn().expect("started");
    let mut stdout = child.stdout.take().expect("stdout");
    stdout.read_exact(&mut [0]).expect("the export has begun; its pipe is soon full");
    let asked = Instant::now();
    terminate(&child);
    assert_eq!(ended(child).0, Some(1));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}
