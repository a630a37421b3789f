//! The rows of the left panel: the fields of a frame or head, and the requirements of a handshake.

use crate::explain::{self, FrameContext};
use crate::proto::accept::{AcceptBench, GUID};
use crate::proto::handshake::Requirement;
use crate::proto::rules::Severity;
use crate::wire::field::Field;
use crate::wire::http::Head;
use crate::wire::printable;

/// One row of the left panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailRow {
    pub kind: DetailRowKind,
    /// Name of the field or title of the requirement.
    pub name: String,
    pub value: String,
    /// The meaning of the value; for a requirement, its section.
    pub gloss: String,
    /// Index of the field that the row selects.
    pub field: Option<usize>,
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

/// The rows of a frame, or of unrecognized bytes (without `context`): one per field.
pub fn of_frame(fields: &[Field], context: Option<&FrameContext>) -> Vec<DetailRow> {
    let gloss = |field: &Field| context.map(|context| explain::frame_gloss(context, field)).unwrap_or_default();
    fields.iter().enumerate().map(|(i, field)| field_row(i, field, gloss(field))).collect()
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
        value: String::new(),
        gloss: step.rule.section().trim_start_matches("RFC 6455 ").to_owned(),
        field,
    }
}

fn computation_rows(bench: &AcceptBench) -> impl Iterator<Item = DetailRow> {
    let received = printable::text(bench.received.as_deref().unwrap_or("nothing"));
    let (other, verdict) = match bench.is_ok() {
        true => (None, "=  received ✓"),
        false => (Some(("sent", received.into_owned())), "≠  not the same ✗"),
    };
    let sha1 = bench.sha1.map(|byte| format!("{byte:02x}"));
    let lines = [
        ("key", printable::text(&bench.key).into_owned()),
        ("+ GUID", GUID.to_owned()),
        ("SHA-1", sha1[..10].join(" ")),
        ("", sha1[10..].join(" ")),
        ("base64", bench.expected.clone()),
    ];
    let row = |(name, value): (&str, String)| bare_row(DetailRowKind::Computation, name, value);
    lines.into_iter().chain(other).chain([("", verdict.to_owned())]).map(row)
}

fn bare_row(kind: DetailRowKind, name: &str, value: String) -> DetailRow {
    DetailRow { kind, name: name.to_owned(), value, gloss: String::new(), field: None }
}

fn field_row(i: usize, field: &Field, gloss: String) -> DetailRow {
    let value = explain::value(field).with_raw();
    let name = printable::text(&field.name).into_owned();
    DetailRow { kind: DetailRowKind::Field, name, value, gloss, field: Some(i) }
}
