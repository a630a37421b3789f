//! The documents hold what the program does: generated tables, links, paths, commands and filters.
//!
//! `MAKE_ASSETS=1 cargo test documents` writes the generated tables again.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use framescope::capture::query::filter::{Filter, FilterField};
use framescope::cli::Cli;
use framescope::proto::rules::Rule;
use framescope::tui::keymap::{Context, Keymap};

use crate::support::program::run;

/// The largest README, in bytes: what is longer belongs into the manual.
const MAX_README: usize = 12_000;

/// The folders of the repository whose files documents name. Builds of `benches` and `fuzz` are big, so only parts of those.
const FOLDERS: [&str; 7] = ["src/", "tests/", "assets/", "docs/", "fuzz/fuzz_targets/", "static/", ".ci/"];

struct Document {
    /// Relative to the repository.
    path: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<Document> {
    let docs = fs::read_dir(root().join("docs")).expect("docs").map(|entry| entry.expect("an entry").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let top = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name));
    let read = |path: PathBuf| Document {
        text: fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        path: path.strip_prefix(root()).expect("in the repository").to_owned(),
    };
    top.into_iter().chain(docs).map(read).collect()
}

impl Document {
    /// Its lines outside code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut is_code = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
    }

    /// The lines of its code blocks with that info string.
    fn code<'a>(&'a self, info: &'a str) -> impl Iterator<Item = &'a str> {
        let mut kind = None;
        self.text.lines().filter(move |line| match (line.trim_start().strip_prefix("```"), kind) {
            (Some(_), Some(_)) => {
                kind = None;
                false
            }
            (Some(begun), None) => {
                kind = Some(begun);
                false
            }
            (None, kind) => kind == Some(info),
        })
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Compares the generated part `name` of a document with `table`, or writes it.
fn hold(document: &str, name: &str, table: &str) {
    let path = root().join(document);
    let text = fs::read_to_string(&path).expect(document);
    let begin = format!("<!-- {name}: MAKE_ASSETS=1 cargo test documents -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{document} has no {begin}"));
    let end = format!("<!-- /{name} -->");
    let (kept, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{document} has no {end}"));
    let table = format!("\n{table}\n");
    if std::env::var_os("MAKE_ASSETS").is_some() {
        fs::write(&path, [before, &begin, &table, &end, after].concat()).expect(document);
        return;
    }
    assert!(kept == table, "{document}: the table of {name} is out of date: MAKE_ASSETS=1 cargo test documents");
}

fn rules() -> String {
    let mut table = "| rule | section | severity | what it says |\n| --- | --- | --- | --- |\n".to_owned();
    for rule in Rule::ALL {
        let (id, section, severity) = (rule.id(), rule.section(), rule.severity().name());
        table.push_str(&format!("| `{id}` | {section} | {severity} | {} |\n", rule.summary()));
    }
    table
}

fn fields() -> String {
    let mut table = "| field | values | what it is | Wireshark's name |\n| --- | --- | --- | --- |\n".to_owned();
    for field in FilterField::ALL {
        let values = match format!("{:?}", field.value_type()).to_lowercase().as_str() {
            "flag" => "true, false".to_owned(),
            "presence" => "–".to_owned(),
            sort => sort.to_owned(),
        };
        let aliases: Vec<String> = field.aliases().iter().map(|alias| format!("`{alias}`")).collect();
        table.push_str(&format!("| `{}` | {values} | {} | {} |\n", field.name(), field.words(), aliases.join(" ")));
    }
    table
}

fn keys() -> String {
    let mut table = "| | keys | what they do |\n| --- | --- | --- |\n".to_owned();
    let keymap = Keymap::built_in().expect("the key table");
    for group in keymap.groups(Context::Panels).chain(keymap.groups(Context::Tour)) {
        let mut name = group.name.as_str();
        for binding in &group.bindings {
            let labels: Vec<String> = binding.labels().split(' ').map(code).collect();
            table.push_str(&format!("| {name} | {} | {} |\n", labels.join(" "), binding.help));
            name = "";
        }
    }
    table
}

/// A key as a code span. In a table a `|` would end the cell.
fn code(label: &str) -> String {
    assert!(!label.contains(['|', '`']), "{label}");
    format!("`{label}`")
}

#[test]
fn documents_hold_the_generated_tables() {
    hold("docs/rules.md", "rules", &rules());
    hold("docs/manual.md", "fields", &fields());
    hold("docs/manual.md", "keys", &keys());
}

#[test]
fn documents_link_to_what_exists() {
    let documents = documents();
    let mut broken = Vec::new();
    for document in &documents {
        for line in document.prose() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if target.contains("://") {
                    continue;
                }
                let (file, wanted) = target.split_once('#').map_or((target, None), |(file, to)| (file, Some(to)));
                let folder = document.path.parent().expect("a folder");
                let path = if file.is_empty() { document.path.clone() } else { clean(&folder.join(file)) };
                let linked = documents.iter().find(|other| other.path == path);
                let exists = match (wanted, linked) {
                    (Some(wanted), Some(linked)) => linked.anchors().iter().any(|anchor| anchor == wanted),
                    (Some(_), None) => false,
                    (None, _) => root().join(&path).exists(),
                };
                if !exists {
                    broken.push(format!("{}: {target}", document.path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "broken links: {broken:#?}");
}

#[test]
fn documents_and_help_show_the_same_command_for_another_machine() {
    let help = run(&["open", "--help"]).1;
    // In the help, it continues in the next line.
    let begin = help.lines().find_map(|line| Some(&line[line.find("ssh host")?..=line.find('|')?]));
    let command = format!("{} framescope open -", begin.expect("the help shows it"));
    for document in documents() {
        // In a table, a bar is escaped.
        let text = document.text.replace("\\|", "|");
        let other = text.lines().find(|line| line.contains("ssh host") && !line.contains(&command));
        assert_eq!(other, None, "{}", document.path.display());
        let shows = ["README.md", "docs/manual.md"].iter().any(|path| document.path == Path::new(path));
        assert!(!shows || text.contains(&command), "{}: {command}", document.path.display());
    }
}

/// A path without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path {
        if part == ".." {
            clean.pop();
        } else {
            clean.push(part);
        }
    }
    clean
}

/// All files of the repository's folders.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.map(|name| root().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

/// Documents name a file by its path in the repository, or, for sources, by the end of that path. `NAME` is a file to create.
#[test]
fn documents_name_files_that_exist() {
    let files = files();
    let exists = |name: &str| {
        let is_source = name.ends_with(".rs") || name.ends_with(".toml");
        root().join(name).exists() || is_source && files.iter().any(|path| path.ends_with(name))
    };
    let mut missing = Vec::new();
    // A change log names what existed once.
    for document in documents().iter().filter(|document| document.path != Path::new("CHANGELOG.md")) {
        let words = document.text.split(|c: char| c.is_whitespace() || "`(),:;│".contains(c));
        let names = words.map(|word| word.trim_start_matches("../").trim_end_matches(['.', '/'])).filter(|name| {
            let is_path = FOLDERS.iter().any(|folder| name.starts_with(folder)) || name.ends_with(".rs");
            is_path
                && !name.contains(['*', '…', '<', '{', '#', '[', ']'])
                && !name.starts_with('/')
                && !name.contains("/NAME.")
        });
        missing.extend(names.filter(|name| !exists(name)).map(|name| format!("{}: {name}", document.path.display())));
    }
    assert!(missing.is_empty(), "files that do not exist: {missing:#?}");
}

#[test]
fn documents_show_commands_that_the_program_takes() {
    let mut commands = 0;
    for document in documents() {
        for line in document.code("sh") {
            for words in simple_commands(line) {
                if words.first().is_some_and(|word| word == "framescope") {
                    commands += 1;
                    if let Err(e) = Cli::read(&words) {
                        panic!("{}: {line}\n{e}", document.path.display());
                    }
                }
            }
        }
    }
    assert!(commands > 30, "only {commands} commands were found");
}

#[test]
fn documents_show_filters_that_can_be_read() {
    let filters: Vec<String> =
        documents().iter().flat_map(|d| d.code("text filters").map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(filters.len() >= 10, "{filters:?}");
    for filter in filters {
        Filter::parse(&filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
    }
}

/// The sections of the manual about a command: from each heading of level 3 that has its name to the next heading of this level.
fn sections(manual: &str, command: &str) -> String {
    let text = manual.replace("\n## ", "\n### ");
    let of_command = |section: &&str| {
        let heading = section.lines().next().unwrap_or_default();
        heading.split(' ').any(|word| word == command)
    };
    text.split("\n### ").skip(1).filter(of_command).collect::<Vec<_>>().join("\n")
}

#[test]
fn documents_describe_every_command_and_flag() {
    let manual = fs::read_to_string(root().join("docs/manual.md")).expect("the manual");
    let contents = manual.split("\n## ").next().expect("the table of contents");
    let mut program = Cli::command();
    program.build();
    let mut missing = Vec::new();
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let (name, section) = (command.get_name(), sections(&manual, command.get_name()));
        let heading = section.lines().next().unwrap_or_else(|| panic!("the manual has no section about {name}"));
        if !contents.contains(&format!("](#{})", anchor(heading))) {
            missing.push(format!("{name} in the table of contents"));
        }
        let words: Vec<&str> = section.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c))).collect();
        let actions = command.get_subcommands().map(|action| vec![action.get_name().to_owned()]);
        let flags = command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help").map(|arg| {
            let long = arg.get_long().map(|long| format!("--{long}"));
            let names: Vec<String> = long.into_iter().chain(arg.get_short().map(|short| format!("-{short}"))).collect();
            let value = || arg.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
            if names.is_empty() { value() } else { names }
        });
        for names in actions.filter(|names| names[0] != "help").chain(flags) {
            let is_named = |name: &String| {
                name.split(['|', '@']).filter(|part| !part.is_empty()).all(|part| words.contains(&part))
            };
            if !names.iter().any(is_named) {
                missing.push(format!("{name}: {}", names.join(" or ")));
            }
        }
    }
    assert!(missing.is_empty(), "docs/manual.md lacks {missing:#?}");
}

