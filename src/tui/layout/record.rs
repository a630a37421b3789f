//! The panels of a record: bits, bytes, payload and inflated message.

use ratatui::layout::Rect;

use super::super::bit_grid;
use super::{CHAIN, Content, HexShape, LEAST_MIDDLE, Layout, Panel, SIDE_BY_SIDE, Shape, WIDE, take_bottom, take_top};

/// The most lines of the frames of a message, unless more lines are free.
const MOST_FRAGMENT_LINES: u16 = 3;

/// Lines that bytes and payload keep where rows of the table of fields are below them: a payload that is text, and one that is hex,
/// like the bytes.
const LEAST_WITH_TEXT: (u16, u16) = (3, 2);
const LEAST_WITH_HEX: (u16, u16) = (2, 1);

/// Fewest lines of the table of fields below them: its title and two rows.
const LEAST_FIELDS: u16 = 3;

/// Divides the area of a record: bits at the left, bytes at the right if the area is wide enough.
pub(super) fn divide_record(layout: &mut Layout, area: Rect, focus: Panel, record: Shape) {
    if let Some(panel) = record.text_first {
        return divide_message(layout, area, focus, record, panel);
    }
    if record.is_end {
        layout.left = area;
        return;
    }
    let has_bytes_beside = area.width >= WIDE || area.width >= SIDE_BY_SIDE && !record.is_head;
    if has_bytes_beside {
        let left = if area.width >= WIDE { bit_grid::WIDE } else { area.width - 1 - HexShape::width(8) };
        layout.left = Rect { width: left, ..area };
        layout.divider = Rect { x: layout.left.right(), width: 1, ..area };
        let right = Rect { x: layout.divider.right(), width: area.width - left - 1, ..area };
        divide_bytes(layout, right, record);
    }
    let has_place = layout.area_of(focus).area() > 0;
    if !has_bytes_beside || !has_place {
        let panel = if has_place || focus == Panel::List { Panel::Bits } else { focus };
        (layout.left, layout.divider) = Default::default();
        (layout.bytes, layout.payload_title, layout.payload) = Default::default();
        (layout.inflated_title, layout.inflated) = Default::default();
        layout.give(panel, area);
    }
}

/// Puts the text of a message over the whole width, below bits and bytes. Without room for both, the text gets the area while the
/// list or the text itself has the focus.
fn divide_message(layout: &mut Layout, mut area: Rect, focus: Panel, record: Shape, panel: Panel) {
    let content = if panel == Panel::Inflated { record.inflated.flatten() } else { record.payload };
    let fragments = record.fragments.map_or(0, |all| all.lines(area.width).min(MOST_FRAGMENT_LINES));
    let lines = content.map_or(1, |content| content.lines(area)).saturating_add(fragments);
    let rest = Shape { text_first: None, ..record };
    let mut text = area;
    let mut title = Rect::default();
    if area.height >= lines.saturating_add(1 + LEAST_MIDDLE) {
        text = take_bottom(&mut area, lines);
        title = take_bottom(&mut area, 1);
        let focus = if focus == panel { Panel::List } else { focus };
        // The payload of a fragment is a part of the text.
        let payload = record.payload.filter(|_| panel == Panel::Inflated);
        divide_record(layout, area, focus, Shape { payload, inflated: None, ..rest });
    } else if focus != Panel::List && focus != panel {
        return divide_record(layout, area, focus, rest);
    }
    if fragments > 0 && text.height > 1 {
        // Directly below the text, with all rows that it leaves.
        let own = lines.saturating_sub(fragments).min(text.height - 1);
        let left = text.height - own;
        layout.fragments = take_bottom(&mut text, left);
    }
    if panel == Panel::Inflated {
        layout.inflated_title = title;
    } else {
        layout.payload_title = title;
    }
    layout.give(panel, text);
}

