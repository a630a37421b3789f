//! The record under the cursor, read and laid out as rows.

use std::io;

use super::inflated::Unpacked;
use crate::capture::query::messages::{Carrier, Message};
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::explain::{self, FrameContext, MessagePart};
use crate::proto::accept::{AcceptBench, GUID};
use crate::proto::dissected::{Direction, Kind};
use crate::proto::handshake::{self, RequestFacts, Requirement};
use crate::proto::rules::{Rule, Severity};
use crate::wire::field::{Field, FieldId, FieldValue, Span, field_at_byte};
use crate::wire::frame::{self, FrameHead};
use crate::wire::http::Head;
use crate::wire::opcode::Opcode;
use crate::wire::printable;

/// How much of a record is read to lay it out, in bytes: any HTTP head.
const LAYOUT: u64 = 64 * 1024;

/// How many bytes of a frame the bit grid may show: its head, and a row of payload.
const PREFIX: u64 = 32;

/// Everything that the panels show of one record.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The record.
    pub record: Record,
    /// Its layout.
    pub fields: Vec<Field>,
    /// The rows of the left panel.
    pub rows: Vec<Row>,
    /// Of a frame whose head is whole.
    pub frame: Option<FrameContext>,
    /// Its first bytes: all of a frame's head, and of its payload what the bit grid shows.
    pub prefix: Vec<u8>,
    /// Of a request or response: the bytes of its head.
    pub http: Option<Vec<u8>>,
    /// Of a pong that answers a ping: which one, and how fast.
    pub answers: Option<String>,
    /// The note on it.
    pub note: Option<String>,
    /// Of a frame of a compressed message: what the message inflates to.
    pub unpacked: Option<Unpacked>,
    /// In the row of a message of several frames: the message.
    pub message: Option<Message>,
    /// Its frames, with what each brought.
    pub carriers: Vec<Carrier>,
    /// Why it cannot be read.
    pub trouble: Option<String>,
}

/// A row of the left panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What sort of row.
    pub sort: Sort,
    /// What it is about.
    pub name: String,
    /// What stands there.
    pub value: String,
    /// What that means; of a requirement its section.
    pub gloss: String,
    /// The field that it belongs to.
    pub field: Option<usize>,
}

/// Sorts of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A field of the layout.
    Field,
    /// A requirement that is met.
    Kept,
    /// A requirement that is not met.
    Broken,
    /// Something worth knowing that breaks no requirement.
    Noted,
    /// A line of the accept key's computation.
    Bench,
    /// A heading.
    Heading,
}

impl Detail {
    /// Reads a record.
    pub fn load(capture: &Capture, record: Record) -> Self {
        let mut detail = Self {
            answers: summary::answers(capture, &record),
            note: capture.note(record.no),
            record,
            fields: Vec::new(),
            rows: Vec::new(),
            frame: None,
            prefix: Vec::new(),
            http: None,
            unpacked: None,
            message: None,
            carriers: Vec::new(),
            trouble: None,
        };
        if let Err(e) = detail.lay_out(capture) {
            detail.trouble = Some(format!("the bytes cannot be read: {e}"));
        }
        detail
    }

    /// Where the payload begins; `None` for what has none.
    pub fn payload_start(&self) -> Option<u64> {
        let head = &self.frame.as_ref()?.head;
        let start = head.header_len() as u64;
        (self.record.wire_len > start).then_some(start)
    }

    /// The record that ends what is shown: a message's last frame in its row, otherwise the record.
    pub fn last_frame(&self) -> u64 {
        self.message.as_ref().map_or(self.record.no, |message| message.last)
    }

    /// The masking key, for a masked frame.
    pub fn masking_key(&self) -> Option<[u8; 4]> {
        self.frame.as_ref()?.head.masking_key
    }

    /// The field of a row.
    pub fn field_of_row(&self, row: usize) -> Option<&Field> {
        self.fields.get(self.rows.get(row)?.field?)
    }

    /// The row that shows the field which owns a byte; `keep` when its own field does.
    pub fn row_at_byte(&self, byte: u64, keep: usize) -> Option<usize> {
        if self.field_of_row(keep).is_some_and(|field| field.span.touches_byte(byte)) {
            return Some(keep);
        }
        self.row_of_field(field_at_byte(&self.fields, byte)?)
    }

    /// The row that shows a field of the layout.
    pub fn row_of_field(&self, field: usize) -> Option<usize> {
        self.rows.iter().position(|row| row.field == Some(field) && row.sort == Sort::Field)
    }

    /// The row of the field with that id.
    pub fn row_of_id(&self, id: FieldId) -> Option<usize> {
        self.row_of_field(self.fields.iter().position(|field| field.id == id)?)
    }

