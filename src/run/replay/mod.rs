//! `replay`: sends the client's frames of a captured connection again, and compares the server's answers.

mod answers;
mod steps;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use self::answers::{Answers, Differences};
use self::steps::{Gap, MAX_MESSAGE, Step, Steps};
use super::connect::{Plan, header};
use super::usage_error::UsageError;
use super::{export, signals, stdio};
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;
use crate::cli::{Pace, Replay};
use crate::export::{ExportError, Progress};
use crate::net::client::{Client, ClientConfig, ClientEnd, RequestConfig};
use crate::proto::handshake::RequestFacts;
use crate::proto::rules::count;
use crate::script::Outgoing;
use crate::wire::close::CloseCode;
use crate::wire::http::Head;
use crate::wire::url::Url;

/// How long to wait for an answer that the capture has.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long nothing must arrive before the end.
const LINGER: Duration = Duration::from_millis(300);

/// How long the wait for that silence may take.
const LONGEST_LINGER: Duration = Duration::from_secs(5);

/// How long the closing handshake may take: the client gives up before.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(8);

/// Poll interval for a signal during a wait.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The headers that are new in each handshake.
const FRESH: [&str; 7] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
];

/// Runs `replay`.
///
/// # Errors
/// Wrong usage; why the capture cannot be read, or the server not be reached.
pub fn replay(args: &Replay) -> anyhow::Result<ExitCode> {
    let progress = Progress::default();
    signals::cancel(&progress.cancel, None).context("cannot catch signals")?;
    let prepared = Prepared::new(args, &progress)?;
    let outcome = prepared.run(args, &progress.cancel)?;
    prepared.verdict(&outcome)
}

/// What is sent, where to, and the answers to compare with.
struct Prepared {
    capture: Capture,
    steps: Steps,
    captured: Answers,
    plan: Plan,
}

/// What happened.
struct Outcome {
    played: Played,
    end: ClientEnd,
    /// The number of the server's answers.
    answers: u64,
    differences: Differences,
}

impl Prepared {
    /// Reads the capture, and reports on stderr what it lacks.
    fn new(args: &Replay, progress: &Progress) -> anyhow::Result<Self> {
        let url = args.to.clone();
        if args.speed.is_some() && args.pace == Pace::Answers {
            return Err(UsageError::new(
                "--speed needs --pace time; leave out one of --speed and --pace answers".to_owned(),
            )
            .into());
        }
        let headers = args.headers.iter().map(|line| header(line)).collect::<Result<Vec<_>, _>>()?;
        let capture = export::load(&args.file, &args.reading, progress, None)?.capture;
        let connection = connection(&capture, args)?;
        let request = request(&capture, connection, &url, headers, args.no_deflate);
        let request = request.with_context(|| unreadable(&capture))?;
        if let Some(path) = &args.write
            && is_same_file(path, &args.file)
        {
            return Err(ExportError::Itself(path.clone()).into());
        }
        let steps = Steps::of(&capture, connection);
        let captured = Answers::of(&capture, connection);
        if !steps.has_client {
            bail!(
                "{}: the capture has nothing of the client of connection {connection}; capture both directions",
                args.file.display()
            );
        }
        if let Some(gap) = steps.gap {
            stdio::say(format_args!("{}: the messages that they belong to are not sent", missing(gap, "client")));
        }
        if let Some(gap) = captured.gap {
            stdio::say(format_args!("{}: the answers from there on are not compared", missing(gap, "server")));
        }
        let mut plan = Plan::to(url, ClientConfig { request, ..ClientConfig::default() });
        plan.trust(&args.trust, None)?;
        if let Some(warning) = plan.warning() {
            stdio::say(format_args!("warning: {warning}"));
        }
        Ok(Self { capture, steps, captured, plan })
    }

