//! Pastes. Pasted frames are shown as a capture of their own, on a screen above the current one, which keeps its state.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossterm::event::{KeyCode, KeyEvent};

use super::{App, Session};
use crate::capture::store::Capture;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::event::Report;
use crate::tui::paste_request::{self, PasteRead, PasteRefused, PasteRequest};
use crate::tui::state::dialogs::{Dialog, PasteDialog};
use crate::tui::state::jobs::PASTE;

/// The place of a screen among the screens on top of each other.
#[derive(Default)]
pub struct Layer {
    /// The number of this screen: the reports of its background jobs carry it. No other screen ever has it.
    pub number: u32,
    /// How many screens were opened above the first so far.
    opened: u32,
    /// The screen below, if this one shows a paste or a kept capture.
    below: Option<Box<App>>,
}

impl App {
    /// Takes pasted text: into the text input that has the keyboard, or, without a dialog, as frames to show.
    pub fn paste(&mut self, text: &str) {
        if self.takes_answer() {
            self.paste_answer(text);
            return self.prepare();
        }
        match &mut self.dialogs.open {
            Some(Dialog::Paste(dialog)) => dialog.insert(text),
            Some(Dialog::Prompt(prompt)) => prompt.insert(text),
            Some(dialog) => {
                for c in text.chars().filter(|c| !c.is_control()) {
                    dialog.type_key(KeyEvent::from(KeyCode::Char(c)));
                }
            }
            None => {
                self.notice = None;
                let mut dialog = PasteDialog::default();
                dialog.insert(text);
                self.read_paste(dialog);
            }
        }
        self.prepare();
    }

    /// Takes a report of a background job of the screen `number`: this one, or one below it. The report of a paste that was closed
    /// is dropped.
    pub fn report_to(&mut self, number: u32, report: Report) {
        if number == self.layer.number {
            self.report(report);
        } else if let Some(below) = &mut self.layer.below {
            below.report_to(number, report);
        }
    }

    /// The screen of the capture that the program was started for: this one, or the lowest below it.
    pub fn base(&self) -> &Self {
        self.layer.below.as_ref().map_or(self, |below| below.base())
    }

    /// Whether this is the screen of a paste or of a kept capture, above another one.
    pub const fn is_above(&self) -> bool {
        self.layer.below.is_some()
    }

    pub(super) fn act_in_paste(&mut self, mut dialog: PasteDialog, action: Action) {
        match action {
            Action::Up => dialog.choose(true),
            Action::Down => dialog.choose(false),
            Action::Submit => return self.read_paste(dialog),
            _ => return,
        }
        self.dialogs.open = Some(Dialog::Paste(dialog));
    }

    /// Requests that a text is read.
    fn read_paste(&mut self, dialog: PasteDialog) {
        if self.jobs.is_exporting() {
            self.inform("an export is running: paste when it is done, or stop it with Esc");
            self.dialogs.open = Some(Dialog::Paste(dialog));
            return;
        }
        let (text, read_as) = (dialog.input.value().to_owned(), dialog.read_as);
        let cancel = self.jobs.start(PASTE, text.len() as u64);
        let request = PasteRequest { text, read_as, deflate: self.session.deflate, cancel };
        self.effects.push(Effect::Paste(request));
    }

    /// Shows a paste that was read. One that was refused is in the dialog again, with the reason.
    pub(super) fn take_paste(&mut self, request: &PasteRequest, read: Result<PasteRead, PasteRefused>) {
        if request.cancel.load(Ordering::Relaxed) {
            return;
        }
        self.jobs.finish();
        match read {
            Ok(read) => self.show_paste(read),
            Err(refused) => {
                let mut dialog = PasteDialog { read_as: request.read_as, ..PasteDialog::default() };
                dialog.insert(&request.text);
                dialog.error = Some(refused.to_string());
                self.dialogs.open = Some(Dialog::Paste(dialog));
            }
        }
    }

    fn show_paste(&mut self, PasteRead { pasted, capture }: PasteRead) {
        let session = Session {
            url: None,
            traffic: None,
            takes_lines: false,
            file: Some(paste_request::NAME.to_owned()),
            pasted: Some(Arc::clone(&pasted)),
            ..self.session.clone()
        };
        self.show_above(capture, session);
        let esc = self.keymap.key_of(Action::Cancel);
        self.inform(format!("{}; {esc} returns", pasted.recognized()));
    }

    /// Shows a capture on a screen above this one.
    pub(super) fn show_above(&mut self, capture: Capture, session: Session) {
        let mut above = Self::new(capture, session, self.theme.clone(), Arc::clone(&self.keymap), false);
        above.layer.number = self.layer.opened + 1;
        above.layer.opened = above.layer.number;
        let area = self.layout.area;
        let below = mem::replace(self, above);
        self.layer.below = Some(Box::new(below));
        self.resize(area);
    }

    /// Returns to the screen below. Returns false if there is none.
    pub(super) fn leave_paste(&mut self) -> bool {
        let Some(below) = self.layer.below.take() else { return false };
        let mut paste = mem::replace(self, *below);
        paste.jobs.cancel();
        self.layer.opened = paste.layer.opened;
        self.theme = paste.theme;
        self.resize(paste.layout.area);
        self.refresh();
        true
    }
}
