//! `framescope man`: every command is in the page, and examples and tables keep their lines.

use clap::{Command, CommandFactory as _};
use framescope::cli::Cli;

use crate::support::program::run;

/// The width of a terminal in which no line of an example is broken.
const MAX_COLUMNS: usize = 80;

/// The lines of the page, as a reader sees their characters, each with true if it keeps its break.
fn lines() -> Vec<(String, bool)> {
    let page = run(&["man"]).1;
    let mut keeps = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        match line {
            ".EX" => keeps = true,
            ".EE" => keeps = false,
            _ => lines.push((plain(line), keeps)),
        }
    }
    lines
}

fn plain(line: &str) -> String {
    let pairs = [
        ("\\&", ""),
        ("\\-", "-"),
        ("\\(aq", "'"),
        ("\\(ga", "`"),
        ("\\(ha", "^"),
        ("\\(ti", "~"),
        ("\\(dq", "\""),
        ("\\e", "\\"),
    ];
    pairs.iter().fold(line.to_owned(), |line, (from, to)| line.replace(from, to))
}

#[test]
fn examples_and_tables_keep_their_lines() {
    let lines = lines();
    let mut program = Cli::command();
    program.build();
    let commands: Vec<&Command> = std::iter::once(&program).chain(program.get_subcommands()).collect();
    let texts = commands.iter().filter_map(|command| command.get_after_long_help()).map(ToString::to_string);
    let mut expected = 0;
    for text in texts {
        for line in text.lines().filter(|line| line.starts_with("  ")) {
            expected += 1;
            assert!(lines.contains(&(line.to_owned(), true)), "{line}");
            assert!(line.chars().count() <= MAX_COLUMNS, "more than {MAX_COLUMNS} columns: {line}");
        }
    }
    assert!(expected > 100, "only {expected} lines of examples and tables");
    assert!(lines.iter().all(|(line, keeps)| *keeps || !line.starts_with("  framescope")));
}

#[test]
fn every_command_has_its_usage_and_the_sections_have_their_usual_names() {
    let lines = lines();
    let has = |wanted: &str| lines.iter().any(|(line, _)| line == wanted);
    let mut program = Cli::command();
    program.build();
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        assert!(has(&format!(".SH \"FRAMESCOPE {}\"", name.to_uppercase())), "{name}");
        for command in std::iter::once(command).chain(command.get_subcommands()).filter(|c| c.get_name() != "help") {
            let usage = command.clone().render_usage().to_string();
            let usage = usage.strip_prefix("Usage: ").expect("the usage").lines().next().expect("a line");
            assert!(has(usage), "{usage}");
        }
    }
    for heading in [".SH \"NAME\"", ".SH \"SYNOPSIS\"", ".SH \"EXAMPLES\"", ".SH \"EXIT STATUS\"", ".SS \"EXAMPLES\""] {
        assert!(has(heading), "{heading}");
    }
    assert!(!lines.iter().any(|(line, _)| line.contains("EXTRA")));
}
