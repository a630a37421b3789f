//! The explanation: the findings first, then the meaning of the selected field, or how a payload byte is unmasked.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;

use super::list::severity_symbol;
use super::{cells, fit, fit_words, put, rule, wrap_sentences};
use crate::explain::{self, Explanation};
use crate::proto::rules::{Finding, count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_rows::DetailRowKind;
use crate::wire::field::FieldId;
use crate::wire::http::Head;
use crate::wire::printable;

pub fn render(app: &App, buffer: &mut Buffer) {
    let (title, area) = (app.layout.explanation_title, app.layout.explanation);
    let Some(detail) = app.detail.current().filter(|_| area.height > 0) else { return };
    let (width, height) = (usize::from(area.width.saturating_sub(3)), usize::from(area.height));
    let mut y = 0;
    let findings = findings_by_relevance(app, detail);
    let words = words(app, detail);
    rule::titled(app, buffer, title, &words.title, &words.section, false);
    if app.layout.divider.height > 0 {
        let joint = ratatui::layout::Rect { x: app.layout.divider.x, width: 1, ..title };
        put(buffer, joint, 0, 0, "┴", app.theme.rule);
    }
    if let Some(agreed) = deflate_words(app, detail).and(app.detail.negotiated(&app.capture)) {
        let agreed = format!("negotiated: {agreed}");
        let taken = words.title.chars().count() + words.section.chars().count() + agreed.chars().count() + 12;
        if taken < usize::from(title.width) {
            rule::right(buffer, title, &agreed, app.theme.faint);
        }
    }
    if let Some(note) = &detail.note {
        rule::right(buffer, title, &format!("✎ {}", fit(&printable::text(note), width / 2)), app.theme.info);
    }
    if let Some((at, key)) = app.detail.masked_payload_byte().filter(|_| byte_is_cursor(app)) {
        count_in_title(app, &findings, buffer);
        unmasking(app, at, key, buffer);
        return;
    }
    let at_fault = findings.first().filter(|finding| is_about_selection(app, detail, finding));
    // At least one line is left for the meaning of the field, unless there is only one line and the field breaks a rule.
    let room = if height > 1 { height - 1 } else { usize::from(at_fault.is_some()) };
    if room == 0 {
        count_in_title(app, &findings, buffer);
    }
    for (n, finding) in findings.iter().take(room).enumerate() {
        let style = app.theme.severity(finding.rule.severity());
        let more = match findings.len() - room.min(findings.len()) {
            more @ 1.. if n + 1 == room => format!(" · and {more} more, at their fields"),
            _ => String::new(),
        };
        let line = fit_words(&finding_line(finding), width.saturating_sub(more.chars().count()));
        put(buffer, area, 1, y, &format!("{line}{more}"), style);
        y += 1;
    }
    // If the field breaks a rule, explain the rule: the text of the field describes correct values.
    let text = at_fault.map_or(words.text, |finding| explain::rule(finding.rule).text);
    for line in wrap_sentences(&text, width, height - usize::from(y)) {
        put(buffer, area, 1, y, &line, app.theme.text);
        y += 1;
    }
}

/// Shows the number of findings in the title, if they have no lines of their own.
fn count_in_title(app: &App, findings: &[&Finding], buffer: &mut Buffer) {
    if let Some(worst) = findings.iter().map(|finding| finding.rule.severity()).max() {
        let words = format!("{} {}", severity_symbol(worst), count(findings.len() as u64, "finding"));
        rule::right(buffer, app.layout.explanation_title, &words, app.theme.severity(worst));
    }
}

fn finding_line(finding: &Finding) -> String {
    let symbol = severity_symbol(finding.rule.severity());
    let about = finding.about.map(|no| format!(" (see record {no})")).unwrap_or_default();
    format!("{symbol} {}{about} · {}", printable::text(&finding.sentence()), finding.rule.section())
}

/// All findings of the record: those at the selected bits first, then by severity.
fn findings_by_relevance<'d>(app: &App, detail: &'d Detail) -> Vec<&'d Finding> {
    let mut findings: Vec<&Finding> = detail.record.findings.iter().collect();
    findings
        .sort_by_key(|finding| (Reverse(is_about_selection(app, detail, finding)), Reverse(finding.rule.severity())));
    findings
}

fn is_about_selection(app: &App, detail: &Detail, finding: &Finding) -> bool {
    let selected = detail.field_of_row(app.detail.row).map(|field| field.span);
    finding.span.zip(selected).is_some_and(|(a, b)| a.overlaps(b))
}

/// Whether the cursor is on a byte, and not on a field.
fn byte_is_cursor(app: &App) -> bool {
    matches!(app.panels.focus, Panel::Bytes | Panel::Payload)
}

