//! Parses the arguments, runs, and says how it went.

use std::process::ExitCode;

use clap::Parser as _;
use framescope::{cli::Cli, run};

fn main() -> ExitCode {
    match run::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => run::failed(&error),
    }
}
