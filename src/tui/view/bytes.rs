//! The panels with bytes: the wire bytes, the unmasked payload and the inflated message, as hex or as text. The colours are those
//! of the bit grid.

use crate::picture::figure::gap_words;
use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::bits::at_fault;
use super::{byte_table, bytes_with_unit, cells, inflating, put, rule, tree};
use crate::capture::query::messages::Message;
use crate::capture::store::message_reader::Inflated;
use crate::explain;
use crate::proto::dissected::Kind;
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::layout::HexShape;
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_pane::TEXT_MARGIN;
use crate::tui::state::hex_characters::HexCharacter;
use crate::tui::state::hex_window::HexWindow;
use crate::tui::state::text_window::TextWindow;
use crate::tui::state::unpacked::Unpacked;
use crate::wire::field::{FieldId, Span, field_at_byte};
use crate::wire::opcode::Opcode;

/// Draws the lines between the columns of the screen.
pub fn dividers(app: &App, buffer: &mut Buffer) {
    let layout = &app.layout;
    for line in [layout.divider, layout.list_divider].into_iter().filter(|line| line.height > 0) {
        for y in 0..line.height {
            put(buffer, line, 0, y, "│", app.theme.rule);
        }
        put(buffer, Rect { y: layout.middle_title.y, height: 1, ..line }, 0, 0, "┬", app.theme.rule);
    }
}

pub fn render(app: &App, buffer: &mut Buffer) {
    let Some(detail) = app.detail.current() else { return };
    let layout = &app.layout;
    if layout.bytes.area() > 0 {
        title(app, buffer, Panel::Bytes, "Bytes", &format!("{} on the wire", grouped(detail.record.wire_len)));
        wire(app, detail, buffer);
    }
    if let Some(start) = detail.payload_start().filter(|_| layout.payload.area() > 0) {
        let name = if detail.masking_key().is_some() { "Payload, unmasked" } else { "Payload" };
        let shown = app.detail.tree(Panel::Payload);
        let words = shown.map_or_else(|| payload_words(detail, start), |shown| tree::words(app, shown));
        title(app, buffer, Panel::Payload, name, &words);
        match (shown, app.detail.text(Panel::Payload)) {
            (Some(shown), _) => tree::render(app, shown, layout.payload, buffer),
            (None, Some(window)) => {
                text(app, detail, Panel::Payload, window, start, buffer);
                let rest = byte_table::below(layout.payload, window.lines().count());
                byte_table::render(app, detail, rest, start, buffer);
            }
            (None, None) => {
                hex(app, detail, Panel::Payload, &app.detail.payload, start, buffer);
                let len = detail.record.wire_len - start;
                let rows = len.div_ceil(HexShape::of(layout.payload).per_row);
                let rest = byte_table::below(layout.payload, usize::try_from(rows).unwrap_or(usize::MAX));
                byte_table::render(app, detail, rest, start, buffer);
            }
        }
    }
    if let Some(unpacked) = &detail.unpacked
        && layout.inflated_title.area() + layout.inflated.area() > 0
    {
        inflated(app, detail, unpacked, buffer);
    }
}

/// Draws the title of a panel: in its own line above the panel, or in the common title line of bits and bytes. At the right is the
/// key for text or hex, where there is a choice.
fn title(app: &App, buffer: &mut Buffer, panel: Panel, name: &str, words: &str) {
    let layout = &app.layout;
    let area = layout.area_of(panel);
    let own = match panel {
        Panel::Payload => layout.payload_title,
        Panel::Inflated => layout.inflated_title,
        _ => Rect::default(),
    };
    let line = match own.area() {
        0 => Rect { x: area.x, width: area.width, ..layout.middle_title },
        _ => own,
    };
    rule::titled(app, buffer, line, name, words, app.panels.focus == panel);
    let own_panel = if app.detail.content().is_some() { Panel::Inflated } else { Panel::Payload };
    if app.detail.has_text() && panel == own_panel && app.detail.tree(panel).is_none() {
        let other = if app.detail.wants_hex { "text" } else { "hex" };
        rule::right(buffer, line, &format!("{} {other}", app.keymap.key_of(Action::TextOrHex)), app.theme.faint);
    }
    if own.area() > 0 && layout.divider.width > 0 {
        // The title of a message goes over the whole width, below the line.
        if line.x < layout.divider.x {
            rule::joint(app, buffer, layout.divider.x, line.y);
        } else {
            put(buffer, Rect { y: line.y, height: 1, ..layout.divider }, 0, 0, "├", app.theme.rule);
        }
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
        _ => inflated_words(unpacked, app.session.deflate, room),
    };
    let chain = app.detail.packed().filter(|_| app.layout.chain.height > 0);
    // The lengths are in the drawing.
    let words = chain.map_or(words, |packed| content_words(packed.inflated, unpacked));
    title(app, buffer, Panel::Inflated, name, &words);
    if let Some(packed) = chain {
        inflating::render(app, packed, buffer);
    }
    if let Some(shown) = shown {
        return tree::render(app, shown, area, buffer);
    }
    let Some(whole) = unpacked.content().filter(|whole| !whole.bytes.is_empty()) else { return };
    if let Some(window) = app.detail.text(Panel::Inflated) {
        return text(app, detail, Panel::Inflated, window, 0, buffer);
    }
    let found = app.search.marked(detail.record.no, true);
    let is_match = |at: u64| found.as_ref().is_some_and(|found| found.contains(&at));
    let style_at = |at| {
        let style = app.theme.fragment(app.detail.frame_of(at));
        if is_match(at) { style.patch(app.theme.selected) } else { style }
    };
    draw(app, buffer, area, &app.detail.message, style_at);
    if whole.len > 0 && app.panels.focus == Panel::Inflated {
        mark_cursor(app, buffer, Panel::Inflated, &app.detail.message, app.detail.message_byte);
    }
}

