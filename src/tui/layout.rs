//! The areas of the screen, computed once for drawing, scrolling and the mouse.

mod record;
mod shape;

use ratatui::layout::Rect;

use self::record::{divide_bytes, divide_record};
pub use self::shape::{Content, Fragments, Shape};
use super::bit_grid;
pub use super::hex_shape::HexShape;
use super::panel::Panel;

/// Smallest supported terminal: columns and rows.
pub const MIN_SIZE: (u16, u16) = (40, 10);

/// Smallest width that shows bits and bytes side by side.
const SIDE_BY_SIDE: u16 = bit_grid::NARROW + 1 + HexShape::width(8);

/// Smallest width that shows 32 bits a row with the bytes beside them.
const WIDE: u16 = 110;

/// Smallest terminal that shows the list, the bits and the bytes in three columns.
const THREE_COLUMNS: (u16, u16) = (164, 30);

/// Smallest height that shows RSV1, RSV2 and RSV3 in rows of their own.
pub const TALL: u16 = 40;

/// Smallest terminal that shows the tour: columns and rows.
pub const TOUR_SIZE: (u16, u16) = (60, 20);

/// Smallest terminal that shows the list beside a tour, in rows.
const TOUR_WITH_LIST: u16 = 30;

/// Fewest lines that the tour leaves to the rest: a record with its title.
const BELOW_TOUR: u16 = 9;

/// Fewest lines of a record, with its title, beside a tour that leaves the words in place.
const RECORD_IN_TOUR: u16 = 8;

/// Columns to the left of the timeline's lanes: cursor, connection, direction.
pub const GUTTER: u16 = 10;

/// Fewest and most lines of the explanation.
const WORDS: (u16, u16) = (3, 6);

/// Lines of the explanation on a tall screen.
const TALL_WORDS: u16 = 8;

/// Fewest lines of a record: fewer would show less than a ruler, names and bits.
const LEAST_MIDDLE: u16 = 7;

/// The most lines of the panels between list and explanation.
const MOST_MIDDLE: u16 = 26;

/// The most lines of the bits above the explanation, where both are a column.
const MOST_BITS: u16 = 22;

/// Fewest and most lines below a list that is a column.
const ASIDE: (u16, u16) = (12, 17);

/// Fewest lines of the records of a connection as arrows, and those that are no arrows.
const CONVERSATION: (u16, u16) = (8, 4);

/// Fewest lines of explanations below the bytes.
const FURTHER: u16 = 8;

/// Column of the preview in a list that is a column of the screen.
pub const COLUMN_PREVIEW: u16 = 47;

/// Widest list that is a column.
const MOST_LIST: u16 = 110;

/// Lines of the drawing of how a message was inflated: its steps above the content, and the lengths below.
pub const CHAIN: u16 = CHAIN_STEPS + 2;

/// Lines of the steps.
const CHAIN_STEPS: u16 = 3;

/// Width of the table of a payload's bytes, in columns.
pub const BYTE_TABLE: u16 = 52;

/// The areas of the screen. An area that does not fit is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The whole screen.
    pub area: Rect,
    /// The line at the top.
    pub header: Rect,
    /// The tour, with its title line.
    pub tour: Rect,
    /// Title line of the list, with its column heads.
    pub list_title: Rect,
    /// The records.
    pub list: Rect,
    /// The vertical line to the right of the list, where it is a column.
    pub list_divider: Rect,
    /// Title line of bits and bytes.
    pub middle_title: Rect,
    /// The left panel: bits, or a handshake.
    pub left: Rect,
    /// The vertical line between bits and bytes.
    pub divider: Rect,
    pub bytes: Rect,
    /// Title line of the payload.
    pub payload_title: Rect,
    /// The unmasked payload.
    pub payload: Rect,
    /// Title line of the inflated message. Without a panel below, it gives the reason.
    pub inflated_title: Rect,
    /// The inflated message.
    pub inflated: Rect,
    /// The steps of inflating, above the inflated message.
    pub chain: Rect,
    /// Its lengths, below it.
    pub lengths: Rect,
    /// Title line of the explanation.
    pub explanation_title: Rect,
    pub explanation: Rect,
    /// The frames of a message, below its text.
    pub fragments: Rect,
    /// The connection of the record, below a list that is a short column, with its title line.
    pub aside: Rect,
    /// The records of that connection as arrows, above it, with their title line.
    pub conversation: Rect,
    /// Explanations that have no room in the middle, below the bytes in the right column, with their title line.
    pub further: Rect,
    /// The line at the bottom.
    pub hints: Rect,
}

impl Layout {
    /// Whether the terminal is smaller than [`MIN_SIZE`].
    pub const fn is_too_small(&self) -> bool {
        self.area.width < MIN_SIZE.0 || self.area.height < MIN_SIZE.1
    }

