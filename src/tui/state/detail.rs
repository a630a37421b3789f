//! One record, read and dissected for the panels below the list.

use std::io;

use super::detail_rows::{self, DetailRow, DetailRowKind};
use super::unpacked::{MAX_SHOWN, Unpacked};
use crate::capture::query::messages::{Carrier, Message};
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::explain::FrameContext;
use crate::proto::accept::AcceptBench;
use crate::proto::correction::Correction;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::handshake::{self, RequestFacts};
use crate::proto::rules::{Rule, count};
use crate::wire::field::{Field, FieldId, FieldValue, Span, field_at_byte};
use crate::wire::frame;
use crate::wire::http::Head;
use crate::wire::opcode::Opcode;

/// Largest part of an HTTP head that is read, in bytes: every valid head fits.
const MAX_HEAD: u64 = 64 * 1024;

/// Largest part of a frame that the bit grid shows, in bytes: the frame head and nine rows of payload.
const PREFIX: u64 = 64;

/// Everything that the panels show of one record.
#[derive(Clone, Debug)]
pub struct Detail {
    pub record: Record,
    pub fields: Vec<Field>,
    pub rows: Vec<DetailRow>,
    /// Context of a frame whose head is complete.
    pub frame: Option<FrameContext>,
    /// First bytes of a frame: its head, and the payload bytes that the bit grid shows.
    pub prefix: Vec<u8>,
    /// Head of a request or response.
    pub http: Option<Vec<u8>>,
    /// For a pong: which ping it answers, and the round-trip time.
    pub answers: Option<String>,
    pub note: Option<String>,
    /// Content of the compressed message that a frame belongs to.
    pub unpacked: Option<Unpacked>,
    /// The message, if the row shows a message of several frames.
    pub message: Option<Message>,
    /// The frames of that message, with the part that each one carries.
    pub carriers: Vec<Carrier>,
    /// The accept key that the server must send, if the record is its response.
    expected_accept: Option<String>,
    /// Whether the reserved bits have rows of their own.
    separate_rsv: bool,
    /// Why the bytes cannot be read.
    pub error: Option<String>,
}

