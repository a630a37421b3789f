//! The left panel: the bit grid with its table, or a handshake's requirements.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

use super::list::severity_symbol;
use super::{cells, fit, put, rule, width};
use crate::proto::dissected::Kind;
use crate::proto::rules::Severity;
use crate::tui::app::App;
use crate::tui::bit_grid::{BitGrid, GridLine, MARGIN};
use crate::tui::layout::split_bits;
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_rows::{DetailRow, DetailRowKind};
use crate::wire::field::Span;

pub fn render(app: &App, buffer: &mut Buffer) {
    let Some(detail) = app.detail.current() else { return };
    let title = app.layout.middle_title;
    let area = app.layout.left;
    if area.area() == 0 {
        return;
    }
    let left_title = Rect { width: area.width, ..title };
    let (name, what) = name_and_what(detail);
    let name = if app.shows_evicted() { "Handshake, evicted from the list" } else { name };
    let record = &detail.record;
    let of = |direction: &str| format!("record {} · {what} · {direction}", record.no);
    let rest = of(record.direction.words());
    let fits = rest.width() + name.width() + 6 <= usize::from(area.width);
    let rest = if fits { rest } else { of(&record.direction.arrow().to_string()) };
    rule::titled(app, buffer, left_title, name, &rest, app.panels.focus == Panel::Bits);
    for y in 0..app.layout.divider.height {
        put(buffer, app.layout.divider, 0, y, "│", app.theme.rule);
    }
    let grid = BitGrid::of(&detail.fields, detail.record.opcode().is_some(), area.width);
    let (grid_area, table) = split_bits(area, grid.height(), detail.rows.len());
    draw_grid(app, detail, &grid, buffer, grid_area);
    let rows = detail.rows.iter().enumerate().skip(app.detail.row_top).take(usize::from(table.height));
    for (y, (i, row)) in rows.enumerate() {
        let line = Rect { y: table.y + cells(y), height: 1, ..table };
        draw_row(app, detail, buffer, line, i, row);
    }
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

/// The style of a field's cells: highlighted if the field is selected, underlined where a finding points at the bits.
fn cell_style(app: &App, detail: &Detail, field: usize, bits: Span) -> Style {
    let theme = &app.theme;
    let Some(field_at) = detail.fields.get(field) else { return theme.text };
    let selected = detail.rows.get(app.detail.row).and_then(|row| row.field) == Some(field);
    let style = if selected { theme.selection(field_at.span) } else { theme.field(field_at.id) };
    let at_fault = detail.record.findings.iter().any(|finding| finding.span.is_some_and(|span| span.overlaps(bits)));
    if at_fault { style.add_modifier(Modifier::UNDERLINED) } else { style }
}

fn draw_grid(app: &App, detail: &Detail, grid: &BitGrid, buffer: &mut Buffer, area: Rect) {
    for (y, line) in grid.lines.iter().take(usize::from(area.height)).enumerate() {
        let y = cells(y);
        match *line {
            GridLine::Tens | GridLine::Units => ruler(app, buffer, area, y, grid.layout.bits_per_row, *line),
            GridLine::Border(row) => border(app, detail, grid, buffer, area, y, row),
            GridLine::Names(row) | GridLine::Bits(row) => {
                for edge in grid.layout.edges(Some(row)) {
                    put(buffer, area, MARGIN + 2 * cells(edge), y, "│", app.theme.rule);
                }
                for cell in &grid.layout.rows[row].cells {
                    let x = MARGIN + 2 * cell.left(&grid.layout) as u16 + 1;
                    let style = cell_style(app, detail, cell.field, Span::bits(cell.start, cell.end));
                    let text = if *line == GridLine::Bits(row) {
                        cell.bits(&detail.prefix)
                    } else {
                        format!("{:^1$}", cell.name(), cell.columns())
                    };
                    put(buffer, area, x, y, &text, style);
                }
            }
        }
    }
}

fn ruler(app: &App, buffer: &mut Buffer, area: Rect, y: u16, bits: u64, line: GridLine) {
    for bit in 0..bits {
        let digit = match line {
            GridLine::Tens if bit % 10 == 0 => bit / 10,
            GridLine::Units => bit % 10,
            _ => continue,
        };
        put(buffer, area, MARGIN + 1 + 2 * cells(bit), y, &digit.to_string(), app.theme.faint);
    }
}

/// Draws the border above a row. If the row contains one field, its name is in the border.
fn border(app: &App, detail: &Detail, grid: &BitGrid, buffer: &mut Buffer, area: Rect, y: u16, row: usize) {
    let has_more = row == grid.layout.rows.len() && grid.layout.bits_after > 0;
    let text = grid.layout.border(row, if has_more { '┄' } else { '─' });
    put(buffer, area, MARGIN, y, &text, app.theme.rule);
    if let Some(field) = grid.layout.only_field(row) {
        let width = text.width() - 2;
        let name = detail.rows.iter().find(|row| row.field == Some(field)).map_or(String::new(), |row| {
            if detail.fields[field].id.in_payload() {
                format!(" {} · {} ", row.name, row.value)
            } else {
                format!(" {} ", row.name)
            }
        });
        let style = cell_style(app, detail, field, detail.fields[field].span);
        put(buffer, area, MARGIN + 2, y, &fit(&name, width.saturating_sub(2)), style);
    }
}

fn draw_row(app: &App, detail: &Detail, buffer: &mut Buffer, line: Rect, i: usize, row: &DetailRow) {
    let theme = &app.theme;
    let selected = i == app.detail.row;
    if selected {
        put(buffer, line, 0, 0, "▌", theme.focus);
    }
    match row.kind {
        DetailRowKind::Heading => {
            put(buffer, line, 2, 0, &row.name, theme.faint);
        }
        DetailRowKind::Met | DetailRowKind::Unmet | DetailRowKind::Remark => {
            let (mark, style) = match row.kind {
                DetailRowKind::Met => ("✓", theme.good),
                DetailRowKind::Remark => (severity_symbol(Severity::Info), theme.info),
                _ => ("✗", theme.error),
            };
            put(buffer, line, 2, 0, mark, style);
            let section = row.gloss.as_str();
            let room = usize::from(line.width).saturating_sub(4 + section.width() + 3);
            let span = detail.field_of_row(i).map(|field| field.span);
            let text = if selected { span.map_or(theme.selected, |span| theme.selection(span)) } else { theme.text };
            put(buffer, line, 4, 0, &fit(&row.name, room), text);
            let at = line.width.saturating_sub(width(section) + 2);
            put(buffer, line, at, 0, section, theme.faint);
        }
        DetailRowKind::Computation => {
            // In a narrow panel the longest line, the GUID, still fits.
            let (name_at, value_at) = if line.width < 56 { (3, 10) } else { (6, 15) };
            put(buffer, line, name_at, 0, &row.name, theme.faint);
            let style = if row.value.ends_with('✗') { theme.error } else { theme.text };
            put(buffer, line, value_at, 0, &fit(&row.value, usize::from(line.width.saturating_sub(value_at))), style);
        }
        DetailRowKind::Field => draw_field_row(app, detail, buffer, line, selected, row),
    }
}

fn draw_field_row(app: &App, detail: &Detail, buffer: &mut Buffer, line: Rect, selected: bool, row: &DetailRow) {
    let theme = &app.theme;
    let Some(field) = row.field.and_then(|field| detail.fields.get(field)) else { return };
    let style = if selected { theme.selection(field.span) } else { theme.field(field.id) };
    let http = detail.http.is_some();
    // Three columns: name, value, meaning. A header line has a long value and shows its meaning only where that fits.
    let (name_width, value_width) = match (http, line.width) {
        (true, 100..) => (24, 34),
        (true, 56..) => (24, 12),
        (true, _) => (line.width / 2 - 2, 12),
        (false, _) => (13, 12),
    };
    let name = fit(&row.name, usize::from(name_width));
    put(buffer, line, 2, 0, &format!("{name:<0$}", usize::from(name_width) - 1), style);
    let value_at = 2 + name_width;
    let room = |from: u16| usize::from(line.width.saturating_sub(from));
    let value = fit(&row.value, if http && line.width >= 100 { usize::from(value_width) } else { room(value_at) });
    put(buffer, line, value_at, 0, &value, theme.text);
    let findings = detail.record.findings.iter().filter(|f| f.span.is_some_and(|span| span.overlaps(field.span)));
    let worst = findings.map(|finding| finding.rule.severity()).max();
    let style = worst.map_or(theme.faint, |severity| theme.severity(severity));
    let symbol = match worst.filter(|severity| *severity > Severity::Info) {
        Some(severity) => format!("{} ", severity_symbol(severity)),
        None => String::new(),
    };
    let gloss = format!("{symbol}{}", row.gloss);
    // The meaning is in its column, or else right after the value. If it does not fit, only the symbol of a finding is shown.
    let after = value_at + width(&value) + 1;
    let column = after.max(value_at + value_width + 1);
    if let Some(at) = [column, after + 1].into_iter().find(|at| gloss.width() < room(*at)) {
        put(buffer, line, at, 0, &gloss, style);
    } else {
        put(buffer, line, after.min(line.width.saturating_sub(1)), 0, symbol.trim_end(), style);
    }
}
