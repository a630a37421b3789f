//! `framescope tour`: the server, the lesson of the demo client, and the screen with the first step.

use std::process::ExitCode;

use super::serve;
use super::tour_file::TourFile;
use crate::cli::{self, ThemeArg};

/// Runs `tour`.
///
/// # Errors
/// What is wrong in the file of steps, or why it cannot serve or draw.
pub fn tour(args: &cli::Tour, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let file = match &args.steps {
        Some(path) => TourFile::read(path)?,
        None => TourFile::built_in()?,
    };
    let file = if args.restart { file.restarted() } else { file };
    serve::tour(file, theme)
}