    /// Connects, sends the steps until `cancel` is set, and compares the answers.
    fn run(&self, args: &Replay, cancel: &Arc<AtomicBool>) -> anyhow::Result<Outcome> {
        let Self { capture, steps, captured, plan } = self;
        let dialed = plan.dial_aloud()?;
        let spool = match &args.write {
            Some(path) => Spool::keep(path, args.force)?,
            None => Spool::temporary()?,
        };
        let cleanup = spool.cleanup();
        let recorder = Recorder::new(spool);
        let client = plan.start(dialed, &recorder, || {}).context("cannot start the client's threads")?;
        let played = Run { client: &client, capture, args, cancel }.play(steps, captured);
        if cancel.load(Ordering::Relaxed) {
            client.shutdown();
        }
        let end = client.wait_end(CLOSE_TIMEOUT).unwrap_or_else(|| {
            client.shutdown();
            client.end().unwrap_or(ClientEnd::Stopped)
        });
        let played = played.with_context(|| unreadable(capture))?;
        let repeated = client.number().map(|number| Answers::of(recorder.capture(), number)).unwrap_or_default();
        let differences = Differences::between((capture, captured), (recorder.capture(), &repeated));
        // The threads have ended, or hold the file.
        drop((client, recorder));
        cleanup.delete();
        let differences = differences.with_context(|| unreadable(capture))?;
        Ok(Outcome { played, end, answers: repeated.len(), differences })
    }

