//! `check`: the findings of a capture, one line each, and explanations of rules.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use unicode_width::UnicodeWidthStr as _;

use super::{export, signals, stdio};
use crate::capture::import::{self, Loader};
use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::store::record::Record;
use crate::capture::store::{Capture, Totals};
use crate::cli::{Check, ThemeArg};
use crate::explain::Topic;
use crate::explain::lookup::{self, Answer};
use crate::export::findings::{self, FindingLines, LineStyle};
use crate::export::{ExportError, Sink};
use crate::proto::rules::{Severity, count, grouped};

/// How many records with findings are taken from the index at once.
const BATCH: usize = 1024;

/// Poll interval for new findings while the file is read.
const POLL: Duration = Duration::from_millis(20);

/// The most topics that one answer explains.
const MAX_TOPICS: usize = 5;

/// Width of explanations in columns.
const WIDTH: usize = 100;

pub fn check(args: &Check, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    match (&args.explain, &args.file) {
        (Some(text), _) => explain(text),
        (None, Some(file)) => check_file(file, args, theme),
        (None, None) => bail!("name a capture file to check"),
    }
}

/// Prints the findings of a file while it is read. The exit status is 1 if one is as severe as `--fail-on`.
fn check_file(file: &Path, args: &Check, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let cancel = Arc::<AtomicBool>::default();
    signals::cancel(&cancel).context("cannot catch signals")?;
    let (capture, loader) = import::open_with(file, args.reading.options(false))?;
    let name = file.display().to_string();
    let style = match args.json {
        true => LineStyle::Json,
        false if theme != ThemeArg::Mono && stdio::stdout_takes_colour() => LineStyle::Coloured,
        false => LineStyle::Plain,
    };
    let mut selected = args.filter.as_ref().map(|filter| Selected::new(filter, &capture));
    let printed = print_while_read(&capture, loader, FindingLines::new(&name, style), selected.as_mut(), &cancel);
    let mut totals = capture.totals();
    if let Some(selected) = &selected {
        totals.findings = selected.findings;
    }
    match printed {
        Ok(()) => {}
        // The reader of stdout has closed it: the findings so far determine the exit status.
        Err(ExportError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(status(&totals, args.fail_on));
        }
        Err(ExportError::Output(e)) => return Err(stdio::StdoutError(e).into()),
        Err(e) => return Err(e.into()),
    }
    if cancel.load(Ordering::Relaxed) {
        bail!("{name}: stopped after {} records", grouped(totals.records));
    }
    export::check_read(&capture, file)?;
    export::say_about(&capture, file);
    let only = if selected.is_some() { "; only records that match the filter" } else { "" };
    stdio::say(format_args!("{name}: {}{only}", summary(&totals)));
    Ok(status(&totals, args.fail_on))
}

