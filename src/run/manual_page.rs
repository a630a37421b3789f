//! The manual page in roff: one page, with a section per command.

use std::io::{self, Write as _};

use clap::{Arg, Command};
use clap_mangen::Man;

/// Renders the manual page of a program and its commands.
///
/// # Errors
/// None in practice: the page is written into memory.
pub fn render(program: Command) -> io::Result<Vec<u8>> {
    let mut program = program;
    program.build();
    let mut page = Page(Vec::new());
    let (name, version) = (program.get_name(), program.get_version().unwrap_or_default());
    writeln!(page.0, ".TH {} 1 \"\" \"{name} {version}\" \"User Commands\"", name.to_uppercase())?;
    page.heading(SECTION, "Name")?;
    writeln!(page.0, "{name} \\- {}", escaped(&about(&program)))?;
    page.heading(SECTION, "Synopsis")?;
    writeln!(page.0, ".EX")?;
    page.usages(&program)?;
    writeln!(page.0, ".EE")?;
    page.heading(SECTION, "Description")?;
    page.blocks(&program.get_long_about().map(ToString::to_string).unwrap_or_default(), SECTION)?;
    writeln!(page.0, ".PP\nWithout a command, {name} does what {name} serve does, and takes its options.")?;
    // The options of the default command have a section of their own.
    let is_own = |arg: &Arg| arg.is_global_set() || arg.get_id() == "help" || arg.get_id() == "version";
    page.options(&program, is_own, SECTION)?;
    for command in commands(&program) {
        page.heading(SECTION, &format!("{name} {}", command.get_name()))?;
        page.command(command)?;
    }
    page.after_help(&program, SECTION)?;
    Ok(page.0)
}

/// The macro of a section's heading.
const SECTION: &str = ".SH";

/// The macro of a heading inside a section.
const SUBSECTION: &str = ".SS";

struct Page(Vec<u8>);

impl Page {
    fn heading(&mut self, level: &str, title: &str) -> io::Result<()> {
        writeln!(self.0, "{level} \"{}\"", escaped(&title.to_uppercase()))
    }

    /// Writes the forms of the command line, such as `framescope proxy [OPTIONS] [TARGET]`, one a line.
    fn usages(&mut self, command: &Command) -> io::Result<()> {
        let usage = command.clone().render_usage().to_string();
        for line in usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(self.0, "{}", escaped(line))?;
        }
        commands(command).try_for_each(|command| self.usages(command))
    }

    /// Writes the body of a command's section.
    fn command(&mut self, command: &Command) -> io::Result<()> {
        writeln!(self.0, "{}", escaped(&about(command)))?;
        self.options(command, |arg| !arg.is_global_set() && arg.get_id() != "help", SUBSECTION)?;
        if commands(command).next().is_some() {
            self.heading(SUBSECTION, "Commands")?;
        }
        for action in commands(command) {
            let words = [command.get_name(), action.get_name()].join(" ");
            writeln!(self.0, ".TP\n.B {}\n{}", escaped(&words), escaped(&about(action)))?;
        }
        self.after_help(command, SUBSECTION)
    }

    /// Writes the arguments and options of a command that `is_shown` selects.
    fn options(&mut self, command: &Command, is_shown: impl Fn(&Arg) -> bool, level: &str) -> io::Result<()> {
        let (shown, hidden): (Vec<&Arg>, Vec<&Arg>) = command.get_arguments().partition(|arg| is_shown(arg));
        if shown.is_empty() {
            return Ok(());
        }
        let hide = |command: Command, arg: &&Arg| command.mut_arg(arg.get_id(), |arg| arg.hide(true));
        let mut body = Vec::new();
        Man::new(hidden.iter().fold(command.clone(), hide)).render_options_section(&mut body)?;
        let body = String::from_utf8_lossy(&body).replace(".br\n\n.br\n", ".sp\n");
        self.0.extend(body.replace(".SH OPTIONS", &format!("{level} OPTIONS")).into_bytes());
        Ok(())
    }

    /// Writes the text after the options.
    fn after_help(&mut self, command: &Command, level: &str) -> io::Result<()> {
        // A blank line, so that a text without a heading is not a part of the last option.
        let text = command.get_after_long_help().map(|text| format!("\n{text}"));
        self.blocks(&text.unwrap_or_default(), level)
    }

    /// Writes a text in the layout of the help. Indented lines keep their breaks and columns; a line of one or two words with a
    /// colon is a heading, such as `Examples:`; other lines are joined into paragraphs, which blank lines separate.
    fn blocks(&mut self, text: &str, level: &str) -> io::Result<()> {
        let mut is_example = false;
        let mut is_new_paragraph = false;
        for line in text.lines() {
            let is_indented = line.starts_with("  ");
            if is_example && !is_indented {
                writeln!(self.0, ".EE")?;
            }
            let is_first = is_indented && !is_example;
            is_example = is_indented;
            if line.is_empty() {
                is_new_paragraph = true;
                continue;
            }
            match line.strip_suffix(':').filter(|words| !is_indented && words.split(' ').count() <= 2) {
                Some(title) => self.heading(level, title)?,
                None => {
                    if std::mem::take(&mut is_new_paragraph) {
                        writeln!(self.0, ".PP")?;
                    }
                    if is_first {
                        writeln!(self.0, ".EX")?;
                    }
                    writeln!(self.0, "{}", escaped(line))?;
                }
            }
            is_new_paragraph = false;
        }
        if is_example {
            writeln!(self.0, ".EE")?;
        }
        Ok(())
    }
}

/// The commands of a command, without `help`, which clap adds.
fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help")
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// A line of text as roff shows it: its quotes and dashes are those of ASCII, so that an example can be pasted, and no character of it
/// is a command.
fn escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    if line.starts_with(['.', '\'']) {
        escaped.push_str("\\&");
    }
    for c in line.chars() {
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '"' => escaped.push_str("\\(dq"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_lines_keep_their_breaks_and_short_lines_are_headings() {
        let mut page = Page(Vec::new());
        let text = "A long line\nthat goes on.\n\nExamples:\n  a --b 'c'   .d\n  \\e\n\nExit status:\n  0  done\nA heading has at most:\n  x";
        page.blocks(text, SUBSECTION).expect("in memory");
        let expected = "A long line\nthat goes on.\n.SS \"EXAMPLES\"\n.EX\n  a \\-\\-b \\(aqc\\(aq   .d\n  \\ee\n.EE\n.SS \"EXIT STATUS\"\n\
            .EX\n  0  done\n.EE\nA heading has at most:\n.EX\n  x\n.EE\n";
        assert_eq!(String::from_utf8(page.0).expect("text"), expected);
        assert_eq!(escaped(".d"), "\\&.d");
    }
}