#[test]
fn documents_keep_the_readme_short() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.len() <= MAX_README, "README.md has {} bytes, of {MAX_README} at most", readme.len());
}

/// The words of each command in a line of shell: as much of its grammar as the documents use.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut redirected = false;
    let end_word = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>, redirected: &mut bool| {
        if let Some(word) = word.take()
            && !std::mem::take(redirected)
        {
            commands.last_mut().expect("one").push(word);
        }
    };
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => end_word(&mut word, &mut commands, &mut redirected),
            (None, '#') if word.is_none() => break,
            (None, '>') => {
                // The number of a file descriptor is no word.
                word = word.filter(|word| word != "2");
                end_word(&mut word, &mut commands, &mut redirected);
                redirected = true;
            }
            (None, '|' | '&' | ';') => {
                end_word(&mut word, &mut commands, &mut redirected);
                commands.push(Vec::new());
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut word, &mut commands, &mut redirected);
    commands.retain(|command| !command.is_empty());
    commands
}

#[test]
fn documents_of_shell_are_split_into_commands() {
    let words = |line| simple_commands(line).iter().map(|words| words.join("·")).collect::<Vec<_>>();
    assert_eq!(words("framescope a 'b c|d' 2> log &  # why"), ["framescope·a·b c|d"]);
    assert_eq!(
        words("printf '\\x89' | framescope decode - > out && wait"),
        ["printf·\\x89", "framescope·decode·-", "wait"]
    );
}
