//! Runs the commands, wired from the other modules. Only here and in `main` are errors of type `anyhow::Error`.

mod ca;
mod capture;
mod check;
mod connect;
mod decode;
mod export;
mod export_job;
mod follow;
mod forward;
mod headless;
mod hold_desk;
mod input;
mod input_stream;
mod live;
mod manual_page;
mod open;
mod packet_program;
mod pages;
mod paste_export;
mod proxy;
mod relaying;
mod replay;
mod screen;
mod screen_host;
mod script_file;
mod serve;
mod shell;
mod signals;
mod stderr_writer;
mod stdio;
mod text;
mod tls;
mod tour;
mod tour_file;
mod usage_error;

use std::process::ExitCode;

use self::usage_error::UsageError;
use crate::cli::{self, Cli, Command, ThemeArg};
use crate::export::ExportError;
use crate::picture::ThemeName;

/// Runs the command of a command line; returns the exit status.
///
/// # Errors
/// Why the work failed; [`failed`] prints it.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let theme = cli.theme;
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::serve(&args, theme),
        Command::Proxy(args) => proxy::proxy(&args, theme),
        Command::Tour(args) => tour::tour(&args, theme),
        Command::Capture(args) => capture::capture(&args, theme),
        Command::Connect(args) => connect::connect(&args, theme),
        Command::Replay(args) => replay::replay(&args),
        Command::Open(args) => open::open(&args, theme),
        Command::Export(args) => export::export(&args, theme),
        Command::Check(args) => check::check(&args, theme),
        Command::Decode(args) => decode::decode(&args, theme),
        Command::Completions { shell } => pages::completions(shell),
        Command::Ca(args) => ca::ca(&args),
        Command::Man => pages::manual(),
    }
}

/// The theme that a command line names; `None` for the one that fits the terminal.
const fn theme_name(theme: ThemeArg) -> Option<ThemeName> {
    match theme {
        ThemeArg::Dark => Some(ThemeName::Dark),
        ThemeArg::Light => Some(ThemeName::Light),
        ThemeArg::Mono => Some(ThemeName::Mono),
        ThemeArg::Auto => None,
    }
}

/// Prints one line to stderr: why the work failed. Wrong usage of a filter or script adds two lines that point at the place. Returns the
/// exit status: 0 if the reader of stdout closed it.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    stdio::say(error);
    let Some(usage) = error.downcast_ref::<UsageError>() else { return ExitCode::FAILURE };
    for line in usage.carets.iter().flatten() {
        stdio::continue_saying(line);
    }
    ExitCode::from(2)
}

/// Prints to stderr, in one line, what is wrong with a command line; for a filter, two more lines show where. Or prints the
/// requested help. Returns the exit status.
pub fn misused(usage: &clap::Error) -> ExitCode {
    if usage.use_stderr() {
        stdio::say(cli::usage_line(usage, std::env::args_os()));
        for line in cli::filter_carets(usage).into_iter().flatten() {
            stdio::continue_saying(&line);
        }
        return ExitCode::from(2);
    }
    // It is not a failure that the reader of stdout has closed it.
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
