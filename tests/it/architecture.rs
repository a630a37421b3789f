//! The rules that `docs/architecture.md` states, read from the sources: which module may import which, inside `capture` too, that
//! files do not import each other in circles, what the pure modules may mention, and where terminal and socket libraries may be
//! used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that each top module may import besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("zlib", &[]),
    ("proto", &["wire", "zlib"]),
    ("capture", &["wire", "proto"]),
    ("pasted", &["wire", "proto", "capture"]),
    ("script", &["wire", "proto", "capture"]),
    ("explain", &["wire", "proto", "capture"]),
    ("picture", &["wire", "proto", "capture"]),
    ("export", &["wire", "proto", "capture", "explain", "picture"]),
    ("net", &["wire", "proto", "capture", "script"]),
    ("tui", &["wire", "proto", "capture", "pasted", "script", "explain", "picture"]),
    ("cli", &["wire", "proto", "capture", "pasted", "export"]),
    ("run", &["wire", "proto", "capture", "pasted", "script", "explain", "picture", "export", "net", "tui", "cli"]),
    ("main", &["cli", "run"]),
    ("lib", &[]),
];

/// The folders of `capture` that each of them may import besides itself.
const CAPTURE_MAY_USE: &[(&str, &[&str])] = &[
    ("format", &[]),
    ("store", &["format"]),
    ("live", &["format", "store"]),
    ("query", &["format", "store"]),
    ("import", &["format", "store", "live", "query"]),
    ("mod.rs", &[]),
];

/// The most files of one folder that may import each other in a circle.
const LARGEST_CIRCLE: usize = 3;

/// Words that the pure modules never mention: files, sockets, clocks, threads, printing, randomness.
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

/// A source file of the library.
struct Source {
    /// Below `src`.
    path: PathBuf,
    /// Its module path: `["capture", "store", "index"]`.
    module: Vec<String>,
    /// Its text without comments and without the unit tests at its end.
    code: String,
}

/// A path in an import or in code, from the root of the crate, and whether it is re-exported there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Import {
    path: Vec<String>,
    is_reexport: bool,
}

impl Source {
    /// The first part of its path below `src`, without `.rs`.
    fn top(&self) -> &str {
        let first = self.path.components().next().and_then(|first| first.as_os_str().to_str()).expect("a name");
        first.trim_end_matches(".rs")
    }

    /// Its folder; of a file with submodules in a folder of its name, that folder.
    fn folder(&self, sources: &[Self]) -> PathBuf {
        let own = self.path.with_extension("");
        let has_submodules = sources.iter().any(|other| other.path.starts_with(&own));
        if has_submodules { own } else { self.path.parent().expect("a folder").to_owned() }
    }

    /// The paths that it imports or names.
    fn imports(&self) -> Vec<Import> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("use ") {
            let is_statement = self.code[..at].chars().next_back().is_none_or(char::is_whitespace);
            let Some((tree, _)) = self.code[at + 4..].split_once(';').filter(|_| is_statement) else { continue };
            let line = self.code[..at].rsplit('\n').next().unwrap_or_default();
            let mut paths = Vec::new();
            expand(&[], &tree.split_whitespace().collect::<Vec<_>>().join(" "), &mut paths);
            let is_reexport = line.trim_start().starts_with("pub");
            found.extend(paths.into_iter().filter_map(|path| self.absolute(path, is_reexport)));
        }
        for start in ["crate::", "super::", "framescope::"] {
            for (at, _) in self.code.match_indices(start) {
                let before = self.code[..at].chars().next_back();
                if before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | ':')) {
                    continue;
                }
                let path: String =
                    self.code[at..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
                let path = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
                // A path with a group belongs to a `use`, which was read above.
                if !self.code[at..].starts_with(&format!("{start}{{")) {
                    found.extend(self.absolute(path, false).filter(|import| import.path.len() > 1));
                }
            }
        }
        found
    }

    /// A path from the root of the crate; `None` for one of another crate.
    fn absolute(&self, path: Vec<String>, is_reexport: bool) -> Option<Import> {
        let mut rest = path.as_slice();
        let mut base = match rest.first()?.as_str() {
            "crate" | "framescope" => Vec::new(),
            "self" | "super" => self.module.clone(),
            // A module of its own, as in `use order::Order`, is named from here.
            _ => {
                let mut own = self.module.clone();
                own.extend(path);
                return Some(Import { path: own, is_reexport });
            }
        };
        if matches!(rest[0].as_str(), "crate" | "framescope" | "self") {
            rest = &rest[1..];
        }
        while let Some(("super", after)) = rest.split_first().map(|(first, after)| (first.as_str(), after)) {
            base.pop();
            rest = after;
        }
        base.extend_from_slice(rest);
        Some(Import { path: base, is_reexport })
    }
}

