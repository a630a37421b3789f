//! The wiring: what each command does with the parts. The only place, with `main`, where errors lose their types.

mod check;
mod decode;
mod files;
mod follow;
mod headless;
mod pages;
pub mod screen;
mod seen;
mod signals;
mod stdio;
mod teller;

use std::process::ExitCode;

use crate::cli::{self, Cli, Command};
use crate::export::ExportError;

/// Does what the command line asks for.
///
/// # Errors
/// Why the work failed; [`failed`] tells the user.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let theme = cli.theme;
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) if args.headless => headless::serve(&args),
        Command::Serve(args) => screen::serve(&args, theme),
        Command::Open(args) => files::open(&args, theme),
        Command::Export(args) => files::export(&args),
        Command::Check(args) => check::check(&args, theme),
        Command::Decode(args) => decode::decode(&args),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man => pages::manual(),
    }
}

/// Says on stderr, in one line, why the work failed; the exit status that goes with it. A reader of stdout that has gone
/// away is no failure.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    stdio::say(error);
    ExitCode::FAILURE
}

/// Says on stderr, in one line, what is wrong with a command line (with a filter, in two more lines where); or prints
/// the help that was asked for. The exit status that goes with it.
pub fn misused(usage: &clap::Error) -> ExitCode {
    if usage.use_stderr() {
        stdio::say(cli::usage_line(usage, std::env::args_os()));
        for line in cli::filter_carets(usage).into_iter().flatten() {
            stdio::continue_saying(&line);
        }
        return ExitCode::from(2);
    }
    // A reader of stdout that has gone away is no failure.
    let _ = usage.print();
    ExitCode::SUCCESS
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = match error.downcast_ref::<ExportError>() {
        Some(ExportError::Output(io)) => Some(io),
        _ => error.downcast_ref::<stdio::StdoutError>().map(|error| &error.0),
    };
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
