//! The areas of the panel of findings, which covers the screen between the first line, or the tour, and the last line.

use ratatui::layout::Rect;

use super::layout::Layout;

/// Smallest width at which each row contains its sentence.
pub const WIDE: u16 = 130;

/// Column of the words about a rule.
pub const TEXT: u16 = 8;

/// The widest words: longer lines are hard to read.
const MAX_TEXT: u16 = 116;

/// Smallest height of the panel with empty rows around the words.
const SPACED: u16 = 28;

/// Records that keep a row when the words are long.
const LEAST_RECORDS: u16 = 3;

/// The areas of the panel of findings.
pub struct FindingsLayout {
    pub title: Rect,
    pub heads: Rect,
    /// The rows, one per rule.
    pub rows: Rect,
    /// What the rule under the cursor means, and the first records that break it.
    pub below: Rect,
    /// Empty rows before the words, and after them.
    pub gap: u16,
    /// The most rows of words below their title.
    pub words: u16,
}

/// Number of columns of the words about a rule.
pub const fn columns(width: u16) -> u16 {
    let columns = width.saturating_sub(TEXT + 1);
    if columns < MAX_TEXT { columns } else { MAX_TEXT }
}

impl FindingsLayout {
    /// The areas for a number of broken rules, of which the selected one has that many rows of words and so many records; `None` on a
    /// screen that is too small.
    pub fn of(layout: &Layout, rules: usize, words: usize, records: u64) -> Option<Self> {
        if layout.is_too_small() {
            return None;
        }
        let top = layout.tour.bottom();
        let area = Rect { y: top, height: layout.hints.y.saturating_sub(top), ..layout.area };
        let title = Rect { height: 1, ..area };
        let heads = Rect { y: title.bottom(), height: 1, ..area };
        let room = area.height.saturating_sub(2);
        let gap = u16::from(room >= SPACED);
        let records = u16::try_from(records).unwrap_or(u16::MAX);
        // Both parts have a title.
        let needs = |most: u16| 2 + 2 * gap + records.min(most);
        // The rules get what the words and some records leave.
        let words = u16::try_from(words).unwrap_or(u16::MAX);
        let rest = needs((room / 4).max(LEAST_RECORDS)).saturating_add(words);
        let most = room.saturating_sub(rest).max(3).min(room.max(1));
        let height = u16::try_from(rules).unwrap_or(u16::MAX).clamp(1, most);
        let rows = Rect { y: heads.bottom(), height, ..area };
        let below = Rect { y: rows.bottom(), height: room - height, ..area };
        let words = below.height.saturating_sub(needs(LEAST_RECORDS)).max(3);
        Some(Self { title, heads, rows, below, gap, words })
    }
}
