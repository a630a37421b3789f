//! `open` and `export`: what works on a capture's file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail};

use super::{screen, signals, stdio};
use crate::capture::import::samples::Sample;
use crate::capture::query::filter::{Filter, Sieve};
use crate::capture::store::Capture;
use crate::capture::{self, import};
use crate::cli::{Export, Open, Theme};
use crate::export::{self, ExportError, Exported, Format, Options, Progress, Selection};
use crate::proto::rules::count;

/// Opens a file or a sample on the screen, or lists the samples.
pub fn open(args: &Open, theme: Theme) -> anyhow::Result<ExitCode> {
    match (&args.file, &args.sample) {
        (Some(file), _) => {
            let options = import::Options { port: args.port, follow: args.follow };
            let (capture, loader) = import::open_with(file, options)?;
            screen::open(&capture, loader, theme, args.filter.clone(), &screen::Ends::listen()?)
        }
        (None, Some(Some(name))) => {
            let sample = Sample::by_name(name).with_context(|| format!("there is no sample {name}"))?;
            // From here on a signal ends the screen, and the folder goes with it.
            let ends = screen::Ends::listen()?;
            let folder = tempfile::Builder::new()
                .prefix("framescope-")
                .tempdir()
                .context("no temporary folder can be made for the sample; set TMPDIR to a place that can be written")?;
            let path = folder.path().join(format!("{name}.pcapng"));
            sample.unpack(&path).with_context(|| {
                format!("cannot write {}; set TMPDIR to a place that can be written", path.display())
            })?;
            let (capture, loader) = import::open(&path)?;
            screen::open(&capture, loader, theme, args.filter.clone(), &ends)
        }
        _ => {
            let list: String =
                Sample::ALL.iter().map(|sample| format!("{:<12}{}\n", sample.name, sample.words)).collect();
            stdio::print(list.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes a file's capture in another format.
pub fn export(args: &Export) -> anyhow::Result<ExitCode> {
    let progress = Progress::default();
    signals::cancel(&progress.cancel).context("signals cannot be caught")?;
    let capture = load(&args.file, args.port, &progress)?;
    let selection = match &args.filter {
        Some(filter) => Selection::Records(select(filter, &capture, &progress)?),
        None => Selection::All,
    };
    let options = Options { selection, redact: args.redact, direction: args.direction };
    let exported = match target(args) {
        None => to_stdout(&capture, args.to, &options, &progress)?,
        Some(path) => {
            let exported = export::to_file(&capture, args.to, &options, &path, args.force, &progress)?;
            stdio::say(format_args!(
                "{}, {} written to {}",
                count(exported.records, "record"),
                count(exported.bytes, "byte"),
                path.display()
            ));
            exported
        }
    };
    if let Some(note) = exported.note {
        stdio::say(note);
    }
    Ok(ExitCode::SUCCESS)
}

/// The numbers of the records that a filter lets through.
fn select(filter: &Filter, capture: &Capture, progress: &Progress) -> anyhow::Result<Vec<u64>> {
    let mut selected = capture::query::selection::Selection::default();
    let go_on = |_| !progress.cancel.load(Ordering::Relaxed);
    let whole = Sieve::new(filter, capture).extend(&mut selected, go_on);
    let whole = whole.with_context(|| format!("{} cannot be read; is it still there?", capture.path().display()))?;
    if !whole {
        return Err(ExportError::Cancelled.into());
    }
    Ok(selected.numbers().collect())
}

/// Exports to stdout, unless that would garble a terminal.
pub fn to_stdout(
    capture: &Capture,
    format: Format,
    options: &Options,
    progress: &Progress,
) -> anyhow::Result<Exported> {
    if stdio::stdout_is_terminal() && !format.is_text() {
        bail!("{} is not for a terminal to show; redirect stdout into a file", format.name());
    }
    let mut out = stdio::stdout()?;
    Ok(export::export(capture, format, options, &mut out, progress)?)
}

/// The file to write; none for stdout.
fn target(args: &Export) -> Option<PathBuf> {
    match &args.output {
        Some(path) if path == Path::new("-") => None,
        Some(path) => Some(path.clone()),
        None if stdio::stdout_is_terminal() => {
            let stem = args.file.file_stem().unwrap_or("capture".as_ref());
            Some(Path::new(stem).with_extension(args.to.extension()))
        }
        None => None,
    }
}

/// Reads all of a file; says what there is to know about it.
fn load(file: &Path, port: Option<u16>, progress: &Progress) -> anyhow::Result<Capture> {
    let (capture, loader) = import::open_with(file, import::Options { port, follow: false })?;
    loader.run(&progress.cancel);
    say_about(&capture, file);
    Ok(capture)
}

/// What a person should know about a file that was read: a line when its bytes were never on a wire, and one about what is
/// wrong with it.
pub fn say_about(capture: &Capture, file: &Path) {
    if let Some(words) = capture.reconstructed() {
        stdio::say(format_args!("{}: reconstructed {words}", file.display()));
    }
    if let Some(reason) = capture.trouble().reason {
        stdio::say(format_args!("{}: {reason}", file.display()));
    }
}