    /// The area of a panel.
    pub const fn area_of(&self, panel: Panel) -> Rect {
        match panel {
            Panel::List => self.list,
            Panel::Bits => self.left,
            Panel::Bytes => self.bytes,
            Panel::Payload => self.payload,
            Panel::Inflated => self.inflated,
        }
    }

    /// Gives an area to one panel below the list.
    const fn give(&mut self, panel: Panel, area: Rect) {
        match panel {
            Panel::List => self.list = area,
            Panel::Bits => self.left = area,
            Panel::Bytes => self.bytes = area,
            Panel::Payload => self.payload = area,
            Panel::Inflated => self.inflated = area,
        }
    }
}

/// Divides the screen. The panel with the `focus` gets all of it but the explanation if it is `maximised`; a panel that has no
/// place gets that of the bits while it has the focus.
pub fn compute(area: Rect, focus: Panel, maximised: bool, record: Shape) -> Layout {
    let mut layout = Layout { area, ..Layout::default() };
    if layout.is_too_small() {
        return layout;
    }
    let mut rest = area;
    layout.header = take_top(&mut rest, 1);
    layout.hints = take_bottom(&mut rest, record.prompt.max(1));
    let tour = record.tour.min(rest.height.saturating_sub(BELOW_TOUR));
    layout.tour = take_top(&mut rest, tour);
    if record.no_record {
        layout.list_title = take_top(&mut rest, 1);
        layout.list = rest;
    } else if maximised {
        one_panel(&mut layout, rest, focus, record);
    } else if area.width >= THREE_COLUMNS.0 && area.height >= THREE_COLUMNS.1 && !record.wide_list {
        three_columns(&mut layout, rest, record);
    } else {
        rows(&mut layout, rest, focus, record);
    }
    place_chain(&mut layout, record);
    list_fragments(&mut layout, record);
    layout
}

fn one_panel(layout: &mut Layout, mut rest: Rect, panel: Panel, record: Shape) {
    let words = record.words.unwrap_or_else(|| words_height(rest.height));
    explain_below(layout, &mut rest, words);
    let title = take_top(&mut rest, 1);
    if panel == Panel::List {
        layout.list_title = title;
    } else {
        layout.middle_title = title;
    }
    layout.give(panel, rest);
}

/// The list above, the record in the middle, the explanation below.
fn rows(layout: &mut Layout, mut rest: Rect, focus: Panel, record: Shape) {
    let in_tour = record.tour > 0;
    let usual = words_height(rest.height);
    let mut words = record.words.unwrap_or(usual);
    if in_tour && rest.height < RECORD_IN_TOUR + words.min(usual) + 1 {
        // The tour's paragraph takes the place of the words.
        words = 0;
    } else {
        explain_below(layout, &mut rest, words);
    }
    let title = take_top(&mut rest, 1);
    // The words take lines from the record, or leave it some; the list stays as high.
    let body = if words == 0 { rest.height } else { (rest.height + words).saturating_sub(usual) };
    let least = if record.prompt > 0 { 2 } else { 3 };
    let list = ((rest.height + words).saturating_sub(4) * 2 / 7).max(least);
    let list = list.max(record.list_rows.min(body.saturating_sub(LEAST_MIDDLE + 1)).min(body / 2));
    let middle = body.saturating_sub(list + 1).min(MOST_MIDDLE);
    if middle < LEAST_MIDDLE || in_tour && layout.area.height < TOUR_WITH_LIST && focus != Panel::List {
        // There is one panel for the list and the record.
        if focus == Panel::List {
            layout.list_title = title;
        } else {
            layout.middle_title = title;
        }
        if in_tour && focus != Panel::List {
            return divide_record(layout, rest, focus, record);
        }
        layout.give(focus, rest);
        return;
    }
    layout.list_title = title;
    let list = body - middle - 1;
    layout.list = take_top(&mut rest, list);
    layout.middle_title = take_top(&mut rest, 1);
    divide_record(layout, rest, focus, record);
}

