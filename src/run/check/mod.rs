//! `check`: the findings of captures in one of several formats, and explanations of rules.

mod explain;
mod judge;
mod report;
mod selected;
mod targets;
mod verdict;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;

use self::judge::Judge;
use super::{input, input_stream, stdio};
use crate::cli::{Check, ThemeArg};
use crate::export::ExportError;
use crate::proto::rules::count;

/// Runs `check`: explains a text, or checks captures.
pub fn check(args: &Check, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    match &args.explain {
        Some(text) => explain::explain(text),
        None => check_captures(args, theme),
    }
}

/// Prints the findings of captures while they are read. The exit status is 1 if a finding is as severe as `--fail-on`, or if a capture
/// has a fault that no flag accepts.
fn check_captures(args: &Check, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let cancel = Arc::<AtomicBool>::default();
    let reads_stdin = matches!(&args.files[..], [file] if input::is_stdin(file));
    let end = input_stream::catch_signals(reads_stdin, &cancel).context("cannot catch signals")?;
    let mut out = stdio::stdout().map_err(stdio::StdoutError)?;
    let mut judge = Judge::new(args, theme, &mut out, &cancel, end);
    let targets = targets::expand(&args.files);
    let judged = targets.iter().try_for_each(|target| judge.target(target)).and_then(|()| judge.finish());
    let total = judge.into_total();
    match judged {
        Ok(()) => {}
        // The reader of stdout has closed it: the findings so far determine the exit status.
        Err(ExportError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(total.status(args.fail_on)),
        Err(ExportError::Output(e)) => return Err(stdio::StdoutError(e).into()),
        Err(ExportError::Cancelled) => anyhow::bail!("stopped after {}", count(total.records, "record")),
        Err(e) => return Err(e.into()),
    }
    if targets.len() > 1 {
        let faults = Some(total.faults_line()).filter(|faults| !faults.is_empty());
        let faults = faults.map(|faults| format!("; {faults}")).unwrap_or_default();
        stdio::say(format_args!("{}: {}{faults}", count(targets.len() as u64, "file"), total.findings_line()));
    }
    Ok(total.status(args.fail_on))
}
