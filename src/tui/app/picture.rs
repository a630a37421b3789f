//! Taking a picture of the screen or of the record under the cursor.

use super::App;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::panel::View;
use crate::tui::picture_request::FileRequest;
use crate::tui::state::dialogs::{Dialog, PictureDialog};

impl App {
    pub(super) fn ask_picture(&mut self) {
        // In the table of connections no record is under the cursor.
        let record = self.detail.record().filter(|_| self.panels.view != View::Connections);
        let record = record.map(|record| record.no);
        self.dialogs.open = Some(Dialog::Picture(PictureDialog::new(record)));
    }

    pub(super) fn act_in_picture(&mut self, mut dialog: PictureDialog, action: Action) {
        match action {
            Action::Up => dialog.step_row(true),
            Action::Down => dialog.step_row(false),
            Action::Left => dialog.choose(true),
            Action::Right => dialog.choose(false),
            Action::Submit => match dialog.request() {
                Some(request) => return self.effects.push(Effect::Picture(request)),
                None => self.fail("type a file name"),
            },
            _ => return,
        }
        self.dialogs.open = Some(Dialog::Picture(dialog));
    }

    /// Writes a file over an existing one.
    pub(super) fn replace_file(&mut self, request: FileRequest) {
        self.effects.push(Effect::WriteFile(FileRequest { force: true, ..request }));
    }
}
