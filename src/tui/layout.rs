//! The areas of the screen, computed once for drawing, scrolling and the mouse.

use ratatui::layout::Rect;

pub use super::hex_shape::HexShape;
use super::panel::Panel;

/// Smallest supported terminal: columns and rows.
pub const MIN_SIZE: (u16, u16) = (40, 10);

/// Smallest width that shows bits and bytes side by side.
const SIDE_BY_SIDE: u16 = 72;

/// Smallest width that shows the facts of a connection in two columns.
pub const CARD_IN_TWO: u16 = 100;

/// Columns to the left of the timeline's lanes: cursor, connection, direction.
pub const GUTTER: u16 = 10;

/// Smallest height of the timeline that has a legend in its last row.
pub const LEGEND_FROM: u16 = 5;

/// Smallest terminal height that shows the explanation with three lines, and with one line.
const EXPLANATION_FROM: [u16; 2] = [28, 24];

/// The areas of the screen. An area that does not fit is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The whole screen.
    pub area: Rect,
    /// The line at the top.
    pub header: Rect,
    /// Title line of the list, with its column heads.
    pub list_title: Rect,
    /// The records.
    pub list: Rect,
    /// Title line of bits and bytes.
    pub middle_title: Rect,
    /// The left panel: bits, or a handshake.
    pub left: Rect,
    /// The facts of a connection, in the place of bits and bytes.
    pub card: Rect,
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
    /// Title line of the explanation.
    pub explanation_title: Rect,
    pub explanation: Rect,
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
}

/// The properties of the record under the cursor that the layout depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Whether the facts of its connection are shown instead of the record.
    pub card: bool,
    /// Whether it is a frame, which has a bit grid.
    pub has_bits: bool,
    /// Whether it has a payload.
    pub payload: bool,
    /// Its length on the wire, in bytes.
    pub wire_len: u64,
    /// For a frame of a compressed message: number of inflated bytes to show, 0 if another frame shows them. `None` for any
    /// other record.
    pub inflated: Option<u64>,
}

/// Divides the screen. A `maximised` panel gets all of it but the first and the last line.
pub fn compute(area: Rect, maximised: Option<Panel>, record: Shape) -> Layout {
    let mut layout = Layout { area, ..Layout::default() };
    if layout.is_too_small() {
        return layout;
    }
    let mut rest = area;
    layout.header = take_top(&mut rest, 1);
    layout.hints = take_bottom(&mut rest, 1);
    let [whole, a_line] = EXPLANATION_FROM;
    if area.height >= a_line && !record.card {
        let rows = match area.height {
            44.. => 5,
            height if height >= whole => 3,
            _ => 1,
        };
        layout.explanation = take_bottom(&mut rest, rows);
        layout.explanation_title = take_bottom(&mut rest, 1);
    }
    match maximised {
        Some(Panel::List) => {
            layout.list_title = take_top(&mut rest, 1);
            layout.list = rest;
        }
        Some(panel) => {
            layout.middle_title = take_top(&mut rest, 1);
            match panel {
                Panel::Bits => layout.left = rest,
                Panel::Bytes => layout.bytes = rest,
                Panel::Inflated => layout.inflated = rest,
                _ => layout.payload = rest,
            }
        }
        None => divide(&mut layout, rest, record),
    }
    layout
}

