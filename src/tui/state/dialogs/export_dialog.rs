//! The export dialog: which records, in which format, to which file.

use crossterm::event::KeyEvent;
use strum::VariantArray;

use super::path_input::{PathInput, free_name};
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

/// How many records each choice has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScopeCounts {
    pub marked: u64,
    /// Those that match the filter; `None` without a filter.
    pub filtered: Option<u64>,
    pub all: u64,
}

#[derive(Clone, Debug)]
pub struct ExportDialog {
    /// The chosen records.
    pub scope: Scope,
    /// The number of records of each choice; it grows with the capture.
    pub counts: ScopeCounts,
    pub formats: Vec<FormatChoice>,
    /// Index of the chosen format.
    pub format: usize,
    pub path: PathInput,
    /// The row with the keyboard.
    pub row: ExportRow,
}

impl ExportDialog {
    /// A dialog for a capture with these counts.
    pub fn new(formats: Vec<FormatChoice>, counts: ScopeCounts) -> Self {
        let scope = match counts.filtered {
            _ if counts.marked > 0 => Scope::Marked,
            Some(_) => Scope::Filtered,
            None => Scope::Cursor,
        };
        let path = PathInput::proposing(String::new());
        let mut dialog = Self { scope, counts, formats, format: 0, path, row: ExportRow::Scope };
        dialog.suggest_path();
        dialog
    }

    /// The choices, with their number of records.
    pub fn scopes(&self) -> Vec<(Scope, u64)> {
        let ScopeCounts { marked, filtered, all } = self.counts;
        let choices = [
            (Scope::Cursor, Some(1)),
            (Scope::Marked, Some(marked)),
            (Scope::Filtered, filtered),
            (Scope::All, Some(all)),
        ];
        choices.into_iter().filter_map(|(scope, count)| Some((scope, count?))).collect()
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
                let scopes: Vec<Scope> = self.scopes().into_iter().map(|(scope, _)| scope).collect();
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
        self.path.type_key(key);
    }

    fn suggest_path(&mut self) {
        let extension = self.chosen_format().map_or("", |format| format.extension);
        let name = free_name(self.scope.stem(), extension);
        self.path.propose(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_wrap_and_the_proposed_path_follows_them_until_one_is_typed() {
        let format = |name: &'static str| FormatChoice { name: name.to_owned(), extension: name, words: "" };
        let counts = ScopeCounts { all: 9, ..ScopeCounts::default() };
        let mut dialog = ExportDialog::new(vec![format("xa"), format("xb")], counts);
        assert_eq!((dialog.scope, dialog.path.input.value()), (Scope::Cursor, "record.xa"));
        dialog.choose(true);
        assert_eq!((dialog.scope, dialog.path.input.value()), (Scope::All, "capture.xa"));
        dialog.step_row(false);
        dialog.choose(false);
        dialog.choose(false);
        dialog.choose(false);
        assert_eq!((dialog.row, dialog.path.input.value()), (ExportRow::Format, "capture.xb"));
        dialog.type_key(KeyEvent::from(crossterm::event::KeyCode::Char('2')));
        dialog.step_row(true);
        dialog.choose(false);
        assert_eq!((dialog.row, dialog.format, dialog.path.input.value()), (ExportRow::Format, 0, "2"));
    }
}
