//! The left panel: the bit grid with its table, or a handshake's requirements.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

use super::rows;
use super::{cells, fit, put, rule};
use crate::proto::dissected::Kind;
use crate::proto::rules::count;
use crate::tui::app::App;
use crate::tui::bit_grid::{BitGrid, GridLine, MARGIN};
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::wire::field::{FieldId, FieldValue, Span};
use crate::wire::grid::{GridCell, ruler};

pub fn render(app: &App, buffer: &mut Buffer) {
    let Some(detail) = app.detail.current() else { return };
    let title = app.layout.middle_title;
    let area = app.layout.left;
    if area.area() == 0 {
        return;
    }
    let (name, what) = name_and_what(detail);
    let name = if app.shows_evicted() { "Handshake, evicted from the list" } else { name };
    let record = &detail.record;
    let of = |direction: &str| format!("record {} · {what} · {direction}", record.no);
    let rest = of(record.direction.words());
    let fits = rest.width() + name.width() + 6 <= usize::from(area.width);
    let rest = if fits { rest } else { of(&record.direction.arrow().to_string()) };
    let left_title = Rect { x: area.x, width: area.width, ..title };
    rule::titled(app, buffer, left_title, name, &rest, app.panels.focus == Panel::Bits);
    draw_grid(app, detail, &app.detail.grid, buffer, app.detail.grid_area);
    let table_title = app.detail.table_title;
    if table_title.height > 0 {
        rule::titled(app, buffer, table_title, "Fields", "", app.panels.focus == Panel::Bits);
        put(buffer, Rect { y: table_title.y, height: 1, ..app.layout.divider }, 0, 0, "├", app.theme.rule);
    }
    rows::render(app, detail, buffer, app.detail.table);
    if detail.rows.is_empty() {
        let words = detail.error.as_deref().unwrap_or("this record has no bytes of its own");
        put(buffer, area, 2, 1, words, app.theme.faint);
    }
}

fn name_and_what(detail: &Detail) -> (&'static str, String) {
    let record = &detail.record;
    match record.kind {
        Kind::Request | Kind::Response => {
            let is_checked = detail.rows.iter().any(|row| row.kind.is_requirement());
            let what = if record.kind == Kind::Request { "request".to_owned() } else { record.code.to_string() };
            (if is_checked { "Handshake" } else { "HTTP" }, what)
        }
        Kind::Frame => ("Bits", record.opcode().map_or("frame", |opcode| opcode.name()).to_owned()),
        Kind::CutFrame => ("Bits", "cut".to_owned()),
        kind => ("Record", kind.name().to_owned()),
    }
}

/// The style of a field: softly highlighted if the field is selected.
fn field_style(app: &App, detail: &Detail, field: usize) -> Style {
    let Some(shown) = detail.fields.get(field) else { return app.theme.text };
    let is_selected = detail.rows.get(app.detail.row).is_some_and(|row| row.shows(field));
    let style = app.theme.field(shown.id);
    if is_selected { style.patch(app.theme.selected_field) } else { style }
}

/// The style of bits at which a finding points.
pub fn at_fault(app: &App, style: Style) -> Style {
    style.patch(Style { bg: None, ..app.theme.error }).add_modifier(Modifier::UNDERLINED)
}

fn draw_grid(app: &App, detail: &Detail, grid: &BitGrid, buffer: &mut Buffer, area: Rect) {
    let [tens, units] = ruler(grid.layout.bits_per_row);
    for (y, line) in grid.lines.iter().take(usize::from(area.height)).enumerate() {
        let y = cells(y);
        match *line {
            GridLine::Tens => _ = put(buffer, area, MARGIN + 1, y, &tens, app.theme.faint),
            GridLine::Units => _ = put(buffer, area, MARGIN + 1, y, &units, app.theme.faint),
            GridLine::Border(row) => border(app, grid, buffer, area, y, row),
            GridLine::More { above } => {
                let line = if above { "┌┄ ↑ more " } else { "└┄ ↓ more " };
                let wide = usize::try_from(2 * grid.layout.bits_per_row).unwrap_or(0);
                let rest = "┄".repeat(wide.saturating_sub(line.width()));
                put(buffer, area, MARGIN, y, &format!("{line}{rest}{}", if above { "┐" } else { "┘" }), app.theme.rule);
            }
            GridLine::NamedBorder(row) => {
                border(app, grid, buffer, area, y, row);
                name_in_border(app, detail, grid, buffer, area, y, row);
            }
            GridLine::Names(row) | GridLine::Bits(row) => {
                for edge in grid.layout.edges(Some(row)) {
                    put(buffer, area, MARGIN + 2 * cells(edge), y, "│", app.theme.rule);
                }
                let has_bits = matches!(line, GridLine::Bits(_));
                let line = Rect { y: area.y + y, height: 1, ..area };
                for cell in &grid.layout.rows[row].cells {
                    draw_cell(app, detail, grid, cell, buffer, line, has_bits);
                }
            }
        }
    }
}

