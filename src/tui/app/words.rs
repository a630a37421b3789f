//! The words below the record: the findings, the meaning of what is selected, and how a payload byte is unmasked.

use std::cmp::Reverse;

use super::App;
use crate::explain::{self, Explanation};
use crate::proto::correction::Correction;
use crate::proto::dissected::{EndReason, Kind};
use crate::proto::rules::{self, Finding, Rule, Severity, grouped};
use crate::tui::action::Action;
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_rows::{DetailRow, DetailRowKind};
use crate::tui::state::dialogs::Dialog;
use crate::tui::text;
use crate::wire::field::{Field, FieldId, FieldValue, Span};
use crate::wire::http::Head;
use crate::wire::printable;

/// Smallest height of a panel that also explains the other fields.
const FURTHER_FROM: u16 = 10;

/// What the panel of words says.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// What is explained.
    pub title: String,
    /// The section that defines it.
    pub section: String,
    /// What comes before all else: the step of the tour, in the box with all words.
    pub intro: Vec<Paragraph>,
    /// How the payload byte under the cursor is unmasked.
    pub unmasking: Option<Unmasking>,
    /// The paragraphs, the most important first.
    pub paragraphs: Vec<Paragraph>,
    /// The other fields of the record, for a screen with room for them.
    pub further: Vec<Paragraph>,
    /// Number of findings, and the worst severity.
    pub findings: Option<(usize, Severity)>,
}

impl Words {
    /// Lines of the computation of a payload byte.
    pub const STEPS: u16 = 3;

    /// Width of the box with all words, in columns.
    pub const BOX: u16 = 84;

    /// The lines of the computation and of the paragraphs, wrapped at that many columns.
    pub fn lines(&self, columns: usize) -> u16 {
        let steps = if self.unmasking.is_some() { Self::STEPS } else { 0 };
        let wrapped: usize =
            self.intro.iter().chain(&self.paragraphs).map(|part| text::wrap(&part.text, columns).len()).sum();
        steps.saturating_add(u16::try_from(wrapped).unwrap_or(u16::MAX))
    }

    /// The lines of the first finding with what is right and its reason, and of one more where text follows; 0 without a finding.
    pub fn urgent_lines(&self, columns: usize) -> u16 {
        let is_finding = |part: &Paragraph| matches!(part.role, Role::Finding(_));
        let Some(first) = self.paragraphs.iter().position(is_finding) else { return 0 };
        let reason = self.paragraphs[first..].iter().position(|part| part.role == Role::Text);
        let end = reason.map_or(self.paragraphs.len(), |reason| first + reason + 1);
        let lines: usize = self.paragraphs[..end].iter().map(|part| text::wrap(&part.text, columns).len()).sum();
        u16::try_from(lines + usize::from(end < self.paragraphs.len())).unwrap_or(u16::MAX)
    }
}

/// A paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    /// What it is.
    pub role: Role,
    /// Safe for a terminal.
    pub text: String,
}

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A finding of that severity.
    Finding(Severity),
    /// The right value beside the wrong one.
    Correction,
    /// A note of the user.
    Note,
    /// An explanation.
    Text,
    /// The name of a field.
    Heading,
    /// Something went as it should.
    Good,
    /// Something did not.
    Caution,
}

/// How a byte of a masked payload is unmasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmasking {
    /// Its offset in the payload.
    pub at: u64,
    /// The byte on the wire.
    pub masked: u8,
    /// The masking key of the frame.
    pub key: [u8; 4],
}

impl Unmasking {
    /// The byte of the masking key for this byte of the payload: 0 to 3 (RFC 6455 §5.3).
    pub const fn key_byte(self) -> usize {
        (self.at % 4) as usize
    }

    /// The byte after the XOR.
    pub const fn plain(self) -> u8 {
        self.masked ^ self.key[self.key_byte()]
    }
}

impl App {
    /// Whether the cursor is on a byte of the record, and not on a field.
    pub const fn byte_is_cursor(&self) -> bool {
        matches!(self.panels.focus, Panel::Bytes | Panel::Payload)
    }