impl Detail {
    /// Reads and dissects a record; with a `message` of several frames, the whole message. `separate_rsv`: the reserved bits of a
    /// frame have rows of their own.
    pub fn load(
        capture: &Capture,
        reader: &mut MessageReader,
        record: Record,
        message: Option<Message>,
        separate_rsv: bool,
    ) -> Self {
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
            expected_accept: None,
            separate_rsv,
            error: None,
        };
        let read = detail.dissect(capture, reader);
        let joined = message.map_or(Ok(()), |message| detail.join(capture, reader, message));
        if let Err(e) = read.and(joined) {
            detail.error = Some(format!("cannot read the bytes of this record ({e})"));
        }
        detail
    }

    /// Offset of the payload in the record; `None` if the record has no payload.
    pub fn payload_start(&self) -> Option<u64> {
        let head = &self.frame.as_ref()?.head;
        let start = head.header_len() as u64;
        (self.record.wire_len > start).then_some(start)
    }

    /// The label of a frame of a message of that length, by its position.
    pub fn fragment_label(&self, frame: usize, len: u64) -> String {
        let start = self.carriers.get(frame).map_or(0, |carrier| carrier.start);
        let no = self.carriers.get(frame).map_or(0, |carrier| carrier.no);
        let end = self.carriers.get(frame + 1).map_or(len, |next| next.start);
        format!("{}: record {no}, {}", frame + 1, count(end.saturating_sub(start), "byte"))
    }

    /// Number of the last record that is shown: the last frame of a message, otherwise the record itself.
    pub fn last_frame(&self) -> u64 {
        self.message.as_ref().map_or(self.record.no, |message| message.last)
    }

    pub fn masking_key(&self) -> Option<[u8; 4]> {
        self.frame.as_ref()?.head.masking_key
    }

    /// The field that a row shows; the first one, if it shows several.
    pub fn field_of_row(&self, row: usize) -> Option<&Field> {
        self.fields.get(self.rows.get(row)?.field?)
    }

    /// The bits of the fields that a row shows.
    pub fn span_of_row(&self, row: usize) -> Option<Span> {
        let row = self.rows.get(row)?;
        let first = row.field?;
        let last = self.fields.get(first + row.fields - 1)?;
        Some(Span::bits(self.fields[first].span.start, last.span.end))
    }

    /// The row that shows the field of a byte; `current` if its field contains the byte too.
    pub fn row_at_byte(&self, byte: u64, current: usize) -> Option<usize> {
        if self.span_of_row(current).is_some_and(|span| span.touches_byte(byte)) {
            return Some(current);
        }
        self.row_of_field(field_at_byte(&self.fields, byte)?)
    }

    /// The row that shows a field, by its index.
    pub fn row_of_field(&self, field: usize) -> Option<usize> {
        self.rows.iter().position(|row| row.shows(field) && row.kind == DetailRowKind::Field)
    }

    /// The row that shows a field, by its id.
    pub fn row_of_id(&self, id: FieldId) -> Option<usize> {
        self.row_of_field(self.fields.iter().position(|field| field.id == id)?)
    }

    /// The row that reports a rule as violated.
    pub fn row_of_rule(&self, rule: Rule) -> Option<usize> {
        self.rows.iter().position(|row| row.rule == Some(rule))
    }

    /// The right value beside the wrong one, for the finding with this index.
    pub fn correction(&self, finding: usize) -> Option<Correction> {
        let finding = self.record.findings.get(finding)?;
        match (&self.frame, &self.http) {
            (Some(context), _) => Correction::of_frame(finding, &context.head),
            (None, Some(http)) => Correction::of_head(finding, &Head::read(http), self.expected_accept.as_deref()),
            _ => None,
        }
    }

    /// Whether the bytes of the record from that offset on are UTF-8 text, so that they can be divided into characters.
    pub fn text_start(&self) -> Option<u64> {
        match self.record.opcode() {
            None => Some(0),
            _ if self.masking_key().is_some() || self.is_binary() => None,
            Some(_) => self.payload_start(),
        }
    }

    /// Whether the payload is not text as it was sent.
    pub fn is_binary(&self) -> bool {
        let reserved = matches!(self.record.opcode(), Some(Opcode::Binary | Opcode::Reserved(_)));
        self.record.compressed || reserved
    }

    /// Whether the payload is that of a text message. Of a later fragment, the bytes show it.
    pub fn is_text(&self, payload: &[u8]) -> bool {
        match self.record.opcode() {
            Some(Opcode::Text) => !self.record.compressed,
            Some(Opcode::Continuation) if !self.record.compressed => {
                // A fragment may begin and end inside a character.
                let cut = payload.iter().take_while(|byte| *byte & 0xc0 == 0x80).count().min(3);
                let is_text = |e: std::str::Utf8Error| e.error_len().is_none();
                let whole = std::str::from_utf8(&payload[cut..]);
                whole.map_or_else(is_text, |text| !text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace()))
            }
            _ => false,
        }
    }

    /// Gives the reserved bits rows of their own, or one row. Returns false if the rows are so already.
    pub fn separate_rsv(&mut self, separate: bool) -> bool {
        let is_frame = self.record.opcode().is_some();
        if std::mem::replace(&mut self.separate_rsv, separate) == separate || !is_frame {
            return false;
        }
        self.rows = detail_rows::of_frame(&self.fields, self.frame.as_ref(), separate);
        true
    }

    fn dissect(&mut self, capture: &Capture, reader: &mut MessageReader) -> io::Result<()> {
        let record = &self.record;
        match record.kind {
            Kind::Frame | Kind::CutFrame => {
                self.prefix = capture.wire(record, 0..PREFIX)?;
                self.fields = frame::fields(&self.prefix, record.wire_len);
                self.frame = capture.frame_head(record)?.map(|head| FrameContext::of(capture, record, head));
                self.unpacked = Unpacked::load(capture, reader, record)?;
                self.rows = detail_rows::of_frame(&self.fields, self.frame.as_ref(), self.separate_rsv);
            }
            Kind::Request | Kind::Response | Kind::CutHttp => {
                let bytes = capture.wire(record, 0..MAX_HEAD)?;
                self.dissect_http(capture, &bytes)?;
                self.http = Some(bytes);
            }
            Kind::Junk => {
                let (span, value) = (Span::bytes(0, record.wire_len), FieldValue::Length(record.wire_len));
                self.fields = vec![Field { id: FieldId::Opaque, name: "bytes".to_owned(), span, value }];
                self.rows = detail_rows::of_frame(&self.fields, None, false);
            }
            Kind::Gap | Kind::End(_) => {}
        }
        Ok(())
    }

    fn dissect_http(&mut self, capture: &Capture, bytes: &[u8]) -> io::Result<()> {
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
                    facts = RequestFacts::of(&Head::read(&capture.wire(&request, 0..MAX_HEAD)?));
                }
                handshake::check_response(&head, &facts)
            }
        };
        // Only what the record was found to violate: the head alone does not show that it was truncated, or sent through a tunnel.
        let found = |rule| self.record.findings.iter().any(|finding| finding.rule == rule);
        steps.retain(|step| step.finding.as_ref().is_none_or(|finding| found(finding.rule)));
        let bench = match (&facts.key, self.record.direction, self.record.code) {
            (Some(key), Direction::ServerToClient, 101) => {
                Some(AcceptBench::new(key, head.value("sec-websocket-accept")))
            }
            _ => None,
        };
        self.expected_accept = bench.as_ref().map(|bench| bench.expected.clone());
        self.rows = detail_rows::of_head(&head, &self.fields, &steps, bench.as_ref());
        Ok(())
    }

    /// Shows the content of the whole message instead of that of its first frame.
    fn join(&mut self, capture: &Capture, reader: &mut MessageReader, message: Message) -> io::Result<()> {
        let read = if message.compressed {
            let last = capture.record(message.last);
            last.map_or(Ok(None), |last| Unpacked::load(capture, reader, &last))
        } else {
            message.joined(capture, MAX_SHOWN).map(|(content, carriers)| {
                self.carriers = carriers;
                Some(Unpacked::Joined(content))
            })
        };
        self.message = Some(message);
        self.unpacked = read?;
        self.find_carriers(capture);
        Ok(())
    }

    /// Sets the inflated content, which a background job delivers late for a long message.
    pub fn set_unpacked(&mut self, capture: &Capture, unpacked: Unpacked) {
        self.unpacked = Some(unpacked);
        self.find_carriers(capture);
    }

    /// Finds out which frame carries which part of a compressed message.
    fn find_carriers(&mut self, capture: &Capture) {
        if let (Some(message), Some(Unpacked::Inflated(content))) = (&self.message, &self.unpacked) {
            self.carriers = message.carriers(capture, content);
        }
    }
}
