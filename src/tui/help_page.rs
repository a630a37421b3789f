//! The content of the help: the keys of the current view first, then the signs, then all keys, in columns.

use unicode_width::UnicodeWidthStr as _;

use super::action::Action;
use super::keymap::{Context, Hint, Keymap};
use super::legend::{SIGNS, Sign, TIMELINE, WORDS};
use super::panel::View;

/// Width of a column, with its gap.
pub const COLUMN: u16 = 57;

/// Most columns.
const MAX_COLUMNS: u16 = 3;

/// A line of the help.
pub enum HelpLine {
    Blank,
    Title(String),
    /// Keys and what they do.
    Keys(String, String),
    Sign(&'static Sign),
}

/// The lines of the help in columns of equal width.
pub struct HelpPage {
    pub columns: Vec<Vec<HelpLine>>,
    /// Width of the widest keys or signs.
    pub names: usize,
}

impl HelpPage {
    /// The help on a screen of that width. `hints` are the keys of the panel with the focus.
    pub fn of(keymap: &Keymap, view: View, hints: &[Hint], width: u16) -> Self {
        let keys = |hint: &Hint| match hint.action {
            Action::Help | Action::Quit => None,
            Action::Up | Action::Left => Some(HelpLine::Keys(hint.key.clone(), format!("move by {}", hint.words))),
            action => Some(HelpLine::Keys(hint.key.clone(), keymap.binding(Context::Panels, action)?.help.clone())),
        };
        let more = more_keys(view).iter().filter_map(|action| keymap.binding(Context::Panels, *action));
        let more = more.map(|binding| HelpLine::Keys(binding.first_key(), binding.help.clone()));
        let here = section(&format!("Here: {}", view.name()), hints.iter().filter_map(keys).chain(more));
        let signs = [("Signs", &SIGNS[..]), ("Words", &WORDS[..]), ("Signs of the timeline", &TIMELINE[..])];
        let mut signs = signs.map(|(title, signs)| section(title, signs.iter().map(HelpLine::Sign)));
        if view == View::Timeline {
            signs.rotate_right(1);
        }
        let tour = keymap.groups(Context::Tour).filter(|_| hints.iter().any(|hint| hint.action == Action::Tour));
        let groups = tour.chain(keymap.groups(Context::Panels)).map(|group| {
            let keys = group.bindings.iter().map(|binding| HelpLine::Keys(binding.labels(), binding.help.clone()));
            section(&group.name, keys)
        });
        let sections: Vec<Vec<HelpLine>> = std::iter::once(here).chain(signs).chain(groups).collect();
        let names = sections.iter().flatten().map(HelpLine::name_width).max().unwrap_or(0);
        let columns = usize::from((width / COLUMN).clamp(1, MAX_COLUMNS));
        Self { columns: divided(sections, columns), names }
    }

    /// Lines of the longest column.
    pub fn height(&self) -> usize {
        self.columns.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// The keys of a view that have no hint.
const fn more_keys(view: View) -> &'static [Action] {
    match view {
        View::Frames => &[Action::Partner, Action::Findings, Action::Fold],
        View::Messages => &[Action::Tree, Action::Fold],
        View::Connections => &[Action::Alike],
        View::Timeline => &[Action::ZoomIn, Action::ZoomOut, Action::ZoomAll, Action::Partner],
    }
}

impl HelpLine {
    fn name_width(&self) -> usize {
        match self {
            Self::Blank | Self::Title(_) => 0,
            Self::Keys(keys, _) => keys.width(),
            Self::Sign(sign) => sign.sign.width(),
        }
    }
}

fn section(title: &str, lines: impl Iterator<Item = HelpLine>) -> Vec<HelpLine> {
    std::iter::once(HelpLine::Title(title.to_owned())).chain(lines).collect()
}

/// Divides sections, in their order, into columns that are as low as possible.
fn divided(sections: Vec<Vec<HelpLine>>, columns: usize) -> Vec<Vec<HelpLine>> {
    let heights: Vec<usize> = sections.iter().map(|section| section.len() + 1).collect();
    let total: usize = heights.iter().sum();
    // The lowest height that needs no further column.
    let fits = |most: usize| {
        let (mut used, mut filled) = (1, 0);
        for height in &heights {
            if filled > 0 && filled + height > most {
                (used, filled) = (used + 1, 0);
            }
            filled += height;
        }
        used <= columns
    };
    let most = (total.div_ceil(columns)..=total).find(|most| fits(*most)).unwrap_or(total);
    let mut out: Vec<Vec<HelpLine>> = vec![Vec::new()];
    for section in sections {
        let last = out.len() - 1;
        if !out[last].is_empty() && out[last].len() + section.len() + 1 > most {
            out.push(Vec::new());
        }
        let last = out.len() - 1;
        if !out[last].is_empty() {
            out[last].push(HelpLine::Blank);
        }
        out[last].extend(section);
    }
    out
}