    /// The words about the selection; `None` before the first record.
    pub fn words(&self) -> Option<Words> {
        let detail = self.detail.current()?;
        let unmasking = self.unmasking();
        let about = match unmasking {
            Some(step) => explain::unmasked_byte(step.at, detail.record.payload_len().unwrap_or(0)),
            None => self.explanation(detail),
        };
        let mut words = Words { title: about.title, section: about.section, unmasking, ..Words::default() };
        words.findings = detail.record.severity().map(|worst| (detail.record.findings.len(), worst));
        let mut later = Vec::new();
        words.paragraphs.extend(self.closing_words());
        let mut is_told = false;
        for (i, finding) in by_relevance(detail, &self.selection()) {
            let place = self.place(detail, finding);
            let into = if place == Place::Elsewhere { &mut later } else { &mut words.paragraphs };
            into.push(Paragraph {
                role: Role::Finding(finding.rule.severity()),
                text: finding_line(finding, &words.section),
            });
            let correction = detail.correction(i);
            // The reason says all that the meaning of the one wrong bit says.
            is_told |= place == Place::Selected
                && correction.as_ref().is_some_and(|right| matches!(right.sent, FieldValue::Bits { width: 1, .. }));
            into.extend(correction.map(|correction| correction_line(finding.rule, &correction)));
            let reason = Paragraph { role: Role::Text, text: explain::rule(finding.rule).text };
            if place == Place::Selected { into.push(reason) } else { later.push(reason) }
        }
        if let Some(note) = detail.note.as_deref() {
            // Below what is wrong, above the reasons.
            let at = words.paragraphs.iter().position(|part| part.role == Role::Text);
            let text = format!("✎ {}", printable::text(note));
            words.paragraphs.insert(at.unwrap_or(words.paragraphs.len()), Paragraph { role: Role::Note, text });
        }
        // The verdict says what a reset does.
        is_told |= self.closing.is_some() && detail.record.kind == Kind::End(EndReason::Rst);
        if !about.text.is_empty() && !is_told {
            words.paragraphs.push(Paragraph { role: Role::Text, text: about.text });
        }
        words.paragraphs.extend(later);
        self.name_other_findings(&mut words);
        if self.layout.explanation.height >= FURTHER_FROM || self.closing.is_some() {
            words.further = self.further(detail, &words.paragraphs);
        }
        Some(words)
    }

    /// Puts the other findings, each in one line, before the reason of the first one, if the panel has no room for both.
    fn name_other_findings(&self, words: &mut Words) {
        let area = self.layout.explanation;
        let columns = usize::from(area.width.saturating_sub(2));
        let is_finding = |part: &&Paragraph| matches!(part.role, Role::Finding(_));
        let others = words.paragraphs.iter().filter(is_finding).count().saturating_sub(1);
        let fits = words.lines(columns) <= area.height;
        let is_open = matches!(self.dialogs.open, Some(Dialog::Words(_)));
        let Some(reason) = words.paragraphs.iter().position(|part| part.role == Role::Text) else { return };
        if others == 0 || fits || is_open || area.height == 0 {
            return;
        }
        let (others, rest) = words.paragraphs.split_off(reason).into_iter().partition(|part| is_finding(&part));
        let shorter = |part: Paragraph| {
            let text = text::paragraph(&part.text, columns, 1).concat();
            Paragraph { text, ..part }
        };
        words.paragraphs.extend(Vec::into_iter(others).map(shorter).chain(rest));
    }

    /// How the payload byte under the cursor is unmasked, if the cursor is on a byte of a masked payload.
    fn unmasking(&self) -> Option<Unmasking> {
        let (at, key) = self.detail.masked_payload_byte().filter(|_| self.byte_is_cursor())?;
        Some(Unmasking { at, masked: self.detail.byte_value?, key })
    }

    /// The row under the cursor.
    fn selection(&self) -> Selection {
        let row = self.detail.current().and_then(|detail| detail.rows.get(self.detail.row));
        Selection { span: self.detail.selected_span(), rule: row.and_then(|row| row.rule) }
    }

    fn place(&self, detail: &Detail, finding: &Finding) -> Place {
        let has_row = finding.span.is_some() || detail.row_of_rule(finding.rule).is_some();
        match self.selection().is_about(finding) {
            // A record without rows is selected as a whole.
            _ if detail.rows.is_empty() => Place::Selected,
            true => Place::Selected,
            false if has_row => Place::Elsewhere,
            false => Place::Record,
        }
    }

