//! `completions` and `man`: the files that packagers install with the program.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{manual_page, stdio};
use crate::cli::Cli;

/// Prints a completion script.
pub fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "framescope", &mut script);
    stdio::print(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page.
pub fn manual() -> anyhow::Result<ExitCode> {
    stdio::print(&manual_page::render(Cli::command())?)?;
    Ok(ExitCode::SUCCESS)
}