/// The explanation of what is selected.
fn words(app: &App, detail: &Detail) -> Explanation {
    if let Some((at, _)) = app.detail.masked_payload_byte().filter(|_| byte_is_cursor(app)) {
        let len = detail.record.payload_len().unwrap_or(0);
        return Explanation {
            title: format!("payload byte {} of {} · offset {}", grouped(at + 1), grouped(len), grouped(at)),
            section: "RFC 6455 §5.3".to_owned(),
            text: String::new(),
        };
    }
    let row = detail.rows.get(app.detail.row);
    let field = detail.field_of_row(app.detail.row);
    if let (Some(http), Some(row)) = (&detail.http, row) {
        if let (DetailRowKind::Unmet, None) = (row.kind, field) {
            return Explanation {
                title: row.name.clone(),
                section: row.gloss.clone(),
                text: "This requirement is not met.".to_owned(),
            };
        }
        if let Some(field) = field {
            return explain::http_field(&Head::read(http), field);
        }
    }
    if let Some(words) = message_words(app, detail) {
        return words;
    }
    if let Some(words) = deflate_words(app, detail) {
        return words;
    }
    match (&detail.frame, field) {
        (Some(context), Some(field)) => {
            let mut words = explain::frame_field(context, field);
            if let Some(answers) = detail.answers.as_ref().filter(|_| names_the_ping(field.id)) {
                words.text.push_str(&format!(" Here it {answers}."));
            }
            words
        }
        _ => explain::record(detail.record.kind, detail.record.direction),
    }
}

/// The explanation of a byte of a message of several frames: the frame that carries it.
fn message_words(app: &App, detail: &Detail) -> Option<Explanation> {
    let len = app.detail.content()?.len;
    let carrier = app.detail.carrier().filter(|_| app.panels.focus == Panel::Inflated)?;
    let (at, of) = (grouped(carrier.frame as u64 + 1), grouped(detail.carriers.len() as u64));
    let frame = format!("frame {at} of {of}, record {}", carrier.record);
    let came = if detail.record.compressed {
        format!("It is known once {frame}, has arrived: a frame may end inside a DEFLATE code.")
    } else {
        format!("{frame}, carries it as byte {} of its payload.", grouped(carrier.offset + 1))
    };
    Some(Explanation {
        title: format!("message byte {} of {}", grouped(app.detail.message_byte + 1), grouped(len)),
        section: "RFC 6455 §5.4".to_owned(),
        text: format!("{came} {} goes to that frame.", app.keymap.key_of(Action::Open)),
    })
}

/// Whether the explanation of a field of a pong includes the ping that it answers.
const fn names_the_ping(field: FieldId) -> bool {
    matches!(field, FieldId::Opcode | FieldId::Payload)
}

/// The explanation of the payload of a compressed frame, if the payload is selected.
fn deflate_words(app: &App, detail: &Detail) -> Option<Explanation> {
    detail.field_of_row(app.detail.row).filter(|field| field.id == FieldId::Payload)?;
    Some(explain::compressed_payload(&app.detail.deflate_context(&app.capture)?))
}

/// ```text
/// masked  58   0101 1000
/// key[3]  3d   0011 1101
/// ⊕       65   0110 0101   e
/// ```
fn unmasking(app: &App, at: u64, key: [u8; 4], buffer: &mut Buffer) {
    let area = app.layout.explanation;
    let theme = &app.theme;
    let Some(masked) = app.detail.byte_value else { return };
    let place = usize::from(at.to_le_bytes()[0] % 4);
    let plain = masked ^ key[place];
    let bits = |byte: u8| format!("{:04b} {:04b}", byte >> 4, byte & 0xf);
    let offset = format!("offset {} mod 4 = {place}", grouped(at));
    let lines = [
        ("masked".to_owned(), masked, String::new(), theme.field(FieldId::Payload)),
        (format!("key[{place}]"), key[place], offset, theme.field(FieldId::MaskingKey)),
        ("⊕".to_owned(), plain, printable::byte_name(plain), theme.selected),
    ];
    let is_low = area.height < 3;
    let mut x = 1;
    for (y, (name, byte, words, style)) in lines.into_iter().enumerate() {
        if is_low {
            // On one line: masked 58 0101 1000  key[3] 3d 0011 1101  ⊕ 65 0110 0101  e
            x += put(buffer, area, x, 0, &format!("{name} "), theme.faint);
            x += put(buffer, area, x, 0, &format!("{byte:02x} {}", bits(byte)), style) + 2;
            if y == 2 {
                put(buffer, area, x, 0, &words, theme.text);
            }
        } else {
            put(buffer, area, 1, cells(y), &format!("{name:<8}"), theme.faint);
            put(buffer, area, 9, cells(y), &format!("{byte:02x}"), style);
            put(buffer, area, 14, cells(y), &bits(byte), style);
            put(buffer, area, 26, cells(y), &words, theme.text);
        }
    }
}