/// Draws the name or the bits of a cell.
fn draw_cell(
    app: &App,
    detail: &Detail,
    grid: &BitGrid,
    cell: &GridCell,
    buffer: &mut Buffer,
    line: Rect,
    has_bits: bool,
) {
    let column = |bit: u64| MARGIN + 1 + 2 * cells(bit % grid.layout.bits_per_row);
    let (left, style) = (column(cell.start), field_style(app, detail, cell.field));
    let part = |from: u64, to: u64| {
        let x = line.x + column(from);
        Rect { x, width: cells((to - from) * 2 - 1), ..line }.intersection(line)
    };
    buffer.set_style(part(cell.start, cell.end), style);
    if !has_bits {
        put(buffer, line, left, 0, &cell.centred_name(), style);
    } else {
        put(buffer, line, left, 0, &cell.bits(&detail.prefix), style);
        // From 126 or 127 to the bytes that carry the length.
        if cell.begins && is_extended(cell.id) && left > MARGIN + 1 {
            put(buffer, line, left - 1, 0, "→", app.theme.field(FieldId::PayloadLen));
        }
    }
    let own = Span::bits(cell.start, cell.end);
    let shared = |span: Span| (span.start.max(own.start), span.end.min(own.end));
    for span in detail.record.findings.iter().filter_map(|finding| finding.span).filter(|span| span.overlaps(own)) {
        let (from, to) = if has_bits { shared(span) } else { (own.start, own.end) };
        buffer.set_style(part(from, to), at_fault(app, style));
    }
    let byte = Span::bytes(app.detail.byte, app.detail.byte + 1);
    if has_bits && app.byte_is_cursor() && byte.overlaps(own) {
        let (from, to) = shared(byte);
        buffer.set_style(part(from, to), app.theme.selected);
    }
}

const fn is_extended(id: FieldId) -> bool {
    matches!(id, FieldId::ExtendedLen16 | FieldId::ExtendedLen64)
}

/// Draws the border above a row.
fn border(app: &App, grid: &BitGrid, buffer: &mut Buffer, area: Rect, y: u16, row: usize) {
    let has_more = row == grid.layout.rows.len() && grid.layout.bits_after > 0;
    let text = grid.layout.border(row, if has_more { '┄' } else { '─' });
    put(buffer, area, MARGIN, y, &text, app.theme.rule);
    let Some(first) = grid.layout.rows.get(row).and_then(|row| row.cells.first()) else { return };
    if first.begins && is_extended(first.id) {
        // The 7-bit length is in the row above: bits 9 to 15.
        put(buffer, area, MARGIN + 1 + 2 * 12, y, "↓", app.theme.field(FieldId::PayloadLen));
    }
}

/// Writes the name of a row's only field into the border above it, and the name of the payload into a border at the bottom.
fn name_in_border(app: &App, detail: &Detail, grid: &BitGrid, buffer: &mut Buffer, area: Rect, y: u16, row: usize) {
    let below = || detail.fields.iter().position(|field| field.id.in_payload());
    let Some((at, field)) =
        grid.layout.only_field(row).or_else(below).and_then(|at| Some((at, detail.fields.get(at)?)))
    else {
        return;
    };
    let is_masked = field.id.in_payload() && detail.masking_key().is_some();
    let masked = if is_masked { " (masked)" } else { "" };
    let long = match field.value {
        FieldValue::Length(bytes) => format!(" {} · {}{masked} ", field.name, count(bytes, "byte")),
        _ => format!(" {}{masked} ", field.name),
    };
    let short = format!(" {}{masked} ", field.name);
    let room = grid.layout.border(row, '─').width().saturating_sub(4);
    let name = [long, short].into_iter().find(|name| name.width() <= room).unwrap_or_else(|| fit(&field.name, room));
    let style = field_style(app, detail, at);
    let faulty = detail.record.findings.iter().any(|f| f.span.is_some_and(|span| span.overlaps(field.span)));
    let style = if faulty { at_fault(app, style) } else { style };
    put(buffer, area, MARGIN + 2, y, &name, style);
}
