//! The hex panels: the wire bytes, the unmasked payload and the inflated message. The colours are those of the bit grid.

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{cells, put, rule, tree};
use crate::capture::query::messages::Message;
use crate::capture::store::message_reader::Inflated;
use crate::explain;
use crate::proto::dissected::Kind;
use crate::proto::rules::{count, grouped};
use crate::tui::app::App;
use crate::tui::layout::HexShape;
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::hex_window::HexWindow;
use crate::tui::state::unpacked::Unpacked;
use crate::wire::field::{FieldId, Span, field_at_byte};
use crate::wire::opcode::Opcode;
use crate::wire::printable;

pub fn render(app: &App, buffer: &mut Buffer) {
    let Some(detail) = app.detail.current() else { return };
    let layout = &app.layout;
    if layout.bytes.area() > 0 {
        title(app, buffer, Panel::Bytes, "Bytes", &format!("{} on the wire", grouped(detail.record.wire_len)));
        wire(app, detail, buffer);
    }
    if let Some(start) = detail.payload_start().filter(|_| layout.payload.area() > 0) {
        let name = if detail.masking_key().is_some() { "Unmasked payload" } else { "Payload" };
        let shown = app.detail.tree(Panel::Payload);
        let words = shown.map_or_else(|| payload_words(detail, start), |shown| tree::words(app, shown));
        title(app, buffer, Panel::Payload, name, &words);
        match shown {
            Some(shown) => tree::render(app, shown, layout.payload, buffer),
            None => hex(app, detail, Panel::Payload, &app.detail.payload, start, buffer),
        }
    }
    if let Some(unpacked) = &detail.unpacked
        && layout.inflated_title.area() + layout.inflated.area() > 0
    {
        inflated(app, detail, unpacked, buffer);
    }
}

/// Draws the title of a panel: in its own line above the panel, or in the common title line of bits and bytes.
fn title(app: &App, buffer: &mut Buffer, panel: Panel, name: &str, words: &str) {
    let layout = &app.layout;
    let area = layout.area_of(panel);
    let (own, joint) = match panel {
        Panel::Payload => (layout.payload_title, "├"),
        Panel::Inflated => (layout.inflated_title, "├"),
        _ => (Rect::default(), "┬"),
    };
    let line = match own.area() {
        0 => Rect { x: area.x, width: area.width, ..layout.middle_title },
        _ => own,
    };
    rule::titled(app, buffer, line, name, words, app.panels.focus == panel);
    if layout.divider.width > 0 {
        let corner = Rect { x: layout.divider.x, y: line.y, width: 1, height: 1 };
        put(buffer, corner, 0, 0, joint, app.theme.rule);
    }
}

/// Draws the inflated or joined message, or the reason why it is not shown.
fn inflated(app: &App, detail: &Detail, unpacked: &Unpacked, buffer: &mut Buffer) {
    let area = app.layout.inflated;
    let room = usize::from(area.width.max(app.layout.inflated_title.width)).saturating_sub(14);
    let name = if detail.message.is_some() { "Message" } else { "Inflated" };
    let shown = app.detail.tree(Panel::Inflated);
    let words = match (unpacked, &detail.message) {
        _ if shown.is_some() => shown.map(|shown| tree::words(app, shown)).unwrap_or_default(),
        (Unpacked::Joined(whole), Some(message)) => joined_words(whole, message),
        _ => inflated_words(unpacked, room),
    };
    title(app, buffer, Panel::Inflated, name, &words);
    if let Some(shown) = shown {
        return tree::render(app, shown, area, buffer);
    }
    let Some(whole) = unpacked.content() else { return };
    let shape = HexShape::of(area);
    let first = app.detail.message_top * shape.per_row;
    let len = whole.bytes.len() as u64;
    let end = (first + shape.rows * shape.per_row).min(len);
    let bytes = &whole.bytes[first.min(end) as usize..end as usize];
    let style = app.theme.field(FieldId::Payload);
    draw(app, buffer, area, first, bytes, |_| style);
    if len > 0 {
        mark_cursor(app, buffer, Panel::Inflated, first, app.detail.message_byte);
    }
}

/// The text beside the title for a message of several frames.
fn joined_words(whole: &Inflated, message: &Message) -> String {
    let kind = if whole.opcode == Opcode::Text { " of text" } else { "" };
    let frames = count(u64::from(message.frames), "frame");
    let more = match whole.len.cmp(&message.len) {
        Ordering::Less => ", not all shown",
        _ if message.whole => "",
        _ => " so far",
    };
    format!("{}{kind} in {frames}{more}", count(message.len, "byte"))
}

