//! The terminal screen: the only place that knows ratatui and crossterm.
//!
//! Events come in through one queue ([`event`]), keys become actions once ([`keymap`]), actions change the state ([`app`]),
//! and the state is drawn ([`view`]) by functions that change nothing.

pub mod action;
pub mod app;
pub mod event;
pub mod host;
pub mod keymap;
pub mod layout;
mod terminal;
pub mod theme;
pub mod view;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event as TerminalEvent, KeyEventKind};
use ratatui::layout::Rect;
use rustix::io::Errno;

use self::app::inflated::Unpacked;
use self::app::{App, Effect};
use self::event::{Event, Remote, Report};
use self::host::{Host, HostError};
use self::terminal::Screen;
use self::theme::ThemeName;
use crate::capture::query::search::{self, Pattern, Toward};
use crate::capture::store::Capture;

/// The least time between two drawings that only live traffic asks for.
const LIVE_FRAME: Duration = Duration::from_millis(33);

/// How often a job reports its progress.
const PROGRESS: Duration = Duration::from_millis(100);

/// Which theme a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    /// That one.
    Named(ThemeName),
    /// The one that fits the terminal.
    Auto,
}

/// How a screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was quit, by a person or from outside.
    Quit,
    /// Its terminal went away, so that nobody could be asked about anything.
    HungUp,
}

/// Shows the screen until it is quit, or its terminal goes away.
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(
    mut app: App,
    choice: ThemeChoice,
    host: &mut dyn Host,
    remote: &Remote,
    events: &Receiver<Event>,
) -> io::Result<Ended> {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    let mut screen = Screen::take()?;
    let size = screen.terminal.size()?;
    app.resize(Rect::new(0, 0, size.width, size.height));
    match choice {
        ThemeChoice::Named(name) => app.theme = theme::Theme::named(name),
        ThemeChoice::Auto if plain => app.theme = theme::Theme::named(ThemeName::Mono),
        ThemeChoice::Auto => {
            // The first screen does not wait for the terminal's answer.
            screen.terminal.draw(|frame| view::draw(&app, frame))?;
            app.theme = theme::Theme::named(detect_theme());
        }
    }
    event::read_terminal(remote.clone());
    let wake = remote.clone();
    app.capture.on_change(move || wake.send(Event::Changed));
    Loop { app, host, remote, events, screen, drawn: Instant::now() }.run()
}

struct Loop<'a> {
    app: App,
    host: &'a mut dyn Host,
    remote: &'a Remote,
    events: &'a Receiver<Event>,
    screen: Screen,
    drawn: Instant,
}

