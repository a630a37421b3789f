//! Keys: a key becomes an action once, and the action goes to the open dialog or to the panels.

use crossterm::event::KeyEvent;
use strum::VariantArray as _;

use super::App;
use crate::capture::query::search::Toward;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Binding, Context};
use crate::tui::panel::{View, cycled};
use crate::tui::state::dialogs::{Dialog, PasteDialog, Prompt, Purpose, Question};
use crate::tui::state::jobs::FIND;

impl App {
    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) {
        self.notice = None;
        // A key acts on the capture as it is now, not as it was last drawn.
        self.count();
        self.refresh_held();
        self.extend_rows();
        self.look_for_tour_record();
        if self.takes_answer() {
            self.key_in_answer(key);
            return self.prepare();
        }
        if self.begins_answer(key) {
            return self.prepare();
        }
        let action = self.tour_action(key).or_else(|| self.keymap.action(self.dialogs.context(), key));
        match (self.dialogs.open.take(), action) {
            (open, Some(Action::QuitNow)) => {
                self.dialogs.open = open;
                self.effects.push(Effect::Interrupt);
            }
            (Some(dialog), Some(action)) => self.act_in_dialog(dialog, action),
            // The help and the words close on any other key; a text input takes it; the other dialogs say that it does nothing.
            (Some(Dialog::Help(_) | Dialog::Words(_)), None) => {
                self.dialogs.open = self.dialogs.below.take().map(Dialog::from);
            }
            (Some(mut dialog), None) => {
                if !dialog.type_key(key) && self.keymap.action(Context::Panels, key).is_some() {
                    let close = self.keymap.binding(dialog.context(), Action::Cancel).map(Binding::first_key);
                    self.inform(format!("this key does nothing here; {} closes the box", close.unwrap_or_default()));
                }
                self.dialogs.open = Some(dialog);
            }
            (None, Some(action)) => self.act(action),
            (None, None) => {}
        }
        if !matches!(self.dialogs.open, Some(Dialog::Help(_) | Dialog::Words(_))) {
            self.dialogs.below = None;
        }
        self.prepare();
    }

    pub(super) fn act(&mut self, action: Action) {
        let page = self.page();
        let of_record = matches!(
            action,
            Action::Mark
                | Action::Note
                | Action::Copy
                | Action::Tree
                | Action::TextOrHex
                | Action::Read
                | Action::Partner
        );
        if self.panels.view == View::Connections && of_record && action != Action::Read {
            let open = self.keymap.key_of(Action::Open);
            return self.inform(format!("this key needs a record; {open} shows those of the connection"));
        }
        if self.tour.is_none() && self.offers_samples() && self.act_on_samples(action) {
            return;
        }
        if of_record && (self.shows_nothing() || self.counts.totals.records == 0) {
            return self.inform("this key needs a record, and none is shown");
        }
        match action {
            Action::Up => self.vertical(-1),
            Action::Down => self.vertical(1),
            Action::Left => self.horizontal(-1),
            Action::Right => self.horizontal(1),
            Action::PageUp => self.vertical(-page),
            Action::PageDown => self.vertical(page),
            Action::HalfPageUp => self.vertical(-(page / 2).max(1)),
            Action::HalfPageDown => self.vertical((page / 2).max(1)),
            Action::First => self.edge(false),
            Action::Last => self.edge(true),
            Action::NextPanel => self.next_panel(false),
            Action::PreviousPanel => self.next_panel(true),
            Action::Partner => self.go_to_partner(),
            Action::PreviousFinding => self.go_to_finding(false),
            Action::NextFinding => self.go_to_finding(true),
            Action::Findings => self.dialogs.open = Some(Dialog::Findings(self.dialogs.last_findings)),
            Action::Pause if self.list.following => self.list.pause(&self.counts.totals),
            Action::Pause if !self.is_live() => {
                let last = self.keymap.key_of(Action::Last);
                self.inform(format!("no new records arrive here; {last} goes to the last one"));
            }
            Action::Pause => self.follow(),
            Action::Find => self.open_prompt(Purpose::Find, String::new()),
            Action::Filter => self.ask_filter(),
            Action::Alike => self.filter_alike(),
            Action::FindNext => self.find(Toward::Later),
            Action::FindPrevious => self.find(Toward::Earlier),
            Action::ViewFrames => self.show_view(View::Frames),
            Action::ViewMessages => self.show_view(View::Messages),
            Action::ViewConnections => self.show_view(View::Connections),
            Action::ViewTimeline => self.show_view(View::Timeline),
            Action::NextView => self.show_view(cycled(View::VARIANTS, self.panels.view, false)),
            Action::ZoomIn => self.zoom(true),
            Action::ZoomOut => self.zoom(false),
            Action::ZoomAll => self.timeline.show_all(),
            Action::Open => self.open(),
            Action::Tree => self.switch_tree(),
            Action::TextOrHex => self.switch_text(),
            Action::Read => self.dialogs.open = self.read_words().map(|_| Dialog::Words(0)),
            Action::Fold => self.change_fold(),
            Action::Maximise => self.panels.maximised = !self.panels.maximised,
            Action::TimeFormat => self.change_time_format(),
            Action::Cancel => self.cancel(),
            Action::Mark => self.list.toggle_mark(),
            Action::NextMark => self.go_to_mark(),
            Action::Note => self.ask_note(),
            Action::Copy => self.ask_copy(),
            Action::Export => self.ask_export(),
            Action::Picture => self.ask_picture(),
            Action::Save => self.ask_save(false),
            Action::Browser | Action::Demo if self.session.url.is_none() => {
                self.inform("no page and no demo client here: only framescope serve has them");
            }
            Action::Browser => self.effects.push(Effect::Browser),
            Action::Send => self.ask_line(),
            Action::HoldRules => self.open_hold(),
            Action::Inject => self.ask_injection(),
            Action::Demo if self.tour.is_some() => self.effects.push(Effect::Lesson),
            Action::Demo => self.effects.push(Effect::Demo),
            Action::Kept => self.effects.push(Effect::ListKept),
            Action::Paste => self.dialogs.open = Some(Dialog::Paste(PasteDialog::default())),
            Action::Tour => self.toggle_tour(),
            Action::TourNext => self.tour_next(),
            Action::TourHint => self.toggle_tour_hint(),
            Action::TourSkip => self.change_step(false),
            Action::TourBack => self.change_step(true),
            Action::Help => self.dialogs.open = Some(Dialog::Help(0)),
            Action::Quit => self.quit(),
            Action::QuitNow => self.effects.push(Effect::Interrupt),
            // The other actions belong to dialogs.
            _ => {}
        }
    }

    pub(super) fn quit(&mut self) {
        if self.jobs.is_exporting() {
            return self.inform("an export is running: quit when it is done, or stop it with Esc");
        }
        // Nothing is asked about a paste.
        while self.leave_paste() {}
        match self.jobs.unsaved(&self.counts.totals) {
            Some(_) => self.dialogs.open = Some(Dialog::Question(Question::Quit)),
            None => self.effects.push(Effect::Quit),
        }
    }

    /// Stops the job, or leaves the evicted handshake, the maximised panel, the search, the connection, the filter or the paste,
    /// whichever comes first.
    fn cancel(&mut self) {
        if let Some(job) = self.jobs.cancel() {
            return self.inform(format!("{job} stopped"));
        }
        if self.hide_tour_hint() {
            return;
        }
        if self.shows_evicted() {
            self.go_to(self.list.cursor, self.list.in_child);
        } else if self.panels.maximised {
            self.panels.maximised = false;
        } else if self.search.pattern().is_none() && self.leave_connection() {
        } else if self.search.pattern().is_some() || self.list.filter().is_some() || !self.leave_paste() {
            self.search.clear();
            self.clear_filter();
        }
    }

    pub(super) fn open_prompt(&mut self, purpose: Purpose, text: String) {
        self.dialogs.open = Some(Dialog::Prompt(Prompt::new(purpose, text)));
    }

    pub(super) fn find(&mut self, toward: Toward) {
        let Some(pattern) = self.search.pattern().cloned() else {
            let find = self.keymap.key_of(Action::Find);
            return self.inform(format!("nothing to find yet: press {find} and type it"));
        };
        if self.counts.totals.records == 0 {
            return self.fail("there is no record to search yet");
        }
        if self.jobs.is_exporting() {
            return self.inform("an export is running: find when it is done, or stop it with Esc");
        }
        let cancel = self.jobs.start(FIND, self.counts.totals.kept());
        let (from, counted) = self.search.start(self.list.cursor, toward, &cancel);
        self.effects.push(Effect::Find { pattern, from, toward, counted, cancel });
    }
}