/// Adds the paths of a `use` tree to `paths`.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        let mut path = prefix.to_vec();
        path.extend(name.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        if !path.is_empty() {
            paths.push(path);
        }
        return;
    };
    let mut prefix = prefix.to_vec();
    prefix.extend(head.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0, 0);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &group[start..i], paths);
                start = i + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &group[start..], paths);
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 30, "the sources are in src");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        // Unit tests may import what they like.
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
        let path = path.strip_prefix(root).expect("below src").to_owned();
        let mut module: Vec<String> =
            path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
            module.pop();
        }
        found.push(Source { path, module, code });
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

/// Which file imports which: positions in `sources`. Re-exports are followed to the file that declares the item.
fn graph(sources: &[Source]) -> Vec<BTreeSet<usize>> {
    let modules: BTreeMap<&[String], usize> =
        (0..).zip(sources).filter(|(_, s)| !s.path.ends_with("main.rs")).map(|(i, s)| (&s.module[..], i)).collect();
    let imports: Vec<Vec<Import>> = sources.iter().map(Source::imports).collect();
    let resolve = |path: &[String]| {
        let mut path = path.to_vec();
        // A re-export may lead to another one.
        for _ in 0..8 {
            let (len, file) =
                (0..=path.len()).rev().find_map(|len| Some((len, *modules.get(&path[..len])?))).expect("the root");
            let Some(item) = path.get(len) else { return file };
            let target = imports[file].iter().filter(|import| import.is_reexport).find_map(|import| {
                let (last, base) = import.path.split_last()?;
                match last.as_str() {
                    "*" => Some([base, &path[len..]].concat()).filter(|to| modules.contains_key(base) && *to != path),
                    name if name == item => Some([&import.path[..], &path[len + 1..]].concat()),
                    _ => None,
                }
            });
            match target {
                Some(target) if target != path => path = target,
                _ => return file,
            }
        }
        panic!("re-exports lead in a circle: {path:?}");
    };
    let edges = |(i, own): (usize, &Vec<Import>)| {
        let named = own.iter().filter(|import| !import.is_reexport).map(|import| resolve(&import.path));
        named.filter(|to| *to != i).collect()
    };
    imports.iter().enumerate().map(edges).collect()
}

