//! The rules that `src/lib.rs` states, read from the sources: who may import whom, what the pure parts may touch, and where
//! terminal libraries may be used.

use std::fs;
use std::path::{Path, PathBuf};

/// What each top module may use besides itself. `cli` knows the lists it offers; only `run` and `main` know everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("proto", &["wire"]),
    ("capture", &["wire", "proto"]),
    ("explain", &["wire", "proto", "capture"]),
    ("export", &["wire", "proto", "capture", "explain"]),
    ("net", &["wire", "proto", "capture"]),
    ("tui", &["wire", "proto", "capture", "explain"]),
    ("cli", &["wire", "proto", "capture", "export"]),
    ("run", &["wire", "proto", "capture", "explain", "export", "net", "tui", "cli"]),
    ("main", &["cli", "run"]),
    ("lib", &[]),
];

/// What the pure modules never mention: files, sockets, clocks, threads, printing, chance.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::thread",
    "std::process",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Instant",
    "SystemTime",
    "println!",
    "eprintln!",
    "print!",
    "RandomState",
    "Mutex",
    "mpsc",
];

struct Source {
    path: PathBuf,
    /// The first part of its path below `src`.
    module: String,
    /// Without comments and without the tests at its end.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 30, "the sources are where they were expected");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        // Tests may use what they like.
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let below = path.strip_prefix(root).expect("below src");
        let first = below.components().next().expect("a name").as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).expect("text");
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
        found.push(Source { path: below.to_owned(), module, code });
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

/// The modules that code names as `crate::…` or `framescope::…`, the groups of a `use crate::{…}` among them.
fn used(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for prefix in ["crate::", "framescope::"] {
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => names.extend(members(group)),
                None => names.push(word(rest)),
            }
        }
    }
    names
}

/// The first words of the members of a group whose brace is open.
fn members(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    let mut at_start = true;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && !c.is_whitespace() => {
                names.push(word(&group[i..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn imports_go_one_way() {
    for source in sources() {
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(module, _)| *module == source.module)
            .unwrap_or_else(|| panic!("{} is in no module of the picture", source.path.display()));
        for name in used(&source.code) {
            let known = MAY_USE.iter().any(|(module, _)| *module == name);
            let fine = name == source.module || allowed.contains(&name.as_str()) || !known;
            assert!(fine, "{} must not use {name}", source.path.display());
        }
    }
}

#[test]
fn the_core_is_pure() {
    for source in sources().iter().filter(|s| matches!(s.module.as_str(), "wire" | "proto")) {
        for word in IMPURE {
            assert!(!source.code.contains(word), "{} mentions {word}", source.path.display());
        }
    }
}

#[test]
fn terminals_and_sockets_have_their_places() {
    for source in sources() {
        if source.module != "tui" {
            for word in ["ratatui", "crossterm"] {
                assert!(!source.code.contains(word), "{} mentions {word}", source.path.display());
            }
        }
        if source.module != "net" {
            for word in ["TcpStream", "TcpListener"] {
                assert!(!source.code.contains(word), "{} mentions {word}", source.path.display());
            }
        }
        if !matches!(source.module.as_str(), "run" | "main") {
            assert!(!source.code.contains("anyhow"), "{} mentions anyhow", source.path.display());
        }
    }
}

#[test]
fn the_reader_of_imports_finds_what_stands_there() {
    let code = "use crate::wire::mask;\nuse crate::{export::{self, hex}, net::tap};\nlet x = crate::run::go();";
    assert_eq!(used(code), ["wire", "export", "net", "run"]);
}
