//! The copy menu: which part of the record goes to the clipboard.

use crate::tui::action::Action;

/// The actions that copy a part of a record, in the order of the menu.
const PARTS: [Action; 6] = [
    Action::CopyField,
    Action::CopyFieldHex,
    Action::CopyPayload,
    Action::CopyPayloadHex,
    Action::CopyMessage,
    Action::CopyRecordHex,
];

/// A line of the menu.
#[derive(Clone, Debug)]
pub struct CopyChoice {
    /// The action that copies the part.
    pub part: Action,
    /// The beginning of what is copied, safe for a terminal.
    pub preview: String,
}

#[derive(Clone, Debug)]
pub struct CopyMenu {
    /// The parts that the record has: at least one.
    pub choices: Vec<CopyChoice>,
    /// Index of the choice under the cursor.
    at: usize,
}

impl CopyMenu {
    /// A menu of the parts for which `preview` returns the beginning; `None` if there are none.
    pub fn new(preview: impl Fn(Action) -> Option<String>) -> Option<Self> {
        let choice = |part| Some(CopyChoice { part, preview: preview(part)? });
        let choices: Vec<CopyChoice> = PARTS.into_iter().filter_map(choice).collect();
        (!choices.is_empty()).then_some(Self { choices, at: 0 })
    }

    /// The part under the cursor.
    pub fn current(&self) -> Action {
        self.choices[self.at].part
    }

    /// Whether the menu offers a part.
    pub fn has(&self, part: Action) -> bool {
        self.choices.iter().any(|choice| choice.part == part)
    }

    /// Moves the cursor down, or up.
    pub fn step(&mut self, back: bool) {
        self.at = if back { self.at.saturating_sub(1) } else { (self.at + 1).min(self.choices.len() - 1) };
    }
}
