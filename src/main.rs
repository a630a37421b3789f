//! Parses the arguments, runs, and says how it went.

use std::process::ExitCode;

use framescope::{cli::Cli, run};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(usage) => return run::misused(&usage),
    };
    match run::run(cli) {
        Ok(code) => code,
        Err(error) => run::failed(&error),
    }
}