impl Loop<'_> {
    /// Runs to the end. A terminal that is gone takes no more drawings, and may say so before the signal does.
    fn run(mut self) -> io::Result<Ended> {
        match self.turn() {
            Err(e) if Errno::from_io_error(&e) == Some(Errno::IO) => Ok(Ended::HungUp),
            ended => ended,
        }
    }

    fn turn(&mut self) -> io::Result<Ended> {
        self.app.capture.arm();
        self.app.refresh();
        self.draw()?;
        // What the capture changed waits for its turn, so that a flood of frames draws 30 times a second.
        let mut changed = false;
        loop {
            // While records wait to be looked at for the list, that is done between the events.
            let behind = self.app.is_behind();
            let wait = match (behind, changed) {
                (true, _) => Duration::ZERO,
                (false, true) => LIVE_FRAME.saturating_sub(self.drawn.elapsed()),
                (false, false) => Duration::from_secs(3600),
            };
            let mut urgent = false;
            match self.events.recv_timeout(wait) {
                Ok(first) => {
                    let mut next = Some(first);
                    while let Some(event) = next {
                        match event {
                            Event::Changed => changed = true,
                            Event::Quit => return Ok(Ended::Quit),
                            Event::HangUp => return Ok(Ended::HungUp),
                            other => urgent |= self.take(other),
                        }
                        next = self.events.try_recv().ok();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Quit),
            }
            if behind {
                self.app.extend_rows();
            }
            let due = (changed || behind) && self.drawn.elapsed() >= LIVE_FRAME;
            if due {
                changed = false;
                self.app.capture.arm();
                self.app.refresh();
            }
            if self.run_effects()? {
                return Ok(Ended::Quit);
            }
            if urgent || due {
                self.draw()?;
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let app = &mut self.app;
        self.screen.terminal.draw(|frame| {
            // The terminal may have another size already, while the news of it waits in the queue.
            if frame.area() != app.layout.area {
                app.resize(frame.area());
            }
            view::draw(app, frame);
        })?;
        self.drawn = Instant::now();
        Ok(())
    }

    /// Takes an event in; whether something may have to be drawn.
    fn take(&mut self, event: Event) -> bool {
        match event {
            Event::Terminal(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => self.app.key(key),
            Event::Terminal(TerminalEvent::Mouse(mouse)) => {
                if matches!(mouse.kind, crossterm::event::MouseEventKind::Moved) {
                    return false;
                }
                self.app.mouse(mouse);
            }
            Event::Terminal(TerminalEvent::Paste(text)) => self.app.paste(&text),
            Event::Terminal(TerminalEvent::Resize(width, height)) => {
                self.screen.forget();
                self.app.resize(Rect::new(0, 0, width, height));
            }
            Event::Report(report) => self.app.report(report),
            _ => return false,
        }
        true
    }

    /// Does what the state asked for; whether the program ends.
    fn run_effects(&mut self) -> io::Result<bool> {
        for effect in std::mem::take(&mut self.app.effects) {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Browser => self.answer(|host| host.open_browser()),
                Effect::Demo => self.answer(|host| host.toggle_demo()),
                Effect::Inflate(no) => {
                    let (capture, remote) = (self.app.capture.clone(), self.remote.clone());
                    thread::spawn(move || remote.report(Report::Inflated(no, Unpacked::load_long(&capture, no))));
                }
                Effect::Sift(sifting) => {
                    let (capture, remote) = (self.app.capture.clone(), self.remote.clone());
                    thread::spawn(move || sifting.run(&capture, || remote.send(Event::Changed)));
                }
                Effect::Export(request) => self.host.export(request, self.remote.clone()),
                Effect::Find { pattern, from, toward, cancel } => {
                    find(self.app.capture.clone(), pattern, from, toward, cancel, self.remote.clone());
                }
            }
        }
        Ok(false)
    }

    fn answer(&mut self, ask: impl FnOnce(&mut dyn Host) -> Result<String, HostError>) {
        let report = match ask(self.host) {
            Ok(line) => Report::Said(line),
            Err(e) => Report::Refused(e.to_string()),
        };
        self.remote.report(report);
    }
}

/// Searches beside the screen.
fn find(capture: Capture, pattern: Pattern, from: u64, toward: Toward, cancel: Arc<AtomicBool>, remote: Remote) {
    thread::spawn(move || {
        let looked = Arc::new(AtomicU64::new(0));
        let total = capture.totals().there();
        let (over, ended) = mpsc::channel::<()>();
        let progress = {
            let (looked, remote) = (Arc::clone(&looked), remote.clone());
            thread::spawn(move || {
                while ended.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
                    let done = looked.load(Ordering::Relaxed);
                    remote.report(Report::Progress { what: "find", done, total });
                }
            })
        };
        let hit = search::find(&capture, &pattern, from, toward, &looked, &cancel);
        drop(over);
        let _ = progress.join();
        if !cancel.load(Ordering::Relaxed) {
            remote.report(Report::Found(hit));
        }
    });
}

/// How long a terminal may take to tell its background. The screen stands meanwhile, and keys wait. An answer that comes later
/// would be taken for keys, so this bears a slow line.
const ANSWER: Duration = Duration::from_secs(1);

/// Asks the terminal for its background; dark when it does not answer.
fn detect_theme() -> ThemeName {
    use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};
    let mut options = QueryOptions::default();
    options.timeout = ANSWER;
    match theme_mode(options) {
        Ok(ThemeMode::Light) => ThemeName::Light,
        _ => ThemeName::Dark,
    }
}
