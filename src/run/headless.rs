//! `serve --headless`: the server without a screen.
//!
//! The main thread waits for a signal or for the end of stdout. Other threads serve connections, print records
//! ([`Follower`]) and write messages ([`StderrWriter`]).

use std::io::ErrorKind;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::follow::Follower;
use super::stderr_writer::StderrWriter;
use super::{check, screen_host, signals, stdio};
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::{Spool, SpoolCleanup};
use crate::capture::store::scratch;
use crate::capture::store::{Capture, Totals};
use crate::cli::Serve;
use crate::export::ExportError;
use crate::net::demo::{self, Behaviour, DemoHandle};
use crate::net::{Server, ServerConfig, ServerHandle};
use crate::proto::rules::{count, grouped};

/// The most time between the signal and the end of the process.
const END_WITHIN: Duration = Duration::from_millis(1950);

/// The least time that the reader of stdout has for the last lines, however long the connections took to end.
const LAST_LINES: Duration = Duration::from_millis(100);

/// Why the run ends.
enum RunEnd {
    Signal,
    /// The records cannot be printed, or the reader of stdout has closed it.
    Stdout(ExportError),
}

/// Runs `serve --headless`: serves until a signal arrives or stdout is closed.
pub fn serve(args: &Serve) -> anyhow::Result<ExitCode> {
    let (sender, ended) = channel();
    let signaled = sender.clone();
    signals::on_end(false, move || drop(signaled.send(RunEnd::Signal))).context("cannot catch signals")?;
    let (server, recorder, cleanup) = prepare(args)?;
    let capture = recorder.capture().clone();
    let warning = server.warning();
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
    let server = server.start(recorder.clone()).context("cannot start the server's thread")?;
    if let Some(warning) = warning {
        stdio::say(format_args!("warning: {warning}"));
    }
    announce(&server);
    if args.browser
        && let Err(e) = screen_host::open_page(server.address())
    {
        stdio::say(e);
    }
    let demo = start_demo(args, &server)?;
    // The thread that catches signals keeps its sender as long as the process lives.
    let end = ended.recv().unwrap_or(RunEnd::Signal);
    let ending_since = Instant::now();
    server.shutdown();
    drop(demo);
    let deadline = (ending_since + END_WITHIN).max(Instant::now() + LAST_LINES);
    let printed = follower.map(|follower| follower.finish(deadline));
    // A thread that did not end in time may hold the spool, which then does not delete its file.
    cleanup.delete();
    check_files(&recorder);
    let concluded = conclude(args, &capture, end, printed, &stderr);
    // Do not wait for a reader of stderr that does not read.
    if stderr.flush(deadline) { concluded } else { Ok(concluded.unwrap_or(ExitCode::FAILURE)) }
}

/// Prepares a server with the file or files of its capture. It listens first: --force must not replace an older capture if the
/// server cannot start.
pub fn prepare(args: &Serve) -> anyhow::Result<(Server, Recorder, SpoolCleanup)> {
    let server = Server::bind(ServerConfig {
        listen: args.listen,
        interval: args.interval,
        allow_origins: args.allow_origin.clone(),
        deflate: !args.no_deflate,
        max_memory: args.max_memory,
        ..ServerConfig::default()
    })?;
    let spool = match (&args.write, args.ring) {
        (Some(path), None) => Spool::keep(path, args.force)?,
        (Some(path), Some(size)) => Spool::keep_ring(path, args.force, size)?,
        (None, None) => Spool::temporary()?,
        (None, Some(size)) => Spool::temporary_ring(&scratch::folder(), size)?,
    };
    let cleanup = spool.cleanup();
    Ok((server, Recorder::new(spool), cleanup))
}

/// Starts the demo client if its flag is set.
pub fn start_demo(args: &Serve, server: &ServerHandle) -> anyhow::Result<Option<DemoHandle>> {
    let demo = args.demo.then(|| demo::start(server.address(), Behaviour::Page)).transpose();
    demo.context("cannot start the demo client's thread")
}

/// Prints the line that scripts wait for. Do not change its words.
fn announce(server: &ServerHandle) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "listening on {}", screen_host::page_url(server.address()));
}

/// Prints the summary; returns the result of the run.
fn conclude(
    args: &Serve,
    capture: &Capture,
    end: RunEnd,
    printed: Option<u64>,
    stderr: &StderrWriter,
) -> anyhow::Result<ExitCode> {
    let totals = capture.totals();
    let line = summary(&totals, capture.trouble().uncaptured);
    match end {
        RunEnd::Stdout(ExportError::Output(e)) if e.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        RunEnd::Stdout(e) => bail!("cannot print the records: {e}"),
        RunEnd::Signal => {}
    }
    match printed {
        Some(printed) if printed < totals.records => {
            let missing = count(totals.records - printed, "record");
            stderr.say(&format!("{line} · {missing} not printed: stdout was not read in time"));
        }
        _ if args.json => stderr.say(&line),
        _ => stdio::print(format!("{line}\n").as_bytes())?,
    }
    check_captured(capture, true)
}

/// Reports in the capture's trouble if another program has changed a file of the capture.
pub fn check_files(recorder: &Recorder) {
    if let Err(e) = recorder.check_files() {
        recorder.capture().add_failure(&e.to_string());
    }
}

/// Fails if the capture lacks records because framescope failed. The error contains the reason unless `reason_is_known`: it was
/// printed before, and nothing remains to be said unless bytes were lost.
pub fn check_captured(capture: &Capture, reason_is_known: bool) -> anyhow::Result<ExitCode> {
    let trouble = capture.trouble();
    let lost = match trouble.uncaptured {
        0 => None,
        1 => Some("1 byte was not captured".to_owned()),
        bytes => Some(format!("{} bytes were not captured", grouped(bytes))),
    };
    let reason = trouble.reason().filter(|_| !reason_is_known);
    match [reason, lost].into_iter().flatten().reduce(|reason, lost| format!("{reason}; {lost}")) {
        Some(line) if trouble.has_failed() => bail!(line),
        None if trouble.has_failed() => Ok(ExitCode::FAILURE),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The counts of a capture in one line.
pub fn summary(totals: &Totals, uncaptured: u64) -> String {
    let findings = match totals.findings.iter().sum() {
        0 => "no findings".to_owned(),
        all => format!("{}: {}", count(all, "finding"), check::by_severity(totals.findings)),
    };
    let mut line = format!(
        "{} · {} · ▲ {} · ▼ {} · {findings}",
        count(totals.connections, "connection"),
        count(totals.records, "record"),
        count(totals.bytes[0], "byte"),
        count(totals.bytes[1], "byte"),
    );
    if totals.evicted() > 0 {
        line.push_str(&format!(" · {} evicted", count(totals.evicted(), "record")));
    }
    if uncaptured > 0 {
        line.push_str(&format!(" · {} not captured", count(uncaptured, "byte")));
    }
    line
}
