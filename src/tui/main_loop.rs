//! The main loop: takes events, changes the state, performs effects and draws.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event as TerminalEvent, KeyEventKind, MouseEventKind};
use ratatui::layout::Rect;
use rustix::io::Errno;

use super::app::App;
use super::effect::Effect;
use super::event::{Event, Remote, Report};
use super::host::{Host, HostError};
use super::picture_request::FileRequest;
use super::state::notice::Notice;
use super::state::unpacked;
use super::terminal::Screen;
use super::theme::{Theme, ThemeName};
use super::{input, kept_request, screen_picture, search, view};
use crate::capture::live::spool::kept_captures;
use crate::capture::store::scratch;

/// Shortest time between two frames while only the capture changes.
const LIVE_FRAME: Duration = Duration::from_millis(33);

/// Longest wait for an event while nothing changes.
const IDLE: Duration = Duration::from_secs(3600);

/// How long the line about a success takes the place of the hints.
const SUCCESS: Duration = Duration::from_secs(5);

/// Why the screen has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user quit, and has confirmed that what is unsaved may be lost.
    Quit,
    /// Ctrl-C, a signal or a closed terminal: the user was not asked anything.
    Interrupted,
}

/// Shows the screen until it ends. A `theme` also sets the background. Without one the screen takes the dark colours on the terminal's own
/// background, until the terminal reports a light one.
///
/// # Errors
/// If the terminal cannot be used.
pub fn run(
    mut app: App,
    theme: Option<ThemeName>,
    host: &mut dyn Host,
    remote: &Remote,
    events: &Receiver<Event>,
) -> io::Result<Ended> {
    let mut screen = Screen::take()?;
    let size = screen.terminal.size()?;
    app.resize(Rect::new(0, 0, size.width, size.height));
    let theme = theme.or(is_without_colour().then_some(ThemeName::Mono));
    if theme.is_none() {
        screen.ask_background()?;
    }
    app.theme = theme.map_or_else(|| Theme::named(ThemeName::Dark), |theme| Theme::named(theme).painted());
    input::read_terminal(remote.clone(), theme.is_none());
    let wake = remote.clone();
    app.capture.on_change(move || wake.send(Event::Changed));
    MainLoop { app, host, remote, events, screen, drawn: Instant::now(), noticed: None }.run()
}

/// Returns true if the user wants no colour, or the terminal has none: NO_COLOR or TERM=dumb is set.
pub fn is_without_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

struct MainLoop<'a> {
    app: App,
    host: &'a mut dyn Host,
    remote: &'a Remote,
    events: &'a Receiver<Event>,
    screen: Screen,
    /// When the last frame was drawn.
    drawn: Instant,
    /// The notice on the screen, and when it appeared.
    noticed: Option<(Notice, Instant)>,
}

/// What a batch of events requires.
#[derive(Default)]
struct EventBatch {
    /// The capture has changed.
    changed: bool,
    /// The screen must be drawn at once.
    urgent: bool,
    /// The screen must end.
    ended: Option<Ended>,
}

