//! The content of the help: the keys of the current view first, then the signs, then all keys, in columns.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::action::Action;
use super::keymap::{Context, Hint, Keymap};
use super::legend::{SIGNS, Sign, TIMELINE, WORDS};
use super::panel::View;

/// Width of a column, with its gap.
pub const COLUMN: u16 = 57;

/// Most columns.
const MAX_COLUMNS: u16 = 3;

/// Lines of the border around a page.
const BORDER: u16 = 2;

/// A line of the help.
pub enum HelpLine {
    Blank,
    Title(String),
    /// Keys and what they do.
    Keys(String, String),
    Sign(&'static Sign),
}

/// The lines of the help, in pages of columns of equal width.
pub struct HelpPages {
    /// The columns of each page; at least one page.
    pub pages: Vec<Vec<Vec<HelpLine>>>,
    /// Width of the widest keys or signs.
    pub names: usize,
}

impl HelpPages {
    /// The help on a screen of that size. `hints` are the keys of the panel with the focus.
    pub fn of(keymap: &Keymap, view: View, hints: &[Hint], screen: Rect) -> Self {
        let keys = |hint: &Hint| match hint.action {
            Action::Help | Action::Quit => None,
            Action::Up | Action::Left => Some(HelpLine::Keys(hint.key.clone(), format!("move by {}", hint.words))),
            action => Some(HelpLine::Keys(hint.key.clone(), keymap.binding(Context::Panels, action)?.help.clone())),
        };
        let more = more_keys(view).iter().filter_map(|action| keymap.binding(Context::Panels, *action));
        let more = more.map(|binding| HelpLine::Keys(binding.first_key(), binding.help.clone()));
        let here = section(&format!("Here: {}", view.name()), hints.iter().filter_map(keys).chain(more));
        let signs = [("Words", &WORDS[..]), ("Signs", &SIGNS[..]), ("Signs of the timeline", &TIMELINE[..])];
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
        let columns = usize::from((screen.width / COLUMN).clamp(1, MAX_COLUMNS));
        let rows = usize::from(screen.height.saturating_sub(BORDER)).max(2);
        let pages = match height(&sections, columns) <= rows {
            true => vec![divided(sections, columns)],
            false => paged(sections, columns, rows),
        };
        Self { pages, names }
    }

    /// The number of a page that exists.
    pub fn nearest(&self, page: u16) -> u16 {
        page.min(u16::try_from(self.pages.len().saturating_sub(1)).unwrap_or(u16::MAX))
    }
}

/// The keys of a view that have no hint.
const fn more_keys(view: View) -> &'static [Action] {
    match view {
        View::Frames => &[Action::Partner, Action::Findings, Action::Fold],
        View::Messages => &[Action::Tree, Action::Fold],
        View::Connections => &[Action::Alike],
        View::Timeline => &[Action::ZoomAll, Action::Partner],
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

/// The lowest height of columns that hold these sections in their order.
fn height(sections: &[Vec<HelpLine>], columns: usize) -> usize {
    let heights: Vec<usize> = sections.iter().map(|section| section.len() + 1).collect();
    let total: usize = heights.iter().sum();
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
    (total.div_ceil(columns)..=total).find(|most| fits(*most)).unwrap_or(total)
}

/// Divides sections, in their order, into columns that are as low as possible.
fn divided(sections: Vec<Vec<HelpLine>>, columns: usize) -> Vec<Vec<HelpLine>> {
    let most = height(&sections, columns);
    let mut out: Vec<Vec<HelpLine>> = Vec::new();
    for section in sections {
        match out.last_mut() {
            Some(last) if last.len() + section.len() + 2 <= most => {
                last.push(HelpLine::Blank);
                last.extend(section);
            }
            _ => out.push(section),
        }
    }
    out
}

/// Puts sections on pages: each into the first column with room for it. A section that is higher than a page is continued.
fn paged(sections: Vec<Vec<HelpLine>>, columns: usize, rows: usize) -> Vec<Vec<Vec<HelpLine>>> {
    let mut filled: Vec<Vec<HelpLine>> = Vec::new();
    for mut section in sections {
        while section.len() > rows {
            let rest = section.split_off(rows);
            filled.push(std::mem::replace(&mut section, rest));
        }
        match filled.iter_mut().find(|column| column.len() + 1 + section.len() <= rows) {
            Some(column) => {
                column.push(HelpLine::Blank);
                column.extend(section);
            }
            None => filled.push(section),
        }
    }
    let mut pages: Vec<Vec<Vec<HelpLine>>> = Vec::new();
    for column in filled {
        match pages.last_mut() {
            Some(page) if page.len() < columns => page.push(column),
            _ => pages.push(vec![column]),
        }
    }
    pages
}
