//! A disk without space: the work fails with status 1, and no part of a result is left. A limit on the size of files takes the place of
//! the full disk.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{DOWN, UP, Wire, exported, frame};
use framescope::export::Format;
use framescope::wire::opcode::Opcode;

/// Runs the program in a shell that has run `before`.
fn after(before: &str, arguments: &[&str], cache: &Path) -> Output {
    Command::new("sh")
        .args(["-c", &format!("{before}; program=$1; shift; exec \"$program\" \"$@\""), "sh"])
        .arg(env!("CARGO_BIN_EXE_framescope"))
        .args(arguments)
        .env("XDG_CACHE_HOME", cache)
        .env("TMPDIR", cache)
        .output()
        .expect("a shell")
}

/// Runs the program with a limit of 16 or 32 KiB on each file that it writes.
fn limited(arguments: &[&str], cache: &Path) -> Output {
    // Without the trap, SIGXFSZ would end the program.
    after("trap '' XFSZ; ulimit -f 32", arguments, cache)
}

/// A capture whose pcapng is much larger than the limit, in the format of that name.
fn large(folder: &Path, name: &str) -> PathBuf {
    let mut wire = Wire::upgraded();
    for n in 0..2_000_u32 {
        wire.say(DOWN, &frame(true, Opcode::Text, None, format!("echo {n}").as_bytes()));
        wire.say(UP, &frame(true, Opcode::Text, Some(n.to_be_bytes()), b"unmasked by its key"));
    }
    let capture = wire.recording.capture();
    let bytes = match name {
        "x.ndjson" => exported(capture, Format::Ndjson),
        "x.har" => exported(capture, Format::Har),
        "x.pcapng" => exported(capture, Format::Pcapng),
        _ => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&exported(capture, Format::Pcapng)).and_then(|()| gzip.finish()).expect("compressed")
        }
    };
    let path = folder.join(name);
    fs::write(&path, bytes).expect("written");
    path
}

#[test]
fn a_capture_that_is_read_only_in_part_fails_check_and_every_export() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    fs::create_dir_all(cache.join("framescope")).expect("a folder");
    for name in ["x.ndjson", "x.har", "x.gz"] {
        let path = large(folder.path(), name);
        let path = path.to_str().expect("UTF-8");
        let out = folder.path().join("out");
        let to_file = ["export", path, "--to", "hex", "-o", out.to_str().expect("UTF-8")];
        for arguments in [&["check", path][..], &["export", path, "--to", "ndjson", "-o", "-"], &to_file] {
            let Output { status, stdout, stderr } = limited(arguments, &cache);
            let stderr = String::from_utf8_lossy(&stderr);
            assert_eq!(status.code(), Some(1), "{arguments:?}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
            assert!(stderr.contains("File too large"), "{arguments:?}: {stderr}");
            assert!(arguments[0] == "check" || stdout.is_empty(), "{arguments:?} wrote a part");
        }
        assert!(!out.exists());
        assert_eq!(fs::read_dir(cache.join("framescope")).expect("a folder").count(), 0, "no scratch file is left");
    }
}

#[test]
fn an_input_that_cannot_be_copied_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    fs::create_dir_all(cache.join("framescope")).expect("a folder");
    let capture = large(folder.path(), "x.pcapng");
    let dump = folder.path().join("dump.txt");
    fs::write(&dump, hex::encode(frame(true, Opcode::Binary, None, &[b'x'; 100_000]))).expect("written");
    let piped = format!("trap '' XFSZ; ulimit -f 32; exec < '{}'", capture.display());
    let dump = dump.to_str().expect("UTF-8");
    for output in [after(&piped, &["check", "-"], &cache), limited(&["check", dump], &cache)] {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains("XDG_CACHE_HOME"), "{stderr}");
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    names.iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn an_export_that_does_not_fit_or_is_killed_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = large(folder.path(), "x.pcapng");
    let old = folder.path().join("old");
    fs::write(&old, "precious").expect("written");
    let path = path.to_str().expect("UTF-8");
    for name in ["new", "old"] {
        let target = folder.path().join(name);
        let arguments = ["export", path, "--to", "hex", "--force", "-o", target.to_str().expect("UTF-8")];
        let Output { status, stderr, .. } = limited(&arguments, folder.path());
        let stderr = String::from_utf8_lossy(&stderr);
        assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains(arguments[6]) && stderr.contains("File too large"), "{stderr}");
        // SIGXFSZ kills it in the middle of the export.
        let killed = after("ulimit -c 0; ulimit -f 32", &arguments, folder.path());
        assert_eq!(killed.status.code(), None, "killed by a signal");
        assert_eq!(entries(folder.path()), ["old", "x.pcapng"]);
        assert_eq!(fs::read(&old).expect("there"), b"precious");
    }
}

#[test]
fn a_start_without_space_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let path = folder.path().join("live.pcapng");
    let serve = ["--headless", "--listen", "127.0.0.1:0"];
    let write = ["--write", path.to_str().expect("UTF-8")];
    for more in [&[][..], &write, &[write[0], write[1], "--ring", "1MiB"]] {
        let output = after("trap '' XFSZ; ulimit -f 0", &[&serve, more].concat(), &cache);
        assert_eq!(output.status.code(), Some(1), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(entries(folder.path()), ["cache"], "{more:?}");
        assert_eq!(entries(&cache.join("framescope")), [""; 0], "{more:?}");
    }
}