    /// Prints the differences and the result.
    fn verdict(&self, outcome: &Outcome) -> anyhow::Result<ExitCode> {
        let Self { steps, captured, plan, .. } = self;
        let Outcome { played, end, answers, differences } = outcome;
        let sent = count(played.sent, "frame");
        if !played.was_open {
            bail!("{}: {end}; nothing was replayed", plan.url);
        }
        for line in &differences.lines {
            stdio::print(format!("{line}\n").as_bytes())?;
        }
        if played.lacks_close {
            bail!("{}: the server sent no close (the capture has one); {sent} sent", plan.url);
        }
        // A capture without the server's close may have ended early: then the server need not send one.
        let may_end = matches!(end, ClientEnd::NoClose | ClientEnd::CloseTimedOut(_)) && !captured.has_close();
        if !played.is_complete || !end.is_clean() && !may_end {
            bail!("{}: {end}; {sent} sent of {}", plan.url, steps.list.len());
        }
        if let Some(no) = played.unknown {
            bail!(
                "{}: record {no} and maybe others were not sent: their messages cannot be inflated, or have more than {} MiB; {sent} sent of {}",
                plan.url,
                MAX_MESSAGE >> 20,
                steps.list.len()
            );
        }
        let verdict = match differences.count {
            0 if captured.gap.is_some() => "the same as in the capture, before its gap".to_owned(),
            0 => "the same as in the capture".to_owned(),
            differing => format!("{differing} different"),
        };
        stdio::print(format!("{sent} sent · {}: {verdict}\n", count(*answers, "answer")).as_bytes())?;
        Ok(if differences.count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn unreadable(capture: &Capture) -> String {
    format!("cannot read {}; check that the file still exists", capture.path().display())
}

/// Says where the capture lacks bytes.
fn missing(gap: Gap, sender: &str) -> String {
    format!("the capture lacks {} of the {sender} at record {}", count(gap.bytes, "byte"), gap.no)
}

/// The connection to repeat.
fn connection(capture: &Capture, args: &Replay) -> anyhow::Result<u32> {
    let all = (0..capture.kept_connections()).filter_map(|rank| capture.connection_at(rank));
    let websockets = all.filter(|number| capture.connection(*number).is_some_and(|info| info.about.websocket));
    let websockets: Vec<u32> = websockets.collect();
    let file = args.file.display();
    match (args.connection, websockets.as_slice()) {
        (_, []) => bail!("{file} has no WebSocket connection"),
        (Some(chosen), all) if all.contains(&chosen) => Ok(chosen),
        (None, [only]) => Ok(*only),
        (_, all) => {
            let some: Vec<String> = all.iter().take(20).map(u32::to_string).collect();
            let more = if all.len() > some.len() { " …" } else { "" };
            let line = format!(
                "the WebSocket connections of {file} are {}{more}; choose one with --connection",
                some.join(" ")
            );
            Err(UsageError::new(line).into())
        }
    }
}

/// The request of the captured connection, for another server.
fn request(
    capture: &Capture,
    connection: u32,
    url: &Url,
    headers: Vec<(String, String)>,
    no_deflate: bool,
) -> std::io::Result<RequestConfig> {
    let wire = match capture.handshake(connection) {
        Some([request, _]) => capture.wire(&request, 0..u64::MAX)?,
        None => Vec::new(),
    };
    let head = Head::read(&wire);
    let facts = RequestFacts::of(&head);
    let captured = head.headers.iter().map(|line| (head.text(&line.name), head.text(&line.value)));
    let is_kept = |(name, _): &(String, String)| {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        !FRESH.iter().any(|fresh| is(fresh)) && !headers.iter().any(|(other, _)| is(other))
    };
    let mut kept: Vec<(String, String)> = captured.filter(is_kept).collect();
    kept.extend(headers);
    let target = match url.target() {
        "" if head.target().is_some_and(|target| !target.is_empty()) => {
            String::from_utf8_lossy(head.target().unwrap_or_default()).into_owned()
        }
        _ => url.request_target(),
    };
    Ok(RequestConfig {
        target,
        host: url.authority().to_owned(),
        headers: kept,
        subprotocols: facts.protocols,
        origin: None,
        deflate: !facts.deflate_offers.is_empty() && !no_deflate,
        key: None,
    })
}

/// True if both paths lead to one file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

/// What was sent.
#[derive(Debug, Default)]
struct Played {
    /// The number of frames.
    sent: u64,
    /// The first record whose content is not known, so that it was not sent.
    unknown: Option<u64>,
    /// False if the handshake failed.
    was_open: bool,
    /// True if all steps were sent.
    is_complete: bool,
    /// True if the server did not send the Close that it sent first in the capture.
    lacks_close: bool,
}

/// Sends the steps.
struct Run<'a> {
    client: &'a Client,
    capture: &'a Capture,
    args: &'a Replay,
    cancel: &'a Arc<AtomicBool>,
}

impl Run<'_> {
    /// Sends the steps, then closes the connection if they do not.
    fn play(&self, steps: &Steps, captured: &Answers) -> std::io::Result<Played> {
        let mut played = Played::default();
        if !self.wait(ANSWER_TIMEOUT.saturating_mul(2), Client::wait_open) {
            return Ok(played);
        }
        played.was_open = true;
        let started = Instant::now();
        let mut contents = steps.contents(self.capture);
        for step in &steps.list {
            // The server may close first: then the client has answered.
            played.is_complete = step.is_close && !self.is_cancelled();
            if !self.wait_for(step, started) {
                return Ok(played);
            }
            let Some(outgoing) = contents.read(step)? else {
                played.unknown.get_or_insert(step.no);
                continue;
            };
            if !self.client.send_in_time(&outgoing) {
                return Ok(played);
            }
            played.sent += 1;
        }
        played.is_complete = true;
        self.wait_for_messages(captured.messages());
        if steps.answers_close {
            self.wait(ANSWER_TIMEOUT, Client::wait_closing);
            played.lacks_close = self.client.is_open();
        }
        if self.client.is_open() {
            self.client.settle(LINGER, LONGEST_LINGER);
            self.client.send(&Outgoing::Close { code: Some(CloseCode::NORMAL), reason: String::new() });
        }
        Ok(played)
    }

    /// Waits until a step is due. Returns false if the connection has ended.
    fn wait_for(&self, step: &Step, started: Instant) -> bool {
        // Answers that the captured client waited for must not be cut off by its close.
        if self.args.pace == Pace::Answers || step.is_close {
            self.wait_for_messages(step.messages_before);
        } else {
            let due = started + step.time.div_f64(self.args.speed.unwrap_or(1.0));
            while Instant::now() < due && self.client.end().is_none() && !self.is_cancelled() {
                let left = due.saturating_duration_since(Instant::now());
                self.client.wait_end(left.min(POLL_INTERVAL));
            }
        }
        self.client.end().is_none() && !self.is_cancelled()
    }

    /// Waits until so many messages have arrived, while they do.
    fn wait_for_messages(&self, messages: u64) {
        let mut received = self.client.messages();
        while received < messages {
            if !self.wait(ANSWER_TIMEOUT, |client, time| client.wait_messages(received + 1, time)) {
                return;
            }
            received = self.client.messages();
        }
    }

    /// Waits until `is_met` or the connection ends or a signal arrives, for at most `longest`.
    fn wait(&self, longest: Duration, is_met: impl Fn(&Client, Duration) -> bool) -> bool {
        let deadline = Instant::now() + longest;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if is_met(self.client, left.min(POLL_INTERVAL)) {
                return true;
            }
            if left.is_zero() || self.client.end().is_some() || self.is_cancelled() {
                return false;
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
