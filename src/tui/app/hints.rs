//! The hints for the view and the panel with the focus: what each key does there, in a word or two.

use super::App;
use crate::tui::action::Action;
use crate::tui::keymap::{Context, Hint};
use crate::tui::panel::{Panel, View};
use crate::tui::state::dialogs::Dialog;

impl App {
    /// The hints of the help, or of the box of words, while one is open: the keys that turn its pages or scroll, if it has more than
    /// fits.
    pub fn page_hints(&self) -> Option<Vec<Hint>> {
        let turns = match &self.dialogs.open {
            Some(Dialog::Help(_)) => Some(Action::Left).filter(|_| self.help_pages().pages.len() > 1),
            Some(Dialog::Words(_)) => Some(Action::Up).filter(|_| self.last_words_top() > 0),
            _ => return None,
        };
        let keys = self.keymap.hints(Context::Help).into_iter().filter(|hint| Some(hint.action) == turns);
        let other = if turns.is_some() { "any other key" } else { "any key" };
        let close = Hint { action: Action::Cancel, key: other.to_owned(), words: "closes".to_owned() };
        Some(keys.chain([close]).collect())
    }

    /// The hints of the help or of the box of words, in a line.
    pub fn foot_of_page(&self) -> String {
        let hints = self.page_hints().unwrap_or_default();
        hints.iter().map(|hint| format!("{} {}", hint.key, hint.words)).collect::<Vec<_>>().join(" · ")
    }

    /// The hints for the dialog that is open, or else for the panel with the focus.
    pub fn hints(&self) -> Vec<Hint> {
        match &self.dialogs.open {
            None if self.takes_answer() => self.answer_hints(),
            None => self.panel_hints(),
            Some(Dialog::Help(_) | Dialog::Words(_)) => self.page_hints().unwrap_or_default(),
            Some(Dialog::Findings(_)) => {
                let mut hints = self.keymap.hints(Context::Findings);
                if self.counts.tallies.is_empty() {
                    hints.retain(|hint| hint.action == Action::Cancel);
                }
                hints
            }
            Some(Dialog::Hold(panel)) => self.hold_hints(panel),
            // These have their keys in the box.
            Some(
                Dialog::Prompt(_)
                | Dialog::Export(_)
                | Dialog::Picture(_)
                | Dialog::Paste(_)
                | Dialog::Kept(_)
                | Dialog::Copy(_)
                | Dialog::Question(_),
            ) => Vec::new(),
        }
    }

    /// The hints for the line of the tour's answer.
    fn answer_hints(&self) -> Vec<Hint> {
        let (rows, columns) = self.directions();
        let words = |hint: Hint| match hint.action {
            Action::Up => Some(Hint { words: rows.to_owned(), ..hint }),
            // While something is typed, the key edits it.
            Action::Left => self.moves_from_answer().then(|| Hint { words: columns.to_owned(), ..hint }),
            _ => Some(hint),
        };
        with_joined_directions(self.keymap.hints(Context::Answer).into_iter().filter_map(words).collect())
    }

    /// The hints for the panel with the focus. Keys that do nothing there are left out.
    pub fn panel_hints(&self) -> Vec<Hint> {
        let hints = self.keymap.hints(Context::Panels).into_iter();
        let hints = hints.filter_map(|hint| self.hint_words(&hint).map(|words| Hint { words, ..hint }));
        let mut hints = with_joined_directions(hints.collect());
        // What waits is more urgent than the rest.
        if let Some(held) = hints.iter().position(|hint| hint.action == Action::HoldRules)
            && !self.held.rows.is_empty()
        {
            hints[..=held].rotate_right(1);
        }
        // A client is there to send.
        if let Some(send) = hints.iter().position(|hint| hint.action == Action::Send) {
            hints[..=send].rotate_right(1);
        }
        let mut all = self.tour_hints();
        // A key of the tour hides that of the panel.
        hints.retain(|hint| all.iter().all(|of_tour| of_tour.key != hint.key));
        all.append(&mut hints);
        all
    }

    /// The words for an action in the panel with the focus; `None` if it does nothing there.
    fn hint_words(&self, hint: &Hint) -> Option<String> {
        let has_server = self.session.url.is_some();
        if self.tour.is_none() && self.offers_samples() {
            return Some(match hint.action {
                Action::Up => "sample".to_owned(),
                Action::Open => "open it".to_owned(),
                Action::Browser if has_server => hint.words.clone(),
                Action::Send if self.session.takes_lines => hint.words.clone(),
                Action::HoldRules if self.session.hold.is_some() => "hold".to_owned(),
                Action::Cancel if self.is_above() => hint.words.clone(),
                Action::Help | Action::Quit => hint.words.clone(),
                _ => return None,
            });
        }
        Some(match hint.action {
            Action::Left | Action::NextPanel | Action::Copy | Action::Read if self.panels.view == View::Connections => {
                return None;
            }
            // No record is shown in which a key could move, or which it could open.
            Action::Up | Action::Left | Action::NextPanel | Action::Open | Action::Copy | Action::Read
                if self.shows_nothing() =>
            {
                return None;
            }
            // The end of a connection has no fields.
            Action::Left if self.closing.is_some() && self.panels.view != View::Timeline => return None,
            Action::Browser if !has_server => return None,
            Action::Send if !self.session.takes_lines => return None,
            Action::HoldRules if self.session.hold.is_none() => return None,
            Action::HoldRules if self.held.rows.is_empty() => "hold".to_owned(),
            Action::ZoomIn if self.panels.view != View::Timeline => return None,
            Action::Pause if !self.is_live() => return None,
            Action::Cancel if !self.is_above() => return None,
            Action::Pause if !self.list.following => "follow".to_owned(),
            Action::Open => self.open_hint()?.to_owned(),
            Action::Up => self.directions().0.to_owned(),
            Action::Left if self.steps_fragments() => {
                self.detail.carrier()?;
                "fragment".to_owned()
            }
            Action::Left => self.directions().1.to_owned(),
            _ => hint.words.clone(),
        })
    }

    /// What the keys for up and down, and those for left and right, move by.
    fn directions(&self) -> (&'static str, &'static str) {
        match (self.panels.focus, self.panels.view) {
            (Panel::List, View::Connections) => ("connection", "field"),
            (Panel::List, View::Timeline) => ("lane", "time"),
            (Panel::List, View::Frames | View::Messages) => ("record", "field"),
            (Panel::Bits, _) => ("field", "field"),
            (panel, _) if self.detail.text(panel).is_some() => ("line", "character"),
            (Panel::Bytes | Panel::Payload | Panel::Inflated, _) => ("row", "byte"),
        }
    }
}

/// The hints with one for up and down, left and right, if they all move by the same.
fn with_joined_directions(mut hints: Vec<Hint>) -> Vec<Hint> {
    let at = |action| hints.iter().position(|hint: &Hint| hint.action == action);
    if let (Some(up), Some(left)) = (at(Action::Up), at(Action::Left))
        && hints[up].words == hints[left].words
    {
        hints[up].key = format!("{}{}", hints[up].key, hints[left].key);
        hints.remove(left);
    }
    hints
}