    fn lay_out(&mut self, capture: &Capture) -> io::Result<()> {
        let record = &self.record;
        match record.kind {
            Kind::Frame | Kind::CutFrame => {
                self.prefix = capture.wire(record, 0..PREFIX)?;
                self.fields = frame::fields(&self.prefix, record.wire_len);
                self.frame = capture.frame_head(record)?.map(|head| frame_context(record, head));
                self.unpacked = Unpacked::load(capture, record)?;
                self.rows = self.fields.iter().enumerate().map(|(i, field)| self.frame_row(i, field)).collect();
            }
            Kind::Request | Kind::Response | Kind::CutHttp => {
                let bytes = capture.wire(record, 0..LAYOUT)?;
                self.lay_out_http(capture, &bytes)?;
                self.http = Some(bytes);
            }
            Kind::Junk => {
                let id = FieldId::Opaque;
                let (span, value) = (Span::bytes(0, record.wire_len), FieldValue::Length(record.wire_len));
                let field = Field { id, name: "bytes".to_owned(), span, value };
                self.rows = vec![field_row(0, &field, String::new())];
                self.fields = vec![field];
            }
            Kind::Gap | Kind::End(_) => {}
        }
        Ok(())
    }

    fn frame_row(&self, i: usize, field: &Field) -> Row {
        let gloss = self.frame.as_ref().map(|context| explain::frame_gloss(context, field)).unwrap_or_default();
        field_row(i, field, gloss)
    }

    fn lay_out_http(&mut self, capture: &Capture, bytes: &[u8]) -> io::Result<()> {
        let head = Head::read(bytes);
        self.fields = head.fields(self.record.wire_len);
        let mut facts = RequestFacts::default();
        let mut steps = match self.record.direction {
            Direction::ClientToServer => {
                let server = capture.connection(self.record.connection).map(|connection| connection.server);
                handshake::check_request(&head, server)
            }
            Direction::ServerToClient => {
                if let Some(request) = self.record.answers.and_then(|no| capture.record(no)) {
                    facts = RequestFacts::of(&Head::read(&capture.wire(&request, 0..LAYOUT)?));
                }
                handshake::check_response(&head, &facts)
            }
        };
        if self.record.kind == Kind::CutHttp {
            // What is not here may be in the bytes that are missing.
            steps.retain(|step| step.finding.is_none());
        }
        let bench = match (&facts.key, self.record.direction, self.record.code) {
            (Some(key), Direction::ServerToClient, 101) => {
                Some(AcceptBench::new(key, head.value("sec-websocket-accept")))
            }
            _ => None,
        };
        self.requirement_rows(&steps, bench.as_ref());
        if !self.rows.is_empty() {
            self.rows.push(heading("line by line"));
        }
        for (i, field) in self.fields.iter().enumerate() {
            self.rows.push(field_row(i, field, explain::http_gloss(&head, field)));
        }
        Ok(())
    }

    fn requirement_rows(&mut self, steps: &[Requirement], bench: Option<&AcceptBench>) {
        for step in steps {
            let field = step.field.and_then(|id| self.fields.iter().position(|field| field.id == id));
            self.rows.push(Row {
                sort: match step.finding.as_ref().map(|finding| finding.rule.severity()) {
                    None => Sort::Kept,
                    Some(Severity::Info) => Sort::Noted,
                    Some(_) => Sort::Broken,
                },
                name: printable::text(&step.title).into_owned(),
                value: String::new(),
                gloss: step.section.trim_start_matches("RFC 6455 ").to_owned(),
                field,
            });
            if let Some(bench) = bench.filter(|_| step.title == handshake::ACCEPT_REQUIREMENT) {
                self.rows.extend(bench_rows(bench).map(|row| Row { field, ..row }));
            }
        }
    }
}

fn bench_rows(bench: &AcceptBench) -> impl Iterator<Item = Row> {
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
    let row = |(name, value): (&str, String)| {
        let name = name.to_owned();
        Row { sort: Sort::Bench, name, value, gloss: String::new(), field: None }
    };
    lines.into_iter().chain(other).chain([("", verdict.to_owned())]).map(row)
}

fn heading(text: &str) -> Row {
    Row { sort: Sort::Heading, name: text.to_owned(), value: String::new(), gloss: String::new(), field: None }
}

fn field_row(i: usize, field: &Field, gloss: String) -> Row {
    let value = explain::value(field).with_raw();
    Row { sort: Sort::Field, name: printable::text(&field.name).into_owned(), value, gloss, field: Some(i) }
}

/// What there is to know of a frame for explaining its fields.
fn frame_context(record: &Record, head: FrameHead) -> FrameContext {
    let place = match head.opcode {
        opcode if opcode.is_control() => MessagePart::Control,
        Opcode::Reserved(_) => MessagePart::Stray,
        Opcode::Continuation if record.message.is_none() => MessagePart::Stray,
        Opcode::Continuation if head.fin => MessagePart::Last,
        Opcode::Continuation => MessagePart::Middle,
        _ if head.fin => MessagePart::Whole,
        _ => MessagePart::First,
    };
    FrameContext {
        head,
        direction: record.direction,
        place,
        compressed: record.compressed,
        captured_payload: record.payload_len().unwrap_or(0),
        unsolicited: record.findings.iter().any(|finding| finding.rule == Rule::PongUnsolicited),
    }
}
