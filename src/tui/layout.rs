//! Where everything stands: computed once for drawing, scrolling and the mouse.

use ratatui::layout::Rect;

use super::app::Panel;
use super::app::detail::Detail;
use super::view::grid::Grid;

/// The smallest terminal on which something useful fits.
pub const MIN_SIZE: (u16, u16) = (40, 10);

/// The narrowest terminal on which bits and bytes stand side by side.
const SIDE_BY_SIDE: u16 = 72;

/// From this width on what there is to say of a connection stands in two columns.
pub const CARD_IN_TWO: u16 = 100;

/// Columns in front of the timeline's lanes: cursor, connection, direction.
pub const GUTTER: u16 = 10;

/// From how many rows on the timeline's last says what the signs mean.
pub const LEGEND_FROM: u16 = 5;

/// The lowest terminal that has room for the explanation, and the lowest that has room for a line of it.
const EXPLANATION_FROM: [u16; 2] = [28, 24];

/// The areas of the screen. One that has no room is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// All of it.
    pub area: Rect,
    /// The line at the top.
    pub header: Rect,
    /// The line over the list, and the list's column heads below it.
    pub list_title: Rect,
    /// The records.
    pub list: Rect,
    /// The line over bits and bytes.
    pub middle_title: Rect,
    /// The bits, or the handshake.
    pub left: Rect,
    /// What there is to say of a connection, in the place of bits and bytes.
    pub card: Rect,
    /// The line between bits and bytes.
    pub divider: Rect,
    /// The bytes on the wire.
    pub bytes: Rect,
    /// The line over the payload.
    pub payload_title: Rect,
    /// The unmasked payload.
    pub payload: Rect,
    /// The line over what the message inflates to; alone, it says why nothing stands below it.
    pub inflated_title: Rect,
    /// What the compressed message inflates to.
    pub inflated: Rect,
    /// The line over the explanation.
    pub explanation_title: Rect,
    /// The explanation.
    pub explanation: Rect,
    /// The line at the bottom.
    pub hints: Rect,
}

impl Layout {
    /// Whether nothing useful fits.
    pub const fn is_too_small(&self) -> bool {
        self.area.width < MIN_SIZE.0 || self.area.height < MIN_SIZE.1
    }
}

/// What of the record under the cursor matters for the layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Whether its connection is looked at in its place.
    pub card: bool,
    /// Whether it is a frame, with a bit grid.
    pub has_bits: bool,
    /// Whether it has a payload.
    pub payload: bool,
    /// Its bytes on the wire.
    pub wire_len: u64,
    /// Of a frame of a compressed message: how many inflated bytes there are to show. The frame may not be the one that
    /// shows them.
    pub inflated: Option<u64>,
}

/// Divides the screen. `maximised` is the panel that has it for itself.
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

/// The list above, bits and bytes below.
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
        // Bits need 36 columns; a handshake's lines need all that eight bytes a row leave: so the GUID stands whole at 80.
        _ if record.has_bits => rest.width - 37,
        _ => 32,
    };
    // Thirty-two bits a row need 67 columns: they get them where the bytes keep theirs.
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

/// The bytes on the wire, the compressed payload, and what it inflates to. The last matters most, and needs no more than
/// it has lines; where there is no room for all three, the compressed payload is left out.
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
    // Half of the room at least, and what the others leave.
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

/// Divides the left panel into the bit grid and the table below it. Whatever is no frame has no grid.
pub fn split_bits(left: Rect, detail: &Detail) -> (Rect, Rect) {
    let mut rest = left;
    let wanted = Grid::of(detail, left.width).height();
    // The table keeps enough rows to be of use.
    let least = (detail.rows.len() as u16).min(left.height / 2).min(7);
    let grid = take_top(&mut rest, wanted.min(left.height.saturating_sub(least)));
    (grid, rest)
}

/// How a hex panel of some size lays out its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexShape {
    /// Bytes in a row: 16 or 8.
    pub per_row: u64,
    /// Rows that fit.
    pub rows: u64,
    /// Screen lines of a row: 2 when the characters stand below the digits, 1 when beside them.
    pub lines_per_row: u16,
}

/// Columns of the offset in front of the digits, and the space behind it.
pub const OFFSET_WIDTH: u16 = 8;

impl HexShape {
    /// The shape for an area.
    pub fn of(area: Rect) -> Self {
        let per_row = if area.width >= OFFSET_WIDTH + 49 { 16 } else { 8 };
        let beside = area.width >= OFFSET_WIDTH + Self::digits_width(per_row) + 2 + per_row as u16;
        let lines_per_row = if beside { 1 } else { 2 };
        Self { per_row, rows: u64::from(area.height / lines_per_row), lines_per_row }
    }

    /// Columns that the digits of a row take.
    pub const fn digits_width(per_row: u64) -> u16 {
        per_row as u16 * 3 + if per_row == 16 { 1 } else { 0 } - 1
    }

    /// The column of the first digit of the byte in that place of a row.
    pub const fn digit_column(self, place: u64) -> u16 {
        OFFSET_WIDTH + place as u16 * 3 + if place >= 8 { 1 } else { 0 }
    }

    /// Where the character of the byte in that place stands: line below the row's first, and column.
    pub const fn character_at(self, place: u64) -> (u16, u16) {
        if self.lines_per_row == 1 {
            (0, OFFSET_WIDTH + Self::digits_width(self.per_row) + 2 + place as u16)
        } else {
            (1, OFFSET_WIDTH + place as u16)
        }
    }

    /// The row and place of the byte at a position of the panel.
    pub fn cell_at(self, x: u16, y: u16) -> Option<(u64, u64)> {
        let row = u64::from(y / self.lines_per_row);
        let line = y % self.lines_per_row;
        (0..self.per_row)
            .find(|place| {
                let digits = self.digit_column(*place);
                let (character_line, character) = self.character_at(*place);
                (line == 0 && (digits..digits + 2).contains(&x)) || (line == character_line && x == character)
            })
            .map(|place| (row, place))
    }
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
