//! `connect`: a client as a source of live traffic.

mod plan;
mod stdin_lines;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use self::plan::Dialed;
pub use self::plan::{Plan, header, heartbeat};
use super::headless;
use super::live::{LineSender, LiveSource, News, Reporter, RunningSource};
use super::screen::{self, LiveScreen};
use super::script_file;
use super::tls;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;
use crate::cli::{Connect, ThemeArg};
use crate::net::client::{Client, ClientEnd};
use crate::script::{InputLine, Outgoing};
use crate::tui::app::LiveTraffic;

/// How to connect again, on the screen.
const AGAIN: &str = "press : and type /connect to connect again";

/// Runs `connect`.
///
/// # Errors
/// Wrong usage; why it cannot connect or draw; in a headless run, why the connection did not close in order.
pub fn connect(args: &Connect, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let mut plan = Plan::of(args)?;
    let prepare = || {
        plan.trust(&args.trust, args.key_log.keylog.as_deref())?;
        let dialed = plan.dial_aloud()?;
        Ok(Connecting { plan, dialed })
    };
    if args.recording.headless {
        return headless::run(&args.recording, prepare);
    }
    let screen = LiveScreen { instead: "use --headless to connect without a screen", tour: None };
    screen::live(&args.recording, theme, screen, prepare)
}

/// A TCP connection to the server.
struct Connecting {
    plan: Plan,
    dialed: Dialed,
}

impl LiveSource for Connecting {
    type Running = Connected;

    fn warning(&self) -> Option<String> {
        self.plan.warning()
    }

