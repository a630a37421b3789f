//! The areas of the panel of findings.

use ratatui::layout::Rect;

use super::layout::Layout;

/// Smallest height of the list in whose place the panel is shown.
const MIN_LIST: u16 = 5;

/// Smallest width at which each row contains its sentence; below it, the sentence of the selected rule is under the rows.
pub const WIDE: u16 = 110;

/// Smallest height at which the columns have heads.
const HEADS_FROM: u16 = 8;

/// The areas of the panel of findings.
pub struct FindingsLayout {
    pub title: Rect,
    pub heads: Rect,
    /// The rows, one per rule.
    pub rows: Rect,
    /// The sentence of the selected rule, on a narrow screen.
    pub sentence: Rect,
    /// Whether the panel covers the record under the cursor.
    pub hides_record: bool,
}

impl FindingsLayout {
    /// The panel in the place of the list; if the list is too small or there are no records, in the place of all panels. `None` on
    /// a screen that is too small.
    pub fn of(layout: &Layout, has_records: bool) -> Option<Self> {
        if layout.is_too_small() {
            return None;
        }
        let list = Rect { height: layout.list_title.height + layout.list.height, ..layout.list_title };
        let all = Rect {
            y: layout.header.bottom(),
            height: layout.hints.y.saturating_sub(layout.header.bottom()),
            ..layout.area
        };
        let in_list = has_records && list.height > MIN_LIST;
        let area = if in_list { list } else { all };
        let mut rest = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        // With few rows, the rules get them all: the columns can be recognized without heads.
        let heads = Rect { height: u16::from(rest.height >= HEADS_FROM), ..rest };
        rest.y += heads.height;
        rest.height -= heads.height;
        let foot = if area.width < WIDE { rest.height.min(1) } else { 0 };
        let rows = Rect { height: rest.height - foot, ..rest };
        let sentence = Rect { y: rows.bottom(), height: foot, ..rest };
        let hides_record = !in_list || layout.middle_title.height == 0;
        Some(Self { title: Rect { height: 1, ..area }, heads, rows, sentence, hides_record })
    }
}
