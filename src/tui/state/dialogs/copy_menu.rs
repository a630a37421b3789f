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

#[derive(Clone, Debug)]
pub struct CopyMenu {
    /// The actions for the parts that the record has: at least one.
    pub choices: Vec<Action>,
    /// Index of the choice under the cursor.
    at: usize,
}

impl CopyMenu {
    /// A menu of the parts for which `has` is true; `None` if there are none.
    pub fn new(has: impl Fn(Action) -> bool) -> Option<Self> {
        let choices: Vec<Action> = PARTS.into_iter().filter(|part| has(*part)).collect();
        (!choices.is_empty()).then_some(Self { choices, at: 0 })
    }

    /// The choice under the cursor.
    pub fn current(&self) -> Action {
        self.choices[self.at]
    }

    /// Moves the cursor down, or up.
    pub fn step(&mut self, back: bool) {
        self.at = if back { self.at.saturating_sub(1) } else { (self.at + 1).min(self.choices.len() - 1) };
    }
}
