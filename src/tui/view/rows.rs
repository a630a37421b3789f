//! The rows of the left panel: a field with its value and meaning, a requirement, or a line of a computation.
//!
//! ```text
//!   FIN          1                     the message ends here
//! ▌ opcode       0001          text    read the payload as UTF-8 text
//!   payload len  0001110       14      the length itself
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::list::severity_symbol;
use super::{cells, fit, put, rule, width};
use crate::proto::rules::Severity;
use crate::tui::app::App;
use crate::tui::bit_grid;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_rows::{DetailRow, DetailRowKind};

/// Columns of the value as sent, of the value and of its meaning, in a table that is wide enough.
const COLUMNS: (u16, u16, u16) = (15, 29, 37);

/// Smallest width of a table with these columns.
const WIDE: u16 = 64;

pub fn render(app: &App, detail: &Detail, buffer: &mut Buffer, table: Rect) {
    let in_view = app.detail.rows_in_view();
    let rows = detail.rows.iter().enumerate().skip(app.detail.row_top).take(in_view);
    // The only line of a table leaves room for the number of the others.
    let sign = if table.height == 1 && app.detail.further_table.height == 0 {
        width(&hidden_words(app, detail, in_view))
    } else {
        0
    };
    let sign = if sign > 0 && table.width > 2 * sign { sign + 1 } else { 0 };
    for (y, (i, row)) in rows.enumerate() {
        let further = app.detail.further_table;
        let line = match cells(y).checked_sub(table.height) {
            Some(below) if further.height > 0 => Rect { y: further.y + below, height: 1, ..further },
            _ => Rect { y: table.y + cells(y), height: 1, width: table.width - sign, ..table },
        };
        let is_selected = i == app.detail.row;
        if is_selected {
            put(buffer, line, 0, 0, "▌", app.theme.focus);
        }
        let soft = if is_selected { app.theme.selected_field } else { Style::new() };
        match row.kind {
            DetailRowKind::Heading => _ = put(buffer, line, 2, 0, &row.name, app.theme.faint),
            DetailRowKind::Computation => computation(app, buffer, line, row),
            DetailRowKind::Field if detail.http.is_some() => header(app, detail, buffer, line, row, soft),
            DetailRowKind::Field => field(app, detail, buffer, line, row, soft),
            DetailRowKind::Met | DetailRowKind::Unmet | DetailRowKind::Remark => {
                requirement(app, buffer, line, row, soft);
            }
        }
    }
    hidden(app, detail, buffer, table, in_view);
}

/// Says how many rows are above and below those in view: in the title of those below the bytes, in the last line, or
/// at the end of the only line if that is free.
fn hidden(app: &App, detail: &Detail, buffer: &mut Buffer, table: Rect, in_view: usize) {
    let words = hidden_words(app, detail, in_view);
    if words.is_empty() {
        return;
    }
    if app.detail.further_table.height > 0 {
        return rule::right(buffer, app.detail.table_title, &words, app.theme.faint);
    }
    let at = if table.height > 1 { 2 } else { table.width.saturating_sub(width(&words) + 1) };
    let line = Rect { y: table.bottom().saturating_sub(1), height: 1, ..table };
    let is_free = |x: u16| buffer.cell((line.x + x, line.y)).is_some_and(|cell| cell.symbol() == " ");
    if table.height > 0 && (at..table.width).all(is_free) {
        put(buffer, line, at, 0, &words, app.theme.faint);
        return;
    }
    // A table without a free line has its sign in the border of the grid, which is above it.
    let grid = app.detail.grid_area;
    let (Some(bottom), words) = (grid.bottom().checked_sub(1), format!(" {words} ")) else { return };
    let right = grid.x + (bit_grid::MARGIN + 2 * cells(app.detail.grid.layout.bits_per_row)).saturating_sub(1);
    let at = right.saturating_sub(width(&words));
    if grid.height > 0 && at > grid.x {
        put(buffer, Rect { x: at, y: bottom, width: width(&words), height: 1 }, 0, 0, &words, app.theme.faint);
    }
}

fn hidden_words(app: &App, detail: &Detail, in_view: usize) -> String {
    let above = app.detail.row_top;
    let below = detail.rows.len().saturating_sub(above + in_view);
    let parts = [("↑", above), ("↓", below)].into_iter().filter(|(_, rows)| *rows > 0);
    let parts: Vec<_> = parts.collect();
    match *parts {
        [(up, above), (down, below)] if app.detail.table.height < 2 => format!("{up}{above} {down}{below} more"),
        _ => parts.iter().map(|(arrow, rows)| format!("{arrow} {rows} more")).collect::<Vec<_>>().join(" · "),
    }
}

fn requirement(app: &App, buffer: &mut Buffer, line: Rect, row: &DetailRow, soft: Style) {
    let theme = &app.theme;
    let (mark, style) = match row.kind {
        DetailRowKind::Met => ("✓", theme.good),
        DetailRowKind::Remark => (severity_symbol(Severity::Info), theme.info),
        _ => ("✗", theme.error),
    };
    put(buffer, line, 2, 0, mark, style);
    let section = row.gloss.as_str();
    let room = usize::from(line.width).saturating_sub(4 + section.width() + 3);
    let name = if row.kind == DetailRowKind::Unmet { theme.error } else { theme.text };
    put(buffer, line, 4, 0, &fit(&row.name, room), name.patch(soft));
    put(buffer, line, line.width.saturating_sub(width(section) + 2), 0, section, theme.faint);
}

