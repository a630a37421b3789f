//! The areas of the panel of findings, which covers the screen between the first and the last line.

use ratatui::layout::Rect;

use super::layout::Layout;

/// Smallest width at which each row contains its sentence.
pub const WIDE: u16 = 130;

/// Rows for the words about a rule, with the title.
const WORDS: u16 = 10;

/// The areas of the panel of findings.
pub struct FindingsLayout {
    pub title: Rect,
    pub heads: Rect,
    /// The rows, one per rule.
    pub rows: Rect,
    /// What the rule under the cursor means, and the first records that break it.
    pub below: Rect,
}

impl FindingsLayout {
    /// The areas for a number of broken rules; `None` on a screen that is too small.
    pub fn of(layout: &Layout, rules: usize) -> Option<Self> {
        if layout.is_too_small() {
            return None;
        }
        let top = layout.header.bottom();
        let area = Rect { y: top, height: layout.hints.y.saturating_sub(top), ..layout.area };
        let title = Rect { height: 1, ..area };
        let heads = Rect { y: title.bottom(), height: 1, ..area };
        let room = area.height.saturating_sub(2);
        // The rules get what the words and some records leave.
        let most = room.saturating_sub(WORDS + (room / 4).max(6)).max(3).min(room.max(1));
        let height = u16::try_from(rules).unwrap_or(u16::MAX).clamp(1, most);
        let rows = Rect { y: heads.bottom(), height, ..area };
        let below = Rect { y: rows.bottom(), height: room - height, ..area };
        Some(Self { title, heads, rows, below })
    }
}
