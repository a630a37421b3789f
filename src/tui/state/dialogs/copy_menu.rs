//! The copy menu: which part of the record goes to the clipboard.

use crate::tui::action::Action;

/// A part of a record that can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyWhat {
    /// The value of the selected field.
    Field,
    /// The bytes of the selected field as hex.
    FieldHex,
    /// The unmasked payload as text.
    Payload,
    /// The unmasked payload as hex.
    PayloadHex,
    /// The inflated or joined message as text.
    Message,
    /// The whole record as hex.
    RecordHex,
}

impl CopyWhat {
    const ALL: [Self; 6] =
        [Self::Field, Self::FieldHex, Self::Payload, Self::PayloadHex, Self::Message, Self::RecordHex];

    /// The action that copies this part.
    pub const fn action(self) -> Action {
        match self {
            Self::Field => Action::CopyField,
            Self::FieldHex => Action::CopyFieldHex,
            Self::Payload => Action::CopyPayload,
            Self::PayloadHex => Action::CopyPayloadHex,
            Self::Message => Action::CopyMessage,
            Self::RecordHex => Action::CopyRecordHex,
        }
    }

    /// Whether the text is hex.
    pub const fn is_hex(self) -> bool {
        matches!(self, Self::FieldHex | Self::PayloadHex | Self::RecordHex)
    }
}

/// The copy menu.
#[derive(Clone, Debug)]
pub struct CopyMenu {
    /// The parts that the record has: at least one.
    pub choices: Vec<CopyWhat>,
    /// Index of the part under the cursor.
    at: usize,
}

impl CopyMenu {
    /// A menu of the parts for which `has` is true; `None` if there are none.
    pub fn new(has: impl Fn(CopyWhat) -> bool) -> Option<Self> {
        let choices: Vec<CopyWhat> = CopyWhat::ALL.into_iter().filter(|what| has(*what)).collect();
        (!choices.is_empty()).then_some(Self { choices, at: 0 })
    }

    /// The part under the cursor.
    pub fn current(&self) -> CopyWhat {
        self.choices[self.at]
    }

    /// The part that an action copies, if the record has it.
    pub fn choice_of(&self, action: Action) -> Option<CopyWhat> {
        self.choices.iter().copied().find(|what| what.action() == action)
    }

    /// Moves the cursor down, or up.
    pub fn step(&mut self, back: bool) {
        self.at = if back { self.at.saturating_sub(1) } else { (self.at + 1).min(self.choices.len() - 1) };
    }
}
