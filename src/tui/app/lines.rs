//! The lines that the user sends as a client.

use super::App;
use crate::script::InputLine;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::dialogs::{Dialog, Prompt, Purpose};

impl App {
    /// Opens the prompt for a line to send.
    pub(super) fn ask_line(&mut self) {
        if self.session.takes_lines {
            let draft = self.sent.take_draft();
            return self.open_prompt(Purpose::Send, draft);
        }
        self.inform("nothing can be sent here: framescope connect URL is the client of a server");
    }

    /// Sends a line; the prompt stays open for the next one. Returns why the line is wrong.
    pub(super) fn send_line(&mut self, text: &str) -> Result<(), String> {
        let line = InputLine::parse(text).map_err(|e| e.to_string())?;
        if !text.is_empty() {
            self.sent.add(text);
            self.sent.keep("");
            self.effects.push(Effect::Send(text.to_owned(), line));
        }
        self.open_prompt(Purpose::Send, String::new());
        Ok(())
    }

    /// Shows a line again that could not be sent, with the reason.
    pub fn refuse_line(&mut self, text: String, why: String) {
        match &self.dialogs.open {
            Some(Dialog::Prompt(prompt)) if prompt.is_empty_line() => {
                self.dialogs.open = Some(Dialog::Prompt(Prompt::new(Purpose::Send, text).refused(why)));
            }
            _ => self.fail(why),
        }
    }

    /// Shows a failure: in the prompt for lines if it is open, because that hides the bottom line.
    pub(super) fn show_failure(&mut self, line: String) {
        match &mut self.dialogs.open {
            Some(Dialog::Prompt(prompt)) if sends(prompt) => prompt.error = Some(line),
            _ => self.fail(line),
        }
    }

    /// Shows what has succeeded, in the same place.
    pub(super) fn show_success(&mut self, line: String) {
        match &mut self.dialogs.open {
            Some(Dialog::Prompt(prompt)) if sends(prompt) => prompt.remark = Some(line),
            _ => self.succeed(line),
        }
    }

    /// Shows an earlier line, or a later one.
    pub(super) fn step_line(&mut self, prompt: &Prompt, action: Action) -> Option<Prompt> {
        let line = self.sent.step(action == Action::Up, prompt.input().value());
        line.map(|line| Prompt::new(prompt.purpose, line))
    }
}

/// Whether a prompt stays open for the next line to send.
const fn sends(prompt: &Prompt) -> bool {
    matches!(prompt.purpose, Purpose::Send | Purpose::Inject { .. })
}