/// Puts the list above, bits and bytes below.
fn divide(layout: &mut Layout, mut rest: Rect, record: Shape) {
    layout.list_title = take_top(&mut rest, 1);
    if rest.height < 14 {
        layout.list = rest;
        return;
    }
    let room = rest.height - 1;
    let least_list = (room * 3 / 10).max(5);
    let wanted = match (record.card, rest.width) {
        (false, _) => 26,
        (true, CARD_IN_TWO..) => 14,
        (true, _) => 20,
    };
    let below = (room - least_list).min(wanted);
    layout.list = take_top(&mut rest, room - below);
    layout.middle_title = take_top(&mut rest, 1);
    if record.card {
        layout.card = rest;
        return;
    }
    if rest.width < SIDE_BY_SIDE {
        layout.left = rest;
        return;
    }
    let right = match rest.width {
        150.. => rest.width * 9 / 20,
        100.. => 58,
        // Bits need 36 columns. A handshake gets all columns but those of eight bytes a row, so that the GUID fits at 80.
        _ if record.has_bits => rest.width - 37,
        _ => 32,
    };
    // Thirty-two bits a row need 67 columns: they get them where the bytes still fit.
    let right = if rest.width >= 126 { right.min(rest.width - 68) } else { right };
    let mut right_area = Rect { x: rest.right() - right, width: right, ..rest };
    layout.divider = Rect { x: right_area.x - 1, width: 1, ..rest };
    layout.left = Rect { width: layout.divider.x - rest.x, ..rest };
    if let Some(inflated) = record.inflated.filter(|_| right_area.height >= 5) {
        divide_compressed(layout, right_area, record, inflated);
    } else if record.payload && right_area.height >= 7 {
        let shape = HexShape::of(right_area);
        let wanted = record.wire_len.div_ceil(shape.per_row).saturating_mul(u64::from(shape.lines_per_row)).max(2);
        let most = (right_area.height - 1) / 2;
        let bytes = wanted.min(u64::from(most)) as u16;
        layout.bytes = take_top(&mut right_area, bytes);
        layout.payload_title = take_top(&mut right_area, 1);
        layout.payload = right_area;
    } else {
        layout.bytes = right_area;
    }
}

/// Divides the right column between wire bytes, compressed payload and inflated message. The inflated message is the most
/// useful one and gets at most the lines that it fills; if the three do not fit, the compressed payload is left out.
fn divide_compressed(layout: &mut Layout, mut area: Rect, record: Shape, inflated: u64) {
    let shape = HexShape::of(area);
    let height = area.height;
    let lines = |bytes: u64| {
        let lines = bytes.div_ceil(shape.per_row).saturating_mul(u64::from(shape.lines_per_row));
        lines.min(u64::from(height)) as u16
    };
    let whole_rows = |lines: u16| lines - lines % shape.lines_per_row;
    let least = 2 * shape.lines_per_row;
    let titles = if record.payload { 2 } else { 1 };
    let room = area.height.saturating_sub(titles);
    let with_payload = record.payload && room >= least + 2 * shape.lines_per_row;
    let room = if with_payload { room } else { area.height - 1 };
    let wanted = lines(inflated);
    // The inflated message gets at least half of the lines, and the lines that the others do not need.
    let others = lines(record.wire_len) + if with_payload { lines(record.wire_len) } else { 0 };
    let own = wanted.min((room / 2).max(room.saturating_sub(others)));
    let left = room - own;
    let bytes =
        lines(record.wire_len).min(whole_rows(if with_payload { left / 2 } else { left }).max(shape.lines_per_row));
    layout.bytes = take_top(&mut area, bytes);
    if with_payload {
        layout.payload_title = take_top(&mut area, 1);
        let payload = lines(record.wire_len).min(whole_rows(left - bytes));
        layout.payload = take_top(&mut area, payload);
    }
    layout.inflated_title = take_top(&mut area, 1);
    if inflated > 0 {
        layout.inflated = area;
    }
}

/// Divides the left panel into a bit grid of `grid_height` lines and a table of `rows` rows. The table keeps at least seven
/// rows, or half of the panel.
pub fn split_bits(left: Rect, grid_height: u16, rows: usize) -> (Rect, Rect) {
    let mut rest = left;
    let least = u16::try_from(rows).unwrap_or(u16::MAX).min(left.height / 2).min(7);
    let grid = take_top(&mut rest, grid_height.min(left.height.saturating_sub(least)));
    (grid, rest)
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
