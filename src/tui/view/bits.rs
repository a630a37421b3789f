//! The left panel: the bit grid with its table, or a handshake's requirements.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

use super::grid::{Grid, GridLine, MARGIN};
use super::list::severity_symbol;
use super::{fit, put, rule};
use crate::proto::dissected::Kind;
use crate::proto::rules::Severity;
use crate::tui::app::detail::{Detail, Row, Sort};
use crate::tui::app::{App, Panel};
use crate::tui::layout::split_bits;
use crate::wire::field::Span;

pub fn render(app: &App, buffer: &mut Buffer) {
    let Some(detail) = &app.detail else { return };
    let title = app.layout.middle_title;
    let area = app.layout.left;
    if area.area() == 0 {
        return;
    }
    let left_title = Rect { width: area.width, ..title };
    let (name, what) = name_and_what(detail);
    let record = &detail.record;
    let of = |direction: &str| format!("record {} · {what} · {direction}", record.no);
    let rest = of(record.direction.words());
    let fits = rest.width() + name.width() + 6 <= usize::from(area.width);
    let rest = if fits { rest } else { of(&record.direction.arrow().to_string()) };
    rule::titled(app, buffer, left_title, name, &rest, app.focus == Panel::Bits);
    for y in 0..app.layout.divider.height {
        put(buffer, app.layout.divider, 0, y, "│", app.theme.rule.0);
    }
    let (grid_area, table) = split_bits(area, detail);
    draw_grid(app, detail, buffer, grid_area);
    let rows = detail.rows.iter().enumerate().skip(app.row_top).take(usize::from(table.height));
    for (y, (i, row)) in rows.enumerate() {
        let line = Rect { y: table.y + y as u16, height: 1, ..table };
        draw_row(app, detail, buffer, line, i, row);
    }
    if detail.rows.is_empty() {
        let words = detail.trouble.as_deref().unwrap_or("this record has no bytes of its own");
        put(buffer, area, 2, 1, words, app.theme.faint.0);
    }
}

fn name_and_what(detail: &Detail) -> (&'static str, String) {
    let record = &detail.record;
    match record.kind {
        Kind::Request | Kind::Response => {
            let judged = detail.rows.iter().any(|row| matches!(row.sort, Sort::Kept | Sort::Broken | Sort::Noted));
            let what = if record.kind == Kind::Request { "request".to_owned() } else { record.code.to_string() };
            (if judged { "Handshake" } else { "HTTP" }, what)
        }
        Kind::Frame => ("Bits", record.opcode().map_or("frame", |opcode| opcode.name()).to_owned()),
        Kind::CutFrame => ("Bits", "cut".to_owned()),
        kind => ("Record", kind.name().to_owned()),
    }
}

/// The style of a field's cells: its own colour, lit when it is selected, underlined where a finding names its bits.
fn cell_style(app: &App, detail: &Detail, field: usize, bits: Span) -> Style {
    let theme = &app.theme;
    let Some(field_at) = detail.fields.get(field) else { return theme.text.0 };
    let selected = detail.rows.get(app.row).and_then(|row| row.field) == Some(field);
    let style = if selected { theme.selection(field_at.span) } else { theme.field(field_at.id) };
    let at_fault = detail.record.findings.iter().any(|finding| finding.span.is_some_and(|span| span.overlaps(bits)));
    if at_fault { style.add_modifier(Modifier::UNDERLINED) } else { style }
}

