//! A screen without a terminal: keys in, drawn text out.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use framescope::capture::import::samples::Sample;
use framescope::capture::import::{self, ImportOptions};
use framescope::capture::store::Capture;
use framescope::tui::app::{App, Session};
use framescope::tui::effect::Effect;
use framescope::tui::event::Report;
use framescope::tui::host::FormatChoice;
use framescope::tui::keymap::Keymap;
use framescope::tui::theme::{Theme, ThemeName};
use framescope::tui::view;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Wire;

fn formats() -> Vec<FormatChoice> {
    [
        ("pcapng", "everything; opens in Wireshark"),
        ("ndjson", "one JSON object per record"),
        ("hex", "annotated hex dump"),
    ]
    .map(|(name, words)| FormatChoice { name: name.to_owned(), extension: name, words })
    .to_vec()
}

/// A screen without a terminal.
pub struct Screen {
    pub app: App,
    pub size: (u16, u16),
}

impl Screen {
    /// Over a live capture.
    pub fn live(wire: &Wire, size: (u16, u16)) -> Self {
        let session = Session {
            url: Some("http://127.0.0.1:6455/".to_owned()),
            file: None,
            formats: formats(),
            ..Session::default()
        };
        Self::over(wire.capture().clone(), session, true, size)
    }

    /// Over one of the captures that come with the program.
    pub fn sample(name: &str, size: (u16, u16)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(format!("{name}.pcapng"));
        Sample::by_name(name).expect("a sample").unpack(&path).expect("unpacked");
        Self::file(&path, ImportOptions::default(), size)
    }

    /// Over a file.
    pub fn file(path: &Path, options: ImportOptions, size: (u16, u16)) -> Self {
        let (capture, loader) = import::open_with(path, options).expect("a capture");
        loader.run(&AtomicBool::new(false));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::over(capture, Session { url: None, file: name, formats: formats(), ..Session::default() }, false, size)
    }

    fn over(capture: Capture, session: Session, is_unsaved: bool, size: (u16, u16)) -> Self {
        let keymap = Keymap::built_in().expect("a good table");
        let mut app = App::new(capture, session, Theme::named(ThemeName::Dark), keymap, is_unsaved);
        app.resize(Rect::new(0, 0, size.0, size.1));
        Self { app, size }
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.app.resize(Rect::new(0, 0, size.0, size.1));
    }

    /// Presses keys by name, or characters.
    pub fn press(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            let (name, modifiers) = match key.strip_prefix("ctrl-") {
                Some(name) => (name, KeyModifiers::CONTROL),
                None => (*key, KeyModifiers::NONE),
            };
            let code = match name {
                "up" => KeyCode::Up,
                "down" => KeyCode::Down,
                "left" => KeyCode::Left,
                "right" => KeyCode::Right,
                "tab" => KeyCode::Tab,
                "backtab" => KeyCode::BackTab,
                "enter" => KeyCode::Enter,
                "esc" => KeyCode::Esc,
                "backspace" => KeyCode::Backspace,
                "home" => KeyCode::Home,
                "end" => KeyCode::End,
                "pgup" => KeyCode::PageUp,
                "pgdn" => KeyCode::PageDown,
                "space" => KeyCode::Char(' '),
                other => KeyCode::Char(other.chars().next().expect("a key")),
            };
            self.app.key(KeyEvent::new(code, modifiers));
        }
        self
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.app.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        self
    }

    /// Reads the pastes that the screen has requested, as the main loop does.
    pub fn read_pastes(&mut self) -> &mut Self {
        let (pastes, others) =
            std::mem::take(&mut self.app.effects).into_iter().partition(|effect| matches!(effect, Effect::Paste(_)));
        self.app.effects = others;
        let number = self.app.layer.number;
        for effect in Vec::into_iter(pastes) {
            let Effect::Paste(request) = effect else { continue };
            let read = request.read();
            self.app.report_to(number, Report::Pasted(request, read));
        }
        self
    }

    pub fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        view::render(&self.app, &mut buffer);
        buffer
    }

    /// The text on the screen, line by line.
    pub fn text(&self) -> String {
        let buffer = self.buffer();
        let mut text = String::new();
        for y in 0..self.size.1 {
            let mut line = String::new();
            let mut x = 0;
            while x < self.size.0 {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += (unicode_width::UnicodeWidthStr::width(symbol) as u16).max(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Asserts that the screen shows these texts.
    pub fn assert_shows(&self, parts: &[&str]) {
        let text = self.text();
        for part in parts {
            assert!(text.contains(part), "{part:?} is not shown:\n{text}");
        }
    }

    /// The name of the selected field.
    pub fn field(&self) -> String {
        let detail = self.app.detail.current().expect("a record");
        detail.field_of_row(self.app.detail.row).map(|field| field.name.clone()).unwrap_or_default()
    }

    /// The lines that contain a text.
    pub fn lines_with(&self, what: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
    }
}
