//! Several captures and folders at once.

use std::fs;
use std::path::{Path, PathBuf};

use super::{check, name, with};
use crate::support::program::numbers;
use crate::support::{exported, opened};
use framescope::export::Format;

/// A folder of captures: an error, a warning, no finding, and files that are none. Returns the captures in sorted order.
fn folder() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = |worst| fs::read(with(worst).1).expect("read");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("b/deep")).expect("folders");
    fs::create_dir(path(".hidden")).expect("a folder");
    fs::create_dir(path("empty")).expect("a folder");
    let ndjson = exported(&opened(&bytes("nothing")), Format::Ndjson);
    let with_content = |name: &str, content: &[u8]| {
        fs::write(path(name), content).expect("written");
        path(name)
    };
    let mut captures = vec![
        with_content("b.ndjson", &ndjson),
        with_content("a capture without extension", &bytes("error")),
        with_content("b/deep/c.pcapng", &bytes("warning")),
        with_content("z.pcapng", &bytes("nothing")),
    ];
    captures.sort();
    for (name, content) in [("README.md", &b"# captures"[..]), ("b/x.json", b"{\"a\":1}"), ("nothing.txt", b"")] {
        with_content(name, content);
    }
    with_content(".hidden/x.pcapng", &bytes("error"));
    with_content(".x.pcapng", &bytes("error"));
    // A link in a circle.
    std::os::unix::fs::symlink(folder.path(), path("b/again")).expect("a link");
    (folder, captures)
}

/// The file that a line of findings or counts begins with.
fn file_of(line: &str) -> &str {
    let line = line.strip_prefix("framescope: ").unwrap_or(line);
    line.split_once(": ").map_or(line, |(file, _)| file.split(":record ").next().unwrap_or(file))
}

#[test]
fn a_folder_means_the_captures_in_it_sorted() {
    let (folder, captures) = folder();
    let (status, out, err) = check(&[name(folder.path())]);
    let checked: Vec<&Path> = err.lines().map(|line| Path::new(file_of(line))).collect();
    assert_eq!(checked[..4], captures, "{err}");
    assert_eq!((status, checked.len()), (Some(1), 5), "a line for all: {err}");
    let found: Vec<&str> = out.lines().map(file_of).collect();
    assert_eq!(found, [name(&captures[0]), name(&captures[1])], "{out}");
    // 4 files: 1 error, 1 warning, 0 info in so many records.
    let sum: u64 = err.lines().take(4).map(|line| *numbers(line).last().expect("a count")).sum();
    let last = err.lines().last().expect("a line");
    assert_eq!(numbers(last), [4, 1, 1, 0, sum], "{last}");
}

#[test]
fn the_worst_file_determines_the_status() {
    let captures = ["error", "warning", "nothing"].map(with);
    let [error, warning, nothing] = captures.each_ref().map(|(_, path)| name(path));
    for (arguments, status) in [
        (&[nothing, nothing][..], 0),
        (&[nothing, warning], 0),
        (&[nothing, warning, "--fail-on", "warning"], 1),
        (&[error, nothing], 1),
        (&[nothing, error], 1),
        (&[nothing, "/no/such/file"], 1),
        (&["/no/such/file", nothing, "--allow-empty", "--allow-damaged"], 1),
    ] {
        let (found, out, err) = check(arguments);
        assert_eq!(found, Some(status), "{arguments:?}: {out}{err}");
        assert_eq!(err.lines().count(), 3, "a line for each file, and one for all: {err}");
    }
    let (_, _, err) = check(&["/no/such/file", error]);
    let last = err.lines().last().expect("a line");
    assert!(last.starts_with("framescope: 2 files: 1 error, ") && last.ends_with("; 1 not read"), "{last}");
    let (_, out, _) = check(&[error, warning, "--json"]);
    let files: Vec<String> = out
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["file"].as_str().expect("text").to_owned()
        })
        .collect();
    assert_eq!(files, [error, warning]);
}

#[test]
fn each_file_of_several_is_empty_or_damaged_by_itself() {
    let (folder, path) = with("nothing");
    let damaged = folder.path().join("damaged.pcapng");
    fs::write(&damaged, [&fs::read(&path).expect("read")[..], &[0; 5]].concat()).expect("written");
    fs::write(folder.path().join("empty.har"), "{\"log\":{\"entries\":[]}}").expect("written");
    let all = name(folder.path());
    for (flags, status) in
        [(&[][..], 1), (&["--allow-empty"], 1), (&["--allow-damaged"], 1), (&["--allow-empty", "--allow-damaged"], 0)]
    {
        let (found, _, err) = check(&[&[all], flags].concat());
        assert_eq!(found, Some(status), "{flags:?}: {err}");
        let last = err.lines().last().expect("a line");
        assert_eq!(last.contains("1 damaged"), !flags.contains(&"--allow-damaged"), "{last}");
        assert_eq!(last.contains("1 without WebSocket frames"), !flags.contains(&"--allow-empty"), "{last}");
    }
}

#[test]
fn a_folder_without_captures_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x.txt"), "text").expect("written");
    let path = name(folder.path());
    let (status, out, err) = check(&[path]);
    assert_eq!((status, out.as_str(), err.lines().count()), (Some(1), "", 1), "{err}");
    assert!(err.contains(&format!("no captures in {path}; --allow-empty")), "{err}");
    assert_eq!(check(&[path, "--allow-empty"]).0, Some(0));
    // A file with the name of a capture is meant to be one.
    fs::write(folder.path().join("x.PCAPNG"), "").expect("written");
    let (status, _, err) = check(&[path, "--allow-empty", "--allow-damaged"]);
    assert!(status == Some(1) && err.contains("x.PCAPNG is empty"), "{err}");
}

#[test]
fn the_same_file_twice_is_checked_twice_and_stdin_only_once() {
    let (_folder, path) = with("warning");
    let path = name(&path);
    let (status, out, err) = check(&[path, path]);
    assert_eq!((status, out.lines().count(), err.lines().count()), (Some(0), 2, 3), "{out}{err}");
    let (status, out, err) = check(&["-", path, "-"]);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("stdin"), "{err}");
}

#[test]
fn what_is_no_capture_fails_with_its_kind_and_never_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe.pcapng"), rustix::fs::Mode::RUSR).expect("a FIFO");
    std::os::unix::fs::symlink(path("a"), path("b")).expect("a link");
    std::os::unix::fs::symlink(path("b"), path("a")).expect("a link");
    std::os::unix::fs::symlink(path("gone"), path("gone.har")).expect("a link");
    fs::write(path("empty"), "").expect("written");
    for (file, words) in
        [("a", "cannot read"), ("gone.har", "cannot read"), ("empty", "is empty"), ("/dev/null", "is a device")]
    {
        let (status, out, err) = check(&[name(&path(file)), "--allow-empty", "--allow-damaged"]);
        assert_eq!((status, out.as_str(), err.lines().count()), (Some(1), "", 1), "{file}: {err}");
        assert!(err.contains(words), "{file}: {err}");
    }
    // In a folder, those with the name of a capture are meant to be one.
    let (status, _, err) = check(&[name(folder.path()), "--allow-empty", "--allow-damaged"]);
    assert_eq!((status, err.lines().count()), (Some(1), 3), "{err}");
    assert!(err.contains("gone.har") && err.contains("pipe.pcapng") && err.ends_with("; 2 not read\n"), "{err}");
}
