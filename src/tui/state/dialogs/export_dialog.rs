//! The export dialog: which records, in which format, to which file.

use std::path::Path;

use crossterm::event::{Event, KeyEvent};
use strum::VariantArray;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::tui::export_request::FormatChoice;
use crate::tui::panel::cycled;

/// Which records are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The record under the cursor.
    Cursor,
    Marked,
    Filtered,
    All,
}

impl Scope {
    /// Stem of the suggested file name.
    const fn stem(self) -> &'static str {
        match self {
            Self::Cursor => "record",
            Self::Marked => "marked",
            Self::Filtered => "filtered",
            Self::All => "capture",
        }
    }
}

/// A row of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum ExportRow {
    Scope,
    Format,
    Path,
}

#[derive(Clone, Debug)]
pub struct ExportDialog {
    /// The chosen records.
    pub scope: Scope,
    /// The choices, with their number of records.
    pub scopes: Vec<(Scope, u64)>,
    pub formats: Vec<FormatChoice>,
    /// Index of the chosen format.
    pub format: usize,
    pub path: Input,
    /// Whether the user has typed a path, so that it no longer follows the choices.
    path_is_typed: bool,
    /// The row with the keyboard.
    pub row: ExportRow,
}

impl ExportDialog {
    /// A dialog for a capture of `all` records, of which `marked` are marked and `filtered` match a filter, if there is one.
    pub fn new(formats: Vec<FormatChoice>, marked: u64, filtered: Option<u64>, all: u64) -> Self {
        let scope = match filtered {
            _ if marked > 0 => Scope::Marked,
            Some(_) => Scope::Filtered,
            None => Scope::Cursor,
        };
        let mut scopes = vec![(Scope::Cursor, 1), (Scope::Marked, marked), (Scope::All, all)];
        if let Some(filtered) = filtered {
            scopes.insert(2, (Scope::Filtered, filtered));
        }
        let (path, row) = (Input::default(), ExportRow::Scope);
        let mut dialog = Self { scope, scopes, formats, format: 0, path, path_is_typed: false, row };
        dialog.suggest_path();
        dialog
    }

    pub fn chosen_format(&self) -> Option<&FormatChoice> {
        self.formats.get(self.format)
    }

    /// Goes to the next row, or to the previous one.
    pub fn step_row(&mut self, back: bool) {
        self.row = cycled(ExportRow::VARIANTS, self.row, back);
    }

    /// Chooses the next value of the current row, or the previous one.
    pub fn choose(&mut self, back: bool) {
        match self.row {
            ExportRow::Scope => {
                let scopes: Vec<Scope> = self.scopes.iter().map(|(scope, _)| *scope).collect();
                self.scope = cycled(&scopes, self.scope, back);
            }
            ExportRow::Format => {
                let formats: Vec<usize> = (0..self.formats.len()).collect();
                self.format = cycled(&formats, self.format, back);
            }
            ExportRow::Path => {}
        }
        self.suggest_path();
    }

    /// Types a key: it always changes the path.
    pub fn type_key(&mut self, key: KeyEvent) {
        self.row = ExportRow::Path;
        if self.path.handle_event(&Event::Key(key)).is_some_and(|change| change.value) {
            self.path_is_typed = true;
        }
    }

    fn suggest_path(&mut self) {
        if !self.path_is_typed {
            let extension = self.chosen_format().map_or("", |format| format.extension);
            self.path = Input::new(free_name(self.scope.stem(), extension));
        }
    }
}

/// A file name that does not exist in the working directory.
pub fn free_name(stem: &str, extension: &str) -> String {
    let name = |n: u32| match n {
        1 => format!("{stem}.{extension}"),
        n => format!("{stem}-{n}.{extension}"),
    };
    (1..1000).map(name).find(|name| !Path::new(name).exists()).unwrap_or_else(|| name(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_wrap_and_the_suggested_path_follows_them_until_one_is_typed() {
        let format = |name: &'static str| FormatChoice { name: name.to_owned(), extension: name, words: "" };
        let mut dialog = ExportDialog::new(vec![format("xa"), format("xb")], 0, None, 9);
        assert_eq!((dialog.scope, dialog.path.value()), (Scope::Cursor, "record.xa"));
        dialog.choose(true);
        assert_eq!((dialog.scope, dialog.path.value()), (Scope::All, "capture.xa"));
        dialog.step_row(false);
        dialog.choose(false);
        dialog.choose(false);
        dialog.choose(false);
        assert_eq!((dialog.row, dialog.path.value()), (ExportRow::Format, "capture.xb"));
        dialog.type_key(KeyEvent::from(crossterm::event::KeyCode::Char('2')));
        dialog.step_row(true);
        dialog.choose(false);
        assert_eq!((dialog.row, dialog.format, dialog.path.value()), (ExportRow::Format, 0, "capture.xb2"));
    }
}