fn status(totals: &Totals, fail_on: Severity) -> ExitCode {
    let failing: u64 = totals.findings[fail_on as usize..].iter().sum();
    if failing > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Reads the file on a second thread and prints at the same time, so that the first lines appear at once.
fn print_while_read(
    capture: &Capture,
    loader: Loader,
    mut lines: FindingLines,
    selected: Option<&mut Selected>,
    cancel: &AtomicBool,
) -> Result<(), ExportError> {
    let mut out = stdio::stdout().map_err(ExportError::Output)?;
    thread::scope(|scope| {
        let (over, ended) = sync_channel::<()>(0);
        scope.spawn(move || {
            // The receiver notices when this is dropped.
            let _over = over;
            loader.run(cancel);
        });
        let printed = print(capture, &mut lines, selected, &mut Sink::new(&mut out), &ended);
        if printed.is_err() {
            cancel.store(true, Ordering::Relaxed);
        }
        printed
    })
}

fn print(
    capture: &Capture,
    lines: &mut FindingLines,
    mut selected: Option<&mut Selected>,
    sink: &mut Sink<'_>,
    ended: &mpsc::Receiver<()>,
) -> Result<(), ExportError> {
    let mut next = 1;
    loop {
        let is_over = ended.recv_timeout(POLL) == Err(mpsc::RecvTimeoutError::Disconnected);
        if let Some(first) = capture.origin() {
            lines.set_start(first);
        }
        loop {
            let records = capture.found(next, BATCH);
            for record in &records {
                if let Some(selected) = selected.as_deref_mut()
                    && !selected.matches(record)?
                {
                    continue;
                }
                lines.append(record, &mut sink.buffer);
                sink.write_if_full()?;
            }
            match records.last() {
                Some(last) => next = last.no + 1,
                None => break,
            }
        }
        sink.flush()?;
        if is_over {
            return Ok(());
        }
    }
}

/// The records with findings that match a filter.
struct Selected {
    evaluator: FilterEvaluator,
    capture: Capture,
    /// Their findings by severity: info, warning, error.
    findings: [u64; 3],
}

impl Selected {
    fn new(filter: &Filter, capture: &Capture) -> Self {
        Self { evaluator: FilterEvaluator::new(filter, capture), capture: capture.clone(), findings: [0; 3] }
    }

    /// Returns true if a record matches, and counts its findings then.
    fn matches(&mut self, record: &Record) -> Result<bool, ExportError> {
        let passes = export::passes(&mut self.evaluator, &self.capture, record)?;
        if passes {
            record.findings.iter().for_each(|finding| self.findings[finding.rule.severity() as usize] += 1);
        }
        Ok(passes)
    }
}

/// The counts in one line: `2 errors, 1 warning, 3 info in 12 records`.
fn summary(totals: &Totals) -> String {
    let records = count(totals.records, "record");
    match totals.findings.iter().sum::<u64>() {
        0 => format!("no findings in {records}"),
        _ => format!("{} in {records}", by_severity(totals.findings)),
    }
}

/// The numbers of findings by severity: `2 errors, 1 warning, 3 info`.
pub fn by_severity([info, warning, error]: [u64; 3]) -> String {
    format!("{}, {}, {} info", count(error, "error"), count(warning, "warning"), grouped(info))
}

/// Prints what a text is about. The exit status is 1 if there are only guesses, or none.
fn explain(text: &str) -> anyhow::Result<ExitCode> {
    let (found, guesses) = match lookup::find(text) {
        Answer::Found(found) => (found, Vec::new()),
        Answer::Guesses(guesses) => (Vec::new(), guesses),
    };
    let mut page: String = found.iter().take(MAX_TOPICS).map(|found| entry("", found)).collect::<Vec<_>>().join("\n");
    if let Some(more) = found.get(MAX_TOPICS..).filter(|more| !more.is_empty()) {
        let ids: Vec<String> = more.iter().map(|found| found.topic.page().id).collect();
        page.push_str(&format!("\n{}", wrapped("", &format!("and {} more: {}", more.len(), ids.join(", ")))));
    }
    page.push_str(&guesses.iter().map(|guess| entry("guess: ", guess)).collect::<Vec<_>>().join("\n"));
    stdio::print(page.as_bytes())?;
    if found.is_empty() {
        let what = match guesses.is_empty() {
            true => "nothing",
            false => "only similar messages",
        };
        bail!(
            "{what} found for {text:?}; try only the words of the error, a close code, a section such as 5.5.1, or a rule's id; \
             or check a capture of the traffic"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// ```text
/// rsv1-set · error · RFC 6455 §5.2 · bit 1
///   RSV1 is 1, but no negotiated extension defines it for this frame
///   The reserved bits exist for extensions. …
///   next: Compress only after permessage-deflate was negotiated, …
///   npm ws says: Invalid WebSocket frame: RSV1 must be clear
/// ```
fn entry(prefix: &str, found: &lookup::Match) -> String {
    let page = found.topic.page();
    let span = if let Topic::Rule(rule) = found.topic { lookup::bits(rule) } else { None };
    let bits = span.map(|span| format!(" · {}", findings::bits(span))).unwrap_or_default();
    let mut entry = format!("{prefix}{} · {} · {}{bits}\n", page.id, page.kind, page.section);
    for text in page.summary.iter().chain([&page.text]) {
        entry.push_str(&wrapped("  ", text));
    }
    entry.push_str(&wrapped("  ", &format!("next: {}", page.next)));
    if let Some(message) = &found.message {
        let verb = if message.libraries.len() == 1 { "says" } else { "say" };
        entry.push_str(&wrapped("  ", &format!("{} {verb}: {}", message.libraries.join(", "), message.text)));
    }
    entry
}

/// Text in lines of at most [`WIDTH`] columns, each with an indent.
pub(super) fn wrapped(indent: &str, text: &str) -> String {
    let mut out = String::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        if line.width() + 1 + word.width() > WIDTH && line.len() > indent.len() {
            out.push_str(&line);
            out.push('\n');
            line = indent.to_owned();
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}
