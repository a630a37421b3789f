//! Taking the terminal over, and giving it back however the program ends.

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

/// The terminal while the screen is up; dropping it gives the terminal back.
pub struct Screen {
    /// What is drawn on. It is given back here: by itself it would complain, on a terminal that is gone, and panic over that.
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Screen {
    /// Takes the terminal over. A panic gives it back before it speaks.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn take() -> io::Result<Self> {
        let before = panic::take_hook();
        let owner = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // A fault of another thread must not tear up a screen that goes on; whoever started that thread tells of it.
            if thread::current().id() == owner {
                give_back();
                before(info);
            }
        }));
        // Whether colour is wanted is the theme's affair: with NO_COLOR crossterm would also lose reverse and bold.
        crossterm::style::force_color_output(true);
        enable_raw_mode()?;
        // From here on another size is noticed: the signal is caught by whoever first asks for events.
        crossterm::event::poll(Duration::ZERO)?;
        execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, SetTitle("framescope"))?;
        Ok(Self { terminal: ManuallyDrop::new(Terminal::new(CrosstermBackend::new(stdout()))?) })
    }

    /// Draws everything anew next time: another size, and what stood there is gone, also when it soon is the old size again.
    pub fn forget(&mut self) {
        // Not `Terminal::clear`, which asks the terminal for the cursor while another thread reads the answers.
        let _ = execute!(stdout(), Clear(ClearType::All));
        self.terminal.swap_buffers();
    }

    /// Puts text on the clipboard by OSC 52, which also works over SSH.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = stdout();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Puts the terminal back as it was, as far as it still can be.
fn give_back() {
    let _ = disable_raw_mode();
    let _ =
        execute!(stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, crossterm::cursor::Show);
}