fn draw_grid(app: &App, detail: &Detail, buffer: &mut Buffer, area: Rect) {
    let grid = Grid::of(detail, area.width);
    for (y, line) in grid.lines.iter().take(usize::from(area.height)).enumerate() {
        let y = y as u16;
        match *line {
            GridLine::Tens | GridLine::Units => ruler(app, buffer, area, y, grid.layout.bits_per_row, *line),
            GridLine::Border(row) => border(app, detail, &grid, buffer, area, y, row),
            GridLine::Names(row) | GridLine::Bits(row) => {
                for edge in grid.layout.edges(Some(row)) {
                    put(buffer, area, MARGIN + 2 * edge as u16, y, "│", app.theme.rule.0);
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
        put(buffer, area, MARGIN + 1 + 2 * bit as u16, y, &digit.to_string(), app.theme.faint.0);
    }
}

/// The border above a row, with the row's name in it when the row holds one field.
fn border(app: &App, detail: &Detail, grid: &Grid, buffer: &mut Buffer, area: Rect, y: u16, row: usize) {
    let goes_on = row == grid.layout.rows.len() && grid.layout.bits_behind > 0;
    let text = grid.layout.border(row, if goes_on { '┄' } else { '─' });
    put(buffer, area, MARGIN, y, &text, app.theme.rule.0);
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

fn draw_row(app: &App, detail: &Detail, buffer: &mut Buffer, line: Rect, i: usize, row: &Row) {
    let theme = &app.theme;
    let selected = i == app.row;
    if selected {
        put(buffer, line, 0, 0, "▌", theme.focus.0);
    }
    match row.sort {
        Sort::Heading => {
            put(buffer, line, 2, 0, &row.name, theme.faint.0);
        }
        Sort::Kept | Sort::Broken | Sort::Noted => {
            let (mark, style) = match row.sort {
                Sort::Kept => ("✓", theme.good.0),
                Sort::Noted => (severity_symbol(Severity::Info), theme.info.0),
                _ => ("✗", theme.error.0),
            };
            put(buffer, line, 2, 0, mark, style);
            let section = row.gloss.as_str();
            let room = usize::from(line.width).saturating_sub(4 + section.width() + 3);
            let span = detail.field_of_row(i).map(|field| field.span);
            let text =
                if selected { span.map_or(theme.selected.0, |span| theme.selection(span)) } else { theme.text.0 };
            put(buffer, line, 4, 0, &fit(&row.name, room), text);
            let at = line.width.saturating_sub(section.width() as u16 + 2);
            put(buffer, line, at, 0, section, theme.faint.0);
        }
        Sort::Bench => {
            // Where room is scarce the longest line, the GUID, has all of it.
            let (name_at, value_at) = if line.width < 56 { (3, 10) } else { (6, 15) };
            put(buffer, line, name_at, 0, &row.name, theme.faint.0);
            let style = if row.value.ends_with('✗') { theme.error.0 } else { theme.text.0 };
            put(buffer, line, value_at, 0, &fit(&row.value, usize::from(line.width.saturating_sub(value_at))), style);
        }
        Sort::Field => draw_field_row(app, detail, buffer, line, selected, row),
    }
}

fn draw_field_row(app: &App, detail: &Detail, buffer: &mut Buffer, line: Rect, selected: bool, row: &Row) {
    let theme = &app.theme;
    let Some(field) = row.field.and_then(|field| detail.fields.get(field)) else { return };
    let style = if selected { theme.selection(field.span) } else { theme.field(field.id) };
    let http = detail.http.is_some();
    // Three columns: name, value, meaning. Header lines have long values; their meaning stands where they leave room.
    let (name_width, value_width) = match (http, line.width) {
        (true, 100..) => (24, 34),
        (true, 56..) => (24, 12),
        (true, _) => (line.width / 2 - 2, 12),
        (false, _) => (13, 12),
    };
    put(
        buffer,
        line,
        2,
        0,
        &format!("{:<1$}", fit(&row.name, usize::from(name_width)), usize::from(name_width) - 1),
        style,
    );
    let value_at = 2 + name_width;
    let room = |from: u16| usize::from(line.width.saturating_sub(from));
    let value = fit(&row.value, if http && line.width >= 100 { usize::from(value_width) } else { room(value_at) });
    put(buffer, line, value_at, 0, &value, theme.text.0);
    let worst = detail
        .record
        .findings
        .iter()
        .filter(|f| f.span.is_some_and(|s| s.overlaps(field.span)))
        .max_by_key(|f| f.rule.severity());
    let style = worst.map_or(theme.faint.0, |finding| theme.severity(finding.rule.severity()));
    let symbol = match worst.map(|finding| finding.rule.severity()) {
        Some(Severity::Error) => "✗ ",
        Some(Severity::Warning) => "⚠ ",
        _ => "",
    };
    let gloss = format!("{symbol}{}", row.gloss);
    // In its column, else right behind the value. It stands whole or not at all; of a fault the sign stands by itself.
    let behind = value_at + value.width() as u16 + 1;
    let column = behind.max(value_at + value_width + 1);
    if let Some(at) = [column, behind + 1].into_iter().find(|at| gloss.width() < room(*at)) {
        put(buffer, line, at, 0, &gloss, style);
    } else {
        put(buffer, line, behind.min(line.width.saturating_sub(1)), 0, symbol.trim_end(), style);
    }
}
