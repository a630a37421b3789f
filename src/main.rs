//! Parses the arguments, runs, and says how it went.

use std::process::ExitCode;

use framescope::{cli::Cli, run};

fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|usage| usage.exit());
    match run::run(cli) {
        Ok(code) => code,
        Err(error) => run::failed(&error),
    }
}
