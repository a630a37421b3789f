//! The rows of the left panel: the fields of a frame or head, and the requirements of a handshake.

use crate::explain::{self, FrameContext};
use crate::proto::accept::{AcceptBench, GUID};
use crate::proto::handshake::Requirement;
use crate::proto::rules::{Rule, Severity};
use crate::wire::field::{Field, FieldId, FieldValue};
use crate::wire::http::Head;
use crate::wire::printable;

/// One row of the left panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailRow {
    pub kind: DetailRowKind,
    /// Name of the field or title of the requirement.
    pub name: String,
    /// The value as sent, if it is short: bits, or bytes in hex.
    pub raw: String,
    pub value: String,
    /// The meaning of the value; for a requirement, its section.
    pub gloss: String,
    /// A shorter form of the meaning, for a narrow table; empty if it has none.
    pub brief: &'static str,
    /// Index of the field that the row selects.
    pub field: Option<usize>,
    /// Number of fields that share the row.
    pub fields: usize,
    /// The rule that the row reports as violated.
    pub rule: Option<Rule>,
}

impl DetailRow {
    /// Whether the row shows the field with that index.
    pub fn shows(&self, field: usize) -> bool {
        self.field.is_some_and(|first| (first..first + self.fields).contains(&field))
    }

    /// The value as text: as sent, if it has no other form.
    pub fn text(&self) -> &str {
        if self.value.is_empty() { &self.raw } else { &self.value }
    }
}

/// What a [`DetailRow`] shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailRowKind {
    Field,
    /// A requirement that is met.
    Met,
    /// A requirement that is not met.
    Unmet,
    /// A remark about something that breaks no requirement.
    Remark,
    /// A line of the computation of the accept key.
    Computation,
    Heading,
}

impl DetailRowKind {
    /// Whether the row shows a requirement or a remark on one.
    pub const fn is_requirement(self) -> bool {
        matches!(self, Self::Met | Self::Unmet | Self::Remark)
    }

    /// Whether the cursor skips the row.
    pub const fn is_skipped(self) -> bool {
        matches!(self, Self::Heading | Self::Computation)
    }
}

/// The rows of a frame, or of unrecognized bytes (without `context`): one per field. RSV1, RSV2 and RSV3 share one, unless one of
/// them is set or `separate` is true.
pub fn of_frame(fields: &[Field], context: Option<&FrameContext>, separate: bool) -> Vec<DetailRow> {
    let gloss = |field: &Field| context.map(|context| explain::frame_gloss(context, field)).unwrap_or_default();
    let brief = |field: &Field| context.and_then(|context| explain::frame_brief(context, field)).unwrap_or_default();
    let is_zero = |field: &Field| matches!(field.value, FieldValue::Bits { value: 0, .. });
    let reserved = [FieldId::Rsv1, FieldId::Rsv2, FieldId::Rsv3];
    let shared =
        !separate && reserved.iter().all(|id| fields.iter().find(|field| field.id == *id).is_some_and(is_zero));
    let rows = fields.iter().enumerate().filter(|(_, field)| !shared || !reserved[1..].contains(&field.id));
    rows.map(|(i, field)| match field.id {
        FieldId::Rsv1 if shared => DetailRow {
            name: "RSV1–3".to_owned(),
            raw: "0 0 0".to_owned(),
            value: String::new(),
            fields: reserved.len(),
            brief: brief(field),
            ..field_row(i, field, gloss(field))
        },
        _ => DetailRow { brief: brief(field), ..frame_row(i, field, gloss(field)) },
    })
    .collect()
}

/// The row of a field of a frame. A length that another field carries has an arrow to that field, which is in the next row.
fn frame_row(i: usize, field: &Field, gloss: String) -> DetailRow {
    let words = explain::value(field);
    let (raw, value) = match field.id {
        FieldId::Opcode => (words.raw, words.name.to_owned()),
        FieldId::PayloadLen if matches!(field.value, FieldValue::Bits { value: 126.., .. }) => {
            (words.raw, format!("{} ↓", words.value))
        }
        _ if words.raw.is_empty() || words.raw == words.value => (words.value, String::new()),
        _ => (words.raw, words.value),
    };
    DetailRow { raw, value, ..field_row(i, field, gloss) }
}

/// The rows of a request or response: its requirements with the computation of the accept key, then its lines.
pub fn of_head(
    head: &Head<'_>,
    fields: &[Field],
    steps: &[Requirement],
    bench: Option<&AcceptBench>,
) -> Vec<DetailRow> {
    let mut rows = Vec::new();
    for step in steps {
        let field = step.field.and_then(|id| fields.iter().position(|field| field.id == id));
        rows.push(requirement_row(step, field));
        if let Some(bench) = bench.filter(|_| step.is_accept_value()) {
            rows.extend(computation_rows(bench).map(|row| DetailRow { field, ..row }));
        }
    }
    if !rows.is_empty() {
        rows.push(bare_row(DetailRowKind::Heading, "line by line", String::new()));
    }
    rows.extend(fields.iter().enumerate().map(|(i, field)| field_row(i, field, explain::http_gloss(head, field))));
    rows
}