    /// The explanation of what is selected.
    fn explanation(&self, detail: &Detail) -> Explanation {
        let row = detail.rows.get(self.detail.row);
        let field = detail.field_of_row(self.detail.row);
        if let (Some(http), Some(row)) = (&detail.http, row) {
            if let (DetailRowKind::Unmet, None) = (row.kind, field) {
                let (title, section) = (row.name.clone(), row.gloss.clone());
                return Explanation { title, section, text: "This requirement is not met.".to_owned() };
            }
            if let Some(field) = field {
                return explain::http_field(&Head::read(http), field);
            }
        }
        self.message_words(detail).or_else(|| self.deflate_words(detail)).unwrap_or_else(|| match (row, field) {
            (Some(row), Some(field)) if detail.frame.is_some() => self.frame_words(detail, row, field),
            _ => explain::record(detail.record.kind, detail.record.loss, detail.record.direction),
        })
    }

    /// The explanation of a field of a frame.
    fn frame_words(&self, detail: &Detail, row: &DetailRow, field: &Field) -> Explanation {
        let Some(context) = &detail.frame else {
            return explain::record(detail.record.kind, detail.record.loss, detail.record.direction);
        };
        let mut words = explain::frame_field(context, field);
        if row.fields > 1 {
            words.title.clone_from(&row.name);
        }
        // A pong's opcode and payload include the ping that it answers.
        if let Some(answers) = &detail.answers
            && matches!(field.id, FieldId::Opcode | FieldId::Payload)
        {
            words.text.push_str(&format!(" Here it {answers}."));
        }
        words
    }

    /// The explanation of a byte of a message of several frames: the frame that carries it.
    fn message_words(&self, detail: &Detail) -> Option<Explanation> {
        let len = self.detail.content()?.len;
        let carrier =
            self.detail.carrier().filter(|_| self.panels.focus == Panel::Inflated || self.steps_fragments())?;
        let (at, of) = (grouped(carrier.frame as u64 + 1), grouped(detail.carriers.len() as u64));
        let frame = format!("frame {at} of {of}, record {}", carrier.record);
        let came = if detail.record.compressed {
            format!("The end of {frame} completed this byte.")
        } else {
            format!("This byte came in {frame}, as byte {} of its payload.", grouped(carrier.offset + 1))
        };
        if self.steps_fragments() {
            let start = detail.carriers.get(carrier.frame).map_or(0, |carrier| carrier.start);
            let end = detail.carriers.get(carrier.frame + 1).map_or(len, |next| next.start);
            return Some(fragment_words(carrier.frame, detail.carriers.len(), carrier.record, end - start));
        }
        Some(Explanation {
            title: format!("message byte {} of {}", grouped(self.detail.message_byte + 1), grouped(len)),
            section: "RFC 6455 §5.4".to_owned(),
            text: format!("{came} {} goes to that frame.", self.keymap.key_of(Action::Open)),
        })
    }

    /// The explanation of the payload of a compressed frame, if the payload is selected.
    fn deflate_words(&self, detail: &Detail) -> Option<Explanation> {
        detail.field_of_row(self.detail.row).filter(|field| field.id == FieldId::Payload)?;
        Some(explain::compressed_payload(&self.detail.deflate_context(&self.capture)?))
    }

    /// What permessage-deflate was negotiated with, if the payload of a compressed frame is selected.
    pub fn negotiated(&self) -> Option<String> {
        let detail = self.detail.current()?;
        let agreed = self.deflate_words(detail).and(self.detail.negotiated(&self.capture))?;
        Some(format!("negotiated: {agreed}"))
    }