/// The sets of files that import each other in a circle, of two files or more.
fn circles(graph: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let reach: Vec<BTreeSet<usize>> = (0..graph.len())
        .map(|from| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(at) = open.pop() {
                open.extend(graph[at].iter().filter(|to| seen.insert(**to)));
            }
            seen
        })
        .collect();
    let mut found: BTreeSet<Vec<usize>> = BTreeSet::new();
    for from in 0..graph.len() {
        let circle: Vec<usize> = reach[from].iter().copied().filter(|to| reach[*to].contains(&from)).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

#[test]
fn imports_go_one_way() {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    for source in sources() {
        let allowed = MAY_USE.iter().find(|(module, _)| *module == source.top());
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{} is in no known module", source.path.display()));
        for import in source.imports() {
            let Some(name) = import.path.first().map(String::as_str) else { continue };
            let fine = name == source.top() || allowed.contains(&name) || !known.contains(name);
            assert!(fine || source.top() == "lib", "{} must not import {name}", source.path.display());
        }
    }
}

#[test]
fn imports_inside_capture_go_one_way() {
    let sources = sources();
    let graph = graph(&sources);
    let folder = |i: usize| {
        let below = sources[i].path.strip_prefix("capture").ok()?;
        below.iter().next().map(|first| first.to_string_lossy().into_owned())
    };
    for (from, to) in graph.iter().enumerate().flat_map(|(from, all)| all.iter().map(move |to| (from, *to))) {
        let (Some(own), Some(other)) = (folder(from), folder(to)) else { continue };
        let allowed = CAPTURE_MAY_USE.iter().find(|(name, _)| *name == own);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("capture/{own} is in no known folder"));
        let fine = own == other || allowed.contains(&&*other);
        assert!(fine, "{} must not import {}", sources[from].path.display(), sources[to].path.display());
    }
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    let sources = sources();
    let mut wrong = Vec::new();
    for circle in circles(&graph(&sources)) {
        let folders: BTreeSet<PathBuf> = circle.iter().map(|i| sources[*i].folder(&sources)).collect();
        if folders.len() > 1 || circle.len() > LARGEST_CIRCLE {
            let files: Vec<String> = circle.iter().map(|i| sources[*i].path.display().to_string()).collect();
            wrong.push(files.join(" "));
        }
    }
    assert!(wrong.is_empty(), "circles across folders, or of more than {LARGEST_CIRCLE} files:\n{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    for source in sources().iter().filter(|s| matches!(s.top(), "wire" | "proto" | "script")) {
        for word in IMPURE {
            assert!(!source.code.contains(word), "{} mentions {word}", source.path.display());
        }
    }
}

#[test]
fn terminals_and_sockets_are_used_in_one_module_each() {
    for source in sources() {
        if source.top() != "tui" {
            for word in ["ratatui", "crossterm"] {
                assert!(!source.code.contains(word), "{} mentions {word}", source.path.display());
            }
        }
        if source.top() != "net" {
            for word in ["TcpStream", "TcpListener"] {
                assert!(!source.code.contains(word), "{} mentions {word}", source.path.display());
            }
        }
        if !matches!(source.top(), "run" | "main") {
            assert!(!source.code.contains("anyhow"), "{} mentions anyhow", source.path.display());
        }
    }
}

fn source(path: &str, code: &str) -> Source {
    let path = PathBuf::from(path);
    let module = path.with_extension("");
    let module = module.iter().map(|part| part.to_string_lossy().into_owned()).filter(|part| part != "mod").collect();
    Source { module, path, code: code.to_owned() }
}

#[test]
fn imports_are_read_from_every_form_of_path() {
    let code = "use crate::wire::mask;\nuse super::b::{self, C, d::{E, F as G}};\npub use self::h::I;\n\
                let x = crate::run::go(super::j::k);";
    let found: Vec<String> = source("a/z.rs", code).imports().iter().map(|import| import.path.join("::")).collect();
    let expected = ["wire::mask", "a::b", "a::b::C", "a::b::d::E", "a::b::d::F", "a::z::h::I", "run::go", "a::j::k"];
    for path in expected {
        assert!(found.iter().any(|found| found == path), "{path} in {found:?}");
    }
}

#[test]
fn circles_are_found_through_super_and_through_re_exports() {
    let sources = [
        source("lib.rs", ""),
        source("a/mod.rs", "mod b;\nmod c;\npub use self::b::B;"),
        source("a/b.rs", "use super::c::C;"),
        source("a/c.rs", "use super::B;"),
        source("a/d.rs", "use super::B;"),
    ];
    let mut sources = sources;
    sources[0].module.clear();
    assert_eq!(circles(&graph(&sources)), [[2, 3]]);
}
