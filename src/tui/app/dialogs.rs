//! Actions in dialogs.

use super::App;
use crate::capture::query::search::{Pattern, Toward};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::help_page::HelpPages;
use crate::tui::state::dialogs::{CopyMenu, Dialog, ExportDialog, Prompt, Purpose, Question};

/// Lines of a page of words.
const PAGE: u16 = 10;

impl App {
    /// Passes an action to the dialog that was open; the dialog stays open only if it is opened again.
    pub(super) fn act_in_dialog(&mut self, dialog: Dialog, action: Action) {
        match dialog {
            Dialog::Help(page) => self.turn_help(page, action),
            Dialog::Words(top) => {
                let top = scrolled(top, action).min(self.last_words_top());
                self.dialogs.open = Some(Dialog::Words(top));
            }
            Dialog::Findings(panel) => self.act_in_findings(panel, action),
            Dialog::Prompt(prompt) => self.act_in_prompt(prompt, action),
            Dialog::Export(dialog) => self.act_in_export(dialog, action),
            Dialog::Picture(dialog) => self.act_in_picture(dialog, action),
            Dialog::Paste(dialog) => self.act_in_paste(dialog, action),
            Dialog::Kept(list) => self.act_in_kept(list, action),
            Dialog::Hold(panel) => self.act_in_hold(panel, action),
            Dialog::Copy(menu) => self.act_in_copy_menu(menu, action),
            Dialog::Question(question) => self.answer(question, action),
        }
    }

    fn turn_help(&mut self, page: u16, action: Action) {
        let page = match action {
            Action::Up | Action::PageUp | Action::Left => page.saturating_sub(1),
            _ => page + 1,
        };
        self.dialogs.open = Some(Dialog::Help(self.help_pages().nearest(page)));
    }

    /// The content of the help for the panel with the focus.
    pub fn help_pages(&self) -> HelpPages {
        let panel = self.dialogs.below.map(|panel| Dialog::from(panel).context());
        HelpPages::of(&self.keymap, self.panels.view, &self.panel_hints(), panel, self.layout.area)
    }

    fn act_in_prompt(&mut self, mut prompt: Prompt, action: Action) {
        match action {
            Action::Submit => return self.submit(prompt),
            Action::Complete if matches!(prompt.purpose, Purpose::Edit(_)) => prompt = self.next_form(prompt),
            Action::Complete if matches!(prompt.purpose, Purpose::Inject { .. }) => {
                prompt = Self::other_side(&prompt).unwrap_or(prompt);
            }
            Action::Complete => prompt.complete(false),
            Action::CompleteBack => prompt.complete(true),
            Action::Up | Action::Down => prompt = self.step_line(&prompt, action).unwrap_or(prompt),
            _ if prompt.purpose == Purpose::Send => return self.sent.keep(prompt.input().value()),
            _ => return self.leave_hold_prompt(prompt.purpose),
        }
        self.dialogs.open = Some(Dialog::Prompt(prompt));
    }

    /// Takes the text of a prompt. A prompt whose text is refused stays open with the reason.
    fn submit(&mut self, prompt: Prompt) {
        let text = prompt.input().value().to_owned();
        let refused = match prompt.purpose {
            Purpose::Find => match Pattern::parse(&text) {
                Ok(pattern) => {
                    self.search.set_pattern(pattern);
                    return self.find(Toward::Later);
                }
                Err(e) => e.to_string(),
            },
            Purpose::Filter => match self.apply_filter(&text) {
                Ok(()) => return,
                Err(e) => e.to_string(),
            },
            Purpose::Send => match self.send_line(&text) {
                Ok(()) => return,
                Err(why) => why,
            },
            Purpose::Rule => match self.add_rule(&text) {
                Ok(()) => return,
                Err(e) => e.to_string(),
            },
            Purpose::Edit(id) => match self.replace_held(id, &text) {
                Ok(()) => return,
                Err(why) => why,
            },
            Purpose::Inject { connection, direction } => match self.inject(connection, direction, &text) {
                Ok(()) => return,
                Err(why) => why,
            },
            Purpose::Note(no) => return self.set_note(no, &text),
            Purpose::Save { .. } if text.is_empty() => "type a file name".to_owned(),
            Purpose::Save { quit } => return self.save(text, quit),
        };
        self.dialogs.open = Some(Dialog::Prompt(prompt.refused(refused)));
    }

    pub(super) fn ask_note(&mut self) {
        let no = self.list.cursor;
        if no > 0 {
            self.list.pause(&self.counts.totals);
            self.open_prompt(Purpose::Note(no), self.capture.note(no).unwrap_or_default());
        }
    }

    fn set_note(&mut self, no: u64, note: &str) {
        self.capture.set_note(no, note);
        self.jobs.note_made();
        self.reload();
        let save = self.keymap.key_of(Action::Save);
        self.succeed(if note.trim().is_empty() {
            format!("record {no} has no note")
        } else {
            format!("note on record {no}; save the capture to keep it ({save})")
        });
    }

    fn act_in_export(&mut self, mut dialog: ExportDialog, action: Action) {
        match action {
            Action::Up => dialog.step_row(true),
            Action::Down => dialog.step_row(false),
            Action::Left => dialog.choose(true),
            Action::Right => dialog.choose(false),
            Action::Submit => return self.submit_export(dialog),
            _ => return,
        }
        self.dialogs.open = Some(Dialog::Export(dialog));
    }

    fn act_in_copy_menu(&mut self, mut menu: CopyMenu, action: Action) {
        match action {
            Action::Up => menu.step(true),
            Action::Down => menu.step(false),
            Action::Cancel => return,
            Action::Submit => return self.copy(menu.current()),
            part if menu.has(part) => return self.copy(part),
            _ => {}
        }
        self.dialogs.open = Some(Dialog::Copy(menu));
    }

    fn answer(&mut self, question: Question, action: Action) {
        match (question, action) {
            (Question::Replace(request), Action::Confirm) => self.replace(request),
            (Question::Replace(_), _) => {
                self.jobs.stay();
                self.inform("nothing was written");
            }
            (Question::ReplaceFile(request), Action::Confirm) => self.replace_file(request),
            (Question::ReplaceFile(_), _) => self.inform("nothing was written"),
            (Question::DeleteKept(kept), Action::Confirm) => self.effects.push(Effect::DeleteKept(kept)),
            (Question::DeleteKept(_), _) => self.effects.push(Effect::ListKept),
            (Question::Quit, Action::Confirm) => self.effects.push(Effect::Quit),
            (Question::Quit, Action::SaveFirst) => self.ask_save(true),
            (Question::Quit, _) => {}
        }
    }
}

/// The first row of a text in view after scrolling.
const fn scrolled(top: u16, action: Action) -> u16 {
    match action {
        Action::Up => top.saturating_sub(1),
        Action::PageUp | Action::Left => top.saturating_sub(PAGE),
        Action::PageDown | Action::Right => top.saturating_add(PAGE),
        _ => top.saturating_add(1),
    }
}
