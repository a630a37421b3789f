//! The panel of what a proxy holds: the messages that wait, what people have added and has not gone, then the rules.

use crate::tui::hold_desk::{HeldRow, InjectionRow, RuleRow};
use crate::tui::state::held::HeldMessages;

/// The most rows of messages and rules.
const MAX_ROWS: u16 = 8;

/// Its title and its keys.
pub const OTHER_LINES: u16 = 2;

/// The cursor of the panel. It stays on its message or rule while others come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HoldPanel {
    /// The number of the message or rule, and its row when it was last seen; `None` for the first row, whatever it is.
    at: Option<(u64, usize)>,
}

/// A row of the panel.
#[derive(Clone, Copy, Debug)]
pub enum HoldRow<'a> {
    /// A message that waits.
    Held(&'a HeldRow),
    /// What a person has sent, and has not gone yet.
    Injection(&'a InjectionRow),
    /// A rule.
    Rule(&'a RuleRow),
}

impl HoldRow<'_> {
    const fn id(&self) -> u64 {
        match self {
            Self::Held(row) => row.id,
            Self::Injection(row) => row.id,
            Self::Rule(row) => row.id,
        }
    }
}

impl HoldPanel {
    /// The panel with the cursor on the message with this record, or on the oldest one that is not decided.
    pub fn on_record(held: &HeldMessages, record: Option<u64>) -> Self {
        let own = |record| held.rows.iter().position(|row| (row.record..=row.last_record).contains(&record));
        let mut panel = Self::default();
        if let Some(row) = record.and_then(own).or_else(|| first_undecided(held)) {
            panel.go_to(held, row);
        }
        panel
    }

    /// How many lines it takes, on a screen with so many rows: at most a third of them, so that the record above stays readable.
    pub fn height(held: &HeldMessages, screen: u16) -> u16 {
        let rows = u16::try_from(held.rows.len() + held.injections.len() + held.rules.len()).unwrap_or(u16::MAX);
        let most = (screen / 3).saturating_sub(OTHER_LINES).clamp(1, MAX_ROWS);
        rows.clamp(1, most) + OTHER_LINES
    }

    /// The rows.
    pub fn rows(held: &HeldMessages) -> Vec<HoldRow<'_>> {
        let held_rows = held.rows.iter().map(HoldRow::Held);
        let injections = held.injections.iter().map(HoldRow::Injection);
        held_rows.chain(injections).chain(held.rules.iter().map(HoldRow::Rule)).collect()
    }

    /// The index of the row under the cursor; `None` if there is no row.
    pub fn row(&self, held: &HeldMessages) -> Option<usize> {
        let rows = Self::rows(held);
        let last = rows.len().checked_sub(1)?;
        let (id, row) = self.at.unwrap_or_default();
        Some(rows.iter().position(|row| row.id() == id).unwrap_or_else(|| row.min(last)))
    }

    /// The row under the cursor.
    pub fn current<'a>(&self, held: &'a HeldMessages) -> Option<HoldRow<'a>> {
        Self::rows(held).get(self.row(held)?).copied()
    }

    /// Moves the cursor up or down.
    pub fn step(&mut self, held: &HeldMessages, back: bool) {
        let Some(row) = self.row(held) else { return };
        self.go_to(held, if back { row.saturating_sub(1) } else { row + 1 });
    }

    /// After a decision: goes to the oldest message that is not decided; if there is none, to the next that is held.
    pub fn go_on(&mut self, held: &HeldMessages) {
        match first_undecided(held) {
            Some(row) => self.go_to(held, row),
            None => self.at = None,
        }
    }

    /// Stays at its row after its message or rule has gone.
    pub fn stay(&mut self, held: &HeldMessages) {
        if let Some(row) = self.row(held) {
            self.go_to(held, row);
        }
    }

    fn go_to(&mut self, held: &HeldMessages, row: usize) {
        let rows = Self::rows(held);
        let row = row.min(rows.len().saturating_sub(1));
        self.at = rows.get(row).map(|found| (found.id(), row));
    }
}

fn first_undecided(held: &HeldMessages) -> Option<usize> {
    held.rows.iter().position(|row| !row.is_decided)
}