/// Divides the right column between wire bytes, payload and inflated message. Each gets the lines that it fills, or its share.
/// If there are too few, the payload of a compressed message is left out, then any payload.
pub(super) fn divide_bytes(layout: &mut Layout, mut area: Rect, record: Shape) {
    let inflated = record.inflated;
    let fits = |panels: u16| area.height >= 3 * panels - 1;
    let panels = 1 + u16::from(inflated.is_some());
    let wire = Content::Hex(record.wire_len).lines(area);
    // The payload of a compressed message is in the wire bytes, too: how it is inflated says more.
    let lines = |content: Option<Content>| content.map_or(0, |content| content.lines(area));
    let chain = if record.has_chain { lines(inflated.flatten()).saturating_add(CHAIN) } else { 0 };
    let titles = 2;
    let whole = wire.saturating_add(lines(record.payload)).saturating_add(chain).saturating_add(titles);
    let payload = record.payload.filter(|_| fits(panels + 1) && (chain == 0 || whole <= area.height));
    let inflated = inflated.filter(|_| fits(panels));
    let wanted =
        [Some(wire), payload.map(|payload| payload.lines(area)), inflated.flatten().map(|own| own.lines(area))];
    let titles = u16::from(payload.is_some()) + u16::from(inflated.is_some());
    let [wire, payload_lines, _] = shares(area.height - titles, wanted);
    if payload.is_none() && inflated.is_none() {
        layout.bytes = area;
        return;
    }
    layout.bytes = take_top(&mut area, wire);
    if payload.is_some() {
        layout.payload_title = take_top(&mut area, 1);
        let lines = if inflated.is_some() { payload_lines } else { area.height };
        layout.payload = take_top(&mut area, lines);
    }
    if let Some(content) = inflated {
        layout.inflated_title = take_top(&mut area, 1);
        if content.is_some() {
            layout.inflated = area;
        }
    }
}

impl Layout {
    /// Leaves lines below the bytes and the payload, which are beside the bits, for rows of the table of fields: that many, or as many
    /// as the rest can spare. The payload is in the wire bytes, too.
    pub fn leave_for_fields(&mut self, lines: u16, record: Shape) {
        let column = self.left.height;
        let is_beside = self.bytes.area() > 0 && self.bytes.x > self.left.x;
        if lines == 0 || !is_beside || record.inflated.is_some() || self.fragments.height > 0 {
            return;
        }
        let wire = Content::Hex(record.wire_len).lines(self.bytes);
        let payload = record.payload.filter(|_| self.payload.height > 0).map_or(0, |all| all.lines(self.payload));
        let title = self.payload_title.height;
        let is_hex = matches!(record.payload, Some(Content::Hex(_)));
        let least = if is_hex { LEAST_WITH_HEX } else { LEAST_WITH_TEXT };
        let least = wire.min(least.0) + title + payload.min(least.1);
        let given = lines.min(column.saturating_sub(least));
        let kept = column.saturating_sub(title + given);
        // A tree is on the screen because the user wants it.
        let is_tree = matches!(record.payload, Some(Content::Lines(_)));
        if is_tree || given < lines.min(LEAST_FIELDS) || wire.saturating_add(payload) <= kept {
            return;
        }
        let own = payload.min((kept / 2).max(kept.saturating_sub(wire)));
        let mut area = Rect { height: title + kept, ..self.bytes };
        self.bytes = take_top(&mut area, kept - own);
        if self.payload.height > 0 {
            self.payload_title = take_top(&mut area, 1);
            self.payload = area;
        }
    }
}

/// Divides lines: each part gets what it wants, or an equal share of what the others leave.
fn shares(lines: u16, wanted: [Option<u16>; 3]) -> [u16; 3] {
    let mut given = [0; 3];
    let mut open: Vec<(usize, u16)> = wanted.iter().enumerate().filter_map(|(i, part)| Some((i, (*part)?))).collect();
    open.sort_by_key(|(_, wanted)| *wanted);
    let mut left = lines;
    while let Some((i, wanted)) = open.first().copied() {
        given[i] = wanted.min(left / u16::try_from(open.len()).unwrap_or(1));
        left -= given[i];
        open.remove(0);
    }
    given
}