/// The length of a message, and whether it is text.
fn content_words(len: u64, unpacked: &Unpacked) -> String {
    let is_text = unpacked.content().is_some_and(|content| content.opcode == Opcode::Text);
    format!("{}{}", count(len, "byte"), if is_text { " of text" } else { "" })
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

/// The text beside the title for a compressed message, shortened to `room` columns where possible. `by_flag` if `--deflate` says
/// that permessage-deflate was negotiated.
fn inflated_words(unpacked: &Unpacked, by_flag: bool, room: usize) -> String {
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
                let condition = if by_flag { "as --deflate says" } else { "if permessage-deflate was negotiated" };
                return format!("{len}, {condition}");
            }
            let kind = if whole.opcode == Opcode::Text { " of text" } else { "" };
            let from = grouped(whole.compressed_len);
            let Some(percent) = explain::percent(whole.compressed_len, whole.len) else {
                return format!("{len}, from {from}");
            };
            let long = format!("{len}{kind}; compressed {from}, {percent} % of them");
            let short = format!("{len}; compressed {from}, {percent} %");
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
            Kind::Gap => gap_words(detail.record.loss),
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
    if window.bytes().is_none() {
        put(buffer, area, 2, 0, "the bytes cannot be read", app.theme.error);
        return;
    }
    let selected = app.detail.selected_span();
    draw(app, buffer, area, window, |at| style_at(app, detail, selected, start + at));
    if panel == Panel::Bytes {
        arrow_to_length(app, detail, buffer);
    }
    if let Some(at) = app.detail.byte.checked_sub(start).filter(|_| app.byte_is_cursor()) {
        mark_cursor(app, buffer, panel, window, at);
    }
}

/// Draws an arrow from the byte with 126 or 127 to the bytes that carry the length.
fn arrow_to_length(app: &App, detail: &Detail, buffer: &mut Buffer) {
    let is_extended = |id| matches!(id, FieldId::ExtendedLen16 | FieldId::ExtendedLen64);
    let in_view = app.detail.wire.top == 0 && app.layout.bytes.height > 0;
    if in_view && detail.fields.iter().any(|field| is_extended(field.id)) {
        let x = HexShape::of(app.layout.bytes).digit_column(2) - 1;
        put(buffer, app.layout.bytes, x, 0, "→", app.theme.field(FieldId::PayloadLen));
    }
}

/// The colour of the field of a byte: softly highlighted if the field is selected, in the error colour where a finding points at
/// the byte.
fn style_at(app: &App, detail: &Detail, selected: Option<Span>, at: u64) -> Style {
    let theme = &app.theme;
    let field = field_at_byte(&detail.fields, at).and_then(|field| detail.fields.get(field));
    let style = field.map_or(theme.faint, |field| theme.field(field.id));
    let is_selected = selected.is_some_and(|span| span.touches_byte(at));
    let style = if is_selected { style.patch(theme.selected_field) } else { style };
    let is_wrong = detail.record.findings.iter().any(|finding| finding.span.is_some_and(|span| span.touches_byte(at)));
    let style = if is_wrong { at_fault(app, style) } else { style };
    let is_match = app.search.marked(detail.record.no, false).is_some_and(|found| found.contains(&at));
    if is_match { style.patch(theme.selected) } else { style }
}