/// A line of a computation. In a narrow panel the longest line, the GUID, still fits.
fn computation(app: &App, buffer: &mut Buffer, line: Rect, row: &DetailRow) {
    let (name_at, value_at) = if line.width < 56 { (3, 10) } else { (6, 15) };
    put(buffer, line, name_at, 0, &row.name, app.theme.faint);
    let style = if row.value.ends_with('✗') { app.theme.error } else { app.theme.text };
    let end = value_at + put(buffer, line, value_at, 0, &row.value, style) + 2;
    // A narrow panel has the first words.
    let short = |words: usize| row.gloss.match_indices(' ').nth(words - 1).map_or("", |(at, _)| &row.gloss[..at]);
    if let Some(gloss) =
        [row.gloss.as_str(), short(2), short(1)].into_iter().find(|gloss| width(gloss) + end <= line.width)
    {
        put(buffer, line, end, 0, gloss, app.theme.faint);
    }
}

/// The symbol and the style of the worst finding at a row.
fn worst(app: &App, detail: &Detail, row: &DetailRow) -> (&'static str, Style) {
    let own = row.field.and_then(|first| detail.fields.get(first..first + row.fields)).unwrap_or_default();
    let at_row = |span| own.iter().any(|field| field.span.overlaps(span));
    let findings = detail.record.findings.iter().filter(|finding| finding.span.is_some_and(at_row));
    match findings.map(|finding| finding.rule.severity()).max() {
        Some(severity @ (Severity::Warning | Severity::Error)) => {
            (severity_symbol(severity), app.theme.severity(severity))
        }
        Some(severity) => ("", app.theme.severity(severity)),
        None => ("", app.theme.faint),
    }
}

/// A field of a frame: name, value as sent, value, meaning. What does not fit is left out, the meaning first.
fn field(app: &App, detail: &Detail, buffer: &mut Buffer, line: Rect, row: &DetailRow, soft: Style) {
    let theme = &app.theme;
    let Some(shown) = row.field.and_then(|field| detail.fields.get(field)) else { return };
    let (raw_at, value_at, gloss_at) = if line.width >= WIDE { COLUMNS } else { (14, 0, 0) };
    let (symbol, faint) = worst(app, detail, row);
    let is_wrong = !symbol.is_empty();
    let name = if line.width >= WIDE {
        row.name.clone()
    } else {
        row.name.replace("extended", "ext").replace("close reason", "reason")
    };
    put(buffer, line, 2, 0, &format!("{name:<11}"), theme.field(shown.id).patch(soft));
    let text = if is_wrong { faint } else { theme.text };
    let fits = |at: u16, text: &str| at + width(text) <= line.width;
    let mut x = raw_at;
    // The value is more useful than its bits, if only one has room.
    let both = fits(value_at.max(raw_at + width(&row.raw) + 2), &row.value) || row.value.is_empty();
    if both || row.value.is_empty() {
        x = raw_at + put(buffer, line, raw_at, 0, &row.raw, text) + 2;
    }
    if !row.value.is_empty() {
        x = x.max(if both { value_at } else { 0 });
        // Of a number that is too long, the bytes say more than its first digits.
        let value = if fits(x, &row.value) { &row.value } else { &row.raw };
        x += put(buffer, line, x, 0, value, text) + 2;
    }
    let marked = |gloss: &str| if is_wrong { format!("{symbol} {gloss}") } else { gloss.to_owned() };
    let (long, brief) = (marked(&row.gloss), marked(row.brief));
    // A brief meaning may be right after the value.
    let places = [
        (x.max(gloss_at), &long),
        (x, &long),
        (x, &brief),
        (x.saturating_sub(1), &long),
        (x.saturating_sub(1), &brief),
    ];
    if let Some((at, gloss)) = places.into_iter().find(|(at, gloss)| !gloss.is_empty() && fits(*at, gloss)) {
        put(buffer, line, at, 0, gloss, faint);
    } else if fits(x, symbol) {
        put(buffer, line, x, 0, symbol, faint);
    }
}

/// A line of a request or response: name, value, meaning. A long value leaves its meaning out.
fn header(app: &App, detail: &Detail, buffer: &mut Buffer, line: Rect, row: &DetailRow, soft: Style) {
    let theme = &app.theme;
    let Some(shown) = row.field.and_then(|field| detail.fields.get(field)) else { return };
    let (name_width, value_width) = match line.width {
        100.. => (24, 34),
        64.. => (26, 12),
        56.. => (24, 12),
        _ => (line.width / 2 - 2, 12),
    };
    let name = fit(&row.name, usize::from(name_width) - 1);
    put(buffer, line, 2, 0, &name, theme.field(shown.id).patch(soft));
    let value_at = 2 + name_width;
    let room = |from: u16| usize::from(line.width.saturating_sub(from));
    let value = fit(&row.value, if line.width >= 100 { usize::from(value_width) } else { room(value_at) });
    put(buffer, line, value_at, 0, &value, theme.text);
    let (symbol, style) = worst(app, detail, row);
    let gloss = if symbol.is_empty() { row.gloss.clone() } else { format!("{symbol} {}", row.gloss) };
    // The meaning is in its column, or else right after the value. If it does not fit, only the symbol of a finding is shown.
    let after = value_at + width(&value) + 1;
    let column = after.max(value_at + value_width + 1);
    if let Some(at) = [column, after + 1].into_iter().find(|at| gloss.width() < room(*at)) {
        put(buffer, line, at, 0, &gloss, style);
    } else {
        put(buffer, line, after.min(line.width.saturating_sub(1)), 0, symbol, style);
    }
}