fn requirement_row(step: &Requirement, field: Option<usize>) -> DetailRow {
    DetailRow {
        kind: match step.finding.as_ref().map(|finding| finding.rule.severity()) {
            None => DetailRowKind::Met,
            Some(Severity::Info) => DetailRowKind::Remark,
            Some(_) => DetailRowKind::Unmet,
        },
        name: printable::text(&step.title).into_owned(),
        gloss: step.rule.section().trim_start_matches("RFC 6455 ").to_owned(),
        field,
        rule: step.finding.as_ref().map(|finding| finding.rule),
        ..bare_row(DetailRowKind::Met, "", String::new())
    }
}

/// The name of the line with the text that every server appends to the key.
const GUID_LINE: &str = "+ GUID";

fn computation_rows(bench: &AcceptBench) -> impl Iterator<Item = DetailRow> {
    let received = printable::text(bench.received.as_deref().unwrap_or("nothing"));
    let (other, verdict) = match bench.is_ok() {
        true => (None, "=  received ✓"),
        false => (Some(("sent", received.into_owned())), "≠  not the same ✗"),
    };
    let sha1 = bench.sha1.map(|byte| format!("{byte:02x}"));
    let lines = [
        ("key", printable::text(&bench.key).into_owned()),
        (GUID_LINE, GUID.to_owned()),
        ("SHA-1", sha1[..10].join(" ")),
        ("", sha1[10..].join(" ")),
        ("base64", bench.expected.clone()),
    ];
    let row = |(name, value): (&str, String)| {
        let gloss = if name == GUID_LINE { "fixed text of RFC 6455" } else { "" };
        DetailRow { gloss: gloss.to_owned(), ..bare_row(DetailRowKind::Computation, name, value) }
    };
    lines.into_iter().chain(other).chain([("", verdict.to_owned())]).map(row)
}

fn bare_row(kind: DetailRowKind, name: &str, value: String) -> DetailRow {
    let (raw, gloss) = (String::new(), String::new());
    DetailRow { kind, name: name.to_owned(), raw, value, gloss, brief: "", field: None, fields: 1, rule: None }
}

fn field_row(i: usize, field: &Field, gloss: String) -> DetailRow {
    let value = explain::value(field).value;
    let name = printable::text(&field.name).into_owned();
    DetailRow { gloss, field: Some(i), ..bare_row(DetailRowKind::Field, &name, value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame;

    fn rows(hex: &str, separate: bool) -> Vec<(String, String, String)> {
        let bytes = hex::decode(hex).expect("hex");
        let rows = of_frame(&frame::fields(&bytes, bytes.len() as u64), None, separate);
        rows.into_iter().map(|row| (row.name, row.raw, row.value)).collect()
    }

    fn row(name: &str, raw: &str, value: &str) -> (String, String, String) {
        (name.to_owned(), raw.to_owned(), value.to_owned())
    }

    #[test]
    fn the_reserved_bits_share_a_row_unless_one_is_set() {
        let names = |hex, separate| rows(hex, separate).into_iter().map(|row| row.0).collect::<Vec<_>>().join(" ");
        assert_eq!(names("8100", false), "FIN RSV1–3 opcode MASK payload len");
        assert_eq!(names("8100", true), "FIN RSV1 RSV2 RSV3 opcode MASK payload len");
        assert_eq!(names("a100", false), "FIN RSV1 RSV2 RSV3 opcode MASK payload len");
        let shared = &of_frame(&frame::fields(&[0x81, 0], 2), None, false)[1];
        assert!([1, 2, 3].iter().all(|field| shared.shows(*field)) && !shared.shows(4));
    }

    #[test]
    fn the_three_length_forms_have_one_notation() {
        let lengths = |hex| rows(hex, false).into_iter().filter(|row| row.0.ends_with("len")).collect::<Vec<_>>();
        assert_eq!(lengths("810e"), [row("payload len", "0001110", "14")]);
        let ext = |raw, value| row("extended len", raw, value);
        assert_eq!(lengths("817e0100"), [row("payload len", "1111110", "126 ↓"), ext("01 00", "256")]);
        assert_eq!(
            lengths("817f0000000000010000"),
            [row("payload len", "1111111", "127 ↓"), ext("00 00 00 00 00 01 00 00", "65,536")]
        );
        assert_eq!(rows("8100", false)[2], row("opcode", "0001", "text"));
        assert_eq!(rows("8100", false)[0], row("FIN", "1", ""));
    }
}
