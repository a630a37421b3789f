//! The panel of words: the findings first, then the meaning of the selected field, or how a payload byte is unmasked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::severity_symbol;
use super::{fit, put, rule, width, wrap};
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::app::words::{Paragraph, Role, Unmasking, Words};
use crate::tui::state::hex_characters::HexCharacter;
use crate::wire::field::FieldId;
use crate::wire::printable;

/// Fewest lines of an explanation that is begun: an empty one, its heading, and two of its text.
const LEAST_BEGUN: usize = 4;

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.explanation;
    let Some(words) = app.words().filter(|_| area.height > 0) else { return };
    title(app, &words, buffer);
    let columns = usize::from(area.width.saturating_sub(2));
    let mut y = 0;
    if let Some(step) = words.unmasking {
        unmasking(app, step, buffer);
        y = Words::STEPS;
    }
    let lines = lines(app, &words.paragraphs, columns);
    let room = usize::from(area.height.saturating_sub(y));
    for (line, style) in lines.iter().take(room) {
        put(buffer, area, 1, y, line, *style);
        y += 1;
    }
    if lines.len() > room {
        let last = room.checked_sub(1).and_then(|last| lines.get(last));
        more(app, last.map(|(line, style)| (line.as_str(), *style)), buffer);
    } else {
        further(app, &words, y, buffer);
    }
}

/// The lines of paragraphs, each with its style.
pub fn lines(app: &App, paragraphs: &[Paragraph], columns: usize) -> Vec<(String, Style)> {
    let theme = &app.theme;
    let style = |role| match role {
        Role::Finding(severity) => theme.severity(severity),
        Role::Correction | Role::Heading => theme.title,
        Role::Note => theme.info,
        Role::Good => theme.good,
        Role::Caution => theme.warning,
        Role::Text => theme.text,
    };
    let wrapped = |part: &Paragraph| {
        let style = style(part.role);
        wrap(&part.text, columns).into_iter().map(move |line| (line, style))
    };
    paragraphs.iter().flat_map(wrapped).collect()
}

/// Marks the `last` line of the panel as not the last of the text, and says which key shows all. A line of a computation stays.
fn more(app: &App, last: Option<(&str, Style)>, buffer: &mut Buffer) {
    let area = app.layout.explanation;
    let words = format!("{} all", app.keymap.key_of(Action::Read));
    let Some(y) = area.height.checked_sub(1) else { return };
    let at = area.width.saturating_sub(width(&words) + 1);
    if let Some((end, style)) = last {
        // One word less, if the line is full.
        let kept = wrap(end, usize::from(at.saturating_sub(4))).into_iter().next().unwrap_or_default();
        put(buffer, area, 1, y, &" ".repeat(usize::from(area.width.saturating_sub(1))), app.theme.text);
        put(buffer, area, 1, y, &format!("{kept} …"), style);
    } else {
        put(buffer, area, at.saturating_sub(2), y, "…", app.theme.text);
    }
    put(buffer, area, at, y, &words, app.theme.key);
}

/// Fills the lines from `y` on with the explanations of other fields. Those that do not fit are in the right column, if it has room;
/// otherwise the next one is begun and ends with an ellipsis, where it has some lines.
fn further(app: &App, words: &Words, y: u16, buffer: &mut Buffer) {
    let area = app.layout.explanation;
    let below = app.layout.further;
    let mut fields: Vec<&[Paragraph]> = words.further.chunks(2).collect();
    let room = usize::from(area.height.saturating_sub(y));
    let ends = fields.iter().scan(0, |used, field| {
        *used += field_lines(app, field, area.width).len();
        Some(*used)
    });
    let here = ends.take_while(|end| *end <= room).count();
    let rest = fields.split_off(here);
    let mut all: Vec<_> = fields.iter().flat_map(|field| field_lines(app, field, area.width)).collect();
    let begun = rest.first().filter(|_| below.height == 0 && room >= all.len() + LEAST_BEGUN);
    if let Some(next) = begun {
        all.extend(field_lines(app, next, area.width));
    }
    fill(Rect { y: area.y + y.min(area.height), height: area.height.saturating_sub(y), ..area }, &all, buffer);
    if begun.is_some() {
        let last = room.checked_sub(1).and_then(|last| all.get(last));
        more(app, last.map(|(line, style)| (line.as_str(), *style)), buffer);
    }
    if rest.is_empty() || below.height == 0 {
        return;
    }
    let title = Rect { height: 1, ..below };
    rule::titled(app, buffer, title, "Other fields", "", false);
    put(buffer, Rect { y: title.y, height: 1, ..app.layout.divider }, 0, 0, "├", app.theme.rule);
    let all: Vec<_> = rest.iter().flat_map(|field| field_lines(app, field, below.width)).skip(1).collect();
    fill(Rect { y: below.y + 1, height: below.height - 1, ..below }, &all, buffer);
}

