//! The commands that draw a screen.

use std::process::ExitCode;

use anyhow::bail;

use crate::capture::import::Loader;
use crate::capture::store::Capture;
use crate::cli::{Serve, Theme};

/// `serve` without `--headless`.
///
/// # Errors
/// Why it cannot serve or draw.
pub fn serve(_args: &Serve, _theme: Theme) -> anyhow::Result<ExitCode> {
    bail!("the screen is not built yet; use --headless");
}

/// `open`: `capture` fills while `loader` runs.
///
/// # Errors
/// Why it cannot draw.
pub fn open(_capture: Capture, _loader: Loader, _theme: Theme) -> anyhow::Result<ExitCode> {
    bail!("the screen is not built yet; use framescope export");
}
