//! The content of the help: the keys of the current view first, then the signs, then all keys, in columns.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::action::Action;
use super::keymap::{Binding, Context, Hint, Keymap};
use super::legend::{SIGNS, Sign, TIMELINE, WORDS};
use super::panel::View;
use super::text::wrap;

/// Least widths of the screen for one, two and three columns.
const COLUMNS_FROM: [u16; 3] = [0, 76, 160];

/// Columns beside the names and words of a line: the margin, the gap, and the gap to the next column.
const AROUND: u16 = 5;

/// Least width of columns whose sections all have names of the same width.
const SAME_NAMES_FROM: u16 = 36;

/// Lines of the border around a page.
const BORDER: u16 = 2;

/// Fewest lines of a part of a section, with its title.
const LEAST_PART: usize = 5;

/// What follows the title of a section on its further pages.
const CONTINUED: &str = ", continued";

/// A line of the help.
pub enum HelpLine {
    Blank,
    Title(String),
    /// Keys, right-aligned, and what they do.
    Keys(String, String),
    /// A sign, right-aligned, with its style and meaning.
    Sign(&'static Sign, String, String),
    /// The end of the words above, after the width of the names.
    More(usize, String),
}

/// The lines of the help, in pages of columns.
pub struct HelpPages {
    /// The columns of each page, which have equal widths; at least one page.
    pub pages: Vec<Vec<Vec<HelpLine>>>,
}

impl HelpPages {
    /// The help on a screen of that size. `hints` are the keys of the panel with the focus. `panel` is the context of the panel that
    /// opened the help, if that is not one of the view.
    pub fn of(keymap: &Keymap, view: View, hints: &[Hint], panel: Option<Context>, screen: Rect) -> Self {
        let mut own: Vec<Action>;
        let here = if let Some(group) = panel.and_then(|panel| keymap.groups(panel).next()) {
            own = group.bindings.iter().map(|binding| binding.action).collect();
            section(&format!("Here: {}", group.name), group.bindings.iter().map(HelpLine::of))
        } else {
            let keys = |hint: &Hint| match hint.action {
                Action::Help | Action::Quit => None,
                Action::Up | Action::Left => Some(HelpLine::Keys(hint.key.clone(), format!("move by {}", hint.words))),
                action => Some(HelpLine::of(keymap.binding(Context::Panels, action)?)),
            };
            let more = more_keys(view).iter().filter_map(|action| keymap.binding(Context::Panels, *action));
            own = hints.iter().map(|hint| hint.action).chain(more_keys(view).iter().copied()).collect();
            // Other keys move in the same directions.
            own.retain(|action| !matches!(action, Action::Up | Action::Left | Action::Help | Action::Quit));
            section(&format!("Here: {}", view.name()), hints.iter().filter_map(keys).chain(more.map(HelpLine::of)))
        };
        let signs = [("Signs", &SIGNS[..]), ("Words", &WORDS[..]), ("Signs of the timeline", &TIMELINE[..])];
        let sign = |sign: &'static Sign| HelpLine::Sign(sign, sign.sign.to_owned(), sign.words.to_owned());
        let mut signs = signs.map(|(title, signs)| section(title, signs.iter().map(sign)));
        if view == View::Timeline {
            signs.rotate_right(1);
        }
        let tour = keymap.groups(Context::Tour).filter(|_| hints.iter().any(|hint| hint.action == Action::Tour));
        let groups = tour.chain(keymap.groups(Context::Panels)).map(|group| {
            let others = group.bindings.iter().filter(|binding| !own.contains(&binding.action));
            section(&group.name, others.map(HelpLine::of))
        });
        let groups = groups.filter(|section| section.len() > 1);
        let sections: Vec<Vec<HelpLine>> = std::iter::once(here).chain(signs).chain(groups).collect();
        let columns = COLUMNS_FROM.iter().filter(|least| screen.width >= **least).count();
        let column = screen.width.saturating_sub(BORDER) / u16::try_from(columns).unwrap_or(1).max(1);
        let widest = sections.iter().map(|lines| names(lines)).max().unwrap_or(0);
        let room = usize::from(column.saturating_sub(AROUND));
        let sections: Vec<Vec<HelpLine>> = sections
            .into_iter()
            .map(|lines| {
                let names = if column < SAME_NAMES_FROM { names(&lines) } else { widest };
                lines.into_iter().flat_map(|line| line.wrapped(names, room.saturating_sub(names))).collect()
            })
            .collect();
        let rows = usize::from(screen.height.saturating_sub(BORDER)).max(2);
        let mut pages = match height(&sections, columns) <= rows {
            true => vec![divided(sections, columns)],
            false => paged(sections, columns, rows),
        };
        // A column that is alone on its page is as wide as the page.
        for page in pages.iter_mut().filter(|page| page.len() == 1) {
            *page = page.drain(..).map(unwrapped).collect();
        }
        Self { pages }
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
    fn of(binding: &Binding) -> Self {
        Self::Keys(binding.labels(), binding.help.clone())
    }

    fn name_width(&self) -> usize {
        match self {
            Self::Blank | Self::Title(_) | Self::More(..) => 0,
            Self::Keys(keys, _) => keys.width(),
            Self::Sign(_, sign, _) => sign.width(),
        }
    }

    /// The line with its name in `names` columns and its words wrapped at `columns`.
    fn wrapped(self, names: usize, columns: usize) -> Vec<Self> {
        let (first, rest) = match &self {
            Self::Keys(_, words) | Self::Sign(_, _, words) => {
                let mut lines = wrap(words, columns).into_iter();
                (lines.next().unwrap_or_default(), lines.collect::<Vec<_>>())
            }
            Self::Blank | Self::Title(_) | Self::More(..) => return vec![self],
        };
        let padded = |name: &str| " ".repeat(names.saturating_sub(name.width())) + name;
        let first = match self {
            Self::Keys(keys, _) => Self::Keys(padded(&keys), first),
            Self::Sign(sign, name, _) => Self::Sign(sign, padded(&name), first),
            other => other,
        };
        std::iter::once(first).chain(rest.into_iter().map(|words| Self::More(names, words))).collect()
    }
}

/// The lines with their words in one line each.
fn unwrapped(column: Vec<HelpLine>) -> Vec<HelpLine> {
    let mut lines: Vec<HelpLine> = Vec::new();
    for line in column {
        match (lines.last_mut(), line) {
            (Some(HelpLine::Keys(_, words) | HelpLine::Sign(_, _, words)), HelpLine::More(_, more)) => {
                words.push(' ');
                words.push_str(&more);
            }
            (_, line) => lines.push(line),
        }
    }
    lines
}

/// Width of the widest name.
fn names(lines: &[HelpLine]) -> usize {
    lines.iter().map(HelpLine::name_width).max().unwrap_or(0)
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

/// Fills the columns of pages with sections, one after the other. A section that does not fit into the rest of its column is continued
/// in the next one.
fn paged(sections: Vec<Vec<HelpLine>>, columns: usize, rows: usize) -> Vec<Vec<Vec<HelpLine>>> {
    let mut filled: Vec<Vec<HelpLine>> = vec![Vec::new()];
    for mut section in sections {
        loop {
            let column = filled.last().map_or(0, Vec::len);
            let room = rows.saturating_sub(if column > 0 { column + 1 } else { 0 });
            let rest = if section.len() <= room {
                None
            } else if room >= LEAST_PART.min(rows) {
                Some(split(&mut section, room))
            } else {
                filled.push(Vec::new());
                continue;
            };
            if let Some(last) = filled.last_mut() {
                if !last.is_empty() {
                    last.push(HelpLine::Blank);
                }
                last.extend(section);
            }
            let Some(rest) = rest else { break };
            filled.push(Vec::new());
            section = rest;
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

/// Splits a section after at most `room` lines. Returns the rest, with the title.
fn split(section: &mut Vec<HelpLine>, room: usize) -> Vec<HelpLine> {
    // The words of a line stay together.
    let is_start = |line: &HelpLine| !matches!(line, HelpLine::More(..));
    let at = (2..=room).rev().find(|at| section.get(*at).is_some_and(is_start)).unwrap_or(room);
    let mut rest = section.split_off(at);
    if let Some(HelpLine::Title(title)) = section.first() {
        let title = title.strip_suffix(CONTINUED).unwrap_or(title);
        rest.insert(0, HelpLine::Title(format!("{title}{CONTINUED}")));
    }
    rest
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn each_column_has_a_title_and_continues_an_earlier_one() {
        let keymap = Keymap::built_in().expect("a table");
        let hints = keymap.hints(Context::Panels);
        let sizes = [(60, 20), (80, 24), (120, 36), (200, 60)];
        for (size, view) in sizes.iter().flat_map(|size| View::VARIANTS.iter().map(move |view| (*size, *view))) {
            for panel in [None, Some(Context::Findings), Some(Context::Hold)] {
                let help = HelpPages::of(&keymap, view, &hints, panel, Rect::new(0, 0, size.0, size.1));
                let mut titles: Vec<String> = Vec::new();
                for column in help.pages.into_iter().flatten() {
                    assert!(matches!(column.first(), Some(HelpLine::Title(_))), "{size:?}, {view:?}");
                    titles.extend(column.into_iter().filter_map(|line| match line {
                        HelpLine::Title(title) => Some(title),
                        _ => None,
                    }));
                }
                for (i, title) in titles.iter().enumerate() {
                    let begun = title.strip_suffix(CONTINUED);
                    assert!(
                        begun.is_none_or(|begun| titles[..i].iter().any(|title| title.starts_with(begun))),
                        "{titles:?}"
                    );
                }
            }
        }
    }
}
