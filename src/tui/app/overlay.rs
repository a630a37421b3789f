//! What can lie over the panels: help, prompts, the export dialog, the copy menu, questions.

use std::path::Path;

use tui_input::Input;

use crate::proto::rules::Rule;
use crate::tui::host::{ExportRequest, FormatChoice};

/// What lies over the panels and has the keys.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// All keys, scrolled by some rows.
    Help(u16),
    /// All findings, by rule.
    Findings(FindingsPanel),
    /// A line to type into.
    Prompt(Prompt),
    /// The export dialog.
    Export(ExportDialog),
    /// What to copy.
    Copy(CopyMenu),
    /// A question to answer yes or no.
    Question(Question),
}

/// The findings by rule. The rows are [`super::App::tallies`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FindingsPanel {
    /// The rule under the cursor; the first row's while nobody has chosen.
    pub rule: Option<Rule>,
    /// The first row in view.
    pub top: usize,
}

/// A line to type into, at the bottom of the screen.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// What was typed.
    pub input: Input,
    /// What is wrong with it.
    pub complaint: Option<String>,
    /// While Tab goes through what can stand there: what was typed before, and which it is.
    pub tabbed: Option<(String, usize)>,
}

/// What a prompt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What to find.
    Find,
    /// What to show.
    Filter,
    /// A note on a record.
    Note(u64),
    /// Where to save the capture.
    Save {
        /// Whether to quit then.
        quit: bool,
    },
}

impl Prompt {
    /// How what was typed so far is understood, where that may surprise.
    pub fn hint(&self) -> Option<&'static str> {
        let typed = self.input.value();
        match self.purpose {
            Purpose::Find if typed.starts_with("x ") => Some(r"bytes; \x … finds it as text"),
            Purpose::Find if typed.starts_with(r"\x ") => Some("text that begins with x"),
            _ => None,
        }
    }
}

impl Purpose {
    /// The words in front of the line.
    pub fn label(self) -> String {
        match self {
            Self::Find => "find (x 81 05: bytes; \"x 81\": text): ".to_owned(),
            Self::Filter => "filter: ".to_owned(),
            Self::Note(no) => format!("note on record {no}: "),
            Self::Save { .. } => "save the capture as: ".to_owned(),
        }
    }
}

/// Which records to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The one under the cursor.
    This,
    /// Those that are marked.
    Marked,
    /// Those that the filter lets through.
    Filtered,
    /// All.
    All,
}

/// The export dialog.
#[derive(Clone, Debug)]
pub struct ExportDialog {
    /// Chosen records.
    pub scope: Scope,
    /// What can be chosen, and how many records it holds.
    pub scopes: Vec<(Scope, u64)>,
    /// The formats on offer.
    pub formats: Vec<FormatChoice>,
    /// The chosen one.
    pub format: usize,
    /// Where to.
    pub path: Input,
    /// Whether a person has typed a path, so that it no longer follows the format.
    pub path_is_typed: bool,
    /// Which of the three rows has the keys: scope, format, path.
    pub row: usize,
}

impl ExportDialog {
    /// A dialog for a record, some marks, and what a filter lets through when there is one.
    pub fn new(formats: Vec<FormatChoice>, marked: u64, filtered: Option<u64>, all: u64) -> Self {
        let scope = match filtered {
            _ if marked > 0 => Scope::Marked,
            Some(_) => Scope::Filtered,
            None => Scope::This,
        };
        let mut scopes = vec![(Scope::This, 1), (Scope::Marked, marked), (Scope::All, all)];
        if let Some(filtered) = filtered {
            scopes.insert(2, (Scope::Filtered, filtered));
        }
        let mut dialog =
            Self { scope, scopes, formats, format: 0, path: Input::default(), path_is_typed: false, row: 0 };
        dialog.suggest();
        dialog
    }

    /// Moves the choice of the current row.
    pub fn turn(&mut self, by: isize) {
        let wrap = |at: usize, len: usize| (at as isize + by).rem_euclid(len as isize) as usize;
        match self.row {
            0 => {
                let at = self.scopes.iter().position(|(scope, _)| *scope == self.scope).unwrap_or(0);
                self.scope = self.scopes[wrap(at, self.scopes.len())].0;
            }
            1 => self.format = wrap(self.format, self.formats.len()),
            _ => {}
        }
        self.suggest();
    }

    /// Names a file that fits the choice, unless one was typed.
    fn suggest(&mut self) {
        if !self.path_is_typed {
            let what = match self.scope {
                Scope::This => "record",
                Scope::Marked => "marked",
                Scope::Filtered => "filtered",
                Scope::All => "capture",
            };
            let extension = self.formats.get(self.format).map_or("", |format| format.extension);
            self.path = Input::new(free_name(what, extension));
        }
    }
}

/// A name in the working folder that no file has yet.
pub fn free_name(stem: &str, extension: &str) -> String {
    let name = |n: u32| match n {
        1 => format!("{stem}.{extension}"),
        n => format!("{stem}-{n}.{extension}"),
    };
    (1..1000).map(name).find(|name| !Path::new(name).exists()).unwrap_or_else(|| name(1))
}

/// What to copy.
#[derive(Clone, Debug)]
pub struct CopyMenu {
    /// Key, words, and what would be copied.
    pub choices: Vec<(char, &'static str, CopyWhat)>,
    /// The one under the cursor.
    pub at: usize,
}

/// A thing that can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyWhat {
    /// The selected field's value.
    Field,
    /// The selected field's bytes as hex.
    FieldHex,
    /// The unmasked payload as text.
    Payload,
    /// The unmasked payload as hex.
    PayloadHex,
    /// The text that the compressed message inflates to.
    Inflated,
    /// The whole record as hex.
    RecordHex,
}

/// A question to answer.
#[derive(Clone, Debug)]
pub enum Question {
    /// Records would be lost.
    QuitUnsaved(u64),
    /// Notes would be lost.
    QuitNoted,
    /// A file would be replaced.
    Replace(ExportRequest),
}
