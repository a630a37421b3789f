//! The panel of findings: the broken rules, what the selected one means, and the first records that break it.
//!
//! ```text
//!  Findings ─ rule 1 of 2 · 11 findings ─────────────────────────────────────────────────────────────
//!      Count  Rule                       Section         Records             What is wrong
//! ▌ ✗      9  client-frame-unmasked      RFC 6455 §5.1   9 11 12 15 18 21 …  MASK is 0, but a client …
//!   ⚠      2  masking-key-reused         RFC 6455 §5.3   14 20               the masking key is the …
//!
//!  client-frame-unmasked ─ RFC 6455 §5.1 · error ────────────────────────────────────────────────────
//!  MASK is 0, but a client must mask every frame
//!  why   Masking prevents scripts from choosing the bytes on the wire: …
//!  next  Use a client library that masks each frame with a new random key.
//!
//!  Records ─ 9 · Enter lists them all ───────────────────────────────────────────────────────────────
//!       9    1.000871     1  ▲  text                4  FIN            bare
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{self, severity_symbol};
use super::{cells, clear, fit, paragraph, put, rule, width};
use crate::capture::store::Tally;
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::app::words::Role;
use crate::tui::findings_layout::{self, FindingsLayout, TEXT, WIDE};
use crate::tui::keymap::{Binding, Context};
use crate::tui::state::breaches::NAMED;
use crate::tui::state::dialogs::FindingsPanel;

/// Smallest width at which a row contains the section of its rule.
const WITH_SECTION: u16 = 76;

/// Smallest width at which a row contains what is wrong, in a short column.
const WITH_SENTENCE: u16 = 110;

/// The columns: the end of the counts; the start of the others. 0 leaves a column out.
struct FindingsColumns {
    count: u16,
    rule: u16,
    section: u16,
    records: u16,
    sentence: u16,
}

impl FindingsColumns {
    const fn of(width: u16) -> Self {
        match width {
            WIDE.. => Self { count: 12, rule: 14, section: 44, records: 62, sentence: 88 },
            WITH_SENTENCE.. => Self { count: 10, rule: 12, section: 40, records: 56, sentence: 70 },
            WITH_SECTION.. => Self { count: 10, rule: 12, section: 40, records: 58, sentence: 0 },
            _ => Self { count: 9, rule: 11, section: 0, records: 39, sentence: 0 },
        }
    }
}

/// Draws the panel.
pub fn render(app: &App, panel: &FindingsPanel, buffer: &mut Buffer) {
    let Some(shape) = app.findings_layout() else { return };
    for area in [shape.title, shape.heads, shape.rows, shape.below] {
        clear(app, buffer, area);
    }
    let tallies = &app.counts.tallies;
    let selected = panel.row(tallies);
    let total: u64 = tallies.iter().map(|tally| tally.findings).sum();
    let what = match tallies.len() {
        0 => String::new(),
        rules => format!("rule {} of {} · {}", selected + 1, rules, count(total, "finding")),
    };
    rule::titled(app, buffer, shape.title, "Findings", &what, true);
    let Some(tally) = tallies.get(selected) else { return empty(app, buffer, &shape) };
    let columns = FindingsColumns::of(shape.heads.width);
    heads(app, buffer, shape.heads, &columns);
    let (above, below) = (panel.top, tallies.len().saturating_sub(panel.top + usize::from(shape.rows.height)));
    let hidden: Vec<String> = [("↑", above), ("↓", below)]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(sign, n)| format!("{sign} {n} more"))
        .collect();
    let hidden = hidden.join(" · ");
    put(buffer, shape.heads, shape.heads.width.saturating_sub(width(&hidden) + 1), 0, &hidden, app.theme.warning);
    let rows = tallies.iter().enumerate().skip(panel.top).take(usize::from(shape.rows.height));
    for (y, (i, tally)) in rows.enumerate() {
        let line = Rect { y: shape.rows.y + cells(y), height: 1, ..shape.rows };
        row(app, buffer, line, &columns, tally, i == selected);
    }
    let used = about(app, buffer, &shape, tally);
    let rest = Rect { y: shape.below.y + used, height: shape.below.height - used, ..shape.below };
    records(app, buffer, rest, tally);
}

fn empty(app: &App, buffer: &mut Buffer, shape: &FindingsLayout) {
    let theme = &app.theme;
    let more = if app.is_live() { "A finding appears here as soon as there is one." } else { "" };
    for (y, (line, style)) in
        [("No findings: nothing in this capture breaks a rule.", theme.good), (more, theme.faint)].iter().enumerate()
    {
        let area = Rect { height: shape.heads.height + shape.rows.height + shape.below.height, ..shape.heads };
        put(buffer, area, 2, cells(y) + 1, &fit(line, usize::from(area.width.saturating_sub(3))), *style);
    }
}

