//! The picture dialog: of what, in which form, to which file.

use crossterm::event::KeyEvent;
use strum::VariantArray as _;

use super::export_dialog::ExportRow;
use super::path_input::{PathInput, free_name};
use crate::tui::panel::cycled;
use crate::tui::picture_request::{PictureFormat, PictureOf, PictureRequest};

#[derive(Clone, Debug)]
pub struct PictureDialog {
    /// The number of the record that was under the cursor, if there was one.
    record: Option<u64>,
    pub of: PictureOf,
    pub format: PictureFormat,
    pub path: PathInput,
    /// The row with the keyboard.
    pub row: ExportRow,
}

impl PictureDialog {
    /// A dialog for a screen with that record under the cursor.
    pub fn new(record: Option<u64>) -> Self {
        let mut dialog = Self {
            record,
            of: PictureOf::Screen,
            format: PictureFormat::Svg,
            path: PathInput::proposing(String::new()),
            row: ExportRow::Scope,
        };
        dialog.suggest_path();
        dialog
    }

    /// What a picture can show.
    pub fn choices(&self) -> Vec<PictureOf> {
        std::iter::once(PictureOf::Screen).chain(self.record.map(PictureOf::Record)).collect()
    }

    /// Goes to the next row, or to the previous one.
    pub fn step_row(&mut self, back: bool) {
        self.row = cycled(ExportRow::VARIANTS, self.row, back);
    }

    /// Chooses the next value of the current row, or the previous one.
    pub fn choose(&mut self, back: bool) {
        match self.row {
            ExportRow::Scope => self.of = cycled(&self.choices(), self.of, back),
            ExportRow::Format => self.format = cycled(PictureFormat::VARIANTS, self.format, back),
            ExportRow::Path => {}
        }
        self.suggest_path();
    }

    /// Types a key: it always changes the path.
    pub fn type_key(&mut self, key: KeyEvent) {
        self.row = ExportRow::Path;
        self.path.type_key(key);
    }

    /// The request for the chosen picture; `None` without a file name.
    pub fn request(&self) -> Option<PictureRequest> {
        let path = (!self.path.input.value().is_empty()).then(|| self.path.absolute())?;
        Some(PictureRequest { of: self.of, format: self.format, path })
    }

    fn suggest_path(&mut self) {
        let stem = match self.of {
            PictureOf::Record(no) => format!("record-{no}"),
            PictureOf::Screen => "screen".to_owned(),
        };
        self.path.propose(free_name(&stem, self.format.extension()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyCode;

    #[test]
    fn the_proposed_name_follows_the_choices_until_one_is_typed() {
        let mut dialog = PictureDialog::new(Some(4));
        assert_eq!(dialog.path.input.value(), "screen.svg");
        dialog.choose(false);
        dialog.step_row(false);
        dialog.choose(false);
        assert_eq!((dialog.of, dialog.path.input.value()), (PictureOf::Record(4), "record-4.txt"));
        dialog.type_key(KeyEvent::from(KeyCode::Char('x')));
        dialog.step_row(true);
        dialog.choose(false);
        assert_eq!((dialog.format, dialog.path.input.value()), (PictureFormat::Svg, "x"));
        let path = dialog.request().expect("a name").path;
        assert!(path.is_absolute() && path.ends_with("x"));
        assert_eq!(PictureDialog::new(None).choices(), [PictureOf::Screen]);
    }
}