/// The text beside the title for a compressed message, shortened to `room` columns where possible.
fn inflated_words(unpacked: &Unpacked, room: usize) -> String {
    match unpacked {
        Unpacked::Unfinished => "shown at the message's last frame".to_owned(),
        Unpacked::Pending => "a long message: inflating …".to_owned(),
        Unpacked::Lost => "impossible: earlier messages are unknown".to_owned(),
        Unpacked::Inflated(whole) | Unpacked::Joined(whole) => {
            let len = count(whole.len, "byte");
            if whole.fault.is_some() {
                return format!("{len}, then an error");
            }
            if whole.assumed {
                return format!("{len}, if permessage-deflate was negotiated");
            }
            let kind = if whole.opcode == Opcode::Text { " of text" } else { "" };
            let from = grouped(whole.compressed_len);
            let Some(percent) = explain::percent(whole.compressed_len, whole.len) else {
                return format!("{len}, from {from}");
            };
            let long = format!("{len}{kind}, from {from} ({percent} %)");
            let short = format!("{len}, from {from} ({percent} %)");
            [long, short].into_iter().find(|words| words.chars().count() <= room).unwrap_or(len)
        }
    }
}

fn payload_words(detail: &Detail, start: u64) -> String {
    let len = count(detail.record.wire_len - start, "byte");
    let kind = match detail.record.opcode() {
        _ if detail.record.compressed => ", compressed",
        Some(Opcode::Text) => ", UTF-8 text",
        Some(Opcode::Binary) => ", binary",
        _ => "",
    };
    format!("{len}{kind}")
}

fn wire(app: &App, detail: &Detail, buffer: &mut Buffer) {
    if app.detail.wire.bytes().is_some_and(|(_, bytes)| bytes.is_empty()) {
        let words = match detail.record.kind {
            Kind::End(_) => "the end of a direction has no bytes",
            Kind::Gap => "the capture lacks these bytes",
            _ => "no bytes",
        };
        put(buffer, app.layout.bytes, 2, 0, words, app.theme.faint);
    } else {
        hex(app, detail, Panel::Bytes, &app.detail.wire, 0, buffer);
    }
}

/// Draws the wire bytes or the payload; `start` is the offset of its first byte in the record.
fn hex(app: &App, detail: &Detail, panel: Panel, window: &HexWindow, start: u64, buffer: &mut Buffer) {
    let area = app.layout.area_of(panel);
    let Some((first, bytes)) = window.bytes() else {
        put(buffer, area, 2, 0, "the bytes cannot be read", app.theme.error);
        return;
    };
    let selected = detail.field_of_row(app.detail.row).map(|field| field.span);
    draw(app, buffer, area, first, bytes, |at| style_at(app, detail, selected, start + at));
    if let Some(at) = app.detail.byte.checked_sub(start) {
        mark_cursor(app, buffer, panel, first, at);
    }
}

/// The colour of the field of a byte: highlighted if the field is selected, underlined where a finding points at the byte.
fn style_at(app: &App, detail: &Detail, selected: Option<Span>, at: u64) -> Style {
    let theme = &app.theme;
    let style = match (field_at_byte(&detail.fields, at).and_then(|field| detail.fields.get(field)), selected) {
        (_, Some(span)) if span.touches_byte(at) => theme.selection(span),
        (Some(field), _) => theme.field(field.id),
        (None, _) => theme.faint,
    };
    let at_fault = detail.record.findings.iter().any(|finding| finding.span.is_some_and(|span| span.touches_byte(at)));
    if at_fault { style.add_modifier(Modifier::UNDERLINED) } else { style }
}

fn draw(app: &App, buffer: &mut Buffer, area: Rect, first: u64, bytes: &[u8], style: impl Fn(u64) -> Style) {
    let shape = HexShape::of(area);
    for (row, chunk) in bytes.chunks(shape.per_row as usize).enumerate() {
        let y = cells(row) * shape.lines_per_row;
        let at = first + row as u64 * shape.per_row;
        put(buffer, area, 2, y, &format!("{at:04x}"), app.theme.faint);
        for (place, byte) in chunk.iter().enumerate() {
            let style = style(at + place as u64);
            let place = place as u64;
            put(buffer, area, shape.digit_column(place), y, &format!("{byte:02x}"), style);
            let (line, column) = shape.character_at(place);
            put(buffer, area, column, y + line, &printable::hex_cell(*byte).to_string(), style);
        }
    }
}

/// Highlights the byte under the cursor in the hex panel with the focus, and less strongly in the other one. While neither has
/// the focus, the selected field shows the position.
fn mark_cursor(app: &App, buffer: &mut Buffer, panel: Panel, first: u64, byte: u64) {
    let area = app.layout.area_of(panel);
    let other = match panel {
        Panel::Payload => Some(Panel::Bytes),
        Panel::Bytes => Some(Panel::Payload),
        _ => None,
    };
    let modifier = match app.panels.focus {
        focus if focus == panel => Modifier::REVERSED,
        focus if Some(focus) == other => Modifier::REVERSED | Modifier::DIM,
        _ => return,
    };
    let shape = HexShape::of(area);
    let Some(at) = byte.checked_sub(first).filter(|at| *at < shape.rows * shape.per_row) else { return };
    let (row, place) = (at / shape.per_row, at % shape.per_row);
    let y = area.y + cells(row) * shape.lines_per_row;
    let (line, column) = shape.character_at(place);
    let places = [(shape.digit_column(place), y, 2), (column, y + line, 1)];
    for (x, y, width) in places {
        let cell = Rect { x: area.x + x, y, width, height: 1 }.intersection(area);
        buffer.set_style(cell, Style::new().add_modifier(modifier));
    }
}
