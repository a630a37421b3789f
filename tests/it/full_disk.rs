//! A disk without space: the work fails with status 1, and no part of a result is left. A limit on the size of files takes the place of
//! the full disk.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{DOWN, UP, Wire, exported, frame};
use framescope::export::Format;
use framescope::wire::opcode::Opcode;

/// Runs the program with a limit of 16 or 32 KiB on the files that it writes. Without the trap, the signal SIGXFSZ would end it.
fn limited(arguments: &[&str], cache: &Path) -> Output {
    let script = "trap '' XFSZ; ulimit -f 32; program=$1; shift; exec \"$program\" \"$@\"";
    Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_framescope")])
        .args(arguments)
        .env("XDG_CACHE_HOME", cache)
        .env("TMPDIR", cache)
        .output()
        .expect("a shell")
}

/// A capture whose pcapng is much larger than the limit, in a form that is converted or inflated when it is opened.
fn large(folder: &Path, name: &str) -> PathBuf {
    let mut wire = Wire::upgraded();
    for n in 0..2_000_u32 {
        wire.say(DOWN, &frame(true, Opcode::Text, None, format!("echo {n}").as_bytes()));
        wire.say(UP, &frame(true, Opcode::Text, Some(n.to_be_bytes()), b"unmasked by its key"));
    }
    let capture = wire.recorder.capture();
    let bytes = match name {
        "x.ndjson" => exported(capture, Format::Ndjson),
        "x.har" => exported(capture, Format::Har),
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
