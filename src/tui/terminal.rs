//! The terminal: raw mode and the alternate screen, restored however the program ends.

use std::io::{self, Stdout, Write as _, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::background::QUESTION;

/// The terminal while the screen is shown. Dropping it restores the terminal.
pub struct Screen {
    /// The ratatui terminal. It is never dropped: on a closed terminal its `drop` would print an error to stderr and panic.
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Screen {
    /// Prepares the terminal. From now on a panic of this thread restores the terminal before it prints its message.
    pub fn take() -> io::Result<Self> {
        let before = panic::take_hook();
        let owner = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // A panic of another thread must not destroy the screen. The code that started the thread reports it.
            if thread::current().id() == owner {
                restore();
                before(info);
            }
        }));
        // The theme decides about colour. Without this, NO_COLOR would make crossterm drop reverse and bold too.
        crossterm::style::force_color_output(true);
        enable_raw_mode()?;
        // The first poll installs the handler for the resize signal, so that no resize is missed from here on.
        crossterm::event::poll(Duration::ZERO)?;
        execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, SetTitle("framescope"))?;
        Ok(Self { terminal: ManuallyDrop::new(Terminal::new(CrosstermBackend::new(stdout()))?) })
    }

    /// Asks for the background colour. The answer comes among the keys.
    pub fn ask_background(&mut self) -> io::Result<()> {
        let mut out = stdout();
        out.write_all(QUESTION.as_bytes())?;
        out.flush()
    }

    /// Clears the screen after a resize; the next frame draws every cell, even if the size is the same again by then.
    pub fn clear(&mut self) {
        // Not `Terminal::clear`: it requests the cursor position, but another thread reads the answer.
        let _ = execute!(stdout(), Clear(ClearType::All));
        self.terminal.swap_buffers();
    }

    /// Puts text on the clipboard by OSC 52, which also works over SSH.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = stdout();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores the terminal. On a closed terminal the commands fail, which does not matter.
fn restore() {
    let _ = disable_raw_mode();
    let _ =
        execute!(stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, crossterm::cursor::Show);
}
