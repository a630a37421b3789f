//! The panel of findings, in the place of the list: the record that Enter goes to stays in view below it.
//!
//! ```text
//!  Findings ─ rule 1 of 2 · 11 findings ─────────────────────────────────────────────────────────────
//!         Count  Rule                    Section           What is wrong
//! ▌ ✗         9  client-frame-unmasked   RFC 6455 §5.1     a client must mask every frame; MASK is 0
//!   ⚠         2  masking-key-reused      RFC 6455 §5.3     the masking key is the previous frame's; …
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::list::severity_symbol;
use super::{fit, put, rule};
use crate::capture::store::Tally;
use crate::proto::rules::grouped;
use crate::tui::app::overlay::FindingsPanel;
use crate::tui::app::{App, count};

/// The least rows that the list must have to lend its place.
const LEAST: u16 = 5;

/// From this width on the sentences stand in the rows; below it the selected rule's stands under them.
const WIDE: u16 = 110;

/// From how many rows on the columns have heads.
const ROOMY: u16 = 8;

/// Columns: where the counts end, the rules, sections and sentences begin.
const COUNT_END: u16 = 13;
const RULE: u16 = 15;
const SECTION: u16 = 44;
const SENTENCE: u16 = 61;

/// Where the panel stands.
pub struct Shape {
    title: Rect,
    heads: Rect,
    /// A row per rule.
    pub rows: Rect,
    sentence: Rect,
    /// Whether the record under the cursor cannot be seen beside it.
    pub hides_record: bool,
}

impl Shape {
    /// In the list's place; where that is too low, over all between the first line and the last.
    pub fn of(app: &App) -> Option<Self> {
        let layout = &app.layout;
        if layout.is_too_small() {
            return None;
        }
        let list = Rect { height: layout.list_title.height + layout.list.height, ..layout.list_title };
        let all = Rect {
            y: layout.header.bottom(),
            height: layout.hints.y.saturating_sub(layout.header.bottom()),
            ..layout.area
        };
        let in_list = app.totals.records > 0 && list.height > LEAST;
        let area = if in_list { list } else { all };
        let mut rest = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        // Where there are few rows they go to the rules; the columns say themselves what they are.
        let heads = Rect { height: u16::from(rest.height >= ROOMY), ..rest };
        rest.y += heads.height;
        rest.height -= heads.height;
        let foot = if area.width < WIDE { rest.height.min(1) } else { 0 };
        let rows = Rect { height: rest.height - foot, ..rest };
        let sentence = Rect { y: rows.bottom(), height: foot, ..rest };
        let hides_record = !in_list || layout.middle_title.height == 0;
        Some(Self { title: Rect { height: 1, ..area }, heads, rows, sentence, hides_record })
    }
}

/// Draws the panel.
pub fn render(app: &App, panel: &FindingsPanel, buffer: &mut Buffer) {
    let theme = &app.theme;
    let Some(shape) = Shape::of(app) else { return };
    for area in [shape.title, shape.heads, shape.rows, shape.sentence] {
        for y in 0..area.height {
            buffer.set_style(Rect { y: area.y + y, height: 1, ..area }, Style::reset());
            put(buffer, area, 0, y, &" ".repeat(usize::from(area.width)), theme.text.0);
        }
    }
    let selected = app.findings_row(panel);
    let total: u64 = app.tallies.iter().map(|tally| tally.findings).sum();
    let what = match app.tallies.len() {
        0 => String::new(),
        rules => format!("rule {} of {} · {}", selected + 1, rules, count(total, "finding")),
    };
    rule::titled(app, buffer, shape.title, "Findings", &what, true);
    if app.tallies.is_empty() {
        empty(app, buffer, &shape);
        return;
    }
    heads(app, buffer, shape.heads);
    let rows = app.tallies.iter().enumerate().skip(panel.top).take(usize::from(shape.rows.height));
    for (y, (i, tally)) in rows.enumerate() {
        let line = Rect { y: shape.rows.y + y as u16, height: 1, ..shape.rows };
        row(app, buffer, line, tally, i == selected);
    }
    if let Some(tally) = app.tallies.get(selected) {
        let room = usize::from(shape.sentence.width.saturating_sub(3));
        let sentence = fit(&tally.rule.summary(), room);
        put(buffer, shape.sentence, 2, 0, &sentence, theme.severity(tally.rule.severity()));
    }
}

fn empty(app: &App, buffer: &mut Buffer, shape: &Shape) {
    let theme = &app.theme;
    let live = app.is_live();
    let lines = [
        ("No findings: nothing in this capture breaks a rule.", theme.good.0),
        (if live { "What does from here on appears in this place, with its count." } else { "" }, theme.faint.0),
    ];
    for (y, (line, style)) in lines.iter().enumerate() {
        put(buffer, shape.rows, 2, y as u16, &fit(line, usize::from(shape.rows.width.saturating_sub(3))), *style);
    }
}

fn heads(app: &App, buffer: &mut Buffer, area: Rect) {
    let faint = app.theme.faint.0;
    put(buffer, area, COUNT_END - 5, 0, "Count", faint);
    put(buffer, area, RULE, 0, "Rule", faint);
    put(buffer, area, SECTION, 0, "Section", faint);
    if area.width >= WIDE {
        put(buffer, area, SENTENCE, 0, "What is wrong", faint);
    }
}

fn row(app: &App, buffer: &mut Buffer, line: Rect, tally: &Tally, selected: bool) {
    let theme = &app.theme;
    let level = theme.severity(tally.rule.severity());
    if selected {
        put(buffer, line, 0, 0, "▌", theme.focus.0);
    }
    put(buffer, line, 2, 0, severity_symbol(tally.rule.severity()), level);
    let number = grouped(tally.findings);
    put(buffer, line, COUNT_END.saturating_sub(number.width() as u16), 0, &number, theme.text.0);
    put(buffer, line, RULE, 0, &fit(tally.rule.id(), usize::from(SECTION - RULE - 1)), level);
    let room = usize::from(line.width.saturating_sub(SECTION));
    put(buffer, line, SECTION, 0, &fit(tally.rule.section(), room), theme.faint.0);
    if line.width >= WIDE {
        let room = usize::from(line.width.saturating_sub(SENTENCE + 1));
        put(buffer, line, SENTENCE, 0, &fit(&tally.rule.summary(), room), theme.text.0);
    }
    if selected {
        buffer.set_style(line, theme.cursor.0);
    }
}