/// The list at the left, bits and explanation in the middle, bytes at the right.
fn three_columns(layout: &mut Layout, rest: Rect, record: Shape) {
    let bits = bit_grid::WIDE;
    // The widest column for the bytes that leaves a list with all of its columns, or else with most of them.
    let list = |bytes: u16| rest.width.saturating_sub(bits + 2 + bytes);
    let widths = [(HexShape::width(16), 76), (BYTE_TABLE, 52), (HexShape::width(8), 0)];
    let (bytes, _) = widths.into_iter().find(|(bytes, least)| list(*bytes) >= *least).unwrap_or(widths[2]);
    // A list that is wider than its rows leaves the bytes more.
    let mut column = Rect { width: list(bytes).min(MOST_LIST), ..rest };
    layout.list_title = take_top(&mut column, 1);
    layout.list_divider = Rect { x: column.right(), width: 1, ..column };
    let free = u64::from(column.height).saturating_sub(record.listed + 1);
    let (least, most) = ASIDE;
    if free >= u64::from(least) {
        let free = u16::try_from(free).unwrap_or(u16::MAX);
        layout.aside = take_bottom(&mut column, free.min(most));
        // Rows of the list may have several lines.
        let listed = u16::try_from(record.listed).unwrap_or(u16::MAX);
        let spare = free.saturating_sub(most);
        let spare = (spare - listed.min(spare / 3)).min(listed.saturating_mul(2).saturating_add(CONVERSATION.1));
        if spare >= CONVERSATION.0 && !record.is_end {
            layout.conversation = take_bottom(&mut column, spare);
        }
    }
    layout.list = column;
    let mut record_area = Rect { x: column.right() + 1, width: rest.width - column.width - 1, ..rest };
    layout.middle_title = take_top(&mut record_area, 1);
    if record.is_end {
        let words = record.words.unwrap_or_else(|| record_area.height.saturating_sub(MOST_BITS));
        explain_below(layout, &mut record_area, words);
        layout.left = record_area;
        return;
    }
    let mut middle = Rect { width: bits, ..record_area };
    let right = Rect { x: middle.right() + 1, width: record_area.width - bits - 1, ..record_area };
    let words = middle.height.saturating_sub(MOST_BITS + 1).max(middle.height / 3);
    explain_below(layout, &mut middle, words);
    layout.left = middle;
    layout.divider = Rect { x: middle.right(), width: 1, ..record_area };
    divide_bytes(layout, right, record);
    take_further(layout, record);
}

/// Puts the steps of inflating above the content, and its lengths below, if lines are free for all of them.
fn place_chain(layout: &mut Layout, record: Shape) {
    let Some(content) = record.inflated.flatten().filter(|_| record.has_chain && layout.inflated.area() > 0) else {
        return;
    };
    let mut area = layout.inflated;
    let lines = content.lines(area);
    let Some(spare) = area.height.checked_sub(lines.saturating_add(CHAIN)) else { return };
    layout.chain = take_top(&mut area, CHAIN_STEPS);
    layout.inflated = take_top(&mut area, lines);
    take_top(&mut area, spare.min(1));
    layout.lengths = area;
}

/// Lists the frames of a message in the lines that its content leaves.
fn list_fragments(layout: &mut Layout, record: Shape) {
    let (Some(_), Some(content)) = (record.fragments, record.inflated.flatten()) else { return };
    let free = layout.inflated.height.saturating_sub(content.lines(layout.inflated));
    if free > 0 && layout.fragments.height == 0 && layout.chain.height == 0 {
        // Directly below the content.
        layout.fragments = take_bottom(&mut layout.inflated, free);
    }
}

/// Takes the lines that the lowest panel of the right column does not fill.
fn take_further(layout: &mut Layout, record: Shape) {
    let panels = [Panel::Inflated, Panel::Payload, Panel::Bytes];
    let Some(panel) = panels.into_iter().find(|panel| layout.area_of(*panel).area() > 0) else { return };
    let area = layout.area_of(panel);
    let table = match record.content_of(panel) {
        Some(Content::Hex(len) | Content::Text(len, _)) if panel == Panel::Payload && area.width >= BYTE_TABLE => {
            u16::try_from(len).unwrap_or(u16::MAX).saturating_add(2)
        }
        _ => 0,
    };
    let fragments = record.fragments.filter(|_| panel == Panel::Inflated).map_or(0, |all| all.lines_apart(area.width));
    let chain = if panel == Panel::Inflated && record.has_chain { CHAIN + 1 } else { 0 };
    let lines = record.content_of(panel).map_or(0, |content| content.lines(area));
    let lines = lines.saturating_add(table).saturating_add(fragments).saturating_add(chain);
    let free = area.height.saturating_sub(lines.saturating_add(1));
    if free >= FURTHER {
        let mut area = area;
        layout.further = take_bottom(&mut area, free);
        layout.give(panel, area);
    }
}

/// Lines of the explanation, in a body of that height.
const fn words_height(body: u16) -> u16 {
    let (least, most) = WORDS;
    let lines = least + body.saturating_sub(18) / 4;
    match body {
        48.. => TALL_WORDS,
        _ if lines > most => most,
        _ => lines,
    }
}

fn explain_below(layout: &mut Layout, rest: &mut Rect, lines: u16) {
    layout.explanation = take_bottom(rest, lines);
    layout.explanation_title = take_bottom(rest, 1);
}

fn take_top(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    let taken = Rect { height: rows, ..*rest };
    rest.y += rows;
    rest.height -= rows;
    taken
}

fn take_bottom(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    rest.height -= rows;
    Rect { y: rest.y + rest.height, height: rows, ..*rest }
}
