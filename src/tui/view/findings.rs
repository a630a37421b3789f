//! The panel of findings, in the place of the list, so that the record to which Enter goes is visible below it.
//!
//! ```text
//!  Findings ─ rule 1 of 2 · 11 findings ─────────────────────────────────────────────────────────────
//!         Count  Rule                    Section           What is wrong
//! ▌ ✗         9  client-frame-unmasked   RFC 6455 §5.1     MASK is 0, but a client must mask every frame
//!   ⚠         2  masking-key-reused      RFC 6455 §5.3     the masking key is the previous frame's; …
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget as _};

use super::list::severity_symbol;
use super::{cells, fit, put, rule, width};
use crate::capture::store::Tally;
use crate::proto::rules::{count, grouped};
use crate::tui::app::App;
use crate::tui::findings_layout::{FindingsLayout, WIDE};
use crate::tui::state::dialogs::FindingsPanel;

/// Columns: the end of the counts; the start of rules, sections and sentences.
const COUNT_END: u16 = 13;
const RULE: u16 = 15;
const SECTION: u16 = 44;
const SENTENCE: u16 = 61;

/// Draws the panel.
pub fn render(app: &App, panel: &FindingsPanel, buffer: &mut Buffer) {
    let theme = &app.theme;
    let Some(shape) = app.findings_layout() else { return };
    for area in [shape.title, shape.heads, shape.rows, shape.sentence] {
        Clear.render(area, buffer);
        buffer.set_style(area, theme.text);
    }
    let tallies = &app.counts.tallies;
    let selected = panel.row(tallies);
    let total: u64 = tallies.iter().map(|tally| tally.findings).sum();
    let what = match tallies.len() {
        0 => String::new(),
        rules => format!("rule {} of {} · {}", selected + 1, rules, count(total, "finding")),
    };
    rule::titled(app, buffer, shape.title, "Findings", &what, true);
    if tallies.is_empty() {
        empty(app, buffer, &shape);
        return;
    }
    heads(app, buffer, shape.heads);
    let rows = tallies.iter().enumerate().skip(panel.top).take(usize::from(shape.rows.height));
    for (y, (i, tally)) in rows.enumerate() {
        let line = Rect { y: shape.rows.y + cells(y), height: 1, ..shape.rows };
        row(app, buffer, line, tally, i == selected);
    }
    if let Some(tally) = tallies.get(selected) {
        let room = usize::from(shape.sentence.width.saturating_sub(3));
        let sentence = fit(&tally.rule.summary(), room);
        put(buffer, shape.sentence, 2, 0, &sentence, theme.severity(tally.rule.severity()));
    }
}

fn empty(app: &App, buffer: &mut Buffer, shape: &FindingsLayout) {
    let theme = &app.theme;
    let live = app.is_live();
    let lines = [
        ("No findings: nothing in this capture breaks a rule.", theme.good),
        (if live { "A finding appears here as soon as there is one." } else { "" }, theme.faint),
    ];
    for (y, (line, style)) in lines.iter().enumerate() {
        put(buffer, shape.rows, 2, cells(y), &fit(line, usize::from(shape.rows.width.saturating_sub(3))), *style);
    }
}

fn heads(app: &App, buffer: &mut Buffer, area: Rect) {
    let faint = app.theme.faint;
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
        put(buffer, line, 0, 0, "▌", theme.focus);
    }
    put(buffer, line, 2, 0, severity_symbol(tally.rule.severity()), level);
    let number = grouped(tally.findings);
    put(buffer, line, COUNT_END.saturating_sub(width(&number)), 0, &number, theme.text);
    put(buffer, line, RULE, 0, &fit(tally.rule.id(), usize::from(SECTION - RULE - 1)), level);
    let room = usize::from(line.width.saturating_sub(SECTION));
    put(buffer, line, SECTION, 0, &fit(tally.rule.section(), room), theme.faint);
    if line.width >= WIDE {
        let room = usize::from(line.width.saturating_sub(SENTENCE + 1));
        put(buffer, line, SENTENCE, 0, &fit(&tally.rule.summary(), room), theme.text);
    }
    if selected {
        buffer.set_style(line, theme.cursor);
    }
}
