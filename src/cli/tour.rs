//! The flags of `framescope tour`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// `framescope tour`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "Examples:
  framescope tour                    go on where you stopped
  framescope tour --restart          begin again
  framescope tour --steps mine.toml  your own steps, as in assets/tour/en.toml

The tour starts a server on a free port of 127.0.0.1 and a built-in client, and explains the frames that cross between them. Each \
step has a task. The screen needs at least 60×20.")]
pub struct Tour {
    /// Show the steps in this file, in the form of assets/tour/en.toml
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub steps: Option<PathBuf>,

    /// Begin with the first step
    #[arg(long)]
    pub restart: bool,
}