/// The lines of the explanation of a field, after an empty one.
fn field_lines(app: &App, field: &[Paragraph], width: u16) -> Vec<(String, Style)> {
    let text = lines(app, field, usize::from(width.saturating_sub(2))).into_iter().enumerate();
    let styled = text.map(|(i, (line, style))| (line, if i == 0 { style } else { app.theme.faint }));
    std::iter::once((String::new(), app.theme.faint)).chain(styled).collect()
}

/// Draws lines. If there are too many, the last one ends with an ellipsis.
fn fill(area: Rect, lines: &[(String, Style)], buffer: &mut Buffer) {
    let is_cut = lines.len() > usize::from(area.height);
    for ((line, style), y) in lines.iter().zip(0..area.height) {
        if is_cut && y + 1 == area.height {
            // One word less, if the line is full.
            let kept = wrap(line, usize::from(area.width.saturating_sub(4))).into_iter().next().unwrap_or_default();
            put(buffer, area, 1, y, format!("{kept} …").trim_start(), *style);
        } else {
            put(buffer, area, 1, y, line, *style);
        }
    }
}

/// The title with what belongs to the record: the number of findings, or what was negotiated.
fn title(app: &App, words: &Words, buffer: &mut Buffer) {
    let (title, theme) = (app.layout.explanation_title, &app.theme);
    let found =
        words.findings.map(|(n, worst)| (format!("{} {}", severity_symbol(worst), count(n as u64, "finding")), worst));
    // The number of findings is more important than the section.
    let room = title.width.saturating_sub(found.as_ref().map_or(0, |(found, _)| width(found) + 4));
    let has_section = width(&words.title) + width(&words.section) + 8 <= room;
    let section = if has_section || found.is_none() { words.section.as_str() } else { "" };
    rule::titled(app, buffer, title, &fit(&words.title, usize::from(room.saturating_sub(4))), section, false);
    if let Some((found, worst)) = found {
        rule::right(buffer, title, &found, theme.severity(worst));
    } else if let Some(agreed) = app.negotiated() {
        rule::right(buffer, title, &agreed, theme.faint);
    }
    if app.layout.divider.height > 0 && app.layout.divider.bottom() == title.y {
        rule::joint(app, buffer, app.layout.divider.x, title.y);
    }
}

/// Draws the lines of a computation, as far as they fit.
fn unmasking(app: &App, step: Unmasking, buffer: &mut Buffer) {
    let (area, theme) = (app.layout.explanation, &app.theme);
    let styles = [theme.field(FieldId::Payload), theme.field(FieldId::MaskingKey), theme.selected];
    for ((step, style), y) in steps(app, step).into_iter().zip(styles).zip(0..area.height) {
        put(buffer, area, 1, y, &step.name, theme.faint);
        put(buffer, area, 9, y, &step.hex, style);
        put(buffer, area, 14, y, &step.bits, style);
        put(buffer, area, 26, y, &step.words, theme.text);
    }
}

/// A line of the computation of a payload byte.
pub struct Step {
    pub name: String,
    pub hex: String,
    pub bits: String,
    pub words: String,
}

/// ```text
/// masked   58   0101 1000   i = 3, as it crossed
/// key[3]   3d   0011 1101   i mod 4: 3 mod 4 = 3
/// XOR      65   0110 0101   e
/// ```
pub fn steps(app: &App, step: Unmasking) -> [Step; 3] {
    let (at, place) = (grouped(step.at), step.key_byte());
    let line = |name: String, byte: u8, words: String| {
        let bits = format!("{:04b} {:04b}", byte >> 4, byte & 0xf);
        Step { name, hex: format!("{byte:02x}"), bits, words }
    };
    [
        line("masked".to_owned(), step.masked, format!("i = {at}, as it crossed")),
        line(format!("key[{place}]"), step.key[place], format!("i mod 4: {at} mod 4 = {place}")),
        line("XOR".to_owned(), step.plain(), character(app, step)),
    ]
}

/// The character of an unmasked byte; of a UTF-8 character, the byte is a part.
fn character(app: &App, step: Unmasking) -> String {
    let window = &app.detail.payload;
    let name = printable::byte_name(step.plain());
    let Some(at) = window.bytes().and_then(|(first, _)| usize::try_from(step.at.checked_sub(first)?).ok()) else {
        return name;
    };
    let shown = window.characters().get(..=at).unwrap_or_default();
    match shown.iter().rev().find(|cell| matches!(cell, HexCharacter::Character(_) | HexCharacter::Other)) {
        Some(HexCharacter::Character(c)) if !c.is_ascii() => format!("a byte of {c}"),
        _ => name,
    }
}
