//! `open`: a capture file or a sample on the screen.

use std::process::ExitCode;

use anyhow::Context as _;

use super::input::{self, OpenedInput};
use super::{screen, stdio};
use crate::capture::import;
use crate::capture::import::samples::Sample;
use crate::cli::{Open, ThemeArg};

/// Runs `open`: opens a file or a sample on the screen, or lists the samples.
pub fn open(args: &Open, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    match (&args.file, args.sample) {
        (Some(file), _) => {
            if input::is_stdin(file) {
                // Do not wait for input that cannot be shown.
                screen::require_terminal(screen::READ_WITHOUT_SCREEN)?;
            }
            let signals = screen::SignalQueue::listen()?;
            signals.begin_preparation();
            let input = OpenedInput::open(file, &args.reading, args.follow, None)?;
            if !signals.end_preparation() {
                // The process is being ended.
                return Ok(ExitCode::FAILURE);
            }
            screen::open(input, theme, args, &signals)
        }
        (None, Some(Some(sample))) => {
            // Catch signals before the folder exists, so that a signal cannot leave it.
            let signals = screen::SignalQueue::listen()?;
            let folder = tempfile::Builder::new()
                .prefix("framescope-")
                .tempdir()
                .context("cannot create a temporary folder for the sample; set TMPDIR to a writable folder")?;
            let path = folder.path().join(format!("{}.pcapng", sample.name));
            sample
                .unpack(&path)
                .with_context(|| format!("cannot write {}; set TMPDIR to a writable folder", path.display()))?;
            let input = OpenedInput::from(import::open(&path)?);
            // The capture reads the open file: no folder is left however the run ends.
            drop(folder);
            screen::open(input, theme, args, &signals)
        }
        _ => {
            let line = |sample: &Sample| format!("{:<12}{}\n", sample.name, sample.words);
            let list: String = Sample::ALL.iter().map(line).collect();
            stdio::print(list.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
