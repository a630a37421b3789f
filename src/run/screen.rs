//! The commands that draw a screen, and what the screen asks of the program: done with the server and the exporters.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::signals::{self, Signal};
use super::{headless, stdio};
use crate::capture::import::Loader;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::{self, Leftover};
use crate::capture::query::filter::Filter;
use crate::capture::store::Capture;
use crate::capture::store::scratch;
use crate::cli::{Serve, Theme};
use crate::export::{self, ExportError, Exported, Format, Options, Progress, Selection};
use crate::net::Server;
use crate::net::demo::{self, DemoHandle};
use crate::proto::dissected::Direction;
use crate::proto::rules::count;
use crate::tui::app::{App, Notice, Setting};
use crate::tui::event::{self, Event, Remote, Report};
use crate::tui::host::{ExportRequest, FormatChoice, Host};
use crate::tui::keymap::Keymap;
use crate::tui::theme::{Theme as Colours, ThemeName};
use crate::tui::{self, Ended, ThemeChoice};

/// How often an export reports its progress.
const PROGRESS: Duration = Duration::from_millis(100);

/// `serve` without `--headless`.
///
/// # Errors
/// Why it cannot serve or draw; afterwards, that bytes were not captured.
pub fn serve(args: &Serve, theme: Theme) -> anyhow::Result<ExitCode> {
    needs_terminal("--headless serves without one")?;
    let ends = Ends::listen()?;
    let leftover = spool::leftovers(&scratch::folder()).into_iter().next();
    let server = Server::bind(headless::config(args))?;
    let spool = headless::spool(args)?;
    let fate = spool.fate();
    let recorder = Recorder::new(spool);
    let capture = recorder.capture().clone();
    let warning = server.warning();
    let server = server.start(recorder).context("the system gives no thread for the server")?;
    let browser = args.browser.then(|| browse(server.address())).transpose().err();
    let demo = args.demo.then(|| demo::start(server.address())).transpose();
    let demo = demo.context("the system gives no thread for the demo client")?;
    let leftover = leftover.map(|Leftover { path, files }| Notice::Leftover { path: below_home(&path), files });
    let subject = Subject {
        capture: &capture,
        server: Some(server.address()),
        file: None,
        unsaved: args.write.is_none(),
        demo,
        notice: warning.or(browser).map(Notice::Told).or(leftover),
        filter: args.filter.clone(),
    };
    let shown = show(subject, theme, &ends);
    // Nobody could be asked about what is not saved: it stays, and the next start tells where.
    let stays = args.write.is_some() || !matches!(shown, Ok(Ended::Quit)) && !capture.is_empty();
    if stays {
        fate.stay();
    }
    server.shutdown();
    if !stays {
        // A thread that did not end in time may hold the spool and keep it from removing its file.
        fate.go();
    }
    shown?;
    headless::check_captured(&capture, false)?;
    if args.write.is_some() {
        stdio::say(format_args!("{}: {}", names(&capture.paths()), headless::summary(&capture.totals(), 0)));
    }
    Ok(ExitCode::SUCCESS)
}

/// `open`: `capture` fills while `loader` runs beside the screen.
///
/// # Errors
/// Why it cannot draw.
pub fn open(
    capture: &Capture,
    loader: Loader,
    theme: Theme,
    filter: Option<Filter>,
    ends: &Ends,
) -> anyhow::Result<ExitCode> {
    needs_terminal("framescope export needs none")?;
    let cancel = Arc::new(AtomicBool::new(false));
    let loading = {
        let cancel = Arc::clone(&cancel);
        thread::Builder::new().name("load".to_owned()).spawn(move || loader.run(&cancel))
    };
    let loading = loading.context("the system gives no thread to read the file")?;
    let file = capture.path().file_name().map(|name| name.to_string_lossy().into_owned());
    let subject = Subject { capture, server: None, file, unsaved: false, demo: None, notice: None, filter };
    let shown = show(subject, theme, ends);
    cancel.store(true, Ordering::Relaxed);
    let _ = loading.join();
    shown.map(|_| ExitCode::SUCCESS)
}

/// The names of a capture's files.
fn names(paths: &[PathBuf]) -> String {
    match paths {
        [first, .., last] => format!("{} to {}", first.display(), last.file_name().unwrap_or_default().display()),
        paths => paths.iter().map(|path| path.display().to_string()).collect(),
    }
}

/// What the screen is shown over.
struct Subject<'a> {
    capture: &'a Capture,
    /// The address of the server, when one runs.
    server: Option<SocketAddr>,
    /// The name of the file, when one is inspected.
    file: Option<String>,
    /// Whether the records go when the program ends.
    unsaved: bool,
    /// A demo client that already runs.
    demo: Option<DemoHandle>,
    /// A line to show at first.
    notice: Option<Notice>,
    /// What is shown at first.
    filter: Option<Filter>,
}

/// A path as a shell takes it, with `~` for the home folder.
fn below_home(path: &Path) -> String {
    let below = etcetera::home_dir().ok().and_then(|home| Some(path.strip_prefix(home).ok()?.display().to_string()));
    below.map_or_else(|| path.display().to_string(), |below| format!("~/{below}"))
}

fn needs_terminal(instead: &str) -> anyhow::Result<()> {
    if !stdio::stdout_is_terminal() || !std::io::stdin().is_terminal() {
        bail!("the screen needs a terminal on stdin and stdout; {instead}");
    }
    Ok(())
}

/// The screen's queue, into which signals go. It is made before there is anything on disk that must not stay behind.
pub struct Ends {
    remote: Remote,
    events: Receiver<Event>,
}

