//! Applying filters.

use super::App;
use crate::capture::query::filter::{Filter, FilterError};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::panel::View;
use crate::tui::state::dialogs::Purpose;

impl App {
    /// Shows only the records that match a filter, or all records.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        let background = self.list.set_filter(&self.capture, filter);
        self.effects.extend(background.map(Effect::Filter));
        self.show_chosen_rows();
    }

    /// Whether the filter lets nothing through of what the view shows, as far as it has looked.
    pub fn shows_nothing(&self) -> bool {
        self.list.filter().is_some()
            && match self.panels.view {
                View::Frames | View::Messages => self.list.rows.is_empty(),
                View::Connections | View::Timeline => self.list.connections(&self.capture).count() == 0,
            }
    }

    /// Whether records wait for the filter. In a live capture, a few always do.
    pub fn is_searching(&self) -> bool {
        self.list.incomplete || !self.is_live() && self.list.is_filtering(&self.counts.totals)
    }

    pub(super) fn ask_filter(&mut self) {
        let text = self.list.filter().map(|filter| filter.text().to_owned()).unwrap_or_default();
        self.open_prompt(Purpose::Filter, text);
    }

    /// Applies a filter as the user typed it; an empty text clears the filter.
    pub(super) fn apply_filter(&mut self, text: &str) -> Result<(), FilterError> {
        if text.trim().is_empty() {
            self.clear_filter();
        } else {
            self.set_filter(Some(Filter::parse(text)?));
        }
        Ok(())
    }

    /// Clears the filter, if there is one.
    pub(super) fn clear_filter(&mut self) {
        if self.list.filter().is_some() {
            self.set_filter(None);
            self.inform("no filter: all records are shown");
        }
    }

    /// Narrows the filter to records that are like the selected one.
    pub(super) fn filter_alike(&mut self) {
        let Some(alike) = self.alike() else { return self.inform("nothing is selected to filter by") };
        let joined = match self.list.filter() {
            Some(filter) => format!("({}) and {alike}", filter.text()),
            None => alike,
        };
        match Filter::parse(&joined).and_then(|filter| Filter::parse(&filter.to_string())) {
            Ok(filter) => {
                let esc = self.keymap.key_of(Action::Cancel);
                self.inform(format!("filter: {filter}; {esc} clears it"));
                self.set_filter(Some(filter));
            }
            Err(e) => self.fail(e.to_string()),
        }
    }
}
