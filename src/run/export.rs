//! `export`: a capture in another format.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail};

use super::input::{self, OpenedInput};
use super::input_stream::{self, EndOfInput};
use super::paste_export::{self, HANDSHAKE_ADDED};
use super::{stdio, theme_name};
use crate::capture;
use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::cli::{Export, Reading, ThemeArg};
use crate::export::{self, ExportError, ExportOptions, ExportSelection, Exported, Format, Progress, Redaction, words};
use crate::picture::ThemeName;
use crate::proto::rules::count;

/// Runs `export`: writes a capture, or the records that a filter selects, in another format to a file or stdout.
pub fn export(args: &Export, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let progress = Progress::default();
    let end = input_stream::catch_signals(input::is_stdin(&args.file), &progress.cancel);
    let end = end.context("cannot catch signals")?;
    let OpenedInput { mut capture, pasted, .. } = load(&args.file, &args.reading, &progress, end)?;
    let mut selection = match &args.filter {
        Some(filter) => ExportSelection::Records(select(filter, &capture, &progress)?),
        None => ExportSelection::All,
    };
    if let Some(pasted) = pasted.filter(|_| args.to == Format::Pcapng)
        && let Some(extended) = paste_export::with_handshake(&pasted, &capture, &selection, args.reading.deflate)?
    {
        (capture, selection) = extended;
        stdio::say(HANDSHAKE_ADDED);
    }
    let options = ExportOptions {
        selection,
        redact: args.redact.clone().map(|names| Redaction { names }),
        direction: args.direction,
        theme: theme_name(theme).unwrap_or(ThemeName::Light),
    };
    let exported = match output_file(args) {
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

/// The numbers of the records that a filter selects.
fn select(filter: &Filter, capture: &Capture, progress: &Progress) -> anyhow::Result<Vec<u64>> {
    let mut selected = capture::query::selection::SelectedRecords::default();
    let is_wanted = |_| !progress.cancel.load(Ordering::Relaxed);
    let is_complete = FilterEvaluator::new(filter, capture)
        .extend(&mut selected, is_wanted)
        .with_context(|| format!("cannot read {}; check that the file still exists", capture.path().display()))?;
    if !is_complete {
        return Err(ExportError::Cancelled.into());
    }
    Ok(selected.numbers().collect())
}

/// Returns true if a filter selects a record.
pub fn passes(evaluator: &mut FilterEvaluator, capture: &Capture, record: &Record) -> Result<bool, ExportError> {
    let read_error = |source| ExportError::Read { path: capture.path().to_owned(), no: record.no, source };
    evaluator.passes(record).map_err(read_error)
}

/// Exports to stdout. Fails if the format is binary and stdout is a terminal.
pub fn to_stdout(
    capture: &Capture,
    format: Format,
    options: &ExportOptions,
    progress: &Progress,
) -> anyhow::Result<Exported> {
    let spec = format.spec();
    if stdio::stdout_is_terminal() && !spec.is_text {
        bail!("{} is binary and cannot be shown on a terminal; redirect stdout to a file", spec.id);
    }
    let mut out = stdio::stdout()?;
    Ok(export::export(capture, format, options, &mut out, progress)?)
}

/// The file to write; `None` for stdout.
fn output_file(args: &Export) -> Option<PathBuf> {
    match &args.output {
        Some(path) if path == Path::new("-") => None,
        Some(path) => Some(path.clone()),
        None if stdio::stdout_is_terminal() => {
            let stem = input::name(&args.file).file_stem().unwrap_or("capture".as_ref());
            Some(Path::new(stem).with_extension(args.to.spec().extension))
        }
        None => None,
    }
}

/// Reads all of a file, or a stream until `end`, and says on stderr what is special about it. See [`check_read`] for what fails.
pub fn load(
    file: &Path,
    reading: &Reading,
    progress: &Progress,
    end: Option<EndOfInput>,
) -> anyhow::Result<OpenedInput> {
    let mut input = OpenedInput::open(file, reading, false, end)?;
    input.say_form();
    input.loader().run(&progress.cancel);
    check_read(&input.capture, input.capture.path())?;
    say_about(&input.capture, input.capture.path());
    Ok(input)
}

/// Fails if framescope could not read all of a file, for example because the disk for the inflated copy is full.
pub fn check_read(capture: &Capture, file: &Path) -> anyhow::Result<()> {
    let trouble = capture.trouble();
    if trouble.has_failed() {
        bail!("{}: {}", file.display(), trouble.reason().unwrap_or_default());
    }
    Ok(())
}

/// Says on stderr if the bytes of a file were reconstructed or decrypted, and if the file is damaged: a line each.
pub fn say_about(capture: &Capture, file: &Path) {
    if let Some(words) = capture.reconstructed() {
        stdio::say(format_args!("{}: reconstructed from {words}", file.display()));
    }
    if let Some(words) = words::decrypted(capture) {
        stdio::say(format_args!("{}: {words}", file.display()));
    }
    if let Some(reason) = capture.trouble().reason() {
        stdio::say(format_args!("{}: {reason}", file.display()));
    }
}
