//! `--headless`: a source of live traffic without a screen.
//!
//! The main thread waits for a signal or for the end of stdout. Other threads serve connections, print records
//! ([`Follower`]) and write messages ([`StderrWriter`]).

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::follow::Follower;
use super::live::{self, LiveSource, News, RunningSource as _};
use super::signals::Preparation;
use super::stderr_writer::StderrWriter;
use super::{signals, stdio};
use crate::capture::store::Capture;
use crate::cli::Recording;
use crate::export::ExportError;
use crate::proto::rules::count;

/// The most time between the signal and the end of the process.
const END_WITHIN: Duration = Duration::from_millis(1950);

/// The least time that the reader of stdout has for the last lines, however long the connections took to end.
const LAST_LINES: Duration = Duration::from_millis(100);

/// How long a source may still take after a signal until it is prepared. Then the run ends in order, and prints its summary.
const PREPARED_WITHIN: Duration = Duration::from_millis(1500);

/// Why the run ends.
enum RunEnd {
    Signal,
    /// The source has ended.
    Source,
    /// The records cannot be printed, or the reader of stdout has closed it.
    Stdout(ExportError),
}

/// Prepares a source and runs it until a signal arrives, it ends, or stdout is closed.
pub fn run<S: LiveSource>(args: &Recording, prepare: impl FnOnce() -> anyhow::Result<S>) -> anyhow::Result<ExitCode> {
    let (sender, ended) = channel();
    let signaled = sender.clone();
    let preparation = Preparation::default();
    preparation.begin();
    let preparing = preparation.clone();
    let end = move || {
        drop(signaled.send(RunEnd::Signal));
        preparing.interrupt(PREPARED_WITHIN);
    };
    signals::on_end(false, end).context("cannot catch signals")?;
    let source = prepare()?;
    if !preparation.end() {
        // The process is being ended. Nothing was recorded.
        return Ok(ExitCode::FAILURE);
    }
    let spool = source.spool(args)?;
    let cleanup = spool.cleanup();
    let warning = source.warning();
    let source_ended = sender.clone();
    let mut running = source.start(spool, move || drop(source_ended.send(RunEnd::Source)))?;
    let (capture, recorder) = (running.capture().clone(), running.recorder().cloned());
    let stderr = StderrWriter::start().context("cannot start the thread for stderr")?;
    let troubles = stderr.clone();
    capture.on_trouble(move |what| troubles.say(what));
    let follower = match args.quiet {
        true => None,
        false => {
            let ended_early = move |end| drop(sender.send(RunEnd::Stdout(end)));
            Some(
                Follower::start(&capture, args.json, args.filter.as_ref(), &stderr, ended_early)
                    .context("cannot write to stdout")?,
            )
        }
    };
    if let Some(warning) = warning {
        stdio::say(format_args!("warning: {warning}"));
    }
    // Scripts wait for this line, which has no prefix.
    let _ = writeln!(std::io::stderr(), "{}", running.ready_line());
    if let Some(notice) = running.notice() {
        stdio::say(notice);
    }
    let reports = stderr.clone();
    running.on_news(Arc::new(move |news| {
        if let News::Failure(line) = news {
            reports.say(&line);
        }
    }));
    let held = stderr.clone();
    running.report_held(Box::new(move |line| held.say(line)));
    // The thread that catches signals keeps its sender as long as the process lives.
    let end = ended.recv().unwrap_or(RunEnd::Signal);
    let ending_since = Instant::now();
    let failure = running.shutdown().filter(|_| !matches!(end, RunEnd::Stdout(_)));
    let deadline = (ending_since + END_WITHIN).max(Instant::now() + LAST_LINES);
    let printed = follower.map(|follower| follower.finish(deadline));
    // A thread that did not end in time may hold the spool, which then does not delete its file.
    cleanup.delete();
    live::check_files(recorder.as_ref());
    let concluded = conclude(args, &capture, end, printed, &stderr);
    let concluded = concluded.and_then(|status| failure.map_or(Ok(status), |line| bail!(line)));
    // Do not wait for a reader of stderr that does not read.
    if stderr.flush(deadline) { concluded } else { Ok(concluded.unwrap_or(ExitCode::FAILURE)) }
}

/// Prints the summary; returns the result of the run.
fn conclude(
    args: &Recording,
    capture: &Capture,
    end: RunEnd,
    printed: Option<u64>,
    stderr: &StderrWriter,
) -> anyhow::Result<ExitCode> {
    let totals = capture.totals();
    let line = live::summary(&totals, capture.trouble().uncaptured);
    match end {
        RunEnd::Stdout(ExportError::Output(e)) if e.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        RunEnd::Stdout(e) => bail!("cannot print the records: {e}"),
        RunEnd::Signal | RunEnd::Source => {}
    }
    match printed {
        Some(printed) if printed < totals.records => {
            let missing = count(totals.records - printed, "record");
            stderr.say(&format!("{line} · {missing} not printed: stdout did not take them in time"));
        }
        _ if args.json => stderr.say(&line),
        _ => stdio::print(format!("{line}\n").as_bytes())?,
    }
    live::check_captured(capture, true)
}