impl MainLoop<'_> {
    /// Runs until the screen ends. Drawing on a closed terminal fails with EIO, perhaps before the signal arrives.
    fn run(mut self) -> io::Result<Ended> {
        match self.run_until_ended() {
            Err(e) if Errno::from_io_error(&e) == Some(Errno::IO) => Ok(Ended::Interrupted),
            ended => ended,
        }
    }

    fn run_until_ended(&mut self) -> io::Result<Ended> {
        self.app.base().capture.arm();
        self.app.refresh();
        self.draw()?;
        // Changes of the capture are collected, so that a flood of frames draws 30 times a second.
        let mut changed = false;
        loop {
            // While records wait to get rows, the loop works on them between the events.
            let incomplete = self.app.list.incomplete;
            let idle = self.notice_left().unwrap_or(IDLE);
            let batch = self.take_events(match (incomplete, changed) {
                (true, _) => Duration::ZERO,
                (false, true) => LIVE_FRAME.saturating_sub(self.drawn.elapsed()),
                (false, false) => idle,
            });
            let expired = self.notice_left() == Some(Duration::ZERO);
            if expired {
                self.app.notice = None;
            }
            if let Some(ended) = batch.ended {
                return Ok(ended);
            }
            changed |= batch.changed;
            if incomplete {
                self.app.extend_rows();
            }
            let due = (changed || incomplete) && self.drawn.elapsed() >= LIVE_FRAME;
            if due {
                changed = false;
                self.app.base().capture.arm();
                self.app.refresh();
            }
            if let Some(ended) = self.perform_effects()? {
                return Ok(ended);
            }
            if batch.urgent || due || expired {
                // A refresh prepares the screen; rows that were added without one may have moved the cursor.
                if incomplete && !due {
                    self.app.prepare();
                }
                self.draw()?;
            }
        }
    }

    /// How long the success of a request stays on the screen; `None` without one. Other notices stay until the next key.
    fn notice_left(&mut self) -> Option<Duration> {
        let notice = self.app.notice.as_ref().filter(|notice| matches!(notice, Notice::Success(_)));
        if self.noticed.as_ref().map(|(known, _)| known) != notice {
            self.noticed = notice.map(|notice| (notice.clone(), Instant::now()));
        }
        self.noticed.as_ref().map(|(_, since)| SUCCESS.saturating_sub(since.elapsed()))
    }

    /// Waits for an event, and takes all that have arrived.
    fn take_events(&mut self, wait: Duration) -> EventBatch {
        let mut batch = EventBatch::default();
        let mut next = match self.events.recv_timeout(wait) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Interrupt),
        };
        while let Some(event) = next {
            match event {
                Event::Changed => batch.changed = true,
                Event::Background(theme) => {
                    self.app.theme = Theme::named(theme);
                    batch.urgent = true;
                }
                Event::Interrupt => batch.ended = Some(Ended::Interrupted),
                Event::Terminal(event) => batch.urgent |= self.take_terminal_event(event),
                Event::Report(screen, report) => {
                    self.app.report_to(screen, report);
                    batch.urgent = true;
                }
            }
            if batch.ended.is_some() {
                break;
            }
            next = self.events.try_recv().ok();
        }
        batch
    }

    /// Takes an event of the terminal. Returns true if the screen may have to be drawn.
    fn take_terminal_event(&mut self, event: TerminalEvent) -> bool {
        match event {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => self.app.key(key),
            TerminalEvent::Mouse(mouse) if mouse.kind != MouseEventKind::Moved => self.app.mouse(mouse),
            TerminalEvent::Paste(text) => self.app.paste(&text),
            TerminalEvent::Resize(width, height) => {
                self.screen.clear();
                self.app.resize(Rect::new(0, 0, width, height));
            }
            _ => return false,
        }
        true
    }

    fn draw(&mut self) -> io::Result<()> {
        let app = &mut self.app;
        self.screen.terminal.draw(|frame| {
            // The terminal may have its new size before the resize event arrives.
            if frame.area() != app.layout.area {
                app.resize(frame.area());
            }
            view::draw(app, frame);
        })?;
        self.drawn = Instant::now();
        Ok(())
    }

    /// Performs the requests of the state. Returns how the program ends, if it must.
    fn perform_effects(&mut self) -> io::Result<Option<Ended>> {
        for effect in std::mem::take(&mut self.app.effects) {
            let (capture, remote) = (self.app.capture.clone(), self.remote.for_screen(self.app.layer.number));
            match effect {
                Effect::Quit => return Ok(Some(Ended::Quit)),
                Effect::Interrupt => return Ok(Some(Ended::Interrupted)),
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Browser => self.report(|host| host.open_browser()),
                Effect::Demo => self.report(|host| host.toggle_demo()),
                Effect::Send(text, line) => {
                    if let Err(e) = self.host.send_line(&line) {
                        self.app.refuse_line(text, e.to_string());
                    }
                }
                Effect::Tour => match self.host.start_tour() {
                    Ok(start) => self.app.start_tour(start),
                    Err(e) => remote.report(Report::Refused(e.to_string())),
                },
                Effect::Lesson => self.report(|host| host.start_lesson()),
                Effect::KeepTour(progress) => self.host.keep_tour(progress),
                Effect::Inflate(no) => {
                    thread::spawn(move || remote.report(Report::Inflated(no, unpacked::inflate_long(&capture, no))));
                }
                Effect::Filter(filter) => {
                    thread::spawn(move || filter.run(&capture, || remote.send(Event::Changed)));
                }
                Effect::Export(request) => self.host.export(capture, request, remote),
                Effect::Sample(sample) => {
                    thread::spawn(move || remote.report(Report::Sample(sample, sample.capture())));
                }
                Effect::Picture(request) => match screen_picture::draw(&self.app, &request) {
                    Ok(text) => {
                        let request = FileRequest { path: request.path, text, force: false };
                        self.host.write_file(request, remote);
                    }
                    Err(e) => remote.report(Report::Refused(format!("cannot read the record ({e})"))),
                },
                Effect::WriteFile(request) => self.host.write_file(request, remote),
                Effect::Paste(request) => {
                    thread::spawn(move || {
                        let read = request.read();
                        remote.report(Report::Pasted(request, read));
                    });
                }
                Effect::ListKept => {
                    thread::spawn(move || remote.report(Report::Kept(kept_captures(&scratch::folder()))));
                }
                Effect::CountKept(captures) => {
                    thread::spawn(move || kept_request::count(&captures, &remote));
                }
                Effect::OpenKept(request) => {
                    thread::spawn(move || {
                        let read = request.read(&remote);
                        remote.report(Report::KeptOpened(request, read));
                    });
                }
                Effect::DeleteKept(kept) => {
                    thread::spawn(move || {
                        let deleted = kept.delete();
                        let left = kept_captures(&scratch::folder());
                        remote.report(Report::KeptDeleted { kept, deleted, left });
                    });
                }
                Effect::SendFile(file) => {
                    thread::spawn(move || {
                        remote.report(file.send().map_or_else(Report::Refused, Report::Succeeded));
                    });
                }
                Effect::Find { pattern, from, toward, counted, cancel } => {
                    search::start(capture, pattern, (from, toward), counted, cancel, remote);
                }
            }
        }
        Ok(None)
    }

    /// Calls the host and reports the result.
    fn report(&mut self, call: impl FnOnce(&mut dyn Host) -> Result<String, HostError>) {
        self.remote.for_screen(self.app.layer.number).report(match call(self.host) {
            Ok(line) => Report::Succeeded(line),
            Err(e) => Report::Refused(e.to_string()),
        });
    }
}