impl Ends {
    /// Begins to listen for signals.
    ///
    /// # Errors
    /// When the system does not let them be caught.
    pub fn listen() -> anyhow::Result<Self> {
        let (remote, events) = event::queue();
        let end = remote.clone();
        let act = move |signal| {
            end.send(match signal {
                Signal::End => Event::Quit,
                Signal::HangUp => Event::HangUp,
            });
        };
        signals::on_end(true, act).context("signals cannot be caught")?;
        Ok(Self { remote, events })
    }
}

/// Shows the screen until it is quit, or a signal comes.
fn show(subject: Subject<'_>, theme: Theme, Ends { remote, events }: &Ends) -> anyhow::Result<Ended> {
    let mut host =
        Around { capture: subject.capture.clone(), server: subject.server, demo: subject.demo, remote: remote.clone() };
    let setting = Setting { url: host.url(), file: subject.file, formats: host.formats() };
    let choice = match theme {
        Theme::Dark => ThemeChoice::Named(ThemeName::Dark),
        Theme::Light => ThemeChoice::Named(ThemeName::Light),
        Theme::Mono => ThemeChoice::Named(ThemeName::Mono),
        Theme::Auto => ThemeChoice::Auto,
    };
    let mut app = App::new(
        subject.capture.clone(),
        setting,
        Colours::named(ThemeName::Dark),
        Keymap::built_in()?,
        subject.unsaved,
    );
    app.notice = subject.notice;
    app.filter_by(subject.filter);
    tui::run(app, choice, &mut host, remote, events).context("the screen cannot be drawn")
}

/// The program around the screen.
struct Around {
    capture: Capture,
    server: Option<SocketAddr>,
    demo: Option<DemoHandle>,
    remote: Remote,
}

impl Host for Around {
    fn url(&self) -> Option<String> {
        self.server.map(url)
    }

    fn formats(&self) -> Vec<FormatChoice> {
        CHOICES
            .iter()
            .map(|choice| FormatChoice {
                name: choice.name,
                extension: choice.format.extension(),
                words: choice.format.words(),
            })
            .collect()
    }

    fn open_browser(&mut self) -> Result<String, String> {
        browse(self.server.ok_or("there is no page: this is a file, not a server")?)
    }

    fn toggle_demo(&mut self) -> Result<String, String> {
        let server = self.server.ok_or("there is no server for a demo client: this is a file")?;
        match self.demo.take().filter(DemoHandle::is_running) {
            Some(running) => {
                // It says goodbye to the server, which takes its time.
                let remote = self.remote.clone();
                thread::spawn(move || {
                    let report = match running.stop() {
                        Ok(()) => Report::Said("the demo client has closed its connection".to_owned()),
                        Err(e) => Report::Refused(e.to_string()),
                    };
                    remote.report(report);
                });
                Ok("the demo client is closing its connection".to_owned())
            }
            None => {
                self.demo = Some(demo::start(server).map_err(|e| format!("no demo client could be started: {e}"))?);
                Ok("a demo client talks to the server; d stops it".to_owned())
            }
        }
    }

    fn export(&mut self, request: ExportRequest, remote: Remote) {
        let capture = self.capture.clone();
        thread::spawn(move || export_and_report(&capture, request, &remote));
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// Opens the page: what was done, or why not.
fn browse(address: SocketAddr) -> Result<String, String> {
    let url = url(address);
    match open::that_detached(&url) {
        Ok(()) => Ok(format!("opened {url}")),
        Err(e) => Err(format!("no browser can be opened: {e}; open {url} yourself")),
    }
}

/// An export format as the dialog offers it: raw bytes need a direction.
struct Choice {
    name: &'static str,
    format: Format,
    direction: Option<Direction>,
}

const CHOICES: [Choice; 7] = [
    Choice { name: "pcapng", format: Format::Pcapng, direction: None },
    Choice { name: "ndjson", format: Format::Ndjson, direction: None },
    Choice { name: "har", format: Format::Har, direction: None },
    Choice { name: "hex", format: Format::Hex, direction: None },
    Choice { name: "payload", format: Format::Payload, direction: None },
    Choice { name: "wire ▲", format: Format::Wire, direction: Some(Direction::ClientToServer) },
    Choice { name: "wire ▼", format: Format::Wire, direction: Some(Direction::ServerToClient) },
];

fn export_and_report(capture: &Capture, request: ExportRequest, remote: &Remote) {
    let Some(choice) = CHOICES.iter().find(|choice| choice.name == request.format) else { return };
    let selection = request.records.clone().map_or(Selection::All, Selection::Records);
    let options = Options { selection, direction: choice.direction, ..Options::default() };
    let progress = Progress { cancel: Arc::clone(&request.cancel), ..Progress::default() };
    let (over, ended) = channel::<()>();
    let watch = {
        let (progress, remote) = (progress.clone(), remote.clone());
        thread::spawn(move || {
            while ended.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
                let [done, total] = [&progress.done, &progress.total].map(|count| count.load(Ordering::Relaxed));
                remote.report(Report::Progress { what: "export", done, total });
            }
        })
    };
    let exported = export::to_file(capture, choice.format, &options, &request.path, request.force, &progress);
    drop(over);
    let _ = watch.join();
    remote.report(match exported {
        Ok(exported) => Report::Wrote(said(&request.path, &exported)),
        Err(ExportError::Exists(_)) => Report::Exists(request),
        Err(ExportError::Cancelled) => return,
        Err(e) => Report::Failed(e.to_string()),
    });
}

fn said(path: &Path, exported: &Exported) -> String {
    let records = count(exported.records, "record");
    let note = exported.note.as_deref().map(|note| format!(" · {note}")).unwrap_or_default();
    format!("wrote {records}, {}, to {}{note}", count(exported.bytes, "byte"), path.display())
}
