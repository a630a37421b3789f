//! Keys: for what lies over the panels first, then as actions.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use super::overlay::{CopyMenu, CopyWhat, ExportDialog, Overlay, Prompt, Purpose, Question, Scope, free_name};
use super::{App, Effect, Job, TimeFormat, View};
use crate::capture::query::search::{Pattern, Toward};
use crate::tui::action::Action;
use crate::tui::host::{CAPTURE_FORMAT, ExportRequest};

/// The most that is put on the clipboard, in bytes: terminals refuse more.
const MAX_COPY: u64 = 64 * 1024;

impl App {
    /// A key was pressed.
    pub fn key(&mut self, key: KeyEvent) {
        self.notice = None;
        // Keys act on what there is now, not on what was last drawn.
        self.count();
        self.count_findings();
        self.extend_rows();
        let action = self.keymap.action(key);
        if action == Some(Action::QuitNow) {
            self.effects.push(Effect::Quit);
            return;
        }
        match self.overlay.take() {
            Some(overlay) => self.overlay_key(overlay, key, action),
            None => {
                if let Some(action) = action {
                    self.act(action);
                }
            }
        }
        self.settle();
    }

    /// Text was pasted.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if matches!(self.overlay, Some(Overlay::Prompt(_) | Overlay::Export(_))) {
                self.key(KeyEvent::from(KeyCode::Char(c)));
            }
        }
    }

    fn act(&mut self, action: Action) {
        let page = self.page() as i64;
        let of_record = matches!(action, Action::Mark | Action::Note | Action::Copy | Action::Tree | Action::Partner);
        if self.view == View::Connections && of_record {
            return self.tell("that is for a record: Enter opens those of the connection");
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
            Action::Findings => self.overlay = Some(Overlay::Findings(self.findings_panel)),
            Action::Hold if self.following => self.hold(),
            Action::Hold => self.follow(),
            Action::Find => self.prompt(Purpose::Find, String::new()),
            Action::Filter => self.ask_filter(),
            Action::Alike => self.filter_alike(),
            Action::FindNext => self.find(Toward::Later),
            Action::FindPrevious => self.find(Toward::Earlier),
            Action::ViewFrames => self.show(View::Frames),
            Action::ViewMessages => self.show(View::Messages),
            Action::ViewConnections => self.show(View::Connections),
            Action::ViewTimeline => self.show(View::Timeline),
            Action::ZoomIn => self.zoom(true),
            Action::ZoomOut => self.zoom(false),
            Action::ZoomAll => self.timeline.whole = true,
            Action::NextView => self.show(self.view.next()),
            Action::Open => self.open(),
            Action::Tree => self.turn_tree(),
            Action::Fold => self.toggle_fold(),
            Action::Maximise => self.maximised = !self.maximised,
            Action::TimeFormat => {
                self.time_format = match self.time_format {
                    TimeFormat::SinceStart => TimeFormat::SincePrevious,
                    TimeFormat::SincePrevious => TimeFormat::Clock,
                    TimeFormat::Clock => TimeFormat::SinceStart,
                };
            }
            Action::Cancel => self.cancel(),
            Action::Mark => self.toggle_mark(),
            Action::NextMark => self.go_to_mark(),
            Action::Note => self.ask_note(),
            Action::Copy => self.ask_copy(),
            Action::Export => self.ask_export(),
            Action::Save => self.ask_save(false),
            Action::Browser => self.effects.push(Effect::Browser),
            Action::Demo => self.effects.push(Effect::Demo),
            Action::Help => self.overlay = Some(Overlay::Help(0)),
            Action::Quit if self.is_exporting() => {
                self.tell("an export runs: quit when it is done, or stop it with Esc");
            }
            Action::Quit if self.would_lose() => {
                self.overlay = Some(Overlay::Question(Question::QuitUnsaved(self.totals.there())));
            }
            Action::Quit if self.noted => self.overlay = Some(Overlay::Question(Question::QuitNoted)),
            Action::Quit | Action::QuitNow => self.effects.push(Effect::Quit),
        }
    }

    fn overlay_key(&mut self, overlay: Overlay, key: KeyEvent, action: Option<Action>) {
        match overlay {
            Overlay::Help(top) => match action {
                Some(Action::Down) => self.overlay = Some(Overlay::Help(top.saturating_add(1))),
                Some(Action::Up) => self.overlay = Some(Overlay::Help(top.saturating_sub(1))),
                Some(Action::PageDown | Action::HalfPageDown) => {
                    self.overlay = Some(Overlay::Help(top.saturating_add(10)));
                }
                Some(Action::PageUp | Action::HalfPageUp) => self.overlay = Some(Overlay::Help(top.saturating_sub(10))),
                _ => {}
            },
            Overlay::Findings(panel) => self.findings_key(panel, key, action),
            Overlay::Prompt(prompt) => self.prompt_key(prompt, key),
            Overlay::Export(dialog) => self.export_key(dialog, key),
            Overlay::Copy(menu) => self.copy_key(menu, key),
            Overlay::Question(question) => self.question_key(question, key),
        }
    }

    fn prompt_key(&mut self, mut prompt: Prompt, key: KeyEvent) {
        match key.code {
            KeyCode::Esc => {}
            KeyCode::Enter => self.prompt_enter(prompt),
            KeyCode::Tab | KeyCode::BackTab if prompt.purpose == Purpose::Filter => {
                prompt.complaint = None;
                prompt.complete(key.code == KeyCode::BackTab);
                self.overlay = Some(Overlay::Prompt(prompt));
            }
            _ => {
                prompt.complaint = None;
                prompt.tabbed = None;
                prompt.input.handle_event(&TerminalEvent::Key(key));
                self.overlay = Some(Overlay::Prompt(prompt));
            }
        }
    }

    fn prompt_enter(&mut self, mut prompt: Prompt) {
        let typed = prompt.input.value().to_owned();
        match prompt.purpose {
            Purpose::Find => match Pattern::parse(&typed) {
                Ok(pattern) => {
                    self.pattern = Some(pattern);
                    self.find(Toward::Later);
                }
                Err(e) => {
                    prompt.complaint = Some(e.to_string());
                    self.overlay = Some(Overlay::Prompt(prompt));
                }
            },
            Purpose::Filter => {
                if let Err(e) = self.apply(&typed) {
                    prompt.complaint = Some(e.to_string());
                    self.overlay = Some(Overlay::Prompt(prompt));
                }
            }
            Purpose::Note(no) => {
                self.capture.set_note(no, &typed);
                // An export that runs may have passed it already.
                (self.noted, self.writes_notes) = (true, false);
                self.reload();
                self.say(if typed.trim().is_empty() {
                    format!("no note on record {no}")
                } else {
                    format!("noted on record {no}; it is kept when the capture is saved (w)")
                });
            }
            Purpose::Save { quit } => {
                if typed.is_empty() {
                    prompt.complaint = Some("type the name of a file".to_owned());
                    self.overlay = Some(Overlay::Prompt(prompt));
                    return;
                }
                self.start_export(None, CAPTURE_FORMAT, PathBuf::from(typed));
                self.quit_when_saved = quit;
            }
        }
    }

    fn export_key(&mut self, mut dialog: ExportDialog, key: KeyEvent) {
        match key.code {
            KeyCode::Esc => return,
            KeyCode::Up | KeyCode::BackTab => dialog.row = (dialog.row + 2) % 3,
            KeyCode::Down | KeyCode::Tab => dialog.row = (dialog.row + 1) % 3,
            KeyCode::Left if dialog.row < 2 => dialog.turn(-1),
            KeyCode::Right | KeyCode::Char(' ') if dialog.row < 2 => dialog.turn(1),
            KeyCode::Enter => return self.export_enter(dialog),
            _ => {
                // Whatever is typed goes into the path.
                dialog.row = 2;
                if dialog.path.handle_event(&TerminalEvent::Key(key)).is_some_and(|change| change.value) {
                    dialog.path_is_typed = true;
                }
            }
        }
        self.overlay = Some(Overlay::Export(dialog));
    }

    fn export_enter(&mut self, dialog: ExportDialog) {
        let records = match dialog.scope {
            Scope::This => Some(vec![self.cursor]),
            Scope::Marked => Some(self.marks.iter().copied().collect()),
            Scope::Filtered => self.rows.within().map(|within| within.numbers().collect()),
            Scope::All => None,
        };
        let path = dialog.path.value().to_owned();
        match records {
            _ if dialog.scope == Scope::Filtered && self.is_sifting() => {
                self.complain("the filter still looks through the capture");
            }
            Some(records) if records.is_empty() && dialog.scope == Scope::Filtered => {
                self.complain("the filter lets no record through");
            }
            Some(records) if records.is_empty() => {
                self.complain("no record is marked; m marks the one under the cursor");
            }
            _ if path.is_empty() => self.complain("type the name of a file"),
            records => return self.start_export(records, dialog.format, PathBuf::from(path)),
        }
        self.overlay = Some(Overlay::Export(dialog));
    }

    fn copy_key(&mut self, mut menu: CopyMenu, key: KeyEvent) {
        match key.code {
            KeyCode::Esc => return,
            KeyCode::Up | KeyCode::Char('k') => menu.at = menu.at.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => menu.at = (menu.at + 1).min(menu.choices.len() - 1),
            KeyCode::Enter => return self.copy(menu.choices[menu.at].2),
            KeyCode::Char(c) => {
                if let Some((.., what)) = menu.choices.iter().find(|(letter, ..)| *letter == c) {
                    return self.copy(*what);
                }
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Copy(menu));
    }

    fn question_key(&mut self, question: Question, key: KeyEvent) {
        match (question, key.code) {
            (Question::QuitUnsaved(_) | Question::QuitNoted, KeyCode::Char('q' | 'y')) => {
                self.effects.push(Effect::Quit);
            }
            (Question::QuitUnsaved(_) | Question::QuitNoted, KeyCode::Char('s' | 'w')) => self.ask_save(true),
            (Question::Replace(request), KeyCode::Char('y' | 'r')) => {
                let quit = self.quit_when_saved;
                self.run_export(ExportRequest { force: true, ..request });
                self.quit_when_saved = quit;
            }
            (Question::Replace(_), KeyCode::Esc | KeyCode::Char('n')) => {
                self.quit_when_saved = false;
                self.tell("nothing was written");
            }
            (_, KeyCode::Esc | KeyCode::Char('n')) => {}
            (question, _) => self.overlay = Some(Overlay::Question(question)),
        }
    }

    fn cancel(&mut self) {
        self.quit_when_saved = false;
        if let Some(job) = self.job.take() {
            job.cancel.store(true, Ordering::Relaxed);
            self.tell(format!("{} stopped", job.what));
        } else if self.maximised {
            self.maximised = false;
        } else if self.pattern.is_none() && self.leave_connection() {
        } else {
            self.pattern = None;
            self.clear_filter();
        }
    }

    pub(super) fn prompt(&mut self, purpose: Purpose, value: String) {
        self.overlay =
            Some(Overlay::Prompt(Prompt { purpose, input: Input::new(value), complaint: None, tabbed: None }));
    }

    fn ask_note(&mut self) {
        if self.cursor > 0 {
            let note = self.capture.note(self.cursor).unwrap_or_default();
            self.hold();
            self.prompt(Purpose::Note(self.cursor), note);
        }
    }

    fn ask_save(&mut self, quit: bool) {
        self.prompt(Purpose::Save { quit }, free_name("capture", "pcapng"));
    }

    fn ask_export(&mut self) {
        if self.cursor == 0 {
            self.complain("there is no record to export yet");
            return;
        }
        self.hold();
        let dialog = ExportDialog::new(
            self.setting.formats.clone(),
            self.marks.len() as u64,
            self.let_through().map(|(through, _)| through),
            self.totals.there(),
        );
        self.overlay = Some(Overlay::Export(dialog));
    }

    fn ask_copy(&mut self) {
        let Some(detail) = &self.detail else { return };
        let mut choices = Vec::new();
        if detail.field_of_row(self.row).is_some() {
            choices.push(('f', "the field's value", CopyWhat::Field));
            choices.push(('h', "the field's bytes as hex", CopyWhat::FieldHex));
        }
        if detail.payload_start().is_some() {
            choices.push(('p', "the unmasked payload as text", CopyWhat::Payload));
            choices.push(('x', "the unmasked payload as hex", CopyWhat::PayloadHex));
        }
        if self.inflated().is_some_and(|inflated| inflated.text().is_some()) {
            let what = if detail.message.is_some() { "the message's text" } else { "the inflated text" };
            choices.push(('i', what, CopyWhat::Inflated));
        }
        if detail.record.wire_len > 0 {
            choices.push(('r', "the whole record as hex", CopyWhat::RecordHex));
        }
        if choices.is_empty() {
            self.complain("this record has no bytes to copy");
        } else {
            self.overlay = Some(Overlay::Copy(CopyMenu { choices, at: 0 }));
        }
    }

    fn copy(&mut self, what: CopyWhat) {
        let Some(detail) = &self.detail else { return };
        let record = &detail.record;
        let span = detail.field_of_row(self.row).map(|field| field.span.byte_range());
        let (len, read) = match what {
            CopyWhat::Field => {
                let value = detail.rows.get(self.row).map(|row| row.value.clone()).unwrap_or_default();
                let in_payload = detail.field_of_row(self.row).is_some_and(|field| field.id.in_payload());
                if in_payload {
                    (record.payload_len().unwrap_or(0), self.capture.payload(record, 0..MAX_COPY))
                } else {
                    (value.len() as u64, Ok(value.into_bytes()))
                }
            }
            CopyWhat::FieldHex => {
                let span = span.unwrap_or_default();
                (span.end - span.start, self.capture.wire(record, span.start..span.end.min(span.start + MAX_COPY)))
            }
            CopyWhat::Payload | CopyWhat::PayloadHex => {
                (record.payload_len().unwrap_or(0), self.capture.payload(record, 0..MAX_COPY))
            }
            CopyWhat::Inflated => {
                let inflated = self.inflated();
                let text = inflated.and_then(|inflated| inflated.text()).unwrap_or_default();
                let beginning = &text[..text.floor_char_boundary(MAX_COPY as usize)];
                (inflated.map_or(0, |inflated| inflated.len), Ok(beginning.as_bytes().to_vec()))
            }
            CopyWhat::RecordHex => (record.wire_len, self.capture.wire(record, 0..MAX_COPY)),
        };
        let as_hex = matches!(what, CopyWhat::FieldHex | CopyWhat::PayloadHex | CopyWhat::RecordHex);
        match read {
            Err(e) => self.complain(format!("the bytes cannot be read: {e}")),
            Ok(bytes) => {
                let text = if as_hex { hex::encode(&bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
                self.effects.push(Effect::Copy(text));
                let copied = super::count(bytes.len() as u64, "byte");
                self.say(if len > bytes.len() as u64 {
                    format!("copied the first {copied} of {}; export (e) takes all", crate::proto::rules::grouped(len))
                } else {
                    format!("copied {copied}{}", if as_hex { " as hex" } else { "" })
                });
            }
        }
    }

    fn find(&mut self, toward: Toward) {
        let Some(pattern) = self.pattern.clone() else {
            self.tell("nothing to find yet; / asks what");
            return;
        };
        if self.totals.records == 0 {
            self.complain("there is no record to search yet");
            return;
        }
        if self.is_exporting() {
            self.tell("an export runs: find when it is done, or stop it with Esc");
            return;
        }
        let cancel = self.start_job("find", self.totals.there());
        self.effects.push(Effect::Find { pattern, from: self.cursor, toward, cancel });
    }

    fn is_exporting(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.what == "export")
    }

    fn start_export(&mut self, records: Option<Vec<u64>>, format: usize, path: PathBuf) {
        self.run_export(ExportRequest { records, format, path, force: false, cancel: Arc::default() });
    }

    fn run_export(&mut self, mut request: ExportRequest) {
        self.writes_notes = request.format == CAPTURE_FORMAT && request.records.is_none();
        request.cancel = self.start_job("export", self.totals.there());
        self.effects.push(Effect::Export(request));
    }

    /// Notes that work runs beside the screen, in place of what ran before.
    fn start_job(&mut self, what: &'static str, total: u64) -> Arc<AtomicBool> {
        self.quit_when_saved = false;
        let cancel = Arc::new(AtomicBool::new(false));
        if let Some(before) = self.job.replace(Job { what, progress: (0, total), cancel: Arc::clone(&cancel) }) {
            before.cancel.store(true, Ordering::Relaxed);
        }
        cancel
    }
}