    /// The fields after the selected one, and then those before it. Fields with the same text share it; a text that is `said` is left
    /// out.
    pub(super) fn further(&self, detail: &Detail, said: &[Paragraph]) -> Vec<Paragraph> {
        if self.closing.is_some() {
            return self.closing_terms();
        }
        let (before, after) = detail.rows.split_at((self.detail.row + 1).min(detail.rows.len()));
        let others = after.iter().chain(before.iter().take(self.detail.row));
        // The requirements of a handshake are about its lines, which follow them.
        let selected = detail.rows.get(self.detail.row).and_then(|row| row.field);
        let rows = others.filter(|row| row.kind == DetailRowKind::Field && row.field != selected);
        let fields = rows.filter_map(|row| Some((row, detail.fields.get(row.field?)?)));
        let head = detail.http.as_deref().map(Head::read);
        let mut others: Vec<(String, String)> = Vec::new();
        for (row, field) in fields {
            let inflated = Some(field).filter(|field| field.id == FieldId::Payload);
            let inflated = inflated.and_then(|_| self.detail.deflate_context(&self.capture));
            let text = match (&detail.frame, &head) {
                _ if inflated.is_some() => {
                    inflated.map(|context| explain::compressed_payload(&context).text).unwrap_or_default()
                }
                (Some(context), _) => explain::frame_field(context, field).text,
                (None, Some(head)) => explain::http_field(head, field).text,
                (None, None) => continue,
            };
            match others.iter_mut().find(|(_, same)| *same == text) {
                Some((names, _)) => *names = format!("{names}, {}", row.name),
                None => others.push((row.name.clone(), text)),
            }
        }
        others.retain(|(_, text)| said.iter().all(|part| part.text != *text));
        let parts = others.into_iter().map(|(names, text)| [(Role::Heading, names), (Role::Text, text)]);
        parts.flatten().map(|(role, text)| Paragraph { role, text }).collect()
    }
}

/// The explanation of a frame of a message, counted from 0.
fn fragment_words(frame: usize, frames: usize, record: u64, bytes: u64) -> Explanation {
    let bits = match frame {
        0 => "Its opcode says what the message is, and its FIN is 0: more frames follow.",
        _ if frame + 1 == frames => "Its opcode is 0, continuation, and its FIN is 1: the message ends with it.",
        _ => "Its opcode is 0, continuation, and its FIN is 0: more frames follow.",
    };
    Explanation {
        title: format!("frame {} of {frames}", frame + 1),
        section: "RFC 6455 §5.4".to_owned(),
        text: format!(
            "Record {record} carries {} of the message. {bits} The receiver joins the payloads of all frames in their order, \
             and gives the application one message.",
            rules::count(bytes, "byte")
        ),
    }
}

/// What is selected: the bits of a field, or a requirement that is not met.
struct Selection {
    span: Option<Span>,
    rule: Option<Rule>,
}

impl Selection {
    fn is_about(&self, finding: &Finding) -> bool {
        self.rule == Some(finding.rule) || finding.span.zip(self.span).is_some_and(|(a, b)| a.overlaps(b))
    }
}

/// Where a finding belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// To what is selected.
    Selected,
    /// To the record as a whole.
    Record,
    /// To another row.
    Elsewhere,
}

/// The findings of a record with their indexes: those about the selection first, then by severity.
fn by_relevance<'d>(detail: &'d Detail, selection: &Selection) -> Vec<(usize, &'d Finding)> {
    let mut findings: Vec<(usize, &Finding)> = detail.record.findings.iter().enumerate().collect();
    findings.sort_by_key(|(_, finding)| (Reverse(selection.is_about(finding)), Reverse(finding.rule.severity())));
    findings
}

/// The sentence of a finding with its section, unless that is in the title.
fn finding_line(finding: &Finding, title: &str) -> String {
    let symbol = finding.rule.severity().symbol();
    let about = finding.about.map(|no| format!(" (see record {no})")).unwrap_or_default();
    let section = Some(finding.rule.section()).filter(|section| *section != title);
    let section = section.map(|section| format!(" · {section}")).unwrap_or_default();
    format!("{symbol} {}{about}{section}", printable::text(&finding.sentence()))
}

/// What was sent, and what is right.
fn correction_line(rule: Rule, correction: &Correction) -> Paragraph {
    let right = if rule == Rule::LengthNotShortest { "shortest" } else { "right" };
    let text = format!("sent {}, {right} {}", value(&correction.sent), value(&correction.right));
    Paragraph { role: Role::Correction, text }
}

fn value(value: &FieldValue) -> String {
    match value {
        FieldValue::Bits { value, .. } => value.to_string(),
        FieldValue::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
        FieldValue::Text(text) => printable::text(text).into_owned(),
        FieldValue::Length(bytes) => grouped(*bytes),
    }
}
