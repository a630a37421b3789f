//! The commands that show a screen: those with live traffic, and `open`.

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::input::OpenedInput;
use super::live::{self, LineSender, LiveSource, News, RunningSource as _};
use super::screen_host::ScreenHost;
use super::signals::Preparation;
use super::tour_file::TourFile;
use super::{export, export_job, shell, signals, stdio, theme_name};
use crate::capture::live::spool::{KeptCapture, kept_captures};
use crate::capture::query::filter::Filter;
use crate::capture::store::Capture;
use crate::capture::store::scratch;
use crate::cli::{Open, Recording, ThemeArg};
use crate::net::PageServer;
use crate::net::demo::DemoHandle;
use crate::pasted::Pasted;
use crate::tui::app::{App, LiveTraffic, Session};
use crate::tui::event::{self, Event, Remote, Report};
use crate::tui::hold_desk::HoldDesk;
use crate::tui::host::Host as _;
use crate::tui::keymap::Keymap;
use crate::tui::state::notice::Notice;
use crate::tui::theme::{Theme, ThemeName};
use crate::tui::{self, Ended};

/// What to use instead of `open` without a terminal.
pub const READ_WITHOUT_SCREEN: &str = "use framescope export to read the capture without a screen";

/// How long a source may still take after a signal until it is prepared. Nothing is shown or recorded yet that needs an orderly end.
const PREPARED_WITHIN: Duration = Duration::from_millis(100);

/// How the screen of a live source differs from that of others.
pub struct LiveScreen {
    /// What to do instead, if there is no terminal.
    pub instead: &'static str,
    /// The tour to show first. Its capture is not worth a question at the end.
    pub tour: Option<TourFile>,
}

/// Prepares a source of live traffic, and runs it while the screen is shown.
///
/// # Errors
/// Why it cannot start or draw; after the screen has closed, that bytes were not captured.
pub fn live<S: LiveSource>(
    args: &Recording,
    theme: ThemeArg,
    screen: LiveScreen,
    prepare: impl FnOnce() -> anyhow::Result<S>,
) -> anyhow::Result<ExitCode> {
    require_terminal(screen.instead)?;
    let signals = SignalQueue::listen()?;
    let has_tour = screen.tour.is_some();
    let kept = if has_tour { Vec::new() } else { kept_captures(&scratch::folder()) };
    signals.begin_preparation();
    let source = prepare()?;
    if !signals.end_preparation() {
        // The process is being ended. Nothing was recorded.
        return Ok(ExitCode::FAILURE);
    }
    let spool = source.spool(args)?;
    let cleanup = spool.cleanup();
    let warning = source.warning();
    let mut running = source.start(spool, || {})?;
    let (capture, recorder) = (running.capture().clone(), running.recorder().cloned());
    let remote = signals.remote.clone();
    running.on_news(Arc::new(move |news| {
        remote.report(match news {
            News::Failure(line) | News::Ended(Err(line)) => Report::Refused(line),
            News::Ended(Ok(line)) => Report::Succeeded(line),
        });
    }));
    let config = ScreenConfig {
        capture: &capture,
        lines: running.line_sender(),
        hold: {
            let remote = signals.remote.clone();
            running.hold_desk(Box::new(move || remote.send(Event::Changed)))
        },
        server: running.page_server(),
        traffic: running.traffic(),
        file: None,
        pasted: None,
        deflate: false,
        temporary: args.write.is_none() && !has_tour,
        demo: running.take_demo(),
        notice: warning.or_else(|| running.notice()).map(Notice::Info),
        kept,
        filter: args.filter.clone(),
        tour: screen.tour.map_or_else(TourFile::built_in, Ok)?,
        starts_tour: has_tour,
    };
    let shown = show(config, theme, &signals);
    // Unless the user confirmed that it may be lost, keep an unsaved capture: from here on, a second signal or a crash keeps it too.
    let is_unsaved = args.write.is_none();
    let may_be_lost = args.discard || matches!(shown, Ok(Ended::Quit));
    if is_unsaved && !may_be_lost {
        cleanup.keep();
    }
    let failure = running.shutdown();
    let is_kept = !is_unsaved || !may_be_lost && !capture.is_empty();
    if !is_kept {
        cleanup.unkeep();
        // A thread that did not end in time may hold the spool, which then does not delete its file.
        cleanup.delete();
    } else if is_unsaved {
        stdio::say(kept_line(&capture.paths()));
    }
    shown?;
    if is_kept {
        if let Some(recorder) = &recorder {
            recorder.write_notes();
        }
        live::check_files(recorder.as_ref());
    }
    live::check_captured(&capture, false)?;
    if args.write.is_some() {
        stdio::say(format_args!("{}: {}", file_names(&capture.paths()), live::summary(&capture.totals(), 0)));
    }
    failure.map_or(Ok(ExitCode::SUCCESS), |line| bail!(line))
}

/// Runs `open`: shows an input, which a thread of its own loads.
pub fn open(mut input: OpenedInput, theme: ThemeArg, args: &Open, signals: &SignalQueue) -> anyhow::Result<ExitCode> {
    require_terminal(READ_WITHOUT_SCREEN)?;
    let loader = input.loader();
    let OpenedInput { capture, pasted, .. } = &input;
    let cancel = Arc::new(AtomicBool::new(false));
    let loading = {
        let cancel = Arc::clone(&cancel);
        thread::Builder::new().name("load".to_owned()).spawn(move || loader.run(&cancel))
    };
    let loading = loading.context("cannot start the thread that reads the file")?;
    let file = capture.path().file_name().map(|name| name.to_string_lossy().into_owned());
    let config = ScreenConfig {
        capture,
        lines: None,
        hold: None,
        server: None,
        traffic: None,
        file,
        pasted: pasted.clone(),
        deflate: args.reading.deflate,
        temporary: false,
        demo: None,
        notice: pasted.as_ref().map(|pasted| Notice::Info(pasted.recognized())),
        kept: Vec::new(),
        filter: args.filter.clone(),
        tour: TourFile::built_in()?,
        starts_tour: false,
    };
    let shown = show(config, theme, signals);
    cancel.store(true, Ordering::Relaxed);
    let _ = loading.join();
    shown?;
    export::check_read(capture, capture.path())?;
    Ok(ExitCode::SUCCESS)
}

