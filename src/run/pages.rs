//! `completions` and `man`: the files that packagers install with the program.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::stdio;
use crate::cli::Cli;

/// Prints a completion script.
pub fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "framescope", &mut script);
    stdio::print(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page: one page, a section per subcommand.
pub fn manual() -> anyhow::Result<ExitCode> {
    let mut command = Cli::command().display_name("framescope");
    command.build();
    let main = Man::new(command.clone());
    let mut page = Vec::new();
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    main.render_options_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|c| c.get_name() != "help") {
        section(subcommand, &mut page)?;
    }
    main.render_extra_section(&mut page)?;
    main.render_version_section(&mut page)?;
    stdio::print(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// Renders the section of a subcommand, headed by its name.
fn section(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut body = Vec::new();
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    man.render_extra_section(&mut body)?;
    let heading = format!("framescope {}", command.get_name()).to_uppercase();
    writeln!(page, ".SH \"{heading}\"")?;
    for line in String::from_utf8_lossy(&body).lines() {
        match line.strip_prefix(".SH ") {
            Some("DESCRIPTION") => {}
            Some(inner) => writeln!(page, ".SS {inner}")?,
            None => writeln!(page, "{line}")?,
        }
    }
    Ok(())
}
