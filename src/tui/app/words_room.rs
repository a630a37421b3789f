//! How many lines the words below a record get: more where rows are free, fewer where the table of fields needs them.

use super::App;
use crate::tui::ladder::LadderNeeds;
use crate::tui::layout::{CHAIN, Layout, Shape};
use crate::tui::panel::Panel;
use crate::tui::state::detail_pane::prepare::Needs;
use crate::tui::text;

/// Fewest lines of the words, and the most that they get because rows are free.
const LINES: (u16, u16) = (3, 12);

/// Columns around the words.
const MARGINS: u16 = 2;

impl App {
    /// The lines of the words in the place of those that the layout gives them; `None` if those are right, or if the words have no
    /// place below the record.
    pub(super) fn words_room(&self, record: &Shape) -> Option<u16> {
        let area = self.layout.explanation;
        if let Some(needs) =
            self.closing_needs(self.layout.left.width).filter(|_| area.height >= LINES.0 && self.layout.left.area() > 0)
        {
            return self.words_room_below_ladder(needs);
        }
        let detail = self.detail.current().filter(|detail| !detail.rows.is_empty() && area.height >= LINES.0)?;
        if self.layout.list_divider.height > 0 {
            return None;
        }
        let words = self.words()?;
        let wanted = words.lines(usize::from(area.width.saturating_sub(MARGINS))).clamp(LINES.0, LINES.1);
        let columns = self.columns(record);
        let given = if wanted > area.height {
            // The reason of a finding, and the XOR of a byte, are more important than the bits of a payload.
            let comes_first = !detail.record.findings.is_empty() || words.unmasking.is_some();
            let need = |needs: &Needs| if comes_first { needs.least } else { needs.full.min(needs.used) };
            let free = columns.iter().map(|(height, needs)| height.saturating_sub(need(needs))).min()?;
            let given = wanted.min(area.height.saturating_add(free));
            // For the reason of a finding, the grid shows only the rows around the bits at fault.
            let urgent = words.urgent_lines(usize::from(area.width.saturating_sub(MARGINS))).min(LINES.1);
            let fewest = columns.iter().map(|(height, needs)| height.saturating_sub(needs.around)).min()?;
            if comes_first { given.max(urgent.min(area.height.saturating_add(fewest))) } else { given }
        } else {
            let lacking = self.detail.needs(self.layout.left).full.saturating_sub(self.layout.left.height);
            let lacking = if self.layout.left.area() > 0 { lacking } else { 0 };
            wanted.max(area.height.saturating_sub(lacking))
        };
        (given != area.height).then_some(given)
    }

    /// The lines of the words below the drawing of a closed connection: all of them where the drawing leaves room, those about the
    /// terms where half of the room is free, and what the drawing does not fill.
    fn words_room_below_ladder(&self, needs: LadderNeeds) -> Option<u16> {
        let layout = &self.layout;
        let (words, detail) = (self.words()?, self.detail.current()?);
        let columns = usize::from(layout.explanation.width.saturating_sub(MARGINS));
        let room = layout.left.height.saturating_add(layout.explanation.height);
        let mut wanted = words.lines(columns);
        for term in self.further(detail, &[]).chunks(2) {
            let lines: usize = term.iter().map(|part| text::wrap(&part.text, columns).len()).sum();
            let lines = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(1);
            if wanted.saturating_add(lines) > room / 2 {
                break;
            }
            wanted += lines;
        }
        let wanted = wanted.min(room.saturating_sub(needs.least)).max(room.saturating_sub(needs.full));
        Some(wanted.max(LINES.0)).filter(|lines| *lines != layout.explanation.height)
    }

    /// The height of each column of the record with the lines that it needs: the bits, and the bytes.
    fn columns(&self, record: &Shape) -> Vec<(u16, Needs)> {
        let layout = &self.layout;
        let mut columns = Vec::new();
        if layout.left.area() > 0 {
            columns.push((layout.left.height, self.detail.needs(layout.left)));
        }
        let panels = [Panel::Bytes, Panel::Payload, Panel::Inflated];
        let shown: Vec<(u16, u16)> = panels
            .into_iter()
            .filter_map(|panel| Some((layout.area_of(panel).height, lines(layout, record, panel)?)))
            .collect();
        let fragments = record.fragments.filter(|_| layout.fragments.height > 0);
        // A panel that shares a column has a title line.
        let titles = u16::try_from(shown.len()).unwrap_or(0).saturating_sub(1);
        let least = if titles > 0 { 3 * titles + 2 } else { 1 };
        let sum = |lines: fn(&(u16, u16)) -> u16| shown.iter().map(lines).fold(titles, u16::saturating_add);
        if !shown.is_empty() {
            let listed = fragments.map_or(0, |all| all.lines(layout.fragments.width));
            let has_chain = layout.chain.height > 0;
            let chain = if has_chain { CHAIN } else { 0 };
            let around =
                if has_chain { layout.lengths.bottom() - layout.inflated.bottom() + layout.chain.height } else { 0 };
            let full = sum(|(_, lines)| *lines).max(least).saturating_add(listed).saturating_add(chain);
            columns.push((
                sum(|(height, _)| *height).saturating_add(layout.fragments.height).saturating_add(around),
                Needs { least: full.min(least.max(3)), full, around: full.min(least.max(3)), used: full },
            ));
        }
        columns
    }
}

/// The lines that the content of a panel fills; `None` if the layout has no place for it.
fn lines(layout: &Layout, record: &Shape, panel: Panel) -> Option<u16> {
    let area = layout.area_of(panel);
    record.content_of(panel).filter(|_| area.area() > 0).map(|content| content.lines(area))
}