/// The names of a capture's files: of a ring of files, the first and the last.
fn file_names(paths: &[PathBuf]) -> String {
    match paths {
        [first, .., last] => format!("{} to {}", first.display(), last.file_name().unwrap_or_default().display()),
        paths => paths.iter().map(|path| path.display().to_string()).collect(),
    }
}

/// Where an unsaved capture is kept, and how to open it.
fn kept_line(paths: &[PathBuf]) -> String {
    match paths {
        [path] => format!("the unsaved capture is kept; open it with: framescope open {}", shell_path(path)),
        paths => format!("the unsaved capture is kept in {}; the next start lists it", file_names(paths)),
    }
}

/// A path as a word of a shell command, with `~` for the home folder.
fn shell_path(path: &Path) -> String {
    let home = etcetera::home_dir().ok();
    let below = home.and_then(|home| path.strip_prefix(home).ok()).map(|below| Path::new("~").join(below));
    shell::quoted(below.as_deref().unwrap_or(path))
}

/// Fails if there is no terminal to draw on, or none to read keys from. If stdin is not the terminal, crossterm reads the keys
/// from the controlling terminal.
pub fn require_terminal(instead: &str) -> anyhow::Result<()> {
    let has_keys = std::io::stdin().is_terminal() || File::open("/dev/tty").is_ok();
    if !stdio::stdout_is_terminal() || !has_keys {
        bail!("the screen needs a terminal: stdout, and for the keys stdin or /dev/tty; {instead}");
    }
    Ok(())
}

/// The event queue of the screen, which receives signals too. Create it before any file, so that a signal cannot leave one.
pub struct SignalQueue {
    remote: Remote,
    events: Receiver<Event>,
    /// Whether the source is being prepared, so that the screen does not take events yet.
    preparation: Preparation,
}

impl SignalQueue {
    /// Creates the queue and starts to catch signals.
    pub fn listen() -> anyhow::Result<Self> {
        let (remote, events) = event::queue();
        let queue = remote.clone();
        let preparation = Preparation::default();
        let preparing = preparation.clone();
        let end = move || {
            queue.send(Event::Interrupt);
            preparing.interrupt(PREPARED_WITHIN);
        };
        signals::on_end(true, end).context("cannot catch signals")?;
        Ok(Self { remote, events, preparation })
    }

    /// A source is prepared from here on, which may take long: it may connect, or wait for a stream. A signal ends the process.
    pub fn begin_preparation(&self) {
        self.preparation.begin();
    }

    /// The source is prepared. Returns false if the process is being ended.
    pub fn end_preparation(&self) -> bool {
        self.preparation.end()
    }
}

/// What a screen starts with.
struct ScreenConfig<'a> {
    capture: &'a Capture,
    /// Sends the lines that the user types.
    lines: Option<Box<dyn LineSender>>,
    /// The proxy that can hold messages.
    hold: Option<Arc<dyn HoldDesk>>,
    /// The address of the server with the page, if one runs.
    server: Option<PageServer>,
    /// What the screen shows about another source of live traffic.
    traffic: Option<LiveTraffic>,
    /// The name of the file, if one is inspected.
    file: Option<String>,
    /// What was pasted, if the file is a paste.
    pasted: Option<Arc<Pasted>>,
    /// Whether pastes are read as if permessage-deflate was negotiated.
    deflate: bool,
    /// Whether the capture is deleted when the program ends.
    temporary: bool,
    /// A running demo client.
    demo: Option<DemoHandle>,
    /// The first notice.
    notice: Option<Notice>,
    /// The captures that earlier runs kept.
    kept: Vec<KeptCapture>,
    /// The first filter.
    filter: Option<Filter>,
    /// The tour.
    tour: TourFile,
    /// Whether the tour is shown first.
    starts_tour: bool,
}

/// Shows the screen until the user quits it or a signal ends it.
fn show(config: ScreenConfig<'_>, theme: ThemeArg, signals: &SignalQueue) -> anyhow::Result<Ended> {
    let SignalQueue { remote, events, .. } = signals;
    let takes_lines = config.lines.is_some();
    // If traffic starts at once, do not open the dialog of kept captures: it would cover the records and take the first keys.
    let has_traffic_at_once = config.traffic.is_some() || config.demo.is_some();
    let host = ScreenHost::new(config.server, config.demo, config.tour, config.deflate, remote);
    let mut host = host.with_lines(config.lines);
    let session = Session {
        url: config.server.map(PageServer::url),
        traffic: config.traffic,
        takes_lines,
        hold: config.hold,
        file: config.file,
        pasted: config.pasted,
        deflate: config.deflate,
        formats: export_job::choices(),
    };
    let colours = Theme::named(ThemeName::Dark);
    let mut app = App::new(config.capture.clone(), session, colours, Keymap::built_in()?, config.temporary);
    app.notice = config.notice;
    if has_traffic_at_once {
        app.kept = config.kept.len();
    } else {
        app.list_kept(config.kept);
    }
    app.set_filter(config.filter);
    if config.starts_tour {
        app.start_tour(host.start_tour()?);
    }
    tui::run(app, theme_name(theme), &mut host, remote, events).context("cannot draw the screen")
}