/// Draws the bytes of a window: offset, digits, characters.
fn draw(app: &App, buffer: &mut Buffer, area: Rect, window: &HexWindow, style: impl Fn(u64) -> Style) {
    let Some((first, bytes)) = window.bytes() else { return };
    let shape = HexShape::of(area);
    let per_row = shape.per_row as usize;
    for (row, chunk) in bytes.chunks(per_row).enumerate() {
        let y = cells(row);
        let at = first + row as u64 * shape.per_row;
        put(buffer, area, 2, y, &format!("{at:04x}"), app.theme.faint);
        for (place, byte) in chunk.iter().enumerate() {
            let style = style(at + place as u64);
            let column = shape.character_column(place as u64);
            let digits = shape.digit_column(place as u64);
            put(buffer, area, digits, y, &format!("{byte:02x}"), style);
            match window.characters().get(row * per_row + place) {
                Some(HexCharacter::Character(c)) => _ = put(buffer, area, column, y, c.encode_utf8(&mut [0; 4]), style),
                Some(HexCharacter::Continued) => _ = put(buffer, area, column, y, "╴", style),
                Some(HexCharacter::Covered) => {}
                Some(HexCharacter::Other) | None => _ = put(buffer, area, column, y, "·", style),
            }
        }
        join_digits(buffer, area, shape, y, chunk.len());
    }
}

/// Extends the highlight of a field over the space between two of its bytes.
fn join_digits(buffer: &mut Buffer, area: Rect, shape: HexShape, y: u16, bytes: usize) {
    for place in 1..bytes as u64 {
        let (before, after) = (shape.digit_column(place - 1) + 1, shape.digit_column(place));
        let of = |x: u16, buffer: &Buffer| buffer.cell((area.x + x, area.y + y)).map(|cell| cell.bg);
        let bg = of(before, buffer);
        if let Some(bg) = bg.filter(|_| bg == of(after, buffer)) {
            let between = Rect { x: area.x + before + 1, y: area.y + y, width: after - before - 1, height: 1 };
            buffer.set_style(between.intersection(area), Style::new().bg(bg));
        }
    }
}

/// Highlights the byte under the cursor.
fn mark_cursor(app: &App, buffer: &mut Buffer, panel: Panel, window: &HexWindow, byte: u64) {
    let area = app.layout.area_of(panel);
    let shape = HexShape::of(area);
    let first = window.top * shape.per_row;
    let Some(at) = byte.checked_sub(first).filter(|at| *at < shape.rows * shape.per_row) else { return };
    let (row, place) = (at / shape.per_row, at % shape.per_row);
    for (x, width) in [(shape.digit_column(place), 2), (shape.character_column(place), 1)] {
        let cell = Rect { x: area.x + x, y: area.y + cells(row), width, height: 1 }.intersection(area);
        buffer.set_style(cell, app.theme.selected);
    }
}

/// Draws a payload or message as text; `start` is the offset of its first byte in the record.
fn text(app: &App, detail: &Detail, panel: Panel, window: &TextWindow, start: u64, buffer: &mut Buffer) {
    let area = app.layout.area_of(panel);
    let selected = app.detail.selected_span();
    let is_message = panel == Panel::Inflated;
    let found = app.search.marked(detail.record.no, is_message).filter(|_| is_message);
    let cursor = match is_message {
        true => Some(app.detail.message_byte).filter(|_| app.panels.focus == panel),
        false => app.detail.byte.checked_sub(start).filter(|_| app.byte_is_cursor()),
    };
    let mut end = 0;
    for (line, y) in window.lines().zip(0..area.height) {
        let mut x = TEXT_MARGIN;
        for piece in line {
            let at = piece.bytes.start as u64;
            let style = match is_message {
                true => app.theme.fragment(app.detail.frame_of(at)),
                false => style_at(app, detail, selected, start + at),
            };
            let is_cursor = cursor.is_some_and(|cursor| piece.bytes.contains(&(cursor as usize)));
            let is_match = found.as_ref().is_some_and(|found| found.contains(&at));
            let style = if is_cursor || is_match { style.patch(app.theme.selected) } else { style };
            x += put(buffer, area, x, y, &piece.shown, style);
            end = piece.bytes.end;
        }
    }
    if end == window.len() && window.more > 0 {
        let y = cells(window.lines().count().min(usize::from(area.height).saturating_sub(1)));
        let key = app.keymap.key_of(Action::TextOrHex);
        let words = format!("… {} more: {key} shows them as hex", bytes_with_unit(window.more));
        put(buffer, area, TEXT_MARGIN, y, &format!("{words:<0$}", usize::from(area.width)), app.theme.faint);
    }
}