fn heads(app: &App, buffer: &mut Buffer, area: Rect, columns: &FindingsColumns) {
    let faint = app.theme.faint;
    put(buffer, area, columns.count - 5, 0, "Count", faint);
    let others = [
        (columns.rule, "Rule"),
        (columns.section, "Section"),
        (columns.records, "Records"),
        (columns.sentence, "What is wrong"),
    ];
    for (start, head) in others {
        if start > 0 {
            put(buffer, area, start, 0, head, faint);
        }
    }
}

fn row(app: &App, buffer: &mut Buffer, line: Rect, columns: &FindingsColumns, tally: &Tally, selected: bool) {
    let theme = &app.theme;
    let level = theme.severity(tally.rule.severity());
    if selected {
        put(buffer, line, 0, 0, "▌", theme.focus);
    }
    put(buffer, line, 2, 0, severity_symbol(tally.rule.severity()), level);
    let number = grouped(tally.findings);
    put(buffer, line, columns.count.saturating_sub(width(&number)), 0, &number, theme.text);
    let after_rule = if columns.section > 0 { columns.section } else { columns.records };
    put(buffer, line, columns.rule, 0, &fit(tally.rule.id(), usize::from(after_rule - columns.rule - 1)), level);
    if columns.section > 0 {
        let room = usize::from(columns.records - columns.section - 1);
        put(buffer, line, columns.section, 0, &fit(tally.rule.section(), room), theme.faint);
    }
    let end = if columns.sentence > 0 { columns.sentence } else { line.width };
    let named = numbers(app, tally, usize::from(end.saturating_sub(columns.records + 1)));
    put(buffer, line, columns.records, 0, &named, theme.text);
    if columns.sentence > 0 {
        let room = usize::from(line.width.saturating_sub(columns.sentence + 1));
        put(buffer, line, columns.sentence, 0, &fit(&tally.rule.summary(), room), theme.text);
    }
    if selected {
        buffer.set_style(line, theme.cursor);
    }
}

/// The numbers of the first records that break a rule, as many as fit.
fn numbers(app: &App, tally: &Tally, room: usize) -> String {
    let known = app.breaches.of(tally.rule);
    let mut words = String::new();
    for (n, no) in known.iter().take(NAMED).enumerate() {
        let next = format!("{}{no}", if n == 0 { "" } else { " " });
        let is_last = n + 1 == known.len() && tally.last == *no;
        if words.len() + next.len() + if is_last { 0 } else { 2 } > room {
            return format!("{words} …");
        }
        words.push_str(&next);
        if is_last {
            return words;
        }
    }
    format!("{words} …")
}

/// Draws what the selected rule says, why it exists and what to do. Returns the number of lines.
fn about(app: &App, buffer: &mut Buffer, shape: &FindingsLayout, tally: &Tally) -> u16 {
    let (theme, area) = (&app.theme, shape.below);
    let Some(words) = app.findings_words() else { return 0 };
    if area.height < 3 {
        return 0;
    }
    let title = Rect { y: area.y + shape.gap, height: 1, ..area };
    let kind = tally.rule.severity().name();
    rule::titled(app, buffer, title, &words.title, &format!("{} · {kind}", words.section), false);
    let first = shape.gap + 1;
    let (mut y, end) = (first, first + shape.words);
    let columns = usize::from(findings_layout::columns(area.width));
    for (n, (name, part)) in ["what", "why", "next"].into_iter().zip(&words.paragraphs).enumerate() {
        // Each of the later paragraphs keeps a line.
        let room = end.saturating_sub(y + cells(words.paragraphs.len() - 1 - n));
        let style = if let Role::Finding(severity) = part.role { theme.severity(severity) } else { theme.text };
        put(buffer, area, 1, y, name, theme.faint);
        for line in paragraph(&part.text, columns, usize::from(room)) {
            put(buffer, area, TEXT, y, &line, style);
            y += 1;
        }
    }
    (y + shape.gap).min(area.height)
}

/// Draws the first records that break the rule.
fn records(app: &App, buffer: &mut Buffer, area: Rect, tally: &Tally) {
    if area.height < 2 {
        return;
    }
    let key = |action| app.keymap.binding(Context::Findings, action).map(Binding::first_key).unwrap_or_default();
    let rows = app.breaches.lines.rows();
    let shown = rows.len().min(usize::from(area.height - 1));
    let all = app.breaches.of(tally.rule);
    let is_whole = all.last() == Some(&tally.last) && shown == all.len();
    let what = if is_whole { count(shown as u64, "record") } else { format!("the first {shown}") };
    let title = Rect { height: 1, ..area };
    rule::titled(app, buffer, title, "Records", &format!("{what} · {} lists them all", key(Action::Open)), false);
    list::records(app, buffer, Rect { y: area.y + 1, height: area.height - 1, ..area }, rows);
}
