//! Exporting and saving.

use super::App;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::export_request::{CAPTURE_FORMAT, ExportRequest};
use crate::tui::state::dialogs::{Dialog, ExportDialog, Purpose, Scope, ScopeCounts, free_name};

impl App {
    pub(super) fn ask_export(&mut self) {
        if self.list.cursor == 0 {
            return self.fail("there is no record to export yet");
        }
        self.list.pause(&self.counts.totals);
        let dialog = ExportDialog::new(self.session.formats.clone(), self.scope_counts());
        self.dialogs.open = Some(Dialog::Export(dialog));
    }

    /// How many records the choices of the export dialog have now.
    pub(super) fn scope_counts(&self) -> ScopeCounts {
        ScopeCounts {
            marked: self.list.marks.len() as u64,
            filtered: self.list.matches().map(|(matches, _)| matches),
            all: self.counts.totals.kept(),
        }
    }

    pub(super) fn ask_save(&mut self, quit: bool) {
        self.open_prompt(Purpose::Save { quit }, free_name("capture", "pcapng"));
    }

    /// Saves the whole capture in the most complete format; with `quit`, ends the program after that.
    pub(super) fn save(&mut self, path: String, quit: bool) {
        self.export(ExportRequest { format: CAPTURE_FORMAT, path: path.into(), ..ExportRequest::default() }, quit);
    }

    /// Repeats an export over an existing file.
    pub(super) fn replace(&mut self, request: ExportRequest) {
        self.export(ExportRequest { force: true, ..request }, self.jobs.quit_when_saved);
    }

    /// Starts the export of a dialog. A dialog with a missing choice stays open, with a notice.
    pub(super) fn submit_export(&mut self, dialog: ExportDialog) {
        match self.export_of(&dialog) {
            Ok(request) => self.export(request, false),
            Err(refused) => {
                self.fail(refused.to_string());
                self.dialogs.open = Some(Dialog::Export(dialog));
            }
        }
    }

    fn export_of(&self, dialog: &ExportDialog) -> Result<ExportRequest, ExportRefused> {
        let records = match dialog.scope {
            Scope::Cursor => Some(vec![self.list.cursor]),
            Scope::Marked => Some(self.list.marks.iter().copied().collect()),
            Scope::Filtered if self.list.is_filtering(&self.counts.totals) => return Err(ExportRefused::Filtering),
            Scope::Filtered => self.list.rows.matches.as_ref().map(|matches| matches.numbers().collect()),
            Scope::All => None,
        };
        if records.as_ref().is_some_and(Vec::is_empty) {
            return Err(match dialog.scope {
                Scope::Filtered => ExportRefused::NoMatch,
                _ => ExportRefused::NoMark(self.keymap.key_of(Action::Mark)),
            });
        }
        if dialog.path.input.value().is_empty() {
            return Err(ExportRefused::NoPath);
        }
        let path = dialog.path.path().to_owned();
        Ok(ExportRequest { records, format: dialog.format, path, ..ExportRequest::default() })
    }

    fn export(&mut self, mut request: ExportRequest, quit: bool) {
        let has_notes = request.format == CAPTURE_FORMAT && request.records.is_none();
        request.pasted.clone_from(&self.session.pasted);
        request.cancel = self.jobs.start_export(self.counts.totals.kept(), has_notes, quit);
        self.effects.push(Effect::Export(request));
    }
}

/// Why the export dialog is not accepted.
#[derive(Debug, thiserror::Error)]
enum ExportRefused {
    #[error("the filter is still running; export when it is done")]
    Filtering,
    #[error("no record matches the filter")]
    NoMatch,
    #[error("no record is marked; {0} marks the one under the cursor")]
    NoMark(String),
    #[error("type a file name")]
    NoPath,
}