    fn start(self, spool: Spool, ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Connected> {
        let recorder = Recorder::new(spool);
        tls::report_failures(self.plan.key_log.as_deref(), recorder.capture());
        let Self { plan, dialed } = self;
        let client = plan.start(dialed, &recorder, ended).context("cannot start the client's threads")?;
        let plan = Arc::new(plan);
        let has_unsent = Arc::<AtomicBool>::default();
        if let Some(linger) = plan.headless {
            let (client, plan, has_unsent) = (client.clone(), Arc::clone(&plan), Arc::clone(&has_unsent));
            let feed = move || stdin_lines::feed(&client, &plan, linger, &has_unsent);
            thread::Builder::new().name("lines".to_owned()).spawn(feed).context("cannot start the thread for stdin")?;
        }
        let current = Arc::new(Mutex::new(client));
        Ok(Connected { plan, recorder, current, has_unsent, reporter: None })
    }
}

/// A client that runs.
struct Connected {
    plan: Arc<Plan>,
    recorder: Recorder,
    /// The latest connection.
    current: Arc<Mutex<Client>>,
    /// True if a line of stdin was not sent.
    has_unsent: Arc<AtomicBool>,
    reporter: Option<Reporter>,
}

impl Connected {
    fn client(&self) -> Client {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl RunningSource for Connected {
    fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    fn recorder(&self) -> Option<&Recorder> {
        Some(&self.recorder)
    }

    fn ready_line(&self) -> String {
        format!("connecting to {}", self.plan.url)
    }

    fn traffic(&self) -> Option<LiveTraffic> {
        Some(LiveTraffic {
            title: self.plan.url.to_string(),
            alarm: (self.plan.tls.is_some() && self.plan.insecure).then(|| "any certificate accepted".to_owned()),
            advice: "Waiting for the handshake with".to_owned(),
            address: self.plan.url.to_string(),
        })
    }

    fn on_news(&mut self, reporter: Reporter) {
        self.reporter = Some(Arc::clone(&reporter));
        if self.plan.headless.is_none() {
            watch(self.client(), reporter);
        }
    }

    fn line_sender(&self) -> Option<Box<dyn LineSender>> {
        Some(Box::new(Lines {
            plan: Arc::clone(&self.plan),
            recorder: self.recorder.clone(),
            current: Arc::clone(&self.current),
            reporter: self.reporter.clone()?,
            is_sending_file: Arc::default(),
            is_connecting: Arc::default(),
        }))
    }

    fn shutdown(self) -> Option<String> {
        let client = self.client();
        if self.plan.headless.is_none() {
            // A script that the user interrupts has not failed.
            let failed = client.script_end().and_then(Result::err);
            client.shutdown();
            return failed;
        }
        client.shutdown();
        match client.script_end() {
            Some(Err(line)) => return Some(line),
            None if self.plan.config.script.is_some() && client.end().is_some_and(|end| end.is_clean()) => {
                return Some(format!("{}: the script was not done", self.plan.url));
            }
            _ => {}
        }
        let end = client.end().unwrap_or(ClientEnd::Stopped);
        if !end.is_clean() {
            return Some(format!("{}: {end}", self.plan.url));
        }
        let has_unsent = self.has_unsent.load(Ordering::SeqCst);
        has_unsent.then(|| format!("{}: not all lines of stdin were sent", self.plan.url))
    }
}

/// Reports how the script and the connection end, on a thread of its own.
fn watch(client: Client, reporter: Reporter) {
    let watch = move || {
        let failed = || client.script_end().and_then(Result::err);
        if client.wait_script()
            && let Some(line) = failed()
        {
            reporter(News::Failure(line));
        }
        let end = client.wait_end(Duration::MAX).unwrap_or(ClientEnd::Stopped);
        let line = format!("{end}; {AGAIN}");
        reporter(News::Ended(match failed() {
            Some(failure) => Err(format!("{failure}; {line}")),
            None if end.is_clean() => Ok(line),
            None => Err(line),
        }));
    };
    // If the system cannot start a thread, the records still show the end.
    let _ = thread::Builder::new().name("watch".to_owned()).spawn(watch);
}

/// Sends the lines that are typed on the screen.
struct Lines {
    plan: Arc<Plan>,
    recorder: Recorder,
    current: Arc<Mutex<Client>>,
    reporter: Reporter,
    /// Whether a file is being read and sent.
    is_sending_file: Arc<AtomicBool>,
    /// Whether a further connection is being made.
    is_connecting: Arc<AtomicBool>,
}

impl LineSender for Lines {
    fn send(&self, line: &InputLine) -> Result<(), String> {
        if self.is_sending_file.load(Ordering::SeqCst) {
            return Err("not sent: a file is still being sent; press Enter again in a moment".to_owned());
        }
        let client = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match line {
            InputLine::Connect if client.end().is_none() => {
                Err("the connection has not ended; /close closes it first".to_owned())
            }
            InputLine::Connect if self.is_connecting.swap(true, Ordering::SeqCst) => {
                Err("the latest attempt to connect has not ended".to_owned())
            }
            InputLine::Connect => self.connect_again(),
            InputLine::Send(outgoing) => send(&client, outgoing),
            InputLine::File(path) => self.send_file(client, path.clone()),
        }
    }
}

impl Lines {
    /// Sends the content of a file, on a thread of its own: reading and compressing it can take long.
    fn send_file(&self, client: Client, path: PathBuf) -> Result<(), String> {
        let (reporter, is_sending) = (Arc::clone(&self.reporter), Arc::clone(&self.is_sending_file));
        is_sending.store(true, Ordering::SeqCst);
        let work = move || {
            let sent = script_file::message(&path).and_then(|message| send(&client, &message));
            is_sending.store(false, Ordering::SeqCst);
            if let Err(line) = sent {
                reporter(News::Failure(line));
            }
        };
        let spawned = thread::Builder::new().name("file".to_owned()).spawn(work);
        spawned.map(drop).map_err(|e| {
            self.is_sending_file.store(false, Ordering::SeqCst);
            format!("cannot start a thread for the file: {e}")
        })
    }

    /// Connects again, on a thread of its own, with the same settings into the same capture.
    fn connect_again(&self) -> Result<(), String> {
        let (plan, recorder) = (Arc::clone(&self.plan), self.recorder.clone());
        let (current, reporter) = (Arc::clone(&self.current), Arc::clone(&self.reporter));
        let is_connecting = Arc::clone(&self.is_connecting);
        let connect = move || {
            let started = plan.dial().map_err(|e| format!("{e}; {AGAIN}")).and_then(|dialed| {
                let client = plan.start(dialed, &recorder, || {});
                client.map_err(|e| format!("cannot start the client's threads: {e}"))
            });
            if let Ok(client) = &started {
                *current.lock().unwrap_or_else(PoisonError::into_inner) = client.clone();
            }
            is_connecting.store(false, Ordering::SeqCst);
            match started {
                Ok(client) => watch(client, reporter),
                Err(line) => reporter(News::Failure(line)),
            }
        };
        let spawned = thread::Builder::new().name("connect".to_owned()).spawn(connect);
        spawned.map(drop).map_err(|e| {
            self.is_connecting.store(false, Ordering::SeqCst);
            format!("cannot start a thread that connects: {e}")
        })
    }
}

/// Sends, or says why that is not possible.
fn send(client: &Client, outgoing: &Outgoing) -> Result<(), String> {
    if client.send(outgoing) {
        return Ok(());
    }
    Err(match client.end() {
        Some(end) => format!("not sent: {end}; /connect connects again"),
        None if client.is_open() => "not sent: the connection was not open yet; press Enter again".to_owned(),
        None => "not sent: the handshake has not ended, or the connection is closing".to_owned(),
    })
}
